//! Messages of the hub, as bytes of either dialect.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::event::Message;
use glassline_wire::frame;

use crate::name::SERVER_NAME;

/// A pair of the tutorial dialect: the speaker's name and the text (T4).
pub(crate) fn pair(name: &str, text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + text.len() + 20);
    frame::put_frame(&mut bytes, name.as_bytes());
    frame::put_frame(&mut bytes, text.as_bytes());
    bytes
}

/// The server's own words as a pair (T9).
pub fn server_pair(text: &str) -> Vec<u8> {
    pair(SERVER_NAME, text)
}

/// Stored messages for a tutorial client: ordinary pairs with the time in front.
pub(crate) fn history_pairs(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        let at = message.at.map_or_else(String::new, |at| at.to_string());
        // To the minute: `2026-01-02T03:04:05.678Z` becomes `2026-01-02 03:04`.
        let minute = at.get(..16).unwrap_or_default().replace('T', " ");
        let action = if message.action { "* " } else { "" };
        bytes.extend(pair(&message.from, &format!("[{minute} UTC] {action}{}", message.text)));
    }
    bytes
}
