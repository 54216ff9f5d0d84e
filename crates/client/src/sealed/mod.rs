//! Sealed rooms of a join (S7): which rooms the user has sealed, their keys, and what is shown of
//! the messages in them.
//!
//! One state, shared by the session, which passes every message through it, and the view, which
//! takes passphrases. Keys are derived one at a time on a thread of their own.

mod derivation;
mod dialogue;
mod key_wait;
mod notes;
mod room;
mod server_word;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glassline_keyring::{IdentityFile, KnownMembers, MemberCheck, SealedRooms};
use glassline_secure::seal::{Envelope, EpochRecord, Kind, OpenError, Opened, Passphrase, Placed};
use glassline_secure::{Identity, SystemRandom};
use glassline_session::{Arrival, Draft, RoomSeal, Update};
use glassline_wire::event::{Event, Message, Rejection};
use glassline_wire::link::IdentityKey;
use glassline_wire::request::LOBBY;
use unicode_normalization::UnicodeNormalization as _;

use crate::derived_key::Derived;
use crate::format::safe;
use crate::inbox::Inbox;
use derivation::{Derivation, Purpose};
pub(crate) use dialogue::SealDialogue;
pub(crate) use key_wait::KeyWait;
use room::{Room, Withheld};

/// Rooms whose state is kept; a server decides how many have sealed messages.
const ROOMS_MAX: usize = 256;
/// Members whose keys were compared in this session.
const MEMBERS_MAX: usize = 4_096;
const NO_FOLDER: &str = "there is no folder for keys, since HOME is not set, so nothing can be sealed";

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

#[derive(Debug)]
struct State {
    files: Option<Sealing>,
    identity: Option<Identity>,
    /// Members whose key is the one known under their name.
    compared: BTreeSet<(String, IdentityKey)>,
    rooms: BTreeMap<String, Room>,
    waiting: VecDeque<Derivation>,
    is_deriving: bool,
    inbox: Inbox,
}

