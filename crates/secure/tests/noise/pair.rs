//! Two sides with keys that a seed decides, and moves of bytes between them.

use std::sync::{Arc, Mutex};

use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseServer};
use glassline_secure::{Identity, NoRandomness, Random, ServerOffer, ServerTrust, Untrusted};
use glassline_testkit::Rng;
use glassline_wire::layer::{LayerError, LayerFactory, LayerStack, LayerState};

/// Random numbers of a test.
#[derive(Debug)]
pub(crate) struct Seeded(pub(crate) Rng);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        bytes.fill_with(|| self.0.next_u64() as u8);
        Ok(())
    }
}

/// Trusts one key or every key, and notes what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    pub(crate) refusal: Option<String>,
    pub(crate) offers: Mutex<Vec<ServerOffer>>,
}

impl ServerTrust for Trust {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        self.offers.lock().expect("no panic before").push(offer.clone());
        self.refusal.clone().map_or(Ok(()), |text| Err(Untrusted(text)))
    }
}

pub(crate) fn identity(number: u8) -> Arc<Identity> {
    Arc::new(Identity::from_seed(&[number; 32]))
}

/// Identity of the server of all tests.
pub(crate) fn server_identity() -> Arc<Identity> {
    identity(1)
}

/// Identity of the client of all tests.
pub(crate) fn client_identity() -> Arc<Identity> {
    identity(2)
}

pub(crate) fn server(rng: &mut Rng) -> LayerStack {
    NoiseServer::with_random(&server_identity(), Seeded(rng.fork())).expect("random numbers").layers()
}

pub(crate) fn client(rng: &mut Rng) -> LayerStack {
    client_that(Arc::new(Trust::default()), Some(client_identity()), rng)
}

pub(crate) fn client_that(trust: Arc<Trust>, identity: Option<Arc<Identity>>, rng: &mut Rng) -> LayerStack {
    let options = NoiseClientOptions { server_name: "chat.example".to_owned(), identity, trust };
    NoiseClient::with_random(&options, Seeded(rng.fork())).expect("a name that fits").layers()
}

/// Takes all output of a side.
pub(crate) fn output(side: &mut LayerStack) -> Vec<u8> {
    let bytes = side.output().to_vec();
    side.consume_output(bytes.len());
    bytes
}

/// Gives `bytes` to a side. Returns the plaintext.
pub(crate) fn receive(side: &mut LayerStack, bytes: &[u8]) -> Result<Vec<u8>, LayerError> {
    let mut plaintext = Vec::new();
    side.receive(bytes, &mut plaintext).map(|()| plaintext)
}

/// Two sides whose handshake is over.
pub(crate) fn open(rng: &mut Rng) -> (LayerStack, LayerStack) {
    let (mut client, mut server) = (client(rng), server(rng));
    receive(&mut server, &output(&mut client)).expect("offer and message 1");
    receive(&mut client, &output(&mut server)).expect("message 2");
    receive(&mut server, &output(&mut client)).expect("message 3");
    assert_eq!((client.state(), server.state()), (LayerState::Open, LayerState::Open));
    (client, server)
}

/// Text of the fault of a peer; fails where it is no such fault.
pub(crate) fn malformed(result: Result<Vec<u8>, LayerError>) -> String {
    match result {
        Err(LayerError::Malformed(text)) => text,
        other => panic!("expected a malformed message, got {other:?}"),
    }
}
