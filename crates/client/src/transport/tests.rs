use std::net::TcpListener;
use std::sync::Arc;

use glassline_testkit::TestLayer;
use glassline_wire::layer::{LayerFactory, LayerStack, LayerState};

use super::connect::advice;
use super::*;
use crate::inbox::EVENTS_MAX;

/// Limit on each wait; nothing here takes long.
const WAIT_MAX: Duration = Duration::from_secs(20);

#[test]
fn a_server_that_dies_in_silence_is_noticed_by_the_system() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (inbox, _arrivals) = sync_channel(4);
    let mut transport = Transport::new(String::new(), Link::default(), inbox, false);
    transport
        .adopt(TcpStream::connect(listener.local_addr().expect("an address")).expect("connected"))
        .expect("adopted");
    let stream = &transport.connection.as_ref().expect("a connection").stream;
    let socket = socket2::SockRef::from(stream);
    assert!(socket.keepalive().expect("readable"));
    #[cfg(target_os = "linux")]
    {
        let (first, then) = (socket.tcp_keepalive_time(), socket.tcp_keepalive_interval());
        assert_eq!((first.expect("readable").as_secs(), then.expect("readable").as_secs()), (30, 15));
        assert_eq!(socket.tcp_user_timeout().expect("readable"), Some(Duration::from_secs(75)));
    }
}

#[test]
fn what_is_in_the_way_comes_with_what_to_do_about_it() {
    let mistyped = connect_to_any("no such host:1234").expect_err("no host");
    assert!(mistyped.contains("check the name") && !mistyped.contains("glassline serve"), "{mistyped}");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let closed = connect_to_any(&free.to_string()).expect_err("nobody there");
    assert!(closed.starts_with("nothing listens there; ") && closed.contains("glassline serve"), "{closed}");
}

#[test]
fn a_refusal_by_another_machine_names_the_option_that_opens_it() {
    let refused = io::Error::from(ErrorKind::ConnectionRefused);
    let advice_for = |address: &str| advice(&refused, Some(address.parse().expect(address)));
    for here in ["127.0.0.1:1234", "[::1]:1234", "[::ffff:127.0.0.1]:1", "0.0.0.0:1234"] {
        assert!(
            advice_for(here).contains("`glassline serve`") && !advice_for(here).contains("--listen"),
            "{}",
            advice_for(here)
        );
    }
    for (there, option) in [("192.0.2.7:5000", "--listen 0.0.0.0:5000"), ("[2001:db8::1]:1234", "--listen [::]:1234")] {
        let advice_for = advice_for(there);
        assert!(
            advice_for.contains(option) && advice_for.contains("that machine only") && !advice_for.contains("just run"),
            "{advice_for}"
        );
    }
    let slow = advice(&ErrorKind::TimedOut.into(), Some("192.0.2.7:1".parse().expect("an address")));
    assert!(slow.contains("check the address") && !slow.contains("--listen"), "{slow}");
}

/// A layered connection and the other side's layers, joined without a socket.
struct LayeredPair {
    layered: Layered,
    server: LayerStack,
    at_server: Vec<u8>,
    /// Inputs of the session, in words.
    inputs: Vec<String>,
    half_closed: bool,
}

impl LayeredPair {
    fn new() -> Self {
        Self {
            layered: Layered::new(LayerStack::new(vec![Box::new(TestLayer::client())])).expect("a layer"),
            server: LayerStack::new(vec![Box::new(TestLayer::server())]),
            at_server: Vec::new(),
            inputs: Vec::new(),
            half_closed: false,
        }
    }

    fn take(&mut self, event: StreamEvent) {
        let inputs = &mut self.inputs;
        if let Err(failure) = self.layered.take(event, |input| inputs.push(format!("{input:?}"))) {
            inputs.push(format!("{failure:?}"));
        }
    }

    /// Executes steps and moves bytes until nothing is left to do.
    fn settle(&mut self) {
        loop {
            match self.layered.next_step() {
                Some(WriterStep::Write(bytes)) => {
                    self.server.receive(&bytes, &mut self.at_server).expect("goes on");
                    self.take(StreamEvent::Written);
                }
                Some(WriterStep::HalfClose) => self.half_closed = true,
                None if self.server.output().is_empty() => return,
                None => {}
            }
            let bytes = self.server.output().to_vec();
            self.server.consume_output(bytes.len());
            if !bytes.is_empty() {
                self.take(StreamEvent::Bytes(bytes));
            }
        }
    }
}