impl RoomKeys {
    /// Returns the sealed rooms of a join. Errors: which rooms are sealed cannot be told, so that
    /// joining might send readable messages to them.
    pub(crate) fn open(files: Option<Sealing>, inbox: Inbox) -> Result<Self, String> {
        let mut state = State {
            files: None,
            identity: None,
            compared: BTreeSet::new(),
            rooms: BTreeMap::new(),
            waiting: VecDeque::new(),
            is_deriving: false,
            inbox,
        };
        if let Some(files) = files {
            for record in files.rooms.read().map_err(|error| error.to_string())? {
                let room = Room::remembered(record).map_err(|error| error.to_string())?;
                state.rooms.insert(room.name().to_owned(), room);
            }
            for (name, passphrase) in &files.passphrases {
                check_name(name)?;
                state.room(&known_as(name))?.bind(passphrase.clone());
            }
            state.files = Some(files);
        }
        let names: Vec<String> = state.rooms.keys().cloned().collect();
        for name in &names {
            state.join_known(name);
        }
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the user has sealed a room.
    pub(crate) fn is_sealed(&self, room: &str) -> bool {
        self.state().rooms.get(&*known_as(room)).is_some_and(Room::is_sealed)
    }

    /// Returns whether others have sealed a room and the user has not.
    pub(crate) fn is_sealed_by_others(&self, room: &str) -> bool {
        self.state().rooms.get(&*known_as(room)).is_some_and(Room::is_sealed_by_others)
    }

    /// Returns whether what is written to a room is for those who have its key, whoever has sealed it.
    pub(crate) fn is_private(&self, room: &str) -> bool {
        self.is_sealed(room) || self.is_sealed_by_others(room)
    }

    /// Returns whether a message could be sealed now, or never before the user does something: a
    /// room whose key is on its way should wait for it.
    pub(crate) fn is_settled(&self, room: &str) -> bool {
        self.state().rooms.get(&*known_as(room)).is_none_or(Room::is_settled)
    }

    /// Returns whether all rooms are settled, so that no message has to wait.
    pub(crate) fn are_all_settled(&self) -> bool {
        self.state().rooms.values().all(Room::is_settled)
    }

    /// Returns what to tell a user who enters a room: it is sealed, and its key is neither here nor on
    /// its way.
    pub(crate) fn entry_notice(&self, room: &str) -> Option<String> {
        let is_locked = self.state().rooms.get(&*known_as(room)).is_some_and(Room::lacks_passphrase);
        is_locked.then(|| {
            format!(
                "{} is sealed here: enter its passphrase with /seal; until then nothing is sent there",
                safe::name(room)
            )
        })
    }

    /// Checks that a room can be sealed here. Errors: why not.
    pub(crate) fn check(&self, room: &str) -> Result<(), String> {
        check_name(room)?;
        match self.state().files {
            Some(_) => Ok(()),
            None => Err(NO_FOLDER.to_owned()),
        }
    }

    /// Seals a room with a passphrase. From now on nothing readable is sent there; what comes of it
    /// arrives as [`Derived`]. Returns what to tell the user meanwhile. Errors: why it cannot be.
    pub(crate) fn seal(&self, room: &str, passphrase: Passphrase) -> Result<String, String> {
        self.check(room)?;
        self.state().seal_room(&known_as(room), passphrase)
    }

    /// Begins the first key of a sealed room in which no record was seen.
    pub(crate) fn begin_if_unknown(&self, room: &str) {
        self.state().begin_if_unknown(&known_as(room));
    }

    /// Ends the sealing of a room, on the user's word only. Errors: it would come back.
    pub(crate) fn unseal(&self, room: &str) -> Result<(), String> {
        let (mut state, room) = (self.state(), known_as(room));
        if let Some(files) = &state.files {
            files.rooms.forget(&room).map_err(|error| error.to_string())?;
        }
        if let Some(room) = state.rooms.get_mut(&*room) {
            *room = room.unsealed().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Takes the result of a derivation, and begins the next.
    pub(crate) fn derived(&self, derived: Derived) -> News {
        let mut state = self.state();
        state.is_deriving = false;
        let news = state.take_key(derived);
        state.derive_next();
        news
    }
}

/// Returns a room's name as the server has it (E2): whatever the spelling, it is the same room.
fn known_as(spelling: &str) -> Cow<'_, str> {
    // Each message is looked up, and the server sends most names so already.
    if spelling.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) {
        return Cow::Borrowed(spelling);
    }
    let name: String = spelling.strip_prefix('#').unwrap_or(spelling).nfkc().collect();
    Cow::Owned(name.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase())
}

fn check_name(room: &str) -> Result<(), String> {
    if known_as(room) == LOBBY {
        return Err(
            "the lobby is never sealed, since everybody starts in it; /join another room and seal that".to_owned()
        );
    }
    Ok(())
}

/// Names of rooms are as the server has them ([`known_as`]).
impl State {
    fn room(&mut self, name: &str) -> Result<&mut Room, String> {
        if !self.rooms.contains_key(name) {
            if self.rooms.len() >= ROOMS_MAX {
                return Err(format!(
                    "there are sealed messages in {ROOMS_MAX} rooms already; start anew to read these"
                ));
            }
            let room = Room::unknown(name).map_err(|error| error.to_string())?;
            self.rooms.insert(name.to_owned(), room);
        }
        self.rooms.get_mut(name).ok_or_else(String::new)
    }

    fn seal_room(&mut self, name: &str, passphrase: Passphrase) -> Result<String, String> {
        self.identity()?;
        let room = self.room(name)?;
        let purpose = room.purpose_of(&passphrase);
        room.seal_with(passphrase.clone());
        let report = match &purpose {
            Purpose::Join(record) => format!("deriving key {} of {name} from the passphrase", record.key_id()),
            Purpose::Begin(_) => format!("deriving a new key for {name} from the passphrase"),
        };
        self.queue(Derivation { room: name.to_owned(), passphrase, purpose });
        Ok(report)
    }

    fn begin_if_unknown(&mut self, name: &str) {
        if let Some((passphrase, purpose)) = self.rooms.get_mut(name).and_then(Room::first_key)
            && self.identity().is_ok()
        {
            self.queue(Derivation { room: name.to_owned(), passphrase, purpose });
        }
    }

