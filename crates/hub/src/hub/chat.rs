//! Messages in rooms: checked, then handed over to the history or, without one, published at once.
//! Direct messages: to one member, and back to the sender as the acknowledgement.

use alloc::format;
use alloc::string::{String, ToString};

use glassline_wire::event::{Away, Direct, ErrorCode, Event, Message, Rejection};
use glassline_wire::frame;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::Send;
use glassline_wire::visible;

use super::history::{ID_REUSED, TOO_LATE_UNKEPT};
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

impl Hub {
    /// Executes a `send` (E4). With a history the message is handed over, and is sent to anybody
    /// only once it is stored.
    ///
    /// # Errors
    /// The member is not in the room, the text is empty or too long, the id was used for another
    /// text, it is unknown whether the message was sent before, or the chat is frozen,
    /// or this member is muted.
    pub fn say(&mut self, id: MemberId, send: &Send, reference: Option<String>, now: Now) -> ReplyResult {
        check_message_length(&send.text)?;
        self.check_speech(id, now)?;
        check_no_token(&send.text)?;
        let room_id = self.room_of(id, &send.room)?;
        let (Some(member), Some(room)) = (self.members.get(id), self.rooms.get(room_id)) else {
            return Err(unknown_room(&send.room));
        };
        let author = member.author();
        let mut message = new_message(member, room, &send.text, send.action, now);
        message.id = Some(send.id);
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
        let mut message = new_message(member, room, text, action, now);
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

    /// Checks that the member named `to` now is the one that has written to this member, as a reply
    /// requires.
    ///
    /// # Errors
    /// No member has the name, or it may be another client's.
    pub fn check_reply(&self, id: MemberId, to: &str) -> Result<(), Rejection> {
        let (_, recipient) = self.find(to)?;
        let name = recipient.name();
        if self.members.get(id).is_some_and(|member| member.replies_to(recipient.token(), name)) {
            return Ok(());
        }
        let text = format!(
            "{name} has not written to you on this connection, or somebody else has under this name, so this may be \
             somebody else than whom you answer; /msg {name} TEXT writes to whoever has the name"
        );
        Err(Rejection::new(ErrorCode::UnknownName, text))
    }

    /// Returns the member that wrote to this one last, on its present connection.
    pub(super) fn latest_direct_sender(&self, id: MemberId) -> Option<&Member> {
        let (sender, token) = self.members.get(id)?.latest_direct_sender()?;
        self.members.get(sender).or_else(|| self.members.values().find(|member| member.token() == token))
    }

    /// Sends a text to one person.
    ///
    /// # Errors
    /// Unknown name, the text is empty or too long, the recipient has stopped reading, or the member
    /// may not send messages.
    pub fn send_direct(
        &mut self,
        sender: MemberId,
        to: &str,
        text: &str,
        id: Option<MessageId>,
        now: Now,
    ) -> ReplyResult {
        check_message_length(text)?;
        let (recipient, to) = self.find(to)?;
        // To an operator everybody may write.
        if !to.is_operator() {
            self.check_speech(sender, now)?;
        }
        check_no_token(text)?;
        let (Some(to), Some(from)) = (self.members.get(recipient), self.members.get(sender)) else {
            return Ok(Reply::Nothing);
        };
        if self.send_queue_is_full(to) {
            let text = format!("{} is not reading just now; try again later", to.name());
            return Err(Rejection::new(ErrorCode::Busy, text));
        }
        let (from_name, to_name) = (from.name().to_string(), to.name().to_string());
        let (sender_is_event, sender_token) = (from.dialect() == Dialect::Event, from.token());
        // A member that is away knows it.
        let away = to.away().map(str::to_string).filter(|_| recipient != sender);
        let direct = Event::Direct(Direct {
            from: from_name.clone(),
            to: to_name.clone(),
            at: Some(now.at),
            text: visible::relayed(text).into_owned(),
            id,
        });
        if let Some(member) = self.members.get_mut(recipient) {
            member.note_direct_sender(sender, sender_token, &from_name);
        }
        if recipient != sender || !sender_is_event {
            self.send(recipient, direct.clone());
        }
        let acknowledgement = sender_is_event.then_some(direct);
        let away = away.map(|text| Event::Away(Away { name: to_name, text: Some(text) }));
        Ok(Reply::Events(acknowledgement.into_iter().chain(away).collect()))
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
    }
}
