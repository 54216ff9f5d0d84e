//! Limits on what a server sends: names are kept, listed and drawn, and its own limits are
//! followed, so all are bounded.

use core::iter::once;

use glassline_wire::event::{Event, Limits, Message};

use crate::prelude::*;

/// Longest name taken from a server, in bytes. Above [`glassline_wire::limits::NAME_BYTES_MAX`]:
/// other servers may have longer ones.
pub(crate) const NAME_BYTES_MAX: usize = 256;
/// Longest text that a server may announce as its limit: a message of it must fit the outbox.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest request that a server may announce as its limit.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Bounds the limits of a server: arbitrary ones could prevent sending, or exhaust memory.
pub(crate) fn bounded(limits: Limits) -> Limits {
    Limits {
        text_bytes: limits.text_bytes.clamp(1, TEXT_BYTES_MAX),
        event_bytes: limits.event_bytes.clamp(1, EVENT_BYTES_MAX),
        ..limits
    }
}

pub(crate) fn has_short_names(event: &Event) -> bool {
    names_of(event).iter().all(|name| name.len() <= NAME_BYTES_MAX)
}

fn names_of(event: &Event) -> Vec<&str> {
    match event {
        Event::Welcome(welcome) => {
            let rooms = welcome.rooms.iter().map(|state| state.room.as_str());
            once(welcome.name.as_str()).chain(rooms).collect()
        }
        Event::Message(message) => names_in(message).to_vec(),
        Event::Direct(direct) => vec![&direct.from, &direct.to],
        Event::Joined(presence) | Event::Left(presence) => room_and_names(&presence.room, &presence.names),
        Event::Renamed(renamed) => vec![&renamed.from, &renamed.to],
        Event::Members(members) => room_and_names(&members.room, &members.names),
        Event::History(history) => {
            once(history.room.as_str()).chain(history.messages.iter().flat_map(names_in)).collect()
        }
        Event::Whois(whois) => room_and_names(&whois.name, &whois.rooms),
        Event::Rooms(rooms) => rooms.rooms.iter().map(|listed| listed.room.as_str()).collect(),
        Event::Away(away) => vec![&away.name],
        Event::Gap(gap) => vec![&gap.room],
        Event::Act(act) => once(act.by.as_str()).chain(act.who.as_deref()).collect(),
        Event::Notice(_) | Event::Error(_) | Event::Ping {} | Event::Pong {} | Event::Bye(_) => Vec::new(),
    }
}

fn names_in(message: &Message) -> [&str; 2] {
    [&message.room, &message.from]
}

fn room_and_names<'a>(first: &'a str, others: &'a [String]) -> Vec<&'a str> {
    once(first).chain(others.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_kind_is_bounded_wherever_it_stands() {
        for json in [
            r#"{"type":"welcome","name":"NAME","token":"t","server":"s","limits":{"name_chars":1,"name_bytes":1,"text_bytes":1,"event_bytes":1},"rooms":[]}"#,
            r#"{"type":"welcome","name":"a","token":"t","server":"s","limits":{"name_chars":1,"name_bytes":1,"text_bytes":1,"event_bytes":1},"rooms":[{"room":"NAME","seq":1,"count":1}]}"#,
            r#"{"type":"message","room":"NAME","from":"a","text":"x"}"#,
            r#"{"type":"message","room":"a","from":"NAME","text":"x"}"#,
            r#"{"type":"direct","from":"NAME","to":"a","text":"x"}"#,
            r#"{"type":"direct","from":"a","to":"NAME","text":"x"}"#,
            r#"{"type":"joined","room":"NAME","names":[],"count":1}"#,
            r#"{"type":"left","room":"a","names":["a","NAME"],"count":2}"#,
            r#"{"type":"renamed","from":"NAME","to":"a"}"#,
            r#"{"type":"renamed","from":"a","to":"NAME"}"#,
            r#"{"type":"members","room":"a","names":["NAME"],"count":1}"#,
            r#"{"type":"history","room":"NAME","messages":[]}"#,
            r#"{"type":"history","room":"a","messages":[{"room":"a","from":"NAME","text":"x"}]}"#,
            r#"{"type":"whois","name":"NAME","since":"1970-01-01T00:00:00.000Z","idle_s":1,"dialect":"event","link":"plaintext","rooms":[]}"#,
            r#"{"type":"whois","name":"a","since":"1970-01-01T00:00:00.000Z","idle_s":1,"dialect":"event","link":"plaintext","rooms":["NAME"]}"#,
            r#"{"type":"rooms","rooms":[{"room":"NAME","count":1}],"count":1}"#,
            r#"{"type":"away","name":"NAME"}"#,
            r#"{"type":"gap","room":"NAME","from":1,"to":2}"#,
        ] {
            for (bytes, is_short) in [(256, true), (257, false)] {
                let json = json.replace("NAME", &"x".repeat(bytes));
                let event = Event::from_json(json.as_bytes()).expect(&json);
                assert_eq!(has_short_names(&event), is_short, "{bytes}: {json}");
            }
        }
        let text = "x".repeat(9_000);
        let message = format!(r#"{{"type":"message","room":"a","from":"b","text":"{text}"}}"#);
        assert!(has_short_names(&Event::from_json(message.as_bytes()).expect("reads")));
    }
}
