//! An observation as the columns of one line. Everything in it is safe to show on a terminal.

use std::borrow::Cow;
use std::path::Path;

use glassline_tap::{Applied, Control, Direction, End, Frame, FrameKind, Meaning, Observation, RawReason};
use glassline_wire::visible;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthChar;

/// Bytes of a frame that are described at most; a line shows fewer.
const DESCRIBED_BYTES_MAX: usize = 1_024;

/// Columns of the terminal from which all of an observation is shown, with milliseconds.
const WIDE: usize = 98;
/// Columns from which all of it is shown in narrow columns.
const USUAL: usize = 76;
/// Columns from which the time is shown.
const MEDIUM: usize = 48;
/// Bytes of opaque content that are shown.
const OPAQUE_BYTES_SHOWN: usize = 16;

/// One observation, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// Local time, as `14:02:03.123`.
    pub(super) time: String,
    /// `3>12` for frame 12 of connection 3 to the server, `3<12` to the client, `3` for the
    /// connection.
    pub(super) id: String,
    /// Dialect of a frame.
    pub(super) dialect: &'static str,
    /// Bytes of a frame.
    pub(super) length: String,
    /// Name of the speaker.
    pub(super) speaker: String,
    /// The room.
    pub(super) room: String,
    /// The words, the event, or what happened.
    pub(super) text: String,
}

/// Local times.
#[derive(Debug, Clone)]
pub(super) struct Clock(TimeZone);

impl Clock {
    /// The system's time zone.
    pub(super) fn system() -> Self {
        Self(TimeZone::system())
    }

    /// As `14:02:03.123`, of microseconds since 1970.
    pub(super) fn time(&self, at_us: u64) -> String {
        let at = jiff::Timestamp::from_microsecond(i64::try_from(at_us).unwrap_or(i64::MAX));
        at.unwrap_or(jiff::Timestamp::MAX).to_zoned(self.0.clone()).strftime("%H:%M:%S%.3f").to_string()
    }

    /// Returns the columns of an observation.
    pub(super) fn columns(&self, observation: &Observation) -> Columns {
        let note = |at_us: u64, id: String| Columns {
            time: self.time(at_us),
            id,
            text: report_text(observation),
            ..Columns::default()
        };
        match observation {
            Observation::Arrived(frame, meaning) => Columns {
                dialect: frame.dialect.name(),
                length: frame.bytes.len().to_string(),
                speaker: safe(meaning.speaker.as_deref().unwrap_or_default()).into_owned(),
                room: safe(meaning.room.as_deref().unwrap_or_default()).into_owned(),
                ..note(frame.at_us, frame.id().to_string())
            },
            Observation::Asked(ask) => note(ask.frame.at_us, ask.frame.id().to_string()),
            Observation::Applied(applied) => note(applied.at_us, applied.frame.to_string()),
            Observation::Opened { connection, at_us, .. }
            | Observation::Intercepted { connection, at_us, .. }
            | Observation::Ended { connection, at_us, .. }
            | Observation::Closed { connection, at_us } => note(*at_us, connection.to_string()),
            Observation::Problem { connection, at_us, .. } => {
                note(*at_us, connection.map(|connection| connection.to_string()).unwrap_or_default())
            }
            Observation::Omitted { .. } => Columns { text: report_text(observation), ..Columns::default() },
        }
    }
}

/// Returns the words, the event, or what happened, with the sign of the latter.
pub(super) fn report_text(observation: &Observation) -> String {
    match observation {
        Observation::Arrived(frame, meaning) => frame_text(frame, meaning),
        Observation::Opened { client, .. } => format!("* opened by {client}"),
        Observation::Intercepted { link, .. } => {
            format!("* intercepted: the link is {link}, and the tap reads what passes inside")
        }
        Observation::Asked(ask) => format!("? {} decides", safe(&ask.rule)),
        Observation::Applied(applied) => applied_text(applied),
        Observation::Ended { direction, end, by_tap, .. } => format!("* {}", end_text(*direction, *end, *by_tap)),
        Observation::Closed { .. } => "* closed".into(),
        Observation::Problem { text, .. } => format!("! {}", safe(text)),
        Observation::Omitted { observations: count, .. } => {
            format!("! {count} observations left out: the output is too slow")
        }
    }
}

