//! Sealed rooms of a join (S7): which rooms the user has sealed, their keys, and what is shown of
//! the messages in them.
//!
//! One state, shared by the session, which passes every message through it, and the view, which
//! takes passphrases. Keys are derived one at a time on a thread of their own.

mod candidates;
mod derivation;
mod dialogue;
mod key_wait;
#[cfg(test)]
mod made_up;
mod notes;
mod room;
mod server_word;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use glassline_keyring::{IdentityFile, KnownMembers, SealedRooms};
use glassline_secure::SystemRandom;
use glassline_secure::seal::{Envelope, Kind, Passphrase};
use glassline_session::{Arrival, Draft, RoomSeal, Update};
use glassline_wire::event::{Message, Rejection};
use glassline_wire::request::LOBBY;
use glassline_wire::spelling;

use crate::derived_key::Derived;
use crate::format::safe;
use crate::inbox::Inbox;
pub(crate) use dialogue::SealDialogue;
pub(crate) use key_wait::KeyWait;
use room::Room;
use state::{NO_FOLDER, State};

/// Files and passphrases of sealed rooms.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// The user's key, which signs sealed messages; made when it is first needed.
    pub identity: IdentityFile,
    /// Rooms that are sealed on this server.
    pub rooms: SealedRooms,
    /// Keys of the server's members.
    pub members: KnownMembers,
    /// Rooms to seal from the start, with their passphrases.
    pub passphrases: Vec<(String, Passphrase)>,
}

impl Sealing {
    /// Returns warnings about passphrases that were given for the start.
    pub fn warnings(&self) -> Vec<String> {
        let weak = self.passphrases.iter().filter(|(_, passphrase)| passphrase.is_weak());
        weak.map(|(room, _)| notes::weak(room)).collect()
    }
}

/// Consequences of a derivation.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// To be shown, in order.
    pub(crate) updates: Vec<Update>,
    /// Room in which the new key is to be announced by a first sealed message.
    pub(crate) announced_in: Option<String>,
}

/// Keys and sealed rooms, shared by session, view and driver.
#[derive(Debug, Clone)]
pub(crate) struct RoomKeys(Arc<Mutex<State>>);

