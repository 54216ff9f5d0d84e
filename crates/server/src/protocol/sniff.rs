//! Sniffing: the first bytes select the link, and the first bytes inside it the protocol (D).

use glassline_hub::Dialect;
use glassline_wire::event::Event;
use glassline_wire::link::LinkKind;
use glassline_wire::opening::{EVENT_OPENING, Opening, Sniffed, sniff};

use crate::close_reason::CloseReason;
use crate::links::Links;
use crate::protocol::{Carrier, refusals};
use crate::web::{Scheme, Service, Web};

/// Longest opening there is.
const OPENING_BYTES_MAX: usize = EVENT_OPENING.len();

/// First bytes of a connection, or of what arrives inside its link, whose protocol is not known yet.
#[derive(Debug)]
pub(crate) struct Sniffer {
    seen: [u8; OPENING_BYTES_MAX],
    seen_bytes: usize,
    /// Link around these bytes.
    link: LinkKind,
    /// A WebSocket is around them, inside that link.
    is_in_websocket: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Unclear,
    /// The tutorial dialect, of which nothing was taken from the input.
    Tutorial,
    /// The event dialect; the opening was taken.
    Event,
    /// HTTP, of which nothing was taken but what the sniffer has seen.
    Http(Service),
    /// A secure link that this server takes; its opening was taken.
    Link(LinkKind),
    /// A protocol or a link that is refused: the reason, and output for the peer.
    Nothing {
        reason: CloseReason,
        output: Vec<u8>,
    },
}

impl Sniffer {
    /// Returns the sniffer of the bytes that arrive inside a link.
    pub(crate) fn inside(link: LinkKind) -> Self {
        Self { seen: [0; OPENING_BYTES_MAX], seen_bytes: 0, link, is_in_websocket: false }
    }

    /// Returns the sniffer of the bytes that arrive inside a WebSocket over a link.
    pub(crate) fn inside_websocket(link: LinkKind) -> Self {
        Self { is_in_websocket: true, ..Self::inside(link) }
    }

