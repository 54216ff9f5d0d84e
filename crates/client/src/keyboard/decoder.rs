//! The bytes of a keyboard as events, however they are sliced; pure, so time is an argument.
//!
//! It finds where a sequence ends; what the sequence says is read elsewhere. Whatever is not one is
//! dropped up to its end, so that a terminal's answer to somebody else's question never types
//! letters.

use super::bracketed::{BracketedPaste, PASTE_END, PASTE_START};
use super::event::{Code, Key, TerminalEvent};
use super::sequence;

/// A terminal sends the rest of a sequence at once; a person who pressed Escape does not press the
/// next key that soon.
const ESCAPE_TIMEOUT_MS: u64 = 50;
/// An incomplete sequence.
const SEQUENCE_TIMEOUT_MS: u64 = 100;
/// An incomplete paste.
const PASTE_TIMEOUT_MS: u64 = 2_000;
/// Pause up to which input after such a paste belongs to it, in milliseconds: the rest of the
/// paste, if it is more than one key.
const BURST_PAUSE_MS: u64 = 100;
/// No key's sequence is nearly that long.
const SEQUENCE_BYTES_MAX: usize = 64;
const ESCAPE: u8 = 0x1b;
/// Byte that the backspace key sends.
const DELETE: u8 = 0x7f;

/// Sequence that the bytes so far begin.
#[derive(Debug, Default)]
enum DecoderState {
    #[default]
    Ground,
    /// A character of several bytes.
    Character,
    /// The key, or any sequence.
    Escape,
    /// The key and something, or a sequence with Alt as some terminals send it.
    EscapeTwice,
    /// `ESC [` and parameters.
    Control,
    /// `ESC O`.
    SingleShift,
    /// So many bytes that mean nothing here.
    Ignored(u8),
    /// `ESC ]` or `ESC P`, an answer: up to its end, of which an `ESC` may have come.
    Answer {
        ends: bool,
    },
    Paste(BracketedPaste),
    /// After a paste that was given up: its rest, or a key.
    Burst(BracketedPaste),
}

#[derive(Debug, Default)]
pub(crate) struct KeyDecoder {
    state: DecoderState,
    /// The sequence so far, bounded.
    sequence: Vec<u8>,
    /// An Escape before the sequence makes it one with Alt.
    alt: bool,
    /// A paste was given up, and neither its end nor a key has come since.
    rest_may_come: bool,
    /// Keys of a keypad in application mode have come.
    has_keypad: bool,
    last_byte_ms: u64,
}

impl KeyDecoder {
    /// Takes bytes that have come now, and adds what they make.
    pub(crate) fn take(&mut self, bytes: &[u8], now_ms: u64, events: &mut impl Extend<TerminalEvent>) {
        self.last_byte_ms = now_ms;
        for &byte in bytes {
            self.take_byte(byte, events);
        }
    }

