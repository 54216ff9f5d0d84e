//! Bytes to and from one peer: a socket and the layers above it.
//!
//! Without layers, slices go to one system call without a copy, and received bytes are handed on
//! where they were read.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use glassline_hub::SLICES_MAX;
use glassline_wire::layer::{LayerError, LayerFactory, LayerStack, LayerState};
use glassline_wire::link::LinkFacts;

use crate::metrics::Traffic;
use crate::protocol::Carrier;
use crate::web::WebSocketLayer;

/// Most slices that one write takes: what the hub gathers, and a header before it.
pub(crate) const SOCKET_SLICES_MAX: usize = SLICES_MAX + 1;

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

    /// Returns whether it is in place of one that a read has taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.received.is_empty()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// The peer sent something: this plaintext, which is empty where it was meant for a layer or
    /// completes no record. So many bytes more arrived: those of layers, as of pings, or of a part of
    /// a record.
    Plaintext { plaintext: &'a [u8], overhead_bytes: usize },
    /// The socket had nothing.
    Nothing,
    /// Everything that the peer sent was read, including its end. It is returned again
    /// by each later read.
    End,
}

/// Cause for which a connection cannot be read further.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The peer or the network cut it off.
    Reset,
    /// A layer's handshake has failed.
    Handshake(LayerError),
    /// A layer has failed after its handshake.
    Layer(LayerError),
}

/// Layers of a connection, and what is about to be put on top of them.
#[derive(Debug, Default)]
struct Layers {
    stack: LayerStack,
    starting: Option<Starting>,
    has_websocket: bool,
    /// One of them has failed: nothing passes but output that is there.
    has_failed: bool,
}

/// Layers whose first bytes have arrived; they begin with the next read.
#[derive(Debug)]
struct Starting {
    upper: Upper,
    first_bytes: Vec<u8>,
}

#[derive(Debug)]
enum Upper {
    /// A secure link, whose handshake is work.
    Link(Arc<dyn LayerFactory>),
    Made(LayerStack),
}

impl Upper {
    fn into_layers(self) -> LayerStack {
        match self {
            Self::Link(factory) => factory.layers(),
            Self::Made(layers) => layers,
        }
    }
}

impl Layers {
    fn is_handshaking(&self) -> bool {
        let is_link_starting = matches!(self.starting, Some(Starting { upper: Upper::Link(_), .. }));
        !self.has_failed && (is_link_starting || self.stack.state() == LayerState::Handshaking)
    }

    fn is_closed_by_peer(&self) -> bool {
        !self.has_failed && self.starting.is_none() && self.stack.state() == LayerState::PeerClosed
    }

    /// Passes bytes up, the first ones of starting layers where there are any.
    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), ReadError> {
        let was_handshaking = self.is_handshaking();
        let received = match self.starting.take() {
            Some(Starting { upper, first_bytes }) => self.stack.add(upper.into_layers(), &first_bytes, plaintext),
            None => self.stack.receive(bytes, plaintext),
        };
        received.map_err(|error| {
            self.has_failed = true;
            if was_handshaking { ReadError::Handshake(error) } else { ReadError::Layer(error) }
        })
    }
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
    layers: Option<Box<Layers>>,
    ready: Readiness,
    sending: Sending,
    sent_bytes: u64,
}

impl<S: Socket> Transport<S> {
    pub(crate) fn new(socket: S, layers: LayerStack) -> Self {
        let ready = Readiness { writable: true, ..Readiness::default() };
        let layers = (!layers.is_empty()).then(|| Box::new(Layers { stack: layers, ..Layers::default() }));
        Self { socket, layers, ready, sending: Sending::Open, sent_bytes: 0 }
    }

    #[cfg(any(test, feature = "test-server"))]
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

    /// Has a link begin with bytes that were read already; its layers are made by the next read.
    pub(crate) fn start_link(&mut self, factory: Arc<dyn LayerFactory>, opening: Vec<u8>) {
        self.start(Upper::Link(factory), opening);
    }

    /// Puts a WebSocket on top; the next read gives it `first_bytes`, which were read already.
    pub(crate) fn start_websocket(&mut self, websocket: WebSocketLayer, first_bytes: Vec<u8>) {
        self.start(Upper::Made(LayerStack::new(vec![Box::new(websocket)])), first_bytes);
        self.layers.get_or_insert_default().has_websocket = true;
    }

    pub(crate) fn has_websocket(&self) -> bool {
        self.layers.as_deref().is_some_and(|layers| layers.has_websocket)
    }

    fn start(&mut self, upper: Upper, first_bytes: Vec<u8>) {
        self.layers.get_or_insert_default().starting = Some(Starting { upper, first_bytes });
    }

