//! The layers of one side of a connection whose secure link ends at the tap.

use glassline_wire::layer::{LayerError, LayerStack, LayerState};

use crate::line::End;

/// Bound on the comment that waits for its packet, in bytes: a recording keeps no more.
const COMMENT_BYTES_MAX: usize = crate::recording::COMMENT_BYTES_MAX;

/// Layers between a socket and the plaintext. They hold no more than a layer may.
#[derive(Debug)]
pub(crate) struct Link {
    layers: LayerStack,
    /// Rules that made some of the output, for the recording.
    comment: Option<String>,
    /// Nothing passes any more but the output that is there.
    has_failed: bool,
}

impl Link {
    pub(crate) fn new(layers: LayerStack) -> Self {
        Self { layers, comment: None, has_failed: false }
    }

    /// Appends the plaintext of received bytes.
    ///
    /// # Errors
    /// The link has failed, once; what is received later is dropped.
    pub(crate) fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        if self.has_failed {
            return Ok(());
        }
        let received = self.layers.receive(bytes, plaintext);
        self.has_failed = received.is_err();
        received
    }

    /// Takes plaintext, and returns how much: all of it once nobody is left who could read it.
    pub(crate) fn send(&mut self, plaintext: &[u8]) -> usize {
        if self.has_failed { plaintext.len() } else { self.layers.send(&[plaintext]) }
    }

    /// Notes which rules made what was sent last, for the next bytes that leave.
    pub(crate) fn note_comment(&mut self, comment: &str) {
        match &mut self.comment {
            Some(waiting) if waiting.len() < COMMENT_BYTES_MAX => {
                waiting.push_str("; ");
                waiting.push_str(comment);
            }
            Some(_) => {}
            None => self.comment = Some(comment.to_owned()),
        }
    }

    pub(crate) fn take_comment(&mut self) -> Option<String> {
        self.comment.take()
    }

    pub(crate) fn output(&self) -> &[u8] {
        self.layers.output()
    }

    pub(crate) fn consume_output(&mut self, bytes: usize) {
        self.layers.consume_output(bytes);
    }

    /// Has the layers announce that nothing more is sent.
    pub(crate) fn close(&mut self) {
        if !self.has_failed {
            self.layers.close();
        }
    }

    /// Returns whether the peer has announced its end.
    pub(crate) fn is_closed_by_peer(&self) -> bool {
        !self.has_failed && self.layers.state() == LayerState::PeerClosed
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        !self.has_failed && self.layers.state() == LayerState::Handshaking
    }

    /// Returns the meaning of the end of the socket's stream.
    pub(crate) fn end_of_input(&self) -> End {
        match self.layers.end_of_input() {
            Ok(()) => End::Finished,
            Err(_) => End::Truncated,
        }
    }
}
