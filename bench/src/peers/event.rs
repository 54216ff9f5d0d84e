//! Glassline's event dialect: frames with one JSON object each.

use std::io::Write as _;

use anyhow::Result;
use glassline_testkit::frame::{self, HEADER_BYTES};

use super::{Peer, Role, Step, name_of};

const MESSAGE: &[u8] = br#"{"type":"message""#;

#[derive(Default)]
pub struct Event {
    /// Message ids must differ; a count does it.
    messages: u128,
    payload: Vec<u8>,
}

impl Peer for Event {
    fn hello(&self, member: usize, _role: Role, out: &mut Vec<u8>) {
        out.extend_from_slice(b"GLASSLINE2");
        let hello = format!(r#"{{"type":"hello","name":"{}"}}"#, name_of(member));
        frame::put(out, hello.as_bytes());
    }

    fn message(&mut self, _member: usize, text: &[u8], out: &mut Vec<u8>) {
        self.messages += 1;
        self.payload.clear();
        self.payload.extend_from_slice(br#"{"type":"send","room":"lobby","text":""#);
        self.payload.extend_from_slice(text);
        // Writing to a Vec cannot fail.
        let _ = write!(self.payload, r#"","id":"{:032x}"}}"#, self.messages);
        frame::put(out, &self.payload);
    }

    fn keepalive(&self, out: &mut Vec<u8>) {
        frame::put(out, br#"{"type":"ping"}"#);
    }

    fn own_messages_return(&self) -> bool {
        true
    }

    /// No JSON is parsed: a message is recognized by its payload's first bytes.
    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        let Some(payload_bytes) = frame::payload_bytes(bytes)? else {
            return Ok(Step::More);
        };
        let looked_at = HEADER_BYTES + payload_bytes.min(MESSAGE.len());
        let Some(start) = bytes.get(HEADER_BYTES..looked_at) else {
            return Ok(Step::More);
        };
        Ok(Step::Record { bytes: HEADER_BYTES + payload_bytes, delivery: start == MESSAGE })
    }
}

#[cfg(test)]
mod tests {
    use super::super::hop::tests::count_with_every_cut;
    use super::*;

    #[test]
    fn counts_messages_only() {
        let mut stream = Vec::new();
        let events = [
            r#"{"type":"welcome","name":"m1"}"#,
            r#"{"type":"message","seq":1,"text":"a"}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"message","seq":2,"text":"b"}"#,
            r#"{"type":"members","names":[]}"#,
        ];
        for event in events {
            frame::put(&mut stream, event.as_bytes());
        }
        assert_eq!(count_with_every_cut(&Event::default(), &stream), 2);
    }

    #[test]
    fn no_two_messages_share_an_id() {
        let mut peer = Event::default();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        peer.message(0, b"x", &mut first);
        peer.message(0, b"x", &mut second);
        assert_ne!(first, second);
        assert!(first.ends_with(br#""id":"00000000000000000000000000000001"}"#));
    }
}
