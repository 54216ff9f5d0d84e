//! NATS: one connection subscribes and publishes, with its own messages not coming back.

use std::io::Write as _;

use anyhow::Result;

use super::hop::{leading_number, line_bytes};
use super::{Peer, Role, Step};

const HELLO: &[u8] =
    b"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"bench\",\"version\":\"1\",\"protocol\":1}\r\nSUB lobby 1\r\n";
const MESSAGE: &[u8] = b"MSG lobby 1 ";

pub struct Nats;

impl Peer for Nats {
    fn hello(&self, _member: usize, _role: Role, out: &mut Vec<u8>) {
        out.extend_from_slice(HELLO);
    }

    fn message(&mut self, _member: usize, text: &[u8], out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "PUB lobby {}\r\n", text.len());
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }

    fn greets_before_tls(&self) -> bool {
        true
    }

    /// INFO and PING are passed as lines; the one early PING stays within what the server lets go unanswered.
    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        let Some(line) = line_bytes(bytes) else {
            return Ok(Step::More);
        };
        Ok(match bytes.strip_prefix(MESSAGE) {
            Some(after) => Step::Record { bytes: line + leading_number(after) + 2, delivery: true },
            None => Step::Record { bytes: line, delivery: false },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::hop::tests::count_with_every_cut;
    use super::*;

    #[test]
    fn counts_messages_between_other_lines() {
        let stream = b"INFO {\"max_payload\":1048576}\r\nMSG lobby 1 5\r\nMSG \n\r\nPING\r\n\
            MSG lobby 1 0\r\n\r\n";
        assert_eq!(count_with_every_cut(&Nats, stream), 2);
    }
}
