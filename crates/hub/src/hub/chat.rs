//! Saying something in a room: checked, numbered, encoded once for each dialect in use, and appended.

use alloc::{
    format,
    string::{String, ToString},
};

use glassline_wire::event::{ErrorCode, Event, Message, Rejection};
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::request::Send;
use glassline_wire::visible;

use super::history::{ID_REUSED, TOO_LATE_UNKEPT};
use crate::dialect::Dialect;
use crate::encode::{self, Outbound};
use crate::hub::{Hub, Reply};
use crate::id::MemberId;
use crate::id::RoomId;
use crate::moderation::check_text;
use crate::now::Now;
use crate::recent_ids::{Outcome, digest, scope_of};
use crate::room::Room;

/// Ids remembered in all rooms together without a history: with their index, some 30 MiB.
const IDS_MAX: usize = 256 * 1024;
/// Ids that one room remembers: a client that comes back after a minute of a busy room is still recognised.
const IDS_PER_ROOM_MAX: usize = 16 * 1024;
/// … and in the most crowded house.
const IDS_PER_ROOM_MIN: usize = 256;

impl Hub {
    /// Carries out a `send` (E4). With a history the message is handed over first, and is sent to anybody only once it is stored.
    ///
    /// # Errors
    /// The member is not in the room, the text is empty or too long, the id was used for another
    /// text, it cannot be told whether the message
    /// was said before, or an operator lets nobody speak, or not this member.
    pub fn say(&mut self, id: MemberId, send: &Send, reference: Option<String>, now: Now) -> Result<Reply, Rejection> {
        hold_to_text_limit(&send.text)?;
        self.check_speech(id, now)?;
        check_text(&send.text)?;
        let room_id = self.room_of(id, &send.room)?;
        let (Some(member), Some(room)) = (self.members.get(id), self.rooms.get(room_id)) else {
            return Err(unknown_room(&send.room));
        };
        let author = member.author();
        let mut message = Message {
            room: room.name().to_string(),
            seq: None,
            at: Some(now.at),
            from: member.name().to_string(),
            text: visible::relayed(&send.text).into_owned(),
            action: send.action,
            id: Some(send.id),
        };
        if self.rules.durable {
            self.store(id, room_id, message, (author, send.after), reference);
            return Ok(Reply::Nothing);
        }
        let (digest, name_scope) = (digest(&send.text, send.action), scope_of(member.name()));
        let recent_ids = room.recent_ids();
        if let Some(earlier) = recent_ids.find(send.id, author).or_else(|| recent_ids.find(send.id, name_scope)) {
            if earlier.digest != digest {
                return Err(Rejection::new(ErrorCode::IdReused, ID_REUSED));
            }
            let again = Message { seq: Some(earlier.seq), at: Some(earlier.at), ..message };
            return Ok(Event::Message(again).into());
        }
        if send.after.is_some_and(|after| !recent_ids.covers(after)) {
            return Err(Rejection::new(ErrorCode::TooLate, TOO_LATE_UNKEPT));
        }
        let seq = room.seq() + 1;
        message.seq = Some(seq);
        self.publish(Some(id), room_id, message, reference);
        let ids_max = (IDS_MAX / self.rooms.len()).clamp(IDS_PER_ROOM_MIN, IDS_PER_ROOM_MAX);
        if let Some(room) = self.rooms.get_mut(room_id) {
            let outcome = Outcome { seq, at: now.at, digest };
            room.recent_ids_mut().note(send.id, [author, name_scope], outcome, ids_max);
        }
        Ok(Reply::Nothing)
    }

