//! Observations as a real line makes them, from a seed, for tests of what shows them.

use std::net::SocketAddr;

use glassline_tap::{Direction, Frame, Meaning, Observation, Reader, Splitter};
use glassline_testkit::Rng;
use glassline_testkit::frame::frame;

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];
const WORDS: [&str; 6] = ["hello", "who is there?", "see you", "漢字 and 🎉", "a\u{1b}[31mred", "yes"];

/// One connection of the event dialect.
pub(super) struct Generator {
    rng: Rng,
    splitter: Splitter,
    reader: Reader,
    at_us: u64,
}

impl Generator {
    /// A connection on which the opening and a `hello` of alice have passed.
    pub(super) fn new(seed: u64) -> Self {
        let (rng, splitter, reader) = (Rng::new(seed), Splitter::new(1), Reader::default());
        let mut generator = Self { rng, splitter, reader, at_us: 1_700_000_000_000_000 };
        generator.pass(Direction::ToServer, b"GLASSLINE2");
        generator.pass(Direction::ToServer, &frame(r#"{"type":"hello","name":"alice"}"#));
        generator
    }

    /// The observation of the connection's opening.
    pub(super) fn opened(&self) -> Observation {
        Observation::Opened { connection: 1, at_us: self.at_us, client: SocketAddr::from(([127, 0, 0, 1], 50_000)) }
    }

    /// A message of either side.
    pub(super) fn frame(&mut self) -> Observation {
        let (text, name) = (self.rng.pick(&WORDS), self.rng.pick(&NAMES));
        if self.rng.once_in(2) { self.sent(text) } else { self.received(name, text) }
    }

    /// A message of alice.
    pub(super) fn sent(&mut self, text: &str) -> Observation {
        let request = serde_json::json!({"type": "send", "room": "lobby", "text": text, "id": "00"});
        self.pass(Direction::ToServer, &frame(request.to_string()))
    }

    /// A message to alice.
    pub(super) fn received(&mut self, name: &str, text: &str) -> Observation {
        let event = serde_json::json!({"type": "message", "room": "lobby", "from": name, "text": text});
        self.pass(Direction::ToClient, &frame(event.to_string()))
    }

    /// Bytes that are exactly one frame.
    pub(super) fn pass(&mut self, direction: Direction, bytes: &[u8]) -> Observation {
        self.at_us += 1_000;
        let mut completed: Option<Frame> = None;
        self.splitter.receive(direction, bytes, self.at_us, |frame| completed = Some(frame));
        let frame = completed.expect("a whole frame");
        let meaning: Meaning = self.reader.read(&frame);
        Observation::Arrived(frame, Box::new(meaning))
    }
}
