//! A store in memory with a volatile and a durable part: what a crash leaves is what was made
//! durable before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use glassline_journal::{Reader, SearchProgress, Store, StoreError, folded};
use glassline_wire::event::{AuditEntry, Message};
use glassline_wire::history::{CommitOutcome, Head, NewMessage, NotAppended, Page, Record};
use glassline_wire::limits::PAGE_MESSAGES_MAX;
use glassline_wire::request::{HistoryRange, Search};

use crate::mutation::Mutation;

/// One room's messages: the one at `index` has the number `index + 1`.
#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    pub(crate) messages: Vec<Message>,
    authors: Vec<u64>,
    /// Each message's place among those of all rooms.
    ordinals: Vec<u64>,
    /// Number of the oldest messages that can no longer be read.
    pruned: usize,
    durable: usize,
    durable_before: usize,
}

impl RoomLog {
    /// `remembered_from` is the ordinal of the first message whose id is known.
    fn repeat(&self, entry: &NewMessage, remembered_from: u64) -> Option<NotAppended> {
        let id = entry.message.id?;
        let first = self.ordinals.partition_point(|ordinal| *ordinal < remembered_from);
        let is_sender = |index: usize| {
            let is_author = entry.author != 0 && self.authors[index] == entry.author;
            is_author || self.messages[index].from.to_lowercase() == entry.message.from.to_lowercase()
        };
        let known = (first..self.messages.len()).find(|&at| self.messages[at].id == Some(id) && is_sender(at));
        let Some(index) = known else {
            return entry.after.filter(|after| *after < first as u64).map(|_| NotAppended::TooLate);
        };
        if index < self.pruned {
            return Some(NotAppended::TooLate);
        }
        let stored = &self.messages[index];
        let is_same = (&stored.text, stored.action) == (&entry.message.text, entry.message.action);
        Some(if is_same { NotAppended::Again(Box::new(stored.clone())) } else { NotAppended::IdReused })
    }
}

/// Message of errors that belong to the simulation.
pub(crate) const AS_SIMULATED: &str = "as simulated";

#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadFault {
    TooSlow,
    Unreadable,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rooms: BTreeMap<String, RoomLog>,
    pub(crate) is_full: bool,
    /// The next commit fails for good; it reaches the disk or not.
    pub(crate) fails: Option<bool>,
    /// The next read fails.
    pub(crate) read_fault: Option<ReadFault>,
    pub(crate) page_messages_max: u64,
    /// The ids of so many of the latest messages are known; `None`: of all.
    pub(crate) ids_kept: Option<u64>,
    /// Messages ever stored, those that a crash took back among them.
    stored: u64,
    pub(crate) mutation: Option<Mutation>,
}

/// The disk as everybody sees it: the store, its reader and the checks.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedDisk(Arc<Mutex<Disk>>);

impl SharedDisk {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self) -> Result<MutexGuard<'_, Disk>, StoreError> {
        let mut disk = self.lock();
        match disk.read_fault.take() {
            None => Ok(disk),
            Some(ReadFault::TooSlow) => Err(StoreError::TooSlow),
            Some(ReadFault::Unreadable) => Err(StoreError::ReadFailed(AS_SIMULATED.to_owned())),
        }
    }
}

impl Disk {
    /// Number of a room's newest message, durable or not.
    pub(crate) fn newest(&self, room: &str) -> u64 {
        self.rooms.get(room).map_or(0, |log| log.messages.len() as u64)
    }

    /// The message of this number, if a crash would leave it.
    pub(crate) fn durable(&self, room: &str, seq: u64) -> Option<&Message> {
        let log = self.rooms.get(room)?;
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        log.messages[..log.durable].get(index)
    }

    pub(crate) fn make_durable(&mut self) {
        for log in self.rooms.values_mut() {
            log.durable_before = log.durable;
            log.durable = log.messages.len();
        }
    }

    pub(crate) fn crash(&mut self) {
        for log in self.rooms.values_mut() {
            if self.mutation == Some(Mutation::StoreLosesLastCommit) {
                log.durable = log.durable_before;
            }
            log.durable_before = log.durable;
            log.messages.truncate(log.durable);
            log.authors.truncate(log.durable);
            log.ordinals.truncate(log.durable);
            log.pruned = log.pruned.min(log.durable);
        }
    }

    /// Only the newest so many of each room can be read from now on.
    pub(crate) fn prune(&mut self, keeps: u64) {
        for log in self.rooms.values_mut() {
            log.pruned = log.pruned.max(log.durable.saturating_sub(keeps as usize));
        }
    }

    /// Ordinal of the first message whose id is known.
    fn remembered_from(&self) -> u64 {
        self.ids_kept.map_or(0, |kept| self.stored.saturating_sub(kept))
    }