    /// Says a tutorial member's text in the room it is in (T5, T12).
    ///
    /// # Errors
    /// The text is empty, the member is in no room, or it may not speak.
    pub fn say_text(&mut self, id: MemberId, text: &str, action: bool, now: Now) -> Result<Reply, Rejection> {
        hold_to_text_limit(text)?;
        self.check_speech(id, now)?;
        check_text(text)?;
        let Some(member) = self.members.get(id) else { return Err(unknown_room("a room")) };
        let Some(room_id) = member.rooms().next() else { return Err(unknown_room("a room")) };
        let Some(room) = self.rooms.get(room_id) else { return Err(unknown_room("a room")) };
        let mut message = Message {
            room: room.name().to_string(),
            seq: None,
            at: Some(now.at),
            from: member.name().to_string(),
            text: visible::relayed(text).into_owned(),
            action,
            id: None,
        };
        if self.rules.durable {
            self.store(id, room_id, message, (0, None), None);
        } else {
            message.seq = Some(room.seq() + 1);
            self.publish(Some(id), room_id, message, None);
        }
        Ok(Reply::Nothing)
    }

    /// Relays a payload untouched, as the tutorial's own server does (T9).
    pub fn relay(&mut self, id: MemberId, payload: &[u8]) {
        let Some(member) = self.members.get(id) else { return };
        let Some(room_id) = member.rooms().next() else { return };
        let name_frame = member.name_frame().to_vec();
        if let Some(room) = self.rooms.get_mut(room_id) {
            // Nobody is told the number, but what a slow reader misses is counted by it.
            room.set_seq(room.seq() + 1);
        }
        self.counters.messages += 1;
        let appended = self.append(room_id, Dialect::Tutorial, &[&name_frame, &encode::header(payload.len()), payload]);
        self.skip_own(id, room_id, Dialect::Tutorial, appended);
    }

    /// Sends a numbered message to everybody in its room, to the sender, if it is still there, as the acknowledgement.
    pub(crate) fn publish(
        &mut self,
        sender: Option<MemberId>,
        room_id: RoomId,
        message: Message,
        reference: Option<String>,
    ) {
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        room.set_seq(message.seq.unwrap_or(room.seq() + 1));
        self.counters.messages += 1;
        let seq = room.seq();
        let mut outbound = Outbound::from(Event::Message(message));
        let appended = self.append_encoded(room_id, Dialect::Tutorial, &outbound);
        if let Some(sender) = sender {
            self.skip_own(sender, room_id, Dialect::Tutorial, appended);
        }
        let appended = self.append_encoded(room_id, Dialect::Event, &outbound);
        if let (Some(sender), Some(_)) = (sender, &reference)
            && self.skip_own(sender, room_id, Dialect::Event, appended)
        {
            // Only its sender's copy has the ref (E5), so the sender skips the one all share.
            outbound.reference = reference;
            if let Some(member) = self.members.get_mut(sender) {
                member.send_queue_mut().push_echo(room_id, seq, Dialect::Event.encode(&outbound));
                self.scheduler.wake(sender, member);
            }
        }
    }

    /// Skips a member's own message in its lane, if it is of this dialect and in the room (T5). Returns whether it is.
    fn skip_own(&mut self, id: MemberId, room_id: RoomId, dialect: Dialect, appended: Option<(u64, u64)>) -> bool {
        let seq = self.rooms.get(room_id).map_or(0, Room::seq);
        let member = self.members.get_mut(id).filter(|member| member.dialect() == dialect && member.follows(room_id));
        let (Some(member), Some((from, to))) = (member, appended) else { return false };
        member.send_queue_mut().skip(room_id, seq, from, to);
        true
    }
}

/// Texts are 1 byte to the limit (T7).
pub(crate) fn hold_to_text_limit(text: &str) -> Result<(), Rejection> {
    if text.is_empty() {
        return Err(Rejection::new(ErrorCode::EmptyText, "the text is empty; there is nothing to say"));
    }
    if text.len() > TEXT_BYTES_MAX {
        let text = format!("this text has {} bytes, the limit is {TEXT_BYTES_MAX}; send it in parts", text.len());
        return Err(Rejection::new(ErrorCode::TooLong, text));
    }
    Ok(())
}

fn unknown_room(room: &str) -> Rejection {
    Rejection::new(ErrorCode::UnknownRoom, format!("you are not in {room}; join it first"))
}
