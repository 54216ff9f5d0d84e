//! Facts collected from the frames of a session, each with its evidence.

use std::collections::{BTreeMap, HashMap};

use glassline_wire::frame::DIRECT_SUFFIX;
use glassline_wire::link::LinkKind;
use glassline_wire::operator_token;
use glassline_wire::timestamp::Timestamp;
use serde_json::{Map, Value};

use super::sizes::Sizes;
use super::utterances::{Appearance, Audience, Time, Utterances};
use super::{Evidence, Proof, Seen};
use crate::frame::{Dialect, Direction, Frame, FrameId, FrameKind, RawReason};
use crate::meaning::Meaning;
use crate::per_direction::PerDirection;

/// Names, rooms and connections kept; further ones are counted only.
const FACTS_MAX: usize = 10_000;
/// Reasons kept of what was not evaluated; further ones are counted only.
const REASONS_MAX: usize = 1_000;
/// Bytes of a name or room that are kept; the limits of the protocol are lower.
const FACT_BYTES_MAX: usize = 256;
/// Rooms of all connections whose newest number at the login is kept.
const RESUMED_ROOMS_MAX: usize = 100_000;
/// Frames kept as marks of the timeline. Beyond, every second one is removed, and so on.
const MARKS_MAX: usize = 20_000;

/// One connection, as an observer sees it.
#[derive(Debug)]
pub(super) struct ConnectionFacts {
    pub(super) dialect: Dialect,
    /// Scheme of a secure link that the tap has intercepted.
    pub(super) intercepted: Option<LinkKind>,
    /// Its frames pass in the messages of a WebSocket.
    pub(super) in_websocket: bool,
    pub(super) name: Option<String>,
    pub(super) first_us: u64,
    pub(super) last_us: u64,
    pub(super) sizes: PerDirection<Sizes>,
    pub(super) proof: Proof,
}

/// A frame on the timeline.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at_us: u64,
    pub(super) connection: u64,
    pub(super) direction: Direction,
    pub(super) bytes: usize,
    pub(super) evidence: Evidence,
}

/// Marks of the timeline: every n-th frame, where n grows with their number.
#[derive(Debug)]
pub(super) struct Marks {
    kept: Vec<Mark>,
    every: u64,
    frames: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { kept: Vec::new(), every: 1, frames: 0 }
    }
}

impl Marks {
    fn add(&mut self, mark: Mark) {
        if self.frames.is_multiple_of(self.every) {
            self.kept.push(mark);
        }
        self.frames += 1;
        if self.kept.len() > MARKS_MAX {
            let mut number = 0_u64;
            self.kept.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
    }

    pub(super) fn kept(&self) -> &[Mark] {
        &self.kept
    }

    /// Returns of how many frames one has a mark.
    pub(super) fn every(&self) -> u64 {
        self.every
    }
}

/// Frames of one kind, each counted once; several may be in one packet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    count: u64,
    /// Name and offset of the last one: raw pieces in a row share a name.
    last: Option<(FrameId, u64)>,
    proof: Proof,
}

