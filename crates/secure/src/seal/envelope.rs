//! The readable part of a sealed message, which is authenticated but not encrypted.

use base64ct::{Base64Unpadded, Encoding};
use glassline_wire::limits::SEALED_BYTES_MAX;
use glassline_wire::message_id::MessageId;
use sha2::{Digest, Sha256};

use super::encoding::{Reader, Writer};
use super::epoch::{EpochRecord, RECORD_BYTES_MAX};
use super::seen::{LastSeen, RunId};
use super::{OpenError, SEAL_VERSION};

/// A sealed message as it travels: associated data, then what the seal made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Vec<u8>,
    associated_bytes: usize,
    record: EpochRecord,
    message: MessageId,
    run: RunId,
    counter: u64,
    last_seen: LastSeen,
}

impl Envelope {
    /// Reads the field `sealed`: base64 (RFC 4648, no padding) of the binary form.
    ///
    /// # Errors
    /// It is too long, of another version, or no envelope.
    pub fn from_field(field: &str) -> Result<Self, OpenError> {
        if field.len() > SEALED_BYTES_MAX {
            return Err(OpenError::TooLong(field.len(), SEALED_BYTES_MAX));
        }
        Self::from_bytes(Base64Unpadded::decode_vec(field).map_err(|_| OpenError::Malformed("it is not base64"))?)
    }

    /// Reads the record of a message of which the beginning is known (S7), and verifies its signature.
    ///
    /// # Errors
    /// The beginning holds no such record.
    pub fn record_at_beginning(beginning: &str) -> Result<EpochRecord, OpenError> {
        let bytes = Base64Unpadded::decode_vec(beginning).map_err(|_| OpenError::Malformed("it is not base64"))?;
        let mut reader = Reader::new(&bytes);
        reader.version()?;
        EpochRecord::read(reader.field(RECORD_BYTES_MAX)?)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// As [`from_field`](Self::from_field).
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let mut reader = Reader::new(&bytes);
        reader.version()?;
        let record = EpochRecord::parse(reader.field(RECORD_BYTES_MAX)?)?;
        let message = MessageId(u128::from_be_bytes(reader.fixed()?));
        let run = reader.fixed()?;
        let counter = reader.number()?;
        let last_seen = LastSeen { seq: reader.number()?, hash: reader.fixed()? };
        if counter == 0 || (last_seen.seq == 0) != (last_seen.hash == [0; 32]) {
            return Err(OpenError::Malformed("a number in it is impossible"));
        }
        let associated_bytes = bytes.len() - reader.rest().len();
        Ok(Self { bytes, associated_bytes, record, message, run, counter, last_seen })
    }

    /// Encodes the associated data.
    pub(super) fn associated(
        record: &EpochRecord,
        message: MessageId,
        run: &RunId,
        counter: u64,
        seen: &LastSeen,
    ) -> Vec<u8> {
        Writer::default()
            .fixed(&[SEAL_VERSION])
            .field(record.as_bytes())
            .fixed(&message.0.to_be_bytes())
            .fixed(run)
            .number(counter)
            .number(seen.seq)
            .fixed(&seen.hash)
            .bytes()
    }

    /// Returns the field of a message.
    pub(super) fn to_field(associated: &[u8], sealed: &[u8]) -> String {
        Base64Unpadded::encode_string(&[associated, sealed].concat())
    }

    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.associated_bytes)
    }

    /// SHA-256 of the binary form.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// Record of the epoch under whose key it is sealed. Its signature is verified when the room
    /// accepts it.
    pub fn record(&self) -> &EpochRecord {
        &self.record
    }

    /// Id that the sender gave the message.
    pub fn message(&self) -> MessageId {
        self.message
    }

    pub(super) fn run(&self) -> &RunId {
        &self.run
    }

    pub(super) fn counter(&self) -> u64 {
        self.counter
    }

    pub(super) fn last_seen(&self) -> &LastSeen {
        &self.last_seen
    }
}
