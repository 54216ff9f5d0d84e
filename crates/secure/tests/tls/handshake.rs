//! Handshakes that succeed, and what is known afterwards.

use glassline_secure::Authority;
use glassline_secure::tls::{TlsClient, TlsServer};
use glassline_wire::layer::{LayerError, LayerState};
use glassline_wire::link::{LinkFacts, LinkKind};

use crate::support::{Pair, Pin, certificate, identity, options};

#[test]
fn both_sides_know_the_key_that_the_other_has_proven() {
    let certificate = certificate();
    let pin = Pin::of(certificate.fingerprint());
    let mut options = options(pin.clone());
    options.identity = Some(identity());
    let server = TlsServer::new(&certificate).unwrap();
    let mut pair = Pair::new(&TlsClient::new(options).unwrap(), &server);
    pair.settle().unwrap();
    assert_eq!(pair.server.facts(), LinkFacts { kind: LinkKind::Tls, peer: Some(identity().public()) });
    assert_eq!(pair.client.facts(), LinkFacts { kind: LinkKind::Tls, peer: None });
    let offers = pin.offers();
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].key, certificate.fingerprint());
    assert_eq!(offers[0].authority, Authority::None("no authorities are known here".to_owned()));
}

#[test]
fn a_client_without_an_identity_is_admitted() {
    let pair = Pair::open();
    assert_eq!(pair.server.facts(), LinkFacts { kind: LinkKind::Tls, peer: None });
}

#[test]
fn plaintext_passes_in_both_directions_and_ends_apart() {
    let mut pair = Pair::open();
    assert_eq!(pair.client.send(&[b"hello, ", b"", b"server"]), 13);
    assert_eq!(pair.server.send(&[b"hello, client"]), 13);
    pair.settle().unwrap();
    assert_eq!((&pair.at_server[..], &pair.at_client[..]), (&b"hello, server"[..], &b"hello, client"[..]));
    assert_eq!(pair.server.end_of_input(), Err(LayerError::Truncated));
    pair.client.close();
    assert_eq!(pair.client.send(&[b"more"]), 0);
    pair.settle().unwrap();
    assert_eq!((pair.server.state(), pair.server.end_of_input()), (LayerState::PeerClosed, Ok(())));
    assert_eq!(pair.server.send(&[b"goodbye"]), 7);
    pair.server.close();
    pair.settle().unwrap();
    assert!(pair.at_client.ends_with(b"goodbye"));
    assert_eq!(pair.client.state(), LayerState::PeerClosed);
}
