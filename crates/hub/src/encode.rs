//! Messages of the hub, as bytes of either dialect.

use alloc::vec::Vec;

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
