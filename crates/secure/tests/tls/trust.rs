//! Decisions about the server's key, and what is sent before them.

use std::sync::Arc;

use glassline_secure::tls::{ServerCertificate, TlsClient, TlsServer};
use glassline_wire::layer::{LayerError, LayerFactory as _, LayerState};
use glassline_wire::link::LinkFacts;
use rustls::pki_types::CertificateDer;

use crate::foreign::{ForeignServer, certified, chain};
use crate::support::{Pair, Pin, certificate, identity, options, today};

fn untrusted(end: Result<(), LayerError>) -> String {
    match end {
        Err(LayerError::Untrusted(text)) => text,
        other => panic!("not refused for its key: {other:?}"),
    }
}

#[test]
fn a_changed_key_ends_before_anything_is_sent() {
    let (pinned, shown) = (certificate(), certificate());
    let mut options = options(Pin::of(pinned.fingerprint()));
    options.identity = Some(identity());
    let client = TlsClient::new(options).unwrap();
    let mut pair = Pair::new(&client, &TlsServer::new(&shown).unwrap());
    let text = untrusted(pair.settle());
    assert_eq!(text, format!("{} is not {}", shown.fingerprint(), pinned.fingerprint()));
    assert_eq!(pair.client.send(&[b"token"]), 0, "nothing is sent any more");
    // The rest of what the client says is that it does not go on: no certificate fits into it.
    assert!(pair.client.output().len() < 64, "{} bytes", pair.client.output().len());
    let ended = pair.settle();
    assert!(matches!(&ended, Err(LayerError::Refused(why)) if why.contains("does not trust")), "{ended:?}");
    assert_eq!((pair.server.state(), pair.server.facts()), (LayerState::Handshaking, LinkFacts::PLAINTEXT));
    assert!(pair.at_server.is_empty() && pair.at_client.is_empty());
    assert_eq!(untrusted(pair.client.receive(b"", &mut Vec::new())), text, "again");
}

#[test]
fn a_renewed_certificate_has_the_pinned_key() {
    let old = certificate();
    let renewed = old.renewed(&["chat.example".to_owned()], today()).unwrap();
    assert_ne!(old.chain_pem(), renewed.chain_pem());
    let client = TlsClient::new(options(Pin::of(old.fingerprint()))).unwrap();
    let mut pair = Pair::new(&client, &TlsServer::new(&renewed).unwrap());
    pair.settle().unwrap();
    assert_eq!(pair.client.state(), LayerState::Open);
}

#[test]
fn a_copied_certificate_without_its_key_is_refused() {
    let (pinned, eve) = (certificate(), certificate());
    let pin = Pin::of(pinned.fingerprint());
    let mut client = TlsClient::new(options(pin.clone())).unwrap().layers();
    let mut impostor = ForeignServer::new(certified(chain(&pinned), eve.key_pem()));
    let text = untrusted(impostor.meet(&mut client));
    assert!(text.contains("without having its private key"), "{text}");
    assert!(pin.offers().is_empty(), "nobody is asked about a key that is not proven");
    // With its own key the same server gets in.
    let mut client = TlsClient::new(options(pin)).unwrap().layers();
    ForeignServer::new(certified(chain(&pinned), pinned.key_pem())).meet(&mut client).unwrap();
    assert_eq!(client.state(), LayerState::Open);
}

#[test]
fn a_damaged_certificate_is_refused_with_a_reason() {
    let whole = certificate();
    let der = chain(&whole).remove(0).to_vec();
    for damaged in [&b"no certificate"[..], b"", &der[..der.len() - 1], &[der.as_slice(), b"x"].concat()] {
        let pin = Pin::of(whole.fingerprint());
        let mut client = TlsClient::new(options(pin.clone())).unwrap().layers();
        let shown = vec![CertificateDer::from(damaged.to_vec())];
        let ended = ForeignServer::new(certified(shown, whole.key_pem())).meet(&mut client);
        assert!(matches!(&ended, Err(LayerError::Malformed(why)) if why.contains("damaged")), "{ended:?}");
        assert!(pin.offers().is_empty());
    }
}

#[test]
fn new_connections_get_the_certificate_reloaded() {
    let (old, new) = (certificate(), certificate());
    let server = TlsServer::new(&old).unwrap();
    let shared = server.clone();
    let fingerprint_shown = |server: &TlsServer| {
        let pin = Arc::new(Pin::default());
        Pair::new(&TlsClient::new(options(pin.clone())).unwrap(), server).settle().unwrap();
        pin.offers()[0].key
    };
    let mut before = Pair::new(&TlsClient::new(options(Pin::of(old.fingerprint()))).unwrap(), &server);
    before.settle().unwrap();
    shared.reload(&new);
    assert_eq!(fingerprint_shown(&server), new.fingerprint());
    before.client.send(&[b"still here"]);
    before.settle().unwrap();
    assert_eq!(before.at_server, b"still here");
    // The key may change its kind too.
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let made = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&ed25519).unwrap();
    let given = ServerCertificate::from_pem(&made.pem(), &ed25519.serialize_pem()).unwrap();
    shared.reload(&given);
    assert_eq!(fingerprint_shown(&server), given.fingerprint());
}
