//! The filter line: which observations are shown, searched for or held.

use glassline_tap::rules::{KINDS, Matcher, Range};
use glassline_tap::{Dialect, Direction, Frame, FrameKind, Meaning, Observation};

use crate::tap::columns::report_text;

/// Terms that all have to match; without any, everything does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// Part of the name of who says it, or to whom.
    Name(Part),
    Direction(Direction),
    Dialect(Dialect),
    /// Type of the request or event, as rules name it.
    Kind(String),
    Room(Part),
    Connection(u64),
    /// Part of the text, of the payload or of what happened, as it is shown.
    Text(Part),
}

/// Text that is looked for, whether upper or lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    written: String,
    lower: String,
}

impl Part {
    fn new(written: &str) -> Self {
        Self { written: written.to_owned(), lower: written.to_lowercase() }
    }

    fn is_in(&self, text: &str) -> bool {
        if text.is_ascii() && self.lower.is_ascii() {
            let wanted = self.lower.as_bytes();
            return wanted.is_empty()
                || text.as_bytes().windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted));
        }
        text.to_lowercase().contains(&self.lower)
    }
}

/// Names of the terms, for errors and the help.
pub(super) const TERMS: &str = "name:bob dir:> dir:< kind:send dialect:event room:lobby conn:3 text:hello hello";

impl Filter {
    /// Reads a filter line. Errors: a sentence for the user.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        Ok(Self { terms: words(line).into_iter().map(Term::parse).collect::<Result<_, _>>()? })
    }

    /// Returns whether it has no terms.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns whether an observation is of this filter. What must be known whatever is filtered
    /// always is: observations left out, and problems of the tap as a whole.
    pub(super) fn matches(&self, observation: &Observation) -> bool {
        let is_always_shown =
            matches!(observation, Observation::Omitted { .. } | Observation::Problem { connection: None, .. });
        is_always_shown || self.finds(observation)
    }

    /// Returns whether all terms match an observation, whatever must be known.
    pub(super) fn finds(&self, observation: &Observation) -> bool {
        self.terms.iter().all(|term| term.matches(observation))
    }

    /// Returns the same as the condition of a rule, for which upper and lower case differ, and
    /// whose name is the speaker's. Errors: a term that rules have once stands there twice.
    pub(super) fn matcher(&self) -> Result<Matcher, String> {
        let mut matcher = Matcher::default();
        for term in &self.terms {
            let was_there = match term {
                Term::Name(part) => matcher.name_contains.replace(part.written.clone()).is_some(),
                Term::Direction(direction) => matcher.direction.replace(*direction).is_some(),
                Term::Dialect(dialect) => matcher.dialect.replace(*dialect).is_some(),
                Term::Kind(kind) => matcher.kind.replace(kind.clone()).is_some(),
                Term::Room(part) => matcher.room.replace(part.written.clone()).is_some(),
                Term::Connection(number) => matcher.connection.replace(Range::only(*number)).is_some(),
                Term::Text(part) => matcher.text_contains.replace(part.written.clone()).is_some(),
            };
            if was_there {
                return Err("frames are held by one term of each kind; put words with spaces in quotes".into());
            }
        }
        Ok(matcher)
    }
}

impl Term {
    fn parse(word: Word) -> Result<Self, String> {
        let Word { text, is_quoted } = word;
        let Some((key, value)) = text.split_once(':').filter(|_| !is_quoted) else {
            return Ok(Self::Text(Part::new(&text)));
        };
        let lower = value.to_lowercase();
        match key {
            "name" | "room" | "text" if value.is_empty() => Err(format!("{key}: needs a value, as in {TERMS}")),
            "name" => Ok(Self::Name(Part::new(value))),
            "room" => Ok(Self::Room(Part::new(value.trim_start_matches('#')))),
            "text" => Ok(Self::Text(Part::new(value))),
            "dir" => match lower.as_str() {
                ">" | "to-server" | "server" => Ok(Self::Direction(Direction::ToServer)),
                "<" | "to-client" | "client" => Ok(Self::Direction(Direction::ToClient)),
                _ => Err(format!("{value:?} is no direction; write dir:> for the server, dir:< for the client")),
            },
            "dialect" => {
                Dialect::ALL.iter().copied().find(|dialect| dialect.name() == lower).map(Self::Dialect).ok_or_else(
                    || format!("{value:?} is no dialect; write tutorial, event, tls, noise, http or unknown"),
                )
            }
            "kind" if KINDS.contains(&lower.as_str()) => Ok(Self::Kind(lower)),
            "kind" => Err(format!("{value:?} is no kind of frame; the kinds are {}", KINDS.join(", "))),
            "conn" => value
                .parse()
                .map(Self::Connection)
                .map_err(|_| format!("{value:?} is no number of a connection; write conn:3")),
            _ if key.chars().all(char::is_alphabetic) && !key.is_empty() && !value.starts_with("//") => {
                Err(format!("{key}: is no term; the terms are {TERMS}; put text with a colon in quotes"))
            }
            _ => Ok(Self::Text(Part::new(&text))),
        }
    }

    fn matches(&self, observation: &Observation) -> bool {
        let (connection, direction) = match observation {
            Observation::Arrived(frame, meaning) => return self.matches_frame(frame, meaning),
            Observation::Asked(ask) => return self.matches_frame(&ask.frame, &ask.meaning),
            Observation::Omitted { .. } => (None, None),
            Observation::Opened { connection, .. }
            | Observation::Intercepted { connection, .. }
            | Observation::Closed { connection, .. } => (Some(*connection), None),
            Observation::Ended { connection, direction, .. } => (Some(*connection), Some(*direction)),
            Observation::Problem { connection, .. } => (*connection, None),
            Observation::Applied(applied) => (Some(applied.frame.connection), Some(applied.frame.direction)),
        };
        match self {
            Self::Connection(wanted) => connection == Some(*wanted),
            Self::Direction(wanted) => direction == Some(*wanted),
            Self::Text(wanted) => wanted.is_in(&report_text(observation)),
            Self::Name(_) | Self::Room(_) | Self::Dialect(_) | Self::Kind(_) => false,
        }
    }

