//! Conversations of honest sides, in any slicing and across rekeys.

use std::sync::Arc;

use glassline_secure::noise::{NAME_BYTES_MAX, NoiseClient, NoiseClientOptions, NoiseError, REKEY_RECORDS};
use glassline_secure::{Authority, NoRandomness, Random};
use glassline_testkit::{Rng, for_each_seed};
use glassline_wire::layer::{LAYER_BYTES_MAX, LayerError, LayerFactory, LayerStack, LayerState};
use glassline_wire::link::LinkKind;

use crate::pair::{Trust, client_identity, client_that, open, output, receive, server, server_identity};

/// Bytes on their way to one side, and the plaintext they have become there.
#[derive(Default)]
struct Direction {
    sent: usize,
    arrived: Vec<u8>,
}

impl Direction {
    /// Sends some of `text` in slices of any size, and moves any number of bytes to the other side.
    fn step(&mut self, from: &mut LayerStack, to: &mut LayerStack, text: &[u8], rng: &mut Rng) {
        let rest = &text[self.sent..];
        let (first, rest) = rest.split_at(rest.len().min(rng.magnitude(3_000) as usize));
        let second = &rest[..rest.len().min(rng.magnitude(40_000) as usize)];
        self.sent += from.send(&[first, b"", second]);
        let bytes = rng.magnitude(70_000) as usize;
        let bytes = from.output()[..bytes.min(from.output().len())].to_vec();
        from.consume_output(bytes.len());
        let before = self.arrived.len();
        to.receive(&bytes, &mut self.arrived).expect("honest bytes");
        assert!(self.arrived.len() - before <= bytes.len() + LAYER_BYTES_MAX);
        assert!(from.output().len() <= LAYER_BYTES_MAX);
    }
}

#[test]
fn texts_arrive_in_any_slicing() {
    for_each_seed(0..40, |mut rng| {
        let (mut client, mut server) = (client_that(Arc::default(), None, &mut rng), server(&mut rng));
        let text: Vec<u8> = (0..rng.magnitude(400_000)).map(|_| rng.next_u64() as u8).collect();
        let (mut up, mut down) = (Direction::default(), Direction::default());
        while up.arrived.len() < text.len() || down.arrived.len() < text.len() {
            up.step(&mut client, &mut server, &text, &mut rng);
            down.step(&mut server, &mut client, &text, &mut rng);
        }
        assert!(up.arrived == text && down.arrived == text);
        assert_eq!([client.end_of_input(), server.end_of_input()], [const { Err(LayerError::Truncated) }; 2]);
    });
}

#[test]
fn each_byte_alone_makes_the_same_handshake() {
    let mut rng = Rng::new(1);
    let (mut client, mut server) = (client_that(Arc::default(), Some(client_identity()), &mut rng), server(&mut rng));
    for _ in 0..2 {
        for byte in output(&mut client) {
            assert_eq!(receive(&mut server, &[byte]), Ok(Vec::new()));
        }
        for byte in output(&mut server) {
            assert_eq!(receive(&mut client, &[byte]), Ok(Vec::new()));
        }
    }
    assert_eq!((client.state(), server.state()), (LayerState::Open, LayerState::Open));
}

#[test]
fn both_directions_go_on_across_rekeys() {
    let (mut client, mut server) = open(&mut Rng::new(2));
    for number in 0..3 * REKEY_RECORDS + 5 {
        let text = number.to_string();
        assert_eq!(client.send(&[text.as_bytes()]), text.len());
        assert_eq!(receive(&mut server, &output(&mut client)), Ok(text.clone().into_bytes()));
        // The other direction has rekeyed at another time.
        if number % 2 == 0 {
            server.send(&[b"re: ", text.as_bytes()]);
            assert_eq!(receive(&mut client, &output(&mut server)), Ok(format!("re: {text}").into_bytes()));
        }
    }
}

#[test]
fn each_side_learns_the_identity_of_the_other() {
    let (client, server) = open(&mut Rng::new(3));
    let (of_server, of_client) = (client.facts(), server.facts());
    assert_eq!((of_server.kind, of_client.kind), (LinkKind::Noise, LinkKind::Noise));
    assert_eq!(of_server.peer, Some(server_identity().public()));
    assert_eq!(of_client.peer, Some(client_identity().public()));
}

#[test]
fn a_client_without_an_identity_shows_none() {
    let mut rng = Rng::new(4);
    let (mut client, mut server) = (client_that(Arc::default(), None, &mut rng), server(&mut rng));
    receive(&mut server, &output(&mut client)).expect("message 1");
    receive(&mut client, &output(&mut server)).expect("message 2");
    assert_eq!(server.facts().kind, LinkKind::Plaintext, "nothing is known before the end of the handshake");
    receive(&mut server, &output(&mut client)).expect("message 3");
    assert_eq!((server.facts().kind, server.facts().peer), (LinkKind::Noise, None));
}

