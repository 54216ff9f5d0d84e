//! Layers between a socket and the protocol: received bytes become plaintext, plaintext becomes
//! bytes to be written.
//!
//! A layer does no I/O. Its owner calls [`receive`](Layer::receive) with every byte of the socket,
//! [`send`](Layer::send) with the protocol's bytes, and after each of them writes
//! [`output`](Layer::output) to the socket, because a layer has output of its own: a handshake's,
//! an answer to the peer, the record that announces the end. Both sides use the same trait; the
//! role is chosen where a layer is made.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt::Debug;

use crate::link::LinkFacts;
use crate::websocket::EncodedHeader;

/// Bound on the bytes a layer holds in each direction: part of a record, or output not yet written.
pub const LAYER_BYTES_MAX: usize = 64 * 1024;

/// Progress of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerState {
    /// Nothing can be sent yet, and no plaintext arrives.
    Handshaking,
    /// Plaintext passes in both directions.
    Open,
    /// The peer has closed its sending side; sending continues until [`Layer::close`].
    PeerClosed,
}

/// Cause for which a connection cannot continue. The layer may have output that reports the cause
/// to the peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
    /// Bytes that the layer does not understand, or that were changed on the way.
    #[error("the peer breaks the rules of the link: {0}")]
    Malformed(String),
    /// The stream ended without an announcement, so that bytes may be missing.
    #[error("the connection was cut off before the peer announced its end")]
    Truncated,
    /// The peer has ended the handshake, or the connection, for a reason of its own.
    #[error("the peer refuses the link: {0}")]
    Refused(String),
    /// The peer's key is not accepted. A text for the person; another attempt ends the same way.
    #[error("{0}")]
    Untrusted(String),
    /// This side cannot take part in the link, such as for want of random numbers.
    #[error("this machine cannot protect the connection: {0}")]
    Unavailable(String),
}

/// Stage between a socket and the protocol, or between two other stages.
pub trait Layer: Debug + Send {
    /// Progress of the handshake, and of the receiving direction after it.
    fn state(&self) -> LayerState;

    /// Facts about the link, once the handshake is over; `None` for a layer that protects nothing.
    fn facts(&self) -> Option<LinkFacts> {
        None
    }

    /// Takes all of `bytes`, which arrived from below, and appends the plaintext they complete: no
    /// more of it than `bytes` and what was held of earlier calls. Bytes after the peer's end are
    /// dropped.
    ///
    /// # Errors
    /// The connection has failed; plaintext appended before stays valid.
    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError>;

    /// Takes plaintext and returns the number of bytes taken: fewer than there are where the output
    /// has reached [`LAYER_BYTES_MAX`], none before the handshake is over and after
    /// [`close`](Layer::close).
    fn send(&mut self, plaintext: &[&[u8]]) -> usize;

    /// Header that lets so many bytes of plaintext pass as they are, behind it in the same write:
    /// they need no copy. `None` where the layer changes plaintext, or is closed: it is given to
    /// [`send`](Layer::send). The owner asks while the output is empty, and gives what it could not
    /// write of both to [`queue_rest`](Layer::queue_rest), unless it could write nothing.
    fn passing_header(&self, plaintext_bytes: usize) -> Option<EncodedHeader> {
        let _ = plaintext_bytes;
        None
    }

    /// Appends the rest of a header and its plaintext to the output.
    fn queue_rest(&mut self, rest: &[&[u8]]) {
        let _ = rest;
    }

    /// Announces that nothing more is sent. Again, it does nothing.
    fn close(&mut self);

    /// Bytes to be written below, as far as they are there.
    fn output(&self) -> &[u8];

    /// Removes the first `bytes` of the output, which were written.
    fn consume_output(&mut self, bytes: usize);

    /// Judges the end of the stream below. Before the handshake is over nothing can be missing.
    ///
    /// # Errors
    /// [`LayerError::Truncated`] where the peer has not announced it.
    fn end_of_input(&self) -> Result<(), LayerError> {
        if self.state() == LayerState::Open { Err(LayerError::Truncated) } else { Ok(()) }
    }
}

/// Maker of the layers of each connection of one side, and owner of the settings they need.
pub trait LayerFactory: Debug + Send + Sync {
    /// Returns the layers of a new connection.
    fn layers(&self) -> LayerStack;
}