    /// When [`KeyDecoder::time_passed`] is due.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        let timeout_ms = match self.state {
            DecoderState::Ground => return None,
            DecoderState::Escape | DecoderState::EscapeTwice => ESCAPE_TIMEOUT_MS,
            DecoderState::Paste(_) => PASTE_TIMEOUT_MS,
            DecoderState::Burst(_) => BURST_PAUSE_MS,
            _ => SEQUENCE_TIMEOUT_MS,
        };
        Some(self.last_byte_ms + timeout_ms)
    }

    /// Ends what waits for more bytes, if it waited long enough. To be called only when no bytes
    /// are there to be read.
    pub(crate) fn time_passed(&mut self, now_ms: u64, events: &mut impl Extend<TerminalEvent>) {
        if self.deadline_ms().is_none_or(|deadline_ms| now_ms < deadline_ms) {
            return;
        }
        match std::mem::take(&mut self.state) {
            DecoderState::Escape => self.press_escape(1, events),
            DecoderState::EscapeTwice => self.press_escape(2, events),
            DecoderState::Paste(paste) => {
                self.rest_may_come = true;
                events.extend([TerminalEvent::Paste(paste.finish())]);
            }
            DecoderState::Burst(burst) => return self.end_burst(burst, events),
            DecoderState::Character => events.extend([TerminalEvent::NotUtf8]),
            _ => {}
        }
        self.start_anew();
    }

    /// One character is a key; the user has the keyboard back. More is pasted text, which sends
    /// nothing.
    fn end_burst(&mut self, burst: BracketedPaste, events: &mut impl Extend<TerminalEvent>) {
        self.start_anew();
        let paste = burst.finish();
        if paste.text.chars().count() > 1 {
            events.extend([TerminalEvent::Paste(paste)]);
            return;
        }
        self.rest_may_come = false;
        for &byte in paste.text.as_bytes() {
            self.take_byte(byte, events);
        }
    }

    fn take_byte(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        match &mut self.state {
            DecoderState::Ground => self.begin(byte, events),
            DecoderState::Character => self.character(byte, events),
            DecoderState::Escape => self.escape(byte, events),
            DecoderState::EscapeTwice => match byte {
                b'[' | b'O' => {
                    self.alt = true;
                    self.escape(byte, events);
                }
                _ => {
                    self.press_escape(1, events);
                    self.escape_again(byte, events);
                }
            },
            DecoderState::Control => self.control(byte, events),
            DecoderState::SingleShift => match byte {
                b'0'..=b'9' | b';' => self.hold(byte),
                b'@'..=b'~' => {
                    self.hold(byte);
                    self.finish(events);
                }
                _ => self.abandon(byte, events),
            },
            DecoderState::Ignored(_) if byte < b' ' => self.abandon(byte, events),
            DecoderState::Ignored(bytes @ 2..) => *bytes -= 1,
            DecoderState::Ignored(_) => self.start_anew(),
            DecoderState::Answer { ends: true } => match byte {
                b'\\' => self.start_anew(),
                _ => self.escape_again(byte, events),
            },
            DecoderState::Answer { ends } => match byte {
                0x07 => self.start_anew(),
                ESCAPE => *ends = true,
                ..b' ' => self.abandon(byte, events),
                _ => {}
            },
            DecoderState::Paste(paste) | DecoderState::Burst(paste) => {
                if paste.take(byte) {
                    let paste = std::mem::take(paste);
                    events.extend([TerminalEvent::Paste(paste.finish())]);
                    self.rest_may_come = false;
                    self.start_anew();
                }
            }
        }
    }

    fn begin(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        // What is no text, such as Ctrl-C or an arrow, is a key and does what it always does.
        if self.rest_may_come && (byte >= b' ' && byte != DELETE || matches!(byte, b'\t' | b'\r' | b'\n')) {
            self.state = DecoderState::Burst(BracketedPaste::default());
            return self.take_byte(byte, events);
        }
        self.hold(byte);
        match byte {
            ESCAPE => self.state = DecoderState::Escape,
            ..0x80 => self.finish(events),
            0xc2..=0xf4 => self.state = DecoderState::Character,
            _ => self.drop_character(events),
        }
    }

    fn character(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        if !(0x80..0xc0).contains(&byte) {
            events.extend([TerminalEvent::NotUtf8]);
            return self.abandon(byte, events);
        }
        self.hold(byte);
        let bytes = self.sequence.strip_prefix(&[ESCAPE]).unwrap_or(&self.sequence);
        match std::str::from_utf8(bytes) {
            Ok(_) => self.finish(events),
            Err(error) if error.error_len().is_none() => {}
            Err(_) => self.drop_character(events),
        }
    }

    fn drop_character(&mut self, events: &mut impl Extend<TerminalEvent>) {
        events.extend([TerminalEvent::NotUtf8]);
        self.start_anew();
    }

    /// Handles the byte that follows an Escape.
    fn escape(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        if byte == ESCAPE {
            self.state = DecoderState::EscapeTwice;
            return;
        }
        self.hold(byte);
        match byte {
            b'[' => self.state = DecoderState::Control,
            b'O' => self.state = DecoderState::SingleShift,
            b']' | b'P' => self.state = DecoderState::Answer { ends: false },
            ..0x80 => self.finish(events),
            0xc2..=0xf4 => self.state = DecoderState::Character,
            _ => self.drop_character(events),
        }
    }

    /// Handles the byte that follows an Escape that is not the sequence's first.
    fn escape_again(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        self.start_anew();
        self.begin(ESCAPE, events);
        self.take_byte(byte, events);
    }

    fn control(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        match byte {
            // The Linux console's function keys, and the oldest reports of a mouse.
            b'[' if self.sequence.len() == 2 => self.state = DecoderState::Ignored(1),
            b'M' if self.sequence.len() == 2 => self.state = DecoderState::Ignored(3),
            // rxvt's keys with Shift; nothing else has a number and this without more after it.
            b'$' if self.sequence.len() == 3 && self.sequence[2].is_ascii_digit() => {
                self.hold(byte);
                self.finish(events);
            }
            b' '..=b'?' => self.hold(byte),
            b'@'..=b'~' => {
                self.hold(byte);
                if self.sequence == PASTE_START {
                    self.start_anew();
                    self.state = DecoderState::Paste(BracketedPaste::default());
                } else {
                    // The late end of an abandoned paste, with nothing before it.
                    self.rest_may_come &= self.sequence != PASTE_END;
                    self.finish(events);
                }
            }
            _ => self.abandon(byte, events),
        }
    }

    fn hold(&mut self, byte: u8) {
        // Cut off, it is without its last byte, and so means nothing.
        if self.sequence.len() < SEQUENCE_BYTES_MAX {
            self.sequence.push(byte);
        }
    }

    /// The sequence is complete.
    fn finish(&mut self, events: &mut impl Extend<TerminalEvent>) {
        let alt = self.alt;
        self.has_keypad |= sequence::is_of_keypad(&self.sequence);
        let event = if self.sequence == sequence::PUTTY_END && !self.has_keypad {
            Some(TerminalEvent::Key(Code::End.into()))
        } else {
            sequence::event(&self.sequence)
        };
        let event = event.map(|event| match event {
            TerminalEvent::Key(key) => TerminalEvent::Key(Key { alt: key.alt || alt, ..key }),
            event => event,
        });
        // A focus change does not end an unfinished paste.
        self.rest_may_come &= !matches!(event, Some(TerminalEvent::Key(_)));
        events.extend(event);
        self.start_anew();
    }

    /// The sequence is none; this byte begins something else.
    fn abandon(&mut self, byte: u8, events: &mut impl Extend<TerminalEvent>) {
        self.start_anew();
        self.begin(byte, events);
    }

    fn press_escape(&mut self, times: usize, events: &mut impl Extend<TerminalEvent>) {
        self.rest_may_come = false;
        events.extend(std::iter::repeat_n(TerminalEvent::Key(Code::Escape.into()), times));
    }

    fn start_anew(&mut self) {
        self.state = DecoderState::Ground;
        self.sequence.clear();
        self.alt = false;
    }
}

#[cfg(test)]
mod tests;
