//! Records of an open link: encrypted in order, rekeyed by number, ended by an empty one.

use std::fmt;

use glassline_wire::layer::LayerError;
use snow::{HandshakeState, TransportState};

use super::crypto::local_failure;
use super::framing::{LENGTH_BYTES, length};

/// Each direction gets a new key after so many of its records. The old key is then gone: who takes
/// the keys of a running process cannot read earlier records.
pub const REKEY_RECORDS: u64 = 256;
/// Most plaintext of a record that this implementation sends. A receiver decrypts nothing before
/// the record is whole, so longer ones would arrive later.
pub const SENT_PLAINTEXT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the authentication tag, the least that a record has.
const TAG_BYTES: usize = 16;
/// Bytes that a record has beside its plaintext.
pub(super) const RECORD_OVERHEAD_BYTES: usize = LENGTH_BYTES + TAG_BYTES;

/// Meaning of a received record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Data,
    /// The peer sends nothing more.
    End,
}

/// Keys of both directions.
pub(super) struct Records(TransportState);

impl Records {
    /// Takes the keys from a handshake that is over.
    pub(super) fn new(handshake: HandshakeState) -> Result<Self, LayerError> {
        handshake.into_transport_mode().map(Self).map_err(|error| local_failure(&error))
    }

    /// Judges the length of a record, which includes its tag.
    pub(super) fn check_length(bytes: usize) -> Result<(), LayerError> {
        if bytes < TAG_BYTES {
            let text = format!("a record of {bytes} bytes, which is shorter than its tag of {TAG_BYTES}");
            return Err(LayerError::Malformed(text));
        }
        Ok(())
    }

    /// Appends the plaintext of `record` to `plaintext`.
    ///
    /// # Errors
    /// The record is not the next one of the peer.
    pub(super) fn open(&mut self, record: &[u8], plaintext: &mut Vec<u8>) -> Result<Record, LayerError> {
        let start = plaintext.len();
        plaintext.resize(start + record.len().saturating_sub(TAG_BYTES), 0);
        if self.0.read_message(record, &mut plaintext[start..]).is_err() {
            plaintext.truncate(start);
            let text = "a record was changed, repeated, left out or reordered on the way";
            return Err(LayerError::Malformed(text.to_owned()));
        }
        if self.0.receiving_nonce().is_multiple_of(REKEY_RECORDS) {
            self.0.rekey_incoming();
        }
        Ok(if plaintext.len() == start { Record::End } else { Record::Data })
    }

    /// Appends a record with `plaintext`, at most [`SENT_PLAINTEXT_BYTES_MAX`] bytes, to `output`.
    /// An empty one announces the end. Returns whether there is such a record: after 2⁶⁴ there is
    /// none.
    pub(super) fn seal(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> bool {
        let start = output.len();
        output.extend(length(plaintext.len() + TAG_BYTES));
        output.resize(start + plaintext.len() + RECORD_OVERHEAD_BYTES, 0);
        if self.0.write_message(plaintext, &mut output[start + LENGTH_BYTES..]).is_err() {
            output.truncate(start);
            return false;
        }
        if self.0.sending_nonce().is_multiple_of(REKEY_RECORDS) {
            self.0.rekey_outgoing();
        }
        true
    }
}

impl fmt::Debug for Records {
    /// Shows numbers of records, and no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("sent", &self.0.sending_nonce())
            .field("received", &self.0.receiving_nonce())
            .finish()
    }
}
