//! Saying something in a room: numbered, encoded once for each dialect in use, and appended.

use alloc::{
    format,
    string::{String, ToString},
};

use glassline_wire::event::{ErrorCode, Event, Message};
use glassline_wire::frame::put_header;
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::Send;
use glassline_wire::timestamp::Timestamp;
use glassline_wire::visible;

use crate::hub::Hub;
use crate::id::MemberId;
use crate::id::RoomId;
use crate::member::Dialect;
use crate::now::Now;
use crate::recent_ids::{Outcome, digest};
use crate::refusal::Refused;

/// Ids remembered in all rooms together: with their index, some 30 MiB.
const IDS_MAX: usize = 256 * 1024;
/// Ids that one room remembers: a client that comes back after a minute of a busy room is still recognised.
const IDS_PER_ROOM_MAX: usize = 16 * 1024;
/// … and in the most crowded house.
const IDS_PER_ROOM_MIN: usize = 256;

/// What became of a `send`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is the message of this number.
    New(u64),
    /// It was sent before, and is the message of this number.
    Again(u64),
}

/// A message before it has its number.
struct Saying<'a> {
    text: &'a str,
    action: bool,
    id: Option<MessageId>,
    reference: Option<String>,
}

impl Hub {
    /// Carries out a `send` (E4).
    ///
    /// # Errors
    /// The member is not in the room, the text is empty or too long, or the id was used for another text.
    pub fn say(&mut self, id: MemberId, send: &Send, reference: Option<String>, now: Now) -> Result<Said, Refused> {
        hold_to_text_limit(&send.text)?;
        let room_id = self.room_of(id, &send.room)?;
        let digest = digest(&send.text, send.action);
        let (Some(member), Some(room)) = (self.members.get(id.0), self.rooms.get(room_id.0)) else {
            return Err(unknown_room(&send.room));
        };
        let scope = member.id_scope;
        if let Some(earlier) = room.recent_ids.find(send.id, scope) {
            if earlier.digest != digest {
                return Err(Refused::new(ErrorCode::IdReused, "this id was sent with another message; use a new one"));
            }
            let again = Message {
                room: room.name.to_string(),
                seq: Some(earlier.seq),
                at: Some(earlier.at),
                from: member.name.to_string(),
                text: visible::relayed(&send.text).into_owned(),
                action: send.action,
                id: Some(send.id),
                reference,
            };
            self.tell(id, &Event::Message(again));
            return Ok(Said::Again(earlier.seq));
        }
        let text = visible::relayed(&send.text);
        let saying = Saying { text: &text, action: send.action, id: Some(send.id), reference };
        let seq = self.append_message(id, room_id, &saying, now.at);
        let ids_max = (IDS_MAX / self.rooms.len()).clamp(IDS_PER_ROOM_MIN, IDS_PER_ROOM_MAX);
        if let Some(room) = self.rooms.get_mut(room_id.0) {
            room.recent_ids.note(send.id, scope, Outcome { seq, at: now.at, digest }, ids_max);
        }
        Ok(Said::New(seq))
    }

    /// Says a tutorial member's text in the room it is in (T5, T12).
    ///
    /// # Errors
    /// The text is empty, or the member is in no room.
    pub fn say_text(&mut self, id: MemberId, text: &str, action: bool, now: Now) -> Result<(), Refused> {
        hold_to_text_limit(text)?;
        let room = self.members.get(id.0).and_then(|member| member.outlet.feeds.first()).map(|feed| feed.room);
        let Some(room_id) = room else { return Err(unknown_room("a room")) };
        let text = visible::relayed(text);
        self.append_message(id, room_id, &Saying { text: &text, action, id: None, reference: None }, now.at);
        Ok(())
    }