#[test]
fn the_client_asks_about_the_key_before_it_sends_its_own() {
    let mut rng = Rng::new(5);
    let trust = Arc::new(Trust { refusal: Some("another key than before".to_owned()), ..Trust::default() });
    let mut client = client_that(Arc::clone(&trust), Some(client_identity()), &mut rng);
    let mut server = server(&mut rng);
    receive(&mut server, &output(&mut client)).expect("message 1");
    let refused = receive(&mut client, &output(&mut server));
    assert_eq!(refused, Err(LayerError::Untrusted("another key than before".to_owned())));
    assert_eq!(client.output(), b"", "nothing follows the refusal");
    let offers = trust.offers.lock().expect("no panic before");
    let [offer] = offers.as_slice() else { panic!("asked once, not {}", offers.len()) };
    assert_eq!((offer.link, offer.key), (LinkKind::Noise, server_identity().fingerprint()));
    assert!(matches!(offer.authority, Authority::None(_)));
    assert_eq!(receive(&mut client, b"more"), refused, "it stays refused");
    assert_eq!((client.send(&[b"text"]), client.end_of_input().is_err()), (0, true));
}

#[test]
fn an_announced_end_is_distinguished_from_a_cut() {
    let (mut client, mut server) = open(&mut Rng::new(6));
    client.send(&[b"bye"]);
    client.close();
    client.close();
    assert_eq!(client.send(&[b"x"]), 0);
    let bytes = output(&mut client);
    assert_eq!(receive(&mut server, &bytes[..bytes.len() - 1]), Ok(b"bye".to_vec()));
    assert_eq!((server.state(), server.end_of_input()), (LayerState::Open, Err(LayerError::Truncated)));
    receive(&mut server, &bytes[bytes.len() - 1..]).expect("the end");
    assert_eq!((server.state(), server.end_of_input()), (LayerState::PeerClosed, Ok(())));
    assert_eq!(receive(&mut server, b"anything"), Ok(Vec::new()), "bytes after the end are dropped");
    server.send(&[b"goodbye"]);
    server.close();
    assert_eq!(receive(&mut client, &output(&mut server)), Ok(b"goodbye".to_vec()));
    assert_eq!((client.state(), client.end_of_input()), (LayerState::PeerClosed, Ok(())));
    assert_eq!(client.facts().kind, LinkKind::Noise);
}

#[test]
fn a_close_within_the_handshake_is_announced_after_it() {
    let mut rng = Rng::new(7);
    let (mut client, mut server) = (client_that(Arc::default(), None, &mut rng), server(&mut rng));
    client.close();
    assert_eq!((client.end_of_input(), server.end_of_input()), (Ok(()), Ok(())), "nothing can be missing yet");
    receive(&mut server, &output(&mut client)).expect("message 1");
    receive(&mut client, &output(&mut server)).expect("message 2");
    receive(&mut server, &output(&mut client)).expect("message 3 and the end");
    assert_eq!((server.state(), server.end_of_input()), (LayerState::PeerClosed, Ok(())));
}

#[test]
fn output_that_nobody_takes_is_bounded() {
    let (mut client, mut server) = open(&mut Rng::new(8));
    let text = vec![7; 3 * LAYER_BYTES_MAX];
    let mut sent = 0;
    loop {
        let taken = client.send(&[&text[sent..]]);
        sent += taken;
        if taken == 0 {
            break;
        }
    }
    assert!((LAYER_BYTES_MAX - 200..LAYER_BYTES_MAX).contains(&sent), "{sent}");
    client.close();
    assert!(client.output().len() <= LAYER_BYTES_MAX, "{}", client.output().len());
    assert_eq!(receive(&mut server, &output(&mut client)), Ok(text[..sent].to_vec()));
    assert_eq!(server.state(), LayerState::PeerClosed);
}

#[test]
fn nothing_is_sent_before_the_handshake_is_over() {
    let mut rng = Rng::new(9);
    let (mut client, mut server) = (client_that(Arc::default(), None, &mut rng), server(&mut rng));
    assert_eq!((client.send(&[b"x"]), server.send(&[b"x"])), (0, 0));
    receive(&mut server, &output(&mut client)).expect("message 1");
    assert_eq!(server.send(&[b"x"]), 0, "the client has proven nothing yet");
}

/// No random numbers after the first so many bytes.
#[derive(Debug)]
struct Exhausted(usize);

impl Random for Exhausted {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| NoRandomness("none left".to_owned()))?;
        bytes.fill(7);
        Ok(())
    }
}

#[test]
fn want_of_random_numbers_is_said_to_be_ones_own() {
    let options = NoiseClientOptions { server_name: "chat".to_owned(), identity: None, trust: Arc::<Trust>::default() };
    assert!(matches!(NoiseClient::with_random(&options, Exhausted(0)), Err(NoiseError::NoRandomness(_))));
    let client = NoiseClient::with_random(&options, Exhausted(32)).expect("a static key").layers();
    let Err(LayerError::Unavailable(text)) = client.end_of_input() else { panic!("no failure") };
    assert!(text.contains("random numbers") && client.output().is_empty(), "{text}");
}

#[test]
fn a_name_that_does_not_fit_the_offer_is_refused() {
    for (length, fits) in [(0, false), (1, true), (NAME_BYTES_MAX, true), (NAME_BYTES_MAX + 1, false)] {
        let options =
            NoiseClientOptions { server_name: "x".repeat(length), identity: None, trust: Arc::<Trust>::default() };
        let client = NoiseClient::new(&options);
        assert_eq!(client.as_ref().err(), (!fits).then_some(&NoiseError::NameLength(length)));
    }
}