#[test]
fn layers_shake_hands_before_the_session_is_connected() {
    let mut pair = LayeredPair::new();
    pair.layered.put(WriterStep::Write(vec![7; 200_000]));
    pair.layered.put(WriterStep::Write(b"last".to_vec()));
    assert!(pair.inputs.is_empty());
    pair.settle();
    assert_eq!((pair.inputs[0].as_str(), pair.at_server.len()), ("Connected", 200_004));
    assert_eq!(pair.inputs[1..], ["Written", "Written"], "as often as the session has sent");
    pair.inputs.clear();
    pair.server.send(&[b"hi"]);
    pair.settle();
    assert_eq!(pair.inputs, [format!("{:?}", Input::Bytes(b"hi"))]);
}

#[test]
fn layers_announce_the_end_behind_what_was_sent() {
    let mut pair = LayeredPair::new();
    pair.layered.put(WriterStep::Write(b"bye".to_vec()));
    pair.layered.put(WriterStep::HalfClose);
    pair.settle();
    assert!(pair.half_closed && pair.at_server == b"bye" && pair.server.state() == LayerState::PeerClosed);
    pair.server.close();
    pair.settle();
    assert_eq!(pair.inputs.last().map(String::as_str), Some(r#"Closed("it closed the connection")"#));
}

#[derive(Debug)]
struct TestLayers;

impl LayerFactory for TestLayers {
    fn layers(&self) -> LayerStack {
        LayerStack::new(vec![Box::new(TestLayer::client())])
    }
}

/// Connects a transport to a server's layers until the session is connected and every write is
/// done. Returns both, the server's stream and the events of the connection.
fn connected_through_a_layer() -> (Transport, LayerStack, TcpStream, Receiver<DriverEvent>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (inbox, events) = sync_channel(EVENTS_MAX);
    let mut transport = Transport::new(String::new(), Link::Plaintext(Some(Arc::new(TestLayers))), inbox, false);
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    assert!(!transport.adopt(stream).expect("adopted"), "a handshake comes first");
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(WAIT_MAX)).expect("a deadline");
    let mut server = LayerStack::new(vec![Box::new(TestLayer::server())]);
    let mut is_connected = false;
    while server.state() == LayerState::Handshaking {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).expect("a record");
        server.receive(&bytes[..read], &mut Vec::new()).expect("goes on");
        stream.write_all(server.output()).expect("taken");
        server.consume_output(server.output().len());
        while !is_connected || is_writing(&transport) {
            match events.recv_timeout(WAIT_MAX).expect("an event") {
                DriverEvent::Link { generation, event } => {
                    transport.take(generation, event, |input| is_connected |= matches!(input, Input::Connected));
                }
                other => panic!("no event of the connection: {other:?}"),
            }
        }
    }
    (transport, server, stream, events)
}

fn is_writing(transport: &Transport) -> bool {
    let layered = transport.connection.as_ref().and_then(|connection| connection.layered.as_ref());
    layered.is_some_and(Layered::is_writing)
}

#[test]
fn a_disconnect_is_announced_by_the_layers() {
    for is_dropped in [false, true] {
        let (mut transport, mut server, mut stream, _events) = connected_through_a_layer();
        if is_dropped {
            drop(transport);
        } else {
            transport.disconnect();
        }
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an orderly end");
        server.receive(&bytes, &mut Vec::new()).expect("goes on");
        assert_eq!((server.state(), server.end_of_input()), (LayerState::PeerClosed, Ok(())));
    }
}

#[test]
fn an_end_amid_a_write_is_not_announced() {
    let mut pair = LayeredPair::new();
    pair.settle();
    pair.layered.put(WriterStep::Write(b"cut".to_vec()));
    assert!(matches!(pair.layered.next_step(), Some(WriterStep::Write(_))));
    assert_eq!(pair.layered.end_now(), None, "what is written may be incomplete");
    pair.take(StreamEvent::Written);
    let farewell = pair.layered.end_now().expect("it follows everything");
    assert!(!farewell.is_empty() && pair.layered.end_now() == Some(farewell));
}

#[test]
fn a_handshake_that_fails_is_no_input_of_the_session() {
    for (event, failure) in [
        (StreamEvent::Bytes(b"HTTP/1.1 400".to_vec()), "Foreign"),
        (StreamEvent::Closed(CLOSED_BY_PEER.to_owned()), "Closed"),
        (StreamEvent::Silent, "Silent"),
    ] {
        let mut pair = LayeredPair::new();
        pair.take(event);
        assert!(matches!(&pair.inputs[..], [input] if input.starts_with(failure)), "{:?}", pair.inputs);
    }
    let mut pair = LayeredPair::new();
    pair.settle();
    pair.take(StreamEvent::Closed(CLOSED_BY_PEER.to_owned()));
    assert!(pair.inputs.last().is_some_and(|input| input.contains("cut off")), "{:?}", pair.inputs);
}
