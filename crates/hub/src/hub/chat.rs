//! Messages in rooms: checked, then handed over to the history or, without one, published at once.

use alloc::string::{String, ToString};

use glassline_wire::event::{ErrorCode, Event, Message, Rejection};
use glassline_wire::frame;
use glassline_wire::request::Send;
use glassline_wire::sealed::SEALED_TEXT;
use glassline_wire::visible;

use super::records::ID_REUSED;
use super::rooms::unknown_room;
use crate::Now;
use crate::dialect::Dialect;
use crate::hub::{Hub, Reply, ReplyResult};
use crate::id::MemberId;
use crate::member::Member;
use crate::recent_ids::{Outcome, digest, scope_of};
use crate::room::Room;
use crate::text::{check_message_length, check_no_token};

/// Most ids remembered in all rooms together without a history: with their index, some 30 MiB.
const IDS_MAX: usize = 256 * 1024;
/// Most ids that one room remembers: enough to recognise what a client resends after a minute of a
/// busy room.
const IDS_PER_ROOM_MAX: usize = 16 * 1024;
/// Most ids that one room remembers if as many rooms are open as may be.
const IDS_PER_ROOM_MIN: usize = 256;

/// The text of [`ErrorCode::TooLate`] without a history.
const TOO_LATE_UNKEPT: &str = "it is no longer known whether others got this when it was first sent, so it was not \
                               sent now; ask in the room, and send it as a new message if nobody got it";

impl Hub {
    /// Executes a `send` (E4). With a history the message is handed over, and is sent to anybody
    /// only once it is stored.
    ///
    /// # Errors
    /// The member is not in the room, the text is empty or too long, the id was used for another
    /// text, it is unknown whether the message was sent before, the chat is frozen, this member is
    /// muted, or the room is sealed and the message is not, or the reverse.
    pub fn say(&mut self, id: MemberId, send: &Send, reference: Option<String>, now: Now) -> ReplyResult {
        Self::check_form(send)?;
        self.check_speech(id, now)?;
        let room_id = self.room_of(id, &send.room)?;
        self.check_sealing(id, room_id, send.sealed.is_some())?;
        let (Some(member), Some(room)) = (self.members.get(id), self.rooms.get(room_id)) else {
            return Err(unknown_room(&send.room));
        };
        let author = member.author();
        let text = if send.sealed.is_some() { SEALED_TEXT } else { &send.text };
        let mut message = new_message(member, room, text, send.action, now);
        message.id = Some(send.id);
        message.sealed.clone_from(&send.sealed);
        if self.rules.durable {
            self.queue_message(id, room_id, message, (author, send.after), reference);
            return Ok(Reply::Nothing);
        }
        let (digest, name_scope) =
            (digest(send.sealed.as_ref().unwrap_or(&send.text), send.action), scope_of(member.name()));
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

    /// Sends a tutorial member's text to the room it is in (T5, T12).
    ///
    /// # Errors
    /// The text is empty, the member is in no room, or it may not send messages.
    pub fn say_text(&mut self, id: MemberId, text: &str, action: bool, now: Now) -> ReplyResult {
        check_message_length(text)?;
        self.check_speech(id, now)?;
        check_no_token(text)?;
        let (Some(member), Some((room_id, room))) = (self.members.get(id), self.current_room(id)) else {
            return Err(unknown_room("a room"));
        };
        self.check_sealing(id, room_id, false)?;
        let mut message = new_message(member, room, text, action, now);
        if self.rules.durable {
            self.queue_message(id, room_id, message, (0, None), None);
        } else {
            message.seq = Some(room.seq() + 1);
            self.publish(Some(id), room_id, message, None);
        }
        Ok(Reply::Nothing)
    }

    /// Relays a payload untouched, as the tutorial's own server does (T9).
    pub fn relay(&mut self, id: MemberId, payload: &[u8]) {
        let (Some(member), Some((room_id, _))) = (self.members.get(id), self.current_room(id)) else { return };
        let name = member.name_bytes().to_vec();
        if let Some(room) = self.rooms.get_mut(room_id) {
            // The number is not sent, but what a slow reader misses is counted by it.
            room.set_seq(room.seq() + 1);
        }
        self.counters.messages += 1;
        let pair = [&frame::header(name.len())[..], &name, &frame::header(payload.len()), payload];
        let appended = self.append(room_id, Dialect::Tutorial, &pair);
        self.skip_own(id, room_id, Dialect::Tutorial, appended);
    }
}

fn new_message(member: &Member, room: &Room, text: &str, action: bool, now: Now) -> Message {
    Message {
        room: room.name().to_string(),
        seq: None,
        at: Some(now.at),
        from: member.name().to_string(),
        text: visible::relayed(text).into_owned(),
        action,
        id: None,
        sealed: None,
    }
}
