//! `/seal` and `/unseal` of a person: what is asked, and what the answers do.

use glassline_secure::seal::Passphrase;
use glassline_session::Session;

use super::{RoomKeys, notes};
use crate::format::safe::name;

/// The two commands where a person types them.
#[derive(Debug)]
pub(crate) struct SealDialogue {
    keys: RoomKeys,
    /// Room of which `/unseal` was asked once.
    unsealing: Option<String>,
}

impl SealDialogue {
    pub(crate) fn new(keys: RoomKeys) -> Self {
        Self { keys, unsealing: None }
    }

    /// Forgets an `/unseal` that was not confirmed: another line came after it.
    pub(crate) fn cancel_unseal(&mut self) {
        self.unsealing = None;
    }

    /// Returns the current room if its passphrase can be asked for. Errors: why not.
    pub(crate) fn room_to_seal(&self, session: &Session, now_ms: u64) -> Result<String, String> {
        session.check_sealing().map_err(|error| error.to_string())?;
        let room = session.status(now_ms).room.ok_or("you are in no room; enter one with /join ROOM")?;
        self.keys.check(&room).map(|()| room)
    }

    /// Seals a room with what was typed, or with a generated passphrase. Returns notices.
    pub(crate) fn take_passphrase(&self, room: &str, typed: &str) -> Vec<String> {
        if typed.trim().is_empty() {
            return vec![self.keys.seal_with_generated(room).unwrap_or_else(|why| why)];
        }
        let mut notices = Vec::new();
        let passphrase = Passphrase::new(typed).map_err(|error| error.to_string());
        if passphrase.as_ref().is_ok_and(Passphrase::is_weak) {
            notices.push(notes::weak(room));
        }
        let report = passphrase.and_then(|passphrase| self.keys.seal(room, passphrase));
        notices.push(report.unwrap_or_else(|why| why));
        notices
    }

    /// Ends the sealing of the current room at the second time in a row. Returns a notice.
    pub(crate) fn unseal(&mut self, session: &Session, now_ms: u64) -> String {
        let status = session.status(now_ms);
        let Some(room) = status.room.filter(|room| self.keys.is_private(room)) else {
            return "the room you are in is not sealed here".to_owned();
        };
        if !self.keys.is_sealed(&room) {
            return self.open_room(room, status.people == Some(1));
        }
        if self.unsealing.as_ref() != Some(&room) {
            let asked = format!(
                "after this your program no longer takes {} as sealed and forgets its key: what you send there may be \
                 readable for the server and everybody on the way. While others keep it sealed, nothing readable is \
                 sent there. /unseal again does it",
                name(&room)
            );
            self.unsealing = Some(room);
            return asked;
        }
        self.unsealing = None;
        match self.keys.unseal(&room) {
            Ok(()) => format!(
                "{} is not sealed here any more. While others keep it sealed the server relays sealed messages only, \
                 and nothing readable is sent there; once they do not, what you send is readable",
                name(&room)
            ),
            Err(why) => format!("{} stays sealed: {why}", name(&room)),
        }
    }

    /// Ends the sealing of a room by others, where nobody else is in it.
    fn open_room(&mut self, room: String, is_alone: bool) -> String {
        let shown = name(&room);
        if !is_alone {
            return format!(
                "{shown} is sealed by others, who may be in it, so nothing readable is relayed there; /seal with its \
                 passphrase lets you write, and so does another room"
            );
        }
        if self.unsealing.as_ref() != Some(&room) {
            let asked = format!(
                "others have sealed {shown} and are not in it now. After this, what you write there is readable for the \
                 server, everybody on the way and whoever comes. /unseal again does it"
            );
            self.unsealing = Some(room);
            return asked;
        }
        self.unsealing = None;
        match self.keys.open_room(&room) {
            Ok(()) => format!("what you write in {shown} is readable from now on"),
            Err(why) => format!("{shown} stays sealed: {why}"),
        }
    }
}
