//! Statements of authorities about a server.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use glassline_secure::Authority;
use glassline_secure::tls::{Authorities, ServerCertificate, TlsClient, TlsError, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::support::{Pair, Pin, certificate, options, today};

const YEAR: Duration = Duration::from_hours(365 * 24);

/// Authority of a test, and the certificate that makes it known.
struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
}

impl TestAuthority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        parameters.distinguished_name.push(DnType::CommonName, name);
        let root_pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), root_pem }
    }

    /// Makes a certificate for `name`, valid for a year from now.
    fn certify(&self, name: &str) -> ServerCertificate {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let now = today().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        (parameters.not_before, parameters.not_after) = (epoch + now, epoch + now + YEAR);
        let made = parameters.signed_by(&key, &self.issuer).unwrap();
        ServerCertificate::from_pem(&made.pem(), &key.serialize_pem()).unwrap()
    }
}

/// Returns what the client is told about a server with this certificate.
fn statement(shown: &ServerCertificate, authorities: Authorities, dialled: &str, now: fn() -> SystemTime) -> Authority {
    let pin = Arc::new(Pin::default());
    let mut options = options(pin.clone());
    (options.authorities, options.server_name, options.now) = (authorities, dialled.to_owned(), now);
    Pair::new(&TlsClient::new(options).unwrap(), &TlsServer::new(shown).unwrap()).settle().unwrap();
    let mut offers = pin.offers();
    assert_eq!((offers.len(), offers[0].key), (1, shown.fingerprint()));
    offers.remove(0).authority
}

fn none(text: &str) -> Authority {
    Authority::None(text.to_owned())
}

#[test]
fn an_authority_vouches_for_the_dialled_name() {
    let authority = TestAuthority::new("known");
    let known = || Authorities::from_pem(&authority.root_pem).unwrap();
    for name in ["chat.example", "192.0.2.7", "2001:db8::7"] {
        assert_eq!(statement(&authority.certify(name), known(), name, today), Authority::Valid, "{name}");
    }
    assert_eq!(
        statement(&authority.certify("chat.example"), known(), "other.example", today),
        none("its certificate is for another host than other.example")
    );
    assert_eq!(
        statement(&authority.certify("192.0.2.7"), known(), "192.0.2.8", today),
        none("its certificate is for another host than 192.0.2.8")
    );
}

#[test]
fn authorities_do_not_vouch_after_the_expiry() {
    let authority = TestAuthority::new("known");
    let known = || Authorities::from_pem(&authority.root_pem).unwrap();
    let shown = authority.certify("chat.example");
    assert_eq!(
        statement(&shown, known(), "chat.example", || today() + 2 * YEAR),
        none("its certificate expired on 2027-11-30")
    );
    assert_eq!(
        statement(&shown, known(), "chat.example", || today() - Duration::from_hours(24)),
        none("its certificate is not valid before 2026-11-30")
    );
}

#[test]
fn unknown_authorities_and_servers_themselves_do_not_vouch() {
    let (known, unknown) = (TestAuthority::new("known"), TestAuthority::new("unknown"));
    let roots = || Authorities::from_pem(&known.root_pem).unwrap();
    let text = none("no known authority has signed its certificate");
    assert_eq!(statement(&unknown.certify("chat.example"), roots(), "chat.example", today), text);
    assert_eq!(statement(&certificate(), roots(), "localhost", today), text);
    // One that has the name of a known authority and another key.
    let namesake = TestAuthority::new("known");
    let forged = statement(&namesake.certify("chat.example"), roots(), "chat.example", today);
    assert_eq!(forged, none("the signature of its certificate is wrong"));
    let nobody = statement(&known.certify("chat.example"), Authorities::None, "chat.example", today);
    assert_eq!(nobody, none("no authorities are known here"));
}

#[test]
fn the_platform_does_not_vouch_for_a_certificate_of_ours() {
    assert!(matches!(statement(&certificate(), Authorities::Platform, "localhost", today), Authority::None(_)));
}

#[test]
fn a_servers_own_certificate_can_be_the_authority() {
    let own = certificate();
    let authorities = Authorities::from_pem(own.chain_pem()).unwrap();
    assert_eq!(statement(&own, authorities, "localhost", today), Authority::Valid);
}

#[test]
fn a_file_without_certificates_is_refused() {
    assert_eq!(Authorities::from_pem("").unwrap_err(), TlsError::NoCertificate);
    let damaged = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert!(matches!(Authorities::from_pem(damaged), Err(TlsError::DamagedCertificate(_))));
}
