//! Everything the hub sends, as bytes of either dialect: nothing else in the hub encodes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, Message, Presence, RoomCount, Rooms, Whois};
use glassline_wire::frame;
use glassline_wire::limits::HEADER_BYTES;
use glassline_wire::request::LOBBY;

use crate::dialect::Dialect;
use crate::moderation::messages;
use crate::name::SERVER_NAME;
use crate::presence;

/// Something to send: an event, with the `ref` of the request that it answers (E5). What a member
/// of the tutorial dialect reads instead is decided here.
pub type Outbound = Envelope<Event>;

/// Most names or rooms that an answer to a tutorial client lists.
pub(crate) const LISTED_MAX: usize = 100;

impl Dialect {
    /// Returns `outbound` in this dialect; nothing if the dialect cannot express it.
    pub fn encode(self, outbound: &Outbound) -> Vec<u8> {
        match self {
            Self::Tutorial => tutorial_pairs(outbound),
            Self::Event => outbound.to_frame(),
        }
    }
}

/// Returns pairs of frames: a sender's name and a text (T4).
fn tutorial_pairs(outbound: &Outbound) -> Vec<u8> {
    let text = match &outbound.content {
        Event::Message(message) if message.action => return pair(&message.from, &format!("* {}", message.text)),
        Event::Message(message) => return pair(&message.from, &message.text),
        // No name can hold an arrow, so a public text cannot imitate this.
        Event::Direct(direct) => return pair(&format!("{}{}", direct.from, frame::DIRECT_SUFFIX), &direct.text),
        Event::History(history) if history.messages.is_empty() => return server_pair("nothing is stored of that"),
        Event::History(history) => return stored_pairs(&history.messages),
        Event::Notice(notice) => return server_pair(&notice.text),
        Event::Error(rejection) => return server_pair(&rejection.text),
        Event::Bye(bye) => return server_pair(&bye.text),
        Event::Joined(presence) => changes(presence, "joined"),
        Event::Left(presence) => changes(presence, "left"),
        Event::Renamed(renamed) => format!("{} is now {}", renamed.from, renamed.to),
        Event::Whois(whois) => described(whois),
        Event::Rooms(rooms) => listed(rooms),
        Event::Away(away) => match &away.text {
            Some(text) => format!("{} is away: {text}", away.name),
            None => format!("{} is back", away.name),
        },
        Event::Act(act) => messages::announcement(act),
        Event::Gap(gap) => format!("you missed {} messages", gap.to.saturating_sub(gap.from) + 1),
        Event::Welcome(_) | Event::Members(_) | Event::Ping {} | Event::Pong {} => return Vec::new(),
    };
    server_pair(&text)
}

fn pair(name: &str, text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + text.len() + 2 * HEADER_BYTES);
    frame::put_frame(&mut bytes, name.as_bytes());
    frame::put_frame(&mut bytes, text.as_bytes());
    bytes
}

/// Returns a server notice as a pair (T9).
fn server_pair(text: &str) -> Vec<u8> {
    pair(SERVER_NAME, text)
}

/// Stored messages: ordinary pairs with the time in front.
fn stored_pairs(messages: &[Message]) -> Vec<u8> {
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

fn changes(Presence { room, names, count, .. }: &Presence, verb: &str) -> String {
    let who = presence::summarize(names, *count);
    if room == LOBBY { format!("{who} {verb}") } else { format!("{who} {verb} {room}") }
}

fn described(Whois { name, since, idle_s, dialect, link, rooms, away, .. }: &Whois) -> String {
    let rooms = if rooms.is_empty() { "no room".to_string() } else { rooms.join(", ") };
    let away = away.as_ref().map_or_else(String::new, |text| format!("; away: {text}"));
    // No more exact than people need it.
    let idle = match idle_s {
        0..60 => format!("{idle_s} s"),
        60..3_600 => format!("{} min", idle_s / 60),
        _ => format!("{} h {} min", idle_s / 3_600, idle_s % 3_600 / 60),
    };
    format!("{name}: here since {since}, idle for {idle}, {link}, {dialect} dialect, in {rooms}{away}")
}

fn listed(Rooms { rooms, count }: &Rooms) -> String {
    let listed: Vec<_> =
        rooms.iter().take(LISTED_MAX).map(|RoomCount { room, count }| format!("{room} ({count})")).collect();
    let more = count - listed.len();
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    format!("rooms: {}{more}", listed.join(", "))
}