    fn matches_frame(&self, frame: &Frame, meaning: &Meaning) -> bool {
        let is = |field: &Option<String>, wanted: &Part| field.as_ref().is_some_and(|text| wanted.is_in(text));
        match self {
            Self::Name(wanted) => is(&meaning.speaker, wanted) || is(&meaning.to, wanted),
            Self::Direction(wanted) => frame.direction == *wanted,
            Self::Dialect(wanted) => frame.dialect == *wanted,
            Self::Kind(wanted) => match frame.kind {
                FrameKind::Raw(_) => wanted == "raw",
                FrameKind::Record(_) => wanted == "record",
                FrameKind::Opening
                | FrameKind::Payload
                | FrameKind::Goodbye
                | FrameKind::Http
                | FrameKind::Control(_) => meaning.kind == *wanted,
            },
            Self::Room(wanted) => meaning.room.as_ref().is_some_and(|room| room.to_lowercase() == wanted.lower),
            Self::Connection(wanted) => frame.connection == *wanted,
            Self::Text(wanted) => {
                is(&meaning.text, wanted)
                    || is(&meaning.speaker, wanted)
                    || wanted.is_in(&String::from_utf8_lossy(frame.payload()))
            }
        }
    }
}

#[derive(Default)]
struct Word {
    text: String,
    /// It begins with a quote, so it is text whatever it looks like.
    is_quoted: bool,
}

/// Splits at spaces outside of double quotes.
fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut within_quotes = false;
    for character in line.chars() {
        match character {
            '"' => {
                within_quotes = !within_quotes;
                word.get_or_insert_with(|| Word { text: String::new(), is_quoted: true });
            }
            ' ' if !within_quotes => words.extend(word.take()),
            _ => word.get_or_insert_default().text.push(character),
        }
    }
    words.extend(word);
    words.retain(|word| !word.text.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use glassline_tap::RecordType;

    use super::*;
    use crate::tap::generator::Generator;

    #[track_caller]
    fn is_shown(filter: &str, observation: &Observation) -> bool {
        Filter::parse(filter).expect(filter).matches(observation)
    }

    #[test]
    fn every_term_has_to_match() {
        let mut generator = Generator::new(1);
        let received = generator.received("Bob", "Hello there");
        for filter in [
            "",
            "name:bob",
            "name:BO",
            "dir:<",
            "dir:to-client",
            "dialect:event",
            "kind:message",
            "room:lobby",
            "room:#lobby",
            "conn:1",
            "text:hello",
            "hello",
            r#"text:"hello there""#,
            r#""hello there""#,
            "name:bob dir:< hello",
        ] {
            assert!(is_shown(filter, &received), "{filter}");
        }
        for filter in [
            "name:carol",
            "dir:>",
            "kind:pong",
            "kind:raw",
            "dialect:tutorial",
            "room:lob",
            "conn:2",
            "bye",
            "name:bob dir:>",
        ] {
            assert!(!is_shown(filter, &received), "{filter}");
        }
        assert!(is_shown("name:alice", &generator.sent("x")), "the sender of a request is its client");
        assert!(is_shown("漢", &generator.received("bob", "漢字")));
        let raw = generator.pass(Direction::ToClient, b"what");
        assert!(is_shown("kind:raw", &raw) && !is_shown("kind:message", &raw) && !is_shown("kind:record", &raw));
        let Observation::Arrived(frame, meaning) = raw else { panic!("a frame") };
        let record = Frame { kind: FrameKind::Record(RecordType::Handshake), ..frame };
        let record = Observation::Arrived(record, meaning);
        assert!(is_shown("kind:record", &record) && !is_shown("kind:raw", &record));
    }

    #[test]
    fn reports_that_concern_all_are_always_shown() {
        let problem = Observation::Problem { connection: None, at_us: 0, text: "the disk is full".into() };
        assert!(
            is_shown("name:bob", &problem)
                && is_shown("name:bob", &Observation::Omitted { observations: 3, frames: 2 })
        );
        let closed = Observation::Closed { connection: 3, at_us: 0 };
        assert!(is_shown("conn:3", &closed) && !is_shown("conn:4", &closed) && !is_shown("name:bob", &closed));
    }

    #[test]
    fn a_filter_becomes_the_condition_of_a_rule() {
        let matcher = Filter::parse("name:Bob dir:> kind:send room:lobby conn:3 Hello").expect("a filter").matcher();
        let expected = Matcher {
            name_contains: Some("Bob".into()),
            direction: Some(Direction::ToServer),
            kind: Some("send".into()),
            room: Some("lobby".into()),
            connection: Some(Range::only(3)),
            text_contains: Some("Hello".into()),
            ..Matcher::default()
        };
        assert_eq!(matcher, Ok(expected));
        assert!(Filter::parse("one two").expect("a filter").matcher().is_err());
    }

    #[test]
    fn a_wrong_term_is_answered_with_the_right_ones() {
        for wrong in ["nme:bob", "dir:up", "dialect:morse", "kind:sned", "conn:bob", "name:"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
        for text in ["http://example.org", "12:30", r#""a:b""#] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
    }
}
