//! The client's side of TLS.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use glassline_wire::layer::{LayerFactory, LayerStack};
use glassline_wire::link::LinkKind;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnectionData, Resumption, UnbufferedClientConnection};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::unbuffered::UnbufferedStatus;
use rustls::{CertificateError, ClientConfig, CommonState, DigitallySignedStruct, Error, SignatureScheme};

use super::authority::AuthorityCheck;
use super::layer::{Side, TlsLayer};
use super::{Authorities, KeyLogSink, TlsError, certificate, key_log, provider};
use crate::{Authority, Fingerprint, Identity, ServerOffer, ServerTrust};

/// Settings of a client for one server.
#[derive(Debug, Clone)]
pub struct TlsClientOptions {
    /// Host name or IP address that is dialled, for authorities; a name is sent in the clear.
    pub server_name: String,
    /// Key that is shown to the server after it has proven its own; `None` shows none.
    pub identity: Option<Arc<Identity>>,
    /// Decision about the server's key.
    pub trust: Arc<dyn ServerTrust>,
    /// Authorities that are asked about the server.
    pub authorities: Authorities,
    /// Receiver of the connections' secrets. The environment variable of other programs is ignored.
    pub key_log: Option<Arc<dyn KeyLogSink>>,
    /// Clock for the validity of certificates under authorities, and for nothing else.
    pub now: fn() -> SystemTime,
}

/// Maker of a client's TLS layers for one server.
#[derive(Debug)]
pub struct TlsClient {
    name: ServerName<'static>,
    config: ClientConfig,
    trust: Arc<dyn ServerTrust>,
    authorities: Arc<AuthorityCheck>,
}

impl TlsClient {
    /// Returns a client with these settings. With [`Authorities::Platform`] it reads the system's list.
    ///
    /// # Errors
    /// [`TlsError::BadName`], [`TlsError::NotMade`] for the identity's certificate, [`TlsError::Setup`].
    pub fn new(options: TlsClientOptions) -> Result<Self, TlsError> {
        let name = server_name(&options.server_name)?;
        let authorities = Arc::new(AuthorityCheck::new(&options.authorities));
        let verifier = ServerVerifier::new(Arc::clone(&options.trust), Arc::clone(&authorities));
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(Clock(options.now)))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &options.identity {
            Some(identity) => {
                let certified = certificate::of_identity(identity)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        config.cert_compressors.clear();
        config.cert_decompressors.clear();
        if let Some(sink) = options.key_log {
            config.key_log = Arc::new(key_log::NssKeyLog(sink));
        }
        Ok(Self { name, config, trust: options.trust, authorities })
    }
}

impl LayerFactory for TlsClient {
    fn layers(&self) -> LayerStack {
        let verifier = Arc::new(ServerVerifier::new(Arc::clone(&self.trust), Arc::clone(&self.authorities)));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>);
        let connection = UnbufferedClientConnection::new(Arc::new(config), self.name.clone());
        let side = connection.map(|connection| ClientSide { connection, verifier });
        LayerStack::new(vec![Box::new(TlsLayer::new(side))])
    }
}

/// Connection of a client, and its judgement of the server.
struct ClientSide {
    connection: UnbufferedClientConnection,
    verifier: Arc<ServerVerifier>,
}

impl Side for ClientSide {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.connection.process_tls_records(records)
    }

    fn common(&self) -> &CommonState {
        &self.connection
    }

    fn refusal(&self) -> Option<&str> {
        self.verifier.refusal()
    }
}

/// Reads the dialled name. The zone of an IPv6 address means nothing to the peer.
fn server_name(dialled: &str) -> Result<ServerName<'static>, TlsError> {
    let without_zone = dialled.split_once('%').map_or(dialled, |(address, _)| address);
    ServerName::try_from(without_zone.to_owned()).map_err(|_| TlsError::BadName(dialled.to_owned()))
}

#[derive(Debug)]
struct Clock(fn() -> SystemTime);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        (self.0)().duration_since(UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
    }
}

/// Judges the server of one connection. A key counts once the server has proven to have it, so
/// authorities are asked first, and trust after the signature.
#[derive(Debug)]
struct ServerVerifier {
    trust: Arc<dyn ServerTrust>,
    authorities: Arc<AuthorityCheck>,
    algorithms: WebPkiSupportedAlgorithms,
    statement: OnceLock<Authority>,
    refusal: OnceLock<String>,
}

impl ServerVerifier {
    fn new(trust: Arc<dyn ServerTrust>, authorities: Arc<AuthorityCheck>) -> Self {
        let algorithms = provider().signature_verification_algorithms;
        Self { trust, authorities, algorithms, statement: OnceLock::new(), refusal: OnceLock::new() }
    }

    /// Text for the person, if the server was refused.
    fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.statement.get_or_init(|| self.authorities.statement(certificate, intermediates, name, now));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(super::not_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let proven = rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .inspect_err(|error| {
                if matches!(error, Error::InvalidCertificate(CertificateError::BadSignature)) {
                    self.refusal.get_or_init(|| IMPOSTOR.to_owned());
                }
            })?;
        let spki = certificate::spki(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let authority = self.statement.get().cloned().unwrap_or_else(|| Authority::None(String::new()));
        let offer = ServerOffer { link: LinkKind::Tls, key: Fingerprint::of_spki(&spki), authority };
        self.trust.check(&offer).map_err(|refused| {
            self.refusal.get_or_init(|| refused.0);
            CertificateError::ApplicationVerificationFailure
        })?;
        Ok(proven)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

const IMPOSTOR: &str = "whoever answers shows the server's certificate without having its private key: \
    somebody is impersonating the server; nothing was sent";
