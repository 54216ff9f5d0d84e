//! Lines for stored messages: context, pages of the history, and search results.

use glassline_session::HistoryQuery;
use glassline_wire::event::{History, Message};

use super::Formatter;
use super::highlight;
use crate::format::safe::name;
use crate::format::{LineKind, Span, StyledLine, TextRole};

impl Formatter {
    pub(super) fn context_lines(&self, history: &History) -> Vec<StyledLine> {
        let more = if history.more { "; /older shows more" } else { "" };
        self.between(&format!("earlier in {}{more}", name(&history.room)), history, "now", &HistoryQuery::Context)
    }

    /// Lines for stored messages that the user asked for. `newest` is the number of the room's
    /// newest message; the messages of the numbers `hidden` are there and not to be shown.
    pub(super) fn history_lines(
        &self,
        history: &History,
        asked: &HistoryQuery,
        newest: Option<u64>,
        hidden: &[u64],
    ) -> Vec<StyledLine> {
        let room = name(&history.room);
        let shown = history.messages.iter().filter_map(|message| message.seq);
        let numbers = || shown.clone().chain(hidden.iter().copied());
        let last = numbers().max();
        let mut lines = match (history.messages.len(), hidden.len()) {
            (0, 0) => vec![nothing(&room, asked, history.more)],
            (0, count) => vec![all_hidden(&room, asked, count, history.more)],
            (count, _) => {
                let but = match hidden.len() {
                    0 => String::new(),
                    hidden => format!("; {} not shown", of_ignored(hidden)),
                };
                let span = numbers().min().zip(last);
                let begin = match (asked, span) {
                    (HistoryQuery::Search { query, older }, _) => {
                        let which = match (older, history.more) {
                            (true, _) => "older ",
                            (false, true) => "the last ",
                            (false, false) => "",
                        };
                        format!("{which}{count} found in {room}{but}: {query}")
                    }
                    (HistoryQuery::Context, _) | (_, None) => format!("earlier in {room}{but}"),
                    (_, Some((first, last))) => format!("earlier in {room}: {first} to {last}{but}"),
                };
                self.between(&begin, history, &end(history, asked, last, newest), asked)
            }
        };
        if let HistoryQuery::Around(seq) = asked
            && history.messages.len() + hidden.len() > 0
            && numbers().all(|number| number != *seq)
        {
            lines.push(StyledLine::warning(&missing(*seq, &room, newest)));
        }
        lines
    }

    fn between(&self, begin: &str, history: &History, end: &str, asked: &HistoryQuery) -> Vec<StyledLine> {
        if history.messages.is_empty() {
            return Vec::new();
        }
        let mark = |text: &str| StyledLine::mark(text).in_room(&history.room);
        let messages = history.messages.iter().map(|message| match asked {
            HistoryQuery::Search { query, .. } => self.found_line(message, query),
            HistoryQuery::Around(seq) if message.seq == Some(*seq) => self.wanted_line(message, *seq),
            _ => self.earlier_line(message),
        });
        std::iter::once(mark(begin)).chain(messages).chain([mark(end)]).collect()
    }

    fn earlier_line(&self, message: &Message) -> StyledLine {
        StyledLine { kind: LineKind::Earlier, ..self.message_line(message) }
    }

    /// The requested message, among those around it: its number is highlighted.
    fn wanted_line(&self, message: &Message, seq: u64) -> StyledLine {
        let mut line = self.earlier_line(message);
        line.head.insert(0, Span::new(TextRole::Mention, format!("#{seq} ")));
        line
    }

    /// With its number, for a query of its context, and its day.
    fn found_line(&self, message: &Message, query: &str) -> StyledLine {
        let mut line = StyledLine { kind: LineKind::Dated, ..self.message_line(message) };
        line.body = highlight::matches(line.body, query);
        let number = message.seq.map_or_else(String::new, |seq| format!("#{seq} "));
        let at = message.at.map_or_else(String::new, |at| format!("{} ", self.clock.minute(at)));
        line.head.insert(0, Span::new(TextRole::Faint, format!("{number}{at}")));
        line
    }
}

