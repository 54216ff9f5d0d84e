//! The program's TLS link.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use glassline_secure::Identity;
use glassline_secure::tls::{Authorities, KeyLogSink, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_wire::layer::{LayerFactory, LayerStack};

use super::key_log::KeyLog;
use super::trust::{MakeTrust, pinning};
use crate::scheme::{LinkScheme, MemberKeys, Memory, ServerKeys};
use crate::secret::Secret;
use crate::stolen::{Compromised, Thief};

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
    certificate: Option<ServerCertificate>,
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
                server: certificate.as_ref().and_then(|made| TlsServer::new(made).ok()).map(Arc::new),
                certificate,
            }
        };
        servers.entry(*own).or_insert_with(make).clone()
    }
}

impl LinkScheme for Tls {
    fn public(&self, own: &Secret) -> Vec<u8> {
        let certificate = self.certified(own).certificate;
        certificate.map_or_else(Vec::new, |made| made.fingerprint().as_bytes().to_vec())
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
    /// Gives the thief the key log: the random numbers are out of reach.
    fn compromised<'a>(&'a self, keys: &ServerKeys, _: Secret) -> Compromised<'a> {
        let log = Arc::new(KeyLog::default());
        let certificate = self.certified(&keys.own).certificate;
        let sink = Arc::clone(&log) as Arc<dyn KeyLogSink>;
        let server = certificate.and_then(|made| TlsServer::with_key_log(&made, Some(sink)).ok());
        Compromised {
            server: server.map_or_else(LayerStack::default, |made| made.layers()),
            thief: Box::new(move || -> Box<dyn Thief> { Box::new(log.thief()) }),
        }
    }
}
