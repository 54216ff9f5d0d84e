//! Certificate of TLS: the server's own, which it keeps and renews, or that of `--cert`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use glassline_keyring::ServerKeys;
use glassline_secure::Fingerprint;
use glassline_secure::tls::{ServerCertificate, TlsServer};
use tracing::{info, warn};

use crate::{folders, plain_file};

/// A certificate of the server's own is renewed so long before it expires. Authorities renew theirs
/// with a third of three months left.
const RENEWAL_MARGIN: Duration = Duration::from_hours(30 * 24);
/// A chain has some thousand bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Origin of the certificate and its private key.
#[derive(Debug)]
pub(super) enum CertificateSource {
    /// Made here for these names, and kept.
    Kept { keys: ServerKeys, names: Vec<String> },
    /// The files of `--cert` and `--key`.
    Files { certificate: PathBuf, key: PathBuf },
}

impl CertificateSource {
    pub(super) fn kept(keys: ServerKeys, names: Vec<String>) -> Self {
        Self::Kept { keys, names }
    }

    /// Errors: a path needs a home that there is not.
    pub(super) fn files(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let expanded = |flag: &str, path: &Path| {
            folders::expanded(path).map_err(|advice| anyhow!("{flag} {}: {advice}", path.display()))
        };
        Ok(Self::Files { certificate: expanded("--cert", certificate)?, key: expanded("--key", key)? })
    }

    /// Reads the certificate. One of the server's own is made, or renewed under the same key, where
    /// that is due; one that is gone is kept again while the server shows it. Errors: a file cannot
    /// be used; the text states what to do.
    fn load(&self, shown: Option<&ServerCertificate>, now: SystemTime) -> anyhow::Result<ServerCertificate> {
        match self {
            Self::Kept { keys, names } => load_kept(keys, names, shown, now),
            Self::Files { certificate, key } => {
                let chain_pem = read("--cert", certificate, false)?;
                let key_pem = read("--key", key, true)?;
                let both = || format!("--cert {} and --key {}", certificate.display(), key.display());
                let loaded = ServerCertificate::from_pem(&chain_pem, &key_pem).with_context(both)?;
                if loaded.not_after() < now {
                    warn!(file = %certificate.display(), "the certificate has expired; clients that check it refuse it");
                }
                if loaded.not_before() > now {
                    warn!(file = %certificate.display(), "the certificate is not valid yet; clients that check it refuse it");
                }
                Ok(loaded)
            }
        }
    }
}

/// TLS of a server. Its certificate may be replaced while it runs.
pub(super) struct TlsLink {
    server: TlsServer,
    source: CertificateSource,
    shown: Mutex<ServerCertificate>,
}

impl TlsLink {
    /// Errors: as of [`CertificateSource::load`].
    pub(super) fn open(source: CertificateSource) -> anyhow::Result<Self> {
        let certificate = source.load(None, SystemTime::now()).context("the server cannot start")?;
        let server = TlsServer::new(&certificate).context("the server cannot start")?;
        Ok(Self { server, source, shown: Mutex::new(certificate) })
    }

    /// Maker of the layers.
    pub(super) fn server(&self) -> &TlsServer {
        &self.server
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).fingerprint()
    }

    /// Returns whether the certificate is one that nobody else renews.
    pub(super) fn is_renewed_here(&self) -> bool {
        matches!(self.source, CertificateSource::Kept { .. })
    }

    /// Reads the certificate again, for connections from now on. Where it cannot be used, the former
    /// one stays.
    pub(super) fn reload(&self) {
        match self.load_again() {
            Ok(_) => info!(fingerprint = %self.fingerprint(), "SIGHUP: the certificate was read again"),
            Err(error) => warn!("SIGHUP: the certificate was not read again, and the former one stays: {error:#}"),
        }
    }

    /// Renews the certificate where that is due.
    pub(super) fn renew(&self) {
        match self.load_again() {
            Ok(true) => info!("the certificate was renewed under the same key"),
            Ok(false) => {}
            Err(error) => warn!("the certificate cannot be read again, and the former one stays: {error:#}"),
        }
    }

    /// Returns whether the certificate is another one than before.
    fn load_again(&self) -> anyhow::Result<bool> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = self.source.load(Some(&shown), SystemTime::now())?;
        self.server.reload(&loaded);
        if loaded.fingerprint() != shown.fingerprint() {
            warn!(
                former = %shown.fingerprint(),
                "the server's key has changed: clients that know the former one, and no authority for it, refuse to join"
            );
        }
        let is_new = loaded.chain_pem() != shown.chain_pem();
        *shown = loaded;
        Ok(is_new)
    }
}

/// Reads the certificate that is kept, and makes it the first time; a file that is gone while the
/// server runs is no reason for another key, which every client would refuse. A certificate that
/// cannot be renewed stays: its key counts, and a server that does not start helps nobody.
fn load_kept(
    keys: &ServerKeys,
    names: &[String],
    shown: Option<&ServerCertificate>,
    now: SystemTime,
) -> anyhow::Result<ServerCertificate> {
    let Some(pem) = keys.certificate()? else {
        let Some(shown) = shown else { return keep(keys, None, &ServerCertificate::generate(names, now)?) };
        warn!(file = %keys.certificate_path().display(), "the server's certificate was gone, and is written again");
        return keep(keys, None, shown);
    };
    let advice = || {
        let path = keys.certificate_path().display();
        format!(
            "the server's certificate in {path}; move the file away, and the next start makes a new key, of which clients are warned"
        )
    };
    let kept = ServerCertificate::from_pem(&pem, &pem).with_context(advice)?;
    if kept.not_after() > now + RENEWAL_MARGIN {
        return Ok(kept);
    }
    let renewed = kept.renewed(names, now).map_err(anyhow::Error::from);
    let renewed = renewed.and_then(|renewed| keep(keys, Some(&pem), &renewed));
    Ok(renewed.unwrap_or_else(|error| {
        warn!("the certificate cannot be renewed, and the former one stays: {error:#}");
        kept
    }))
}

/// Keeps a certificate in place of `former`, unless another process was faster, and returns the one
/// that is kept.
fn keep(keys: &ServerKeys, former: Option<&str>, certificate: &ServerCertificate) -> anyhow::Result<ServerCertificate> {
    let kept = keys.replace_certificate(former, &file_text(certificate))?;
    let named = || keys.certificate_path().display().to_string();
    ServerCertificate::from_pem(&kept, &kept).with_context(named)
}

/// Returns the text of the one file that keeps a certificate and its key. Both parts of what was read
/// from there are that text.
fn file_text(certificate: &ServerCertificate) -> String {
    let (key_pem, chain_pem) = (certificate.key_pem(), certificate.chain_pem());
    if key_pem == chain_pem { key_pem.to_owned() } else { [key_pem, chain_pem].concat() }
}

/// Reads a file that a flag names. Errors: it cannot be read, or is no text.
fn read(flag: &str, path: &Path, is_secret: bool) -> anyhow::Result<String> {
    let named = || format!("cannot read {flag} {}; name another file", path.display());
    let file = plain_file::open(path).with_context(named)?;
    if is_secret && plain_file::is_open_to_others(&file, path) {
        warn!("others may read the server's private key; keep it to yourself with `chmod 600 {}`", path.display());
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).with_context(named)?;
    Ok(text)
}