    /// Bytes taken so far.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen[..self.seen_bytes]
    }

    /// Takes as much of `input` as it needs to decide.
    pub(crate) fn look(
        &mut self,
        input: &mut &[u8],
        pure: bool,
        links: &Links,
        web: Option<&Web>,
        carrier: &dyn Carrier,
    ) -> Spoken {
        let whole = *input;
        let sniffed = loop {
            match sniff(self.seen()) {
                Sniffed::NeedsMore if self.seen_bytes < OPENING_BYTES_MAX => {
                    let Some((&byte, rest)) = input.split_first() else { return Spoken::Unclear };
                    self.seen[self.seen_bytes] = byte;
                    self.seen_bytes += 1;
                    *input = rest;
                }
                decided => break decided,
            }
        };
        if sniffed == Sniffed::Is(Opening::Tutorial) {
            // The first byte decides, and is the first of a header.
            *input = whole;
        }
        // A pure server sends no notices (T9).
        match self.decide(sniffed, pure, links, web, carrier) {
            Spoken::Nothing { reason, .. } if pure => Spoken::Nothing { reason, output: Vec::new() },
            decided => decided,
        }
    }

    fn decide(&self, sniffed: Sniffed, pure: bool, links: &Links, web: Option<&Web>, carrier: &dyn Carrier) -> Spoken {
        match sniffed {
            // The page speaks the event dialect, and its WebSocket carries nothing else.
            _ if self.is_in_websocket && sniffed != Sniffed::Is(Opening::Event) => {
                Spoken::Nothing { reason: CloseReason::UnknownOpening, output: refusals::not_in_websocket() }
            }
            Sniffed::Is(Opening::Tutorial) => self.dialect(Dialect::Tutorial, links),
            // As the tutorial's server: such a client is not understood. Closing at once lets it
            // fall back at once (D3).
            Sniffed::Is(Opening::Event) if pure => {
                Spoken::Nothing { reason: CloseReason::EventDialectOnPureServer, output: Vec::new() }
            }
            Sniffed::Is(Opening::Event) => self.dialect(Dialect::Event, links),
            Sniffed::Is(Opening::Noise) => self.link(LinkKind::Noise, CloseReason::NoiseNotSpoken, links),
            Sniffed::Is(Opening::Tls) => self.link(LinkKind::Tls, CloseReason::TlsNotSpoken, links),
            Sniffed::Is(Opening::Http) => self.http(pure, links, web, carrier),
            Sniffed::NeedsMore | Sniffed::Unknown => {
                let advice = "your first bytes are no header: send the length in decimal, padded with spaces to ten bytes, then your name";
                let output = Dialect::Tutorial.encode(&Event::notice(advice).into());
                Spoken::Nothing { reason: CloseReason::UnknownOpening, output }
            }
        }
    }

    /// Decides about a dialect inside the present link.
    fn dialect(&self, dialect: Dialect, links: &Links) -> Spoken {
        match (links.required, dialect) {
            (Some(required), _) if !links.admits(self.link) => Spoken::Nothing {
                reason: CloseReason::LinkRequired,
                output: refusals::link_required(dialect, required),
            },
            (_, Dialect::Tutorial) => Spoken::Tutorial,
            (_, Dialect::Event) => Spoken::Event,
        }
    }

    /// Decides about HTTP inside the present link: browsers speak it in plaintext and over TLS.
    fn http(&self, pure: bool, links: &Links, web: Option<&Web>, carrier: &dyn Carrier) -> Spoken {
        let has_page = web.is_some() && !pure;
        match self.link {
            LinkKind::Plaintext if has_page && links.admits(self.link) => Spoken::Http(Service::Page(Scheme::Http)),
            LinkKind::Plaintext if has_page && links.factory(LinkKind::Tls).is_some() => {
                Spoken::Http(Service::Redirect)
            }
            LinkKind::Tls if has_page && links.admits(self.link) => Spoken::Http(Service::Page(Scheme::Https)),
            _ => Spoken::Nothing {
                reason: CloseReason::HttpNotSpoken,
                output: refusals::page(carrier.local_address(), links),
            },
        }
    }

    /// Decides about a link inside the present one.
    fn link(&self, kind: LinkKind, not_spoken: CloseReason, links: &Links) -> Spoken {
        if self.link != LinkKind::Plaintext {
            return Spoken::Nothing { reason: CloseReason::NestedLink, output: refusals::nested_link(kind) };
        }
        if links.factory(kind).is_some() {
            return Spoken::Link(kind);
        }
        let reason = if links.admits(kind) { not_spoken } else { CloseReason::LinkRequired };
        Spoken::Nothing { reason, output: refusals::link_not_taken(kind, links) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glassline_wire::layer::{LayerFactory, LayerStack};

    use super::*;
    use crate::protocol::tests::NoSocket;

    fn sniffer() -> Sniffer {
        Sniffer::inside(LinkKind::Plaintext)
    }

    fn look(mut sniffer: Sniffer, bytes: &[u8], pure: bool, links: &Links) -> Spoken {
        sniffer.look(&mut &bytes[..], pure, links, None, &NoSocket)
    }

    fn refused(spoken: Spoken) -> (CloseReason, String) {
        match spoken {
            Spoken::Nothing { reason, output } => (reason, String::from_utf8_lossy(&output).into_owned()),
            other => panic!("{other:?} is no refusal"),
        }
    }

    /// A server with both links, that requires one or none.
    fn both(required: Option<LinkKind>) -> Links {
        #[derive(Debug)]
        struct Unused;
        impl LayerFactory for Unused {
            fn layers(&self) -> LayerStack {
                LayerStack::default()
            }
        }
        Links { tls: Some(Arc::new(Unused)), noise: Some(Arc::new(Unused)), required }
    }

    const TLS: &[u8] = &[0x16, 0x03, 0x01];
    const NOISE: &[u8] = b"GLASSNOISE";

    #[test]
    fn an_opening_is_recognised_in_any_slicing() {
        let links = Links::default();
        for split in 0..=EVENT_OPENING.len() {
            let mut sniffer = sniffer();
            let (mut head, mut tail) = EVENT_OPENING.split_at(split);
            if split < EVENT_OPENING.len() {
                assert_eq!(sniffer.look(&mut head, false, &links, None, &NoSocket), Spoken::Unclear);
            }
            let rest = [head, tail, b"7 "].concat();
            tail = &rest;
            assert_eq!(sniffer.look(&mut tail, false, &links, None, &NoSocket), Spoken::Event);
            assert_eq!(tail, b"7 ");
        }
    }

    #[test]
    fn one_byte_is_enough_for_the_tutorial_and_for_rubbish() {
        let (mut input, links) = (&b"5         alice"[..], Links::default());
        assert_eq!(sniffer().look(&mut input, false, &links, None, &NoSocket), Spoken::Tutorial);
        assert_eq!(input, b"5         alice");
        assert_eq!(refused(look(sniffer(), b"\xff", false, &links)).0, CloseReason::UnknownOpening);
    }

    #[test]
    fn a_pure_server_says_nothing_to_unknown_openings() {
        for opening in [b"GLASSLINE2".as_slice(), b"rubbish", b"GET / HTTP/1.1", TLS, NOISE] {
            assert_eq!(refused(look(sniffer(), opening, true, &Links::default())).1, "");
        }
        let required = both(Some(LinkKind::Tls));
        let silent = (CloseReason::LinkRequired, String::new());
        assert_eq!(refused(look(sniffer(), b"5", true, &required)), silent);
        assert_eq!(look(Sniffer::inside(LinkKind::Tls), b"5", true, &required), Spoken::Tutorial);
    }

    #[test]
    fn a_link_is_taken_once_and_where_it_is_offered() {
        for (opening, kind, not_spoken) in
            [(TLS, LinkKind::Tls, CloseReason::TlsNotSpoken), (NOISE, LinkKind::Noise, CloseReason::NoiseNotSpoken)]
        {
            assert_eq!(look(sniffer(), opening, false, &both(None)), Spoken::Link(kind));
            assert_eq!(look(sniffer(), opening, true, &both(None)), Spoken::Link(kind), "a pure server too");
            assert_eq!(refused(look(sniffer(), opening, false, &Links::default())).0, not_spoken);
            for outer in [LinkKind::Tls, LinkKind::Noise] {
                let (reason, output) = refused(look(Sniffer::inside(outer), opening, false, &both(None)));
                assert_eq!((reason, output.is_empty()), (CloseReason::NestedLink, false));
            }
        }
    }

    #[test]
    fn other_links_than_the_required_one_are_told_what_to_do() {
        let links = both(Some(LinkKind::Tls));
        for (opening, said) in [
            (&b"5"[..], "glassline join --link tls"),
            (EVENT_OPENING, r#""code":"link_required""#),
            (NOISE, "TLS only"),
            (b"GET ", "glassline join --link tls ADDRESS:PORT"),
        ] {
            let (reason, output) = refused(look(sniffer(), opening, false, &links));
            assert!(output.contains(said), "{reason:?} {output}");
        }
        assert_eq!(look(sniffer(), TLS, false, &links), Spoken::Link(LinkKind::Tls));
        assert_eq!(look(Sniffer::inside(LinkKind::Tls), b"5", false, &links), Spoken::Tutorial);
        let noise_only = both(Some(LinkKind::Noise));
        assert_eq!(refused(look(sniffer(), TLS, false, &noise_only)).0, CloseReason::LinkRequired);
        assert_eq!(look(Sniffer::inside(LinkKind::Noise), EVENT_OPENING, false, &noise_only), Spoken::Event);
    }
}
