//! The tutorial dialect (T): a name, then messages.

use glassline_hub::{Awaits, CommandOutcome, Dialect, MemberId, hidden_command};
use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::frame::{Decoder, Frame, HeaderError};
use glassline_wire::limits::{GREETING_BYTES_MAX, HEADER_BYTES, NAME_BYTES_MAX, TEXT_BYTES_MAX};

use crate::close_reason::CloseReason;
use crate::protocol::{Pause, SessionContext, Step};

#[derive(Debug)]
pub(crate) struct TutorialSession {
    decoder: Decoder,
    /// Input that came while the history had still to store earlier messages, or to answer.
    held: Option<Held>,
}

#[derive(Debug)]
enum Held {
    Payload(Vec<u8>),
    End(Box<Step>),
}

impl TutorialSession {
    pub(crate) fn new() -> Self {
        // A name above its limit is refused by its header alone, so a client without one holds no
        // more than this (L).
        const { assert!(NAME_BYTES_MAX <= GREETING_BYTES_MAX) };
        Self { decoder: Decoder::tutorial(NAME_BYTES_MAX), held: None }
    }

    /// Returns whether the end of the stream would cut no frame off.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.decoder.is_at_boundary()
    }

    pub(crate) fn take(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        let step = self.take_frames(input, context);
        if step.is_end() && !context.may_end() {
            // It follows all queued output.
            self.held = Some(Held::End(Box::new(step)));
            return Step::Pause(Pause::History);
        }
        step
    }

    fn take_frames(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        let whole_input = *input;
        if context.awaits() == Awaits::Nothing
            && let Some(held) = self.held.take()
        {
            let step = match (held, *context.member) {
                (Held::End(step), _) => *step,
                (Held::Payload(payload), Some(member)) => {
                    let step = receive(member, &payload, context);
                    if step == Step::Pause(Pause::History) {
                        self.held = Some(Held::Payload(payload));
                    }
                    step
                }
                (Held::Payload(_), None) => Step::Continue,
            };
            if step != Step::Continue {
                return step;
            }
        }
        loop {
            if self.held.is_some() || context.awaits() == Awaits::Answer {
                return Step::Pause(Pause::History);
            }
            // What waited for the history was charged, but has not waited for the flood limit.
            if let Some(pause) = context.flood_pause() {
                return Step::Pause(pause);
            }
            match self.decoder.next(input) {
                Ok(None) => return Step::Continue,
                Ok(Some(Frame::Goodbye)) => return left(CloseReason::RawGoodbye),
                Ok(Some(Frame::Payload(payload))) if context.awaits() != Awaits::Nothing && !is_message(payload) => {
                    context.charge(payload.len() + HEADER_BYTES);
                    self.held = Some(Held::Payload(payload.to_vec()));
                }
                Ok(Some(Frame::Payload(payload))) => {
                    context.charge(payload.len() + HEADER_BYTES);
                    let step = match *context.member {
                        None => greet(payload, context),
                        Some(member) => receive(member, payload, context),
                    };
                    if step == Step::Pause(Pause::History) {
                        self.held = Some(Held::Payload(payload.to_vec()));
                    }
                    if step != Step::Continue {
                        return step;
                    }
                    self.decoder.set_payload_bytes_max(TEXT_BYTES_MAX);
                    if let Some(pause) = context.must_pause() {
                        return Step::Pause(pause);
                    }
                }
                Err(error) => return refused(&error, whole_input, context.pure),
            }
        }
    }
}

fn greet(name: &[u8], context: &mut SessionContext<'_>) -> Step {
    let info = match context.connect_info() {
        Ok(info) => info,
        Err(end) => return end,
    };
    match context.hub.enter_tutorial(name, info) {
        Ok(member) => {
            *context.member = Some(member);
            Step::Continue
        }
        Err(Rejection { code: ErrorCode::Banned, text }) => {
            let output = notice_unless_pure(&text, context.pure);
            Step::Close { reason: CloseReason::Banned, detail: text, output }
        }
        Err(refused) => Step::Close {
            reason: CloseReason::NameRefused,
            detail: refused.text.clone(),
            output: notice_unless_pure(&format!("{}, then connect again", refused.text), context.pure),
        },
    }
}

