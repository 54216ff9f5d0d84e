//! Raw connections where servers and clients use the test layer: peers without it reach a server
//! that requires it, and clients that use it reach a server of a test's own.

use std::net::TcpStream;

use glassline_testkit::{TestLayer, is_test_layer_wanted};
use glassline_wire::layer::LayerStack;

use super::relay;

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
    relay::relayed(layered, LayerStack::new(vec![Box::new(layer)]), narrow.then_some(NARROW_BYTES))
}
