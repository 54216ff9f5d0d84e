//! Bytes that an attacker on the way cuts, changes, repeats, reorders or makes.

use glassline_secure::tls::{TlsClient, TlsServer};
use glassline_testkit::{Rng, for_each_seed, seed_or};
use glassline_wire::layer::{LayerError, LayerFactory as _, LayerState};

use crate::support::{From, Pair, Pin, certificate, identity, options, take_output};

/// Sides that differ in nothing from one session to the next.
struct Sides {
    client: TlsClient,
    server: TlsServer,
}

impl Sides {
    fn new() -> Self {
        let certificate = certificate();
        let mut options = options(Pin::of(certificate.fingerprint()));
        options.identity = Some(identity());
        Self { client: TlsClient::new(options).unwrap(), server: TlsServer::new(&certificate).unwrap() }
    }

    fn pair(&self) -> Pair {
        Pair::new(&self.client, &self.server)
    }

    /// Flights of an honest handshake: hello, answer, the client's proof.
    fn flights(&self) -> [Vec<u8>; 3] {
        let mut pair = self.pair();
        let hello = take_output(&mut pair.client);
        pair.server.receive(&hello, &mut Vec::new()).unwrap();
        let answer = take_output(&mut pair.server);
        pair.client.receive(&answer, &mut Vec::new()).unwrap();
        [hello, answer, take_output(&mut pair.client)]
    }
}

/// Asserts that a handshake has failed: with a reason, which the other side learns where there is
/// an alert for it, and without plaintext.
#[track_caller]
fn assert_failed(pair: &mut Pair, ended: Result<(), LayerError>, what: &str) {
    let failure = ended.expect_err(what);
    assert!(failure.to_string().len() > 30, "{what}: {failure}");
    let is_open = pair.server.state() == LayerState::Open && pair.client.state() == LayerState::Open;
    assert!(!is_open && pair.at_client.is_empty() && pair.at_server.is_empty(), "{what}");
    let is_told = !pair.client.output().is_empty() || !pair.server.output().is_empty();
    assert_eq!(pair.settle().is_err(), is_told, "{what}: {failure}");
}

/// Sides and lengths of the three flights of a handshake.
fn each_flight(sides: &Sides) -> impl Iterator<Item = (usize, From, usize)> {
    let lengths = sides.flights().map(|flight| flight.len());
    lengths.into_iter().enumerate().map(|(at, length)| (at, [From::Client, From::Server, From::Client][at], length))
}

/// Returns an attacker who changes one flight of a handshake.
fn on_flight(at: usize, mut change: impl FnMut(&mut Vec<u8>)) -> impl FnMut(From, Vec<u8>) -> Vec<u8> {
    let mut flights = 0;
    move |_, mut bytes| {
        if flights == at {
            change(&mut bytes);
        }
        flights += 1;
        bytes
    }
}

#[test]
fn each_bit_flipped_in_a_handshake_is_noticed() {
    let sides = Sides::new();
    let mut rng = Rng::new(seed_or(1));
    for (at, from, bytes) in each_flight(&sides) {
        for byte in 0..bytes {
            let bit = rng.below(8);
            let mut has_meaning = false;
            let mut pair = sides.pair();
            let ended = pair.settle_through(on_flight(at, |flight| {
                if let Some(changed) = flight.get_mut(byte) {
                    *changed ^= 1 << bit;
                    has_meaning = !is_in_ignored_header(flight, byte);
                }
            }));
            let what = format!("{from:?}, flight {at}, byte {byte}, bit {bit}");
            let is_stuck =
                pair.client.state() == LayerState::Handshaking || pair.server.state() == LayerState::Handshaking;
            match ended {
                // A greater length is waited for; the end of the stream or the deadline ends it.
                Ok(()) if is_stuck => assert!(pair.at_client.is_empty() && pair.at_server.is_empty(), "{what}"),
                Ok(()) => assert!(!has_meaning, "{what} passes unnoticed"),
                failed => assert_failed(&mut pair, failed, &what),
            }
        }
    }
}

