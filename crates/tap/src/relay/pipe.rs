//! One direction of a connection: the bytes on their way to the sink, and its end.

use std::collections::VecDeque;

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
    /// Parts of the waiting bytes, in their order.
    parts: VecDeque<Part>,
    /// Memory of the parts, in bytes.
    parts_bytes: usize,
}

/// Consecutive waiting bytes. Only the first of them were made by the rules of a comment.
#[derive(Debug)]
struct Part {
    length: usize,
    comment: Option<String>,
}

impl Part {
    fn held_bytes(comment: Option<&str>) -> usize {
        size_of::<Self>() + comment.map_or(0, str::len)
    }
}

impl Pipe {
    pub(crate) fn new() -> Self {
        Self {
            input: Input::Open,
            output: Output::Open,
            waiting: Vec::new(),
            written: 0,
            parts: VecDeque::new(),
            parts_bytes: 0,
        }
    }

    pub(crate) fn input(&self) -> Input {
        self.input
    }

    pub(crate) fn output(&self) -> Output {
        self.output
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the memory of what the sink has not taken, in bytes.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.len() - self.written + self.parts_bytes
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

    /// Forwards bytes, and returns how many the sink has taken: none while earlier ones wait. Those
    /// that come after the end are discarded.
    pub(crate) fn send(&mut self, sink: &mut Peer, bytes: &[u8], comment: Option<&str>) -> usize {
        if self.output != Output::Open {
            return 0;
        }
        let written = if self.is_empty() { sink.write(bytes) } else { 0 };
        if written < bytes.len() && !sink.is_reset() {
            self.wait(&bytes[written..], comment.filter(|_| written == 0));
        }
        written
    }

    /// Keeps bytes until the sink takes them; without bytes, a comment that has its place between
    /// those before and after it.
    pub(crate) fn wait(&mut self, bytes: &[u8], comment: Option<&str>) {
        self.waiting.extend_from_slice(bytes);
        match self.parts.back_mut() {
            Some(last) if comment.is_none() && last.length > 0 => last.length += bytes.len(),
            _ => {
                self.parts_bytes += Part::held_bytes(comment);
                self.parts.push_back(Part { length: bytes.len(), comment: comment.map(str::to_owned) });
            }
        }
    }

    /// Writes what waits, as far as the sink takes it, and passes what it has taken to `note_written`,
    /// each part with its comment.
    pub(crate) fn write_waiting(&mut self, sink: &mut Peer, mut note_written: impl FnMut(&[u8], Option<&str>)) {
        if self.is_empty() {
            return;
        }
        let written = self.written + sink.write(&self.waiting[self.written..]);
        while let Some(part) = self.parts.front_mut() {
            let taken = part.length.min(written - self.written);
            if taken == 0 && part.length > 0 {
                break;
            }
            self.parts_bytes -= Part::held_bytes(part.comment.as_deref());
            note_written(&self.waiting[self.written..self.written + taken], part.comment.as_deref());
            self.written += taken;
            part.length -= taken;
            if part.length > 0 {
                part.comment = None;
                self.parts_bytes += Part::held_bytes(None);
                break;
            }
            self.parts.pop_front();
        }
        if self.is_empty() || sink.is_reset() {
            self.discard_waiting();
        }
    }

    /// Gives up what the sink has not taken.
    pub(crate) fn discard_waiting(&mut self) {
        (self.waiting, self.written) = (Vec::new(), 0);
        (self.parts, self.parts_bytes) = (VecDeque::new(), 0);
    }

    /// Returns the end that the sink is to see now, until [`Self::end`].
    pub(crate) fn due_end(&self) -> Option<End> {
        let Output::Ending(end) = self.output else { return None };
        self.is_empty().then_some(end)
    }

    /// Notes that the sink has seen its end.
    pub(crate) fn end(&mut self) {
        self.output = Output::Ended;
    }
}
