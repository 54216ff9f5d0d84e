//! The floor of relays: one thread, one epoll loop, bytes from one socket to the other.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};

use anyhow::Result;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::floor;

const LISTENER: Token = Token(usize::MAX);
const BUFFER_BYTES: usize = 64 * 1024;
const EVENTS_PER_TURN: usize = 1024;

/// One end of a connection, and what could not be written to it.
struct End {
    stream: TcpStream,
    pending: Vec<u8>,
}

/// Accepts, and connects each client to `to`. Tokens of the ends are pairs: 0 and 1, 2 and 3.
pub fn serve(addr: SocketAddr, to: SocketAddr) -> Result<()> {
    let mut listener = TcpListener::from_std(floor::bind(addr)?);
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS_PER_TURN);
    let mut ends: Vec<Option<End>> = Vec::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    let server = std::net::TcpStream::connect(to)?;
                    server.set_nonblocking(true)?;
                    for mut stream in [client, TcpStream::from_std(server)] {
                        stream.set_nodelay(true)?;
                        let token = Token(ends.len());
                        poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                        ends.push(Some(End { stream, pending: Vec::new() }));
                    }
                }
                continue;
            }
            let Token(at) = event.token();
            if event.is_writable() && flush(&mut ends, at) {
                relay(&mut ends, at ^ 1, &mut buffer);
            }
            if event.is_readable() {
                relay(&mut ends, at, &mut buffer);
            }
        }
    }
}

/// Writes what waits; true if nothing waits any more.
fn flush(ends: &mut [Option<End>], at: usize) -> bool {
    let Some(Some(End { stream, pending })) = ends.get_mut(at) else { return false };
    while !pending.is_empty() {
        match stream.write(pending) {
            Ok(written) => drop(pending.drain(..written)),
            Err(_) => return false,
        }
    }
    true
}

/// Relays what one end has sent, until it is empty or the other end takes no more.
fn relay(ends: &mut [Option<End>], from: usize, buffer: &mut [u8]) {
    loop {
        let (low, high) = ends.split_at_mut(from | 1);
        let (Some(even), Some(odd)) = (low.last_mut(), high.first_mut()) else { return };
        let (source, sink) = if from.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let (Some(End { stream, .. }), Some(sink)) = (source.as_mut(), sink.as_mut()) else { return };
        if !sink.pending.is_empty() {
            return;
        }
        match stream.read(buffer) {
            Ok(length @ 1..) => {
                let mut bytes = &buffer[..length];
                while !bytes.is_empty() {
                    match sink.stream.write(bytes) {
                        Ok(written) => bytes = &bytes[written..],
                        Err(_) => break,
                    }
                }
                sink.pending.extend_from_slice(bytes);
                // A short read emptied the socket: more makes a new edge.
                if length < buffer.len() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Ok(_) | Err(_) => {
                let _ = sink.stream.shutdown(Shutdown::Both);
                *source = None;
                return;
            }
        }
    }
}
