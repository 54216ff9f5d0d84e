//! One tapped connection, without sockets and without a clock: bytes in, outputs out.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::frame::{Direction, Frame};
use crate::meaning::{Meaning, Reader};
use crate::observation::Applied;
use crate::rules::{Edit, RuleSet};
use crate::splitter::Splitter;

/// Bytes held in one direction from which its sender is not to be read. A single read may exceed
/// it, and bytes that rules add may exceed it by one frame.
pub const LINE_BYTES_MAX: usize = 512 * 1024;

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
    /// A rule was applied, or could not be.
    Applied(Applied),
    /// A frame waits for [`Line::answer`].
    Ask(Box<Ask>),
    /// Bytes for the receiver of this direction.
    Forward {
        /// Direction in which they go.
        direction: Direction,
        /// The bytes, in one write if the socket takes them: slices are not joined. Empty where
        /// rules left nothing of a frame, which a recording notes and a socket is not given.
        bytes: Vec<u8>,
        /// Rules that made or changed them, for the recording.
        comment: Option<String>,
    },
    /// The receiver of this direction is to see this end, after everything forwarded before.
    End(Direction, End),
}

/// A frame that waits for a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The frame; both frames of a tutorial pair, with the number of the second.
    pub frame: Frame,
    /// What it says.
    pub meaning: Meaning,
    /// Label of the rule that asks.
    pub rule: String,
    /// Who is asked.
    pub decider: Decider,
    /// Time at which it passes without an answer, in microseconds since 1970 (UTC).
    pub deadline_us: u64,
}

/// Who decides about a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// The user of the tap.
    Hand,
    /// This program.
    Hook(Vec<String>),
}

/// Decision about a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It passes.
    Pass,
    /// It does not pass.
    Drop,
    /// These bytes pass in its place.
    Replace(Vec<u8>),
    /// It passes with other fields.
    Edit(Vec<Edit>),
    /// The connection ends here.
    Cut(End),
}

/// One connection between client and server.
///
/// Without rules every byte is forwarded at once. With rules a frame is forwarded when it is
/// whole, a pair of the tutorial dialect when both its frames are. Call [`Line::next`] until it
/// returns `None` after each call that takes something in, and at [`Line::due_us`].
#[derive(Debug)]
pub struct Line {
    splitter: Splitter,
    reader: Reader,
    rules: Arc<RuleSet>,
    outputs: VecDeque<LineOutput>,
}

impl Line {
    /// A connection with this number, on which nothing has passed.
    pub fn new(number: u64) -> Self {
        Self {
            splitter: Splitter::new(number),
            reader: Reader::default(),
            rules: Arc::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Applies these rules from now on. Everything that was held, and that none of them holds,
    /// passes now.
    pub fn set_rules(&mut self, rules: Arc<RuleSet>, _now_us: u64) {
        self.rules = rules;
    }

    /// Decides about the frame of this number that waits. Returns false if none does: its deadline
    /// has passed, or its rule was removed.
    pub fn answer(&mut self, _direction: Direction, _frame_number: u64, _verdict: Verdict, _now_us: u64) -> bool {
        false
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

    /// Returns the bytes held in this direction. From [`LINE_BYTES_MAX`] on its sender is not to be
    /// read, until fewer are held: they become fewer as time passes or a decision is made.
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
