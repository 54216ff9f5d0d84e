//! A server's own keys: its identity, for Noise, and the key with its certificate, for TLS.

use std::path::Path;

use crate::KeyringError;
use crate::identity_file::IdentityFile;
use crate::private_file::PrivateFile;

/// A key and a chain of certificates in PEM.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The files of a server's keys.
#[derive(Debug, Clone)]
pub struct ServerKeys {
    identity: IdentityFile,
    certificate: PrivateFile,
}

impl ServerKeys {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            identity: IdentityFile::new(folder.join("server-identity.pem")),
            certificate: PrivateFile::new(folder.join("server-certificate.pem"), FILE_BYTES_MAX),
        }
    }

    /// The identity, which is the key in Noise.
    pub fn identity(&self) -> &IdentityFile {
        &self.identity
    }

    /// Path of the file with the private key and the certificate of TLS.
    pub fn certificate_path(&self) -> &Path {
        self.certificate.path()
    }

    /// Returns the private key and the certificate of TLS in PEM, in one text; `None` if none were
    /// made so far.
    ///
    /// # Errors
    /// The file cannot be read, or is not for its owner alone.
    pub fn certificate(&self) -> Result<Option<String>, KeyringError> {
        self.certificate.read(true)
    }

    /// Keeps the private key and the certificate of TLS, both in PEM, in place of `former`. Returns
    /// what is kept from now on: another text where another process has replaced `former` meanwhile.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not for its owner alone.
    pub fn replace_certificate(&self, former: Option<&str>, pem: &str) -> Result<String, KeyringError> {
        let lock = self.certificate.lock()?;
        match self.certificate.read(true)? {
            Some(kept) if former != Some(kept.as_str()) => Ok(kept),
            _ => self.certificate.write(&lock, pem).map(|()| pem.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Keyring;
    use glassline_testkit::Folder;

    #[test]
    fn a_certificate_is_kept_beside_the_identity() {
        let folder = Folder::new();
        let keys = Keyring::open(folder.join("keys")).server_keys();
        assert_eq!(keys.certificate().expect("no file"), None);
        keys.identity().read_or_create().expect("made");
        let replace = |former, pem| keys.replace_certificate(former, pem).expect("written");
        assert_eq!(replace(None, "one"), "one");
        assert_eq!(replace(None, "another"), "one", "another process was faster");
        assert_eq!(replace(Some("one"), "two"), "two");
        assert_eq!(keys.certificate().expect("read").as_deref(), Some("two"));
    }
}
