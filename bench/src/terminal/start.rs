//! Duration of a start: until the prompt, until the client is in, and what the server's part of
//! that is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use glassline_testkit::frame::Frames;

use super::pty::Terminal;
use crate::peers::{Event, Peer, Role};

const PATIENCE: Duration = Duration::from_secs(10);
/// A member that the measured clients do not meet.
const MEMBER: usize = 1;

/// Milliseconds from the start of the process.
pub struct Started {
    pub prompt_ms: f64,
    pub online_ms: f64,
}

/// Waits until a client is in.
pub fn wait_until_online(terminal: &Terminal) -> Result<Started> {
    terminal.wait("a prompt and the word online", PATIENCE, |watch| watch.online_at.is_some())?;
    let watch = terminal.watch();
    let ms = |at: Option<Instant>| at.map_or(f64::NAN, |at| (at - terminal.started).as_secs_f64() * 1_000.0);
    Ok(Started { prompt_ms: ms(watch.prompt_at), online_ms: ms(watch.online_at) })
}

/// Connect, `hello`, `welcome`: milliseconds.
pub fn bare_hello_ms(addr: SocketAddr) -> Result<f64> {
    let mut hello = Vec::new();
    Event::default().hello(MEMBER, Role::Member, &mut hello);
    let started = Instant::now();
    let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&hello)?;
    let (mut frames, mut chunk) = (Frames::default(), [0; 4096]);
    while frames.next_payload()?.is_none() {
        let read = stream.read(&mut chunk)?;
        ensure!(read > 0, "the server does not answer hello with a frame");
        frames.push(&chunk[..read]);
    }
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}
