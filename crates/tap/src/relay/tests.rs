//! Turns of the loop, one by one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use glassline_testkit::frame::frame;
use mio::Events;

use super::*;
use crate::faults::Pace;
use crate::rules::{Matcher, Rule};

/// A relay that is turned by the test, with one connection through it.
struct Turned {
    relay: Relay,
    events: Events,
    client: TcpStream,
    server: TcpStream,
}

impl Turned {
    fn with_rule(action: Action) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let rules = RuleSet::new(1, vec![Rule::new(Matcher::default(), action)]).unwrap();
        let options = RelayOptions::new("127.0.0.1:0".parse().unwrap(), listener.local_addr().unwrap());
        let mut relay = Relay::bind(options.apply(Arc::new(rules))).unwrap();
        let client = TcpStream::connect(relay.address()).unwrap();
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        relay.turn(&mut events).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        Self { relay, events, client, server }
    }

    /// Lets every connection have one turn; returns the bytes that the server has received in it.
    fn turn(&mut self) -> usize {
        self.relay.turn(&mut self.events).unwrap();
        let mut buffer = vec![0; 1 << 20];
        let mut received = 0;
        while let Ok(length @ 1..) = self.server.read(&mut buffer) {
            received += length;
        }
        received
    }
}

#[test]
fn a_connection_with_much_to_write_takes_turns() {
    let pace = Pace { slice_bytes: 1, pause_us: 0 };
    let mut turned = Turned::with_rule(Action::Slice(pace));
    let mut bytes = b"GLASSLINE2".to_vec();
    bytes.extend(frame(" ".repeat(50_000)));
    turned.client.write_all(&bytes).unwrap();
    let mut received = 0;
    while received < bytes.len() {
        let in_one_turn = turned.turn();
        assert!(in_one_turn <= 2_048, "{in_one_turn} writes while others wait");
        received += in_one_turn;
    }
    assert_eq!(received, bytes.len());
}
