//! Sealed messages: texts that members of a room encrypt for each other, and that a server only
//! relays (clauses S).
//!
//! [`SealedRoom`] is the state of one room at one member. It composes an [`EpochRecord`] (which key
//! is in force, and how a passphrase becomes it), a [`Seal`] for each epoch (the encryption), and
//! what was seen of each sender. Nothing here reads a clock, a file or a socket; random numbers are
//! an argument.

mod content;
mod encoding;
mod envelope;
mod epoch;
mod error;
mod key;
mod passphrase;
mod room;
mod seen;
#[cfg(test)]
mod tests;

pub use content::{Content, Kind};
pub use envelope::Envelope;
pub use epoch::EpochRecord;
pub use error::{OpenError, SealError};
pub use key::{EpochKey, KeyId, Seal};
pub use passphrase::{Passphrase, PassphraseError};
pub use room::{Opened, Placed, SealedRoom};
pub use seen::{Facts, Order, View};

/// Version of the format, of the derivation and of its cost.
pub const SEAL_VERSION: u8 = 1;
