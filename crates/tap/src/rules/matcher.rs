//! Conditions on the frames that a rule matches.

use crate::frame::{Dialect, Direction, Frame, FrameKind};
use crate::meaning::Meaning;

/// Numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest number.
    pub least: u64,
    /// Largest number.
    pub most: u64,
}

impl Range {
    /// This number alone.
    pub fn only(number: u64) -> Self {
        Self { least: number, most: number }
    }

    /// Returns whether the number is in the range.
    pub fn contains(self, number: u64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

/// Conditions, all of which hold for a frame that is matched. The default matches every frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matcher {
    /// Direction of the frame.
    pub direction: Option<Direction>,
    /// Number of the connection.
    pub connection: Option<Range>,
    /// Number of the frame in its direction. A tutorial pair has the numbers of both frames.
    pub frame: Option<Range>,
    /// Length of the frame in bytes, with its header; of a tutorial pair, of both frames.
    pub size: Option<Range>,
    /// Dialect of the connection.
    pub dialect: Option<Dialect>,
    /// Type of the request or event; `name` or `text` in the tutorial dialect, where a pair is both;
    /// `opening`, `record` for one of TLS, `http` for a head, `ws_ping`, `ws_pong` or `ws_close` for a
    /// WebSocket's control frame, or `raw` for bytes that are none of these.
    pub kind: Option<String>,
    /// Name of the speaker.
    pub name: Option<String>,
    /// Part of the speaker's name.
    pub name_contains: Option<String>,
    /// Name of the room.
    pub room: Option<String>,
    /// The whole text.
    pub text: Option<String>,
    /// Part of the text.
    pub text_contains: Option<String>,
}

/// Result of matching a rule with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The rule asks for content, and the frame has none that can be read.
    Unreadable,
}

impl Matcher {
    /// Matches frames of this direction.
    pub fn in_direction(direction: Direction) -> Self {
        Self { direction: Some(direction), ..Self::default() }
    }

    /// Returns whether the frame is matched. `first_number` is that of its first frame, which
    /// differs in a tutorial pair.
    pub(crate) fn matches(&self, frame: &Frame, first_number: u64, meaning: &Meaning) -> Match {
        let is_in = |range: Option<Range>, number| range.is_none_or(|range| range.contains(number));
        let has_place = self.direction.is_none_or(|direction| direction == frame.direction)
            && is_in(self.connection, frame.connection)
            && self.frame.is_none_or(|range| first_number <= range.most && frame.number >= range.least)
            && is_in(self.size, frame.bytes.len() as u64)
            && self.dialect.is_none_or(|dialect| dialect == frame.dialect);
        if !has_place {
            return Match::No;
        }
        if meaning.kind.is_empty() {
            return match (self.kind.as_deref(), frame.kind) {
                (Some("raw"), FrameKind::Record(_)) | (Some("record"), FrameKind::Raw(_)) => Match::No,
                _ if self.asks_for_words() => Match::Unreadable,
                (None, _) | (Some("raw"), FrameKind::Raw(_)) | (Some("record"), FrameKind::Record(_)) => Match::Yes,
                _ => Match::Unreadable,
            };
        }
        let is_pair = first_number < frame.number;
        if self.says_so(meaning, is_pair) { Match::Yes } else { Match::No }
    }

    /// Returns whether what begins a conversation is meant, `GLASSLINE2` or a head of HTTP, and not
    /// only within every frame.
    pub(crate) fn names_opening(&self) -> bool {
        self.frame.is_some() || matches!(self.kind.as_deref(), Some("opening" | "http"))
    }

    /// Returns whether it asks for a name, a room or a text.
    pub(crate) fn asks_for_words(&self) -> bool {
        let parts = [&self.name, &self.name_contains, &self.room, &self.text, &self.text_contains];
        parts.into_iter().any(Option::is_some)
    }

    fn says_so(&self, meaning: &Meaning, is_pair: bool) -> bool {
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        let has = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| found.contains(wanted)))
        };
        let (speaker, text) = (meaning.speaker.as_deref(), meaning.text.as_deref());
        let has_kind = is(&self.kind, Some(&meaning.kind)) || (is_pair && self.kind.as_deref() == Some("name"));
        has_kind
            && is(&self.name, speaker)
            && has(&self.name_contains, speaker)
            && is(&self.room, meaning.room.as_deref())
            && is(&self.text, text)
            && has(&self.text_contains, text)
    }
}
