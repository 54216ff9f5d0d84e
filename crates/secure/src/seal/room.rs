//! State of one sealed room at one member.

use glassline_wire::message_id::MessageId;

use super::envelope::Envelope;
use super::epoch::{EpochRecord, STEP_MAX};
use super::seen::{RunId, Seen};
use super::{Content, EpochKey, Facts, Kind, OpenError, Order, Seal, SealError};
use crate::Identity;
use crate::random::{self, NoRandomness, Random};

/// Epochs whose keys are kept, to open what is stored.
const EPOCHS_MAX: usize = 64;

/// Place at which the server delivered a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// In its turn: it takes part in counters and hashes.
    InTurn {
        /// Id beside the field, if there is one.
        id: Option<MessageId>,
        /// Number in the room, if there is one.
        seq: Option<u64>,
    },
    /// Out of its turn, on a page of the history.
    Page {
        /// Id beside the field, if there is one.
        id: Option<MessageId>,
    },
}

/// A sealed message that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Content that its sender has signed.
    pub content: Content,
    /// Facts that were noticed about it.
    pub facts: Facts,
}

/// Keys, counters and hashes of one room.
#[derive(Debug)]
pub struct SealedRoom {
    room: String,
    /// Epochs whose keys are here, by number.
    epochs: Vec<(EpochRecord, Box<dyn Seal>)>,
    /// Number and hash of the newest record that was ever accepted, also before a restart.
    newest: Option<(u64, [u8; 32])>,
    run: RunId,
    counter: u64,
    seen: Seen,
}

