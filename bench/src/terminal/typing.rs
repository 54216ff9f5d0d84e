//! A typist: which key is next, and how long each took until the input line showed it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::stats::quantile;

/// Ten keys a second. No multiple of the time between drawings, so that keys fall everywhere between them.
pub const KEY_EVERY: Duration = Duration::from_millis(97);
const PROMPT: &str = "> ";
/// No blanks: at the end of a row they are indistinguishable from empty cells.
const LETTERS: &str = "thequickbrownfoxjumpsoverlazydog";
const EMPTY_THE_LINE: &str = "\x15";

#[derive(Default)]
pub struct Typing {
    /// Bytes of [`LETTERS`] that were typed.
    typed: usize,
    /// The line was emptied and is not seen empty yet.
    emptying: bool,
    /// Keys not seen yet: how many bytes are typed with each, and when it was pressed.
    pending: VecDeque<(usize, Instant)>,
    latencies_ms: Vec<f64>,
}

impl Typing {
    /// The next key, pressed now. None while the line is not seen empty again.
    pub fn press(&mut self, now: Instant) -> Option<&'static str> {
        if self.emptying {
            return None;
        }
        if self.typed == LETTERS.len() {
            // Emptied only when all is seen: a line can tell only what it holds.
            if !self.pending.is_empty() {
                return None;
            }
            (self.typed, self.emptying) = (0, true);
            return Some(EMPTY_THE_LINE);
        }
        let at = self.typed;
        self.typed += 1;
        self.pending.push_back((self.typed, now));
        LETTERS.get(at..self.typed)
    }

    /// Returns whether a look at the input line would tell anything.
    pub fn is_waiting(&self) -> bool {
        self.emptying || !self.pending.is_empty()
    }

    /// Takes in the row that the cursor is in.
    pub fn see(&mut self, row: &str, now: Instant) {
        let Some(shown) = typed_in(row) else { return };
        if self.emptying {
            self.emptying = !shown.is_empty();
            return;
        }
        if !LETTERS[..self.typed].starts_with(shown) {
            return;
        }
        while let Some((_, pressed)) = self.pending.pop_front_if(|(bytes, _)| *bytes <= shown.len()) {
            self.latencies_ms.push((now - pressed).as_secs_f64() * 1_000.0);
        }
    }

    /// Keys that were pressed and never seen.
    pub fn unseen(&self) -> usize {
        self.pending.len()
    }

    /// The quantile `share` of the keys' latencies.
    pub fn latency_ms(&self, share: f64) -> Option<f64> {
        quantile(&self.latencies_ms, share)
    }
}

/// Returns the text after the prompt in a row, if the row has one.
pub fn typed_in(row: &str) -> Option<&str> {
    let row = row.trim_end();
    row.strip_prefix(PROMPT).or_else(|| (row == PROMPT.trim_end()).then_some(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(after: u64) -> Duration {
        Duration::from_millis(after)
    }

    #[test]
    fn a_key_takes_until_the_row_shows_it() {
        let start = Instant::now();
        let mut typing = Typing::default();
        assert!(!typing.is_waiting());
        assert_eq!(typing.press(start), Some("t"));
        typing.see("> ", start + ms(1));
        typing.see("m0 > t", start + ms(2));
        assert_eq!(typing.unseen(), 1);
        assert_eq!(typing.press(start + ms(10)), Some("h"));
        typing.see("> t", start + ms(12));
        typing.see("> th", start + ms(13));
        assert_eq!((typing.unseen(), typing.is_waiting()), (0, false));
        assert_eq!((typing.latency_ms(0.5), typing.latency_ms(1.0)), (Some(3.0), Some(12.0)));
    }

    #[test]
    fn keys_that_pile_up_are_seen_together_each_with_its_own_time() {
        let start = Instant::now();
        let mut typing = Typing::default();
        for at in 0..3 {
            typing.press(start + ms(at));
        }
        typing.see("> thx", start + ms(5));
        assert_eq!(typing.unseen(), 3, "not what was typed");
        typing.see("> the", start + ms(5));
        assert_eq!((typing.latency_ms(0.01), typing.latency_ms(1.0)), (Some(3.0), Some(5.0)));
    }

    #[test]
    fn a_full_line_is_emptied_once_all_of_it_was_seen() {
        let now = Instant::now();
        let mut typing = Typing::default();
        for _ in 0..LETTERS.len() {
            assert!(typing.press(now).is_some());
        }
        assert_eq!(typing.press(now), None, "not seen yet");
        typing.see(&format!("> {LETTERS}"), now);
        assert_eq!(typing.press(now), Some(EMPTY_THE_LINE));
        assert_eq!(typing.press(now), None, "not seen empty yet");
        typing.see(">", now);
        assert_eq!(typing.press(now), Some("t"));
    }

    #[test]
    fn only_the_prompt_begins_an_input_line() {
        assert_eq!((typed_in("> ab "), typed_in(">"), typed_in("")), (Some("ab"), Some(""), None));
        assert_eq!((typed_in("m0 > ab"), typed_in(">ab")), (None, None));
    }
}
