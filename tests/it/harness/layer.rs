//! Raw connections where servers and clients use the test layer: peers without it reach a server
//! that requires it, and clients that use it reach a server of a test's own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use glassline_testkit::{Relay, TestLayer, is_test_layer_wanted};
use socket2::{Domain, SockRef, Socket, Type};

/// Bytes in each buffer of a narrow connection.
const NARROW_BYTES: usize = 4 * 1024;

/// Returns a plain stream to the server behind `server`, whose buffers are small where it is
/// `narrow`.
pub(crate) fn to_server(server: TcpStream, narrow: bool) -> TcpStream {
    if is_test_layer_wanted() { relayed(server, TestLayer::client(), narrow) } else { server }
}

/// Returns a plain stream to the client behind `client`.
pub(crate) fn to_client(client: TcpStream) -> TcpStream {
    if is_test_layer_wanted() { relayed(client, TestLayer::server(), false) } else { client }
}

fn relayed(layered: TcpStream, layer: TestLayer, narrow: bool) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if narrow {
        socket.set_recv_buffer_size(NARROW_BYTES).expect("a small buffer");
    }
    socket.connect(&address.into()).expect("the relay accepts");
    let (plain, _) = listener.accept().expect("a connection");
    if narrow {
        SockRef::from(&plain).set_send_buffer_size(NARROW_BYTES).expect("a small buffer");
    }
    let relay = Relay::new(plain, layered, Box::new(layer)).expect("a relay");
    let relay = if narrow { relay.with_received_bytes_max(NARROW_BYTES) } else { relay };
    thread::spawn(move || relay.run());
    socket.into()
}
