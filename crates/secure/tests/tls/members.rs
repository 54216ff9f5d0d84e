//! Keys of members, as a server learns them.

use glassline_secure::Identity;
use glassline_secure::tls::TlsServer;
use glassline_wire::layer::{LayerError, LayerFactory as _, LayerStack, LayerState};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;

use crate::foreign::{ForeignClient, certified};
use crate::support::certificate;

fn server_side() -> LayerStack {
    TlsServer::new(&certificate()).unwrap().layers()
}

fn self_signed(key: &KeyPair) -> Vec<CertificateDer<'static>> {
    vec![CertificateParams::default().self_signed(key).unwrap().der().clone()]
}

fn of_identity(identity: &Identity) -> KeyPair {
    KeyPair::from_pem(&identity.to_pem().unwrap()).unwrap()
}

#[test]
fn a_member_is_known_by_the_key_of_its_certificate() {
    let alice = of_identity(&Identity::from_seed(&[1; 32]));
    let mut server = server_side();
    ForeignClient::new(Some(certified(self_signed(&alice), &alice.serialize_pem()))).meet(&mut server).unwrap();
    assert_eq!(server.facts().peer, Some(Identity::from_seed(&[1; 32]).public()));
}

#[test]
fn a_key_of_another_kind_is_no_identity() {
    let key = KeyPair::generate().unwrap();
    let mut server = server_side();
    ForeignClient::new(Some(certified(self_signed(&key), &key.serialize_pem()))).meet(&mut server).unwrap();
    assert_eq!((server.state(), server.facts().peer), (LayerState::Open, None));
}

#[test]
fn another_members_certificate_does_not_help() {
    let [alice, eve] = [[1; 32], [2; 32]].map(|seed| of_identity(&Identity::from_seed(&seed)));
    let mut server = server_side();
    let ended =
        ForeignClient::new(Some(certified(self_signed(&alice), &eve.serialize_pem()))).meet(&mut server).unwrap_err();
    assert_eq!(ended, LayerError::Malformed("a certificate is shown without its private key".to_owned()));
    assert_eq!((server.state(), server.facts().peer), (LayerState::Handshaking, None));
}

#[test]
fn a_member_with_a_damaged_certificate_is_refused() {
    let alice = of_identity(&Identity::from_seed(&[1; 32]));
    for damaged in [&b""[..], b"no certificate"] {
        let shown = vec![CertificateDer::from(damaged.to_vec())];
        let mut server = server_side();
        let ended = ForeignClient::new(Some(certified(shown, &alice.serialize_pem()))).meet(&mut server);
        assert!(matches!(&ended, Err(LayerError::Malformed(why)) if why.contains("damaged")), "{ended:?}");
    }
}
