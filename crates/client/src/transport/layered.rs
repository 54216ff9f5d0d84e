//! Layers of one connection, without I/O: events of the stream become inputs of the session, and
//! what the session sends becomes steps of the writer.

use std::collections::VecDeque;
use std::mem::take;

use glassline_session::Input;
use glassline_wire::layer::{LayerStack, LayerState};

use super::{CLOSED_BY_PEER, WriterStep};
use crate::inbox::StreamEvent;
use crate::link::HandshakeFailure;

#[derive(Debug, Default)]
pub(super) struct Layered {
    stack: LayerStack,
    /// The session has received the event that the connection is established.
    is_connected: bool,
    /// Sends of the session that the layers have not taken whole; at most two.
    waiting: VecDeque<Vec<u8>>,
    /// Sends that the layers have taken and that are not reported to the session as written.
    taken: usize,
    /// A write is under way.
    is_writing: bool,
    /// The sending side is to be closed after everything before it.
    is_close_due: bool,
}

impl Layered {
    /// Returns `None` for an empty stack, which needs none of this.
    pub(super) fn new(stack: LayerStack) -> Option<Self> {
        (!stack.is_empty()).then(|| Self { stack, ..Self::default() })
    }

    /// Processes an event of the stream and passes to `handle` what the session gets of it.
    ///
    /// # Errors
    /// The handshake has failed; the session has not received anything of it.
    pub(super) fn take(
        &mut self,
        event: StreamEvent,
        mut handle: impl FnMut(Input<'_>),
    ) -> Result<(), HandshakeFailure> {
        match event {
            StreamEvent::Bytes(bytes) => {
                let mut plaintext = Vec::new();
                let received = self.stack.receive(&bytes, &mut plaintext);
                if !self.is_connected && self.stack.state() != LayerState::Handshaking {
                    self.is_connected = true;
                    handle(Input::Connected);
                }
                if !plaintext.is_empty() {
                    handle(Input::Bytes(&plaintext));
                }
                match received {
                    Ok(()) if self.stack.state() == LayerState::PeerClosed => handle(Input::Closed(CLOSED_BY_PEER)),
                    Ok(()) => {}
                    Err(error) => return self.fail(error.into(), handle),
                }
            }
            StreamEvent::Written => {
                self.is_writing = false;
                // A write takes all output there is, so none left means that everything is written.
                if self.stack.output().is_empty() {
                    (0..take(&mut self.taken)).for_each(|_| handle(Input::Written));
                }
            }
            StreamEvent::Closed(why) => {
                return match self.stack.end_of_input() {
                    Err(error) if why == CLOSED_BY_PEER => self.fail(error.into(), handle),
                    _ => self.fail(HandshakeFailure::Closed(why), handle),
                };
            }
            StreamEvent::Silent => return self.fail(HandshakeFailure::Silent, handle),
        }
        Ok(())
    }

    /// Ends the connection: for the session if it is connected, else for the owner.
    fn fail(&self, failure: HandshakeFailure, mut handle: impl FnMut(Input<'_>)) -> Result<(), HandshakeFailure> {
        if !self.is_connected {
            return Err(failure);
        }
        handle(Input::Closed(&failure.cause()));
        Ok(())
    }

    /// Returns whether the handshake is over.
    pub(super) fn is_connected(&self) -> bool {
        self.is_connected
    }

    #[cfg(test)]
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing
    }

    /// Takes a step of the session, with plaintext to write; it follows everything before it.
    pub(super) fn put(&mut self, step: WriterStep) {
        match step {
            WriterStep::Write(plaintext) => self.waiting.push_back(plaintext),
            WriterStep::HalfClose => self.is_close_due = true,
        }
    }

    /// Closes the layers and returns their last output; nothing if that cannot follow everything
    /// before it, because a write is under way.
    pub(super) fn end_now(&mut self) -> Option<Vec<u8>> {
        if self.is_writing {
            return None;
        }
        self.stack.close();
        Some(self.stack.output().to_vec())
    }

    /// Returns the next step of the writer, one write at a time.
    pub(super) fn next_step(&mut self) -> Option<WriterStep> {
        if self.is_writing {
            return None;
        }
        while let Some(plaintext) = self.waiting.front_mut() {
            let sent_bytes = self.stack.send(&[plaintext]);
            plaintext.drain(..sent_bytes);
            if !plaintext.is_empty() {
                break;
            }
            self.waiting.pop_front();
            self.taken += 1;
        }
        let is_closing = self.is_close_due && self.waiting.is_empty();
        if is_closing {
            self.stack.close();
        }
        let output = self.stack.output().to_vec();
        if !output.is_empty() {
            self.stack.consume_output(output.len());
            self.is_writing = true;
            return Some(WriterStep::Write(output));
        }
        is_closing.then(|| {
            self.is_close_due = false;
            WriterStep::HalfClose
        })
    }
}