    /// Derives the newest key of a room, if its record and a passphrase are known.
    fn join_known(&mut self, name: &str) {
        if let Some((passphrase, record)) = self.rooms.get_mut(name).and_then(Room::next_to_join) {
            self.queue(Derivation { room: name.to_owned(), passphrase, purpose: Purpose::Join(record) });
        }
    }

    fn queue(&mut self, derivation: Derivation) {
        self.waiting.push_back(derivation);
        self.derive_next();
    }

    fn derive_next(&mut self) {
        if self.is_deriving {
            return;
        }
        let Some(derivation) = self.waiting.pop_front() else { return };
        let identity = self.identity.clone();
        self.is_deriving = derivation.start(identity, self.inbox.clone());
    }

    fn identity(&mut self) -> Result<Identity, String> {
        if self.identity.is_none() {
            let files = self.files.as_ref().ok_or(NO_FOLDER)?;
            self.identity = Some(files.identity.read_or_create().map_err(|error| error.to_string())?);
        }
        self.identity.clone().ok_or_else(String::new)
    }

    fn take_key(&mut self, derived: Derived) -> News {
        let Derived { room: name, result, begins } = derived;
        let Some(room) = self.rooms.get_mut(&name) else { return News::default() };
        let taken = room.take_key(result);
        let withheld = room.take_withheld();
        let announced_in = (begins && taken.is_ok()).then(|| name.clone());
        let notice = match taken {
            Ok(record) => self.take_record(&name, &record, begins),
            Err(error @ OpenError::WrongKey { .. }) => {
                Some(format!("{error}; to begin a new key with your passphrase instead, enter it again with /seal"))
            }
            Err(OpenError::Fork(_)) => Some(notes::fork(&name)),
            Err(error) => Some(error.to_string()),
        };
        let messages = withheld.into_iter().map(|Withheld { envelope, message, arrival }| {
            Update::Received(Event::Message(self.opened(&name, &envelope, message, arrival)))
        });
        News { updates: notice.map(Update::Notice).into_iter().chain(messages).collect(), announced_in }
    }

    /// Keeps the record of a derived key. Returns what to tell the user; of a new key that is told
    /// once the server has relayed a message under it.
    fn take_record(&mut self, name: &str, record: &EpochRecord, begins: bool) -> Option<String> {
        let is_sealed = self.rooms.get(name).is_some_and(Room::is_sealed);
        let kept = if is_sealed { self.keep(record) } else { String::new() };
        let earlier = if begins { "" } else { "; /history shows what was said before" };
        let notice = format!(
            "{name} is sealed under key {} (epoch {}): only members with its passphrase can read what you \
             send{earlier}{kept}",
            record.key_id(),
            record.number()
        );
        if !begins {
            return Some(notice);
        }
        self.rooms.get_mut(name)?.await_confirmation(notice);
        None
    }

    /// Keeps a record for the next start. Returns what to add to a notice: nothing, or why it fails.
    fn keep(&self, record: &EpochRecord) -> String {
        let kept = self.files.as_ref().map_or(Ok(()), |files| files.rooms.put(record));
        kept.err().map_or_else(String::new, |error| format!("; it will not be remembered: {error}"))
    }

    /// Returns a sealed message of a room with its text, or with the reason why that is not shown.
    fn opened(&mut self, name: &str, envelope: &Envelope, message: Message, arrival: Arrival) -> Message {
        let placed = match arrival {
            Arrival::Page => Placed::Page { id: message.id },
            Arrival::InTurn | Arrival::Own => Placed::InTurn { id: message.id, seq: message.seq },
        };
        let opened = self.room(name).and_then(|room| {
            room.open(envelope, placed).map_err(|error| match error {
                OpenError::Fork(_) => notes::fork(name),
                error => error.to_string(),
            })
        });
        let checked = opened.and_then(|opened| self.check_member(name, &opened).map(|()| opened));
        let (text, action) = match checked {
            Ok(opened) => {
                let text = notes::with_notes(&opened, &message.from);
                (text, opened.content.kind == Kind::Action)
            }
            Err(why) => (format!("[sealed: {why}]"), false),
        };
        Message { text, action, ..message }
    }

