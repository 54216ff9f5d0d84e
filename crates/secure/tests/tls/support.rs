//! Clients, servers and the line between them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glassline_secure::tls::{Authorities, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_secure::{Fingerprint, Identity, ServerOffer, ServerTrust, Untrusted};
use glassline_wire::layer::{LayerError, LayerFactory, LayerStack, LayerState};

/// Day on which every test takes place.
pub(crate) fn today() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_796_000_000)
}

/// Trust that accepts one key, or any, and keeps what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Pin {
    key: Option<Fingerprint>,
    offers: Mutex<Vec<ServerOffer>>,
}

impl Pin {
    pub(crate) fn of(key: Fingerprint) -> Arc<Self> {
        Arc::new(Self { key: Some(key), offers: Mutex::default() })
    }

    pub(crate) fn offers(&self) -> Vec<ServerOffer> {
        self.offers.lock().unwrap().clone()
    }
}

impl ServerTrust for Pin {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        self.offers.lock().unwrap().push(offer.clone());
        match self.key {
            Some(pinned) if pinned != offer.key => Err(Untrusted(format!("{} is not {pinned}", offer.key))),
            _ => Ok(()),
        }
    }
}

/// Settings of a client of `localhost` without an identity.
pub(crate) fn options(trust: Arc<dyn ServerTrust>) -> TlsClientOptions {
    TlsClientOptions {
        server_name: "localhost".to_owned(),
        identity: None,
        trust,
        authorities: Authorities::None,
        key_log: None,
        now: today,
    }
}

pub(crate) fn certificate() -> ServerCertificate {
    ServerCertificate::generate(&[], today()).unwrap()
}

pub(crate) fn identity() -> Arc<Identity> {
    Arc::new(Identity::from_seed(&[7; 32]))
}

/// Client, server, and what each has received.
pub(crate) struct Pair {
    pub(crate) client: LayerStack,
    pub(crate) server: LayerStack,
    pub(crate) at_client: Vec<u8>,
    pub(crate) at_server: Vec<u8>,
}

impl Pair {
    pub(crate) fn new(client: &TlsClient, server: &TlsServer) -> Self {
        Self { client: client.layers(), server: server.layers(), at_client: Vec::new(), at_server: Vec::new() }
    }

    /// Pair whose handshake is over.
    pub(crate) fn open() -> Self {
        let certificate = certificate();
        let client = TlsClient::new(options(Pin::of(certificate.fingerprint()))).unwrap();
        let mut pair = Self::new(&client, &TlsServer::new(&certificate).unwrap());
        pair.settle().unwrap();
        assert_eq!((pair.client.state(), pair.server.state()), (LayerState::Open, LayerState::Open));
        pair
    }

    /// Passes everything in both directions until nobody has output.
    pub(crate) fn settle(&mut self) -> Result<(), LayerError> {
        self.settle_through(|_, bytes| bytes)
    }

    /// Passes everything through an attacker, who sees each flight with the side it comes from.
    pub(crate) fn settle_through(
        &mut self,
        mut attacker: impl FnMut(From, Vec<u8>) -> Vec<u8>,
    ) -> Result<(), LayerError> {
        while !self.client.output().is_empty() || !self.server.output().is_empty() {
            let flight = attacker(From::Client, take_output(&mut self.client));
            self.server.receive(&flight, &mut self.at_server)?;
            let flight = attacker(From::Server, take_output(&mut self.server));
            self.client.receive(&flight, &mut self.at_client)?;
        }
        Ok(())
    }
}

/// Side from which bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Client,
    Server,
}

/// Takes the output of a side.
pub(crate) fn take_output(side: &mut LayerStack) -> Vec<u8> {
    let bytes = side.output().to_vec();
    side.consume_output(bytes.len());
    bytes
}
