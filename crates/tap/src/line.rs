//! One tapped connection, without sockets and without a clock: bytes in, outputs out.

use std::collections::VecDeque;

use crate::frame::{Direction, Frame};
use crate::meaning::{Meaning, Reader};
use crate::splitter::Splitter;

/// How a direction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The sender has sent everything (FIN).
    Finished,
    /// The sender gave the connection up (RST).
    Reset,
}

/// What is to be done or reported, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum LineOutput {
    /// A frame arrived from its sender.
    Arrived(Frame, Box<Meaning>),
    /// Bytes for the receiver of this direction; `comment` names the rules that made them.
    Forward {
        /// Direction in which they go.
        direction: Direction,
        /// The bytes.
        bytes: Vec<u8>,
        /// Rules that were applied, for the recording.
        comment: Option<String>,
    },
    /// The receiver of this direction is to see this end, after everything forwarded before.
    End(Direction, End),
}

/// One connection between client and server.
#[derive(Debug)]
pub struct Line {
    splitter: Splitter,
    reader: Reader,
    outputs: VecDeque<LineOutput>,
}

impl Line {
    /// A connection with this number, on which nothing has passed.
    pub fn new(number: u64) -> Self {
        Self { splitter: Splitter::new(number), reader: Reader::default(), outputs: VecDeque::new() }
    }

    /// Takes bytes in that arrived at `now_us`.
    pub fn receive(&mut self, direction: Direction, bytes: &[u8], now_us: u64) {
        let (reader, outputs) = (&mut self.reader, &mut self.outputs);
        self.splitter.receive(direction, bytes, now_us, |frame| arrived(frame, reader, outputs));
    }

    /// Notes that the sender of this direction has ended it.
    pub fn end(&mut self, direction: Direction, end: End, now_us: u64) {
        if let Some(frame) = self.splitter.end(direction, now_us) {
            arrived(frame, &mut self.reader, &mut self.outputs);
        }
        self.outputs.push_back(LineOutput::End(direction, end));
    }

    /// Returns the next output that is due at `now_us`.
    pub fn next(&mut self, _now_us: u64) -> Option<LineOutput> {
        self.outputs.pop_front()
    }

    /// Returns when the next output is due; `None` if nothing waits for time.
    pub fn due_us(&self) -> Option<u64> {
        None
    }

    /// Returns bytes held in this direction: the sender is not read while they are too many.
    pub fn held_bytes(&self, direction: Direction) -> usize {
        self.splitter.held(direction).len()
    }
}

fn arrived(frame: Frame, reader: &mut Reader, outputs: &mut VecDeque<LineOutput>) {
    let meaning = reader.read(&frame);
    let (direction, bytes) = (frame.direction, frame.bytes.clone());
    outputs.push_back(LineOutput::Arrived(frame, Box::new(meaning)));
    outputs.push_back(LineOutput::Forward { direction, bytes, comment: None });
}
