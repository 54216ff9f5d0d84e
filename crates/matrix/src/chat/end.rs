//! One end of a connection: layers, and frames above them.

use glassline_wire::frame::{self, Decoder, Frame};
use glassline_wire::layer::{LayerStack, LayerState};
use glassline_wire::limits::EVENT_BYTES_MAX;
use glassline_wire::link::LinkFacts;
use glassline_wire::opening::EVENT_OPENING;
use serde_json::Value;

/// One end.
#[derive(Debug)]
pub(crate) struct End {
    stack: LayerStack,
    /// Plaintext that the layers have not taken.
    unsent: Vec<u8>,
    /// Output where there are no layers.
    output: Vec<u8>,
    /// All plaintext received.
    received: Vec<u8>,
    /// Bytes of it that were read as frames.
    read_bytes: usize,
    decoder: Decoder,
    expects_opening: bool,
    error: Option<String>,
}

impl End {
    /// The end of a member, which sends the opening.
    pub(crate) fn client(stack: LayerStack) -> Self {
        Self::new(stack, false)
    }

    /// The end of a server, which expects the opening.
    pub(crate) fn server(stack: LayerStack) -> Self {
        Self::new(stack, true)
    }

    fn new(stack: LayerStack, expects_opening: bool) -> Self {
        Self {
            stack,
            unsent: Vec::new(),
            output: Vec::new(),
            received: Vec::new(),
            read_bytes: 0,
            decoder: Decoder::event(EVENT_BYTES_MAX),
            expects_opening,
            error: None,
        }
    }

    /// Queues plaintext.
    pub(crate) fn send(&mut self, plaintext: &[u8]) {
        self.unsent.extend_from_slice(plaintext);
    }

    /// Queues one frame.
    pub(crate) fn send_json(&mut self, value: &Value) {
        self.send(&frame::frame(value.to_string().as_bytes()));
    }

    /// Announces the end.
    pub(crate) fn close(&mut self) {
        self.stack.close();
    }

    /// Takes the bytes for the line; empty where there are none.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        let mut output = std::mem::take(&mut self.output);
        if self.stack.is_empty() {
            output.append(&mut self.unsent);
            return output;
        }
        loop {
            output.extend_from_slice(self.stack.output());
            self.stack.consume_output(self.stack.output().len());
            // One that has failed only reports why.
            let taken = if self.error.is_none() { self.stack.send(&[&self.unsent]) } else { 0 };
            self.unsent.drain(..taken);
            if taken == 0 && self.stack.output().is_empty() {
                return output;
            }
        }
    }

    /// Takes bytes in that arrived, and keeps the first error.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.stack.receive(bytes, &mut self.received) {
            self.fail(error.to_string());
        }
    }

    /// Notes that the line has ended.
    pub(crate) fn end_of_input(&mut self) {
        if let Err(error) = self.stack.end_of_input() {
            self.fail(error.to_string());
        } else if !self.is_between_frames() && self.error.is_none() {
            self.fail("the stream ends within a frame".to_owned());
        }
    }

    fn is_between_frames(&self) -> bool {
        self.read_bytes == self.received.len() && self.decoder.is_at_boundary()
    }

    /// Returns the next frame; an error of it is kept.
    pub(crate) fn next_frame(&mut self) -> Option<Value> {
        let mut rest = self.received.get(self.read_bytes..)?;
        if self.expects_opening {
            let opening = rest.first_chunk::<10>()?;
            if opening != EVENT_OPENING {
                self.fail("the opening is unknown".to_owned());
                self.read_bytes = self.received.len();
                return None;
            }
            self.read_bytes += EVENT_OPENING.len();
            self.expects_opening = false;
            return self.next_frame();
        }
        let value: Result<Option<Value>, _> = match self.decoder.next(&mut rest) {
            Ok(Some(Frame::Payload(payload))) => {
                serde_json::from_slice(payload).map(Some).map_err(|_| "a frame is no JSON")
            }
            Ok(Some(Frame::Goodbye) | None) => Ok(None),
            Err(_) => {
                rest = &[];
                Err("a header is malformed")
            }
        };
        self.read_bytes = self.received.len() - rest.len();
        value.unwrap_or_else(|reason| {
            self.fail(reason.to_owned());
            None
        })
    }

    pub(crate) fn fail(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    /// The first error.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// All plaintext received.
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }

    pub(crate) fn is_open(&self) -> bool {
        self.error.is_none() && (self.stack.is_empty() || self.stack.state() != LayerState::Handshaking)
    }

    pub(crate) fn facts(&self) -> LinkFacts {
        self.stack.facts()
    }
}
