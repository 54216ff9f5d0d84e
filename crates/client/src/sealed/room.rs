//! State of one room with sealed messages.

use std::time::Instant;

use glassline_secure::seal::{Envelope, EpochRecord, KeyId, Kind, OpenError, Opened, Passphrase, Placed, SealedRoom};
use glassline_secure::{Identity, NoRandomness, Random, SystemRandom};
use glassline_session::Arrival;
use glassline_wire::event::Message;
use glassline_wire::message_id::MessageId;

use super::candidates::{Candidate, Candidates, Standing};
use super::derivation::Purpose;
use crate::derived_key::DerivedKey;

/// Mark of a readable message in a sealed room.
const NOT_SEALED: &str = "[not sealed: everybody on the way may have read or made this] ";

/// Messages that wait for a key.
const WITHHELD_MAX: usize = 256;

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
        /// It opens none of the records that were seen, and no key is here.
        is_rejected: bool,
    },
}

/// Outcome of a derivation.
#[derive(Debug)]
pub(super) enum DerivationOutcome {
    /// The key is accepted.
    Accepted(EpochRecord),
    /// The passphrase does not open a record, and others are tried.
    TriesNext,
    /// The passphrase opens none of the records that were tried; with the newest of them, and the key
    /// that is used all the same.
    Rejected(Candidate, Option<KeyId>),
    /// There is no key, for this cause.
    Failed(OpenError),
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
    /// Records whose keys are not here.
    candidates: Candidates,
    withheld: Vec<Withheld>,
    deriving: Deriving,
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
        room.candidates.add(record, Standing::Accepted);
        Ok(room)
    }

    fn new(name: &str, newest: Option<(u64, [u8; 32])>) -> Result<Self, NoRandomness> {
        Ok(Self {
            name: name.to_owned(),
            keys: SealedRoom::new(name, newest, &mut SystemRandom)?,
            own_seal: OwnSeal::default(),
            others_seal: false,
            unconfirmed: None,
            candidates: Candidates::default(),
            withheld: Vec::new(),
            deriving: Deriving::default(),
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

    /// Returns what the first key of the room is derived from: the user gave a passphrase, and nothing
    /// tells of another key.
    pub(super) fn first_key(&self) -> Option<Passphrase> {
        let is_begun = self.others_seal || self.knows_a_key();
        self.passphrase().filter(|_| !is_begun && !self.is_deriving()).cloned()
    }

    /// Returns whether others have sealed it under a key of which no record was seen.
    pub(super) fn lacks_record(&self) -> bool {
        self.others_seal && !self.knows_a_key()
    }

    fn knows_a_key(&self) -> bool {
        self.keys.current().is_some() || self.candidates.iter().next().is_some()
    }

    /// Returns whether a key is being derived.
    pub(super) fn is_deriving(&self) -> bool {
        self.deriving != Deriving::Nothing
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
    pub(super) fn unsealed(&mut self) -> Result<Self, NoRandomness> {
        let candidates = self.candidates.released(self.keys.current());
        let withheld = std::mem::take(&mut self.withheld);
        Ok(Self { candidates, withheld, others_seal: self.others_seal, ..Self::unknown(&self.name)? })
    }

    /// Returns whether the user has sealed it and has not entered its passphrase since the start.
    pub(super) fn lacks_passphrase(&self) -> bool {
        matches!(self.own_seal, OwnSeal::Locked)
    }

    fn enter(&mut self, passphrase: Passphrase, is_bound: bool) {
        self.own_seal = OwnSeal::Entered { passphrase, is_bound, is_rejected: false };
        self.candidates.retry();
        self.stopped = None;
    }

    /// Seals with a passphrase of the user. Returns what it is for: the keys of records that were seen
    /// and are not here, or a new key where they are, or have another passphrase. `None`: it waits for
    /// the record of a key that others have begun.
    pub(super) fn take_passphrase(&mut self, passphrase: &Passphrase) -> Option<Purpose> {
        let is_again = matches!(
            &self.own_seal,
            OwnSeal::Entered { passphrase: known, is_rejected: true, .. } if known.expose() == passphrase.expose()
        );
        if is_again {
            return Some(self.begin_new());
        }
        self.enter(passphrase.clone(), self.is_bound());
        match self.candidates.next(self.accepted_number()).map(|next| next.record.clone()) {
            Some(record) => Some(self.begin_to_join(record, Instant::now())),
            None if self.lacks_record() => {
                // Entered again, it begins a key.
                self.note_rejected(true);
                None
            }
            None => Some(self.begin_new()),
        }
    }

    /// Seals with a passphrase that was generated, and so opens no key that there is. Returns what it
    /// is for: a new key. Errors: why the room needs a passphrase of the user.
    pub(super) fn take_generated(&mut self, passphrase: &Passphrase) -> Result<Purpose, String> {
        if self.is_deriving() {
            return Err("its key is being derived; /seal takes another passphrase in a moment".to_owned());
        }
        if self.lacks_record() || self.candidates.iter().next().is_some() {
            return Err(
                "it has, or may have, a key that is not here, which random words do not open: enter its passphrase with \
                 /seal. To begin a new key, which splits the room, enter a passphrase of your own, twice"
                    .to_owned(),
            );
        }
        self.enter(passphrase.clone(), self.is_bound());
        Ok(self.begin_new())
    }

    /// Begins to derive a new key.
    pub(super) fn begin_new(&mut self) -> Purpose {
        self.deriving = Deriving::New;
        Purpose::Begin(self.predecessor().cloned())
    }

    fn begin_to_join(&mut self, record: EpochRecord, now: Instant) -> Purpose {
        self.candidates.begin(now);
        self.deriving = Deriving::OfRecord(record.hash());
        Purpose::Join(record)
    }

    /// Returns the record that a new one follows: the highest number that others may have accepted.
    fn predecessor(&self) -> Option<&EpochRecord> {
        let seen = self.candidates.iter().filter(|seen| self.keys.may_follow(&seen.record));
        let seen = seen.map(|seen| (&seen.record, seen.standing));
        let known = self.keys.current().map(|record| (record, Standing::Accepted));
        seen.chain(known).max_by_key(|(record, standing)| (record.number(), *standing)).map(|(record, _)| record)
    }

    fn accepted_number(&self) -> u64 {
        self.keys.newest().map_or(0, |(number, _)| number)
    }

    /// Notes the record of a message, if its key is not here and may become the room's.
    pub(super) fn note_record(&mut self, record: &EpochRecord, is_signer_known: impl FnOnce() -> bool) {
        let is_for_room = record.room() == self.name && record.number() >= self.accepted_number();
        if !is_for_room || self.keys.has_key(record) || self.candidates.see_again(record) {
            return;
        }
        // Its signature is verified before it counts for anything.
        if self.keys.check_reach(record).is_ok() && EpochRecord::read(record.as_bytes()).is_ok() {
            let standing = if is_signer_known() { Standing::SignerKnown } else { Standing::SignerUnknown };
            self.candidates.add(record.clone(), standing);
        }
    }

    /// Returns what to derive so that newest messages can be opened, if it is time.
    pub(super) fn next_to_join(&mut self, now: Instant) -> Option<(Passphrase, Purpose)> {
        let passphrase = self.passphrase()?.clone();
        let record = self.next_due().filter(|(_, due_at)| due_at.is_none_or(|due_at| due_at <= now))?.0.clone();
        Some((passphrase, self.begin_to_join(record, now)))
    }

    /// Returns the time at which to ask [`next_to_join`](Self::next_to_join) again.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.passphrase().and_then(|_| self.next_due()).and_then(|(_, due_at)| due_at)
    }

    fn next_due(&self) -> Option<(&EpochRecord, Option<Instant>)> {
        let next = self.candidates.next(self.accepted_number()).filter(|_| self.deriving == Deriving::Nothing)?;
        Some((&next.record, self.candidates.due_at(next)))
    }

    /// Returns whether a key that was accepted has replaced that of this record.
    pub(super) fn is_replaced(&self, record: &EpochRecord) -> bool {
        record.number() < self.accepted_number()
    }

    /// Returns a record whose key is not here, and the time from which it is derived.
    pub(super) fn candidate(&self, record: &EpochRecord) -> Option<(&Candidate, Option<Instant>)> {
        let candidate = self.candidates.find(record)?;
        Some((candidate, self.passphrase().and_then(|_| self.candidates.due_at(candidate))))
    }

    /// Returns whether the key of this record is being derived, or is next, and one more message may
    /// wait.
    pub(super) fn awaits(&self, record: &EpochRecord) -> bool {
        self.withheld.len() < WITHHELD_MAX && self.is_awaited(record)
    }

    fn is_awaited(&self, record: &EpochRecord) -> bool {
        match self.deriving {
            Deriving::OfRecord(hash) => hash == record.hash() || self.candidates.is_tried_soon(record),
            Deriving::New | Deriving::Nothing => false,
        }
    }

    /// Keeps a message until its key is derived.
    pub(super) fn withhold(&mut self, withheld: Withheld) {
        self.withheld.push(withheld);
    }

    /// Takes the messages that wait for no key any more.
    pub(super) fn take_decided(&mut self) -> Vec<Withheld> {
        let withheld = std::mem::take(&mut self.withheld);
        let (awaited, decided) = withheld.into_iter().partition(|held| self.is_awaited(held.envelope.record()));
        self.withheld = awaited;
        decided
    }

    /// Takes the result of a derivation.
    pub(super) fn take_key(&mut self, result: DerivedKey) -> DerivationOutcome {
        self.deriving = Deriving::Nothing;
        let (record, error) = match result {
            Ok((record, key)) => match self.keys.accept(&record, key) {
                Ok(()) => {
                    self.candidates.accept(&record, |other| self.keys.check_reach(other).is_ok());
                    self.note_rejected(false);
                    self.goes_on_at_once();
                    return DerivationOutcome::Accepted(record);
                }
                Err(error) => (Some(record), error),
            },
            Err(failed) => failed,
        };
        if let Some(record) = record {
            self.candidates.reject(&record);
        }
        let is_of_passphrase = matches!(error, OpenError::WrongKey { .. } | OpenError::RecordForged(_));
        if self.goes_on_at_once() && is_of_passphrase {
            return DerivationOutcome::TriesNext;
        }
        self.note_rejected(true);
        let current = self.keys.current().map(EpochRecord::key_id);
        match self.candidates.newest_rejected() {
            Some(newest) if is_of_passphrase => DerivationOutcome::Rejected(newest.clone(), current),
            _ => DerivationOutcome::Failed(error),
        }
    }

    /// Returns whether the user's passphrase is tried on another record without a pause.
    fn goes_on_at_once(&mut self) -> bool {
        let next = self.candidates.next(self.accepted_number());
        let goes_on = next.is_some_and(|next| self.candidates.due_at(next).is_none());
        if !goes_on {
            self.candidates.end_trials();
        }
        goes_on
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
            return Err(match self.candidates.next(0) {
                _ if self.is_deriving() => {
                    "the key is being derived; send it again in a moment".to_owned()
                }
                Some(Candidate { record, .. }) if self.passphrase().is_none() => {
                    format!("the key {} of this room is not here; enter its passphrase with /seal", record.key_id())
                }
                None if self.passphrase().is_some() && self.lacks_record() => {
                    "others have sealed it under a key that is not known here yet; the next sealed message there shows it, \
                     send it again then"
                        .to_owned()
                }
                _ => "the key of this room is not here; enter its passphrase with /seal".to_owned(),
            });
        }
        self.keys.seal(identity, id, name, kind, text, random).map_err(|error| error.to_string())
    }

    pub(super) fn has_key(&self, record: &EpochRecord) -> bool {
        self.keys.has_key(record)
    }

    pub(super) fn open(&mut self, envelope: &Envelope, placed: Placed) -> Result<Opened, OpenError> {
        self.keys.open(envelope, placed)
    }

    /// Marks a readable message, where the user has sealed the room.
    pub(super) fn readable(&mut self, message: Message, arrival: Arrival) -> Message {
        if let Some(seq) = message.seq.filter(|_| arrival != Arrival::Page) {
            self.keys.watch(seq);
        }
        if arrival != Arrival::Page {
            self.note_others(false);
        }
        if !self.is_sealed() || arrival == Arrival::Own {
            return message;
        }
        Message { text: format!("{NOT_SEALED}{}", message.text), ..message }
    }
}

#[cfg(test)]
mod tests;
