//! A server in a line and clients that expect: what a test needs to be five lines.

mod event;
#[cfg(feature = "test-layer")]
mod layer;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod relay;
mod server;
mod tutorial;
#[cfg(unix)]
mod websocket;
mod wire;

pub(crate) use event::{EventClient, fresh_id};
pub(crate) use glassline_testkit::frame::frame;
#[cfg(unix)]
pub(crate) use link::LinkClient;
#[cfg(unix)]
pub(crate) use process::ServerProcess;
#[cfg(unix)]
pub(crate) use proxy::{Passage, Proxy};
pub(crate) use server::{Server, reopened};
pub(crate) use tutorial::{Pair, Tutorial, words_in};
#[cfg(unix)]
pub(crate) use websocket::websocket_answers;
pub(crate) use wire::{PATIENCE, PROMPT, Wire};

/// Returns the variable that enables the test layer in programs, if this test uses it.
pub(crate) fn test_layer() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("GLASSLINE_TEST_LAYER").map(|value| ("GLASSLINE_TEST_LAYER", value))
}

/// Returns a plain stream to a server.
#[cfg(unix)]
pub(crate) fn connected(server: std::net::SocketAddr) -> std::net::TcpStream {
    let server = std::net::TcpStream::connect(server).expect("the server accepts");
    #[cfg(feature = "test-layer")]
    let server = layer::to_server(server, false);
    server
}

/// Returns a plain stream to a client that was accepted.
#[cfg(unix)]
pub(crate) fn accepted(client: std::net::TcpStream) -> std::net::TcpStream {
    #[cfg(feature = "test-layer")]
    let client = layer::to_client(client);
    client
}

/// Descriptors that one raw connection takes in this process, beside the server's.
pub(crate) fn descriptors_per_wire() -> usize {
    if cfg!(feature = "test-layer") && test_layer().is_some() { 3 } else { 1 }
}

/// Checks that a log holds nothing that no log and no peer may ever be sent raw: control characters
/// other than newline and tab, and the direction overrides.
#[track_caller]
pub(crate) fn assert_clean_log(log: &str) {
    let unsafe_to_show =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for line in log.lines() {
        assert!(!line.contains(unsafe_to_show), "a log line holds what a terminal would obey: {line:?}");
    }
}
