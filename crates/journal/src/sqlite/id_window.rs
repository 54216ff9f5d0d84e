//! Ids of the most recent messages of the whole history, in memory. A message that is sent again is
//! found among them; where it is not, each room's edge decides whether it can have been stored
//! before (E4).

mod loading;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use glassline_wire::message_id::MessageId;

use rusqlite::Connection;

use self::loading::{Loading, Row};
use super::pacer::Pacer;
use super::rowid::{room_of, seq_of};

/// Messages whose ids are kept: about 24 MiB.
pub(super) const MESSAGES_MAX: usize = 262_144;

/// Keys of a message: one of its sender's token, one of its sender's name. A message without an id
/// has none.
type Keys = [Option<u64>; 2];

#[derive(Debug)]
struct Remembered {
    rowid: i64,
    keys: Keys,
}

/// Part of a room that is in the window.
#[derive(Debug)]
struct Covered {
    /// Each message with a higher number is in the window; some with lower ones may be.
    edge: u64,
    messages: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'s> {
    /// Equal for connections that present the same token; 0 without one.
    pub(super) author: u64,
    pub(super) name: &'s str,
}

/// Window of message ids.
///
/// Messages of a batch are [noted](Self::note) while it is stored, then [kept](Self::commit) or
/// [taken back](Self::roll_back).
#[derive(Debug)]
pub(super) struct IdWindow {
    /// Hashes with a secret of this run: clients cannot choose ids or names with equal keys.
    hasher: RandomState,
    messages_max: usize,
    /// Oldest first.
    messages: VecDeque<Remembered>,
    /// Newest rowid of each key.
    rowids: HashMap<u64, i64>,
    /// By room id; a room without messages in the window is not listed.
    covered: HashMap<i64, Covered>,
    uncommitted: usize,
    /// Progress of reading the ids that were stored before the history was opened, until it ends.
    loading: Option<Loading>,
    loaded_rows: Pacer,
}

