//! Both ends of a connection that is no socket, with a socket's manners: edges, full buffers, ends
//! and resets.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::net::transport::{Readiness, Socket};

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what became of each direction, each bit of it on its own")]
struct State {
    to_server: VecDeque<u8>,
    from_server: VecDeque<u8>,
    /// Bytes that `from_server` holds at most.
    send_buffer_bytes: usize,
    /// A write found no room: an event follows once there is some.
    blocked: bool,
    far_ended: bool,
    reset: bool,
    finished: bool,
    closed: bool,
    readiness: Readiness,
}

/// The end in the network's hands.
#[derive(Debug, Clone)]
pub struct Pipe(Rc<RefCell<State>>);

/// The server's end.
#[derive(Debug)]
pub(super) struct PipeEnd(Rc<RefCell<State>>);

/// A connection whose server side buffers so many bytes of output.
pub(super) fn pair(send_buffer_bytes: usize) -> (PipeEnd, Pipe) {
    let state = Rc::new(RefCell::new(State { send_buffer_bytes, ..State::default() }));
    (PipeEnd(Rc::clone(&state)), Pipe(state))
}

impl Pipe {
    /// Bytes arrive at the server.
    pub fn send(&self, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        state.to_server.extend(bytes);
        state.readiness.readable = true;
    }

    /// The peer will send nothing more.
    pub fn end(&self) {
        let mut state = self.0.borrow_mut();
        state.far_ended = true;
        (state.readiness.readable, state.readiness.read_closed) = (true, true);
    }

    /// The connection is no more, whatever was under way.
    pub fn reset(&self) {
        let mut state = self.0.borrow_mut();
        state.reset = true;
        state.from_server.clear();
        state.readiness = Readiness { readable: true, read_closed: true, writable: true };
    }

    /// Takes up to so many bytes of what the server wrote.
    pub fn take(&self, bytes_max: usize) -> Vec<u8> {
        let mut state = self.0.borrow_mut();
        let bytes = bytes_max.min(state.from_server.len());
        let taken = state.from_server.drain(..bytes).collect();
        if bytes > 0 && std::mem::take(&mut state.blocked) {
            state.readiness.writable = true;
        }
        taken
    }

    /// Bytes that the server wrote and nobody took.
    pub fn untaken_bytes(&self) -> usize {
        self.0.borrow().from_server.len()
    }

    /// Bytes that arrived and the server did not read.
    pub fn unread_bytes(&self) -> usize {
        self.0.borrow().to_server.len()
    }

    /// Returns whether the server has closed its sending side or the connection.
    pub fn is_finished(&self) -> bool {
        let state = self.0.borrow();
        state.finished || state.closed
    }

    /// Returns whether the server has closed.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }

    /// Returns whether the server has something to find out about this connection.
    pub fn has_readiness(&self) -> bool {
        let state = self.0.borrow();
        !state.closed && (state.readiness.readable || state.readiness.read_closed || state.readiness.writable)
    }
}

impl PipeEnd {
    pub(super) fn take_readiness(&self) -> Readiness {
        std::mem::take(&mut self.0.borrow_mut().readiness)
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        self.0.borrow_mut().closed = true;
    }
}

impl Socket for PipeEnd {
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let bytes = buffer.len().min(state.to_server.len());
        if bytes == 0 && !state.far_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (place, byte) in buffer.iter_mut().zip(state.to_server.drain(..bytes)) {
            *place = byte;
        }
        Ok(bytes)
    }

    fn write(&mut self, slices: &[&[u8]]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.reset || state.finished {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut taken = 0;
        for slice in slices {
            let room = state.send_buffer_bytes.saturating_sub(state.from_server.len());
            let bytes = room.min(slice.len());
            state.from_server.extend(&slice[..bytes]);
            taken += bytes;
            if bytes < slice.len() {
                state.blocked = true;
                break;
            }
        }
        if taken == 0 && state.blocked { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn finish(&mut self) {
        self.0.borrow_mut().finished = true;
    }
}
