//! Sniffing: the first bytes select the protocol (D).

use std::net::SocketAddr;

use glassline_hub::Dialect;
use glassline_wire::event::Event;
use glassline_wire::opening::{EVENT_OPENING, Opening, Sniffed, sniff};

use crate::close_reason::CloseReason;
use crate::protocol::http;

/// Longest opening there is.
const OPENING_BYTES_MAX: usize = EVENT_OPENING.len();

/// First bytes of a connection whose protocol is not known yet.
#[derive(Debug, Default)]
pub(crate) struct Sniffer {
    seen: [u8; OPENING_BYTES_MAX],
    seen_bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Unclear,
    /// The tutorial dialect, of which nothing was taken from the input.
    Tutorial,
    /// The event dialect; the opening was taken.
    Event,
    /// An unsupported protocol: the reason, and output for the peer.
    Nothing {
        reason: CloseReason,
        output: Vec<u8>,
    },
}

impl Sniffer {
    /// Takes as much of `input` as it needs to decide.
    pub(crate) fn look(&mut self, input: &mut &[u8], pure: bool, local: &dyn Fn() -> Option<SocketAddr>) -> Spoken {
        let whole = *input;
        while self.seen_bytes < OPENING_BYTES_MAX {
            match sniff(&self.seen[..self.seen_bytes]) {
                Sniffed::NeedsMore => {
                    let Some((&byte, rest)) = input.split_first() else { return Spoken::Unclear };
                    self.seen[self.seen_bytes] = byte;
                    self.seen_bytes += 1;
                    *input = rest;
                }
                Sniffed::Is(Opening::Tutorial) => {
                    // The first byte decides, and is the first of a header.
                    *input = whole;
                    return Spoken::Tutorial;
                }
                decided => return spoken(decided, pure, local),
            }
        }
        spoken(sniff(&self.seen), pure, local)
    }
}

fn spoken(sniffed: Sniffed, pure: bool, local: &dyn Fn() -> Option<SocketAddr>) -> Spoken {
    // A pure server sends no notices (T9).
    let nothing = |reason, output| Spoken::Nothing { reason, output: if pure { Vec::new() } else { output } };
    match sniffed {
        Sniffed::Is(Opening::Tutorial) => Spoken::Tutorial,
        // As the tutorial's server: such a client is not understood. Closing at once lets it
        // fall back at once (D3).
        Sniffed::Is(Opening::Event) if pure => nothing(CloseReason::EventDialectOnPureServer, Vec::new()),
        Sniffed::Is(Opening::Event) => Spoken::Event,
        Sniffed::Is(Opening::Noise) => nothing(CloseReason::NoiseNotSpoken, http::noise()),
        Sniffed::Is(Opening::Tls) => nothing(CloseReason::TlsNotSpoken, http::tls()),
        Sniffed::Is(Opening::Http) => nothing(CloseReason::HttpNotSpoken, http::page(local())),
        Sniffed::NeedsMore | Sniffed::Unknown => {
            let advice = "your first bytes are no header: send the length in decimal, padded with spaces to ten bytes, then your name";
            nothing(CloseReason::UnknownOpening, Dialect::Tutorial.encode(&Event::notice(advice).into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_recognised_in_any_slicing() {
        for split in 0..=EVENT_OPENING.len() {
            let mut sniffer = Sniffer::default();
            let (mut head, mut tail) = EVENT_OPENING.split_at(split);
            if split < EVENT_OPENING.len() {
                assert_eq!(sniffer.look(&mut head, false, &|| None), Spoken::Unclear);
            }
            let rest = [head, tail, b"7 "].concat();
            tail = &rest;
            assert_eq!(sniffer.look(&mut tail, false, &|| None), Spoken::Event);
            assert_eq!(tail, b"7 ");
        }
    }

    #[test]
    fn one_byte_is_enough_for_the_tutorial_and_for_rubbish() {
        let mut input: &[u8] = b"5         alice";
        let mut sniffer = Sniffer::default();
        assert_eq!(sniffer.look(&mut input, false, &|| None), Spoken::Tutorial);
        assert_eq!(input, b"5         alice");
        let mut input: &[u8] = b"\xff";
        assert!(matches!(
            Sniffer::default().look(&mut input, false, &|| None),
            Spoken::Nothing { reason: CloseReason::UnknownOpening, .. }
        ));
    }

    #[test]
    fn a_pure_server_says_nothing_to_unknown_openings() {
        for opening in [b"GLASSLINE2".as_slice(), b"rubbish", b"GET / HTTP/1.1", &[0x16, 0x03, 0x01], b"GLASSNOISE"] {
            let mut input = opening;
            let Spoken::Nothing { output, .. } = Sniffer::default().look(&mut input, true, &|| None) else {
                panic!("refused")
            };
            assert_eq!(output, b"");
        }
    }
}
