//! One TLS connection of either side as a layer.

use std::fmt;

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};
use glassline_wire::link::{IdentityKey, LinkFacts, LinkKind};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{CommonState, Error};

use super::{certificate, error};
use crate::Identity;
use crate::gather::Slices;

/// Plaintext of a full record.
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// A slice of so many bytes becomes a record of its own: that costs less than a copy.
const SLICE_BYTES_MIN: usize = 4 * 1024;
/// Header, type and tag of a record.
const RECORD_OVERHEAD_BYTES: usize = 5 + 1 + 16;
/// Room that data leaves in the output for a change of keys, an alert and the announced end.
const RESERVED_BYTES: usize = 512;

/// Connection of one side, as the library has it.
pub(super) trait Side: Send {
    type Data;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    fn common(&self) -> &CommonState;

    /// Text for the person, where the peer's key was refused.
    fn refusal(&self) -> Option<&str>;
}

/// Layer of one connection.
pub(super) struct TlsLayer<S> {
    /// The connection, or the cause of its end.
    side: Result<S, LayerError>,
    state: LayerState,
    peer: Option<IdentityKey>,
    /// Part of a record or of a handshake message.
    held: Vec<u8>,
    output: Vec<u8>,
    is_closed: bool,
}

impl<S: Side> TlsLayer<S> {
    /// Returns the layer of a new connection. A client has output at once.
    pub(super) fn new(side: Result<S, Error>) -> Self {
        let mut layer = Self {
            side: side.map_err(|error| error::layer_error(&error)),
            state: LayerState::Handshaking,
            peer: None,
            held: Vec::new(),
            output: Vec::new(),
            is_closed: false,
        };
        // A failure is returned by each later call of `receive` too.
        let _ = layer.advance(&mut Vec::new());
        layer
    }

    /// Takes from what is held all that is whole. After a failure there is no connection any more.
    fn advance(&mut self, plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let side = self.side.as_mut().map_err(|failure| failure.clone())?;
        let advanced = take_records(side, &mut self.held, &mut self.output, plaintext)
            .map_err(|error| refusal_or(side, &error))
            .and_then(|has_ended| self.note_progress(has_ended));
        if let Err(failure) = &advanced {
            self.side = Err(failure.clone());
            self.held = Vec::new();
        }
        advanced
    }

    fn note_progress(&mut self, has_ended: bool) -> Result<(), LayerError> {
        if self.held.len() > LAYER_BYTES_MAX {
            return Err(LayerError::Malformed("a message is too long".to_owned()));
        }
        if let Ok(side) = &self.side
            && self.state == LayerState::Handshaking
            && !side.common().is_handshaking()
        {
            self.state = LayerState::Open;
            self.peer = peer_identity(side.common());
        }
        match (has_ended, self.state) {
            (false, _) => Ok(()),
            (true, LayerState::Handshaking) => {
                Err(LayerError::Refused("it has closed the link before the handshake was over".to_owned()))
            }
            (true, _) => {
                self.state = LayerState::PeerClosed;
                self.held = Vec::new();
                Ok(())
            }
        }
    }

    /// Calls `with` where data can be encrypted, which is after the handshake and before the end.
    fn with_traffic<R>(&mut self, with: impl FnOnce(&mut WriteTraffic<'_, S::Data>, &mut Vec<u8>) -> R) -> Option<R> {
        let side = self.side.as_mut().ok().filter(|_| self.state != LayerState::Handshaking && !self.is_closed)?;
        loop {
            match side.process(&mut self.held).state.ok()? {
                ConnectionState::WriteTraffic(mut traffic) => return Some(with(&mut traffic, &mut self.output)),
                ConnectionState::EncodeTlsData(mut data) => encode(&mut data, &mut self.output),
                ConnectionState::TransmitTlsData(transmission) => transmission.done(),
                _ => return None,
            }
        }
    }
}

impl<S: Side> Layer for TlsLayer<S> {
    fn state(&self) -> LayerState {
        self.state
    }