impl RoomKeys {
    /// Returns the sealed rooms of a join. Errors: which rooms are sealed cannot be told, so that
    /// joining might send readable messages to them.
    pub(crate) fn open(files: Option<Sealing>, inbox: Inbox) -> Result<Self, String> {
        State::open(files, inbox).map(|state| Self(Arc::new(Mutex::new(state))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the user has sealed a room.
    pub(crate) fn is_sealed(&self, room: &str) -> bool {
        self.state().rooms.get(&*spelling::room(room)).is_some_and(Room::is_sealed)
    }

    /// Returns whether others have sealed a room and the user has not.
    pub(crate) fn is_sealed_by_others(&self, room: &str) -> bool {
        self.state().is_sealed_by_others(&spelling::room(room))
    }

    /// Returns whether what is written to a room is for those who have its key, whoever has sealed it.
    pub(crate) fn is_private(&self, room: &str) -> bool {
        self.is_sealed(room) || self.is_sealed_by_others(room)
    }

    /// Returns whether a message could be sealed now, or never before the user does something: a
    /// room whose key is on its way should wait for it.
    pub(crate) fn is_settled(&self, room: &str) -> bool {
        self.state().rooms.get(&*spelling::room(room)).is_none_or(Room::is_settled)
    }

    /// Returns whether all rooms are settled, so that no message has to wait.
    pub(crate) fn are_all_settled(&self) -> bool {
        self.state().rooms.values().all(Room::is_settled)
    }

    /// Returns what to tell a user who enters a room: it is sealed, and its key is neither here nor on
    /// its way.
    pub(crate) fn entry_notice(&self, room: &str) -> Option<String> {
        let is_locked = self.state().rooms.get(&*spelling::room(room)).is_some_and(Room::lacks_passphrase);
        is_locked.then(|| {
            format!(
                "{} is sealed here: enter its passphrase with /seal; until then nothing is sent there",
                safe::name(room)
            )
        })
    }

    /// Checks that a room can be sealed here. Errors: why not.
    pub(crate) fn check(&self, room: &str) -> Result<(), String> {
        if is_lobby(room) {
            return Err(format!("{LOBBY_IS_OPEN}; /join another room and seal that"));
        }
        match self.state().files {
            Some(_) => Ok(()),
            None => Err(NO_FOLDER.to_owned()),
        }
    }

    /// Seals a room with a passphrase. From now on nothing readable is sent there; what comes of it
    /// arrives as [`Derived`]. Returns what to tell the user meanwhile. Errors: why it cannot be.
    pub(crate) fn seal(&self, room: &str, passphrase: Passphrase) -> Result<String, String> {
        self.check(room)?;
        self.state().seal_room(&spelling::room(room), passphrase)
    }

    /// Seals a room with a new passphrase, which is shown once the room is sealed; else as
    /// [`seal`](Self::seal).
    pub(crate) fn seal_with_generated(&self, room: &str) -> Result<String, String> {
        self.check(room)?;
        self.state().seal_with_generated(&spelling::room(room))
    }

    /// Begins the first key of a sealed room, if nothing tells of another; returns whether some key of
    /// the room is being derived.
    pub(crate) fn begin_if_unknown(&self, room: &str) -> bool {
        self.state().begin_if_unknown(&spelling::room(room))
    }

    /// Ends the sealing of a room, on the user's word only. Errors: it would come back.
    pub(crate) fn unseal(&self, room: &str) -> Result<(), String> {
        let (mut state, room) = (self.state(), spelling::room(room));
        if let Some(files) = &state.files {
            files.rooms.forget(&room).map_err(|error| error.to_string())?;
        }
        if let Some(room) = state.rooms.get_mut(&*room) {
            *room = room.unsealed().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Takes a room as no longer sealed by others, on the user's word. Errors: it cannot be told from
    /// others.
    pub(crate) fn open_room(&self, room: &str) -> Result<(), String> {
        self.state().room(&spelling::room(room)).map(|room| room.note_others(false))
    }

    /// Takes the result of a derivation, and begins the next.
    pub(crate) fn derived(&self, derived: Derived) -> News {
        self.state().take_derived(derived)
    }

    /// Returns the time at which [`derive_due`](Self::derive_due) has something to do.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.state().due_at()
    }

    /// Derives the keys for which it is time.
    pub(crate) fn derive_due(&self) {
        self.state().derive_due();
    }
}

/// Fact about the lobby; what to do depends on how it was to be sealed.
const LOBBY_IS_OPEN: &str = "the lobby is never sealed, since everybody starts in it";

fn is_lobby(room: &str) -> bool {
    spelling::room(room) == LOBBY
}

impl RoomSeal for RoomKeys {
    fn is_sealed(&self, room: &str) -> bool {
        RoomKeys::is_sealed(self, room)
    }

    fn is_sealed_by_others(&self, room: &str) -> bool {
        RoomKeys::is_sealed_by_others(self, room)
    }

    fn entered(&mut self, room: &str, sealed: Option<&str>) -> Option<String> {
        self.state().enter(&spelling::room(room), sealed)
    }

    fn relayed(&mut self, room: &str) -> Option<String> {
        self.state().take_relayed(&spelling::room(room))
    }

    fn refused(&mut self, room: &str, rejection: &Rejection) -> Option<String> {
        self.state().take_refusal(&spelling::room(room), rejection)
    }

    fn seal(&mut self, draft: Draft<'_>) -> Result<String, String> {
        let (mut state, name) = (self.state(), spelling::room(draft.room));
        // Whoever has no key of the room needs none of their own for that.
        if let Some(why) = state.room(&name)?.held_back() {
            return Err(why);
        }
        let identity = state.identity()?;
        let kind = if draft.action { Kind::Action } else { Kind::Text };
        let room = state.room(&name)?;
        room.seal(&identity, draft.id, draft.name, kind, draft.text, &mut SystemRandom)
    }

    fn open(&mut self, message: Message, arrival: Arrival) -> Option<Message> {
        let mut state = self.state();
        let Some(sealed) = &message.sealed else {
            let room = state.rooms.get_mut(&*spelling::room(&message.room));
            return Some(match room {
                Some(room) => room.readable(message, arrival),
                None => message,
            });
        };
        let envelope = match Envelope::from_field(sealed) {
            Ok(envelope) => envelope,
            Err(error) => return Some(Message { text: format!("[sealed: {error}]"), ..message }),
        };
        state.take_sealed(envelope, message, arrival)
    }
}

#[cfg(test)]
mod tests;