/// The layers of one connection, that next to the socket first. An empty stack passes everything
/// through; its owner reads and writes the socket without it ([`LayerStack::is_empty`]).
#[derive(Debug, Default)]
pub struct LayerStack {
    layers: Vec<Box<dyn Layer>>,
    is_closing: bool,
}

impl LayerStack {
    /// Returns a stack of these layers, that next to the socket first.
    pub fn new(layers: Vec<Box<dyn Layer>>) -> Self {
        Self { layers, is_closing: false }
    }

    /// Puts the layers of `upper` on top. They begin with `bytes`, which have passed the layers below
    /// already, and append plaintext as in [`receive`](Self::receive).
    ///
    /// # Errors
    /// One of them has failed.
    pub fn add(&mut self, upper: Self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let level = self.layers.len();
        self.layers.extend(upper.layers);
        let received = receive_through(&mut self.layers[level..], bytes, plaintext);
        self.pass_output_down();
        received
    }

    /// Returns whether bytes and plaintext are the same.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Progress of the whole stack.
    pub fn state(&self) -> LayerState {
        if self.layers.iter().any(|layer| layer.state() == LayerState::Handshaking) {
            return LayerState::Handshaking;
        }
        self.layers.last().map_or(LayerState::Open, |top| top.state())
    }

    /// Facts about the secure layer among them; those of plaintext where there is none.
    pub fn facts(&self) -> LinkFacts {
        self.layers.iter().find_map(|layer| layer.facts()).unwrap_or(LinkFacts::PLAINTEXT)
    }

    /// Passes received bytes up through all layers, as [`Layer::receive`] does for one.
    ///
    /// # Errors
    /// One of the layers has failed.
    pub fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let received = receive_through(&mut self.layers, bytes, plaintext);
        self.pass_output_down();
        received
    }

    /// Passes plaintext down through all layers, as [`Layer::send`] does for one.
    pub fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let sent = self.layers.last_mut().map_or(0, |top| top.send(plaintext));
        self.pass_output_down();
        sent
    }

    /// Header of [`Layer::passing_header`], where the only layer is such a one.
    pub fn passing_header(&self, plaintext_bytes: usize) -> Option<EncodedHeader> {
        let [only] = self.layers.as_slice() else { return None };
        only.passing_header(plaintext_bytes)
    }

    /// Passes the rest of such a write to the only layer.
    pub fn queue_rest(&mut self, rest: &[&[u8]]) {
        if let [only] = self.layers.as_mut_slice() {
            only.queue_rest(rest);
        }
    }

    /// Has each layer announce its end, after that of the layer above.
    pub fn close(&mut self) {
        self.is_closing = true;
        if let Some(top) = self.layers.last_mut() {
            top.close();
        }
        self.pass_output_down();
    }

    /// Bytes for the socket, as far as they are there.
    pub fn output(&self) -> &[u8] {
        self.layers.first().map_or(&[], |bottom| bottom.output())
    }

    /// Removes the first `bytes` of the output, which were written to the socket.
    pub fn consume_output(&mut self, bytes: usize) {
        if let Some(bottom) = self.layers.first_mut() {
            bottom.consume_output(bytes);
        }
        self.pass_output_down();
    }

    /// Judges the end of the socket's stream, as [`Layer::end_of_input`] does for one layer.
    ///
    /// # Errors
    /// One of the layers was cut off.
    pub fn end_of_input(&self) -> Result<(), LayerError> {
        self.layers.iter().try_for_each(|layer| layer.end_of_input())
    }

    fn pass_output_down(&mut self) {
        for index in (1..self.layers.len()).rev() {
            let (lower, upper) = self.layers.split_at_mut(index);
            if let ([.., below], [above, ..]) = (lower, upper) {
                let taken = below.send(&[above.output()]);
                above.consume_output(taken);
                if self.is_closing && above.output().is_empty() {
                    below.close();
                }
            }
        }
    }
}

fn receive_through(layers: &mut [Box<dyn Layer>], bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
    match layers {
        [] => plaintext.extend_from_slice(bytes),
        [top] => return top.receive(bytes, plaintext),
        [bottom, upper @ ..] => {
            let mut between = Vec::new();
            let received = bottom.receive(bytes, &mut between);
            receive_through(upper, &between, plaintext)?;
            return received;
        }
    }
    Ok(())
}
