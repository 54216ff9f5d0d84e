//! Redis publish and subscribe, in RESP2: subscribers cannot publish, so senders have connections of their own.

use std::io::Write as _;

use anyhow::{Result, bail};

use super::hop::{leading_number, line_bytes};
use super::{Peer, Role, Step};

const SUBSCRIBE: &[u8] = b"*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nlobby\r\n";
const PUBLISH: &[u8] = b"*3\r\n$7\r\nPUBLISH\r\n$5\r\nlobby\r\n$";
const SUBSCRIBED: &[u8] = b"*3\r\n$9\r\nsubscribe\r\n$5\r\nlobby\r\n:";
const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n$";

pub struct Resp;

impl Peer for Resp {
    fn hello(&self, _member: usize, role: Role, out: &mut Vec<u8>) {
        if role == Role::Member {
            out.extend_from_slice(SUBSCRIBE);
        }
    }

    fn message(&mut self, _member: usize, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(PUBLISH);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{}\r\n", text.len());
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }

    fn publishes_apart(&self) -> bool {
        true
    }

    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        if let Some(after) = bytes.strip_prefix(MESSAGE) {
            return Ok(line_bytes(after).map_or(Step::More, |line| Step::Record {
                bytes: MESSAGE.len() + line + leading_number(after) + 2,
                delivery: true,
            }));
        }
        // The answers: SUBSCRIBED and a number to SUBSCRIBE, a number to PUBLISH.
        let (prefix, after) = match bytes.strip_prefix(SUBSCRIBED) {
            Some(after) => (SUBSCRIBED.len(), after),
            None if bytes.starts_with(b":") => (0, bytes),
            None if MESSAGE.starts_with(bytes) || SUBSCRIBED.starts_with(bytes) => {
                return Ok(Step::More);
            }
            None => bail!("not expected from Redis: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)])),
        };
        Ok(line_bytes(after).map_or(Step::More, |line| Step::Record { bytes: prefix + line, delivery: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hop::tests::count_with_every_cut;
    use super::*;

    #[test]
    fn counts_messages_between_answers() {
        let stream = b"*3\r\n$9\r\nsubscribe\r\n$5\r\nlobby\r\n:1\r\n\
            *3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n$4\r\n\r\n\r\n\r\n:12\r\n\
            *3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n$1\r\nx\r\n";
        assert_eq!(count_with_every_cut(&Resp, stream), 2);
    }
}
