//! A layer whose bytes a program makes.

use std::fmt::Debug;
use std::sync::Arc;

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};

use super::hex::Hex;
use super::reply::{LayerReply, PublicReply};
use super::request::{Request, Role};
use super::{ExternalError, SharedProgram};

/// Output from which on nothing more is given to the program to be sent.
const OUTPUT_BYTES_ENOUGH: usize = LAYER_BYTES_MAX / 2;
/// Plaintext that is given to the program at a time; a scheme may make twice as much of it.
const SENT_BYTES_MAX: usize = LAYER_BYTES_MAX / 4;

/// Secrets of a client.
#[derive(Debug, Clone, Copy)]
pub struct ClientKeys<'a> {
    /// The client's own key.
    pub own: &'a [u8],
    /// Key that client and server have agreed upon beforehand.
    pub shared: &'a [u8],
    /// Public key of the server, if it is known.
    pub known: Option<&'a [u8]>,
    /// Bytes from which the scheme makes its random numbers.
    pub random: &'a [u8],
}

/// Secrets of a server.
#[derive(Debug, Clone, Copy)]
pub struct ServerSecrets<'a> {
    /// The server's own key.
    pub own: &'a [u8],
    /// Key that client and server have agreed upon beforehand.
    pub shared: &'a [u8],
    /// Bytes from which the scheme makes its random numbers.
    pub random: &'a [u8],
}

/// Memory of a client for the key of its server.
pub trait KnownServer: Debug + Send + Sync {
    /// Remembers the key for later connections.
    fn record(&self, public: &[u8]);
}

/// Maker of layers of one program.
#[derive(Debug)]
pub struct ExternalLinks {
    program: SharedProgram,
}

impl ExternalLinks {
    /// Returns the layers of a program whose features name a link.
    pub fn new(program: SharedProgram) -> Self {
        Self { program }
    }

    /// Returns the public key that belongs to a server's own key; empty where the scheme has none.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn public(&self, own: &[u8]) -> Result<Vec<u8>, ExternalError> {
        self.program.ask::<PublicReply>(&Request::Public { own: own.into() }).map(|reply| reply.public.0)
    }

    /// Returns the layer of a new connection of a client. A fault of the program is one of the
    /// layer.
    pub fn client(&self, keys: ClientKeys<'_>, server: Arc<dyn KnownServer>) -> Box<dyn Layer> {
        let id = self.program.next_id();
        let request = Request::Open {
            id,
            role: Role::Client,
            own: keys.own.into(),
            shared: keys.shared.into(),
            server: keys.known.map(Hex::from),
            random: keys.random.into(),
        };
        Box::new(ExternalLayer::open(self.program.clone(), id, &request, Some(server)))
    }

    /// Returns the layer of a new connection that a server accepts.
    pub fn server(&self, keys: ServerSecrets<'_>) -> Box<dyn Layer> {
        let id = self.program.next_id();
        let request = Request::Open {
            id,
            role: Role::Server,
            own: keys.own.into(),
            shared: keys.shared.into(),
            server: None,
            random: keys.random.into(),
        };
        Box::new(ExternalLayer::open(self.program.clone(), id, &request, None))
    }
}

/// One connection of a program's scheme.
#[derive(Debug)]
struct ExternalLayer {
    program: SharedProgram,
    id: u64,
    server: Option<Arc<dyn KnownServer>>,
    state: LayerState,
    output: Vec<u8>,
    /// The scheme announces the end of a stream.
    has_end: bool,
    is_closing: bool,
    /// Once the layer has failed.
    error: Option<LayerError>,
}

impl ExternalLayer {
    fn open(program: SharedProgram, id: u64, request: &Request<'_>, server: Option<Arc<dyn KnownServer>>) -> Self {
        let (state, output) = (LayerState::Handshaking, Vec::new());
        let mut opened = Self { program, id, server, state, output, has_end: true, is_closing: false, error: None };
        // A failure is kept, and returned by the first call that can return one.
        let _ = opened.ask(request);
        opened
    }

    /// Asks the program, and takes in what changes. A failure is kept.
    fn ask(&mut self, request: &Request<'_>) -> Result<LayerReply, LayerError> {
        self.check()?;
        let reply = self.program.ask::<LayerReply>(request);
        let reply = reply.map_err(|error| self.failed(LayerError::Unavailable(error.to_string())))?;
        self.state = reply.state.map_or(self.state, LayerState::from);
        self.has_end = reply.has_end.unwrap_or(self.has_end);
        self.output.extend_from_slice(&reply.output.0);
        if self.output.len() > LAYER_BYTES_MAX {
            let text = format!("the scheme's program makes more than {LAYER_BYTES_MAX} bytes that nobody has taken");
            return Err(self.failed(LayerError::Unavailable(text)));
        }
        if let (Some(server), Some(public)) = (&self.server, &reply.server) {
            server.record(&public.0);
        }
        self.error = reply.error.clone().map(LayerError::from);
        Ok(reply)
    }

    fn check(&self) -> Result<(), LayerError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    fn failed(&mut self, error: LayerError) -> LayerError {
        self.error = Some(error.clone());
        error
    }
}

impl Layer for ExternalLayer {
    fn state(&self) -> LayerState {
        self.state
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let reply = self.ask(&Request::Receive { id: self.id, bytes: bytes.into() })?;
        plaintext.extend_from_slice(&reply.plaintext.0);
        self.check()
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        if self.state == LayerState::Handshaking || self.is_closing || self.output.len() >= OUTPUT_BYTES_ENOUGH {
            return 0;
        }
        let plaintext: Vec<u8> = plaintext.iter().flat_map(|slice| *slice).copied().take(SENT_BYTES_MAX).collect();
        let bytes = plaintext.len();
        if bytes == 0 {
            return 0;
        }
        let sent = self.ask(&Request::Send { id: self.id, bytes: Hex(plaintext) });
        sent.map_or(0, |_| bytes)
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.is_closing, true) {
            // A failure is kept, and returned by the next call that can return one.
            let _ = self.ask(&Request::Close { id: self.id });
        }
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        self.check()?;
        if self.state == LayerState::Open && self.has_end { Err(LayerError::Truncated) } else { Ok(()) }
    }
}

impl Drop for ExternalLayer {
    fn drop(&mut self) {
        // A program that no longer answers has forgotten it as well.
        let _ = self.program.ask::<serde::de::IgnoredAny>(&Request::Drop { id: self.id });
    }
}
