//! Plain streams to peers behind layers, for tests that speak no layers themselves.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use glassline_testkit::Relay;
use glassline_wire::layer::LayerStack;
use socket2::{Domain, SockRef, Socket, Type};

/// Returns a plain stream to the peer behind `layered`; with so many bytes in each of its buffers,
/// if they are given.
pub(super) fn relayed(layered: TcpStream, layers: LayerStack, buffer_bytes: Option<usize>) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if let Some(bytes) = buffer_bytes {
        socket.set_recv_buffer_size(bytes).expect("a small buffer");
    }
    socket.connect(&address.into()).expect("the relay accepts");
    let (plain, _) = listener.accept().expect("a connection");
    if let Some(bytes) = buffer_bytes {
        SockRef::from(&plain).set_send_buffer_size(bytes).expect("a small buffer");
    }
    let relay = Relay::new(plain, layered, layers).expect("a relay");
    let relay = if let Some(bytes) = buffer_bytes { relay.with_received_bytes_max(bytes) } else { relay };
    thread::spawn(move || relay.run());
    socket.into()
}
