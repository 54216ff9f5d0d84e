//! Certificates made and given.

use std::time::Duration;

use glassline_secure::tls::{ServerCertificate, TlsClient, TlsError};

use crate::support::{Pin, certificate, options, today};

#[test]
fn a_certificate_survives_its_files() {
    let made = certificate();
    let read = ServerCertificate::from_pem(made.chain_pem(), made.key_pem()).unwrap();
    assert_eq!((read.fingerprint(), read.not_after()), (made.fingerprint(), made.not_after()));
    assert_eq!(made.not_after(), today() + Duration::from_hours(365 * 24));
    assert_eq!(made.not_before(), today() - Duration::from_hours(24), "for clients whose clocks are slow");
    let renewed = read.renewed(&[], today() + Duration::from_hours(24)).unwrap();
    assert_eq!(renewed.key_pem(), made.key_pem());
    assert_eq!(renewed.not_after(), made.not_after() + Duration::from_hours(24));
}

#[test]
fn the_private_key_is_not_in_the_debug_output() {
    let made = certificate();
    let shown = format!("{made:?}");
    assert!(shown.contains(&made.fingerprint().words()) && shown.len() < 150, "{shown}");
}

#[test]
fn unusable_files_are_refused_with_their_cause() {
    let (one, other) = (certificate(), certificate());
    let refused = |chain: &str, key: &str| ServerCertificate::from_pem(chain, key).unwrap_err();
    assert_eq!(refused("", one.key_pem()), TlsError::NoCertificate);
    assert_eq!(refused(one.key_pem(), one.key_pem()), TlsError::NoCertificate);
    assert_eq!(refused(one.chain_pem(), ""), TlsError::NoKey);
    assert_eq!(refused(one.chain_pem(), one.chain_pem()), TlsError::NoKey);
    assert_eq!(refused(one.chain_pem(), other.key_pem()), TlsError::WrongKey);
    let of_text = |text: &str| format!("-----BEGIN {text}-----\nAAAA\n-----END {text}-----\n");
    assert!(matches!(refused(&of_text("CERTIFICATE"), one.key_pem()), TlsError::DamagedCertificate(_)));
    assert!(matches!(refused(one.chain_pem(), &of_text("PRIVATE KEY")), TlsError::UnusableKey(_)));
    let long = one.chain_pem().repeat(100);
    assert!(matches!(refused(&long, one.key_pem()), TlsError::ChainTooLong(_, _)));
}

#[test]
fn names_that_nobody_can_dial_are_refused() {
    for name in ["", "two words", "-", "a..b", "chat.example:1234"] {
        let bad_name = TlsError::BadName(name.to_owned());
        assert_eq!(ServerCertificate::generate(&[name.to_owned()], today()).unwrap_err(), bad_name);
        let mut options = options(Pin::of(certificate().fingerprint()));
        name.clone_into(&mut options.server_name);
        assert_eq!(TlsClient::new(options).unwrap_err(), bad_name);
    }
    let mut options = options(Pin::of(certificate().fingerprint()));
    "fe80::1%eth0".clone_into(&mut options.server_name);
    TlsClient::new(options).unwrap();
}