/// Returns whether a byte is the type or part of the version in the header of a record. The version
/// is ignored (RFC 8446, 5.1). The type of an encrypted record should be that of data; the library
/// accepts that of each kind, and authenticates the record as if it were that of data.
fn is_in_ignored_header(records: &[u8], byte: usize) -> bool {
    let mut start = 0;
    while let Some(&[_, _, _, high, low]) = records.get(start..start + 5) {
        if (start..start + 3).contains(&byte) {
            return true;
        }
        start += 5 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}

#[test]
fn a_handshake_cut_anywhere_is_not_completed() {
    let sides = Sides::new();
    for (at, from, bytes) in each_flight(&sides) {
        for kept_bytes in 0..bytes {
            let mut pair = sides.pair();
            let mut is_cut = false;
            let ended = pair.settle_through(on_flight(at, |flight| {
                // Signatures are not of equal length.
                is_cut = flight.len() > kept_bytes;
                flight.truncate(kept_bytes);
            }));
            assert_eq!(ended, Ok(()), "more may come");
            if !is_cut {
                continue;
            }
            let waiting = if from == From::Client { &mut pair.server } else { &mut pair.client };
            assert_eq!(waiting.state(), LayerState::Handshaking, "flight {at} cut to {kept_bytes} bytes");
            // What comes next does not fit.
            if kept_bytes > 0 {
                let ended = waiting.receive(&vec![0xff; 20_000], &mut Vec::new());
                assert!(matches!(ended, Err(LayerError::Malformed(_))), "flight {at}, {kept_bytes} bytes: {ended:?}");
            }
        }
    }
}

#[test]
fn flights_of_another_session_are_refused() {
    let sides = Sides::new();
    let foreign = sides.flights();
    for (at, _, _) in each_flight(&sides) {
        let mut pair = sides.pair();
        let ended = pair.settle_through(on_flight(at, |flight| flight.clone_from(&foreign[at])));
        assert_failed(&mut pair, ended, &format!("flight {at} of another session"));
    }
}

#[test]
fn a_flight_said_twice_or_back_to_its_sender_is_refused() {
    let sides = Sides::new();
    for at in 0..3 {
        let mut pair = sides.pair();
        let ended = pair.settle_through(on_flight(at, |flight| flight.extend_from_within(..)));
        assert!(matches!(ended, Err(LayerError::Malformed(_) | LayerError::Refused(_))), "flight {at}: {ended:?}");
    }
    let mut client = sides.client.layers();
    let hello = take_output(&mut client);
    assert!(matches!(client.receive(&hello, &mut Vec::new()), Err(LayerError::Malformed(_))));
}

#[test]
fn each_byte_of_a_record_is_protected() {
    let mut rng = Rng::new(seed_or(2));
    let record_bytes = record(&mut Pair::open(), b"meet at seven").len();
    let long = vec![b'x'; 40_000];
    for byte in 0..record_bytes {
        let mut pair = Pair::open();
        let mut bytes = record(&mut pair, b"meet at seven");
        bytes[byte] ^= 1 << rng.below(8);
        bytes.extend(record(&mut pair, b"and bring the key"));
        bytes.extend(record(&mut pair, &long));
        let ended = pair.server.receive(&bytes, &mut pair.at_server);
        if ended.is_ok() {
            let honest = [&b"meet at seven"[..], b"and bring the key", &long].concat();
            assert!(byte < 3 && pair.at_server == honest, "byte {byte} passes");
            continue;
        }
        assert!(matches!(ended, Err(LayerError::Malformed(_))) && pair.at_server.is_empty(), "byte {byte}: {ended:?}");
        assert_eq!(pair.server.end_of_input(), ended, "a failed link is not a clean end");
        assert!(pair.settle().is_err(), "the client is told");
    }
}

#[test]
fn records_repeated_reordered_dropped_or_foreign_are_refused() {
    for order in [&[0, 0][..], &[1], &[0, 2], &[0, 1, 0], &[3], &[0, 4]] {
        let (mut pair, mut other) = (Pair::open(), Pair::open());
        let mut records = [b"one", b"two", b"six"].map(|text| record(&mut pair, text)).to_vec();
        records.push(record(&mut other, b"one"));
        pair.server.send(&[b"reflected"]);
        records.push(take_output(&mut pair.server));
        let (last, honest) = order.split_last().unwrap();
        for at in honest {
            pair.server.receive(&records[*at], &mut pair.at_server).unwrap();
        }
        let before = pair.at_server.clone();
        let ended = pair.server.receive(&records[*last], &mut pair.at_server);
        let is_told = matches!(&ended, Err(LayerError::Malformed(text)) if text.contains("changed or replaced"));
        assert!(is_told && pair.at_server == before, "{order:?}: {ended:?}");
        let again = pair.server.receive(&records[1], &mut pair.at_server);
        assert_eq!((again, pair.server.send(&[b"x"])), (ended, 0), "nothing passes any more");
    }
}

#[test]
fn a_cut_conversation_is_a_truncation() {
    let mut pair = Pair::open();
    let bytes = record(&mut pair, b"meet at seven");
    for kept_bytes in [0, 1, bytes.len() - 1, bytes.len()] {
        let mut pair = Pair::open();
        let bytes = record(&mut pair, b"meet at seven");
        pair.server.receive(&bytes[..kept_bytes], &mut pair.at_server).unwrap();
        assert_eq!(pair.server.end_of_input(), Err(LayerError::Truncated), "{kept_bytes} bytes");
    }
}

#[test]
fn bytes_after_a_closed_link_do_no_harm() {
    for_each_seed(0..20, |mut rng| {
        let mut pair = Pair::open();
        pair.server.close();
        pair.server.receive(&garbage(&mut rng), &mut pair.at_server).unwrap_or_default();
        pair.server.close();
        pair.client.close();
        pair.settle().unwrap_or_default();
        pair.client.receive(&garbage(&mut rng), &mut pair.at_client).unwrap_or_default();
        assert!(pair.at_server.is_empty() && pair.at_client.is_empty());
    });
}

#[test]
fn garbage_is_refused_by_both_sides() {
    let sides = Sides::new();
    for_each_seed(0..300, |mut rng| {
        let mut pair = sides.pair();
        let mut plaintext = Vec::new();
        for side in [&mut pair.client, &mut pair.server] {
            let mut bytes = garbage(&mut rng);
            if rng.once_in(2) {
                bytes.splice(..0, [0x16, 3, 1]);
            }
            bytes.resize(40_000, 0);
            let ended = side.receive(&bytes, &mut plaintext);
            assert!(matches!(ended, Err(LayerError::Malformed(_) | LayerError::Refused(_))), "{ended:?}");
        }
        assert!(plaintext.is_empty());
    });
    let mut client = sides.client.layers();
    let ended = client.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", &mut Vec::new());
    assert_eq!(ended, Err(LayerError::Malformed("this is not TLS".to_owned())));
}

fn garbage(rng: &mut Rng) -> Vec<u8> {
    (0..rng.magnitude(3_000)).map(|_| rng.below(256) as u8).collect()
}

/// Returns the bytes of the client for `text`.
fn record(pair: &mut Pair, text: &[u8]) -> Vec<u8> {
    assert_eq!(pair.client.send(&[text]), text.len());
    take_output(&mut pair.client)
}
