//! Connections whose secrets are known, read and written beside their ends.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use glassline_secure::tls::{Sender, TlsServer, Traffic};
use glassline_testkit::AnyServer;
use glassline_wire::layer::{LayerFactory, LayerStack};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, ClientConfig, ClientConnection, SupportedCipherSuite};

use crate::key_log::Lines;
use crate::support::{certificate, take_output};

/// Connection in which the client has said `up` and the server `down`.
struct Recorded {
    client: ClientConnection,
    server: LayerStack,
    lines: Vec<String>,
    up: Vec<u8>,
    down: Vec<u8>,
}

impl Recorded {
    fn new(suite: SupportedCipherSuite) -> Self {
        let log = Arc::new(Lines::default());
        let server = TlsServer::with_key_log(&certificate(), Some(log.clone())).unwrap();
        let (mut client, mut server) = (client(suite), server.layers());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for round in 0..4 {
            if round == 2 {
                client.writer().write_all(b"said by the client").unwrap();
                assert_eq!(server.send(&[b"said by the server"]), 18);
            }
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent).unwrap();
            }
            server.receive(&sent, &mut Vec::new()).unwrap();
            up.extend(sent);
            let sent = take_output(&mut server);
            give(&mut client, &sent);
            down.extend(sent);
        }
        assert_eq!(received(&mut client), b"said by the server");
        let lines = log.lines();
        Self { client, server, lines, up, down }
    }
}

fn client(suite: SupportedCipherSuite) -> ClientConnection {
    let provider = Arc::new(CryptoProvider { cipher_suites: vec![suite], ..ring::default_provider() });
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer::new(&provider)))
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
}

fn give(client: &mut ClientConnection, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets().unwrap();
    }
}

fn received(client: &mut ClientConnection) -> Vec<u8> {
    let mut plaintext = [0; 64];
    let bytes = client.reader().read(&mut plaintext).unwrap();
    plaintext[..bytes].to_vec()
}

#[test]
fn the_secrets_read_and_forge_under_each_cipher_suite() {
    let suites = ring::ALL_CIPHER_SUITES.iter().filter(|suite| suite.tls13().is_some());
    let mut names: Vec<CipherSuite> = Vec::new();
    for suite in suites {
        let mut recorded = Recorded::new(*suite);
        let mut up = Traffic::new(Sender::Client, &recorded.lines).unwrap();
        // However the stream is cut.
        let read: Vec<u8> = recorded.up.chunks(7).flat_map(|part| up.read(part)).collect();
        assert_eq!(read, b"said by the client", "{suite:?}");
        let mut down = Traffic::new(Sender::Server, &recorded.lines).unwrap();
        assert_eq!(down.read(&recorded.down), b"said by the server", "{suite:?}");

        give(&mut recorded.client, &down.write(b"forged").unwrap());
        assert_eq!(received(&mut recorded.client), b"forged", "{suite:?}");
        let mut plaintext = Vec::new();
        recorded.server.receive(&up.write(b"forged, too").unwrap(), &mut plaintext).unwrap();
        assert_eq!(plaintext, b"forged, too", "{suite:?}");
        names.push(suite.suite());
    }
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn the_secrets_of_another_connection_give_nothing() {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let (one, other) = (Recorded::new(suite), Recorded::new(suite));
    let mut traffic = Traffic::new(Sender::Client, &other.lines).unwrap();
    assert_eq!(traffic.read(&one.up), b"");
    assert_eq!(traffic.write(b"forged"), None);
    assert!(Traffic::new(Sender::Server, &["CLIENT_TRAFFIC_SECRET_0 00 11".to_owned()]).is_none());
}
