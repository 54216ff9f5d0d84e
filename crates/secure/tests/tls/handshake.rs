//! Handshakes that succeed, and what is known afterwards.

use glassline_secure::Authority;
use glassline_secure::tls::{TlsClient, TlsServer};
use glassline_testkit::for_each_seed;
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

/// A seed decides how the bytes of each side are cut, and what is said when.
#[test]
fn every_slicing_gives_the_same_conversation() {
    let certificate = certificate();
    let client = TlsClient::new(options(Pin::of(certificate.fingerprint()))).unwrap();
    let server = TlsServer::new(&certificate).unwrap();
    for_each_seed(0..30, |mut rng| {
        let mut pair = Pair::new(&client, &server);
        let mut said: [Vec<u8>; 2] = Default::default();
        let wanted_bytes = rng.magnitude(200_000) as usize;
        let slice_bytes_max = rng.magnitude(20_000);
        while pair.at_server.len() < wanted_bytes || pair.at_client.len() < wanted_bytes {
            for (side, said) in [&mut pair.client, &mut pair.server].into_iter().zip(&mut said) {
                let texts: Vec<Vec<u8>> =
                    (0..rng.below(5)).map(|_| vec![rng.below(256) as u8; rng.magnitude(40_000) as usize - 1]).collect();
                let slices: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
                let taken_bytes = side.send(&slices);
                said.extend_from_slice(&slices.concat()[..taken_bytes]);
            }
            for _ in 0..rng.below(8) {
                let bytes = pair.client.output().len().min(rng.between(1, slice_bytes_max) as usize);
                pair.server.receive(&pair.client.output()[..bytes], &mut pair.at_server).unwrap();
                pair.client.consume_output(bytes);
                let bytes = pair.server.output().len().min(rng.between(1, slice_bytes_max) as usize);
                pair.client.receive(&pair.server.output()[..bytes], &mut pair.at_client).unwrap();
                pair.server.consume_output(bytes);
            }
        }
        pair.client.close();
        pair.server.close();
        pair.settle().unwrap();
        assert_eq!((pair.client.state(), pair.server.state()), (LayerState::PeerClosed, LayerState::PeerClosed));
        assert!(said == [pair.at_server, pair.at_client]);
    });
}
