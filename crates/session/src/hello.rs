//! `hello` (E2), with as many rooms as fit the limit before `welcome`.

use alloc::collections::BTreeMap;

use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::request::{Ask, Hello, Request};

use crate::identity::Identity;
use crate::joined_rooms::JoinedRooms;
use crate::prelude::*;

/// Returns the bytes of a room in `rooms` and in `since`, with commas and colon.
fn room_bytes(room: &str, seq: u64) -> usize {
    let name_bytes = serde_json::to_vec(room).map_or(0, |json| json.len());
    2 * name_bytes + seq.to_string().len() + ",:,".len()
}

pub(crate) fn hello(identity: &Identity, joined: &JoinedRooms) -> Request {
    let is_known = identity.token().is_some();
    let mut hello = Hello {
        name: identity.name().to_owned(),
        rooms: is_known.then(Vec::new),
        since: is_known.then(BTreeMap::new),
        token: identity.token().map(str::to_owned),
    };
    let mut bytes = Request::from(Ask::Hello(hello.clone())).to_json().len();
    if let (Some(rooms), Some(since)) = (&mut hello.rooms, &mut hello.since) {
        let seqs = joined.since();
        // Before `welcome` a payload is short: the rooms that do not fit are entered after it.
        for room in joined.names() {
            // If no number is known, the server begins with the latest messages.
            let seq = seqs.get(&room).copied();
            bytes += room_bytes(&room, seq.unwrap_or(0));
            if bytes > GREETING_BYTES_MAX {
                break;
            }
            if let Some(seq) = seq {
                since.insert(room.clone(), seq);
            }
            rooms.push(room);
        }
    }
    Request::from(Ask::Hello(hello))
}