    /// Compares the key that has signed a message with the one known under its name. A changed one
    /// stops the room until the user has decided.
    fn check_member(&mut self, room: &str, opened: &Opened) -> Result<(), String> {
        let member = (opened.content.name.clone(), opened.content.sender);
        if self.compared.contains(&member) {
            return Ok(());
        }
        let Some(files) = &self.files else { return Ok(()) };
        match files.members.check(&member.0, &member.1).map_err(|error| error.to_string())? {
            MemberCheck::New(_) | MemberCheck::Known(_) => {
                if self.compared.len() < MEMBERS_MAX {
                    self.compared.insert(member);
                }
                Ok(())
            }
            MemberCheck::Changed(known) => {
                let why = notes::changed_key(&known, &member.1);
                if let Some(room) = self.rooms.get_mut(room) {
                    room.stop(why.clone());
                }
                Err(why)
            }
        }
    }
}

impl RoomSeal for RoomKeys {
    fn is_sealed(&self, room: &str) -> bool {
        RoomKeys::is_sealed(self, room)
    }

    fn is_sealed_by_others(&self, room: &str) -> bool {
        RoomKeys::is_sealed_by_others(self, room)
    }

    fn entered(&mut self, room: &str, sealed: Option<&str>) -> Option<String> {
        self.state().enter(&known_as(room), sealed)
    }

    fn relayed(&mut self, room: &str) -> Option<String> {
        self.state().take_relayed(&known_as(room))
    }

    fn refused(&mut self, room: &str, rejection: &Rejection) -> Option<String> {
        self.state().take_refusal(&known_as(room), rejection)
    }

    fn seal(&mut self, draft: Draft<'_>) -> Result<String, String> {
        let (mut state, name) = (self.state(), known_as(draft.room));
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
            let room = state.rooms.get_mut(&*known_as(&message.room));
            return Some(match room {
                Some(room) => room.readable(message, arrival),
                None => message,
            });
        };
        let envelope = match Envelope::from_field(sealed) {
            Ok(envelope) => envelope,
            Err(error) => return Some(Message { text: format!("[sealed: {error}]"), ..message }),
        };
        let name = known_as(&message.room).into_owned();
        if let Ok(room) = state.room(&name)
            && arrival != Arrival::Own
        {
            if arrival == Arrival::InTurn {
                room.note_others(true);
            }
            if room.note_record(envelope.record()) {
                state.join_known(&name);
            }
        }
        match state.rooms.get_mut(&name) {
            Some(room) if arrival == Arrival::InTurn && room.awaits(envelope.record()) => {
                room.withhold(Withheld { envelope, message, arrival });
                None
            }
            _ => Some(state.opened(&name, &envelope, message, arrival)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use glassline_keyring::{Keyring, ServerAddress};
    use glassline_testkit::Folder;

    use super::*;

    #[test]
    fn a_room_is_sealed_in_every_spelling() {
        let folder = Folder::new();
        let (keyring, address) = (Keyring::open(folder.join("keys")), ServerAddress::parse("here:1").expect("one"));
        let open = |spelling: &str| {
            let files = Sealing {
                identity: keyring.identity(),
                rooms: keyring.sealed_rooms(&address),
                members: keyring.known_members(&address),
                passphrases: vec![(spelling.to_owned(), Passphrase::new("words").expect("a passphrase"))],
            };
            RoomKeys::open(Some(files), mpsc::sync_channel(1).0)
        };
        for spelling in ["my_den", "#my_den", "My_Den", "my den", "\u{ff2d}y_den"] {
            let keys = open(spelling).expect("it opens");
            for other in ["my_den", "#MY_DEN", " My den "] {
                assert!(keys.is_sealed(other), "{spelling} {other}");
            }
            assert!(!keys.is_sealed("myden"));
        }
        assert!(open("#Lobby").is_err(), "the lobby is never sealed");
    }
}