impl SealedRoom {
    /// Returns the state of a room; `newest` is what [`newest`](Self::newest) returned before a
    /// restart.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn new(room: &str, newest: Option<(u64, [u8; 32])>, random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let run = random::bytes(random)?;
        Ok(Self { room: room.to_owned(), epochs: Vec::new(), newest, run, counter: 0, seen: Seen::default() })
    }

    #[cfg(test)]
    pub(super) fn run_for_tests(&mut self, run: RunId) {
        self.run = run;
    }

    /// Number and hash of the newest epoch that was accepted. It only grows.
    pub fn newest(&self) -> Option<(u64, [u8; 32])> {
        self.newest
    }

    /// The record of the epoch under which [`seal`](Self::seal) works; `None` without a key, or
    /// with older ones only.
    pub fn current(&self) -> Option<&EpochRecord> {
        let (record, _) = self.epochs.last()?;
        self.newest.is_none_or(|(number, _)| record.number() >= number).then_some(record)
    }

    /// Returns whether a record's number can follow the newest accepted one at once.
    ///
    /// # Errors
    /// It is too far ahead.
    pub fn check_reach(&self, record: &EpochRecord) -> Result<(), OpenError> {
        match self.newest {
            Some((newest, _)) if record.number() > newest.saturating_add(STEP_MAX) => {
                Err(OpenError::FarEpoch { epoch: record.number(), newest })
            }
            _ => Ok(()),
        }
    }

    /// Returns whether a new epoch may follow this record, accepted or not: its number is not so high
    /// that others would refuse the next one.
    pub fn may_follow(&self, record: &EpochRecord) -> bool {
        let newest = self.newest.map_or(0, |(newest, _)| newest);
        record.number() < newest.saturating_add(STEP_MAX)
    }

    /// Returns whether the key of this record is here.
    pub fn has_key(&self, record: &EpochRecord) -> bool {
        self.epochs.iter().any(|(known, _)| known == record)
    }

    /// Accepts an epoch with the key derived for it.
    ///
    /// # Errors
    /// The record is for another room, forged, or contradicts one that was accepted before.
    pub fn accept(&mut self, record: &EpochRecord, key: EpochKey) -> Result<(), OpenError> {
        record.verify(&key)?;
        self.accept_seal(record, Box::new(key))
    }

    /// Accepts an epoch with any seal whose key the record names. The caller has verified that the
    /// record belongs to it.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn accept_seal(&mut self, record: &EpochRecord, seal: Box<dyn Seal>) -> Result<(), OpenError> {
        if record.room() != self.room {
            return Err(OpenError::OtherRoom(record.room().to_owned()));
        }
        if self.has_key(record) {
            return Ok(());
        }
        self.verify_chain(record)?;
        let place = self.epochs.partition_point(|(known, _)| known.number() < record.number());
        self.epochs.insert(place, (record.clone(), seal));
        if self.newest.is_none_or(|(number, _)| number < record.number()) {
            self.newest = Some((record.number(), record.hash()));
            self.counter = 0;
        }
        if self.epochs.len() > EPOCHS_MAX {
            self.epochs.remove(0);
        }
        Ok(())
    }

    fn verify_chain(&self, record: &EpochRecord) -> Result<(), OpenError> {
        self.check_reach(record)?;
        let fork = Err(OpenError::Fork(record.number()));
        if let Some((number, hash)) = self.newest {
            let contradicts = number == record.number() && hash != record.hash();
            let follows_another = number + 1 == record.number() && hash != *record.previous();
            if contradicts || follows_another {
                return fork;
            }
        }
        for (known, _) in &self.epochs {
            let contradicts = known.number() == record.number();
            let follows_another = known.number() + 1 == record.number() && known.hash() != *record.previous();
            let precedes_another = record.number() + 1 == known.number() && record.hash() != *known.previous();
            if contradicts || follows_another || precedes_another {
                return fork;
            }
        }
        Ok(())
    }

    /// Seals a message. The result is kept by the caller: a resend repeats it unchanged.
    ///
    /// # Errors
    /// There is no key, or the text is too long.
    pub fn seal(
        &mut self,
        identity: &Identity,
        message: MessageId,
        name: &str,
        kind: Kind,
        text: &str,
        random: &mut dyn Random,
    ) -> Result<String, SealError> {
        if self.current().is_none() {
            return Err(SealError::NoKey);
        }
        let Some((record, seal)) = self.epochs.last_mut() else { return Err(SealError::NoKey) };
        let counter = self.counter.checked_add(1).ok_or(SealError::Exhausted)?;
        let associated = Envelope::associated(record, message, &self.run, counter, &self.seen.last());
        let plaintext = Content::sign(name, kind, text, identity, &associated)?;
        let sealed = seal.seal(&associated, &plaintext, random)?;
        self.counter = counter;
        Ok(Envelope::to_field(&associated, &sealed))
    }

    /// Notes that a message without a seal was received at this number, so that a sender who saw
    /// a sealed one there is noticed.
    pub fn watch(&mut self, seq: u64) {
        self.seen.watch(seq);
    }

    /// Opens a message. One that cannot be opened is noted with its number, too.
    ///
    /// # Errors
    /// One variant for each cause; nothing of the message may then be shown.
    pub fn open(&mut self, envelope: &Envelope, placed: Placed) -> Result<Opened, OpenError> {
        let content = self.decrypt(envelope, placed);
        let view = self.seen.view(envelope.last_seen());
        if let Placed::InTurn { seq: Some(seq), .. } = placed {
            self.seen.note_hash(seq, envelope.hash(), content.is_ok());
        }
        let content = content?;
        let run = (content.sender, envelope.record().key_id(), *envelope.run());
        let order = match placed {
            Placed::InTurn { .. } => self.seen.count(run, envelope.counter()),
            Placed::Page { .. } => Order::CannotTell,
        };
        let is_current_epoch = self.newest.is_some_and(|(number, _)| number == envelope.record().number());
        Ok(Opened { content, facts: Facts { order, view, is_current_epoch } })
    }

    fn decrypt(&mut self, envelope: &Envelope, placed: Placed) -> Result<Content, OpenError> {
        let record = envelope.record();
        if record.room() != self.room {
            return Err(OpenError::OtherRoom(record.room().to_owned()));
        }
        let (Placed::InTurn { id, .. } | Placed::Page { id }) = placed;
        if id.is_some_and(|id| id != envelope.message()) {
            return Err(OpenError::OtherMessage);
        }
        let of_number = self.epochs.iter_mut().find(|(known, _)| known.number() == record.number());
        let seal = match of_number {
            Some((known, seal)) if known == record => seal,
            Some(_) => {
                record.verify_signature()?;
                return Err(OpenError::Fork(record.number()));
            }
            None => {
                record.verify_signature()?;
                self.check_reach(record)?;
                return Err(OpenError::UnknownEpoch { epoch: record.number(), key: record.key_id() });
            }
        };
        let (associated, sealed) = envelope.split();
        let plaintext = seal.open(record.key_id(), associated, sealed)?;
        Content::verify(&plaintext, associated)
    }
}
