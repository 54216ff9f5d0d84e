//! JSON Lines for programs (`--json`): every event on stdout, one request a line on stdin, the
//! link's state on stderr.

use std::fmt::Write as _;
use std::io::{self, Write};

use glassline_keyring::KnownServer;
use glassline_session::{Command, Ending, Entropy, OWN_REF_PREFIX, Session, Update};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Notice, Rejection, SCHEMA_VERSION, Welcome};
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Ask, LOBBY, Request};
use glassline_wire::visible;
use serde_json::Value;

use crate::format::StyledLine;
use crate::inbox::UserInput;
use crate::line_input::LineInput;
use crate::line_output::write_diagnostics;
use crate::line_splitter::InputLine;
use crate::link::{Confidentiality, OpenedLink};
use crate::sealed::{KeyWait, RoomKeys};
use crate::undelivered::Undelivered;
use crate::view::View;

pub(crate) struct Json {
    line_input: LineInput,
    key_wait: KeyWait,
    entropy: Box<dyn Entropy>,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    undelivered: Undelivered,
    /// The input has ended, or the program has sent `bye`.
    finished: bool,
}

impl Json {
    /// Creates the mode and writes the first line, the version of the schema.
    pub(crate) fn new(
        line_input: LineInput,
        entropy: Box<dyn Entropy>,
        mut out: Box<dyn Write>,
        err: Box<dyn Write>,
        keys: RoomKeys,
    ) -> io::Result<Self> {
        writeln!(out, "{{\"type\":\"schema\",\"version\":{SCHEMA_VERSION}}}")?;
        let key_wait = KeyWait::new(keys);
        Ok(Self { line_input, key_wait, entropy, out, err, undelivered: Undelivered::default(), finished: false })
    }

    fn awaits_key(&mut self, now_ms: u64) -> bool {
        let room = || match self.line_input.first() {
            Some(InputLine::Text(line)) => room_of(line),
            _ => None,
        };
        self.key_wait.must_wait(room, now_ms)
    }

    pub(crate) fn print_notice(&mut self, lines: &[String]) -> io::Result<()> {
        write_diagnostics(&mut self.out, &mut self.err, lines)
    }

