//! The tutorial dialect (T): a name, then messages.

use glassline_hub::{Awaits, CommandOutcome, MemberId, hidden_command, server_pair};
use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::frame::{Decoder, Frame, HeaderError};
use glassline_wire::limits::{GREETING_BYTES_MAX, HEADER_BYTES, NAME_BYTES_MAX, TEXT_BYTES_MAX};

use super::{Desk, Verdict, Wait};

#[derive(Debug)]
pub(crate) struct TutorialSession {
    decoder: Decoder,
    /// Input that came while the history had still to store earlier messages, or to answer.
    held: Option<Held>,
}

/// Input that waits.
#[derive(Debug)]
enum Held {
    Payload(Vec<u8>),
    /// Its end.
    End(Verdict),
}

impl TutorialSession {
    pub(crate) fn new() -> Self {
        // A name above its limit is refused by its header alone, so a stranger holds no more than this (L).
        const { assert!(NAME_BYTES_MAX <= GREETING_BYTES_MAX) };
        Self { decoder: Decoder::tutorial(NAME_BYTES_MAX), held: None }
    }

    /// Returns whether the end of the stream would cut no frame off.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.decoder.is_at_boundary()
    }

    pub(crate) fn take(&mut self, input: &mut &[u8], desk: &mut Desk<'_>) -> Verdict {
        let verdict = self.take_frames(input, desk);
        if verdict.is_end() && !desk.may_end() {
            // It comes behind everything that is owed.
            self.held = Some(Held::End(verdict));
            return Verdict::Waits(Wait::History);
        }
        verdict
    }

    fn take_frames(&mut self, input: &mut &[u8], desk: &mut Desk<'_>) -> Verdict {
        let whole_input = *input;
        if desk.awaits() == Awaits::Nothing
            && let Some(held) = self.held.take()
        {
            let verdict = match (held, *desk.member) {
                (Held::End(verdict), _) => verdict,
                (Held::Payload(payload), Some(member)) => {
                    let verdict = hear(member, &payload, desk);
                    if verdict == Verdict::Waits(Wait::History) {
                        self.held = Some(Held::Payload(payload));
                    }
                    verdict
                }
                (Held::Payload(_), None) => Verdict::GoesOn,
            };
            if verdict != Verdict::GoesOn {
                return verdict;
            }
        }
        loop {
            if self.held.is_some() || desk.awaits() == Awaits::Answer {
                return Verdict::Waits(Wait::History);
            }
            // What waited for the history was charged, but has not waited for the flood limit.
            if let Some(wait) = desk.flood_wait() {
                return Verdict::Waits(wait);
            }
            match self.decoder.next(input) {
                Ok(None) => return Verdict::GoesOn,
                Ok(Some(Frame::Goodbye)) => return left("raw_goodbye"),
                Ok(Some(Frame::Payload(payload))) if desk.awaits() != Awaits::Nothing && !is_said(payload) => {
                    desk.charge(payload.len() + HEADER_BYTES);
                    self.held = Some(Held::Payload(payload.to_vec()));
                }
                Ok(Some(Frame::Payload(payload))) => {
                    desk.charge(payload.len() + HEADER_BYTES);
                    let verdict = match *desk.member {
                        None => greet(payload, desk),
                        Some(member) => hear(member, payload, desk),
                    };
                    if verdict == Verdict::Waits(Wait::History) {
                        self.held = Some(Held::Payload(payload.to_vec()));
                    }
                    if verdict != Verdict::GoesOn {
                        return verdict;
                    }
                    self.decoder.set_payload_bytes_max(TEXT_BYTES_MAX);
                    if let Some(wait) = desk.must_wait() {
                        return Verdict::Waits(wait);
                    }
                }
                Err(error) => return refused(&error, whole_input, desk.pure),
            }
        }
    }
}

fn greet(name: &[u8], desk: &mut Desk<'_>) -> Verdict {
    let entrance = desk.entrance();
    match desk.hub.enter_tutorial(name, entrance) {
        Ok(member) => {
            *desk.member = Some(member);
            Verdict::GoesOn
        }
        Err(Rejection { code: ErrorCode::Banned, text }) => {
            let words = server_words(&text, desk.pure);
            Verdict::Refused { reason: "banned", detail: text, words }
        }
        Err(refused) => Verdict::Refused {
            reason: "name_refused",
            detail: refused.text.clone(),
            words: server_words(&format!("{}, then connect again", refused.text), desk.pure),
        },
    }
}

fn hear(member: MemberId, payload: &[u8], desk: &mut Desk<'_>) -> Verdict {
    if payload == b"/exit" {
        return left("framed_goodbye");
    }
    if desk.pure {
        desk.hub.relay(member, payload);
        return Verdict::GoesOn;
    }
    let Ok(text) = std::str::from_utf8(payload) else {
        desk.hub.notify(member, "your message is not UTF-8 and was not sent; send it in UTF-8");
        return Verdict::GoesOn;
    };
    desk.hub.note_activity(member, desk.now);
    let said = match text.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => desk.hub.say_text(member, rest, false, desk.now),
        Some(_) => match desk.hub.execute(member, text, desk.now) {
            CommandOutcome::Stays => Ok(()),
            CommandOutcome::Awaits => return Verdict::Waits(Wait::History),
            CommandOutcome::Leaves => return left("quit"),
        },
        None => match hidden_command(text) {
            Some(words) => {
                desk.hub.notify(member, &words);
                Ok(())
            }
            None => desk.hub.say_text(member, text, false, desk.now),
        },
    };
    if let Err(refused) = said {
        desk.hub.refuse_in_words(member, &refused);
    }
    Verdict::GoesOn
}

/// Returns whether a payload is a text to be said, which may follow others that are not stored yet;
/// commands come behind them.
fn is_said(payload: &[u8]) -> bool {
    !payload.starts_with(b"/") || payload.starts_with(b"//")
}

fn left(reason: &'static str) -> Verdict {
    Verdict::Left { reason, words: Vec::new() }
}

fn refused(error: &HeaderError, input: &[u8], pure: bool) -> Verdict {
    let advice = counted_characters(input).unwrap_or_else(|| error.to_string());
    Verdict::Refused {
        reason: error.reason(),
        detail: error.to_string(),
        words: server_words(&format!("{advice}; your stream cannot be read on: mend it and connect again"), pure),
    }
}

fn server_words(text: &str, pure: bool) -> Vec<u8> {
    if pure { Vec::new() } else { server_pair(text) }
}

/// The commonest fault of students' clients: a length counted in characters. Its sign is a frame whose payload, as counted,
/// ends before the text does, so that the rest of the text stands where a header belongs.
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