    /// Relays a payload untouched, as the tutorial's own server does (T9).
    pub fn relay(&mut self, id: MemberId, payload: &[u8]) {
        let Some(member) = self.members.get(id.0) else { return };
        let Some(room_id) = member.outlet.feeds.first().map(|feed| feed.room) else { return };
        let name_frame = member.name_frame.clone();
        if let Some(room) = self.rooms.get_mut(room_id.0) {
            // Nobody is told the number, but what a slow reader misses is counted by it.
            room.seq += 1;
        }
        self.tally.messages += 1;
        self.append_pair(id, room_id, &name_frame, payload);
    }

    fn append_message(&mut self, id: MemberId, room_id: RoomId, saying: &Saying<'_>, at: Timestamp) -> u64 {
        let (Some(member), Some(room)) = (self.members.get(id.0), self.rooms.get_mut(room_id.0)) else { return 0 };
        room.seq += 1;
        self.tally.messages += 1;
        let seq = room.seq;
        let sender_is_event = member.dialect == Dialect::Event;
        let has_tutorial_members = !room.lane(Dialect::Tutorial).members.is_empty();
        let has_event_members = !room.lane(Dialect::Event).members.is_empty();
        if has_event_members {
            let mut message = Message {
                room: room.name.to_string(),
                seq: Some(seq),
                at: Some(at),
                from: member.name.to_string(),
                text: saying.text.to_string(),
                action: saying.action,
                id: saying.id,
                reference: None,
            };
            let frame = Event::Message(message.clone()).to_frame();
            let appended = self.append(room_id, Dialect::Event, &[&frame]);
            if let Some(reference) = &saying.reference
                && let Some((from, to)) = appended
                && sender_is_event
            {
                // Only its sender's copy has the ref (E5), so the sender steps over the one all share.
                message.reference = Some(reference.clone());
                self.step_over(id, room_id, from, to);
                if let Some(member) = self.members.get_mut(id.0) {
                    member.outlet.push_copy(room_id, seq, Event::Message(message).to_frame());
                }
                self.wake(id);
            }
        }
        if has_tutorial_members {
            let Some(member) = self.members.get(id.0) else { return seq };
            let name_frame = member.name_frame.clone();
            if saying.action {
                let text = format!("* {}", saying.text);
                self.append_pair(id, room_id, &name_frame, text.as_bytes());
            } else {
                self.append_pair(id, room_id, &name_frame, saying.text.as_bytes());
            }
        }
        seq
    }

    /// Appends a pair to the tutorial lane; its sender steps over it (T5).
    fn append_pair(&mut self, id: MemberId, room_id: RoomId, name_frame: &[u8], payload: &[u8]) {
        let mut header = alloc::vec::Vec::with_capacity(10);
        put_header(&mut header, payload.len());
        let appended = self.append(room_id, Dialect::Tutorial, &[name_frame, &header, payload]);
        let is_tutorial = self.members.get(id.0).is_some_and(|member| member.dialect == Dialect::Tutorial);
        if let Some((from, to)) = appended
            && is_tutorial
        {
            self.step_over(id, room_id, from, to);
        }
    }

    fn step_over(&mut self, id: MemberId, room_id: RoomId, from: u64, to: u64) {
        let seq = self.rooms.get(room_id.0).map_or(0, |room| room.seq);
        if let Some(member) = self.members.get_mut(id.0) {
            member.outlet.step_over(room_id, seq, from, to);
        }
    }
}

/// Texts are 1 byte to the limit (T7).
pub(crate) fn hold_to_text_limit(text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::new(ErrorCode::EmptyText, "the text is empty; there is nothing to say"));
    }
    if text.len() > TEXT_BYTES_MAX {
        let text = format!("this text has {} bytes, the limit is {TEXT_BYTES_MAX}; send it in parts", text.len());
        return Err(Refused::new(ErrorCode::TooLong, text));
    }
    Ok(())
}

fn unknown_room(room: &str) -> Refused {
    Refused::new(ErrorCode::UnknownRoom, format!("you are not in {room}; join it first"))
}
