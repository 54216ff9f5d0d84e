//! The tutorial dialect, as members speak it and as the floor relays it.

use anyhow::Result;
use glassline_testkit::frame::{self, HEADER_BYTES};

use super::{Peer, Role, Step, name_of};

pub struct Tutorial {
    /// The floor knows no protocol: its sender writes the pair which a chat server would have relayed, so that a
    /// delivery has as many bytes as everywhere else.
    sends_pairs: bool,
}

impl Tutorial {
    pub fn member() -> Self {
        Self { sends_pairs: false }
    }

    pub fn through_the_floor() -> Self {
        Self { sends_pairs: true }
    }
}

impl Peer for Tutorial {
    fn hello(&self, member: usize, _role: Role, out: &mut Vec<u8>) {
        if !self.sends_pairs {
            frame::put(out, name_of(member).as_bytes());
        }
    }

    fn message(&mut self, member: usize, text: &[u8], out: &mut Vec<u8>) {
        if self.sends_pairs {
            frame::put(out, name_of(member).as_bytes());
        }
        frame::put(out, text);
    }

    /// A record is a pair; the server's notices, from the name `*`, are no delivery.
    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        let Some(name_bytes) = frame::payload_bytes(bytes)? else {
            return Ok(Step::More);
        };
        let text_at = HEADER_BYTES + name_bytes;
        let Some(text_frame) = bytes.get(text_at..) else {
            return Ok(Step::More);
        };
        let Some(text_bytes) = frame::payload_bytes(text_frame)? else {
            return Ok(Step::More);
        };
        Ok(Step::Record {
            bytes: text_at + HEADER_BYTES + text_bytes,
            delivery: !(name_bytes == 1 && bytes[HEADER_BYTES] == b'*'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::hop::tests::count_with_every_cut;
    use super::*;

    #[test]
    fn counts_pairs_but_no_server_notices() {
        let mut stream = Vec::new();
        let words = [("m1", "hello"), ("*", "m2 arrived"), ("m2", ""), ("*x", "a star is no server")];
        for (name, text) in words {
            frame::put(&mut stream, name.as_bytes());
            frame::put(&mut stream, text.as_bytes());
        }
        assert_eq!(count_with_every_cut(&Tutorial::member(), &stream), 3);
    }

    #[test]
    fn what_the_floor_relays_counts_as_what_a_server_relays() {
        let mut peer = Tutorial::through_the_floor();
        let mut stream = Vec::new();
        peer.message(7, &[b'x'; 64], &mut stream);
        peer.message(7, &[b'x'; 64], &mut stream);
        assert_eq!(count_with_every_cut(&peer, &stream), 2);
    }

    #[test]
    fn a_stream_out_of_step_is_an_error() {
        assert!(Tutorial::member().deliveries(&mut crate::peers::Partial::default(), b"hello world").is_err());
    }
}
