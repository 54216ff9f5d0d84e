//! Memory of a link whose peer does not read, or sends what has no end.

use glassline_secure::tls::TlsServer;
use glassline_wire::layer::{LAYER_BYTES_MAX, LayerError, LayerFactory as _, LayerStack, LayerState};

use crate::foreign::ForeignClient;
use crate::support::{Pair, certificate, take_output};

#[test]
fn output_that_nobody_takes_is_bounded() {
    let mut pair = Pair::open();
    let message = [7; 1_000];
    let mut taken_bytes = 0;
    loop {
        let taken = pair.server.send(&[&message, &message]);
        taken_bytes += taken;
        assert!(pair.server.output().len() <= LAYER_BYTES_MAX);
        if taken == 0 {
            break;
        }
    }
    assert!(taken_bytes > LAYER_BYTES_MAX - 2_000, "{taken_bytes} bytes");
    pair.server.close();
    assert!(pair.server.output().len() <= LAYER_BYTES_MAX);
    pair.settle().unwrap();
    assert_eq!((pair.at_client.len(), pair.client.state()), (taken_bytes, LayerState::PeerClosed));
}

#[test]
fn a_flood_of_key_changes_ends_the_connection() {
    let mut server = server_side();
    let mut foreign = ForeignClient::new(None);
    foreign.meet(&mut server).unwrap();
    assert_eq!(server.state(), LayerState::Open);
    let mut plaintext = Vec::new();
    for changes in 0.. {
        let flood = foreign.advance(&mut Vec::new(), true);
        if let Err(error) = server.receive(&flood, &mut plaintext) {
            assert!(
                matches!(&error, LayerError::Malformed(why) if why.contains("asks for new keys again and again")),
                "{error:?}"
            );
            assert!((2..100).contains(&changes), "{changes}");
            break;
        }
        assert!(server.output().len() < 1_000, "{} bytes", server.output().len());
    }
    assert!(plaintext.is_empty());
}

#[test]
fn keys_can_change_while_people_talk() {
    let mut server = server_side();
    let mut foreign = ForeignClient::new(None);
    foreign.meet(&mut server).unwrap();
    assert_eq!(server.state(), LayerState::Open);
    for _ in 0..5 {
        server.receive(&foreign.advance(&mut Vec::new(), true), &mut Vec::new()).unwrap();
        assert_eq!(server.send(&[b"still here"]), 10);
        foreign.advance(&mut take_output(&mut server), false);
    }
}

#[test]
fn a_message_without_end_ends_the_connection() {
    // A hello that claims 16 MiB, in records of 16 KiB.
    let mut record = vec![0x16, 3, 1, 0x40, 0];
    record.resize(5 + 16_384, 0);
    let mut first = record.clone();
    first[5..9].copy_from_slice(&[1, 0xff, 0xff, 0xff]);
    let mut server = server_side();
    let mut ended = server.receive(&first, &mut Vec::new());
    for _ in 0..10 {
        ended = ended.and_then(|()| server.receive(&record, &mut Vec::new()));
    }
    assert!(matches!(ended, Err(LayerError::Malformed(_))), "{ended:?}");
    // One that claims what is allowed, byte by byte: more is held than counts.
    let mut server = server_side();
    let mut ended = server.receive(&[0x16, 3, 1, 0, 4, 1, 0, 0xff, 0], &mut Vec::new());
    let mut sent_bytes = 0;
    while ended.is_ok() {
        ended = server.receive(&[0x16, 3, 1, 0, 1, 0], &mut Vec::new());
        sent_bytes += 6;
        assert!(sent_bytes < 2 * LAYER_BYTES_MAX);
    }
    assert!(matches!(ended, Err(LayerError::Malformed(_))), "{ended:?}");
}

#[test]
fn empty_records_and_warnings_without_end_are_refused() {
    let hello = ForeignClient::new(None).advance(&mut Vec::new(), false);
    let (empty_ccs, warning) = ([0x14, 3, 3, 0, 1, 1], [0x15, 3, 3, 0, 2, 1, 0x5a]);
    for (record, text) in [(&empty_ccs[..], "other ciphers"), (&warning, "one warning after another")] {
        let mut server = server_side();
        server.receive(&hello, &mut Vec::new()).unwrap();
        let ended = (0..1_000).try_for_each(|_| server.receive(record, &mut Vec::new()));
        assert!(matches!(&ended, Err(LayerError::Malformed(why)) if why.contains(text)), "{text}: {ended:?}");
    }
}

fn server_side() -> LayerStack {
    TlsServer::new(&certificate()).unwrap().layers()
}
