//! One connection without a socket, for fuzzers.

use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{ConnectInfo, Hub, MemberId, Now, Rules};
use glassline_wire::frame::Decoder;
use glassline_wire::timestamp::Timestamp;

use crate::protocol::sniff::{Door, Entry};
use crate::protocol::{Desk, Verdict, event::EventSession, tutorial::TutorialSession};

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 0 } };
const STRANGER: usize = 7;
const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

enum Stage {
    AtDoor(Door),
    Tutorial(TutorialSession),
    Event(EventSession),
}

/// One stranger at the door of a hub in which a witness sits.
pub struct TestSession {
    hub: Hub,
    witness: MemberId,
    stage: Stage,
    member: Option<MemberId>,
    words: Vec<u8>,
    pure: bool,
}

impl TestSession {
    /// A hub with one witness in it.
    ///
    /// # Panics
    /// If the witness may not enter, which would be a fault of the hub's.
    pub fn new(pure: bool) -> Self {
        let mut hub = Hub::new(Rules { pure, ..Rules::default() });
        let entrance = ConnectInfo { connection: 0, token: 1, address: NEAR, now: NOW };
        #[expect(clippy::expect_used, reason = "for tests: a hub that refuses its first member is broken")]
        let witness = hub.enter_tutorial(b"witness", entrance).expect("an empty hub takes a good name");
        Self { hub, witness, stage: Stage::AtDoor(Door::default()), member: None, words: Vec::new(), pure }
    }

    /// Feeds bytes from the stranger; false once the server would close.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        let mut input = bytes;
        let mut seen = Vec::new();
        if let Stage::AtDoor(door) = &mut self.stage {
            match door.look(&mut input, self.pure, None) {
                Entry::Waits => return true,
                Entry::Refused { .. } => return false,
                Entry::Event => self.stage = Stage::Event(EventSession::new()),
                Entry::Tutorial => {
                    seen = door.seen().to_vec();
                    self.stage = Stage::Tutorial(TutorialSession::new());
                }
            }
        }
        self.session_takes(&seen) && self.session_takes(input)
    }

    fn session_takes(&mut self, bytes: &[u8]) -> bool {
        let mut desk = Desk {
            hub: &mut self.hub,
            now: NOW,
            connection: STRANGER,
            address: NEAR,
            member: &mut self.member,
            flood: None,
            words: &mut self.words,
            pure: self.pure,
        };
        let mut input = bytes;
        let verdict = match &mut self.stage {
            Stage::Tutorial(session) => session.take(&mut input, &mut desk),
            Stage::Event(session) => session.take(&mut input, &mut desk),
            Stage::AtDoor(_) => Verdict::GoesOn,
        };
        matches!(verdict, Verdict::GoesOn)
    }

    /// Reads what the witness was sent.
    ///
    /// # Panics
    /// If it is not whole frames, or more is owed than may be.
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
        assert!(self.words.len() <= glassline_wire::limits::GREETING_BYTES_MAX, "a stranger is owed too much");
    }
}
