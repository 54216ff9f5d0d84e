//! Handshakes that an attacker changed, cut, repeated or made.

use std::sync::Arc;

use glassline_testkit::{Rng, seed_or};
use glassline_wire::layer::{LayerStack, LayerState};

use crate::pair::{client, client_that, malformed, open, output, receive, server};

/// Bytes of the offer of [`client`], in front of message 1.
const OFFER_BYTES: usize = 12 + "chat.example".len();
const MESSAGE_1_BYTES: usize = 2 + 32;
const MESSAGE_2_BYTES: usize = 2 + 32 + 48 + 96 + 16;
const MESSAGE_3_BYTES: usize = 2 + 48 + 96 + 16;

/// A client and a server with an attacker between them, who may change each message (1 to 3; the
/// first with the offer in front). Returns the fault that one of them found.
fn attacked(rng: &mut Rng, change: impl Fn(u8, &mut Vec<u8>)) -> (Result<(), String>, LayerStack, LayerStack) {
    let (mut client, mut server) = (client(rng), server(rng));
    let mut pass = |number| {
        let (from, to, name) =
            if number == 2 { (&mut server, &mut client, "client") } else { (&mut client, &mut server, "server") };
        let mut message = output(from);
        change(number, &mut message);
        receive(to, &message).map(drop).map_err(|error| format!("{name}: {error}"))
    };
    let result = (1..=3).try_for_each(&mut pass);
    (result, client, server)
}

