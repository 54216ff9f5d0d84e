//! Clients of TLS and Noise links.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use glassline_secure::noise::{NoiseClient, NoiseClientOptions};
use glassline_secure::tls::{Authorities, TlsClient, TlsClientOptions};
use glassline_secure::{Fingerprint, Identity, ServerOffer, ServerTrust, Untrusted};
use glassline_wire::layer::{LayerFactory, LayerStack};
use glassline_wire::link::LinkKind;

use super::{Wire, relay};

/// Trusts every server, and remembers the last one's key.
#[derive(Debug, Default)]
struct Seen(Mutex<Option<Fingerprint>>);

impl ServerTrust for Seen {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        *self.0.lock().expect("no panic") = Some(offer.key);
        Ok(())
    }
}

/// A client of one link, whose connections tests use as if they were plain.
pub(crate) struct LinkClient {
    factory: Arc<dyn LayerFactory>,
    seen: Arc<Seen>,
}

impl LinkClient {
    pub(crate) fn new(link: LinkKind, identity: Option<&Identity>) -> Self {
        let seen = Arc::new(Seen::default());
        let trust = Arc::clone(&seen) as Arc<dyn ServerTrust>;
        let (server_name, identity) = ("127.0.0.1".to_string(), identity.cloned().map(Arc::new));
        let factory: Arc<dyn LayerFactory> = match link {
            LinkKind::Plaintext => panic!("no layers"),
            LinkKind::Tls => {
                let (authorities, now) = (Authorities::None, SystemTime::now);
                let options = TlsClientOptions { server_name, identity, trust, authorities, key_log: None, now };
                Arc::new(TlsClient::new(options).expect("a client"))
            }
            LinkKind::Noise => {
                Arc::new(NoiseClient::new(&NoiseClientOptions { server_name, identity, trust }).expect("a client"))
            }
        };
        Self { factory, seen }
    }

    /// The client's side of a new connection.
    pub(crate) fn layers(&self) -> LayerStack {
        self.factory.layers()
    }

    /// A connection whose handshake takes place as soon as it is used.
    pub(crate) fn connect(&self, address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).expect("the server accepts");
        Wire::relayed(stream, |stream| relay::relayed(stream, self.layers(), None))
    }

    /// Key that the last server has proven to own.
    pub(crate) fn seen_key(&self) -> Option<Fingerprint> {
        *self.seen.0.lock().expect("no panic")
    }
}
