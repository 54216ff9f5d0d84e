//! Waits of each connection for the history: its own messages on their way in, and its questions.

use alloc::collections::{BTreeMap, VecDeque};

/// Wait of a connection before something else of it may be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// Nothing.
    Nothing,
    /// Messages of its own that are on their way into the history: more of them may follow,
    /// anything else comes behind.
    Appends,
    /// An answer: everything comes behind it.
    Answer,
}

/// One connection for as long as it waits; a place that is used again has another serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) connection: usize,
    serial: u64,
}

#[derive(Debug)]
struct Counts {
    serial: u64,
    appends: u32,
    answers: u32,
}

/// Counts by connection; only connections that wait for something have an entry.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    counts: BTreeMap<usize, Counts>,
    next_serial: u64,
    settled: VecDeque<usize>,
}

impl Outstanding {
    pub(crate) fn awaits(&self, connection: usize) -> Awaits {
        match self.counts.get(&connection) {
            None => Awaits::Nothing,
            Some(counts) if counts.answers > 0 => Awaits::Answer,
            Some(_) => Awaits::Appends,
        }
    }

    pub(crate) fn note_append(&mut self, connection: usize) -> Waiter {
        self.note(connection, 1, 0)
    }

    pub(crate) fn note_question(&mut self, connection: usize) -> Waiter {
        self.note(connection, 0, 1)
    }

    fn note(&mut self, connection: usize, appends: u32, answers: u32) -> Waiter {
        let next_serial = &mut self.next_serial;
        let counts = self.counts.entry(connection).or_insert_with(|| {
            *next_serial += 1;
            Counts { serial: *next_serial, appends: 0, answers: 0 }
        });
        counts.appends += appends;
        counts.answers += answers;
        Waiter { connection, serial: counts.serial }
    }

    /// Returns whether the one that waited is still there.
    pub(crate) fn is_waiting(&self, waiter: Waiter) -> bool {
        self.counts.get(&waiter.connection).is_some_and(|counts| counts.serial == waiter.serial)
    }

    pub(crate) fn append_done(&mut self, waiter: Waiter) {
        self.done(waiter, 1, 0);
    }

    pub(crate) fn question_done(&mut self, waiter: Waiter) {
        self.done(waiter, 0, 1);
    }

    fn done(&mut self, waiter: Waiter, appends: u32, answers: u32) {
        if !self.is_waiting(waiter) {
            return;
        }
        let Some(counts) = self.counts.get_mut(&waiter.connection) else { return };
        counts.appends = counts.appends.saturating_sub(appends);
        counts.answers = counts.answers.saturating_sub(answers);
        if (counts.appends, counts.answers) == (0, 0) {
            self.counts.remove(&waiter.connection);
            self.settled.push_back(waiter.connection);
        }
    }

    /// The connection has gone: what it waited for concerns nobody.
    pub(crate) fn forget(&mut self, connection: usize) {
        self.counts.remove(&connection);
    }

    /// Notes that everything else that a connection waited for is over.
    pub(crate) fn note_settled(&mut self, connection: usize) {
        self.settled.push_back(connection);
    }

    /// A connection that has nothing to wait for any more.
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
        let first = outstanding.note_append(7);
        assert_eq!(outstanding.awaits(7), Awaits::Appends);
        let question = outstanding.note_question(7);
        assert_eq!(outstanding.awaits(7), Awaits::Answer);
        outstanding.question_done(question);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Appends, None));
        outstanding.append_done(first);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Nothing, Some(7)));
        let of_one_that_goes = outstanding.note_append(7);
        outstanding.forget(7);
        let of_the_next = outstanding.note_append(7);
        outstanding.append_done(of_one_that_goes);
        assert_eq!((outstanding.awaits(7), outstanding.take_settled()), (Awaits::Appends, None));
        assert!(outstanding.is_waiting(of_the_next) && !outstanding.is_waiting(of_one_that_goes));
    }
}
