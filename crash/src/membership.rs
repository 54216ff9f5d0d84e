//! A client of the event dialect in its rooms: `hello` with `since` and `token`, and what comes to every member.

use std::time::Instant;

use glassline_testkit::frame;
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::message::Message;
use crate::script::{ROOM_COUNT, ROOMS};
use crate::stream::Stream;

/// A member across all its connections.
#[derive(Debug)]
pub(crate) struct Membership {
    name: String,
    /// By index.
    rooms: Vec<usize>,
    streams: [Stream; ROOM_COUNT],
    /// The newest numbers when the server let it in.
    newest_at_welcome: [u64; ROOM_COUNT],
    token: Option<String>,
    opened_at: Instant,
    is_in: bool,
    /// `true` if the name must be had again: earlier messages belong to the name.
    keeps_its_name: bool,
}

/// Event that matters to the owner of the membership.
#[derive(Debug)]
pub(crate) enum Received {
    Welcome,
    /// A message, also one of the client itself.
    Message(Message),
    /// The server does not know whether the message is stored.
    TooLate {
        reference: String,
        answer: String,
    },
    Other,
}

impl Membership {
    /// A client that will be in these rooms.
    pub(crate) fn new(name: &str, rooms: Vec<usize>, keeps_its_name: bool) -> Self {
        Self {
            name: name.to_owned(),
            rooms,
            streams: Default::default(),
            newest_at_welcome: [0; ROOM_COUNT],
            token: None,
            opened_at: Instant::now(),
            is_in: false,
            keeps_its_name,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the server let it in on this connection.
    pub(crate) fn is_in(&self) -> bool {
        self.is_in
    }

    /// Returns whether a number was given before this connection.
    pub(crate) fn is_older(&self, room: usize, seq: u64) -> bool {
        seq <= self.newest_at_welcome[room]
    }

    /// The newest number of a room that it knows.
    pub(crate) fn newest_known(&self, room: usize) -> u64 {
        self.streams[room].last().max(self.newest_at_welcome[room])
    }

    /// Its place in a room.
    pub(crate) fn stream(&mut self, room: usize) -> &mut Stream {
        &mut self.streams[room]
    }

    /// Returns whether it has everything that was read back of its rooms.
    pub(crate) fn has_all(&self, ledger: &Ledger) -> bool {
        self.is_in && self.rooms.iter().all(|&room| self.streams[room].last() == ledger.newest_stored(room))
    }

    /// Returns the event that it waits for before it is in, and the start of the wait.
    pub(crate) fn waits_for(&self) -> Option<(&'static str, Instant)> {
        (!self.is_in).then_some(("`welcome`", self.opened_at))
    }

    pub(crate) fn open(&mut self, out: &mut Vec<u8>) {
        self.is_in = false;
        self.opened_at = Instant::now();
        let mut since = Map::new();
        for &room in &self.rooms {
            self.streams[room].reconnect();
            since.insert(ROOMS[room].to_owned(), self.streams[room].last().into());
        }
        let mut hello = json!({"type": "hello", "name": self.name, "rooms": names(&self.rooms), "since": since});
        if let Some(token) = &self.token {
            hello["token"] = json!(token);
        }
        out.extend_from_slice(b"GLASSLINE2");
        put(out, &hello);
    }

    /// Takes an event. Messages are in the ledger then; their place in the stream is looked at by the caller, who knows which of them
    /// answer a request.
    pub(crate) fn take(&mut self, payload: &[u8], ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<Received, Fault> {
        let event = read(&self.name, payload)?;
        match event["type"].as_str().unwrap_or_default() {
            "welcome" => {
                self.welcome(&event)?;
                Ok(Received::Welcome)
            }
            "message" => {
                let message = Message::read(&self.name, &event)?;
                ledger.observe(&self.name, &message)?;
                Ok(Received::Message(message))
            }
            // Messages sent while the client was away may arrive in pages.
            "history" if event["ref"].is_null() => {
                for value in event["messages"].as_array().into_iter().flatten() {
                    let message = Message::read(&self.name, value)?;
                    ledger.observe(&self.name, &message)?;
                    if let Some(room) = ROOMS.iter().position(|room| *room == message.room) {
                        self.streams[room].take(&self.name, &message.room, message.seq, false)?;
                    }
                }
                Ok(Received::Other)
            }
            "error" if event["code"] == "too_late" => {
                let reference = event["ref"].as_str().unwrap_or_default().to_owned();
                Ok(Received::TooLate { reference, answer: event.to_string() })
            }
            _ => {
                other_event(&self.name, &event, out)?;
                Ok(Received::Other)
            }
        }
    }

    fn welcome(&mut self, event: &Value) -> Result<(), Fault> {
        if self.keeps_its_name && event["name"] != self.name.as_str() {
            return Err(refused(&self.name, event));
        }
        let malformed = || Fault::malformed(&self.name, event.to_string());
        self.token = Some(event["token"].as_str().ok_or_else(malformed)?.to_owned());
        for &room in &self.rooms {
            let newest = newest_in(event, room).ok_or_else(malformed)?;
            let seq = self.streams[room].last();
            if newest < seq {
                return Err(Fault::WentBack { by: self.name.clone(), room: ROOMS[room].to_owned(), seq, newest });
            }
            self.newest_at_welcome[room] = newest;
        }
        self.is_in = true;
        Ok(())
    }
}

/// The newest number of a room in a `welcome`.
fn newest_in(welcome: &Value, room: usize) -> Option<u64> {
    let rooms = welcome["rooms"].as_array()?;
    rooms.iter().find(|state| state["room"] == ROOMS[room])?["seq"].as_u64()
}

pub(crate) fn names(rooms: &[usize]) -> Vec<&'static str> {
    rooms.iter().map(|&room| ROOMS[room]).collect()
}

pub(crate) fn put(out: &mut Vec<u8>, request: &Value) {
    frame::put(out, request.to_string());
}

/// Reads an event that came to `by`.
pub(crate) fn read(by: &str, payload: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::malformed(by, format!("an event that is no JSON ({error})")))
}

/// An event that is about no message: answered if it is a request, a fault if it reports one.
///
/// # Errors
/// It is an `error`, a `gap`, a `bye`, or nothing the protocol knows.
pub(crate) fn other_event(by: &str, event: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match event["type"].as_str().unwrap_or_default() {
        "ping" => put(out, &json!({"type": "pong"})),
        "joined" | "left" | "notice" | "pong" => {}
        "gap" => {
            let number = |field: &str| event[field].as_u64().unwrap_or_default();
            let room = event["room"].as_str().unwrap_or_default().to_owned();
            return Err(Fault::Gap { by: by.to_owned(), room, from: number("from"), to: number("to") });
        }
        "error" => return Err(refused(by, event)),
        "bye" => return Err(Fault::Closed { by: by.to_owned(), detail: event.to_string() }),
        _ => return Err(Fault::Stray { by: by.to_owned(), answer: event.to_string() }),
    }
    Ok(())
}

fn refused(by: &str, event: &Value) -> Fault {
    Fault::Refused { by: by.to_owned(), answer: event.to_string() }
}
