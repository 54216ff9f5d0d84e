//! The key log of a TLS connection, as somebody has it who stole it.

use std::sync::{Mutex, PoisonError};

use glassline_secure::tls::{KeyLogSink, Sender, Traffic};
use glassline_tap::Direction;

use crate::stolen::Thief;

/// Lines that one connection has logged.
#[derive(Debug, Default)]
pub(super) struct KeyLog(Mutex<Vec<String>>);

impl KeyLogSink for KeyLog {
    fn line(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}

impl KeyLog {
    /// A thief with the lines so far.
    pub(super) fn thief(&self) -> impl Thief + use<> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let traffic = |sender| Traffic::new(sender, &lines);
        KeyLogThief { client: traffic(Sender::Client), server: traffic(Sender::Server) }
    }
}

/// Both directions, as far as their secrets were logged.
#[derive(Debug)]
struct KeyLogThief {
    client: Option<Traffic>,
    server: Option<Traffic>,
}

impl Thief for KeyLogThief {
    fn read(&mut self, direction: Direction, piece: &[u8]) -> Vec<u8> {
        let traffic = match direction {
            Direction::ToServer => self.client.as_mut(),
            Direction::ToClient => self.server.as_mut(),
        };
        traffic.map_or_else(Vec::new, |traffic| traffic.read(piece))
    }

    fn write(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.server.as_mut().and_then(|server| server.write(plaintext)).unwrap_or_default()
    }
}
