//! State of all sealed rooms: the rooms, derivations under way, and members whose keys were compared.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use glassline_keyring::{MemberCheck, SealedRooms};
use glassline_secure::seal::{Envelope, EpochRecord, Kind, OpenError, Opened, Passphrase, Placed};
use glassline_secure::{Identity, SystemRandom};
use glassline_session::{Arrival, Update};
use glassline_wire::event::{Event, History, Message};
use glassline_wire::link::IdentityKey;
use glassline_wire::request::LOBBY;
use glassline_wire::spelling;

use super::derivation::{Derivation, Purpose};
use super::room::{DerivationOutcome, Room, Withheld};
use super::{LOBBY_IS_OPEN, News, Sealing, is_lobby, notes};
use crate::derived_key::{Derived, KeyOrigin};
use crate::inbox::Inbox;

/// Rooms that others have sealed and whose state is kept; a server decides how many there are.
const OTHERS_ROOMS_MAX: usize = 256;
/// Members whose keys were compared in this session.
const MEMBERS_MAX: usize = 4_096;
/// Messages without a key that were shown so, and are shown again once their key is there.
const UNOPENED_MAX: usize = 256;
pub(super) const NO_FOLDER: &str = "there is no folder for keys, since HOME is not set, so nothing can be sealed";

/// Names of rooms are as the server has them ([`spelling::room`]).
#[derive(Debug)]
pub(super) struct State {
    pub(super) files: Option<Sealing>,
    identity: Option<Identity>,
    /// Members whose key is the one known under their name.
    compared: BTreeSet<(String, IdentityKey)>,
    pub(super) rooms: BTreeMap<String, Room>,
    /// There are sealed rooms whose state is not kept, so that any other room may be one.
    is_full: bool,
    unopened: VecDeque<Withheld>,
    waiting: VecDeque<Derivation>,
    is_deriving: bool,
    inbox: Inbox,
}

impl State {
    /// Returns the state at the start. Errors: which rooms are sealed cannot be told, or one that is to
    /// be sealed cannot.
    pub(super) fn open(files: Option<Sealing>, inbox: Inbox) -> Result<Self, String> {
        let mut state = Self {
            files: None,
            identity: None,
            compared: BTreeSet::new(),
            rooms: BTreeMap::new(),
            is_full: false,
            unopened: VecDeque::new(),
            waiting: VecDeque::new(),
            is_deriving: false,
            inbox,
        };
        if let Some(files) = files {
            let unreadable = |error| format!("cannot tell which rooms are sealed: {error}");
            for record in files.rooms.read().map_err(unreadable)? {
                let room = Room::remembered(record).map_err(|error| error.to_string())?;
                state.rooms.insert(room.name().to_owned(), room);
            }
            for (name, passphrase) in &files.passphrases {
                if is_lobby(name) {
                    return Err(format!("{LOBBY_IS_OPEN}; name another room with --seal, and /join that"));
                }
                let room = state.own_room(&spelling::room(name));
                let room =
                    room.map_err(|why| format!("{why}; start without `--seal {name}=…` and /unseal one of them"))?;
                room.bind(passphrase.clone());
            }
            state.files = Some(files);
        }
        state.derive_due();
        Ok(state)
    }

    /// Returns a room that others may have sealed. Errors: too many are known.
    pub(super) fn room(&mut self, name: &str) -> Result<&mut Room, String> {
        if !self.rooms.contains_key(name) {
            if self.others_rooms() >= OTHERS_ROOMS_MAX {
                self.rooms.retain(|_, room| room.is_sealed() || room.is_sealed_by_others());
            }
            if self.others_rooms() >= OTHERS_ROOMS_MAX {
                self.is_full = true;
                return Err(format!(
                    "others have sealed more than {OTHERS_ROOMS_MAX} rooms here, the most that this program keeps apart, \
                     so nothing is sent to any room but those and the lobby; start it anew to go on"
                ));
            }
        }
        self.kept_room(name)
    }

    /// Returns a room that the user seals. Errors: too many are sealed; what to do is the caller's to
    /// say.
    fn own_room(&mut self, name: &str) -> Result<&mut Room, String> {
        let is_own = self.rooms.get(name).is_some_and(Room::is_sealed);
        if !is_own && self.rooms.values().filter(|room| room.is_sealed()).count() >= SealedRooms::ROOMS_MAX {
            return Err(format!(
                "you have sealed {} rooms on this server, the most that can be remembered",
                SealedRooms::ROOMS_MAX
            ));
        }
        self.kept_room(name)
    }

    fn kept_room(&mut self, name: &str) -> Result<&mut Room, String> {
        if !self.rooms.contains_key(name) {
            let room = Room::unknown(name).map_err(|error| error.to_string())?;
            self.rooms.insert(name.to_owned(), room);
        }
        self.rooms.get_mut(name).ok_or_else(String::new)
    }

    fn others_rooms(&self) -> usize {
        self.rooms.values().filter(|room| !room.is_sealed()).count()
    }

