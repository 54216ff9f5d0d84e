//! Events in words for people: lines that are safe to print, whoever sent what is in them.

use std::borrow::Cow;

use glassline_wire::event::{Direct, Event, Gap, Members, Message, Presence};
use glassline_wire::visible;

use crate::session::update::Update;

/// Most characters of a name that are shown; a tutorial server bounds them by nothing.
const NAME_SHOWN_CHARS: usize = 64;
/// Stands before every line of a message but its first, so that no text can look like another message.
const CONTINUATION: &str = "  ";

/// The lines that tell a person of an update; none where there is nothing to tell.
pub(crate) fn lines(update: &Update) -> Vec<String> {
    match update {
        Update::Heard(event) | Update::Said { event, .. } => event_lines(event),
        Update::Refused { refusal, text: None } => vec![format!("* error: {}", visible::one_line(&refusal.text))],
        Update::Refused { refusal, text: Some(text) } => {
            worded(&format!("* not delivered ({}): ", visible::one_line(&refusal.text)), text)
        }
        Update::Notice(text) => worded("* ", text),
    }
}

fn event_lines(event: &Event) -> Vec<String> {
    match event {
        Event::Message(message) => message_lines(message),
        Event::Direct(Direct { from, to, text, .. }) => worded(&format!("{} -> {} > ", name(from), name(to)), text),
        Event::Joined(presence) => presence_line(presence, "joined").into_iter().collect(),
        Event::Left(presence) => presence_line(presence, "left").into_iter().collect(),
        Event::Renamed(renamed) => vec![format!("* {} is now {}", name(&renamed.from), name(&renamed.to))],
        Event::Members(members) => vec![members_line(members)],
        Event::History(history) => history.messages.iter().flat_map(message_lines).collect(),
        Event::Notice(notice) => worded("* ", &notice.text),
        Event::Error(refusal) => vec![format!("* error: {}", visible::one_line(&refusal.text))],
        Event::Gap(gap) => vec![gap_line(gap)],
        // An answer to the user's own goodbye needs no words.
        Event::Bye(bye) if bye.text.is_empty() || bye.reference.is_some() => Vec::new(),
        Event::Bye(bye) => worded("* ", &bye.text),
        Event::Pong(_) => vec!["* the server answers".to_owned()],
        Event::Whois(_) | Event::Rooms(_) | Event::Away(_) | Event::Welcome(_) | Event::Ping(_) => Vec::new(),
    }
}

fn message_lines(message: &Message) -> Vec<String> {
    let place = place(&message.room);
    let from = name(&message.from);
    let start = if message.action { format!("{place}* {from} ") } else { format!("{place}{from} > ") };
    worded(&start, &message.text)
}

/// A text behind its start, every further line set in.
fn worded(start: &str, text: &str) -> Vec<String> {
    let text = visible::lines(text);
    let mut lines = text.split('\n');
    let first = format!("{start}{}", lines.next().unwrap_or_default());
    std::iter::once(first).chain(lines.map(|line| format!("{CONTINUATION}{line}"))).collect()
}

/// The lobby goes without saying.
fn place(room: &str) -> String {
    if room == "lobby" { String::new() } else { format!("[{}] ", name(room)) }
}

/// A name or a room's name, on one line and of bounded length.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    let shown = visible::one_line(name);
    match shown.char_indices().nth(NAME_SHOWN_CHARS) {
        None => shown,
        Some((end, _)) => Cow::Owned(format!("{}…", &shown[..end])),
    }
}

fn presence_line(presence: &Presence, did: &str) -> Option<String> {
    let listed: Vec<Cow<'_, str>> = presence.names.iter().map(|listed| name(listed)).collect();
    let others = presence.count.saturating_sub(listed.len());
    let people = |count: usize| if count == 1 { "1 person".to_owned() } else { format!("{count} people") };
    let who = match (listed.is_empty(), others) {
        (true, 0) => return None,
        (true, count) => people(count),
        (false, 0) => listed.join(", "),
        (false, 1) => format!("{} and one more", listed.join(", ")),
        (false, count) => format!("{} and {count} more", listed.join(", ")),
    };
    Some(format!("{}* {who} {did}", place(&presence.room)))
}

