//! Updates formatted as styled lines for people, independent of the output.

pub(crate) mod attention;
pub(crate) mod catch_up;
pub(crate) mod clock;
pub(crate) mod links;
pub(crate) mod mention;
pub(crate) mod messages;
pub(crate) mod name_colour;
pub(crate) mod presence_digest;
pub(crate) mod reply;
pub(crate) mod safe;

use glassline_wire::request::LOBBY;
use glassline_wire::timestamp::Timestamp;

/// Prefix of every line of a text but its first, so that no text can look like another message.
const CONTINUATION: &str = "  ";
/// Memory of a row beside its text in bytes, roughly.
const ROW_BYTES: usize = 128;

/// Role of a piece of text, for the choice of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextRole {
    /// Text of a message.
    Plain,
    /// Times, marks, notices of the client and the server.
    Faint,
    /// A user's name, by its [`name_colour::NameColour`].
    Name(name_colour::NameColour),
    /// Name of the author of a mention or a direct message.
    Calling,
    /// The user's own name in a message.
    Mention,
    /// Text that matches a search.
    Found,
    /// Something that went wrong.
    Warning,
    /// Modules of a code to scan, dark on light.
    Code,
}

/// A piece of a line; safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) role: TextRole,
    pub(crate) text: String,
}

impl Span {
    pub(crate) fn new(role: TextRole, text: impl Into<String>) -> Self {
        Self { role, text: text.into() }
    }
}

/// Kind of a line, for the choice of a time before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LineKind {
    /// Something of now: its time is shown where times are.
    #[default]
    Now,
    /// An earlier message: its time is always shown.
    Earlier,
    /// It has its time in its head.
    Dated,
    /// A mark between others: it has no time.
    Mark,
}

/// A line for one event: its author or subject, and its text. Only the body may hold newlines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StyledLine {
    pub(crate) kind: LineKind,
    /// Time of the message, where the server sends one.
    pub(crate) at: Option<Timestamp>,
    pub(crate) room: Option<String>,
    pub(crate) head: Vec<Span>,
    pub(crate) body: Vec<Span>,
}

impl StyledLine {
    /// Creates a notice of the client or the server.
    pub(crate) fn notice(text: &str) -> Self {
        Self::notice_lines(TextRole::Faint, text)
    }

    pub(crate) fn warning(text: &str) -> Self {
        Self::notice_lines(TextRole::Warning, text)
    }

    fn notice_lines(role: TextRole, text: &str) -> Self {
        let visible = glassline_wire::visible::lines(text);
        let body = safe::limit_marks(&visible).into_owned();
        Self { head: vec![Span::new(TextRole::Faint, "* ")], body: vec![Span::new(role, body)], ..Self::default() }
    }

    pub(crate) fn mark(text: &str) -> Self {
        let text = glassline_wire::visible::one_line(text);
        Self {
            kind: LineKind::Mark,
            body: vec![Span::new(TextRole::Faint, format!("── {text} ──"))],
            ..Self::default()
        }
    }

    /// Returns the text of a mark, for output without marks.
    pub(crate) fn mark_text(&self) -> Option<String> {
        let words: String = self.body.iter().map(|span| span.text.as_str()).collect();
        (self.kind == LineKind::Mark).then(|| words.trim_matches(['─', ' ']).to_owned())
    }

    pub(crate) fn in_room(self, room: &str) -> Self {
        Self { room: Some(room.to_owned()), ..self }
    }

    /// The bytes of its text, with what its rows cost beside their text.
    pub(crate) fn bytes(&self) -> usize {
        let spans = self.head.iter().chain(&self.body);
        spans.map(|span| span.text.len() + span.text.matches('\n').count() * ROW_BYTES).sum()
    }

    /// Returns the prefix with the room's name; empty for the lobby.
    pub(crate) fn place(&self) -> String {
        match self.room.as_deref() {
            None | Some(LOBBY) => String::new(),
            Some(room) => format!("[{}] ", safe::name(room)),
        }
    }

    /// The line without roles: one string for each row, every row but the first set in.
    pub(crate) fn plain(&self) -> Vec<String> {
        let text: String = self.head.iter().chain(&self.body).map(|span| span.text.as_str()).collect();
        let mut rows = text.split('\n');
        let first = format!("{}{}", self.place(), rows.next().unwrap_or_default());
        std::iter::once(first).chain(rows.map(|row| format!("{CONTINUATION}{row}"))).collect()
    }
}