impl Frames {
    fn add(&mut self, frame: &Frame, evidence: Evidence) {
        self.proof.add(evidence);
        let added = Some((frame.id(), frame.offset));
        self.count += u64::from(self.last != added);
        self.last = added;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// A fact that is counted beyond a limit.
#[derive(Debug, Default)]
pub(super) struct Facts {
    known: BTreeMap<String, Proof>,
    left_out: u64,
}

impl Facts {
    fn add(&mut self, fact: &str, evidence: Evidence) {
        let fact = &fact[..fact.floor_char_boundary(FACT_BYTES_MAX)];
        if let Some(proof) = self.known.get_mut(fact) {
            proof.add(evidence);
        } else if self.known.len() < FACTS_MAX {
            self.known.entry(fact.to_owned()).or_default().add(evidence);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn known(&self) -> &BTreeMap<String, Proof> {
        &self.known
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Number of things that were not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEvaluated {
    /// Whole connections.
    Connections(u64),
    /// Packets that belong to no connection that was found.
    Packets(u64),
}

/// Knowledge of an observer after the frames it has seen. Everything kept has a limit; what is
/// beyond is counted, and the report says so.
#[derive(Debug, Default)]
pub struct Knowledge {
    pub(super) connections: BTreeMap<u64, ConnectionFacts>,
    /// Schemes of connections that the tap has intercepted.
    intercepted: BTreeMap<u64, LinkKind>,
    pub(super) names: Facts,
    pub(super) rooms: Facts,
    pub(super) utterances: Utterances,
    /// Frames about who is where, and those of the server itself, which say it in words.
    pub(super) presence: Frames,
    /// Frames with a secret in readable form. The secret is not kept.
    pub(super) secrets: Frames,
    /// Bytes that are no frame and no record, on links that consist of these.
    pub(super) malformed: Frames,
    /// Newest number of a room when a connection logged in: up to it messages are sent again (E7).
    resumed: HashMap<(u64, String), u64>,
    pub(super) marks: Marks,
    /// Frames of connections beyond the limit.
    pub(super) frames_left_out: u64,
    /// Reasons why something was not evaluated, in words.
    pub(super) not_evaluated: Vec<String>,
    pub(super) connections_not_evaluated: u64,
    pub(super) packets_not_evaluated: u64,
    /// Part of the recording that is missing, in words.
    pub(super) loss: Option<String>,
}

impl Knowledge {
    /// Takes one frame in. Frames of one connection come in their order.
    pub fn add(&mut self, seen: Seen<'_>) {
        let Seen { frame, meaning, evidence } = seen;
        self.add_to_connection(frame, meaning, evidence);
        if let FrameKind::Raw(RawReason::Malformed | RawReason::Truncated) = frame.kind {
            self.malformed.add(frame, evidence);
        }
        if meaning.speaker.as_deref() == Some("*") && meaning.kind == "text" {
            self.presence.add(frame, evidence);
        }
        if let Some(Value::Object(content)) = &meaning.content {
            self.add_content(content, frame, evidence);
        }
        if meaning.kind == "welcome" && frame.direction == Direction::ToClient {
            self.note_resumed(frame.connection, meaning);
        }
        self.add_utterance(frame, meaning, evidence);
    }

    /// Notes that the tap reads this connection because it has intercepted its secure link. Called
    /// before its first frame.
    pub fn add_intercepted(&mut self, connection: u64, link: LinkKind) {
        if self.intercepted.len() < FACTS_MAX {
            self.intercepted.insert(connection, link);
        }
    }

    /// Notes that something was not evaluated, such as a connection of which bytes are missing: what
    /// it carried is unknown, not absent.
    pub fn add_not_evaluated(&mut self, what: NotEvaluated, reason: String) {
        match what {
            NotEvaluated::Connections(count) => self.connections_not_evaluated += count,
            NotEvaluated::Packets(count) => self.packets_not_evaluated += count,
        }
        if self.not_evaluated.len() < REASONS_MAX {
            self.not_evaluated.push(reason);
        }
    }

    /// Notes in words that the recording is not whole. The report begins with it.
    pub fn set_loss(&mut self, loss: Option<String>) {
        self.loss = loss;
    }

    /// Returns when the first and the last frame passed, in microseconds since 1970 (UTC).
    pub(super) fn span_us(&self) -> Option<(u64, u64)> {
        let first = self.connections.values().map(|connection| connection.first_us).min()?;
        let last = self.connections.values().map(|connection| connection.last_us).max()?;
        Some((first, last))
    }

    fn add_to_connection(&mut self, frame: &Frame, meaning: &Meaning, evidence: Evidence) {
        if !self.connections.contains_key(&frame.connection) && self.connections.len() == FACTS_MAX {
            self.frames_left_out += 1;
            return;
        }
        let connection = self.connections.entry(frame.connection).or_insert_with(|| ConnectionFacts {
            dialect: frame.dialect,
            intercepted: self.intercepted.get(&frame.connection).copied(),
            in_websocket: false,
            name: None,
            first_us: frame.at_us,
            last_us: frame.at_us,
            sizes: PerDirection::default(),
            proof: Proof::default(),
        });
        if frame.dialect != Dialect::Unknown {
            connection.dialect = frame.dialect;
        }
        connection.in_websocket |= frame.in_websocket;
        connection.first_us = connection.first_us.min(frame.at_us);
        connection.last_us = connection.last_us.max(frame.at_us);
        connection.proof.add(evidence);
        connection.sizes[frame.direction].add(frame.bytes.len(), frame.at_us);
        if frame.direction == Direction::ToServer
            && let Some(speaker) = &meaning.speaker
        {
            connection.name = Some(speaker.clone());
        }
        self.marks.add(Mark {
            at_us: frame.at_us,
            connection: frame.connection,
            direction: frame.direction,
            bytes: frame.bytes.len(),
            evidence,
        });
    }

    /// Collects names and rooms from the fields that the schema defines.
    fn add_content(&mut self, content: &Map<String, Value>, frame: &Frame, evidence: Evidence) {
        let kind = content.get("type").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "joined" | "left" | "members" | "whois" | "away") {
            self.presence.add(frame, evidence);
        }
        let has_token = content.iter().any(|(field, value)| {
            field == "token" || (field == "line" || field == "text") && value.as_str().is_some_and(has_secret)
        });
        if has_token {
            self.secrets.add(frame, evidence);
        }
        for (field, value) in content {
            match (field.as_str(), value) {
                ("name" | "from" | "to", Value::String(name)) => self.add_name(name, evidence),
                ("room", Value::String(room)) => self.rooms.add(room, evidence),
                ("names", Value::Array(names)) => {
                    names.iter().filter_map(Value::as_str).for_each(|name| self.add_name(name, evidence));
                }
                ("rooms" | "messages", Value::Array(items)) => {
                    for item in items {
                        match item {
                            Value::String(room) => self.rooms.add(room, evidence),
                            Value::Object(item) => self.add_content(item, frame, evidence),
                            _ => {}
                        }
                    }
                }
                ("since", Value::Object(rooms)) => rooms.keys().for_each(|room| self.rooms.add(room, evidence)),
                _ => {}
            }
        }
    }

    fn add_name(&mut self, name: &str, evidence: Evidence) {
        let name = name.strip_suffix(DIRECT_SUFFIX).unwrap_or(name);
        // The server's own messages are from `*` (T9).
        if name != "*" {
            self.names.add(name, evidence);
        }
    }

    /// Notes up to which numbers the messages that follow a `welcome` are stored ones (E7).
    fn note_resumed(&mut self, connection: u64, meaning: &Meaning) {
        let rooms = meaning.content.as_ref().and_then(|content| content.get("rooms")).and_then(Value::as_array);
        for room in rooms.into_iter().flatten() {
            if let (Some(name), Some(newest)) = (string(room, "room"), room.get("seq").and_then(Value::as_u64))
                && self.resumed.len() < RESUMED_ROOMS_MAX
                && name.len() <= FACT_BYTES_MAX
            {
                self.resumed.insert((connection, name), newest);
            }
        }
    }

    fn add_utterance(&mut self, frame: &Frame, meaning: &Meaning, evidence: Evidence) {
        let Some(content) = &meaning.content else { return };
        match meaning.kind.as_str() {
            "history" => {
                for message in content.get("messages").and_then(Value::as_array).into_iter().flatten() {
                    let stored = Meaning {
                        kind: "message".into(),
                        speaker: string(message, "from"),
                        room: string(message, "room").or_else(|| meaning.room.clone()),
                        text: string(message, "text"),
                        content: Some(message.clone()),
                        ..Meaning::default()
                    };
                    self.add_message(frame, &stored, Time::Stored(own_time_us(message)), evidence);
                }
            }
            "message" if self.is_resumed(frame, meaning) => {
                self.add_message(frame, meaning, Time::Stored(own_time_us(content)), evidence);
            }
            "text" if frame.direction == Direction::ToClient => self.add_pair(frame, meaning, evidence),
            "send" | "message" | "direct" | "text" | "command" => {
                self.add_message(frame, meaning, Time::Live(frame.at_us), evidence);
            }
            _ => {}
        }
    }

    /// Returns whether this message is older than the login of the connection's client.
    fn is_resumed(&self, frame: &Frame, meaning: &Meaning) -> bool {
        let seq = meaning.content.as_ref().and_then(|content| content.get("seq")).and_then(Value::as_u64);
        let newest = meaning.room.clone().and_then(|room| self.resumed.get(&(frame.connection, room)));
        frame.direction == Direction::ToClient && seq.zip(newest).is_some_and(|(seq, newest)| seq <= *newest)
    }

    /// Adds the text of a pair. That of a stored message begins with its time, and has no number: its
    /// time and its words stand for it, so that it counts once.
    fn add_pair(&mut self, frame: &Frame, meaning: &Meaning, evidence: Evidence) {
        let speaker = meaning.speaker.clone().unwrap_or_default();
        let timed = meaning.text.as_ref().filter(|text| !self.utterances.has_seen(&speaker, text));
        let Some((text, (at_us, words))) = timed.and_then(|text| Some((text, stored_pair(text)?))) else {
            return self.add_message(frame, meaning, Time::Live(frame.at_us), evidence);
        };
        let content = Some(serde_json::json!({ "id": text }));
        let stored = Meaning { text: Some(words.to_owned()), content, ..meaning.clone() };
        self.add_message(frame, &stored, Time::Stored(Some(at_us)), evidence);
    }

    fn add_message(&mut self, frame: &Frame, meaning: &Meaning, time: Time, evidence: Evidence) {
        let (Some(speaker), Some(text)) = (&meaning.speaker, &meaning.text) else { return };
        // The server's own messages are from `*`; `/exit` is the end of a session (T6).
        if speaker == "*" || text == "/exit" || has_secret(text) {
            return;
        }
        let audience = match (&meaning.to, &meaning.room) {
            (Some(person), _) => Audience::Person(person.clone()),
            (None, Some(room)) => Audience::Room(room.clone()),
            (None, None) if meaning.kind == "command" => Audience::Server,
            (None, None) => Audience::Unnamed,
        };
        self.utterances.add(Appearance {
            connection: frame.connection,
            is_to_server: frame.direction == Direction::ToServer,
            speaker: speaker.clone(),
            audience,
            text: text.clone(),
            seq: meaning.content.as_ref().and_then(|content| content.get("seq")).and_then(Value::as_u64),
            id: meaning.content.as_ref().and_then(|content| string(content, "id")),
            time,
            evidence,
        });
    }
}

fn string(object: &Value, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// Returns the time that a message carries, in microseconds since 1970 (UTC).
fn own_time_us(message: &Value) -> Option<u64> {
    let at = Timestamp::parse(message.get("at")?.as_str()?)?;
    Some(at.unix_ms * 1_000)
}

/// Returns time and words of a stored message in the tutorial dialect:
/// `[2026-01-02 03:04 UTC] hi` (E7).
fn stored_pair(text: &str) -> Option<(u64, &str)> {
    let (time, words) = text.strip_prefix('[')?.split_once(" UTC] ")?;
    let (day, minute) = time.split_once(' ')?;
    let at = Timestamp::parse(&format!("{day}T{minute}:00.000Z"))?;
    Some((at.unix_ms * 1_000, words))
}

/// Returns whether a text holds an operator's token (O1), or a line that sends one.
fn has_secret(text: &str) -> bool {
    let command = text.trim_start().trim_start_matches('/');
    let is_op = command.split_whitespace().next().is_some_and(|name| name.eq_ignore_ascii_case("op"));
    (is_op && text.trim_start().starts_with('/')) || operator_token::is_in(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_span_the_whole_session() {
        let mut marks = Marks::default();
        let frames = 3 * MARKS_MAX as u64;
        for at_us in 0..frames {
            let evidence = Evidence::Packet(at_us);
            marks.add(Mark { at_us, connection: 1, direction: Direction::ToServer, bytes: 1, evidence });
        }
        assert_eq!(marks.every(), 4);
        assert!(marks.kept().iter().zip(marks.kept().iter().skip(1)).all(|(a, b)| b.at_us - a.at_us == 4));
        assert!(marks.kept().last().is_some_and(|mark| mark.at_us >= frames - 4));
    }
}
