//! Statements of certificate authorities about a server.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};
use x509_cert::der::DateTime;

use super::{TlsError, provider};
use crate::Authority;

/// Authorities whose certificates are accepted as true.
#[derive(Debug, Clone)]
pub enum Authorities {
    /// Those that the operating system trusts. Making a client reads them.
    Platform,
    /// These alone, as certificates in DER.
    File(Vec<Vec<u8>>),
    /// None.
    None,
}

impl Authorities {
    /// Reads the certificates of a file in PEM.
    ///
    /// # Errors
    /// [`TlsError::NoCertificate`], [`TlsError::DamagedCertificate`].
    pub fn from_pem(pem: &str) -> Result<Self, TlsError> {
        let roots: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .map(|root| root.map(|root| root.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::DamagedCertificate(error.to_string()))?;
        if roots.is_empty() { Err(TlsError::NoCertificate) } else { Ok(Self::File(roots)) }
    }

    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        match self {
            Self::Platform => rustls_native_certs::load_native_certs().certs,
            Self::File(roots) => roots.iter().cloned().map(CertificateDer::from).collect(),
            Self::None => Vec::new(),
        }
    }
}

/// Verification by the authorities in use.
#[derive(Debug)]
pub(super) struct AuthorityCheck {
    /// `None` where there are no authorities.
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl AuthorityCheck {
    pub(super) fn new(authorities: &Authorities) -> Self {
        let mut roots = RootCertStore::empty();
        // An authority that cannot be read vouches for nobody.
        roots.add_parsable_certificates(authorities.certificates());
        Self { verifier: WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().ok() }
    }

    /// Returns whether one of them vouches for this certificate under this name, at this time.
    pub(super) fn statement(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Authority {
        let Some(verifier) = &self.verifier else {
            return Authority::None("no authorities are known here".to_owned());
        };
        match verifier.verify_server_cert(certificate, intermediates, name, &[], now) {
            Ok(_) => Authority::Valid,
            Err(Error::InvalidCertificate(error)) => Authority::None(reason(&error, name)),
            Err(error) => Authority::None(error.to_string()),
        }
    }
}

/// Returns why authorities do not vouch. No text of the certificate is part of it.
fn reason(error: &CertificateError, name: &ServerName<'_>) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", date(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}", date(*not_before))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another host than {}", name.to_str())
        }
        CertificateError::UnknownIssuer => "no known authority has signed its certificate".to_owned(),
        CertificateError::BadSignature => "the signature of its certificate is wrong".to_owned(),
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not made for servers".to_owned()
        }
        CertificateError::Other(_) => "its certificate breaks the rules of authorities".to_owned(),
        _ => "its certificate is damaged or uses unknown algorithms".to_owned(),
    }
}

/// Returns the day, in UTC.
fn date(time: UnixTime) -> String {
    let date = DateTime::from_unix_duration(Duration::from_secs(time.as_secs()));
    date.map_or_else(|_| "an unknown day".to_owned(), |date| date.to_string().chars().take(10).collect())
}