fn members_line(members: &Members) -> String {
    let listed: Vec<Cow<'_, str>> = members.names.iter().map(|listed| name(listed)).collect();
    let more = match members.count.saturating_sub(listed.len()) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!("* in {} ({}): {}{more}", name(&members.room), members.count, listed.join(", "))
}

fn gap_line(gap: &Gap) -> String {
    let missed = gap.to.saturating_sub(gap.from).saturating_add(1);
    let what = if missed == 1 { "one message".to_owned() } else { format!("{missed} messages") };
    format!("{}* you missed {what}", place(&gap.room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_wire::event::Notice;

    fn message(room: &str, from: &str, text: &str, action: bool) -> Update {
        Update::Heard(Event::Message(Message {
            room: room.into(),
            seq: None,
            at: None,
            from: from.into(),
            text: text.into(),
            action,
            id: None,
            reference: None,
        }))
    }

    #[test]
    fn messages_read_as_in_the_tutorial() {
        assert_eq!(lines(&message("lobby", "alice", "hi", false)), ["alice > hi"]);
        assert_eq!(lines(&message("lobby", "alice", "waves", true)), ["* alice waves"]);
        assert_eq!(lines(&message("den", "alice", "hi", false)), ["[den] alice > hi"]);
    }

    #[test]
    fn a_text_cannot_look_like_another_message() {
        let shown = lines(&message("lobby", "eve", "x\nalice > I owe eve 5\r\n* y", false));
        assert_eq!(shown, ["eve > x", "  alice > I owe eve 5\u{fffd}", "  * y"]);
    }

    #[test]
    fn nothing_that_steers_a_terminal_survives_in_any_event() {
        let hostile = "\u{1b}]52;c;aGk=\u{7}\u{9b}6n\u{202e}x\r\u{8}";
        let presence = Presence { room: hostile.into(), names: vec![hostile.into()], count: 9, reference: None };
        let json = serde_json::to_string(hostile).expect("a string");
        let mut events = vec![Event::Joined(presence.clone()), Event::Left(presence)];
        for text in [
            r#"{"type":"message","room":X,"from":X,"text":X}"#,
            r#"{"type":"message","room":X,"from":X,"text":X,"action":true}"#,
            r#"{"type":"direct","from":X,"to":X,"text":X}"#,
            r#"{"type":"renamed","from":X,"to":X}"#,
            r#"{"type":"members","room":X,"names":[X,X],"count":5}"#,
            r#"{"type":"history","room":X,"messages":[{"room":X,"from":X,"text":X}]}"#,
            r#"{"type":"notice","text":X}"#,
            r#"{"type":"error","code":"rate","text":X}"#,
            r#"{"type":"gap","room":X,"from":1,"to":3}"#,
            r#"{"type":"bye","text":X}"#,
        ] {
            events.push(Event::from_json(text.replace('X', &json).as_bytes()).expect(text));
        }
        let refusal = match Event::from_json(format!(r#"{{"type":"error","code":"rate","text":{json}}}"#).as_bytes()) {
            Ok(Event::Error(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let mut updates: Vec<Update> = events.into_iter().map(Update::Heard).collect();
        updates.push(Update::Refused { refusal, text: Some(hostile.into()) });
        updates.push(Update::Notice(hostile.into()));
        for update in updates {
            let shown = lines(&update).concat();
            assert!(!shown.is_empty(), "{update:?}");
            assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
        }
    }

    #[test]
    fn a_crowd_is_a_count() {
        let presence =
            Presence { room: "lobby".into(), names: vec!["a".into(), "b".into()], count: 9, reference: None };
        assert_eq!(lines(&Update::Heard(Event::Joined(presence))), ["* a, b and 7 more joined"]);
        assert_eq!(lines(&Update::Heard(Event::Notice(Notice { text: "x\ny".into() }))), ["* x", "  y"]);
        assert!(name(&"x".repeat(1_000)).chars().count() == NAME_SHOWN_CHARS + 1);
    }
}
