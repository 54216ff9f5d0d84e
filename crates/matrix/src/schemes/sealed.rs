//! The program's sealed messages.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use glassline_secure::Identity;
use glassline_secure::seal::{
    Envelope, EpochKey, EpochRecord, Facts, Kind, OpenError, Opened, Order, Passphrase, Placed, SealedRoom, View,
};
use glassline_wire::link::IdentityKey;
use glassline_wire::message_id::MessageId;

use super::seeded::Seeded;
use crate::seal::{Body, Posted, Received, RoomSeal, Voice, VoiceSetup};

/// Text beside a sealed one.
const PLACEHOLDER: &str = "[sealed message]";
/// Seed of the epochs, and of the member that began them and is not there any more.
const EPOCH_SEED: [u8; 32] = [7; 32];

/// Epochs and keys of the process: the same in all cells and schemes, because deriving a key is
/// expensive, and so that a text moved from one scheme to another meets the same key.
static DERIVED: Mutex<Derived> = Mutex::new(Derived { keys: BTreeMap::new(), epochs: BTreeMap::new() });

fn derived() -> MutexGuard<'static, Derived> {
    DERIVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rule that a member's client follows about what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRule {
    /// A name keeps the key with which it was first seen.
    PinNames,
    /// Repeated, missing and late messages are remarked upon.
    HeedOrder,
    /// Different views of the room are remarked upon.
    HeedView,
    /// The server's name for the sender is compared with the sealed one.
    CompareNames,
    /// Texts that are not sealed are refused, whatever the server says about the room.
    StaySealed,
    /// Texts under an older key are remarked upon.
    HeedEpoch,
    /// The room in which a text was sealed is compared with the one in which it is delivered.
    CompareRooms,
}

/// Keys by passphrase and record, and epochs by room, passphrase and predecessor.
#[derive(Debug)]
struct Derived {
    keys: BTreeMap<(String, Vec<u8>), Result<EpochKey, OpenError>>,
    epochs: BTreeMap<(String, String, Option<[u8; 32]>), EpochRecord>,
}

impl Derived {
    fn begin(&mut self, room: &str, passphrase: &str, previous: Option<&EpochRecord>) -> Option<EpochRecord> {
        let place = (room.to_owned(), passphrase.to_owned(), previous.map(EpochRecord::hash));
        if let Some(record) = self.epochs.get(&place) {
            return Some(record.clone());
        }
        let secret = Passphrase::new(passphrase).ok()?;
        let (founder, mut random) = (Identity::from_seed(&EPOCH_SEED), Seeded::new(&EPOCH_SEED));
        let (record, key) = EpochRecord::begin(room, previous, &secret, &founder, &mut random).ok()?;
        self.keys.insert((passphrase.to_owned(), record.as_bytes().to_vec()), Ok(key));
        self.epochs.insert(place, record.clone());
        Some(record)
    }

    fn key(&mut self, passphrase: &str, record: &EpochRecord) -> Result<EpochKey, OpenError> {
        let derive = || {
            let secret = Passphrase::new(passphrase).map_err(|error| OpenError::Derivation(error.to_string()))?;
            EpochKey::derive(&secret, record)
        };
        self.keys.entry((passphrase.to_owned(), record.as_bytes().to_vec())).or_insert_with(derive).clone()
    }
}

/// Sealed messages under a passphrase.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sealed {
    without: &'static [MemberRule],
}

impl Sealed {
    /// Sealed messages whose members follow all rules but these.
    pub fn without(rules: &'static [MemberRule]) -> Self {
        Self { without: rules }
    }
}

impl RoomSeal for Sealed {
    fn voice(&self, setup: VoiceSetup<'_>) -> Box<dyn Voice> {
        let mut random = Seeded::new(&setup.random);
        let identity = Identity::from_seed(&setup.own);
        // This source never runs dry.
        let Ok(room) = SealedRoom::new(setup.room, None, &mut random) else { return Box::new(super::Unsealed) };
        let mut voice = SealedVoice {
            without: self.without,
            name: setup.name.to_owned(),
            room_name: setup.room.to_owned(),
            identity,
            passphrases: Vec::new(),
            room,
            pins: BTreeMap::new(),
            random,
            is_sealed: true,
        };
        voice.begin(setup.passphrase);
        Box::new(voice)
    }

    fn is_sealed(&self) -> bool {
        true
    }

    fn is_passphrase(&self, guess: &str, posted: &Posted) -> bool {
        let envelope = posted.body.sealed.as_deref().and_then(|field| Envelope::from_field(field).ok());
        let (Some(envelope), Ok(guess)) = (envelope, Passphrase::new(guess)) else { return false };
        EpochKey::derive(&guess, envelope.record()).is_ok()
    }

    fn proves_sender(&self, passphrase: &str, posted: &Posted) -> Option<bool> {
        let envelope = Envelope::from_field(posted.body.sealed.as_deref()?).ok()?;
        let opened = open_alone(passphrase, &envelope, Placed::Page { id: MessageId::parse(&posted.id) }).ok()?;
        // It opens only if the signature of this key holds.
        Some(Identity::fingerprint_of(&opened.content.sender).is_some())
    }
}

