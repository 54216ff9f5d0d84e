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

/// A server that accepts nobody: connections beyond those that its queue holds get no answer.
struct FullServer {
    listener: socket2::Socket,
    _queued: Vec<TcpStream>,
}

impl FullServer {
    fn start() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let queued = (0..8).map_while(connect).collect();
        Self { listener, _queued: queued }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

/// A relay before a server that accepts nobody, and a client that was accepted.
fn connecting() -> (FullServer, Relay, Events, TcpStream, crate::relay::Observations) {
    let server = FullServer::start();
    let (observer, observations) = channel(100, 1 << 20);
    let options = RelayOptions::new("127.0.0.1:0".parse().unwrap(), server.address()).observe(observer);
    let mut relay = Relay::bind(options).unwrap();
    let client = TcpStream::connect(relay.address()).unwrap();
    let mut events = Events::with_capacity(EVENTS_PER_TURN);
    while relay.connections.is_empty() {
        relay.turn(&mut events).unwrap();
    }
    (server, relay, events, client, observations)
}

/// Turns the relay until it has closed its connection, and returns what it says of that.
fn problem_at_close(relay: &mut Relay, events: &mut Events, observations: &crate::relay::Observations) -> String {
    while !relay.connections.is_empty() {
        relay.turn(events).unwrap();
    }
    match observations.try_receive().unwrap() {
        crate::Observation::Problem { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_left_is_given_up_if_nobody_accepts_it() {
    let (_server, mut relay, mut events, client, observations) = connecting();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    while relay.due.is_empty() {
        relay.turn(&mut events).unwrap();
    }
    assert_eq!(relay.connections.len(), 1, "it may still want an answer");
    relay.clock.advance(5_000_000);
    let problem = problem_at_close(&mut relay, &mut events, &observations);
    assert!(problem.starts_with("the client left before the server 127.0.0.1:"), "{problem}");

    let (_server, mut relay, mut events, client, observations) = connecting();
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let problem = problem_at_close(&mut relay, &mut events, &observations);
    assert!(problem.starts_with("the client left before the server 127.0.0.1:"), "{problem}");
}