    fn put(&mut self, event: Event, reference: Option<String>) -> io::Result<()> {
        let json = Envelope::new(event, reference).to_json();
        self.out.write_all(escaped(&String::from_utf8_lossy(&json)).as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn use_line(&mut self, line: InputLine, session: &mut Session, now_ms: u64) -> io::Result<()> {
        let text = match line {
            InputLine::Text(text) if text.trim().is_empty() => return Ok(()),
            InputLine::Text(text) => text,
            InputLine::TooLong { bytes } => {
                let text = format!("a line of {bytes} bytes is longer than any request; make it shorter");
                return self.put_rejection(Rejection::new(ErrorCode::TooLong, text), None);
            }
            InputLine::NotUtf8 => {
                return self.put_rejection(Rejection::new(ErrorCode::NotUtf8, "the line is not UTF-8"), None);
            }
        };
        let request = match request_of(&text, &mut *self.entropy) {
            Ok(request) => request,
            Err(Envelope { content, reference }) => return self.put_rejection(content, reference),
        };
        let reference = request.reference.clone();
        let is_goodbye = request.content == Ask::Bye {};
        match session.command(Command::Request(request), now_ms) {
            Ok(()) => {
                self.finished |= is_goodbye;
                Ok(())
            }
            Err(error) => self.put_rejection(Rejection::new(error.code(), error.to_string()), reference),
        }
    }

    fn put_rejection(&mut self, rejection: Rejection, reference: Option<String>) -> io::Result<()> {
        self.undelivered.rejected_as(rejection.code);
        self.put(Event::Error(rejection), reference)
    }
}

fn is_own(reference: &str) -> bool {
    reference.starts_with(OWN_REF_PREFIX)
}

fn not_own(reference: Option<String>) -> Option<String> {
    reference.filter(|reference| !is_own(reference))
}

/// Returns the request of a line, or an error that names the line.
fn request_of(line: &str, entropy: &mut dyn Entropy) -> Result<Request, Envelope<Rejection>> {
    let request = completed(line, entropy).map_err(|mut bad| {
        if let Some(rest) = bad.content.text.strip_prefix("the frame ") {
            bad.content.text = format!("the line {rest}");
        }
        bad
    })?;
    match &request.reference {
        Some(reference) if is_own(reference) => {
            let text = format!(
                "no \"ref\" of yours may begin with `{OWN_REF_PREFIX}`, as the client's own do; choose another"
            );
            Err(Envelope::new(Rejection::new(ErrorCode::BadField, text), request.reference))
        }
        _ => Ok(request),
    }
}

/// Returns the room that a line sends a message to.
fn room_of(line: &str) -> Option<String> {
    // Most lines are passed by without being read twice.
    let fields: Value = line.contains("send").then(|| serde_json::from_str(line).ok())??;
    let is_message = fields.get("type").and_then(Value::as_str) == Some("send");
    is_message.then(|| fields.get("room").and_then(Value::as_str).unwrap_or(LOBBY).to_owned())
}

/// Returns the request of a line, with the default room and a new id where they are missing.
fn completed(line: &str, entropy: &mut dyn Entropy) -> Result<Request, Envelope<Rejection>> {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(line) else {
        return Request::from_json(line.as_bytes());
    };
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let (has_id, has_capacity) = (matches!(kind, "send" | "direct"), matches!(kind, "send" | "members"));
    // The line is not re-encoded, so that a duplicate field is found (E6).
    let mut object = line.trim_end().strip_suffix('}').unwrap_or(line).to_owned();
    if has_id && !fields.contains_key("id") {
        let _ = write!(object, ",\"id\":\"{}\"", MessageId(entropy.next_u128()));
    }
    if has_capacity && !fields.contains_key("room") {
        let _ = write!(object, ",\"room\":\"{LOBBY}\"");
    }
    object.push('}');
    Request::from_json(object.as_bytes())
}

impl View for Json {
    /// Writes the facts about the link, in a line that is no event of the wire.
    fn link_opened(&mut self, link: &OpenedLink) -> io::Result<()> {
        let Confidentiality { kind, is_key_logged, .. } = link.confidentiality;
        let readers = link.confidentiality.readers();
        // No value has a character that JSON escapes.
        write!(self.out, r#"{{"type":"link","link":"{kind}","readers":"{readers}""#)?;
        if let Some(KnownServer { key, standing, since, .. }) = &link.server {
            let (key, trust) = (key.hex(), standing.as_str());
            write!(self.out, r#","key":"{key}","trust":"{trust}","since":"{since}","key_log":{is_key_logged}"#)?;
        }
        writeln!(self.out, "}}")
    }

    fn input(&mut self, input: UserInput, _session: &mut Session, _now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Lines(lines) => self.line_input.add(lines),
            UserInput::End => self.line_input.end(),
            UserInput::Failed(_) | UserInput::Terminal(_) | UserInput::EditorClosed => {}
        }
        Ok(())
    }

    fn show(&mut self, update: Envelope<Update>, _now_ms: u64) -> io::Result<()> {
        let Envelope { content: update, reference } = update;
        match update {
            // The token is a secret, which does not belong in a log.
            Update::Received(Event::Welcome(welcome)) => {
                self.put(Event::Welcome(Welcome { token: String::new(), ..welcome }), reference)
            }
            // The `ref` of the client's own goodbye is unknown to the program.
            Update::Received(Event::Bye(bye)) => self.put(Event::Bye(bye), not_own(reference)),
            Update::Received(event) | Update::Sent { event, .. } => self.put(event, reference),
            Update::HistoryPage { history, .. } => self.put(Event::History(history), reference),
            Update::Rejected { rejection, .. } => self.put_rejection(rejection, not_own(reference)),
            Update::Notice(text) => {
                self.print_notice(&StyledLine::notice(&text).plain())?;
                self.put(Event::Notice(Notice { text }), None)
            }
            Update::CurrentRoom(_) => Ok(()),
        }
    }

    fn refresh(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        // Requests after `bye` are rejected.
        while !self.awaits_key(now_ms)
            && (session.takes_commands() || self.finished && !session.has_ended())
            && let Some(line) = self.line_input.take_first()
        {
            self.use_line(line, session, now_ms)?;
        }
        if self.line_input.is_over() && !self.finished {
            self.finished = true;
            // Rejected only when leaving already.
            let _ = session.command(Command::Finish, now_ms);
        }
        if session.has_ended() {
            self.undelivered.stay_unacknowledged(session.unacknowledged());
        }
        let _ = self.err.flush();
        self.out.flush()
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.key_wait.due_ms()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        self.undelivered.ending(ending, &self.line_input, "each with its `error` on stdout")
    }
}

/// JSON escapes C0 by itself; C1 and direction overrides would still reach a terminal that shows
/// the line. Outside of strings neither is valid.
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
    struct Seven;
    impl Entropy for Seven {
        fn next_u64(&mut self) -> u64 {
            7
        }
    }

    #[test]
    fn room_and_id_may_be_left_out_and_are_kept_where_they_stand() {
        let request = completed(r#"{"type":"send","text":"hi","ref":"r"}"#, &mut Seven).expect("reads");
        let Ask::Send(send) = request.content else { panic!("a send") };
        assert_eq!((send.room.as_str(), send.text.as_str(), request.reference.as_deref()), ("lobby", "hi", Some("r")));
        assert_eq!(send.id, MessageId(7 << 64 | 7));
        for line in [r#" {"type":"members"} "#, "{\"type\":\"members\"\t}\r"] {
            let Ask::Members(members) = completed(line, &mut Seven).expect(line).content else { panic!("members") };
            assert_eq!(members.room, "lobby");
        }
        let own = r#"{"type":"send","text":"hi","room":"den","id":"00000000000000000000000000000001"}"#;
        let Ask::Send(send) = completed(own, &mut Seven).expect("reads").content else { panic!("a send") };
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
            (r#"{"type":"send","text":"x","text":"y"}"#, ErrorCode::BadField),
            (r#"{"type":"send","text":"x","room":"a","room":"b"}"#, ErrorCode::BadField),
            (r#"{"type":"direct","to":"x","to":"y","text":"x"}"#, ErrorCode::BadField),
            (r#"{"type":"ping","ref":"a","ref":"b"}"#, ErrorCode::BadField),
            (r#"{"type":"ping","type":"bye"}"#, ErrorCode::NotAnEvent),
            (r#"{"type":"send","text":"x","id":null}"#, ErrorCode::BadField),
            (r#"{"type":"ping","ref":"glassline-x"}"#, ErrorCode::BadField),
        ] {
            let bad = request_of(line, &mut Seven).expect_err(line).content;
            assert_eq!(bad.code, code, "{line}");
            assert!(!bad.text.contains("frame"), "{}", bad.text);
        }
        let deep = format!("{}{}", r#"{"type":"send","text":"x","y":"#, "[".repeat(50_000));
        assert_eq!(request_of(&deep, &mut Seven).expect_err("too deep").content.code, ErrorCode::NotAnEvent);
    }

    #[test]
    fn the_clients_own_refs_are_refused_to_programs_and_hidden() {
        let line = r#"{"type":"ping","ref":"glassline-bye"}"#;
        assert_eq!(request_of(line, &mut Seven).expect_err(line).reference.as_deref(), Some("glassline-bye"));
        assert!(request_of(r#"{"type":"ping","ref":"glassline"}"#, &mut Seven).is_ok());
    }
}