    /// Returns whether others have sealed a room and the user has not, or that cannot be told.
    pub(super) fn is_sealed_by_others(&self, name: &str) -> bool {
        match self.rooms.get(name) {
            Some(room) => room.is_sealed_by_others(),
            None => self.is_full && name != LOBBY,
        }
    }

    pub(super) fn seal_room(&mut self, name: &str, passphrase: Passphrase) -> Result<String, String> {
        let Some(purpose) = self.room_to_seal(name)?.take_passphrase(&passphrase) else {
            return Ok(format!(
                "others have sealed {name} under a key that is not known here yet; its next sealed message shows it, and \
                 your passphrase is tried then. Entered again with /seal it begins a new key, which splits the room"
            ));
        };
        let report = match &purpose {
            Purpose::Join(record) => format!("deriving key {} of {name} from the passphrase", record.key_id()),
            Purpose::Begin(_) => format!("deriving a new key for {name} from the passphrase"),
        };
        self.queue(Derivation { room: name.to_owned(), passphrase, purpose, is_generated: false });
        Ok(report)
    }

    /// Seals a room with a new passphrase, which is shown once the server has relayed a message under
    /// its key. Returns what to tell the user meanwhile. Errors: why it cannot be.
    pub(super) fn seal_with_generated(&mut self, name: &str) -> Result<String, String> {
        let passphrase = Passphrase::generate(&mut SystemRandom)
            .map_err(|_| "the system gives no random numbers; enter a passphrase".to_owned())?;
        let room = self.room_to_seal(name)?;
        let purpose = room.take_generated(&passphrase).map_err(|why| format!("{name}: {why}"))?;
        self.queue(Derivation { room: name.to_owned(), passphrase, purpose, is_generated: true });
        Ok(format!(
            "deriving a new key for {name} from a passphrase of six random words, which is shown once the room is sealed"
        ))
    }

    fn room_to_seal(&mut self, name: &str) -> Result<&mut Room, String> {
        self.identity()?;
        self.own_room(name).map_err(|why| format!("{why}; /unseal one of them first"))
    }

    /// Begins the first key of a sealed room, if nothing tells of another; returns whether some key of
    /// the room is being derived.
    pub(super) fn begin_if_unknown(&mut self, name: &str) -> bool {
        if let Some(passphrase) = self.rooms.get(name).and_then(Room::first_key)
            && self.identity().is_ok()
            && let Some(room) = self.rooms.get_mut(name)
        {
            let purpose = room.begin_new();
            self.queue(Derivation { room: name.to_owned(), passphrase, purpose, is_generated: false });
        }
        self.rooms.get(name).is_some_and(Room::is_deriving)
    }

    /// Notes the record of a message, and derives its key if a passphrase is here and it is time.
    pub(super) fn note_record(&mut self, name: &str, record: &EpochRecord) {
        let (files, own) = (self.files.as_ref(), self.identity.as_ref().map(Identity::public));
        if let Some(room) = self.rooms.get_mut(name) {
            room.note_record(record, || {
                let signer = record.signer();
                own == Some(signer) || files.is_some_and(|files| files.members.knows(&signer))
            });
            self.derive_due_in(name);
        }
    }

    /// Derives the keys for which it is time.
    pub(super) fn derive_due(&mut self) {
        let names: Vec<String> = self.rooms.keys().cloned().collect();
        for name in &names {
            self.derive_due_in(name);
        }
    }

    fn derive_due_in(&mut self, name: &str) {
        if let Some((passphrase, purpose)) = self.rooms.get_mut(name).and_then(|room| room.next_to_join(Instant::now()))
        {
            self.queue(Derivation { room: name.to_owned(), passphrase, purpose, is_generated: false });
        }
    }

    /// Returns the time at which [`derive_due`](Self::derive_due) has something to do.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.rooms.values().filter_map(Room::due_at).min()
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

    pub(super) fn identity(&mut self) -> Result<Identity, String> {
        if self.identity.is_none() {
            let files = self.files.as_ref().ok_or(NO_FOLDER)?;
            self.identity = Some(files.identity.read_or_create().map_err(|error| error.to_string())?);
        }
        self.identity.clone().ok_or_else(String::new)
    }

    /// Takes the result of a derivation, and begins the next.
    pub(super) fn take_derived(&mut self, derived: Derived) -> News {
        self.is_deriving = false;
        let news = self.take_key(derived);
        self.derive_next();
        news
    }

    fn take_key(&mut self, Derived { room: name, result, origin }: Derived) -> News {
        let Some(room) = self.rooms.get_mut(&name) else { return News::default() };
        let outcome = room.take_key(result);
        self.derive_due_in(&name);
        let mut announced_in = None;
        let notice = match outcome {
            DerivationOutcome::Accepted(record) => {
                announced_in = (!matches!(origin, KeyOrigin::Joined)).then(|| name.clone());
                self.take_record(&name, &record, &origin)
            }
            DerivationOutcome::TriesNext => None,
            DerivationOutcome::Rejected(newest, current) => Some(notes::rejected(&name, &newest, current)),
            DerivationOutcome::Failed(OpenError::Fork(_)) => Some(notes::fork(&name)),
            DerivationOutcome::Failed(error) => Some(error.to_string()),
        };
        let decided = self.take_decided(&name);
        let updates = notice.map(Update::Notice).into_iter().chain(self.shown_late(&name, decided)).collect();
        News { updates, announced_in }
    }

