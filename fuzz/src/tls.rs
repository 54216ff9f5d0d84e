//! TLS: whatever a peer or an attacker on the way sends, nothing is received but the beginning of
//! what was said, and memory is bounded. Texts of files give certificates or a reason.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use glassline_fuzz::AnyServer;
use glassline_secure::Identity;
use glassline_secure::tls::{Authorities, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_wire::layer::{LAYER_BYTES_MAX, LayerFactory as _, LayerStack};
use libfuzzer_sys::fuzz_target;

const SAID: &[u8] = b"meet at seven and bring the key";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

static SIDES: LazyLock<(TlsClient, TlsServer)> = LazyLock::new(|| {
    let certificate = ServerCertificate::generate(&[], now()).expect("a certificate");
    let options = TlsClientOptions {
        server_name: "localhost".to_owned(),
        identity: Some(Arc::new(Identity::from_seed(&[7; 32]))),
        trust: Arc::new(AnyServer),
        authorities: Authorities::from_pem(certificate.chain_pem()).expect("an authority"),
        key_log: None,
        now,
    };
    (TlsClient::new(options).expect("a client"), TlsServer::new(&certificate).expect("a server"))
});

/// Gives bytes to a side that has not begun, in two slices.
fn strangers_bytes(side: &mut LayerStack, bytes: &[u8]) {
    let (mut plaintext, (head, tail)) = (Vec::new(), bytes.split_at(bytes.len() / 2));
    for slice in [head, tail] {
        if let Err(error) = side.receive(slice, &mut plaintext) {
            assert!(!error.to_string().is_empty());
        }
        assert!(side.output().len() <= LAYER_BYTES_MAX);
    }
    assert!(plaintext.is_empty());
}

/// Runs a conversation in which each three bytes of `changes` change one byte of what passes: how
/// many bytes pass before it, and its mask; 0 inserts one.
fn conversation(changes: &[u8]) {
    let (mut client, mut server) = (SIDES.0.layers(), SIDES.1.layers());
    let mut received = [Vec::new(), Vec::new()];
    let mut changes = changes.chunks_exact(3);
    let mut next = changes.next();
    let mut until_change = next.map_or(0, |change| usize::from(change[0]) << 8 | usize::from(change[1]));
    for turn in 0..12 {
        let (from, to) = if turn % 2 == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
        from.send(&[SAID]);
        let mut bytes = from.output().to_vec();
        from.consume_output(bytes.len());
        while let Some(change) = next
            && until_change < bytes.len()
        {
            match change[2] {
                0 => bytes.insert(until_change, change[1]),
                mask => bytes[until_change] ^= mask,
            }
            next = changes.next();
            until_change += next.map_or(0, |change| usize::from(change[1]) + 1);
        }
        until_change = until_change.saturating_sub(bytes.len());
        // A refusal is as good as an honest receipt.
        let _ = to.receive(&bytes, &mut received[turn % 2]);
        assert!(to.output().len() <= LAYER_BYTES_MAX);
        assert!(received[turn % 2].chunks(SAID.len()).all(|chunk| SAID.starts_with(chunk)));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, rest)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => strangers_bytes(&mut SIDES.1.layers(), rest),
        1 => strangers_bytes(&mut SIDES.0.layers(), rest),
        2 => conversation(rest),
        _ => {
            let text = String::from_utf8_lossy(rest);
            let (first, second) = text.split_once('\0').unwrap_or((&text, &text));
            let _ = Authorities::from_pem(first);
            let _ = Identity::from_pem(first);
            let _ = ServerCertificate::from_pem(first, second);
        }
    }
});
