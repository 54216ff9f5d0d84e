//! Result of deriving the key of a sealed room, on its way from a thread to the driver.

use glassline_secure::seal::{EpochKey, EpochRecord, OpenError, Passphrase};

/// Key with its record, or the reason why there is none; with the record that was tried.
pub(crate) type DerivedKey = Result<(EpochRecord, EpochKey), (Option<EpochRecord>, OpenError)>;

/// Result of a derivation.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Name of the room.
    pub(crate) room: String,
    pub(crate) result: DerivedKey,
    pub(crate) origin: KeyOrigin,
}

/// Origin of a key.
#[derive(Debug)]
pub(crate) enum KeyOrigin {
    /// Another member has begun it.
    Joined,
    /// It is new, and nobody else knows its record.
    Begun,
    /// It is new, from this passphrase, which was generated and not shown yet.
    Generated(Passphrase),
}
