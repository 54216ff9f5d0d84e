//! Certificate and private key of a server.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use rustls::Error;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode as _;

use super::{TlsError, provider};
use crate::{Fingerprint, Identity};

/// Validity of a certificate made here. Authorities grant less than 398 days, and clients expect no more.
const VALIDITY: Duration = Duration::from_hours(365 * 24);
/// Part of it that lies before the making, for clients whose clocks are slow.
const CLOCK_SKEW: Duration = Duration::from_hours(24);
/// Names under which every host reaches itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Bound on a chain, so that a server's part of the handshake fits into what a layer may hold.
const CHAIN_BYTES_MAX: usize = 32 * 1024;

/// Certificate chain of a server, the private key, and both as PEM for their files.
#[derive(Clone)]
pub struct ServerCertificate {
    certified: Arc<CertifiedKey>,
    chain_pem: String,
    key_pem: String,
    fingerprint: Fingerprint,
    validity: RangeInclusive<SystemTime>,
}

impl ServerCertificate {
    /// Makes a new key (ECDSA P-256) and a certificate signed with it, valid for a year from `now`
    /// and for `names` (host names and addresses) besides those of the local host.
    ///
    /// # Errors
    /// [`TlsError::BadName`], [`TlsError::NotMade`].
    pub fn generate(names: &[String], now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(|error| TlsError::NotMade(error.to_string()))?;
        self_signed(&key, names, now)
    }

    /// Makes a new certificate for the same key, as [`generate`](Self::generate) does for a new one.
    ///
    /// # Errors
    /// As there; [`TlsError::UnusableKey`] where the key is not PKCS #8.
    pub fn renewed(&self, names: &[String], now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::from_pem(&self.key_pem).map_err(|error| TlsError::UnusableKey(error.to_string()))?;
        self_signed(&key, names, now)
    }

    /// Reads a chain, that of the server first, and the private key of the first.
    ///
    /// # Errors
    /// One of the texts is unusable, or they do not belong together.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::DamagedCertificate(error.to_string()))?;
        let first = chain.first().ok_or(TlsError::NoCertificate)?;
        let (fingerprint, validity) = (Fingerprint::of_spki(&spki(first)?), validity(first)?);
        let chain_bytes = chain.iter().map(|certificate| certificate.len()).sum();
        if chain_bytes > CHAIN_BYTES_MAX {
            return Err(TlsError::ChainTooLong(chain_bytes, CHAIN_BYTES_MAX));
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| TlsError::NoKey)?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(_) => TlsError::WrongKey,
            other => TlsError::UnusableKey(other.to_string()),
        })?;
        Ok(Self {
            certified: Arc::new(certified),
            chain_pem: chain_pem.to_owned(),
            key_pem: key_pem.to_owned(),
            fingerprint,
            validity,
        })
    }

    /// The chain as PEM.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The private key as PEM. Its file must be readable by its owner alone.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Fingerprint of the public key, which clients pin. It outlives a renewal.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Time at which the certificate becomes valid.
    pub fn not_before(&self) -> SystemTime {
        *self.validity.start()
    }

    /// Time at which the certificate expires.
    pub fn not_after(&self) -> SystemTime {
        *self.validity.end()
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for ServerCertificate {
    /// Shows nothing of the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Returns the certificate with which the owner of `identity` proves to have the key. It names
/// nobody, and expires never: its key alone counts.
pub(super) fn of_identity(identity: &Identity) -> Result<CertifiedKey, TlsError> {
    let not_made = |error: &dyn fmt::Display| TlsError::NotMade(error.to_string());
    let pem = identity.to_pem().map_err(|error| not_made(&error))?;
    let key = KeyPair::from_pem(&pem).map_err(|error| not_made(&error))?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "glassline member");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = parameters.self_signed(&key).map_err(|error| not_made(&error))?;
    let private_key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| not_made(&error))?;
    CertifiedKey::from_der(vec![certificate.der().clone()], private_key, &provider()).map_err(|error| not_made(&error))
}

/// Returns the `SubjectPublicKeyInfo` of a certificate, in DER.
pub(super) fn spki(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, TlsError> {
    ParsedCertificate::try_from(certificate)
        .map(|parsed| parsed.subject_public_key_info().to_vec())
        .map_err(|error| TlsError::DamagedCertificate(error.to_string()))
}

fn self_signed(key: &KeyPair, names: &[String], now: SystemTime) -> Result<ServerCertificate, TlsError> {
    let mut all: Vec<String> = LOCAL_NAMES.map(str::to_owned).to_vec();
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    for name in &all {
        rustls::pki_types::ServerName::try_from(name.as_str()).map_err(|_| TlsError::BadName(name.clone()))?;
    }
    let mut parameters = CertificateParams::new(all).map_err(|error| TlsError::NotMade(error.to_string()))?;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    parameters.not_before = epoch + since_epoch.saturating_sub(CLOCK_SKEW);
    parameters.not_after = epoch + (since_epoch + VALIDITY);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.distinguished_name.push(DnType::CommonName, "glassline server");
    let certificate = parameters.self_signed(key).map_err(|error| TlsError::NotMade(error.to_string()))?;
    ServerCertificate::from_pem(&certificate.pem(), &key.serialize_pem())
}

fn validity(certificate: &CertificateDer<'_>) -> Result<RangeInclusive<SystemTime>, TlsError> {
    let parsed = x509_cert::Certificate::from_der(certificate)
        .map_err(|error| TlsError::DamagedCertificate(error.to_string()))?;
    let [not_before, not_after] =
        [parsed.tbs_certificate.validity.not_before, parsed.tbs_certificate.validity.not_after]
            .map(|time| UNIX_EPOCH + time.to_unix_duration());
    Ok(not_before..=not_after)
}