/// Text of the mark that ends a page, with the command for the next page.
fn end(history: &History, asked: &HistoryQuery, last: Option<u64>, newest: Option<u64>) -> String {
    if let HistoryQuery::Search { .. } = asked {
        let last_found = history.messages.last().and_then(|message| message.seq);
        let around = last_found.map(|seq| format!("/history around {seq} shows what stands around it"));
        return format!("{}{}", around.unwrap_or_default(), if history.more { "; /older finds more" } else { "" });
    }
    // Older messages end where the user continued; those around a message may end before
    // now.
    let before_now =
        last.filter(|&last| matches!(asked, HistoryQuery::Around(_)) && newest.is_some_and(|newest| last < newest));
    let end = before_now
        .map_or_else(|| "now".to_owned(), |last| format!("up to {last}; /history around {last} shows what follows"));
    format!("{end}{}", if history.more { "; /older shows more" } else { "" })
}

/// Nothing came. A search that took too long has looked at a part only.
fn nothing(room: &str, asked: &HistoryQuery, more: bool) -> StyledLine {
    StyledLine::notice(&match asked {
        HistoryQuery::Context | HistoryQuery::Latest => format!("nothing is stored of {room}"),
        HistoryQuery::Older => format!("nothing older is stored of {room}"),
        HistoryQuery::Around(seq) => format!("nothing is stored around {seq} of {room}"),
        HistoryQuery::Search { query, .. } if more => format!(
            "the server looked through a part of {room} only, and found nothing there that holds {query}; a longer text is \
             found faster"
        ),
        HistoryQuery::Search { query, older: false } => format!("nothing in {room} holds {query}"),
        HistoryQuery::Search { query, older: true } => format!("nothing older in {room} holds {query}"),
    })
}

fn all_hidden(room: &str, asked: &HistoryQuery, count: usize, more: bool) -> StyledLine {
    let of_ignored = of_ignored(count);
    StyledLine::notice(&if let HistoryQuery::Search { query, .. } = asked {
        let more = if more { "/older looks further back" } else { "nothing older holds it" };
        format!("{query} was found in {room}, but {of_ignored} not shown; {more}")
    } else {
        let more = if more { "/older shows what stands before" } else { "nothing older is stored" };
        format!("{of_ignored} in {room} not shown; {more}")
    })
}

fn of_ignored(count: usize) -> String {
    if count == 1 {
        "1 message of somebody you ignore is".to_owned()
    } else {
        format!("{count} messages of people you ignore are")
    }
}