    fn store(&mut self, entry: &NewMessage) -> CommitOutcome {
        let remembered_from = self.remembered_from();
        let guesses = self.mutation == Some(Mutation::StoreGuesses);
        let loses_ids = self.mutation == Some(Mutation::StoreLosesIds);
        let skips = self.mutation == Some(Mutation::StoreSkipsNumbers);
        let log = self.rooms.entry(entry.message.room.clone()).or_default();
        let repeat = log.repeat(entry, remembered_from).filter(|_| !loses_ids);
        if let Some(outcome) = repeat.filter(|outcome| !guesses || *outcome != NotAppended::TooLate) {
            return CommitOutcome::NotAppended(outcome);
        }
        let seq = log.messages.len() as u64 + 1;
        log.messages.push(Message { seq: Some(seq), ..entry.message.clone() });
        log.authors.push(entry.author);
        log.ordinals.push(self.stored);
        self.stored += 1;
        CommitOutcome::Stored { seq: if skips && seq.is_multiple_of(7) { seq + 1 } else { seq } }
    }

    fn select(&self, room: &str, after: u64, before: u64, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let Some(log) = self.rooms.get(room) else { return Vec::new() };
        let readable = log.messages[..log.durable].iter().skip(log.pruned);
        let within = readable.filter(|message| message.seq.is_some_and(|seq| seq > after && seq < before));
        within.filter(|message| wanted(message)).cloned().collect()
    }

    fn page_max(&self, limit: Option<u64>) -> usize {
        limit.unwrap_or(PAGE_MESSAGES_MAX as u64).min(self.page_messages_max) as usize
    }

    fn range(&self, range: &HistoryRange) -> Page {
        let most = self.page_max(range.limit);
        let (mut after, mut before) = (range.after.unwrap_or(0), range.before.unwrap_or(u64::MAX));
        if let Some(around) = range.around {
            after = around.saturating_sub(most as u64 / 2 + 1);
            before = after.saturating_add(most as u64 + 1);
        }
        let mut messages = self.select(&range.room, after, before, |_| true);
        let more = messages.len() > most;
        if range.after.is_some() {
            messages.truncate(most);
            if self.mutation == Some(Mutation::PageIsShort) && messages.len() > 1 {
                messages.remove(0);
            }
        } else {
            messages.drain(..messages.len().saturating_sub(most));
        }
        Page { messages, more }
    }

    fn search(&self, search: &Search) -> Page {
        let query = folded(&search.query);
        let holds = |message: &Message| folded(&message.text).contains(&query);
        let mut messages = self.select(&search.room, 0, search.before.unwrap_or(u64::MAX), holds);
        let most = self.page_max(search.limit);
        let more = messages.len() > most;
        messages.drain(..messages.len().saturating_sub(most));
        Page { messages, more }
    }
}

impl Store for SharedDisk {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        let mut disk = self.lock();
        if disk.is_full {
            return Err(StoreError::Full);
        }
        if disk.fails == Some(false) {
            disk.fails = None;
            return Err(StoreError::WriteFailed(AS_SIMULATED.to_owned()));
        }
        let store = |record: &Record| match record {
            Record::Message(entry) => disk.store(entry),
            Record::Audit(_) => CommitOutcome::Stored { seq: 0 },
        };
        let mut outcomes: Vec<CommitOutcome> = batch.iter().map(store).collect();
        if disk.fails.take().is_none() {
            if disk.mutation == Some(Mutation::OutcomeIsLost) && disk.stored.is_multiple_of(20) {
                outcomes.pop();
            }
            return Ok(outcomes);
        }
        disk.make_durable();
        Err(StoreError::WriteFailed(AS_SIMULATED.to_owned()))
    }

    fn find_duplicates(&mut self, batch: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError> {
        let disk = self.lock();
        let repeat = |record: &Record| match record {
            Record::Message(entry) => disk.rooms.get(&entry.message.room)?.repeat(entry, disk.remembered_from()),
            Record::Audit(_) => None,
        };
        Ok(batch.iter().map(repeat).collect())
    }

    fn maintain(&mut self, _: Duration) -> Result<bool, StoreError> {
        if self.lock().is_full { Err(StoreError::Full) } else { Ok(false) }
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn index_lag(&self) -> u64 {
        0
    }

    fn acts(&mut self, _: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Reader for SharedDisk {
    fn head(&mut self, room: &str, _: Instant) -> Result<Head, StoreError> {
        let disk = self.readable()?;
        let Some(log) = disk.rooms.get(room) else {
            return Ok(Head { oldest: 1, newest: 0, newest_is_sealed: None });
        };
        let newest = log.messages[log.pruned.min(log.durable)..log.durable].last();
        Ok(Head {
            oldest: log.pruned as u64 + 1,
            newest: log.durable as u64,
            newest_is_sealed: newest.map(|message| message.sealed.is_some()),
        })
    }

    fn range(&mut self, range: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
        Ok(self.readable()?.range(range))
    }

    fn search_slice(
        &mut self,
        search: &Search,
        _: &mut SearchProgress,
        _: Instant,
        _: Instant,
    ) -> Result<Option<Page>, StoreError> {
        Ok(Some(self.readable()?.search(search)))
    }
}
