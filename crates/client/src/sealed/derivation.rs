//! Derivation of a key from a passphrase, which takes 64 MiB and some tenths of a second, on a
//! thread of its own.

use std::thread;

use glassline_secure::seal::{EpochKey, EpochRecord, OpenError, Passphrase, SealError};
use glassline_secure::{Identity, SystemRandom};

use crate::derived_key::{Derived, KeyOrigin};
use crate::inbox::{DriverEvent, Inbox};

/// Key to derive.
#[derive(Debug)]
pub(super) struct Derivation {
    pub(super) room: String,
    pub(super) passphrase: Passphrase,
    pub(super) purpose: Purpose,
    /// The passphrase was generated, so nobody has it.
    pub(super) is_generated: bool,
}

#[derive(Debug)]
pub(super) enum Purpose {
    /// The key of this record, which another member began.
    Join(EpochRecord),
    /// A new key, after that of this record.
    Begin(Option<EpochRecord>),
}

impl Derivation {
    /// Begins; the result comes to the inbox. Returns false where the system has no thread for it.
    pub(super) fn start(self, identity: Option<Identity>, inbox: Inbox) -> bool {
        let thread = thread::Builder::new().name("key".to_owned());
        let started = thread.spawn(move || {
            // After the driver's end nobody listens.
            let _ = inbox.send(DriverEvent::KeyDerived(Box::new(self.derive(identity.as_ref()))));
        });
        started.is_ok()
    }

    fn derive(self, identity: Option<&Identity>) -> Derived {
        let Self { room, passphrase, purpose, is_generated } = self;
        let origin = match purpose {
            Purpose::Join(_) => KeyOrigin::Joined,
            Purpose::Begin(_) if is_generated => KeyOrigin::Generated(passphrase.clone()),
            Purpose::Begin(_) => KeyOrigin::Begun,
        };
        let result = match purpose {
            Purpose::Join(record) => match EpochKey::derive(&passphrase, &record) {
                Ok(key) => Ok((record, key)),
                Err(error) => Err((Some(record), error)),
            },
            Purpose::Begin(previous) => begin(&room, previous.as_ref(), &passphrase, identity)
                .map_err(|error| (None, OpenError::Derivation(error.to_string()))),
        };
        Derived { room, result, origin }
    }
}

fn begin(
    room: &str,
    previous: Option<&EpochRecord>,
    passphrase: &Passphrase,
    identity: Option<&Identity>,
) -> Result<(EpochRecord, EpochKey), SealError> {
    let identity = identity.ok_or(SealError::NoKey)?;
    EpochRecord::begin(room, previous, passphrase, identity, &mut SystemRandom)
}