fn missing(seq: u64, room: &str, newest: Option<u64>) -> String {
    match newest {
        _ if seq == 0 => format!("there is no message 0 in {room}: the first one is 1"),
        Some(newest) if seq > newest => format!("there is no message {seq} in {room}: the newest one is {newest}"),
        _ => format!("message {seq} of {room} is not stored"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display_settings::DisplaySettings;
    use crate::format::clock::LocalClock;
    use crate::preferences::Preferences;
    use glassline_session::Update;
    use glassline_wire::event::Event;
    use glassline_wire::timestamp::Timestamp;

    fn history(count: u64, more: bool) -> History {
        let message = |seq: u64| {
            format!(r#"{{"room":"den","seq":{seq},"at":"2026-11-22T14:0{seq}:00.000Z","from":"bob","text":"m{seq}"}}"#)
        };
        let messages: Vec<String> = (1..=count).map(message).collect();
        let json = format!(r#"{{"type":"history","room":"den","messages":[{}],"more":{more}}}"#, messages.join(","));
        let Event::History(history) = Event::from_json(json.as_bytes()).expect(&json) else { panic!("a history") };
        history
    }

    fn notice(update: &Update) -> Vec<String> {
        let clock = LocalClock::fixed(|| Timestamp::from_unix_ms(0));
        let formatter = Formatter::with_clock("me", clock);
        formatter.lines(update).into_iter().flat_map(|line| StyledLine { room: None, ..line }.plain()).collect()
    }

    fn past(count: u64, more: bool, asked: HistoryQuery) -> Vec<String> {
        notice(&Update::HistoryPage { history: history(count, more), asked, newest: Some(2), hidden: Vec::new() })
    }

    #[test]
    fn past_messages_stand_between_marks_that_say_how_to_see_more() {
        assert_eq!(
            notice(&Update::Received(Event::History(history(0, false)))),
            [""; 0],
            "an empty context has no notice"
        );
        assert_eq!(
            notice(&Update::Received(Event::History(history(1, true)))),
            ["── earlier in den; /older shows more ──", "bob > m1", "── now ──"]
        );
        let page = past(2, true, HistoryQuery::Latest);
        assert_eq!(page, ["── earlier in den: 1 to 2 ──", "bob > m1", "bob > m2", "── now; /older shows more ──"]);
        assert_eq!(past(1, false, HistoryQuery::Older).last().map(String::as_str), Some("── now ──"));
        let search = |count, more, older| past(count, more, HistoryQuery::Search { query: "m".into(), older });
        assert_eq!(
            search(2, true, false),
            [
                "── the last 2 found in den: m ──",
                "#1 2026-11-22 14:01 bob > m1",
                "#2 2026-11-22 14:02 bob > m2",
                "── /history around 2 shows what stands around it; /older finds more ──"
            ]
        );
        assert_eq!(search(0, false, true), ["* nothing older in den holds m"]);
        assert_eq!(search(2, true, true)[0], "── older 2 found in den: m ──");
        assert_eq!(search(1, false, false)[0], "── 1 found in den: m ──");
        assert_eq!(past(0, false, HistoryQuery::Around(7)), ["* nothing is stored around 7 of den"]);
    }
    #[test]
    fn a_page_around_a_message_marks_it_and_says_where_it_ends() {
        let page = past(1, true, HistoryQuery::Around(1));
        assert_eq!(
            page,
            [
                "── earlier in den: 1 to 1 ──",
                "#1 bob > m1",
                "── up to 1; /history around 1 shows what follows; /older shows more ──"
            ]
        );
        assert_eq!(past(2, false, HistoryQuery::Around(2))[2..], ["#2 bob > m2", "── now ──"]);
        for (seq, notice) in
            [(99, "there is no message 99 in den: the newest one is 2"), (0, "there is no message 0 in den")]
        {
            let page = past(2, false, HistoryQuery::Around(seq));
            assert!(page.last().is_some_and(|last| last.contains(notice)), "{page:?}");
        }
    }

    #[test]
    fn what_is_hidden_is_counted_and_paged_past() {
        let ignored = |count: u64, more, asked| {
            let preferences = Preferences { ignore: vec!["bob".into()], ..Preferences::default() };
            let history = history(count, more);
            let update = match asked {
                HistoryQuery::Context => Update::Received(Event::History(history)),
                asked => Update::HistoryPage { history, asked, newest: Some(9), hidden: Vec::new() },
            };
            notice(&DisplaySettings::new(&preferences, true).filter(update).expect("something is shown")).remove(0)
        };
        let search = |older| HistoryQuery::Search { query: "m".into(), older };
        for (more, asked, part) in [
            (true, HistoryQuery::Context, "/older shows"),
            (true, HistoryQuery::Older, "/older shows"),
            (false, HistoryQuery::Older, "nothing older"),
            (true, HistoryQuery::Latest, "/older shows"),
            (true, HistoryQuery::Around(2), "/older shows"),
            (true, search(false), "/older looks"),
            (false, search(true), "nothing older holds it"),
        ] {
            let line = ignored(2, more, asked.clone());
            assert!(line.contains("2 messages of people you ignore are") && line.contains(part), "{asked:?}: {line}");
            assert!(!line.contains("nothing in") && !line.starts_with("* nothing"), "{line}");
        }
        let page = Update::HistoryPage {
            history: history(2, true),
            asked: HistoryQuery::Older,
            newest: Some(9),
            hidden: vec![3, 5],
        };
        let page = notice(&page);
        assert_eq!(page[0], "── earlier in den: 1 to 5; 2 messages of people you ignore are not shown ──");
        assert_eq!(page[3], "── now; /older shows more ──");
        let hidden = Update::HistoryPage {
            history: history(2, true),
            asked: HistoryQuery::Around(3),
            newest: Some(9),
            hidden: vec![3],
        };
        assert_eq!(notice(&hidden).len(), 4, "it is stored, so it is not reported as missing");
    }

    #[test]
    fn a_search_that_saw_a_part_only_says_so() {
        let part = past(0, true, HistoryQuery::Search { query: "m".into(), older: false });
        assert!(part[0].contains("a part of den only"), "{part:?}");
    }
}
