//! One direction of a connection: the bytes on their way to the sink, and its end.

use crate::line::End;
use crate::relay::peer::Peer;

/// State of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// More may come.
    Open,
    /// It has ended.
    Ended(End),
}

/// State of the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// It takes bytes.
    Open,
    /// It is to see this end, behind the waiting bytes.
    Ending(End),
    /// It has seen the end.
    Ended,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Pipe {
    input: Input,
    output: Output,
    /// Bytes that the sink has not taken. Empty, and without an allocation, while it keeps up.
    waiting: Vec<u8>,
    written: usize,
}

impl Pipe {
    pub(crate) fn new() -> Self {
        Self { input: Input::Open, output: Output::Open, waiting: Vec::new(), written: 0 }
    }

    pub(crate) fn input(&self) -> Input {
        self.input
    }

    pub(crate) fn output(&self) -> Output {
        self.output
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the bytes that the sink has not taken.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.len() - self.written
    }

    pub(crate) fn end_input(&mut self, end: End) {
        self.input = Input::Ended(end);
    }

    /// Ends the sink behind what waits; a reset also overtakes an end that was already there.
    pub(crate) fn end_output(&mut self, end: End) {
        if self.output == Output::Open || end == End::Reset {
            self.output = Output::Ending(end);
        }
    }

    /// Forwards bytes. Those that come after the end are discarded.
    pub(crate) fn send(&mut self, sink: &mut Peer, bytes: &[u8]) {
        if self.output != Output::Open {
            return;
        }
        let written = if self.waiting.is_empty() { sink.write(bytes) } else { 0 };
        if written < bytes.len() && !sink.is_reset() {
            self.waiting.extend_from_slice(&bytes[written..]);
        }
    }

    /// Writes what waits, as far as the sink takes it.
    pub(crate) fn write_waiting(&mut self, sink: &mut Peer) {
        if self.waiting.is_empty() {
            return;
        }
        self.written += sink.write(&self.waiting[self.written..]);
        if self.written == self.waiting.len() || sink.is_reset() {
            self.discard_waiting();
        }
    }

    /// Gives up what the sink has not taken.
    pub(crate) fn discard_waiting(&mut self) {
        self.waiting = Vec::new();
        self.written = 0;
    }

    /// Returns the end that the sink is to see now, once.
    pub(crate) fn take_due_end(&mut self) -> Option<End> {
        let Output::Ending(end) = self.output else { return None };
        if !self.waiting.is_empty() {
            return None;
        }
        self.output = Output::Ended;
        Some(end)
    }
}
