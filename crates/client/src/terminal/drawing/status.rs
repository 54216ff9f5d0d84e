//! The status line: room, people, unread messages, link and confidentiality.

use glassline_session::{LinkState, Status};

use crate::format::safe::name;
use crate::format::{Span, TextRole};
use crate::link::Confidentiality;
use crate::rows::columns;
use crate::rows::wrap::ScreenRow;
use crate::terminal::unread::UnreadCount;

/// Between the parts.
const SEPARATOR: &str = " · ";
/// Between the name and the room.
const IN: &str = " in ";
/// Most members listed by name; more are shown as a number.
const NAMES_MAX: usize = 3;

/// Content of the status line beside the session's own status.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StatusContext<'a> {
    /// Message of the last key.
    pub(crate) hint: Option<&'a str>,
    pub(crate) waiting: &'a [UnreadCount],
    /// Mentions in the current room since the user last did anything.
    pub(crate) mentions: usize,
    pub(crate) confidentiality: Confidentiality,
}

/// Columns below which the name and the room are not cut in favour of the readers.
const WHO_COLUMNS_MIN: usize = 16;

/// Returns the status line for this number of columns: the longest form that fits. Who can read what
/// is said stays longest beside the name and the room, which are cut where that makes room for it.
pub(crate) fn row(status: &Status, context: &StatusContext<'_>, columns: usize) -> ScreenRow {
    let room = columns.saturating_sub(1);
    let with_who = |who: String, terseness| parts(status, context, who, terseness);
    for terseness in 0..=TERSEST {
        let variant = with_who(who(status), terseness);
        if width(&variant) <= room {
            return joined(variant, room);
        }
    }
    for terseness in [TERSEST, WITHOUT_READERS] {
        let left = room.saturating_sub(width(&with_who(String::new(), terseness)));
        if context.hint.is_none() && left >= WHO_COLUMNS_MIN {
            return joined(with_who(who_within(status, left), terseness), room);
        }
    }
    joined(with_who(who_within(status, room), WITHOUT_READERS), room)
}

fn width(parts: &[Span]) -> usize {
    let texts: usize = parts.iter().map(|part| columns::of(&part.text)).sum();
    texts + SEPARATOR.chars().count() * parts.len().saturating_sub(1)
}

/// Degree of terseness at which of what is said here only the readers are shown.
const TERSEST: usize = 9;
/// Degree at which there is no room for the readers, either.
const WITHOUT_READERS: usize = TERSEST + 1;

fn parts(status: &Status, context: &StatusContext<'_>, who: String, terseness: usize) -> Vec<Span> {
    let mut parts = Vec::new();
    let faint = |text: String| Span::new(TextRole::Faint, text);
    let unsent = (status.unsent > 0).then(|| Span::new(TextRole::Warning, format!("{} unsent", status.unsent)));
    if let Some(hint) = context.hint {
        parts.push(Span::new(TextRole::Plain, glassline_wire::visible::one_line(hint)));
    } else if terseness <= TERSEST {
        parts.extend(unsent.clone());
    }
    parts.push(faint(who));
    if context.hint.is_none() && terseness == WITHOUT_READERS {
        parts.extend(unsent);
    }
    if context.mentions > 0 && terseness < TERSEST {
        parts.push(Span::new(TextRole::Mention, format!("{} for you", context.mentions)));
    }
    parts.extend(elsewhere(context.waiting, terseness));
    if let Some(people) = people(status, terseness) {
        parts.push(faint(people));
    }
    parts.extend(match status.link {
        LinkState::Online => (terseness < 6).then(|| faint("online".to_owned())),
        LinkState::Connecting => Some(Span::new(TextRole::Warning, "connecting")),
        LinkState::Unanswered => Some(Span::new(TextRole::Warning, "no answer yet")),
        LinkState::Waiting { .. } if terseness > 3 => Some(Span::new(TextRole::Warning, "offline")),
        LinkState::Waiting { .. } => Some(Span::new(TextRole::Warning, "link lost, trying again")),
        LinkState::Leaving => Some(faint("leaving".to_owned())),
    });
    parts.extend(readers(context.confidentiality, terseness).map(faint));
    if context.confidentiality.is_key_logged {
        parts.push(Span::new(TextRole::Warning, "secrets logged"));
    }
    parts
}

