//! Reads back what is stored, page by page, and holds it against the ledger.

use std::collections::VecDeque;
use std::time::Instant;

use glassline_testkit::Rng;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::ledger::{Due, Ledger};
use crate::membership::{names, other_event, put, read};
use crate::message::Message;
use crate::peer::Peer;
use crate::script::{ROOM_COUNT, ROOMS};

/// Most messages of a page (E8).
const PAGE_MESSAGES_MAX: u64 = 200;

const NAME: &str = "checker";

/// One restart's check.
#[derive(Debug)]
pub(crate) struct Checker {
    readings: VecDeque<Reading>,
    due: Due,
    asked: u32,
    waiting_since: Instant,
    is_done: bool,
}

/// A part of a room that is read.
#[derive(Debug)]
enum Reading {
    /// Everything after a number.
    ToTheEnd { room: usize, after: u64 },
    /// One page after or before a number, which was read before.
    Page { room: usize, border: u64, is_after: bool, limit: u64 },
}

impl Checker {
    /// A check of what is new in each room, and of a page that was read before.
    pub(crate) fn of_new(ledger: &mut Ledger, due: Due, rng: &mut Rng) -> Self {
        let mut readings: VecDeque<_> =
            (0..ROOM_COUNT).map(|room| Reading::ToTheEnd { room, after: ledger.newest_stored(room) }).collect();
        let room = rng.below(ROOM_COUNT as u64) as usize;
        let border = rng.below(ledger.newest_stored(room) + 1);
        let limit = rng.magnitude(PAGE_MESSAGES_MAX);
        readings.push_back(Reading::Page { room, border, is_after: rng.once_in(2), limit });
        Self::new(readings, due)
    }

    /// A check of everything from the first message on.
    pub(crate) fn of_all(due: Due) -> Self {
        Self::new((0..ROOM_COUNT).map(|room| Reading::ToTheEnd { room, after: 0 }).collect(), due)
    }

    fn new(readings: VecDeque<Reading>, due: Due) -> Self {
        Self { readings, due, asked: 0, waiting_since: Instant::now(), is_done: false }
    }

    fn ask(&mut self, ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.waiting_since = Instant::now();
        self.asked += 1;
        let mut request = match self.readings.front() {
            None => {
                self.is_done = true;
                return ledger.end_of_rooms(&self.due);
            }
            Some(Reading::ToTheEnd { room, after }) => json!({"room": ROOMS[*room], "after": after}),
            Some(Reading::Page { room, border, is_after, limit }) => {
                let side = if *is_after { "after" } else { "before" };
                json!({"room": ROOMS[*room], side: border, "limit": limit})
            }
        };
        request["type"] = json!("history");
        request["ref"] = json!(self.reference());
        put(out, &request);
        Ok(())
    }

    fn reference(&self) -> String {
        format!("page {}", self.asked)
    }

    fn page(&mut self, event: &Value, ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault> {
        let malformed = |what: &str| Fault::malformed(NAME, what);
        let stray = || Fault::Stray { by: NAME.to_owned(), answer: event["ref"].to_string() };
        if event["ref"] != self.reference().as_str() {
            return Err(stray());
        }
        let messages = event["messages"].as_array().ok_or_else(|| malformed("a page without `messages`"))?;
        let messages = messages.iter().map(|value| Message::read(NAME, value)).collect::<Result<Vec<_>, _>>()?;
        let more = event["more"].as_bool().unwrap_or(false);
        let reading = self.readings.front_mut().ok_or_else(stray)?;
        let room = match reading {
            Reading::ToTheEnd { room, .. } | Reading::Page { room, .. } => *room,
        };
        if event["room"] != ROOMS[room] || messages.iter().any(|message| message.room != ROOMS[room]) {
            return Err(malformed("a page of another room"));
        }
        if messages.len() as u64 > PAGE_MESSAGES_MAX || (messages.is_empty() && more) {
            return Err(malformed("a page that is too long, or empty where there is more"));
        }
        match reading {
            Reading::ToTheEnd { after, .. } => {
                in_order(room, *after, &messages)?;
                for message in &messages {
                    ledger.read_back(NAME, message)?;
                }
                *after += messages.len() as u64;
                if !more {
                    ledger.end_of_room(room, &self.due)?;
                    self.readings.pop_front();
                }
            }
            Reading::Page { border, is_after, limit, .. } => {
                // A page may be cut by its bytes, but has one message at least if there is one.
                let last = if *is_after { *border } else { border.saturating_sub(messages.len() as u64 + 1) };
                in_order(room, last, &messages)?;
                let there = if *is_after { ledger.newest_stored(room) - *border } else { border.saturating_sub(1) };
                let expected = there.min(*limit);
                if messages.len() as u64 > *limit || (!more && (messages.len() as u64) < expected) {
                    return Err(malformed(&format!("a page of {}, where {expected} are due", messages.len())));
                }
                for message in &messages {
                    ledger.read_back(NAME, message)?;
                }
                self.readings.pop_front();
            }
        }
        self.ask(ledger, out)
    }
}

/// The messages have the numbers that follow `last`.
fn in_order(room: usize, mut last: u64, messages: &[Message]) -> Result<(), Fault> {
    for message in messages {
        if message.seq != last + 1 {
            return Err(Fault::Hole { by: NAME.to_owned(), room: ROOMS[room].to_owned(), seq: message.seq, last });
        }
        last = message.seq;
    }
    Ok(())
}

impl Peer for Checker {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&mut self, _ledger: &mut Ledger, out: &mut Vec<u8>) {
        self.waiting_since = Instant::now();
        let rooms: Vec<_> = (0..ROOM_COUNT).collect();
        out.extend_from_slice(b"GLASSLINE2");
        put(out, &json!({"type": "hello", "name": NAME, "rooms": names(&rooms)}));
    }

    fn take(&mut self, payload: &[u8], ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault> {
        let event = read(NAME, payload)?;
        match event["type"].as_str().unwrap_or_default() {
            "welcome" => self.ask(ledger, out),
            "message" => ledger.observe(NAME, &Message::read(NAME, &event)?),
            // Messages sent before a client joined.
            "history" if event["ref"].is_null() => {
                for value in event["messages"].as_array().into_iter().flatten() {
                    ledger.observe(NAME, &Message::read(NAME, value)?)?;
                }
                Ok(())
            }
            "history" => self.page(&event, ledger, out),
            _ => other_event(NAME, &event, out),
        }
    }

    /// Everything was read and found to be good.
    fn is_done(&self) -> bool {
        self.is_done
    }

    fn waits_for(&self) -> Option<(&'static str, Instant)> {
        (!self.is_done).then_some(("a page of the history", self.waiting_since))
    }
}
