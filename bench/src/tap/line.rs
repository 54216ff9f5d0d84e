//! Connections through a relay, with both of their ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use glassline_testkit::frame;

use crate::workloads::TEXT_BYTES;

/// A relay through which nothing comes for this long has failed.
pub const STALL_LIMIT: Duration = Duration::from_secs(20);
/// Bytes with which a client of the event dialect begins.
pub const OPENING: &[u8] = b"GLASSLINE2";

/// The server's end, to which relays connect.
pub struct Server {
    listener: TcpListener,
}

/// Both ends of one connection through a relay.
pub struct Line {
    pub client: TcpStream,
    pub server: TcpStream,
}

impl Server {
    pub fn new() -> Result<Self> {
        Ok(Self { listener: crate::floor::bind((Ipv4Addr::LOCALHOST, 0).into())? })
    }

    pub fn addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Connects through a relay.
    pub fn connect(&self, relay: SocketAddr) -> Result<Line> {
        self.listener.set_nonblocking(false)?;
        let client = TcpStream::connect(relay).context("the relay does not accept")?;
        let (server, _) = self.listener.accept()?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(STALL_LIMIT))?;
        }
        Ok(Line { client, server })
    }
}

/// A message of a client in the event dialect, with a text of the usual length.
pub fn message() -> Vec<u8> {
    let text = "x".repeat(TEXT_BYTES);
    frame::frame(format!(r#"{{"type":"send","room":"lobby","text":"{text}"}}"#))
}
