//! State of one room with sealed messages.

use std::time::{Duration, Instant};

use glassline_secure::seal::{Envelope, EpochRecord, Kind, OpenError, Opened, Passphrase, Placed, SealedRoom};
use glassline_secure::{Identity, NoRandomness, Random, SystemRandom};
use glassline_session::Arrival;
use glassline_wire::event::Message;
use glassline_wire::message_id::MessageId;

use super::derivation::Purpose;
use super::notes::NOT_SEALED;
use crate::derived_key::DerivedKey;

/// Messages that wait for a key.
const WITHHELD_MAX: usize = 256;
/// Records that the passphrase does not open, as hashes.
const FAILED_MAX: usize = 64;
/// Time between two derivations that received messages cause: each costs 64 MiB and some tenths of
/// a second, and a server can send any number of records.
const DERIVATION_PAUSE: Duration = Duration::from_secs(2);

/// A message that is shown once its key is derived.
#[derive(Debug)]
pub(super) struct Withheld {
    pub(super) envelope: Envelope,
    pub(super) message: Message,
    pub(super) arrival: Arrival,
}

/// Key that is being derived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Deriving {
    #[default]
    Nothing,
    /// A new one, of which there is no record yet.
    New,
    /// That of the record with this hash.
    OfRecord([u8; 32]),
}

/// Sealing of a room by the user, who alone ends it.
#[derive(Debug, Default)]
enum OwnSeal {
    #[default]
    None,
    /// Sealed before; the passphrase was not entered since the start.
    Locked,
    Entered {
        passphrase: Passphrase,
        /// It was given at the start, for everything that is sent there.
        is_bound: bool,
        /// It is not that of the newest record.
        is_rejected: bool,
    },
}

#[derive(Debug)]
pub(super) struct Room {
    name: String,
    keys: SealedRoom,
    own_seal: OwnSeal,
    /// The newest message, of the server or of members, tells that others have sealed it.
    others_seal: bool,
    /// The first key is the user's, and the server has not relayed a message under it yet; with what
    /// to tell when it has.
    unconfirmed: Option<String>,
    /// The newest record that was seen, whether its key is here or not.
    latest: Option<EpochRecord>,
    /// A record of others that has the newest one's number: two keys were begun at once.
    rival: Option<EpochRecord>,
    failed: Vec<[u8; 32]>,
    withheld: Vec<Withheld>,
    deriving: Deriving,
    last_joined: Option<Instant>,
    /// Reason why nothing is sent until the user has decided.
    stopped: Option<String>,
}

impl Room {
    /// Returns a room that the user has not sealed.
    pub(super) fn unknown(name: &str) -> Result<Self, NoRandomness> {
        Self::new(name, None)
    }

    /// Returns a room that the user has sealed before.
    pub(super) fn remembered(record: EpochRecord) -> Result<Self, NoRandomness> {
        let mut room = Self::new(record.room(), Some((record.number(), record.hash())))?;
        room.own_seal = OwnSeal::Locked;
        room.latest = Some(record);
        Ok(room)
    }