/// Returns who can read what is said here, as far as there is room for it.
fn readers(confidentiality: Confidentiality, terseness: usize) -> Option<String> {
    let (link, readers) = (confidentiality.link_name(), confidentiality.readers());
    match terseness {
        0..=2 => Some(format!("{link}: {readers} can read this")),
        3..=4 => Some(format!("{readers} can read this")),
        // Another part says that secrets are logged.
        5..=TERSEST if confidentiality.is_key_logged => Some(link.to_owned()),
        5..=TERSEST => Some(format!("{} can read this", confidentiality.readers_in_short())),
        _ => None,
    }
}

/// The name and the room, both cut where they must be.
fn who_within(status: &Status, room: usize) -> String {
    let whole = who(status);
    let Some(place) = status.room.as_deref().filter(|_| columns::of(&whole) > room) else { return whole };
    let (me, place) = (name(&status.name), name(place));
    let both = room.saturating_sub(columns::of(IN));
    // Whichever is short leaves its columns to the other one.
    let of_place = columns::of(&place).min((both / 2).max(both.saturating_sub(columns::of(&me))));
    let place = columns::cut(&place, of_place);
    format!("{}{IN}{place}", columns::cut(&me, both.saturating_sub(columns::of(&place))))
}

fn who(status: &Status) -> String {
    let away = if status.away.is_some() { " (away)" } else { "" };
    match &status.room {
        Some(room) => format!("{}{away}{IN}{}", name(&status.name), name(room)),
        None if !status.is_room_known => format!("{}{away}", name(&status.name)),
        None => format!("{}{away} in no room", name(&status.name)),
    }
}

/// Returns the counts of messages that wait in other rooms: each by its number, then all as one.
fn elsewhere(waiting: &[UnreadCount], terseness: usize) -> Vec<Span> {
    let role = |mentions: usize| if mentions > 0 { TextRole::Mention } else { TextRole::Faint };
    let for_you = |mentions: usize| if mentions > 0 { "!" } else { "" };
    match terseness {
        0..=6 => waiting
            .iter()
            .map(|waiting| {
                let UnreadCount { number, room, messages, mentions } = waiting;
                Span::new(role(*mentions), format!("{number}:{} +{messages}{}", name(room), for_you(*mentions)))
            })
            .collect(),
        7 if !waiting.is_empty() => {
            let mentions = waiting.iter().map(|waiting| waiting.mentions).sum();
            let numbers: Vec<String> =
                waiting.iter().map(|waiting| format!("{}{}", waiting.number, for_you(waiting.mentions))).collect();
            vec![Span::new(role(mentions), format!("new in {}", numbers.join(",")))]
        }
        _ => Vec::new(),
    }
}

fn people(status: &Status, terseness: usize) -> Option<String> {
    let count = status.people?;
    let others = &status.others;
    match terseness {
        0 if count == 1 => Some("nobody else here".to_owned()),
        0 if !others.is_empty() && others.len() <= NAMES_MAX && others.len() + 1 == count => {
            let names: Vec<_> = others.iter().map(|other| name(other)).collect();
            Some(format!("with {}", names.join(", ")))
        }
        0 | 1 if count > 1 => Some(format!("{count} here")),
        _ => None,
    }
}

