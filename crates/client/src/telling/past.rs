//! The words for what was said before: context, pages of the history, and what was found in it.

use glassline_wire::event::{History, Message};

use super::wording::{Reader, name};
use super::{Kind, Line, Role, Span};
use crate::session::update::Asked;

impl Reader {
    /// What was said in a room before the user came.
    pub(super) fn context_lines(&self, history: &History) -> Vec<Line> {
        let more = if history.more { "; /older shows more" } else { "" };
        self.between(&format!("earlier in {}{more}", name(&history.room)), history, "now", Kind::Earlier)
    }

    /// What the user asked for.
    pub(super) fn past_lines(&self, history: &History, asked: &Asked) -> Vec<Line> {
        let room = name(&history.room);
        let (Some(first), Some(last)) = (history.messages.first(), history.messages.last()) else {
            return vec![Line::notice(&match asked {
                Asked::Latest => format!("nothing is stored of {room}"),
                Asked::Older => format!("nothing older is stored of {room}"),
                Asked::Around(seq) => format!("nothing is stored around {seq} of {room}"),
                Asked::Search { query, older: false } => format!("nothing in {room} holds {query}"),
                Asked::Search { query, older: true } => format!("nothing older in {room} holds {query}"),
            })];
        };
        if let Asked::Search { query, older } = asked {
            let more = if history.more { "; /older finds more" } else { "" };
            let around =
                last.seq.map_or_else(String::new, |seq| format!("/history around {seq} shows what stands around it"));
            let end = format!("{around}{more}");
            let which = match (older, history.more) {
                (true, _) => "older ",
                (false, true) => "the last ",
                (false, false) => "",
            };
            let count = history.messages.len();
            return self.between(&format!("{which}{count} found in {room}: {query}"), history, &end, Kind::Dated);
        }
        let numbers = match (first.seq, last.seq) {
            (Some(first), Some(last)) => format!(" {first} to {last}"),
            _ => String::new(),
        };
        let numbers = match asked {
            Asked::Around(seq) if history.messages.iter().all(|message| message.seq != Some(*seq)) => {
                format!("{numbers}; {seq} is not stored")
            }
            _ => numbers,
        };
        let end = if history.more { "now; /older shows more" } else { "now" };
        self.between(&format!("earlier in {room}:{numbers}"), history, end, Kind::Earlier)
    }

    fn between(&self, begin: &str, history: &History, end: &str, kind: Kind) -> Vec<Line> {
        if history.messages.is_empty() {
            return Vec::new();
        }
        let mark = |text: &str| Line::mark(text).in_room(&history.room);
        let messages = history.messages.iter().map(|message| match kind {
            Kind::Dated => self.found_line(message),
            kind => Line { kind, ..self.message_line(message) },
        });
        std::iter::once(mark(begin)).chain(messages).chain([mark(end)]).collect()
    }

    /// With its number, by which what stands around it is found, and its day.
    fn found_line(&self, message: &Message) -> Line {
        let mut line = Line { kind: Kind::Dated, ..self.message_line(message) };
        let number = message.seq.map_or_else(String::new, |seq| format!("#{seq} "));
        let at = message.at.map_or_else(String::new, |at| format!("{} ", self.clock.minute(at)));
        line.head.insert(0, Span::new(Role::Faint, format!("{number}{at}")));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::update::Update;
    use crate::telling::clock::LocalClock;
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

    fn told(update: &Update) -> Vec<String> {
        let clock = LocalClock::fixed(|| Timestamp::from_unix_ms(0));
        let reader = Reader { me: "me".into(), correspondent: None, clock };
        reader.lines(update).into_iter().flat_map(|line| Line { room: None, ..line }.plain()).collect()
    }

    fn past(count: u64, more: bool, asked: Asked) -> Vec<String> {
        told(&Update::Past { history: history(count, more), asked })
    }

    #[test]
    fn what_was_said_before_stands_between_marks_that_say_how_to_see_more() {
        assert_eq!(told(&Update::Heard(Event::History(history(0, false)))), [""; 0], "no context is no news");
        assert_eq!(
            told(&Update::Heard(Event::History(history(1, true)))),
            ["── earlier in den; /older shows more ──", "bob > m1", "── now ──"]
        );
        let page = past(2, true, Asked::Latest);
        assert_eq!(page, ["── earlier in den: 1 to 2 ──", "bob > m1", "bob > m2", "── now; /older shows more ──"]);
        assert_eq!(past(1, false, Asked::Older).last().map(String::as_str), Some("── now ──"));
        let search = |count, more, older| past(count, more, Asked::Search { query: "m".into(), older });
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
        assert_eq!(past(2, false, Asked::Around(2))[0], "── earlier in den: 1 to 2 ──");
        assert_eq!(past(2, false, Asked::Around(99))[0], "── earlier in den: 1 to 2; 99 is not stored ──");
        assert_eq!(past(0, false, Asked::Around(7)), ["* nothing is stored around 7 of den"]);
    }
}