impl IdWindow {
    /// Window of so many messages, to be [loaded](Self::load).
    pub(super) fn new(messages_max: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            messages_max,
            messages: VecDeque::new(),
            rowids: HashMap::new(),
            covered: HashMap::new(),
            uncommitted: 0,
            loading: Some(Loading::new()),
            loaded_rows: Pacer::rows(),
        }
    }

    /// Loads some of the stored ids that are missing. Returns whether any were.
    pub(super) fn load_step(&mut self, db: &Connection) -> bool {
        let Some(mut loading) = self.loading.take() else { return false };
        let (started, rows) = (Instant::now(), self.loaded_rows.size());
        let has_more = (0..rows).all(|_| {
            let next = if self.is_full() { None } else { loading.next(db) };
            next.is_some_and(|Row { rowid, id, author, name, .. }| {
                self.note_earlier(rowid, id, Sender { author, name: &name });
                true
            })
        });
        self.loading = has_more.then_some(loading);
        self.loaded_rows.note(rows, started.elapsed());
        true
    }

    /// Loads all of them: without them nothing can be stored.
    pub(super) fn load(&mut self, db: &Connection) {
        while self.load_step(db) {}
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.messages_max
    }

    /// Returns the rowid of the message that this sender sent under this id, if it is in the
    /// window. The token takes precedence over the name, whose owner may have changed.
    pub(super) fn find(&self, room_id: i64, id: MessageId, sender: Sender<'_>) -> Option<i64> {
        let keys = self.keys(room_id, Some(id), sender);
        keys.into_iter().flatten().find_map(|key| self.rowids.get(&key).copied())
    }

    /// Returns whether each message of the room with a number above `after` is in the window.
    /// `newest` is the room's newest number.
    pub(super) fn covers(&self, room_id: i64, newest: u64, after: u64) -> bool {
        after >= self.covered.get(&room_id).map_or(newest, |covered| covered.edge)
    }

    /// Adds the message that is now the newest of its room.
    pub(super) fn note(&mut self, rowid: i64, id: Option<MessageId>, sender: Sender<'_>) {
        let edge = seq_of(rowid).saturating_sub(1);
        self.covered.entry(room_of(rowid)).or_insert(Covered { edge, messages: 0 }).messages += 1;
        let keys = self.keys(room_of(rowid), id, sender);
        self.rowids.extend(keys.into_iter().flatten().map(|key| (key, rowid)));
        self.messages.push_back(Remembered { rowid, keys });
        self.uncommitted += 1;
    }

    /// Adds the message before the oldest one of its room that is in the window, or the room's
    /// newest one if none is. It will be dropped first. Where numbers between them have no
    /// message, the edge stays after these: their ids are unknown.
    fn note_earlier(&mut self, rowid: i64, id: Option<MessageId>, sender: Sender<'_>) {
        let seq = seq_of(rowid);
        let covered = self.covered.entry(room_of(rowid)).or_insert(Covered { edge: seq, messages: 0 });
        if covered.edge == seq {
            covered.edge = seq.saturating_sub(1);
        }
        covered.messages += 1;
        let keys = self.keys(room_of(rowid), id, sender);
        for key in keys.into_iter().flatten() {
            self.rowids.entry(key).or_insert(rowid);
        }
        self.messages.push_front(Remembered { rowid, keys });
    }

    /// Keeps what was noted, and drops the oldest messages beyond the bound.
    pub(super) fn commit(&mut self) {
        self.uncommitted = 0;
        while self.messages.len() > self.messages_max {
            let Some(oldest) = self.messages.pop_front() else { return };
            if let Some(covered) = self.covered.get_mut(&room_of(oldest.rowid)) {
                covered.edge = covered.edge.max(seq_of(oldest.rowid));
            }
            self.forget(&oldest);
        }
    }

    /// Takes back what was noted since the last commit.
    pub(super) fn roll_back(&mut self) {
        for _ in 0..std::mem::take(&mut self.uncommitted) {
            let Some(newest) = self.messages.pop_back() else { return };
            self.forget(&newest);
        }
    }

    fn forget(&mut self, message: &Remembered) {
        let Remembered { rowid, keys } = message;
        for key in keys.iter().flatten() {
            if self.rowids.get(key) == Some(rowid) {
                self.rowids.remove(key);
            }
        }
        if let Some(covered) = self.covered.get_mut(&room_of(*rowid)) {
            covered.messages -= 1;
            if covered.messages == 0 {
                self.covered.remove(&room_of(*rowid));
            }
        }
    }

    fn keys(&self, room_id: i64, id: Option<MessageId>, sender: Sender<'_>) -> Keys {
        let Some(id) = id else { return [None, None] };
        let of_token = (sender.author != 0).then(|| self.hasher.hash_one((room_id, id, sender.author)));
        [of_token, Some(self.hasher.hash_one((room_id, id, sender.name.to_lowercase())))]
    }

    #[cfg(test)]
    pub(super) fn is_loaded(&self) -> bool {
        self.loading.is_none()
    }

    /// Sizes of all parts, which bound the memory.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 3] {
        [self.messages.len(), self.rowids.len(), self.covered.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::rowid::rowid;

    const ALICE: Sender<'static> = Sender { author: 1, name: "alice" };

    #[test]
    fn the_edge_follows_dropped_messages_room_by_room() {
        let mut window = IdWindow::new(3);
        for seq in 1..=3 {
            window.note(rowid(1, seq), Some(MessageId(seq.into())), ALICE);
        }
        window.commit();
        assert!(window.covers(1, 3, 0), "nothing was forgotten");
        assert!(!window.covers(2, 9, 8) && window.covers(2, 9, 9), "a room of which nothing is known");
        for seq in 10..=11 {
            window.note(rowid(2, seq), None, ALICE);
        }
        window.commit();
        assert!(!window.covers(1, 3, 1) && window.covers(1, 3, 2));
        assert!(!window.covers(2, 11, 8) && window.covers(2, 11, 9));
        assert_eq!(window.find(1, MessageId(2), ALICE), None);
        assert_eq!(window.find(1, MessageId(3), ALICE), Some(rowid(1, 3)));
        assert!(window.covers(1, 3, u64::MAX), "a number that was never given");
        assert_eq!(window.sizes(), [3, 2, 2]);
    }

    #[test]
    fn what_is_rolled_back_leaves_no_trace() {
        let mut window = IdWindow::new(4);
        window.note(rowid(1, 1), Some(MessageId(1)), ALICE);
        window.commit();
        window.note(rowid(1, 2), Some(MessageId(2)), ALICE);
        window.note(rowid(2, 7), Some(MessageId(3)), ALICE);
        window.roll_back();
        assert_eq!(window.sizes(), [1, 2, 1]);
        assert!(window.covers(1, 1, 0) && !window.covers(2, 6, 5));
        window.roll_back();
        assert_eq!(window.find(1, MessageId(1), ALICE), Some(rowid(1, 1)));
    }

    #[test]
    fn a_token_is_followed_before_a_name() {
        let mut window = IdWindow::new(9);
        window.note(rowid(1, 1), Some(MessageId(7)), Sender { author: 5, name: "bob" });
        window.note(rowid(1, 2), Some(MessageId(7)), ALICE);
        let find = |author, name| window.find(1, MessageId(7), Sender { author, name });
        assert_eq!(find(5, "alice"), Some(rowid(1, 1)));
        assert_eq!(find(0, "ALICE"), Some(rowid(1, 2)));
        assert_eq!(find(9, "carol"), None);
    }
}