fn joined(parts: Vec<Span>, room: usize) -> ScreenRow {
    let mut row: ScreenRow = Vec::new();
    let mut left = room;
    for part in parts {
        for span in row.last().map(|_| Span::new(TextRole::Faint, SEPARATOR)).into_iter().chain([part]) {
            if left == 0 {
                return row;
            }
            let text = columns::cut(&span.text, left);
            let used = columns::of(&text);
            left = if text == span.text { left.saturating_sub(used) } else { 0 };
            row.push(Span::new(span.role, text));
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_wire::link::LinkKind;

    fn online() -> Status {
        Status {
            name: "alice".into(),
            room: Some("lobby".into()),
            is_room_known: true,
            rooms: vec!["lobby".into(), "den".into()],
            people: Some(3),
            others: vec!["bob".into(), "carol".into()],
            away: None,
            link: LinkState::Online,
            unsent: 0,
            late: Vec::new(),
            next_late_ms: None,
        }
    }

    fn text(row: &ScreenRow) -> String {
        row.iter().map(|span| span.text.as_str()).collect()
    }

    #[test]
    fn it_says_who_can_read_this_at_every_width() {
        let line = text(&row(&online(), &StatusContext::default(), 100));
        assert_eq!(line, "alice in lobby · with bob, carol · online · plaintext: anyone on the way can read this");
        let presence_digest = Status { people: Some(12), ..online() };
        let line = text(&row(&presence_digest, &StatusContext::default(), 100));
        assert_eq!(line, "alice in lobby · 12 here · online · plaintext: anyone on the way can read this");
        let waiting = [UnreadCount { number: 2, room: "den".into(), messages: 12, mentions: 1 }];
        let context = StatusContext { waiting: &waiting, mentions: 2, ..StatusContext::default() };
        for columns in 15..200 {
            let line = text(&row(&online(), &context, columns));
            assert!(line.contains("alice in lobby") && columns::of(&line) < columns, "{columns}: {line}");
        }
        for (columns, line) in [
            (
                102,
                "alice in lobby · 2 for you · 2:den +12! · 3 here · online · plaintext: anyone on the way can read this",
            ),
            (93, "alice in lobby · 2 for you · 2:den +12! · online · plaintext: anyone on the way can read this"),
            (82, "alice in lobby · 2 for you · 2:den +12! · online · anyone on the way can read this"),
            (79, "alice in lobby · 2 for you · 2:den +12! · online · anyone can read this"),
            (65, "alice in lobby · 2 for you · 2:den +12! · anyone can read this"),
            (61, "alice in lobby · 2 for you · new in 2! · anyone can read this"),
            (50, "alice in lobby · 2 for you · anyone can read this"),
            (40, "alice in lobby · anyone can read this"),
            (20, "alice in lobby"),
            (14, "alice in lobby"),
            (13, "alice in lob…"),
            (10, "al… in lo…"),
        ] {
            let shown = text(&row(&online(), &context, columns + 1));
            assert_eq!(shown, line, "{columns}");
        }
    }

    #[test]
    fn a_secure_link_and_logged_secrets_are_shown() {
        let of = |kind, is_key_logged| StatusContext {
            confidentiality: Confidentiality { kind, is_key_logged, is_sealed: false },
            ..StatusContext::default()
        };
        for (context, columns, shown) in [
            (
                of(LinkKind::Noise, false),
                100,
                "alice in lobby · with bob, carol · online · Noise: the server can read this",
            ),
            (of(LinkKind::Tls, false), 51, "alice in lobby · online · the server can read this"),
            (of(LinkKind::Tls, false), 45, "alice in lobby · the server can read this"),
            (of(LinkKind::Tls, true), 40, "alice in lobby · TLS · secrets logged"),
            (of(LinkKind::Tls, true), 33, "alice in lobby · secrets logged"),
        ] {
            assert_eq!(text(&row(&online(), &context, columns)), shown, "{columns}");
        }
    }

    #[test]
    fn a_long_name_and_a_long_room_share_the_last_columns() {
        let status = Status { name: "n".repeat(32), room: Some("r".repeat(32)), ..online() };
        for columns in 8..200 {
            let line = text(&row(&status, &StatusContext::default(), columns));
            assert!(line.contains('n') && line.contains(" in r") || columns < 9, "{columns}: {line}");
            assert!(columns::of(&line) < columns, "{columns}: {line}");
        }
        let line = text(&row(&status, &StatusContext::default(), 41));
        assert_eq!(line, "nnnnnn… in rrrrr… · anyone can read this");
        let line = text(&row(&status, &StatusContext::default(), 80));
        assert!(line.ends_with("… · anyone can read this"), "{line}");
        let short = Status { name: "alice".into(), people: Some(1), others: Vec::new(), ..status };
        let line = text(&row(&short, &StatusContext::default(), 80));
        assert_eq!(line, format!("alice in {} · online · anyone can read this", "r".repeat(32)));
    }

    #[test]
    fn a_lost_link_and_what_is_unsent_come_first() {
        let lost = Status { link: LinkState::Waiting { until_ms: 0 }, unsent: 2, people: None, ..online() };
        let line = text(&row(&lost, &StatusContext::default(), 90));
        assert!(line.starts_with("2 unsent · alice in lobby · link lost, trying again · "), "{line}");
        let line = text(&row(&lost, &StatusContext::default(), 50));
        assert_eq!(line, "alice in lobby · 2 unsent · offline");
        let hinted = StatusContext { hint: Some("Ctrl-C again leaves\u{1b}"), ..StatusContext::default() };
        assert!(text(&row(&lost, &hinted, 20)).starts_with("Ctrl-C again leav"));
        let nowhere = Status { room: None, away: Some("lunch".into()), ..online() };
        assert!(text(&row(&nowhere, &StatusContext::default(), 200)).starts_with("alice (away) in no room · "));
        let untold = Status { is_room_known: false, ..nowhere };
        assert!(text(&row(&untold, &StatusContext::default(), 200)).starts_with("alice (away) · "));
    }

    #[test]
    fn a_screen_of_one_column_gets_no_more() {
        for columns in 0..4 {
            assert!(columns::of(&text(&row(&online(), &StatusContext::default(), columns))) <= columns);
        }
    }
}
