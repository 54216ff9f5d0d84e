//! Sealed rooms (S7): who may seal one, and what is sent in it. The hub relays sealed messages and
//! reads nothing of them.

use alloc::format;
use alloc::string::{String, ToString};

use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::request::Send;
use glassline_wire::sealed::{SealedFormError, check_form};

use super::Hub;
use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::room::{Room, Sealing};
use crate::text::{check_message_length, check_no_token};

impl Hub {
    /// Checks the form of a `send`: a text, or a sealed message without one.
    pub(super) fn check_form(send: &Send) -> Result<(), Rejection> {
        let Some(sealed) = &send.sealed else {
            check_message_length(&send.text)?;
            return check_no_token(&send.text);
        };
        if !send.text.is_empty() || send.action {
            let text = "a sealed message has no readable text or action beside it; leave both out";
            return Err(Rejection::new(ErrorCode::BadField, text));
        }
        check_form(sealed).map_err(|error| {
            let code = match error {
                SealedFormError::TooLong(_) => ErrorCode::TooLong,
                SealedFormError::NotBase64 => ErrorCode::BadField,
            };
            Rejection::new(code, error.to_string())
        })
    }

    /// Checks that a message, sealed or not, fits its room. Whoever is alone in a room decides
    /// anew, and so does the first message of a room, if none is stored either.
    pub(super) fn check_sealing(&self, id: MemberId, room_id: RoomId, is_sealed: bool) -> Result<(), Rejection> {
        let Some(room) = self.rooms.get(room_id) else { return Ok(()) };
        if is_sealed && room_id == self.rooms.lobby() {
            let text = "the lobby is never sealed, since everybody starts in it; /join another room and seal that";
            return Err(Rejection::new(ErrorCode::NotSealed, text));
        }
        if room.count() <= 1 {
            return Ok(());
        }
        match room.sealing_before_next() {
            Sealing::Sealed if !is_sealed => Err(Rejection::new(ErrorCode::RoomSealed, sealed_room(room))),
            Sealing::Open if is_sealed && !self.is_operator(id) => {
                let text = format!(
                    "{} is not sealed, and others are in it: only an operator may seal it; seal a new room instead",
                    room.name()
                );
                Err(Rejection::new(ErrorCode::NotSealed, text))
            }
            _ => Ok(()),
        }
    }

    /// Tells the members of a room who cannot read sealed messages that it is sealed now.
    pub(super) fn announce_sealing(&mut self, room_id: RoomId) {
        if let Some(notice) = self.sealed_notice(room_id) {
            self.append_encoded(room_id, Dialect::Tutorial, &Event::notice(notice).into());
        }
    }

    /// Text for tutorial clients in a sealed room; nothing for another room.
    pub(super) fn sealed_notice(&self, room_id: RoomId) -> Option<String> {
        let room = self.rooms.get(room_id)?;
        (room.sealing() == Sealing::Sealed).then(|| unreadable_here(room.name()))
    }
}

fn unreadable_here(room: &str) -> String {
    format!(
        "{room} is sealed: your program has no keys, so you can neither read nor send here; /leave takes you back to \
         the lobby, and `glassline join` can read it"
    )
}

fn sealed_room(room: &Room) -> String {
    // The message that seals it may not be stored in the end.
    let state = if room.sealing() == Sealing::Sealed { "is sealed" } else { "is being sealed" };
    format!(
        "{} {state}, so this was not relayed to anybody; it has travelled to this server readable. What is said there \
         must be encrypted: use /seal in `glassline join`, or another room",
        room.name()
    )
}
