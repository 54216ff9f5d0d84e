//! Connections through a layer that buffers, shakes hands, and has output and an end of its own.

use std::net::SocketAddr;

use glassline_testkit::TestLayer;
use glassline_wire::layer::{Layer, LayerState};

use super::*;

/// A client behind the layer.
pub(super) struct Layered {
    pub(super) pipe: Pipe,
    pub(super) layer: TestLayer,
    received: Vec<u8>,
}

impl Layered {
    pub(super) fn connect(server: &mut TestServer, send_buffer_bytes: usize) -> Self {
        let layers = LayerStack::new(vec![Box::new(TestLayer::server())]);
        let peer = SocketAddr::from(([192, 0, 2, 9], 1));
        Self::over(server.connect_through(peer, send_buffer_bytes, layers))
    }

    pub(super) fn over(pipe: Pipe) -> Self {
        Self { pipe, layer: TestLayer::client(), received: Vec::new() }
    }

    /// Moves up to `step` bytes in each direction for as long as there are any.
    pub(super) fn exchange(&mut self, server: &mut TestServer, step: usize) {
        loop {
            let output = self.layer.output();
            let sent = step.min(output.len());
            self.pipe.send(&output[..sent]);
            self.layer.consume_output(sent);
            turn_until_it_waits(server);
            let received = self.pipe.take(step);
            self.layer.receive(&received, &mut self.received).expect("goes on");
            if sent == 0 && received.is_empty() {
                return;
            }
        }
    }

    /// Sends plaintext and returns all that is answered.
    pub(super) fn say(&mut self, server: &mut TestServer, plaintext: &[u8]) -> String {
        self.layer.send(&[plaintext]);
        self.exchange(server, usize::MAX);
        self.received()
    }

    fn received(&mut self) -> String {
        String::from_utf8(self.take_received()).expect("text")
    }

    pub(super) fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }
}

#[test]
fn a_conversation_through_a_layer_is_the_same() {
    for (step, send_buffer_bytes) in [(1, 1 << 20), (100, 40), (usize::MAX, 1 << 20)] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let witness = enter(&mut server, 1, r#"{"type":"hello","name":"witness"}"#);
        let mut bob = Layered::connect(&mut server, send_buffer_bytes);
        bob.exchange(&mut server, step);
        assert_eq!(bob.layer.state(), LayerState::Open, "the handshake needs no plaintext");
        let mut said = opened(r#"{"type":"hello","name":"bob"}"#);
        (0..30).for_each(|n| said.extend(send("hi", n)));
        said.extend(frame(r#"{"type":"bye"}"#));
        assert_eq!(bob.layer.send(&[&said]), said.len());
        bob.exchange(&mut server, step);
        let output = bob.received();
        assert!(output.contains(r#""type":"welcome""#) && output.contains(r#""type":"bye""#), "{output}");
        assert_eq!(output.matches(r#""text":"hi""#).count(), 30, "{output}");
        assert_eq!(bob.layer.state(), LayerState::PeerClosed, "the end is announced behind everything");
        assert!(bob.pipe.is_finished() && !bob.pipe.is_closed());
        bob.layer.close();
        bob.exchange(&mut server, step);
        assert!(bob.pipe.is_closed() && server.counts().contains("bye=1"), "{}", server.counts());
        assert_eq!(received(&witness).matches(r#""text":"hi""#).count(), 30);
    }
}

#[test]
fn an_orderly_end_and_a_cut_are_distinguished() {
    for (is_announced, reason) in [(true, "closed=1"), (false, "truncated=1")] {
        let mut server = TestServer::open(unlimited(), None, NOW);
        let mut bob = Layered::connect(&mut server, 1 << 20);
        bob.exchange(&mut server, 1_000);
        bob.layer.send(&[&frame("bob")]);
        bob.exchange(&mut server, 1_000);
        if is_announced {
            bob.layer.close();
            bob.exchange(&mut server, 1_000);
        }
        bob.pipe.end();
        turn_until_it_waits(&mut server);
        assert!(bob.pipe.is_closed() && server.counts().contains(reason), "{}", server.counts());
    }
}

#[test]
fn bytes_that_pass_by_the_layer_end_the_connection() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let bob = Layered::connect(&mut server, 1 << 20);
    bob.pipe.send(&opened(r#"{"type":"hello","name":"bob"}"#));
    turn_until_it_waits(&mut server);
    assert!(bob.pipe.is_finished() && server.counts().contains("handshake_failed=1"), "{}", server.counts());
    bob.pipe.send(b"more, which is dropped");
    bob.pipe.end();
    turn_until_it_waits(&mut server);
    assert!(bob.pipe.is_closed() && server.counts().contains("parted=1"), "{}", server.counts());
}
