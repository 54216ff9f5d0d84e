//! Causes for which a file of keys cannot be used.

use std::io;
use std::path::PathBuf;

use glassline_secure::{FingerprintError, IdentityError};

/// Cause, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The text is no `host:port`.
    #[error("{0:?} is no address with a port; write it as example.org:1234, 192.0.2.7:1234 or [::1]:1234")]
    NotAnAddress(String),
    /// The name of a member cannot be kept in a line.
    #[error("a name with control characters, or with more than 256 bytes, has no key")]
    NotAName,
    /// The bytes are no public key.
    #[error("this is no key of a member; the server or the member is at fault")]
    NotAPublicKey,
    /// The system does not give the file.
    #[error("cannot read {}: {error}; make it readable, or move it away", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's cause.
        error: io::Error,
    },
    /// The system does not take the file.
    #[error("cannot write {}: {error}; make room there, and the folder writable", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's cause.
        error: io::Error,
    },
    /// Another process has had the lock for a second.
    #[error("{} is in use by another glassline; try again", .0.display())]
    Locked(PathBuf),
    /// Others may read a private key, or write into the folder of keys.
    #[error("others may use {}, which is for you alone; keep it to yourself with `chmod go= {}`", .0.display(), .0.display())]
    OpenToOthers(PathBuf),
    /// The file is longer than any that was written here.
    #[error("{} is longer than {bytes_max} bytes, so it was not written by glassline; move it away", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The bound.
        bytes_max: u64,
    },
    /// A line is not understood. It is not passed over: it may have been the key of a server.
    #[error("{}, line {line}: {why}; correct the line, or remove it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// Cause.
        why: &'static str,
    },
    /// The file takes no more keys.
    #[error("{} has {entries_max} keys already, and takes no more; forget some with `glassline keys forget`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The bound.
        entries_max: usize,
    },
    /// A file holds no private key.
    #[error("{}: {error}; move the file away, and a new key is made", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Cause.
        error: IdentityError,
    },
    /// No key can be made.
    #[error(transparent)]
    NoNewKey(IdentityError),
    /// The text is no fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// Words alone determine no key.
    #[error("no key with these words was seen so far; write the 64 digits as well, which name a key exactly")]
    UnknownWords,
}