impl Columns {
    /// The line: the columns for which there is room, cut to so many columns of the terminal.
    pub(super) fn line(&self, width: usize) -> String {
        match width {
            WIDE.. => cut(&self.wide(), width),
            USUAL..WIDE if !self.dialect.is_empty() => {
                let Self { id, dialect, length, text, .. } = self;
                let (time, speaker, room) = (self.seconds(), cut(&self.speaker, 8), cut(&self.room, 8));
                cut(&format!("{time:<8} {id:<6} {dialect:<8} {length:>5} {speaker:<8} {room:<8} {text}"), width)
            }
            MEDIUM.. => cut(&format!("{:<8} {:<7} {}", self.seconds(), self.id, self.said()), width),
            _ => cut(&format!("{:<6} {}", self.id, self.said()), width),
        }
    }

    /// All columns, with milliseconds.
    fn wide(&self) -> String {
        let filled = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let start = format!("{:<12}  {:<9}", filled(&self.time), filled(&self.id));
        let middle = if self.dialect.is_empty() {
            String::new()
        } else {
            let (speaker, room) = (filled(&self.speaker), filled(&self.room));
            format!("  {:<8} {:>6}  {speaker:<10} {room:<10}", self.dialect, self.length)
        };
        format!("{start}{middle}  {}", self.text)
    }

    fn seconds(&self) -> &str {
        self.time.get(..8).unwrap_or(&self.time)
    }

    /// The words, after their speaker.
    fn said(&self) -> String {
        if self.speaker.is_empty() { self.text.clone() } else { format!("{}: {}", self.speaker, self.text) }
    }
}

/// Returns who ended a direction, and how.
pub(super) fn end_text(direction: Direction, end: End, by_tap: bool) -> String {
    let sender = match direction {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    };
    match (by_tap, end) {
        (true, End::Finished) => format!("the tap ended the {sender}'s side (FIN)"),
        (true, End::Reset) => format!("the tap reset the {sender}'s side (RST)"),
        (true, End::Truncated) => format!("the tap cut the {sender}'s side off"),
        (false, End::Finished) => format!("{sender} ended its side (FIN)"),
        (false, End::Reset) => format!("{sender} reset the connection (RST)"),
        (false, End::Truncated) => format!("{sender}'s link was cut off before it announced an end (FIN)"),
    }
}

/// Returns a label for bytes that are no frame.
pub(super) fn raw_label(reason: RawReason) -> &'static str {
    match reason {
        RawReason::Malformed => "raw bytes, malformed",
        RawReason::Truncated => "raw bytes, cut off",
        RawReason::Opaque => "raw bytes, opaque",
    }
}

fn applied_text(applied: &Applied) -> String {
    // The seed is that of all rules, and is told at the start.
    let Applied { rule, effect, offset, has_effect, .. } = applied;
    let sign = if *has_effect { '+' } else { '!' };
    format!("{sign} {}: {} (byte {offset})", safe(rule), safe(effect))
}

fn frame_text(frame: &Frame, meaning: &Meaning) -> String {
    let start = described(frame.payload());
    match (frame.kind, meaning.text.as_deref()) {
        (FrameKind::Opening, _) => "opening of the event dialect".into(),
        (FrameKind::Goodbye, _) => "/exit".into(),
        (FrameKind::Http, _) => format!("[HTTP] {}", printable(described(frame.head_line()))),
        (FrameKind::Control(control), _) => control_text(control, frame),
        (FrameKind::Record(record_type), _) => format!("[TLS {}] {}", record_type.name(), opaque(start)),
        (FrameKind::Raw(reason @ RawReason::Opaque), _) => format!("[{}] {}", raw_label(reason), opaque(start)),
        (FrameKind::Raw(reason), _) => format!("[{}] {}", raw_label(reason), printable(start)),
        (FrameKind::Payload, Some(text)) => {
            let text = safe(shortened(text));
            match (meaning.to.as_deref(), meaning.kind.as_str()) {
                (Some(to), _) => format!("[to {}] {text}", safe(to)),
                (None, "message" | "send" | "text") => text.into_owned(),
                (None, kind) => format!("[{}] {text}", safe(kind)),
            }
        }
        (FrameKind::Payload, None) if meaning.kind.is_empty() => format!("[unreadable] {}", printable(start)),
        (FrameKind::Payload, None) => format!("[{}] {}", safe(&meaning.kind), printable(start)),
    }
}

/// Returns the beginning of bytes that is described.
fn described(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(DESCRIBED_BYTES_MAX)]
}

fn control_text(control: Control, frame: &Frame) -> String {
    let name = match control {
        Control::Ping => "ping",
        Control::Pong => "pong",
        Control::Close => "close",
    };
    match frame.close_code() {
        Some((code, reason)) => format!("[WebSocket close {code}] {}", printable(reason)),
        None => format!("[WebSocket {name}] {}", opaque(frame.payload())),
    }
}

