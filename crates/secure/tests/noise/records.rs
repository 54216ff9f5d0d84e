//! Records that an attacker changed, repeated, reordered, dropped or made.

use glassline_secure::noise::REKEY_RECORDS;
use glassline_testkit::{Rng, seed_or};
use glassline_wire::layer::{LayerError, LayerState};

use crate::pair::{malformed, open, output, receive};

const TEXT: &[u8] = b"meet at seven";

#[test]
fn each_byte_of_a_record_is_protected() {
    let mut rng = Rng::new(seed_or(1));
    let bytes = 2 + TEXT.len() + 16;
    for at in 0..bytes {
        for bit in 0..8 {
            let (mut client, mut server) = open(&mut rng);
            assert_eq!(client.send(&[TEXT]), TEXT.len());
            let mut record = output(&mut client);
            assert_eq!(record.len(), bytes);
            record[at] ^= 1 << bit;
            client.send(&[b"and another"]);
            record.extend(output(&mut client));
            match receive(&mut server, &record) {
                Err(LayerError::Malformed(_)) => {}
                // A greater length is still waited for; then the end of the stream is a cut.
                Ok(plaintext) => {
                    assert!(at < 2 && plaintext.is_empty(), "byte {at}, bit {bit}: {plaintext:?}");
                    assert_eq!(server.end_of_input(), Err(LayerError::Truncated));
                }
                other => panic!("byte {at}, bit {bit}: {other:?}"),
            }
        }
    }
}

#[test]
fn repeated_reordered_and_dropped_records_are_noticed() {
    let mut rng = Rng::new(2);
    let three = |rng: &mut Rng| {
        let (mut client, server) = open(rng);
        let records = [&b"one"[..], b"two", b"three"].map(|text| {
            client.send(&[text]);
            output(&mut client)
        });
        (server, records)
    };
    for order in [&[0, 0][..], &[1], &[0, 2], &[0, 1, 0], &[0, 1, 2, 2]] {
        let (mut server, records) = three(&mut rng);
        let (last, honest) = order.split_last().expect("an order");
        for &at in honest {
            receive(&mut server, &records[at]).expect("in order");
        }
        let text = malformed(receive(&mut server, &records[*last]));
        assert!(text.contains("changed, repeated, left out or reordered"), "{order:?}: {text}");
        malformed(receive(&mut server, &records[1]));
        assert!(server.end_of_input().is_err(), "a failed link is not a clean end");
    }
}

#[test]
fn records_of_the_other_direction_and_of_other_sessions_fail() {
    let mut rng = Rng::new(3);
    let (mut client, mut server) = open(&mut rng);
    let (mut other_client, _) = open(&mut rng);
    client.send(&[TEXT]);
    let reflected = output(&mut client);
    malformed(receive(&mut client, &reflected));
    other_client.send(&[TEXT]);
    malformed(receive(&mut server, &output(&mut other_client)));
}

#[test]
fn records_shorter_than_their_tag_are_refused_by_their_length() {
    for bytes in 0..16_u8 {
        let (_, mut server) = open(&mut Rng::new(4));
        let text = malformed(receive(&mut server, &[0, bytes]));
        assert_eq!(text, format!("a record of {bytes} bytes, which is shorter than its tag of 16"));
    }
}

#[test]
fn an_end_that_an_attacker_made_is_no_end() {
    let (_, mut server) = open(&mut Rng::new(5));
    malformed(receive(&mut server, &[&[0, 16][..], &[0; 16]].concat()));
    assert_eq!((server.state(), server.end_of_input().is_err()), (LayerState::Open, true));
}

#[test]
fn a_flood_is_held_only_up_to_one_record() {
    let (_, mut server) = open(&mut Rng::new(6));
    let mut plaintext = Vec::new();
    server.receive(&[0xff, 0xff], &mut plaintext).expect("a length in bounds");
    for _ in 0..65_534 {
        server.receive(&[0], &mut plaintext).expect("the record is not whole yet");
    }
    assert!(server.receive(&[0; 10_000], &mut plaintext).is_err() && plaintext.is_empty());
}

#[test]
fn the_longest_record_of_a_peer_is_accepted() {
    // This implementation sends no such records; another may. See the vectors for one.
    let (mut client, mut server) = open(&mut Rng::new(7));
    let text = vec![1; 16 * 1024];
    assert_eq!(client.send(&[&text[..10_000], &text[10_000..]]), text.len());
    let record = output(&mut client);
    assert_eq!(record.len(), 2 + text.len() + 16, "one record for two slices");
    assert_eq!(receive(&mut server, &record), Ok(text));
}

#[test]
fn a_record_of_before_a_rekey_is_worthless_after_it() {
    let (mut client, mut server) = open(&mut Rng::new(8));
    let mut last = Vec::new();
    for _ in 0..REKEY_RECORDS {
        client.send(&[TEXT]);
        last = output(&mut client);
        receive(&mut server, &last).expect("in order");
    }
    malformed(receive(&mut server, &last));
}

#[test]
fn equal_texts_make_different_records() {
    let (mut client, _) = open(&mut Rng::new(9));
    let mut records = Vec::new();
    for _ in 0..2 * REKEY_RECORDS {
        client.send(&[TEXT]);
        records.push(output(&mut client));
    }
    records.sort();
    records.dedup();
    assert_eq!(records.len() as u64, 2 * REKEY_RECORDS);
}