#[test]
fn messages_have_the_lengths_of_the_specification() {
    let (result, _, _) = attacked(&mut Rng::new(1), |number, message| {
        let expected = [OFFER_BYTES + MESSAGE_1_BYTES, MESSAGE_2_BYTES, MESSAGE_3_BYTES];
        assert_eq!(message.len(), expected[usize::from(number) - 1]);
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn no_flipped_bit_of_a_handshake_goes_unnoticed() {
    let mut rng = Rng::new(seed_or(2));
    for (changed, bytes) in [(1, OFFER_BYTES + MESSAGE_1_BYTES), (2, MESSAGE_2_BYTES), (3, MESSAGE_3_BYTES)] {
        for at in 0..bytes {
            let bit = 1 << rng.below(8);
            let (result, client, server) = attacked(&mut rng, |number, message| {
                if number == changed && !message.is_empty() {
                    message[at] ^= bit;
                }
            });
            let is_open = [client.state() == LayerState::Open, server.state() == LayerState::Open];
            // A longer name makes the server wait for bytes that never come.
            let is_longer_name = changed == 1 && at == OFFER_BYTES - "chat.example".len() - 1;
            assert!(result.is_err() || is_longer_name, "message {changed}, byte {at}, bit {bit}");
            assert_eq!(is_open, [changed == 3, false], "message {changed}, byte {at}, bit {bit}: {result:?}");
            assert_eq!(server.facts().peer, None);
        }
    }
}

#[test]
fn a_cut_handshake_waits_and_gives_away_nothing() {
    let mut rng = Rng::new(3);
    for cut in 0..OFFER_BYTES + MESSAGE_1_BYTES {
        let (mut client, mut server) = (client(&mut rng), server(&mut rng));
        assert_eq!(receive(&mut server, &output(&mut client)[..cut]), Ok(Vec::new()));
        assert_eq!((server.output().len(), server.state()), (0, LayerState::Handshaking));
        assert_eq!(server.end_of_input(), Ok(()), "nothing can be missing");
    }
    let (mut client, mut server) = (client(&mut rng), server(&mut rng));
    receive(&mut server, &output(&mut client)).expect("message 1");
    let message_2 = output(&mut server);
    receive(&mut client, &message_2[..MESSAGE_2_BYTES - 1]).expect("no fault so far");
    assert_eq!(client.output(), b"", "the client's key is not sent before the server's is proven");
    receive(&mut client, &message_2[MESSAGE_2_BYTES - 1..]).expect("the rest");
    let message_3 = output(&mut client);
    receive(&mut server, &message_3[..MESSAGE_3_BYTES - 1]).expect("no fault so far");
    assert_eq!((server.state(), server.send(&[b"text"])), (LayerState::Handshaking, 0));
}

#[test]
fn messages_of_another_session_are_refused() {
    let mut rng = Rng::new(4);
    let (mut other_client, mut other_server) = (client(&mut rng), server(&mut rng));
    let other_opening = output(&mut other_client);
    receive(&mut other_server, &other_opening).expect("message 1");
    let other_2 = output(&mut other_server);
    receive(&mut other_client, &other_2).expect("message 2");
    let other_3 = output(&mut other_client);

    // The opening carries no proof yet; its replay gets an answer that the attacker cannot use.
    let mut replayed = server(&mut rng);
    receive(&mut replayed, &other_opening).expect("message 1");
    assert_ne!(output(&mut replayed), other_2);
    let text = malformed(receive(&mut replayed, &other_3));
    assert!(text.contains("belongs to another connection"), "{text}");

    let text = malformed(receive(&mut client(&mut rng), &other_2));
    assert!(text.contains("changed on the way"), "{text}");
}

#[test]
fn reflected_messages_are_refused() {
    let mut rng = Rng::new(5);
    let mut client = client(&mut rng);
    let opening = output(&mut client);
    malformed(receive(&mut client, &opening));
    let (mut client, mut server) = (crate::pair::client(&mut rng), server(&mut rng));
    receive(&mut server, &output(&mut client)).expect("message 1");
    let message_2 = output(&mut server);
    malformed(receive(&mut server, &message_2));
}

#[test]
fn an_offer_changed_on_the_way_ends_the_handshake() {
    // Another name of the same length: the server cannot know, the client can.
    let (result, client, server) = attacked(&mut Rng::new(6), |number, message| {
        if number == 1 {
            message[OFFER_BYTES - 1] = b'a';
        }
    });
    assert!(result.is_err_and(|text| text.starts_with("client: ")));
    assert_ne!((client.state(), server.state()), (LayerState::Open, LayerState::Open));
}

#[test]
fn strange_openings_are_refused_with_a_reason_at_once() {
    let reason = |bytes: &[u8]| malformed(receive(&mut server(&mut Rng::new(7)), bytes));
    assert!(reason(b"GLASSLINE2").contains("begins with GLASSNOISE"));
    assert!(reason(b"\x16\x03\x01").contains("begins with GLASSNOISE"));
    assert_eq!(reason(b"GLASSNOISE\x02"), "this server speaks version 1 of the Noise link, not 2");
    assert!(reason(b"GLASSNOISE\x01\x00").contains("names no server"));
    assert_eq!(reason(b"GLASSNOISE\x01\x01x\x00\x00"), "message 1 of the handshake has 32 bytes, not 0");
    assert_eq!(reason(b"GLASSNOISE\x01\x01x\xff\xff"), "message 1 of the handshake has 32 bytes, not 65535");
    let first = [b"GLASSNOISE\x01\x01x\x00\x20".as_slice(), &[9; 32], b"\x00\x00"].concat();
    assert_eq!(reason(&first), "message 3 of the handshake has 160 or 64 bytes, not 0");
    let first = [b"GLASSNOISE\x01\x01x\x00\x20".as_slice(), &[9; 32], b"\x00\x40", &[3; 64]].concat();
    assert!(reason(&first).contains("was changed on the way"));
}

#[test]
fn a_server_that_does_not_speak_noise_is_named_as_such() {
    for answer in
        [&b"Noise is not offered here\n"[..], b"\x15\x03\x03\x00\x02\x02\x46", b"\x00\x00", b"5         hello"]
    {
        let text = malformed(receive(&mut client(&mut Rng::new(8)), answer));
        assert!(text.contains("may not offer it on this port"), "{text}");
    }
}

#[test]
fn keys_of_small_order_open_nothing() {
    // The client's ephemeral key is zero, so that part of the keys is known to everybody.
    let mut rng = Rng::new(9);
    let mut server = server(&mut rng);
    let opening = [b"GLASSNOISE\x01\x01x\x00\x20".as_slice(), &[0; 32]].concat();
    receive(&mut server, &opening).expect("message 1 proves nothing yet");
    let message_2 = output(&mut server);
    malformed(receive(&mut server, &message_2));
    // In the way of an honest client, it changes the handshake and is found.
    let (result, _, server) = attacked(&mut rng, |number, message| {
        if number == 1 {
            message[OFFER_BYTES + 2..].fill(0);
        }
    });
    assert!(result.is_err() && server.state() == LayerState::Handshaking);
}

#[test]
fn handshakes_share_no_bytes_that_only_chance_would() {
    let mut rng = Rng::new(10);
    let mut keys = Vec::new();
    for _ in 0..20 {
        let mut client = client_that(Arc::default(), None, &mut rng);
        keys.push(output(&mut client)[OFFER_BYTES..].to_vec());
        open(&mut rng);
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 20);
}
