//! Bytes to and from one peer: a socket and the layers above it.
//!
//! Without layers, slices go to one system call without a copy, and received bytes are handed on
//! where they were read.

use std::io;
use std::net::SocketAddr;

use glassline_wire::layer::{LayerError, LayerStack, LayerState};

use crate::metrics::Traffic;

/// Nonblocking stream of bytes to one peer.
pub(crate) trait Socket {
    /// Returns the address that the peer connected to, if that is known.
    fn local_address(&self) -> Option<SocketAddr>;

    /// Reads what is there; 0 at the end of the stream.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes some of the slices, in their order. Returns how many bytes were taken.
    fn write(&mut self, slices: &[&[u8]]) -> io::Result<usize>;

    /// Closes the sending side.
    fn finish(&mut self);
}

/// Readiness of a socket: as an event, each bit is an edge and means nothing when it is not set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    /// The peer has closed its sending side or the connection.
    pub(crate) read_closed: bool,
    pub(crate) writable: bool,
}

/// Buffers of one read, shared by all connections.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    received: Vec<u8>,
    /// Plaintext of what was received, where there are layers.
    plaintext: Vec<u8>,
}

impl ReadBuffer {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { received: vec![0; bytes_max], plaintext: Vec::new() }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// The peer sent something: this plaintext, which is empty where it was meant for a layer or
    /// completes no record.
    Plaintext(&'a [u8]),
    /// The socket had nothing.
    Nothing,
    /// Everything that the peer sent was read, including its end. It is returned again
    /// by each later read.
    End,
}

/// Progress of the sending direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    /// The layers have announced the end; their output is still on its way.
    Finishing,
    Finished,
}

/// Connection to one peer, below the protocol.
#[derive(Debug)]
pub(crate) struct Transport<S> {
    socket: S,
    /// `None` without layers, as on plain TCP.
    layers: Option<Box<LayerStack>>,
    ready: Readiness,
    sending: Sending,
    sent_bytes: u64,
}

impl<S: Socket> Transport<S> {
    pub(crate) fn new(socket: S, layers: LayerStack) -> Self {
        let ready = Readiness { writable: true, ..Readiness::default() };
        let layers = (!layers.is_empty()).then(|| Box::new(layers));
        Self { socket, layers, ready, sending: Sending::Open, sent_bytes: 0 }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    pub(crate) fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Returns whether bytes and plaintext differ, so that a read may have made something to write.
    pub(crate) fn has_layers(&self) -> bool {
        self.layers.is_some()
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.ready.readable
    }

    /// Returns whether the peer will send nothing more; what it sent may still have to be read.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.ready.read_closed
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.ready.writable
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.sending == Sending::Finished
    }

    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Notes an event of the socket. Returns whether it became writable.
    pub(crate) fn note_ready(&mut self, event: Readiness) -> bool {
        self.ready.read_closed |= event.read_closed;
        self.ready.readable |= event.readable || event.read_closed;
        let became_writable = event.writable && !self.ready.writable;
        self.ready.writable |= event.writable;
        became_writable
    }

    /// Has the next read ask the socket, though no event was reported.
    pub(crate) fn expect_input(&mut self) {
        self.ready.readable = true;
    }

    /// Has the next write ask the socket, though no event was reported: a kernel may call a socket
    /// writable only when much of its buffer is free.
    pub(crate) fn expect_room(&mut self) {
        self.ready.writable = true;
    }

    /// Reads once, up to `bytes_max` bytes of the socket. The layers' output for that is
    /// written by the next [`flush`](Self::flush). `traffic` counts plaintext.
    ///
    /// # Errors
    /// The connection broke, or its end was not announced, or the peer breaks a layer's rules.
    pub(crate) fn read<'b>(
        &mut self,
        buffer: &'b mut ReadBuffer,
        bytes_max: usize,
        traffic: &mut Traffic,
    ) -> io::Result<Received<'b>> {
        if self.layers.as_ref().is_some_and(|layers| layers.state() == LayerState::PeerClosed) {
            return Ok(Received::End);
        }
        let bytes = match self.socket.read(&mut buffer.received[..bytes_max]) {
            Ok(0) => {
                let ended = self.layers.as_ref().map_or(Ok(()), |layers| layers.end_of_input());
                return ended.map(|()| Received::End).map_err(layer_failed);
            }
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready.readable = false;
                return Ok(Received::Nothing);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Received::Nothing),
            Err(error) => return Err(error),
        };
        // Less than asked for: the socket is empty, and an edge will report new data. Only an
        // end that was announced already has no edge of its own.
        self.ready.readable = bytes == bytes_max || self.ready.read_closed;
        let Some(layers) = &mut self.layers else {
            traffic.received_bytes += bytes as u64;
            return Ok(Received::Plaintext(&buffer.received[..bytes]));
        };
        buffer.plaintext.clear();
        let passed = layers.receive(&buffer.received[..bytes], &mut buffer.plaintext);
        if let Err(error) = passed {
            // The layer's output reports the fault to the peer, if the socket takes it at once.
            let _ = self.flush();
            return Err(layer_failed(error));
        }
        traffic.received_bytes += buffer.plaintext.len() as u64;
        // The end that a layer announces has no edge either.
        self.ready.readable |= layers.state() == LayerState::PeerClosed;
        Ok(Received::Plaintext(&buffer.plaintext))
    }

    /// Writes some of the plaintext, in order, after the layers' output. Returns how many bytes
    /// were taken; fewer than there are only where the socket is full or a handshake is under way.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn write(&mut self, plaintext: &[&[u8]], traffic: &mut Traffic) -> io::Result<usize> {
        self.flush()?;
        let Some(layers) = &mut self.layers else {
            let written = write_socket(&mut self.socket, plaintext)?;
            self.note_written(written, plaintext.iter().map(|slice| slice.len()).sum());
            traffic.note_sent(written);
            return Ok(written);
        };
        let taken = layers.send(plaintext);
        traffic.note_sent(taken);
        self.flush()?;
        Ok(taken)
    }

    /// Writes the layers' output. Returns whether nothing of it is left.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while let Some(layers) = &mut self.layers
            && !layers.output().is_empty()
        {
            if !self.ready.writable {
                return Ok(false);
            }
            let of_bytes = layers.output().len();
            let written = write_socket(&mut self.socket, &[layers.output()])?;
            layers.consume_output(written);
            self.note_written(written, of_bytes);
        }
        if self.sending == Sending::Finishing {
            self.sending = Sending::Finished;
            self.socket.finish();
        }
        Ok(true)
    }

    /// Closes the sending side after everything that was written.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if self.sending == Sending::Open {
            if let Some(layers) = &mut self.layers {
                layers.close();
            }
            self.sending = Sending::Finishing;
        }
        self.flush().map(drop)
    }

    fn note_written(&mut self, written: usize, of_bytes: usize) {
        self.sent_bytes += written as u64;
        self.ready.writable = written == of_bytes;
    }
}

/// Writes once. Returns 0 where the socket takes nothing.
fn write_socket<S: Socket>(socket: &mut S, slices: &[&[u8]]) -> io::Result<usize> {
    loop {
        match socket.write(slices) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => return written,
        }
    }
}

fn layer_failed(error: LayerError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
