//! A layer of messages with a length in front: first those of a handshake, then records.
//!
//! ```text
//! length (2, big-endian) | handshake message, record, or reason for which the connection fails
//! ```

use std::fmt::Debug;

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerStack, LayerState};

/// Longest message in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Plaintext of one record in bytes.
const PLAINTEXT_BYTES_MAX: usize = 2 * 1024;

/// Step of a handshake.
#[derive(Debug)]
pub(crate) enum Step {
    /// Another message is expected, after this answer.
    Continue(Vec<u8>),
    /// It is over, after this answer; records follow.
    Open(Vec<u8>, Box<dyn Protection>),
}

/// One side of a handshake. Empty messages are not sent.
pub(crate) trait Handshake: Debug + Send {
    /// Returns the first step, before anything was received.
    fn start(&mut self) -> Step;

    /// Takes a message of the peer.
    fn receive(&mut self, message: &[u8]) -> Result<Step, LayerError>;
}

/// Protection of records, of both directions at one side.
pub(crate) trait Protection: Debug + Send {
    /// Returns the record that carries `plaintext`.
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8>;

    /// Returns the plaintext of a record, or the reason for which there is none. The reason is told
    /// to the peer.
    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str>;

    /// Returns whether an empty record announces the end.
    fn has_end(&self) -> bool {
        true
    }
}

/// The handshake of schemes that have none.
#[derive(Debug)]
pub(crate) struct NoHandshake(Option<Box<dyn Protection>>);

impl Handshake for NoHandshake {
    fn start(&mut self) -> Step {
        self.0.take().map_or_else(|| Step::Continue(Vec::new()), |records| Step::Open(Vec::new(), records))
    }

    fn receive(&mut self, _: &[u8]) -> Result<Step, LayerError> {
        Err(LayerError::Malformed("there is no handshake".to_owned()))
    }
}

/// Returns layers with a handshake.
pub(crate) fn layers(handshake: impl Handshake + 'static) -> LayerStack {
    LayerStack::new(vec![Box::new(RecordLayer::new(Box::new(handshake)))])
}

/// Returns layers without one.
pub(crate) fn layers_without_handshake(records: impl Protection + 'static) -> LayerStack {
    layers(NoHandshake(Some(Box::new(records))))
}

#[derive(Debug)]
enum Phase {
    Handshaking(Box<dyn Handshake>),
    Open(Box<dyn Protection>),
}

#[derive(Debug)]
struct RecordLayer {
    phase: Phase,
    has_peer_closed: bool,
    has_closed: bool,
    held: Vec<u8>,
    output: Vec<u8>,
}

impl RecordLayer {
    fn new(mut handshake: Box<dyn Handshake>) -> Self {
        let first = handshake.start();
        let mut layer = Self {
            phase: Phase::Handshaking(handshake),
            has_peer_closed: false,
            has_closed: false,
            held: Vec::new(),
            output: Vec::new(),
        };
        layer.advance(first);
        layer
    }

    fn advance(&mut self, step: Step) {
        let answer = match step {
            Step::Continue(answer) => answer,
            Step::Open(answer, records) => {
                self.phase = Phase::Open(records);
                answer
            }
        };
        if !answer.is_empty() {
            self.push(&answer);
        }
    }

    fn push(&mut self, message: &[u8]) {
        self.output.extend(u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.output.extend_from_slice(message);
    }

    fn take(&mut self, message: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        match &mut self.phase {
            Phase::Handshaking(handshake) => {
                let step = handshake.receive(message)?;
                self.advance(step);
            }
            Phase::Open(records) => match records.unprotect(message) {
                Ok(part) => {
                    self.has_peer_closed = part.is_empty() && records.has_end();
                    plaintext.extend(part);
                }
                Err(reason) => {
                    self.push(reason.as_bytes());
                    return Err(LayerError::Malformed(reason.to_owned()));
                }
            },
        }
        Ok(())
    }
}

impl Layer for RecordLayer {
    fn state(&self) -> LayerState {
        match self.phase {
            Phase::Handshaking(_) => LayerState::Handshaking,
            Phase::Open(_) if self.has_peer_closed => LayerState::PeerClosed,
            Phase::Open(_) => LayerState::Open,
        }
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        self.held.extend_from_slice(bytes);
        while let Some((length, rest)) = self.held.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > MESSAGE_BYTES_MAX {
                return Err(LayerError::Malformed("a message is too long".to_owned()));
            }
            let Some(message) = rest.get(..length).map(<[u8]>::to_vec) else { break };
            self.held.drain(..2 + length);
            if !self.has_peer_closed {
                self.take(&message, plaintext)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let mut sent = 0;
        for part in plaintext.iter().flat_map(|part| part.chunks(PLAINTEXT_BYTES_MAX)) {
            let Phase::Open(records) = &mut self.phase else { break };
            if self.has_closed || self.output.len() + MESSAGE_BYTES_MAX > LAYER_BYTES_MAX {
                break;
            }
            let record = records.protect(part);
            self.push(&record);
            sent += part.len();
        }
        sent
    }

    fn close(&mut self) {
        if let Phase::Open(records) = &mut self.phase
            && records.has_end()
            && !self.has_closed
        {
            let record = records.protect(&[]);
            self.push(&record);
        }
        self.has_closed = true;
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        match &self.phase {
            Phase::Open(records) if records.has_end() && !self.has_peer_closed => Err(LayerError::Truncated),
            Phase::Open(_) | Phase::Handshaking(_) => Ok(()),
        }
    }
}
