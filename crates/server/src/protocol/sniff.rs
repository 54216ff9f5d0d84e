//! The door: the first bytes decide how a connection is spoken to (D).

use std::net::SocketAddr;

use glassline_hub::server_pair;
use glassline_wire::opening::{EVENT_OPENING, Opening, Sniffed, sniff};

use crate::protocol::http;

/// Longest opening there is.
const OPENING_BYTES_MAX: usize = EVENT_OPENING.len();

/// A connection that has not shown yet what it speaks.
#[derive(Debug, Default)]
pub(crate) struct Door {
    seen: [u8; OPENING_BYTES_MAX],
    seen_bytes: usize,
}

/// Result of the first bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Not enough yet.
    Waits,
    /// The tutorial dialect; the bytes seen at the door are its first.
    Tutorial,
    /// The event dialect; the opening has been read.
    Event,
    /// Not spoken here: the reason, and last words for the peer.
    Refused { reason: &'static str, words: Vec<u8> },
}

impl Door {
    /// Reads as much of `input` as it takes to decide.
    pub(crate) fn look(&mut self, input: &mut &[u8], pure: bool, local: Option<SocketAddr>) -> Entry {
        while self.seen_bytes < OPENING_BYTES_MAX {
            match sniff(&self.seen[..self.seen_bytes]) {
                Sniffed::NeedsMore => {
                    let Some((&byte, rest)) = input.split_first() else { return Entry::Waits };
                    self.seen[self.seen_bytes] = byte;
                    self.seen_bytes += 1;
                    *input = rest;
                }
                decided => return entry(decided, pure, local),
            }
        }
        entry(sniff(&self.seen), pure, local)
    }

    /// The bytes seen so far.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen[..self.seen_bytes]
    }
}

fn entry(sniffed: Sniffed, pure: bool, local: Option<SocketAddr>) -> Entry {
    // A pure server has no words of its own (T9).
    let refused = |reason, words| Entry::Refused { reason, words: if pure { Vec::new() } else { words } };
    match sniffed {
        Sniffed::Is(Opening::Tutorial) => Entry::Tutorial,
        // As the tutorial's own server: such a client is not understood. Closing at once lets it fall back at once (D3).
        Sniffed::Is(Opening::Event) if pure => refused("event_dialect_on_pure_server", Vec::new()),
        Sniffed::Is(Opening::Event) => Entry::Event,
        Sniffed::Is(Opening::Noise) => refused("noise_not_spoken", http::noise()),
        Sniffed::Is(Opening::Tls) => refused("tls_not_spoken", http::tls()),
        Sniffed::Is(Opening::Http) => refused("http_not_spoken", http::http(local)),
        Sniffed::NeedsMore | Sniffed::Unknown => {
            let words = server_pair(
                "your first bytes are no header: send the length in decimal, padded with spaces to ten bytes, then your name",
            );
            refused("unknown_opening", words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_in_any_slicing_is_the_same_entry() {
        for split in 0..=EVENT_OPENING.len() {
            let mut door = Door::default();
            let (mut head, mut tail) = EVENT_OPENING.split_at(split);
            if split < EVENT_OPENING.len() {
                assert_eq!(door.look(&mut head, false, None), Entry::Waits);
            }
            let rest = [head, tail, b"7 "].concat();
            tail = &rest;
            assert_eq!(door.look(&mut tail, false, None), Entry::Event);
            assert_eq!(tail, b"7 ");
        }
    }

    #[test]
    fn one_byte_is_enough_for_the_tutorial_and_for_rubbish() {
        let mut input: &[u8] = b"5         alice";
        let mut door = Door::default();
        assert_eq!(door.look(&mut input, false, None), Entry::Tutorial);
        assert_eq!((door.seen(), input), (b"5".as_slice(), b"         alice".as_slice()));
        let mut input: &[u8] = b"\xff";
        assert!(matches!(
            Door::default().look(&mut input, false, None),
            Entry::Refused { reason: "unknown_opening", .. }
        ));
    }

    #[test]
    fn a_pure_server_has_no_words_for_strangers() {
        for opening in [b"GLASSLINE2".as_slice(), b"rubbish", b"GET / HTTP/1.1", &[0x16, 0x03, 0x01], b"GLASSNOISE"] {
            let mut input = opening;
            let Entry::Refused { words, .. } = Door::default().look(&mut input, true, None) else { panic!("refused") };
            assert_eq!(words, b"");
        }
    }
}
