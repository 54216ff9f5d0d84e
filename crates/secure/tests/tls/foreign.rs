//! Peers of another make, which show and say what the program's own do not.

use std::sync::Arc;

use glassline_secure::tls::ServerCertificate;
use glassline_testkit::AnyServer;
use glassline_wire::layer::{LayerError, LayerStack};
use rustls::client::UnbufferedClientConnection;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::unbuffered::ConnectionState;
use rustls::{ClientConfig, ServerConfig, ServerConnection};

use crate::support::take_output;

/// Certificates of a chain.
pub(crate) fn chain(certificate: &ServerCertificate) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(certificate.chain_pem().as_bytes()).collect::<Result<_, _>>().unwrap()
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Chain and key together, whether they belong together or not.
pub(crate) fn certified(chain: Vec<CertificateDer<'static>>, key_pem: &str) -> Arc<SingleCertAndKey> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}

/// Server of another make, which shows and signs with what it is given.
pub(crate) struct ForeignServer(ServerConnection);

impl ForeignServer {
    pub(crate) fn new(certified: Arc<SingleCertAndKey>) -> Self {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(certified);
        Self(ServerConnection::new(Arc::new(config)).unwrap())
    }

    /// Shakes hands with a client, as far as both go.
    pub(crate) fn meet(&mut self, client: &mut LayerStack) -> Result<(), LayerError> {
        loop {
            let flight = take_output(client);
            if flight.is_empty() {
                return Ok(());
            }
            self.take(&flight);
            client.receive(&self.output(), &mut Vec::new())?;
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes).unwrap();
            // An alert of the client is an error here.
            let _ = self.0.process_new_packets();
        }
    }

    fn output(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut bytes).unwrap();
        }
        bytes
    }
}

/// Client of another make, which accepts every server, shows and signs with what it is given, and
/// changes its keys when it is told to.
pub(crate) struct ForeignClient(UnbufferedClientConnection);

impl ForeignClient {
    pub(crate) fn new(shown: Option<Arc<SingleCertAndKey>>) -> Self {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer::new(&provider())));
        let config = match shown {
            Some(shown) => builder.with_client_cert_resolver(shown),
            None => builder.with_no_client_auth(),
        };
        Self(UnbufferedClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap())
    }

    /// Shakes hands with a server, as far as it goes.
    pub(crate) fn meet(&mut self, server: &mut LayerStack) -> Result<(), LayerError> {
        let mut received = Vec::new();
        for _ in 0..3 {
            server.receive(&self.advance(&mut received, false), &mut Vec::new())?;
            received.extend(take_output(server));
        }
        Ok(())
    }

    /// Takes what it has received, and returns what it sends.
    pub(crate) fn advance(&mut self, received: &mut Vec<u8>, mut changes_keys: bool) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            let status = self.0.process_tls_records(received);
            let discard = status.discard;
            let is_waiting = match status.state.unwrap() {
                ConnectionState::EncodeTlsData(mut data) => {
                    let mut space = [0; 4_096];
                    let bytes = data.encode(&mut space).unwrap();
                    sent.extend(&space[..bytes]);
                    false
                }
                ConnectionState::TransmitTlsData(transmission) => {
                    transmission.done();
                    false
                }
                ConnectionState::WriteTraffic(traffic) if changes_keys => {
                    traffic.refresh_traffic_keys().unwrap();
                    changes_keys = false;
                    false
                }
                _ => true,
            };
            received.drain(..discard);
            if is_waiting {
                return sent;
            }
        }
    }
}
