//! File with the private key of a person, or of a server.

use std::path::{Path, PathBuf};

use glassline_secure::Identity;

use crate::KeyringError;
use crate::private_file::PrivateFile;

/// A key in PEM has some 120 bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024;

/// Private key, made when it is first needed.
#[derive(Debug, Clone)]
pub struct IdentityFile {
    file: PrivateFile,
}

impl IdentityFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { file: PrivateFile::new(path, FILE_BYTES_MAX) }
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the identity; `None` if none was made so far.
    ///
    /// # Errors
    /// The file cannot be read, holds no key, or is not for its owner alone.
    pub fn read(&self) -> Result<Option<Identity>, KeyringError> {
        let Some(pem) = self.file.read(true)? else { return Ok(None) };
        let identity = Identity::from_pem(&pem);
        identity.map(Some).map_err(|error| KeyringError::NotAKey { path: self.path().to_path_buf(), error })
    }

    /// Returns the identity, and makes it the first time.
    ///
    /// # Errors
    /// As [`read`](Self::read), and where no key can be made or kept.
    pub fn read_or_create(&self) -> Result<Identity, KeyringError> {
        if let Some(identity) = self.read()? {
            return Ok(identity);
        }
        let lock = self.file.lock()?;
        // Another process may have been faster.
        if let Some(identity) = self.read()? {
            return Ok(identity);
        }
        let identity = Identity::generate().map_err(KeyringError::NoNewKey)?;
        self.file.write(&lock, &identity.to_pem().map_err(KeyringError::NoNewKey)?)?;
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_testkit::Folder;

    #[test]
    fn an_identity_is_made_once_and_stays() {
        let folder = Folder::new();
        let file = IdentityFile::new(folder.join("keys/identity.pem"));
        assert!(file.read().expect("no file").is_none());
        let made = file.read_or_create().expect("made");
        assert_eq!(file.read_or_create().expect("read").public(), made.public());
    }

    #[test]
    fn a_file_without_a_key_is_reported_and_left() {
        let folder = Folder::new();
        let file = IdentityFile::new(folder.join("keys/identity.pem"));
        let lock = file.file.lock().expect("nobody else has it");
        file.file.write(&lock, "garbage").expect("written");
        drop(lock);
        let error = file.read_or_create().expect_err("no key");
        assert!(matches!(error, KeyringError::NotAKey { .. }), "{error}");
        assert_eq!(file.file.read(true).expect("readable").as_deref(), Some("garbage"));
    }
}