    /// Takes the messages of a room whose keys are here now, or are not derived.
    fn take_decided(&mut self, name: &str) -> Vec<Withheld> {
        let Some(room) = self.rooms.get_mut(name) else { return Vec::new() };
        let unopened = std::mem::take(&mut self.unopened);
        let is_open =
            |held: &Withheld| spelling::room(&held.message.room) == name && room.has_key(held.envelope.record());
        let (open, rest): (Vec<_>, Vec<_>) = unopened.into_iter().partition(is_open);
        self.unopened = rest.into();
        open.into_iter().chain(room.take_decided()).collect()
    }

    /// Returns the updates that show messages once it is decided how. Those of before the user came are
    /// no news, as they were none when they arrived.
    fn shown_late(&mut self, name: &str, held: Vec<Withheld>) -> Vec<Update> {
        let (mut earlier, mut new) = (Vec::new(), Vec::new());
        for Withheld { envelope, message, arrival } in held {
            let message = self.opened(name, &envelope, message, arrival);
            match arrival {
                Arrival::Context => earlier.push(message),
                Arrival::InTurn | Arrival::Own | Arrival::Page => new.push(Update::Received(Event::Message(message))),
            }
        }
        let earlier = (!earlier.is_empty()).then(|| {
            Update::Received(Event::History(History { room: name.to_owned(), messages: earlier, more: false }))
        });
        earlier.into_iter().chain(new).collect()
    }

    /// Keeps the record of a derived key. Returns what to tell the user; of a new key that is told
    /// once the server has relayed a message under it. Nobody has a passphrase that was generated
    /// before that, so the next start would ask for it in vain: its record is kept then.
    fn take_record(&mut self, name: &str, record: &EpochRecord, origin: &KeyOrigin) -> Option<String> {
        let is_sealed = self.rooms.get(name).is_some_and(Room::is_sealed);
        let is_shown = !matches!(origin, KeyOrigin::Generated(_));
        let kept = if is_sealed && is_shown { self.keep(record) } else { String::new() };
        let notice = format!(
            "{name} is sealed under key {} (epoch {}): only members with its passphrase can read what you send{kept}",
            record.key_id(),
            record.number()
        );
        let notice = match origin {
            KeyOrigin::Joined => return Some(notice),
            KeyOrigin::Begun => notice,
            KeyOrigin::Generated(passphrase) => format!("{notice}. {}", notes::generated(passphrase)),
        };
        self.rooms.get_mut(name)?.await_confirmation(notice);
        None
    }

    /// Keeps a record for the next start. Returns what to add to a notice: nothing, or why it fails.
    pub(super) fn keep(&self, record: &EpochRecord) -> String {
        let kept = self.files.as_ref().map_or(Ok(()), |files| files.rooms.put(record));
        kept.err().map_or_else(String::new, |error| format!("; it will not be remembered: {error}"))
    }

    /// Takes a sealed message that arrived in its turn or on a page. Returns it as it is shown; `None`
    /// if that is decided later.
    pub(super) fn take_sealed(&mut self, envelope: Envelope, message: Message, arrival: Arrival) -> Option<Message> {
        let name = spelling::room(&message.room).into_owned();
        let is_news = matches!(arrival, Arrival::InTurn | Arrival::Context);
        if arrival != Arrival::Own
            && let Ok(room) = self.room(&name)
        {
            if is_news {
                room.note_others(true);
            }
            self.note_record(&name, envelope.record());
        }
        match self.rooms.get_mut(&name) {
            Some(room) if is_news && room.awaits(envelope.record()) => {
                room.withhold(Withheld { envelope, message, arrival });
                None
            }
            Some(room) => {
                if is_news && !room.has_key(envelope.record()) {
                    self.keep_unopened(Withheld { envelope: envelope.clone(), message: message.clone(), arrival });
                }
                Some(self.opened(&name, &envelope, message, arrival))
            }
            None => Some(self.opened(&name, &envelope, message, arrival)),
        }
    }

    fn keep_unopened(&mut self, held: Withheld) {
        if self.unopened.len() >= UNOPENED_MAX {
            self.unopened.pop_front();
        }
        self.unopened.push_back(held);
    }

    /// Returns a sealed message of a room with its text, or with the reason why that is not shown.
    fn opened(&mut self, name: &str, envelope: &Envelope, message: Message, arrival: Arrival) -> Message {
        let placed = match arrival {
            Arrival::Page => Placed::Page { id: message.id },
            Arrival::InTurn | Arrival::Context | Arrival::Own => Placed::InTurn { id: message.id, seq: message.seq },
        };
        let opened = self.room(name).and_then(|room| {
            room.open(envelope, placed).map_err(|error| match error {
                OpenError::Fork(_) => notes::fork(name),
                OpenError::UnknownEpoch { .. } => notes::without_key(envelope.record(), room),
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
