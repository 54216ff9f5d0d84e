//! Waiting briefly for a file's lock: a process that holds it longer than it takes does
//! something else with it.

use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::thread;
use std::time::Duration;

/// Longest wait for a lock; work under it takes milliseconds.
const LOCK_WAIT: Duration = Duration::from_millis(10);
const LOCK_TRIES: usize = 10;

/// Waits for a lock and returns whether it was got. Where there are no locks, it is as if it had
/// been: what is lost is an entry at worst.
pub(crate) fn wait_for(lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_WAIT),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}
