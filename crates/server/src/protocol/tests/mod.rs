//! One connection without a socket, for fuzzers.

#[cfg(test)]
mod cases;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use glassline_hub::{ConnectInfo, Hub, MemberId, Now, Rules};
use glassline_wire::frame::Decoder;
use glassline_wire::link::LinkFacts;
use glassline_wire::timestamp::Timestamp;

use crate::links::Links;
use crate::protocol::{Carrier, Protocol, SessionContext, Step};
use crate::web::Web;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 0 } };
/// Most that a connection is sent before it has a name: a file of the page.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
const CONNECTION: usize = 7;
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One connection to a hub that has another member, the witness.
pub struct TestSession {
    hub: Hub,
    witness: MemberId,
    protocol: Protocol,
    member: Option<MemberId>,
    output: Vec<u8>,
    pure: bool,
    links: Links,
    web: Option<Web>,
}

/// Plaintext from nowhere.
pub(crate) struct NoSocket;

impl Carrier for NoSocket {
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }

    fn link_facts(&self) -> LinkFacts {
        LinkFacts::PLAINTEXT
    }
}

impl TestSession {
    /// A hub with one witness in it.
    ///
    /// # Panics
    /// If the witness may not enter, which would be a fault of the hub's.
    pub fn new(pure: bool) -> Self {
        let mut hub = Hub::new(Rules { pure, ..Rules::default() });
        let info = ConnectInfo { connection: 0, token: 1, address: LOCALHOST, link: LinkFacts::PLAINTEXT, now: NOW };
        #[expect(clippy::expect_used, reason = "for tests: a hub that refuses its first member is broken")]
        let witness = hub.enter_tutorial(b"witness", info).expect("an empty hub takes a good name");
        Self {
            hub,
            witness,
            protocol: Protocol::default(),
            member: None,
            output: Vec::new(),
            pure,
            links: Links::default(),
            web: Some(Web::default()),
        }
    }

    /// Takes bytes in; false once the server would close.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        let mut context = SessionContext {
            hub: &mut self.hub,
            now: NOW,
            connection: CONNECTION,
            address: LOCALHOST,
            carrier: &NoSocket,
            member: &mut self.member,
            flood: None,
            pre_login_output: &mut self.output,
            pure: self.pure,
            links: &self.links,
            web: self.web.as_ref(),
            may_register: true,
        };
        match self.protocol.take(&mut &bytes[..], &mut context) {
            Step::Continue => return true,
            Step::Close { output, .. } | Step::StartWebSocket { response: output, .. } => self.output.extend(output),
            Step::Pause(_) | Step::StartLink { .. } => {}
        }
        false
    }

    /// Returns what was sent to it before it had a name, and at its end.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Reads what the witness was sent.
    ///
    /// # Panics
    /// If it is not whole frames, or more is queued than may be.
    pub fn check(mut self) {
        let mut decoder = Decoder::event(1 << 20);
        loop {
            let bytes = self.hub.gather(self.witness).slices().concat();
            let mut input = &bytes[..];
            loop {
                match decoder.next(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => panic!("the witness was sent no frame: {error}"),
                }
            }
            if self.hub.advance(self.witness, bytes.len()) {
                break;
            }
        }
        assert!(decoder.is_at_boundary(), "the witness was sent half a frame");
        assert!(self.output.len() <= OUTPUT_BYTES_MAX, "too much is queued before a name");
    }
}
