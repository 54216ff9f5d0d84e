//! The server's side of TLS.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use glassline_wire::layer::{LayerFactory, LayerStack};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, ServerConnectionData,
    UnbufferedServerConnection,
};
use rustls::sign::CertifiedKey;
use rustls::unbuffered::UnbufferedStatus;
use rustls::{CommonState, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::layer::{Side, TlsLayer};
use super::{KeyLogSink, ServerCertificate, TlsError, key_log, provider};

/// Maker of a server's TLS layers. Clones share the certificate.
#[derive(Debug, Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    current: Arc<CurrentCertificate>,
}

impl TlsServer {
    /// Returns a server that shows `certificate`.
    ///
    /// # Errors
    /// [`TlsError::Setup`].
    pub fn new(certificate: &ServerCertificate) -> Result<Self, TlsError> {
        Self::with_key_log(certificate, None)
    }

    /// Returns a server whose connections' secrets go to `key_log`: anybody who has them reads
    /// everything. For laboratories and the tap.
    ///
    /// # Errors
    /// [`TlsError::Setup`].
    pub fn with_key_log(
        certificate: &ServerCertificate,
        key_log: Option<Arc<dyn KeyLogSink>>,
    ) -> Result<Self, TlsError> {
        let current = Arc::new(CurrentCertificate(RwLock::new(certificate.certified())));
        let provider = provider();
        let clients = ClientVerifier(provider.signature_verification_algorithms);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_client_cert_verifier(Arc::new(clients))
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        // No connection resumes another one: a resumed one would skip the proof of the key.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.cert_compressors.clear();
        config.cert_decompressors.clear();
        if let Some(sink) = key_log {
            config.key_log = Arc::new(key_log::NssKeyLog(sink));
        }
        Ok(Self { config: Arc::new(config), current })
    }

    /// Shows `certificate` to connections whose handshake begins later.
    pub fn reload(&self, certificate: &ServerCertificate) {
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = certificate.certified();
    }
}

impl LayerFactory for TlsServer {
    fn layers(&self) -> LayerStack {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.config));
        LayerStack::new(vec![Box::new(TlsLayer::new(connection))])
    }
}

impl Side for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }

    fn common(&self) -> &CommonState {
        self
    }

    fn refusal(&self) -> Option<&str> {
        None
    }
}

/// Certificate that is shown at present.
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for CurrentCertificate {
    /// Shows nothing of the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentCertificate")
    }
}

/// Asks for a client's certificate without requiring one, and accepts whatever the client proves to
/// have: its key is reported, and others decide about it.
#[derive(Debug)]
struct ClientVerifier(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        ParsedCertificate::try_from(certificate).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        Err(super::not_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
