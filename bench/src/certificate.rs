//! A key and its certificate for a server with TLS, made for one run.

use std::path::{Path, PathBuf};

use anyhow::Result;
use glassline_testkit::Folder;
use rcgen::{CertificateParams, KeyPair};

/// Files of an ECDSA P-256 key, the kind that Glassline makes, and its self-signed certificate. They
/// end with this value.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    _folder: Folder,
}

impl Certificate {
    pub fn new() -> Result<Self> {
        let folder = Folder::new();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
        let (chain, key) = (folder.write("chain.pem", certificate.pem()), folder.write("key.pem", key.serialize_pem()));
        Ok(Self { chain, key, _folder: folder })
    }

    pub fn chain(&self) -> &Path {
        &self.chain
    }

    pub fn key(&self) -> &Path {
        &self.key
    }
}
