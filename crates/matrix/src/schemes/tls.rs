//! The program's TLS link.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use glassline_secure::Identity;
use glassline_secure::tls::{Authorities, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_wire::layer::{LayerFactory, LayerStack};

use super::trust::{MakeTrust, pinning};
use crate::scheme::{LinkScheme, MemberKeys, Memory, ServerKeys};
use crate::secret::Secret;

/// Name that clients dial.
const SERVER_NAME: &str = "lab.example";

/// TLS with pinned keys. Its random numbers are the system's, so a seed does not determine the bytes
/// of a session.
#[derive(Debug)]
pub struct Tls {
    trust: MakeTrust,
    /// Certificate of each server, made when it is first needed.
    servers: Mutex<BTreeMap<Secret, Certified>>,
}

#[derive(Debug, Clone)]
struct Certified {
    fingerprint: Vec<u8>,
    server: Option<Arc<TlsServer>>,
}

impl Default for Tls {
    fn default() -> Self {
        Self::with_trust(pinning)
    }
}

impl Tls {
    /// TLS whose clients decide like this.
    pub fn with_trust(trust: MakeTrust) -> Self {
        Self { trust, servers: Mutex::default() }
    }

    /// Returns the certificate of a server with this key of its own, which stands for it.
    fn certified(&self, own: &Secret) -> Certified {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let certificate = ServerCertificate::generate(&[SERVER_NAME.to_owned()], SystemTime::UNIX_EPOCH).ok();
            Certified {
                fingerprint: certificate.as_ref().map_or_else(Vec::new, |made| made.fingerprint().as_bytes().to_vec()),
                server: certificate.and_then(|made| TlsServer::new(&made).ok()).map(Arc::new),
            }
        };
        servers.entry(*own).or_insert_with(make).clone()
    }
}

impl LinkScheme for Tls {
    fn public(&self, own: &Secret) -> Vec<u8> {
        self.certified(own).fingerprint
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, _: Secret) -> LayerStack {
        let client = TlsClient::new(TlsClientOptions {
            server_name: SERVER_NAME.to_owned(),
            identity: Some(Arc::new(Identity::from_seed(&keys.own))),
            trust: (self.trust)(Arc::clone(memory)),
            authorities: Authorities::None,
            key_log: None,
            now: || SystemTime::UNIX_EPOCH,
        });
        // Without layers no honest message would pass, so that a failure here is noticed.
        client.map_or_else(|_| LayerStack::default(), |made| made.layers())
    }

    fn server(&self, keys: &ServerKeys, _: Secret) -> LayerStack {
        self.certified(&keys.own).server.map_or_else(LayerStack::default, |server| server.layers())
    }
}
