//! JSON Lines for programs (`--json`): every event on stdout, one request a line on stdin, the link's state on stderr.

use std::fmt::Write as _;
use std::io::{self, Write};

use glassline_wire::event::{ErrorCode, Event, Refusal, SCHEMA_VERSION, Welcome};
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{BadRequest, Request};
use glassline_wire::visible;
use serde_json::Value;

use crate::entropy::Entropy;
use crate::inbox::UserInput;
use crate::lines::Line;
use crate::lines_in::LinesIn;
use crate::session::Session;
use crate::session::update::{Command, Update};
use crate::telling::Line as Told;
use crate::view::View;

/// The room of a request that names none.
const DEFAULT_ROOM: &str = "lobby";

/// The mode.
pub(crate) struct Json {
    lines_in: LinesIn,
    entropy: Box<dyn Entropy>,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    finished: bool,
}

impl Json {
    /// Also writes the first line, which says the version of all that follow.
    pub(crate) fn new(
        lines_in: LinesIn,
        entropy: Box<dyn Entropy>,
        mut out: Box<dyn Write>,
        err: Box<dyn Write>,
    ) -> io::Result<Self> {
        writeln!(out, "{{\"type\":\"schema\",\"version\":{SCHEMA_VERSION}}}")?;
        Ok(Self { lines_in, entropy, out, err, finished: false })
    }

    /// The client's own words.
    pub(crate) fn tell(&mut self, lines: &[String]) {
        for line in lines {
            // Nobody may be reading the diagnostics; that is no reason to stop.
            let _ = writeln!(self.err, "{line}");
        }
    }

    fn put(&mut self, event: &Event) -> io::Result<()> {
        let json = event.to_json();
        self.out.write_all(escaped(&String::from_utf8_lossy(&json)).as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn use_line(&mut self, line: Line, session: &mut Session, now_ms: u64) -> io::Result<()> {
        let text = match line {
            Line::Text(text) if text.trim().is_empty() => return Ok(()),
            Line::Text(text) => text,
            Line::TooLong { bytes } => {
                return self.refuse(
                    ErrorCode::TooLong,
                    format!("a line of {bytes} bytes is longer than any request"),
                    None,
                );
            }
            Line::NotUtf8 => return self.refuse(ErrorCode::NotUtf8, "the line is not UTF-8".to_owned(), None),
        };
        let request = match completed(&text, &mut *self.entropy) {
            Ok(request) => request,
            Err(BadRequest { code, text, reference }) => return self.refuse(code, text, reference),
        };
        let reference = request.reference.clone();
        match session.command(Command::Request(request), now_ms) {
            Ok(()) => Ok(()),
            Err(declined) => self.refuse(declined.code(), declined.to_string(), reference),
        }
    }

    fn refuse(&mut self, code: ErrorCode, text: String, reference: Option<String>) -> io::Result<()> {
        self.put(&Event::Error(Refusal { code, text, reference }))
    }
}

/// The request of a line, with the room and the id that it may leave out.
fn completed(line: &str, entropy: &mut dyn Entropy) -> Result<Request, BadRequest> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(line) else {
        return Request::from_json(line.as_bytes());
    };
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let (speaks, has_room) = (matches!(kind, "send" | "direct"), matches!(kind, "send" | "members"));
    if speaks && !fields.contains_key("id") {
        fields.insert("id".to_owned(), Value::String(MessageId(entropy.next_u128()).to_string()));
    }
    if has_room && !fields.contains_key("room") {
        fields.insert("room".to_owned(), Value::String(DEFAULT_ROOM.to_owned()));
    }
    Request::from_json(Value::Object(fields).to_string().as_bytes())
}

impl View for Json {
    fn input(&mut self, input: UserInput, _session: &mut Session, _now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Lines(lines) => self.lines_in.add(lines),
            UserInput::End => self.lines_in.end(),
            UserInput::Failed(_) | UserInput::Terminal(_) | UserInput::EditorClosed => {}
        }
        Ok(())
    }

    fn show(&mut self, update: Update, _now_ms: u64) -> io::Result<()> {
        match update {
            // The token takes the name over: it has no business in a log of what was said.
            Update::Heard(Event::Welcome(welcome)) => {
                self.put(&Event::Welcome(Welcome { token: String::new(), ..welcome }))
            }
            Update::Heard(event) | Update::Said { event, acknowledged: true } => self.put(&event),
            Update::Refused { refusal, .. } => self.put(&Event::Error(refusal)),
            Update::Notice(text) => {
                self.tell(&Told::notice(&text).plain());
                Ok(())
            }
            Update::Said { acknowledged: false, .. } | Update::Room(_) => Ok(()),
        }
    }

    fn settle(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        while session.takes_commands()
            && let Some(line) = self.lines_in.take_first()
        {
            self.use_line(line, session, now_ms)?;
        }
        if self.lines_in.is_over() && !self.finished {
            self.finished = true;
            // Declined only when leaving already.
            let _ = session.command(Command::Finish, now_ms);
        }
        let _ = self.err.flush();
        self.out.flush()
    }
}

/// JSON escapes C0 by itself; C1 and direction overrides would still reach a terminal that shows the line. Outside of strings
/// neither can stand.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\u{7f}'..='\u{9f}') || visible::is_direction_or_break(c) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_wire::request::Ask;

    struct Seven;
    impl Entropy for Seven {
        fn next_u64(&mut self) -> u64 {
            7
        }
    }

    #[test]
    fn room_and_id_may_be_left_out_and_are_kept_where_they_stand() {
        let request = completed(r#"{"type":"send","text":"hi","ref":"r"}"#, &mut Seven).expect("reads");
        let Ask::Send(send) = request.ask else { panic!("a send") };
        assert_eq!((send.room.as_str(), send.text.as_str(), request.reference.as_deref()), ("lobby", "hi", Some("r")));
        assert_eq!(send.id, MessageId(7 << 64 | 7));
        let own = r#"{"type":"send","text":"hi","room":"den","id":"00000000000000000000000000000001"}"#;
        let Ask::Send(send) = completed(own, &mut Seven).expect("reads").ask else { panic!("a send") };
        assert_eq!((send.room.as_str(), send.id), ("den", MessageId(1)));
    }

    #[test]
    fn a_bad_line_has_the_code_that_the_wire_gives_it() {
        for (line, code) in [
            ("hi", ErrorCode::NotAnEvent),
            ("[]", ErrorCode::NotAnEvent),
            (r#"{"type":"send"}"#, ErrorCode::BadField),
            (r#"{"type":"send","text":"x","room":5}"#, ErrorCode::BadField),
            (r#"{"type":"dance"}"#, ErrorCode::UnknownType),
        ] {
            assert_eq!(completed(line, &mut Seven).expect_err(line).code, code, "{line}");
        }
    }
}
