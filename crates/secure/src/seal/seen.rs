//! Memory of what a member has seen of a room: counters of each sender, and hashes by number.

use std::collections::{BTreeMap, HashMap, VecDeque};

use glassline_wire::link::IdentityKey;

use super::KeyId;

/// Runs of senders whose counters are kept.
const RUNS_MAX: usize = 4_096;
/// Sealed messages whose hashes are kept.
const HASHES_MAX: usize = 4_096;
/// Counters below the highest that are told apart.
const WINDOW: u64 = 64;

/// Place of a message among those of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It follows the one before it.
    InOrder,
    /// This many before it were not received: they were refused, lost or withheld.
    Missing(u64),
    /// It was received before: somebody repeats it.
    Repeated,
    /// It is older than one received before: somebody delayed it.
    Older,
    /// There is nothing to compare it with.
    CannotTell,
}

/// Agreement between what the sender had seen of the room and what was seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The last sealed message that the sender had seen is the same here.
    Same,
    /// At its number something else was received here: the server shows members different things.
    Differs,
    /// It was not received here, because this member came later or missed it.
    CannotTell,
}

/// Facts about an opened message. Time, number and the name in `from` remain the server's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Place among the messages of its sender.
    pub order: Order,
    /// Agreement about the room.
    pub view: View,
    /// `true` if its key is the newest here; another was replaced, for those who know the new one.
    pub is_current_epoch: bool,
}

/// Number and hash of the last sealed message that a sender had seen; zeros for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LastSeen {
    pub(super) seq: u64,
    pub(super) hash: [u8; 32],
}

/// Random number of one run of a client, so that its counters begin anew.
pub(super) type RunId = [u8; 16];

/// One run of one sender under one key.
type Run = (IdentityKey, KeyId, RunId);

#[derive(Debug, Default)]
pub(super) struct Seen {
    counters: HashMap<Run, Counters>,
    /// The runs in the order in which they appeared, to forget the oldest.
    runs: VecDeque<Run>,
    /// Hash of the sealed message at each number, and whether it could be opened.
    hashes: BTreeMap<u64, ([u8; 32], bool)>,
    /// First and last number of those received without a hole.
    watched: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Counters {
    highest: u64,
    /// Bit `n` stands for the counter `highest - n`.
    received: u64,
}

impl Seen {
    /// Notes that the message of this number was received, whatever it was.
    pub(super) fn watch(&mut self, seq: u64) {
        self.watched = match self.watched {
            Some((first, last)) if seq == last.saturating_add(1) => Some((first, seq)),
            Some((first, last)) if (first..=last).contains(&seq) => Some((first, last)),
            _ => Some((seq, seq)),
        };
    }

    /// Notes the sealed message at a number.
    pub(super) fn note_hash(&mut self, seq: u64, hash: [u8; 32], is_opened: bool) {
        self.watch(seq);
        self.hashes.entry(seq).or_insert((hash, false)).1 |= is_opened;
        if self.hashes.len() > HASHES_MAX
            && let Some((oldest, _)) = self.hashes.pop_first()
            && let Some((first, _)) = &mut self.watched
        {
            *first = (*first).max(oldest + 1);
        }
    }

    /// The newest sealed message that was opened.
    pub(super) fn last(&self) -> LastSeen {
        let newest = self.hashes.iter().rev().find(|(_, (_, is_opened))| *is_opened);
        newest.map_or_else(LastSeen::default, |(&seq, &(hash, _))| LastSeen { seq, hash })
    }

    pub(super) fn view(&self, last: &LastSeen) -> View {
        if last.seq == 0 {
            return View::CannotTell;
        }
        match self.hashes.get(&last.seq) {
            Some((hash, _)) if *hash == last.hash => View::Same,
            Some(_) => View::Differs,
            None if self.watched.is_some_and(|(first, end)| (first..=end).contains(&last.seq)) => View::Differs,
            None => View::CannotTell,
        }
    }

    /// Notes a counter and returns its place.
    pub(super) fn count(&mut self, run: Run, counter: u64) -> Order {
        if let Some(counters) = self.counters.get_mut(&run) {
            return counters.count(counter);
        }
        if self.runs.len() >= RUNS_MAX
            && let Some(oldest) = self.runs.pop_front()
        {
            self.counters.remove(&oldest);
        }
        self.runs.push_back(run);
        self.counters.insert(run, Counters { highest: counter, received: 1 });
        Order::CannotTell
    }
}

impl Counters {
    fn count(&mut self, counter: u64) -> Order {
        if counter > self.highest {
            let ahead = counter - self.highest;
            self.received = if ahead < WINDOW { self.received << ahead | 1 } else { 1 };
            self.highest = counter;
            return if ahead == 1 { Order::InOrder } else { Order::Missing(ahead - 1) };
        }
        let behind = self.highest - counter;
        if behind >= WINDOW {
            return Order::CannotTell;
        }
        let bit = 1 << behind;
        if self.received & bit != 0 {
            return Order::Repeated;
        }
        self.received |= bit;
        Order::Older
    }
}
