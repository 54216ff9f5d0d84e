//! Causes for which nothing is sealed or opened, as texts for the person: cause, then next step.

use super::KeyId;
use crate::random::NoRandomness;

/// Causes for which a message is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The room has no epoch yet whose key is here.
    #[error("there is no key for this room here; enter its passphrase with /seal")]
    NoKey,
    /// Text, name or room is longer than a message may be.
    #[error("the text is too long to be sealed: {0} bytes, at most {1}; send it in parts")]
    TooLong(usize, usize),
    /// The system gave no random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The counter of this run is used up.
    #[error("this key has sealed all messages it can; seal the room again with /seal")]
    Exhausted,
    /// The newest epoch has the highest number that there is.
    #[error("the numbers of this room's keys are used up; /join another room and seal that")]
    NoEpochLeft,
}

/// Causes for which a sealed message or an epoch record is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes do not have the form of a sealed message.
    #[error("this is no sealed message: {0}; its sender or the server is at fault, ask the sender to send it again")]
    Malformed(&'static str),
    /// The field is longer than it may be.
    #[error("the sealed message has {0} bytes, more than the {1} allowed; its sender or the server is at fault")]
    TooLong(usize, usize),
    /// A newer program made it.
    #[error("it was sealed with version {0} of the format, which this program does not know; install a newer one")]
    Version(u8),
    /// It belongs to another room.
    #[error("it was sealed for the room {0:?} and moved here; the server is at fault")]
    OtherRoom(String),
    /// It belongs to another message id.
    #[error("it was sealed under another message id and moved here; the server is at fault")]
    OtherMessage,
    /// The key of its epoch was not derived here yet.
    #[error("key {key} (epoch {epoch}) is not here; enter the room's passphrase with /seal")]
    UnknownEpoch {
        /// Number of the epoch.
        epoch: u64,
        /// Id of the key that is missing.
        key: KeyId,
    },
    /// Its epoch is too far ahead of the newest that was accepted.
    #[error(
        "its key has the number {epoch}, too far above {newest}, the newest one here: it is made up; its sender or the \
         server is at fault"
    )]
    FarEpoch {
        /// Number of the epoch.
        epoch: u64,
        /// Number of the newest accepted one.
        newest: u64,
    },
    /// The passphrase gives another key.
    #[error("this passphrase gives another key than {key}; ask a member for the passphrase of epoch {epoch}")]
    WrongKey {
        /// Number of the epoch.
        epoch: u64,
        /// Id of the key that was expected.
        key: KeyId,
    },
    /// The derivation failed, for this cause.
    #[error("no key could be derived from the passphrase: {0}")]
    Derivation(String),
    /// The decryption fails: somebody without the key made or changed it.
    #[error("it was changed on the way, or made by somebody without the key; do not trust it, ask the sender")]
    Forged,
    /// The sender's signature does not hold: another member made it.
    #[error("its signature is not that of the key it names; another member made it in that name, do not trust it")]
    Signature,
    /// The signature of an epoch record does not hold.
    #[error("the record of epoch {0} was changed, or is not signed by the key it names; do not trust it")]
    RecordSignature(u64),
    /// The record was made by somebody without the epoch's key.
    #[error("the record of epoch {0} was made by somebody who does not know its key; do not trust it")]
    RecordForged(u64),
    /// A second record with the number of one that was accepted, or one that does not follow it.
    #[error(
        "there are two different records for epoch {0}: members were shown different keys; compare `/seal` with a \
         member over another way, then seal again"
    )]
    Fork(u64),
}
