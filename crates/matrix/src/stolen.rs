//! Secrets of one session in the hands of somebody on the way.

use std::fmt::Debug;

use glassline_tap::Direction;
use glassline_wire::layer::LayerStack;

use crate::chat::End;

/// Owner of the secrets of one session, who sees its pieces pass.
pub trait Thief: Debug {
    /// Takes the next piece of the session, and returns the plaintext that the secrets give of it.
    fn read(&mut self, direction: Direction, piece: &[u8]) -> Vec<u8>;

    /// Returns a piece that carries `plaintext` to the client, in the place of the server's next one;
    /// nothing where the secrets do not suffice.
    fn write(&mut self, plaintext: &[u8]) -> Vec<u8>;
}

/// Connection whose secrets are stolen.
pub struct Compromised<'a> {
    /// Layers of the server's side.
    pub server: LayerStack,
    /// Makes a thief who has seen nothing yet, once the session is over or under way.
    pub thief: Box<dyn Fn() -> Box<dyn Thief> + 'a>,
}

/// Thief who has the random numbers of the server's side, and its keys: the server's own code gives
/// what the client sends, and writes in its place.
#[derive(Debug)]
pub(crate) struct Rerun(End);

impl Rerun {
    /// A thief with the layers of the server, made with the same random numbers.
    pub(crate) fn new(server: LayerStack) -> Self {
        Self(End::server(server))
    }
}

impl Thief for Rerun {
    fn read(&mut self, direction: Direction, piece: &[u8]) -> Vec<u8> {
        match direction {
            Direction::ToServer => {
                let before = self.0.received().len();
                self.0.receive(piece);
                self.0.received().get(before..).unwrap_or_default().to_vec()
            }
            Direction::ToClient => {
                // Data of the server is unknown here, and takes up a record all the same.
                if self.0.take_output().is_empty() && self.0.is_open() {
                    self.0.send(&[0]);
                    let _ = self.0.take_output();
                }
                Vec::new()
            }
        }
    }

    fn write(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let _ = self.0.take_output();
        self.0.send(plaintext);
        self.0.take_output()
    }
}