    /// Returns whether the next read is work on a handshake.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.layers.as_deref().is_some_and(Layers::is_handshaking)
    }

    /// Returns whether a layer has failed, so that nothing can be sent any more.
    pub(crate) fn has_failed(&self) -> bool {
        self.layers.as_deref().is_some_and(|layers| layers.has_failed)
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.ready.readable || self.layers.as_deref().is_some_and(|layers| layers.starting.is_some())
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
    /// The connection broke, or its end was not announced, or the peer breaks a layer's rules; what
    /// the peer sends after that is dropped.
    pub(crate) fn read<'b>(
        &mut self,
        buffer: &'b mut ReadBuffer,
        bytes_max: usize,
        traffic: &mut Traffic,
    ) -> Result<Received<'b>, ReadError> {
        if let Some(layers) = &mut self.layers {
            if layers.is_closed_by_peer() {
                return Ok(Received::End);
            }
            if layers.starting.is_some() {
                buffer.plaintext.clear();
                return self.receive_through_layers(&[], &mut buffer.plaintext, traffic);
            }
        }
        let bytes = match self.socket.read(&mut buffer.received[..bytes_max]) {
            Ok(0) => return self.end_of_stream(),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready.readable = false;
                return Ok(Received::Nothing);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Received::Nothing),
            Err(_) => return Err(ReadError::Reset),
        };
        // Less than asked for: the socket is empty, and an edge will report new data. Only an
        // end that was announced already has no edge of its own.
        self.ready.readable = bytes == bytes_max || self.ready.read_closed;
        if self.layers.is_none() {
            traffic.received_bytes += bytes as u64;
            return Ok(Received::Plaintext { plaintext: &buffer.received[..bytes], overhead_bytes: 0 });
        }
        buffer.plaintext.clear();
        self.receive_through_layers(&buffer.received[..bytes], &mut buffer.plaintext, traffic)
    }

    fn receive_through_layers<'b>(
        &mut self,
        bytes: &[u8],
        plaintext: &'b mut Vec<u8>,
        traffic: &mut Traffic,
    ) -> Result<Received<'b>, ReadError> {
        if let Some(layers) = self.layers.as_deref_mut().filter(|layers| !layers.has_failed) {
            layers.receive(bytes, plaintext)?;
            // The end that a layer announces has no edge.
            self.ready.readable |= layers.is_closed_by_peer();
        }
        traffic.received_bytes += plaintext.len() as u64;
        let overhead_bytes = bytes.len().saturating_sub(plaintext.len());
        Ok(Received::Plaintext { plaintext, overhead_bytes })
    }

    /// Judges the end of the socket's stream.
    fn end_of_stream<'b>(&mut self) -> Result<Received<'b>, ReadError> {
        if let Some(layers) = self.layers.as_deref_mut().filter(|layers| !layers.has_failed)
            && let Err(error) = layers.stack.end_of_input()
        {
            layers.has_failed = true;
            return Err(ReadError::Layer(error));
        }
        Ok(Received::End)
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
        if layers.has_failed {
            // There is nobody left who could read it.
            return Ok(plaintext.iter().map(|slice| slice.len()).sum());
        }
        let bytes = plaintext.iter().map(|slice| slice.len()).sum();
        let is_free = self.ready.writable && layers.stack.output().is_empty() && bytes > 0;
        if let Some(header) = layers.stack.passing_header(bytes).filter(|_| is_free) {
            let taken = self.write_behind(header.as_ref(), plaintext, bytes)?;
            traffic.note_sent(taken);
            return Ok(taken);
        }
        let taken = layers.stack.send(plaintext);
        traffic.note_sent(taken);
        self.flush()?;
        Ok(taken)
    }

    /// Writes a layer's header and plaintext that passes the layer as it is, of so many bytes.
    /// Returns how many of those were taken: none, or all, since the peer waits for all that the
    /// header announces. The layer holds what the socket did not take.
    ///
    /// # Errors
    /// The connection broke.
    fn write_behind(&mut self, header: &[u8], plaintext: &[&[u8]], bytes: usize) -> io::Result<usize> {
        let mut slices = [&[][..]; SOCKET_SLICES_MAX];
        let count = 1 + plaintext.len().min(SOCKET_SLICES_MAX - 1);
        slices[0] = header;
        slices[1..count].copy_from_slice(&plaintext[..count - 1]);
        let written = write_socket(&mut self.socket, &slices[..count])?;
        self.note_written(written, header.len() + bytes);
        if written == 0 {
            return Ok(0);
        }
        if let Some(layers) = self.layers.as_deref_mut().filter(|_| written < header.len() + bytes) {
            let mut before = written;
            for slice in std::iter::once(&header).chain(plaintext) {
                let skipped = before.min(slice.len());
                before -= skipped;
                layers.stack.queue_rest(&[&slice[skipped..]]);
            }
        }
        Ok(bytes)
    }

    /// Writes the layers' output. Returns whether nothing of it is left.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while let Some(layers) = &mut self.layers
            && !layers.stack.output().is_empty()
        {
            if !self.ready.writable {
                return Ok(false);
            }
            let of_bytes = layers.stack.output().len();
            let written = write_socket(&mut self.socket, &[layers.stack.output()])?;
            layers.stack.consume_output(written);
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
            if let Some(layers) = self.layers.as_deref_mut().filter(|layers| !layers.has_failed) {
                layers.stack.close();
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

impl<S: Socket> Carrier for Transport<S> {
    fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_address()
    }

    fn link_facts(&self) -> LinkFacts {
        self.layers.as_deref().map_or(LinkFacts::PLAINTEXT, |layers| layers.stack.facts())
    }
}