/// Opens a message in the room in which it was sealed, without any state of it.
fn open_alone(passphrase: &str, envelope: &Envelope, placed: Placed) -> Result<Opened, OpenError> {
    let record = envelope.record();
    let key = derived().key(passphrase, record)?;
    let room = SealedRoom::new(record.room(), None, &mut Seeded::new(&EPOCH_SEED));
    let mut room = room.map_err(|error| OpenError::Derivation(error.to_string()))?;
    room.accept(record, key)?;
    room.open(envelope, placed)
}

#[derive(Debug)]
struct SealedVoice {
    without: &'static [MemberRule],
    name: String,
    room_name: String,
    identity: Identity,
    passphrases: Vec<String>,
    room: SealedRoom,
    pins: BTreeMap<String, IdentityKey>,
    random: Seeded,
    is_sealed: bool,
}

impl SealedVoice {
    /// Begins the next epoch under a passphrase, or takes part in the one that others have begun.
    fn begin(&mut self, passphrase: &str) -> bool {
        self.passphrases.push(passphrase.to_owned());
        let mut derived = derived();
        let Some(record) = derived.begin(&self.room_name, passphrase, self.room.current()) else { return false };
        let key = derived.key(passphrase, &record);
        key.is_ok_and(|key| self.room.accept(&record, key).is_ok())
    }

    fn open(&mut self, field: &str, posted: &Posted) -> Result<Opened, OpenError> {
        let envelope = Envelope::from_field(field)?;
        let placed = Placed::InTurn { id: MessageId::parse(&posted.id), seq: Some(posted.number) };
        if envelope.record().room() != self.room_name
            && !self.follows(MemberRule::CompareRooms)
            && let Some(passphrase) = self.passphrases.last()
        {
            return open_alone(passphrase, &envelope, placed);
        }
        if !self.room.has_key(envelope.record()) {
            let mut derived = derived();
            for passphrase in &self.passphrases {
                if let Ok(key) = derived.key(passphrase, envelope.record()) {
                    self.room.accept(envelope.record(), key)?;
                    break;
                }
            }
        }
        self.room.open(&envelope, placed)
    }

    fn follows(&self, rule: MemberRule) -> bool {
        !self.without.contains(&rule)
    }

    fn remark(&self, facts: Facts) -> Option<&'static str> {
        let of_order = match facts.order {
            Order::InOrder | Order::CannotTell => None,
            Order::Missing(_) => Some("messages before this one are missing"),
            Order::Repeated => Some("this was received before"),
            Order::Older => Some("this was delayed"),
        };
        let of_view = (facts.view == View::Differs).then_some("its sender was shown something else");
        let of_epoch = (!facts.is_current_epoch).then_some("its key was replaced");
        of_order
            .filter(|_| self.follows(MemberRule::HeedOrder))
            .or(of_view.filter(|_| self.follows(MemberRule::HeedView)))
            .or(of_epoch.filter(|_| self.follows(MemberRule::HeedEpoch)))
    }
}

impl Voice for SealedVoice {
    fn say(&mut self, id: &str, text: &str) -> Body {
        if !self.is_sealed {
            return Body { text: text.to_owned(), sealed: None };
        }
        let id = MessageId::parse(id).unwrap_or(MessageId(0));
        let sealed = self.room.seal(&self.identity, id, &self.name, Kind::Text, text, &mut self.random);
        match sealed {
            Ok(sealed) => Body { text: PLACEHOLDER.to_owned(), sealed: Some(sealed) },
            Err(error) => Body { text: error.to_string(), sealed: None },
        }
    }

    fn receive(&mut self, posted: &Posted) -> Received {
        let Some(field) = &posted.body.sealed else {
            if self.follows(MemberRule::StaySealed) {
                return Received::Refused("this is not sealed, in a sealed room".to_owned());
            }
            return Received::Text(posted.body.text.clone());
        };
        let opened = match self.open(field, posted) {
            Ok(opened) => opened,
            Err(error) => return Received::Refused(error.to_string()),
        };
        let content = opened.content;
        let pinned = *self.pins.entry(content.name.clone()).or_insert(content.sender);
        if self.follows(MemberRule::PinNames) && pinned != content.sender {
            return Received::Refused(format!("{} has another key than before", content.name));
        }
        if self.follows(MemberRule::CompareNames) && content.name != posted.from {
            let remark = format!("the server says that {} sent this, its signer is {}", posted.from, content.name);
            return Received::Remarked(content.text, remark);
        }
        match self.remark(opened.facts) {
            Some(remark) => Received::Remarked(content.text, remark.to_owned()),
            None => Received::Text(content.text),
        }
    }

    fn echo(&mut self, posted: &Posted) {
        if let Some(field) = &posted.body.sealed {
            // For the number and hash of what was seen; the text is known.
            let _ = self.open(field, posted);
        }
    }

    fn server_says_sealed(&mut self, is_sealed: bool) {
        self.is_sealed |= is_sealed;
        if !self.follows(MemberRule::StaySealed) {
            self.is_sealed = is_sealed;
        }
    }

    fn new_epoch(&mut self, passphrase: &str) -> bool {
        self.begin(passphrase)
    }
}
