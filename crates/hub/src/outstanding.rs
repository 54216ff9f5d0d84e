//! History results each connection waits for: its messages being stored, and its questions.

use alloc::collections::{BTreeMap, VecDeque};

use slotmap::SlotMap;

/// Wait of a connection before something else of it may be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// Nothing.
    Nothing,
    /// Its own messages that are being stored: more of them may follow, anything else waits.
    Appends,
    /// An answer: everything waits for it.
    Answer,
}

slotmap::new_key_type! {
    /// Key of a connection for as long as it waits for something.
    struct WaitKey;
}

/// Wait of a connection for one record or one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    key: WaitKey,
    awaited: Awaited,
}

/// Thing that a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Its own message that is being stored.
    Append,
    Answer,
}

#[derive(Debug)]
struct Counts {
    connection: usize,
    appends: u32,
    answers: u32,
}

impl Counts {
    fn of(&mut self, awaited: Awaited) -> &mut u32 {
        match awaited {
            Awaited::Append => &mut self.appends,
            Awaited::Answer => &mut self.answers,
        }
    }
}

/// Counts of the connections that wait for something.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    counts: SlotMap<WaitKey, Counts>,
    by_connection: BTreeMap<usize, WaitKey>,
    settled: VecDeque<usize>,
}

impl Outstanding {
    pub(crate) fn awaits(&self, connection: usize) -> Awaits {
        match self.by_connection.get(&connection).and_then(|&key| self.counts.get(key)) {
            None => Awaits::Nothing,
            Some(counts) if counts.answers > 0 => Awaits::Answer,
            Some(_) => Awaits::Appends,
        }
    }

    pub(crate) fn note(&mut self, connection: usize, awaited: Awaited) -> Waiter {
        let counts = &mut self.counts;
        let new_key = || counts.insert(Counts { connection, appends: 0, answers: 0 });
        let key = *self.by_connection.entry(connection).or_insert_with(new_key);
        if let Some(counts) = self.counts.get_mut(key) {
            *counts.of(awaited) += 1;
        }
        Waiter { key, awaited }
    }

    /// Returns whether the one that waited is still there.
    pub(crate) fn is_waiting(&self, waiter: Waiter) -> bool {
        self.counts.contains_key(waiter.key)
    }

    /// Records that the awaited result has arrived.
    pub(crate) fn done(&mut self, Waiter { key, awaited }: Waiter) {
        let Some(counts) = self.counts.get_mut(key) else { return };
        let left = counts.of(awaited);
        *left = left.saturating_sub(1);
        if let Counts { connection, appends: 0, answers: 0 } = *counts {
            self.forget(connection);
            self.settled.push_back(connection);
        }
    }

    /// Drops the waits of a closed connection.
    pub(crate) fn forget(&mut self, connection: usize) {
        if let Some(key) = self.by_connection.remove(&connection) {
            self.counts.remove(key);
        }
    }

    /// Notes that everything else that a connection waited for is over.
    pub(crate) fn note_settled(&mut self, connection: usize) {
        self.settled.push_back(connection);
    }

    /// A connection that no longer waits.
    pub(crate) fn take_settled(&mut self) -> Option<usize> {
        self.settled.pop_front()
    }

    pub(crate) fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_settles_once_all_came_back_and_a_gone_one_never() {
        let mut outstanding = Outstanding::default();
        let first = outstanding.note(7, Awaited::Append);
        assert_eq!(outstanding.awaits(7), Awaits::Appends);
        let question = outstanding.note(7, Awaited::Answer);
        assert_eq!(outstanding.awaits(7), Awaits::Answer);
        outstanding.done(question);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Appends, None));
        outstanding.done(first);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Nothing, Some(7)));
        let of_one_that_goes = outstanding.note(7, Awaited::Append);
        outstanding.forget(7);
        let of_the_next = outstanding.note(7, Awaited::Append);
        outstanding.done(of_one_that_goes);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Appends, None));
        assert!(outstanding.is_waiting(of_the_next) && !outstanding.is_waiting(of_one_that_goes));
    }
}