    fn new(name: &str, newest: Option<(u64, [u8; 32])>) -> Result<Self, NoRandomness> {
        Ok(Self {
            name: name.to_owned(),
            keys: SealedRoom::new(name, newest, &mut SystemRandom)?,
            own_seal: OwnSeal::default(),
            others_seal: false,
            unconfirmed: None,
            latest: None,
            rival: None,
            failed: Vec::new(),
            withheld: Vec::new(),
            deriving: Deriving::default(),
            last_joined: None,
            stopped: None,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_sealed(&self) -> bool {
        !matches!(self.own_seal, OwnSeal::None)
    }

    fn passphrase(&self) -> Option<&Passphrase> {
        match &self.own_seal {
            OwnSeal::Entered { passphrase, .. } => Some(passphrase),
            OwnSeal::None | OwnSeal::Locked => None,
        }
    }

    /// Returns whether waiting would change nothing: there is a key, or no way to one.
    pub(super) fn is_settled(&self) -> bool {
        self.keys.current().is_some() || !matches!(self.own_seal, OwnSeal::Entered { is_rejected: false, .. })
    }

    /// Returns whether others have sealed it and the user has not.
    pub(super) fn is_sealed_by_others(&self) -> bool {
        self.others_seal && !self.is_sealed()
    }

    /// Returns why nothing is sent to a room that others have sealed.
    pub(super) fn held_back(&self) -> Option<String> {
        self.is_sealed_by_others().then(|| "its key is not here; /seal with its passphrase lets you write".to_owned())
    }

    /// Notes whether the newest message tells that others have sealed it.
    pub(super) fn note_others(&mut self, is_sealed: bool) {
        self.others_seal = is_sealed;
    }

    /// Seals with a passphrase for everything that is sent there.
    pub(super) fn bind(&mut self, passphrase: Passphrase) {
        self.enter(passphrase, true);
    }

    /// Returns whether the user gave a passphrase and no key is known or on its way.
    pub(super) fn lacks_first_key(&self) -> bool {
        self.passphrase().is_some() && self.latest.is_none() && self.deriving == Deriving::Nothing
    }

    /// Notes that the server has still to relay a message under a new key.
    pub(super) fn await_confirmation(&mut self, notice: String) {
        self.unconfirmed = Some(notice);
    }

    /// Notes that the server has relayed a message under the key; returns what to tell then.
    pub(super) fn confirm(&mut self) -> Option<String> {
        self.unconfirmed.take()
    }

    /// Returns whether a refusal means the room's first key: the user has begun it, and no message was
    /// relayed under it.
    pub(super) fn is_first_key_refused(&self) -> bool {
        self.unconfirmed.is_some() && self.current().is_some_and(|record| record.number() == 1)
    }

    /// Returns whether the user gave the passphrase for everything that is sent there.
    pub(super) fn is_bound(&self) -> bool {
        matches!(self.own_seal, OwnSeal::Entered { is_bound: true, .. })
    }

    /// Returns the record of the key that is sealed under.
    pub(super) fn current(&self) -> Option<&EpochRecord> {
        self.keys.current()
    }

    /// Returns the room as it is once the user has ended the sealing: what others do is still known,
    /// so that the next passphrase joins their key.
    pub(super) fn unsealed(&self) -> Result<Self, NoRandomness> {
        let latest = self.rival.clone().or_else(|| self.latest.clone());
        Ok(Self { latest, others_seal: self.others_seal, ..Self::unknown(&self.name)? })
    }

    /// Returns whether the user has sealed it and has not entered its passphrase since the start.
    pub(super) fn lacks_passphrase(&self) -> bool {
        matches!(self.own_seal, OwnSeal::Locked)
    }

    pub(super) fn seal_with(&mut self, passphrase: Passphrase) {
        self.enter(passphrase, self.is_bound());
    }

    fn enter(&mut self, passphrase: Passphrase, is_bound: bool) {
        self.own_seal = OwnSeal::Entered { passphrase, is_bound, is_rejected: false };
        self.failed.clear();
        self.stopped = None;
    }

    /// Returns what a passphrase of the user is for: the newest record's key, or a new key where
    /// that is here already or has another passphrase. [`seal_with`](Self::seal_with) follows.
    pub(super) fn purpose_of(&mut self, passphrase: &Passphrase) -> Purpose {
        let is_again = matches!(
            &self.own_seal,
            OwnSeal::Entered { passphrase: known, is_rejected: true, .. } if known.expose() == passphrase.expose()
        );
        let purpose = match &self.latest {
            Some(record) if !is_again && !self.keys.has_key(record) => Purpose::Join(record.clone()),
            latest => Purpose::Begin(latest.clone()),
        };
        self.deriving = match &purpose {
            Purpose::Join(record) => Deriving::OfRecord(record.hash()),
            Purpose::Begin(_) => Deriving::New,
        };
        purpose
    }

    /// Returns what the first key of the room is derived from, where no record was seen.
    pub(super) fn first_key(&mut self) -> Option<(Passphrase, Purpose)> {
        if !self.lacks_first_key() {
            return None;
        }
        let passphrase = self.passphrase()?.clone();
        self.deriving = Deriving::New;
        Some((passphrase, Purpose::Begin(None)))
    }

    /// Notes the record of a message. Returns whether it is the newest, whose key may have to be
    /// derived: also again, as a derivation may have been too soon when it came first.
    pub(super) fn note_record(&mut self, record: &EpochRecord) -> bool {
        let is_failed = |record: &EpochRecord| self.failed.contains(&record.hash());
        if self.latest.as_ref() == Some(record) {
            return !is_failed(record);
        }
        // Anybody can sign a record with any number; one that no passphrase opens stands in no
        // other's way.
        let is_newer = self.latest.as_ref().is_none_or(|latest| latest.number() < record.number() || is_failed(latest));
        let is_newer = is_newer && !is_failed(record);
        // Its signature is verified before it counts for anything.
        let is_known = !is_newer || record.room() != self.name || EpochRecord::read(record.as_bytes()).is_err();
        if !is_known {
            self.latest = Some(record.clone());
            self.rival = None;
        } else if !is_failed(record) {
            self.note_rival(record);
        }
        !is_known
    }

    /// Keeps the record of others that stands beside the newest, as long as nobody follows that.
    fn note_rival(&mut self, record: &EpochRecord) {
        let Some(latest) = self.latest.as_ref().filter(|latest| latest.number() == record.number()) else { return };
        if latest.hash() == record.hash() {
            self.rival = None;
        } else if self.rival.as_ref().is_none_or(|rival| rival.hash() != record.hash())
            && record.room() == self.name
            && EpochRecord::read(record.as_bytes()).is_ok()
        {
            self.rival = Some(record.clone());
        }
    }

    /// Returns what to derive so that newest messages can be opened, at most once every
    /// [`DERIVATION_PAUSE`].
    pub(super) fn next_to_join(&mut self) -> Option<(Passphrase, EpochRecord)> {
        let record = self.latest.clone()?;
        let passphrase = self.passphrase()?.clone();
        let is_too_soon = self.last_joined.is_some_and(|at| at.elapsed() < DERIVATION_PAUSE);
        if is_too_soon
            || self.deriving != Deriving::Nothing
            || self.keys.has_key(&record)
            || self.failed.contains(&record.hash())
        {
            return None;
        }
        self.last_joined = Some(Instant::now());
        self.deriving = Deriving::OfRecord(record.hash());
        Some((passphrase, record))
    }

    /// Returns whether the key of this record is being derived, and one more message may wait.
    pub(super) fn awaits(&self, record: &EpochRecord) -> bool {
        self.withheld.len() < WITHHELD_MAX && self.deriving == Deriving::OfRecord(record.hash())
    }

    /// Keeps a message until its key is derived.
    pub(super) fn withhold(&mut self, withheld: Withheld) {
        self.withheld.push(withheld);
    }

    pub(super) fn take_withheld(&mut self) -> Vec<Withheld> {
        std::mem::take(&mut self.withheld)
    }

    /// Accepts a derived key; returns its record. Errors: why there is none.
    pub(super) fn take_key(&mut self, result: DerivedKey) -> Result<EpochRecord, OpenError> {
        self.deriving = Deriving::Nothing;
        match result {
            Ok((record, key)) => {
                self.keys.accept(&record, key)?;
                if self.latest.as_ref().is_none_or(|latest| latest.number() < record.number()) {
                    self.latest = Some(record.clone());
                }
                self.note_rejected(false);
                Ok(record)
            }
            Err((record, error)) => {
                if let Some(record) = record {
                    if self.failed.len() >= FAILED_MAX {
                        self.failed.remove(0);
                    }
                    self.failed.push(record.hash());
                }
                self.note_rejected(matches!(error, OpenError::WrongKey { .. }));
                if let Some(current) = self.keys.current() {
                    self.latest = Some(current.clone());
                }
                Err(error)
            }
        }
    }

    fn note_rejected(&mut self, rejected: bool) {
        if let OwnSeal::Entered { is_rejected, .. } = &mut self.own_seal {
            *is_rejected = rejected;
        }
    }

    pub(super) fn stop(&mut self, why: String) {
        self.stopped = Some(why);
    }

    pub(super) fn seal(
        &mut self,
        identity: &Identity,
        id: MessageId,
        name: &str,
        kind: Kind,
        text: &str,
        random: &mut dyn Random,
    ) -> Result<String, String> {
        if let Some(why) = &self.stopped {
            return Err(format!("a message in this room was not accepted: {why}. /seal goes on once you have decided"));
        }
        if self.keys.current().is_none() {
            return Err(match (self.passphrase(), &self.latest, self.deriving != Deriving::Nothing) {
                (_, _, true) => "the key is being derived; send it again in a moment".to_owned(),
                (None, Some(record), false) => {
                    format!("the key {} of this room is not here; enter its passphrase with /seal", record.key_id())
                }
                _ => "the key of this room is not here; enter its passphrase with /seal".to_owned(),
            });
        }
        self.keys.seal(identity, id, name, kind, text, random).map_err(|error| error.to_string())
    }

    pub(super) fn open(&mut self, envelope: &Envelope, placed: Placed) -> Result<Opened, OpenError> {
        self.keys.open(envelope, placed)
    }

    /// Marks a readable message, where the user has sealed the room.
    pub(super) fn readable(&mut self, message: Message, arrival: Arrival) -> Message {
        if let Some(seq) = message.seq.filter(|_| arrival != Arrival::Page) {
            self.keys.watch(seq);
        }
        if arrival == Arrival::InTurn || arrival == Arrival::Own {
            self.note_others(false);
        }
        if !self.is_sealed() || arrival == Arrival::Own {
            return message;
        }
        Message { text: format!("{NOT_SEALED}{}", message.text), ..message }
    }
}

#[cfg(test)]
mod tests {
    use glassline_secure::seal::EpochKey;

    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).expect("a passphrase")
    }

    fn begun(previous: Option<&EpochRecord>, text: &str) -> (EpochRecord, EpochKey) {
        let identity = Identity::from_seed(&[1; 32]);
        EpochRecord::begin("den", previous, &passphrase(text), &identity, &mut SystemRandom).expect("begins")
    }

    /// As the thread does.
    fn derive(room: &mut Room) -> Option<Result<EpochRecord, OpenError>> {
        room.last_joined = None;
        let (passphrase, record) = room.next_to_join()?;
        let key = EpochKey::derive(&passphrase, &record);
        Some(room.take_key(key.map(|key| (record.clone(), key)).map_err(|error| (Some(record), error))))
    }

    #[test]
    fn a_record_that_nothing_opens_stands_in_no_ones_way() {
        let mut room = Room::unknown("den").expect("random numbers");
        room.seal_with(passphrase("ours"));
        let (first, _) = begun(None, "ours");
        let (second, _) = begun(Some(&first), "ours");
        let bogus = begun(Some(&second), "theirs").0;

        assert!(room.note_record(&bogus), "its signature holds");
        assert!(matches!(derive(&mut room), Some(Err(OpenError::WrongKey { .. }))));
        assert!(!room.note_record(&bogus), "once is enough");
        assert!(room.note_record(&first));
        assert!(matches!(derive(&mut room), Some(Ok(_))));
        assert!(room.note_record(&second));
        assert!(matches!(derive(&mut room), Some(Ok(_))));
        assert_eq!(room.keys.current(), Some(&second));
        assert!(room.note_record(&begun(Some(&second), "others").0));
        assert!(matches!(derive(&mut room), Some(Err(_))));
        assert_eq!(room.latest.as_ref(), Some(&second), "the next key follows ours");
    }

    #[test]
    fn derivations_that_messages_cause_are_rare() {
        let mut room = Room::unknown("den").expect("random numbers");
        room.seal_with(passphrase("ours"));
        // Made before, as each takes a good part of the pause.
        let (first, _) = begun(None, "theirs");
        let (second, _) = begun(Some(&first), "theirs");
        let (third, _) = begun(Some(&first), "ours");
        room.note_record(&first);
        assert!(room.next_to_join().is_some());
        assert!(room.next_to_join().is_none(), "one at a time");
        assert!(room.take_key(Err((Some(first.clone()), OpenError::Forged))).is_err());
        room.note_record(&second);
        assert!(room.next_to_join().is_none(), "not so soon");
        room.failed.push(room.latest.as_ref().expect("noted").hash());
        assert!(room.note_record(&third) && room.next_to_join().is_none(), "nor this one");
        assert!(room.note_record(&third), "the next message asks again");
        assert!(matches!(derive(&mut room), Some(Ok(_))));
    }

    #[test]
    fn without_the_key_nothing_is_sealed_and_readable_is_marked() {
        let mut room = Room::remembered(begun(None, "ours").0).expect("random numbers");
        assert!(room.is_sealed() && room.is_settled() && room.lacks_passphrase());
        let identity = Identity::from_seed(&[1; 32]);
        let refused = room.seal(&identity, MessageId(1), "a", Kind::Text, "secret", &mut SystemRandom);
        assert!(refused.expect_err("no key").contains("/seal"));
        let message = Message {
            room: "den".into(),
            seq: Some(1),
            at: None,
            from: "eve".into(),
            text: "hi".into(),
            action: false,
            id: None,
            sealed: None,
        };
        assert!(room.readable(message.clone(), Arrival::InTurn).text.starts_with("[not sealed"));
        assert_eq!(room.readable(message, Arrival::Own).text, "hi");
    }
}