/// Returns the beginning of bytes that need not be text: as text if they are, as the requests of
/// other protocols, else in hexadecimal digits.
pub(super) fn opaque(bytes: &[u8]) -> String {
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if is_text {
        return printable(bytes);
    }
    let shown = &bytes[..bytes.len().min(OPAQUE_BYTES_SHOWN)];
    let digits: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    let goes_on = if shown.len() < bytes.len() { " …" } else { "" };
    format!("{}{goes_on}", digits.join(" "))
}

/// Returns bytes as text that is safe to show.
pub(super) fn printable(bytes: &[u8]) -> String {
    safe(&String::from_utf8_lossy(bytes)).into_owned()
}

/// Returns a path as it may be shown in one line.
pub(super) fn shown(path: &Path) -> String {
    safe(&path.to_string_lossy()).into_owned()
}

/// Returns text of a peer as it may be shown in one line.
pub(super) fn safe(text: &str) -> Cow<'_, str> {
    visible::one_line(text)
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(DESCRIBED_BYTES_MAX)]
}

/// Returns as much of a line as fits, with `…` at the end where some is missing.
pub(super) fn cut(line: &str, columns: usize) -> String {
    let mut width = 0;
    let mut fits = 0;
    for (at, character) in line.char_indices() {
        width += character.width().unwrap_or(0);
        if width > columns {
            return format!("{}…", &line[..fits]);
        }
        if width < columns {
            fits = at + character.len_utf8();
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::generator::Generator;

    fn clock() -> Clock {
        Clock(TimeZone::UTC)
    }

    #[test]
    fn a_message_shows_who_says_what_where() {
        let mut generator = Generator::new(1);
        let line = clock().columns(&generator.received("bob", "hi there")).line(100);
        assert_eq!(line, "22:13:20.003  1<1        event        74  bob        lobby       hi there");
        let line = clock().columns(&generator.sent("hello")).line(100);
        assert!(line.contains("1>3 ") && line.contains("alice ") && line.ends_with("  hello"), "{line}");
    }

    #[test]
    fn a_narrow_line_leaves_room_for_the_words() {
        let mut generator = Generator::new(1);
        let columns = clock().columns(&generator.received("bob", "meet me at noon, then"));
        assert_eq!(columns.line(80), "22:13:20 1<1    event       87 bob      lobby    meet me at noon, then");
        assert_eq!(columns.line(50), "22:13:20 1<1     bob: meet me at noon, then");
        assert_eq!(columns.line(20), "1<1    bob: meet me…");
    }

    #[test]
    fn opaque_content_is_shown_in_digits() {
        assert_eq!(opaque(b"GET / HTTP/1.1\r\n"), "GET / HTTP/1.1\u{fffd}\u{fffd}");
        assert_eq!(opaque(b"\x17\x03A"), "17 03 41");
        assert_eq!(opaque(&[0xfb; 40]), format!("{} …", ["fb"; 16].join(" ")));
    }

    #[test]
    fn hostile_bytes_are_not_shown_as_they_are() {
        let mut generator = Generator::new(1);
        let texts = ["a\u{1b}]0;title\u{7}", "a\nb", "\u{202e}gpj", "\u{9b}31m"];
        for text in texts {
            for report in [generator.sent(text), generator.received(text, text)] {
                let columns = clock().columns(&report);
                let line = columns.line(200);
                assert!(!line.contains(|c: char| c.is_control() || visible::is_direction_or_break(c)), "{line:?}");
            }
        }
        let raw = generator.pass(Direction::ToClient, b"\x1b[2J\x9bwhat");
        let line = clock().columns(&raw).line(200);
        assert!(line.contains("[raw bytes, malformed]") && !line.contains('\u{1b}'), "{line:?}");
        let problem = Observation::Problem { connection: None, at_us: 0, text: "\u{1b}[2J".into() };
        assert!(!clock().columns(&problem).line(80).contains('\u{1b}'));
    }

    #[test]
    fn a_line_is_cut_to_its_width() {
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello", 4), "hel…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("漢字漢字", 8), "漢字漢字");
    }

    #[test]
    fn an_event_without_a_text_shows_its_json() {
        let mut generator = Generator::new(1);
        let pong = generator.pass(Direction::ToClient, &glassline_testkit::frame::frame(r#"{"type":"pong","ref":7}"#));
        assert_eq!(clock().columns(&pong).text, r#"[pong] {"type":"pong","ref":7}"#);
    }
}
