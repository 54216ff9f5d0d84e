//! A stack of layers: any number of them, in any slicing, and both kinds of end.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use glassline_testkit::TestLayer;
use glassline_wire::layer::{Layer, LayerError, LayerStack, LayerState};

fn stacks(layers: usize) -> (LayerStack, LayerStack) {
    let of =
        |make: fn() -> TestLayer| LayerStack::new((0..layers).map(|_| Box::new(make()) as Box<dyn Layer>).collect());
    (of(TestLayer::client), of(TestLayer::server))
}

/// Moves up to `step` bytes of one stack's output to the other. Returns whether there were any.
fn transfer(from: &mut LayerStack, to: &mut LayerStack, step: usize, plaintext: &mut Vec<u8>) -> bool {
    let bytes = from.output()[..step.min(from.output().len())].to_vec();
    from.consume_output(bytes.len());
    to.receive(&bytes, plaintext).expect("goes on");
    !bytes.is_empty()
}

#[test]
fn plaintext_passes_any_number_of_layers_in_any_slicing() {
    for (layers, step) in [(1, 1), (1, 7), (1, 5_000), (2, 1), (2, 13), (3, 64)] {
        let (mut client, mut server) = stacks(layers);
        let text: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
        let (mut at_server, mut at_client, mut sent, mut replied) = (Vec::new(), Vec::new(), 0, 0);
        assert_eq!((client.send(&[&text]), server.send(&[&text])), (0, 0), "not before the handshake");
        loop {
            sent += client.send(&[&text[sent..], b""]);
            replied += server.send(&[&text[replied..]]);
            if sent == text.len() && replied == text.len() {
                client.close();
                server.close();
            }
            let moved = transfer(&mut client, &mut server, step, &mut at_server);
            if !transfer(&mut server, &mut client, step, &mut at_client) && !moved {
                break;
            }
        }
        assert!(at_server == text && at_client == text, "{layers} layers, {step} bytes at a time");
        assert_eq!((client.state(), server.state()), (LayerState::PeerClosed, LayerState::PeerClosed));
        assert!(client.end_of_input().is_ok() && server.end_of_input().is_ok());
    }
}

#[test]
fn an_end_without_announcement_is_distinguished() {
    let (mut client, mut server) = stacks(2);
    assert_eq!(server.end_of_input(), Ok(()), "nothing is missing before the handshake");
    let mut none = Vec::new();
    while transfer(&mut client, &mut server, 9, &mut none) | transfer(&mut server, &mut client, 9, &mut none) {}
    assert_eq!((server.state(), server.end_of_input()), (LayerState::Open, Err(LayerError::Truncated)));
}

#[test]
fn an_empty_stack_passes_bytes_on_as_they_are() {
    let (mut empty, _) = stacks(0);
    let mut plaintext = vec![1];
    empty.receive(&[2, 3], &mut plaintext).expect("goes on");
    assert!(empty.is_empty() && empty.output().is_empty() && plaintext == [1, 2, 3]);
    assert_eq!((empty.state(), empty.end_of_input()), (LayerState::Open, Ok(())));
}
