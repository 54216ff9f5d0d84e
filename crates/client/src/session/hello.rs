//! `hello` (E2), with as many rooms as a server takes from a stranger.

use std::collections::BTreeMap;

use glassline_wire::frame::put_frame;
use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::request::{Ask, Hello, Request};

use super::Session;

/// The bytes of a room in `rooms` and in `since`, with commas and colon.
fn hello_bytes(room: &str, seq: u64) -> usize {
    let name_bytes = serde_json::to_vec(room).map_or(0, |json| json.len());
    2 * name_bytes + seq.to_string().len() + ",:,".len()
}

impl Session {
    pub(super) fn say_hello(&mut self) {
        let welcomed = self.token.is_some();
        let mut hello = Hello {
            name: self.name.clone(),
            rooms: welcomed.then(Vec::new),
            since: welcomed.then(BTreeMap::new),
            token: self.token.clone(),
        };
        let mut bytes = Request::from(Ask::Hello(hello.clone())).to_json().len();
        if let (Some(rooms), Some(since)) = (&mut hello.rooms, &mut hello.since) {
            let seqs = self.roster.since();
            // A server holds little for a stranger: the rooms that do not fit are entered after the `welcome`.
            for room in self.roster.names() {
                // Where no number is known, the server begins with what was said last.
                let seq = seqs.get(&room).copied();
                bytes += hello_bytes(&room, seq.unwrap_or(0));
                if bytes > GREETING_BYTES_MAX {
                    break;
                }
                if let Some(seq) = seq {
                    since.insert(room.clone(), seq);
                }
                rooms.push(room);
            }
        }
        self.out.extend_from_slice(EVENT_OPENING);
        put_frame(&mut self.out, &Request::from(Ask::Hello(hello)).to_json());
    }
}