    fn facts(&self) -> Option<LinkFacts> {
        (self.state != LayerState::Handshaking).then_some(LinkFacts { kind: LinkKind::Tls, peer: self.peer })
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        if self.state == LayerState::PeerClosed {
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        self.advance(plaintext)
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let mut slices = Slices::with_whole_from(plaintext, SLICE_BYTES_MIN);
        let plaintext_bytes: usize = plaintext.iter().map(|slice| slice.len()).sum();
        let mut taken_bytes = 0;
        self.with_traffic(|traffic, output| {
            output.reserve((plaintext_bytes + RECORD_OVERHEAD_BYTES).min(LAYER_BYTES_MAX.saturating_sub(output.len())));
            loop {
                let room_bytes = LAYER_BYTES_MAX.saturating_sub(output.len() + RECORD_OVERHEAD_BYTES + RESERVED_BYTES);
                let record = slices.next(room_bytes.min(RECORD_BYTES_MAX));
                let bytes = record.len();
                let is_taken =
                    bytes > 0 && append(output, bytes + RECORD_OVERHEAD_BYTES, |space| traffic.encrypt(record, space));
                if !is_taken {
                    return;
                }
                taken_bytes += bytes;
            }
        });
        taken_bytes
    }

    fn close(&mut self) {
        self.with_traffic(|traffic, output| {
            append(output, RECORD_OVERHEAD_BYTES, |space| traffic.queue_close_notify(space));
        });
        self.is_closed = true;
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        drop_front(&mut self.output, bytes);
    }

    /// As every layer does; after a failure the end is not a clean one either.
    fn end_of_input(&self) -> Result<(), LayerError> {
        match &self.side {
            Err(failure) => Err(failure.clone()),
            Ok(_) if self.state == LayerState::Open => Err(LayerError::Truncated),
            Ok(_) => Ok(()),
        }
    }
}

impl<S> fmt::Debug for TlsLayer<S> {
    /// Shows no key and no byte of what passes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsLayer").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Processes the records in `held` that are whole, and removes them. Returns whether the peer has
/// announced its end.
fn take_records<S: Side>(
    side: &mut S,
    held: &mut Vec<u8>,
    output: &mut Vec<u8>,
    plaintext: &mut Vec<u8>,
) -> Result<bool, Error> {
    let (mut taken_bytes, mut has_ended, mut is_waiting) = (0, false, false);
    let mut taken = Ok(());
    while !is_waiting && taken.is_ok() {
        let UnbufferedStatus { mut discard, state, .. } = side.process(&mut held[taken_bytes..]);
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(Ok(record)) = traffic.next_record() {
                    plaintext.extend_from_slice(record.payload);
                    discard += record.discard;
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, output),
            Ok(ConnectionState::TransmitTlsData(transmission)) => transmission.done(),
            Ok(ConnectionState::PeerClosed) => has_ended = true,
            Ok(_) => is_waiting = true,
            Err(error) => taken = Err(error),
        }
        taken_bytes += discard;
    }
    drop_front(held, taken_bytes);
    // The alert that tells the peer.
    while taken.is_err()
        && side.common().wants_write()
        && let Ok(ConnectionState::EncodeTlsData(mut data)) = side.process(held).state
    {
        encode(&mut data, output);
    }
    taken.map(|()| has_ended)
}

fn refusal_or<S: Side>(side: &S, error: &Error) -> LayerError {
    side.refusal().map_or_else(|| error::layer_error(error), |text| LayerError::Untrusted(text.to_owned()))
}

/// Returns the peer's Ed25519 key, if that is the kind of its certificate.
fn peer_identity(common: &CommonState) -> Option<IdentityKey> {
    let spki = certificate::spki(common.peer_certificates()?.first()?).ok()?;
    Identity::key_of_spki(&spki)
}

fn encode<D>(data: &mut EncodeTlsData<'_, D>, output: &mut Vec<u8>) {
    let start = output.len();
    if let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) {
        output.resize(start + needed.required_size, 0);
        // It has the size it asked for.
        let _ = data.encode(&mut output[start..]);
    }
}

/// Appends what `write` writes, which is about `bytes`. Returns whether it has written.
fn append(
    output: &mut Vec<u8>,
    mut bytes: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> bool {
    let start = output.len();
    loop {
        output.resize(start + bytes, 0);
        match write(&mut output[start..]) {
            Ok(written_bytes) => {
                output.truncate(start + written_bytes);
                return true;
            }
            Err(EncryptError::InsufficientSize(needed)) if needed.required_size > bytes => {
                bytes = needed.required_size;
            }
            Err(_) => {
                output.truncate(start);
                return false;
            }
        }
    }
}

/// Removes the first bytes; a buffer that becomes empty takes no memory.
fn drop_front(buffer: &mut Vec<u8>, bytes: usize) {
    if bytes >= buffer.len() {
        *buffer = Vec::new();
    } else {
        buffer.drain(..bytes);
    }
}