fn receive(member: MemberId, payload: &[u8], context: &mut SessionContext<'_>) -> Step {
    if payload == b"/exit" {
        return left(CloseReason::FramedGoodbye);
    }
    if context.pure {
        context.hub.relay(member, payload);
        return Step::Continue;
    }
    let Ok(text) = std::str::from_utf8(payload) else {
        context.hub.send(member, Event::notice("your message is not UTF-8 and was not sent; send it in UTF-8"));
        return Step::Continue;
    };
    context.hub.note_activity(member, context.now);
    let said = match text.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => context.hub.say_text(member, rest, false, context.now),
        Some(_) => match context.hub.execute(member, text, context.now) {
            CommandOutcome::Continue => return Step::Continue,
            CommandOutcome::Awaits => return Step::Pause(Pause::History),
            CommandOutcome::Leave => return left(CloseReason::Quit),
        },
        None => match hidden_command(text) {
            Some(words) => Ok(Event::notice(words).into()),
            None => context.hub.say_text(member, text, false, context.now),
        },
    };
    context.hub.reply(member, said, None);
    Step::Continue
}

/// Returns whether a payload is a message, which may follow others that are not stored yet;
/// commands wait for them.
fn is_message(payload: &[u8]) -> bool {
    !payload.starts_with(b"/") || payload.starts_with(b"//")
}

fn left(reason: CloseReason) -> Step {
    Step::leave(reason, Vec::new())
}

fn refused(error: &HeaderError, input: &[u8], pure: bool) -> Step {
    let advice = counted_characters(input).unwrap_or_else(|| error.to_string());
    Step::Close {
        reason: CloseReason::from(error),
        detail: error.to_string(),
        output: notice_unless_pure(
            &format!("{advice}; your stream cannot be read on: mend it and connect again"),
            pure,
        ),
    }
}

fn notice_unless_pure(text: &str, pure: bool) -> Vec<u8> {
    if pure { Vec::new() } else { Dialect::Tutorial.encode(&Event::notice(text).into()) }
}

/// The commonest fault of students' clients: a length counted in characters. Its sign is a frame
/// whose payload, as counted, ends before the text does, so that the rest of the text is where
/// a header belongs.
fn counted_characters(mut input: &[u8]) -> Option<String> {
    let mut decoder = Decoder::tutorial(TEXT_BYTES_MAX);
    let mut last_payload_at = None;
    let whole = input;
    loop {
        let before = whole.len() - input.len();
        match decoder.next(&mut input) {
            Ok(Some(Frame::Payload(payload))) => last_payload_at = Some((before + HEADER_BYTES, payload.len())),
            Ok(_) => return None,
            Err(_) => break,
        }
    }
    let (start, counted) = last_payload_at?;
    let body = &whole[start..];
    // As many characters as were counted end here; what follows must be a header, or nothing.
    let text = body.utf8_chunks().next()?.valid();
    let end = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(counted)?;
    let follows = body.get(end..)?;
    let is_header_or_end = follows.is_empty() || (follows[0].is_ascii_digit() && follows.len() >= HEADER_BYTES);
    (end > counted && is_header_or_end)
        .then(|| format!("your header counts characters ({counted}), the body is {end} bytes: count bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_in_characters_is_recognised() {
        let mut input = b"5         alice".to_vec();
        input.extend_from_slice("7         häßlich".as_bytes());
        let words = counted_characters(&input).expect("recognised");
        assert!(words.contains("characters (7)") && words.contains("9 bytes"), "{words}");
        input.extend_from_slice(b"2         hi");
        assert_eq!(counted_characters(&input).as_deref(), Some(words.as_str()));
        assert_eq!(counted_characters(b"5         alicexxxxxxxxxxx"), None);
    }
}
