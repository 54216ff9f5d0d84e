//! Refusals, their recipients, and the records of a refused batch that are known from before.

use std::path::PathBuf;
use std::time::Duration;

use glassline_journal::{Done, Reader, Store, StoreError};
use glassline_wire::event::AuditEntry;
use glassline_wire::history::{CommitOutcome, NotAppended, Record, Ticket};

use crate::scripted_store::*;
use crate::support::*;

#[test]
fn a_refused_group_is_refused_except_for_messages_stored_before() {
    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    let mut group = records(1..=3);
    group[1].record = entry("lobby", "alice", "old", None, 1);
    watched.journal.append(group);
    assert_eq!(next(&seen), 3);
    behaviour.send(Behaviour::Refuse).expect("taken");
    let done = watched.done(3);
    let is_refused = |done: &Done, of: Ticket| matches!(done, Done::NotStored { ticket, error } if *ticket == of && matches!(**error, StoreError::Full));
    assert!(is_refused(&done[0], 1) && is_refused(&done[2], 3), "{done:?}");
    assert!(matches!(done[1], Done::Settled { ticket: 2, outcome: NotAppended::IdReused }), "{done:?}");
    watched.journal.append(records([4]));
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(tickets_appended(&watched.done(1)), [(4, 1)]);
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.not_stored, gauges.repeated), (2, 1));
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

/// Stores or refuses by a rule of its own, and cannot read what it has.
struct Refusing<F> {
    append: F,
    unreadable: fn() -> StoreError,
}

impl<F: FnMut(&[Record]) -> Result<Vec<CommitOutcome>, StoreError> + Send> Store for Refusing<F> {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        (self.append)(batch)
    }

    fn find_duplicates(&mut self, _: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError> {
        Err((self.unreadable)())
    }

    fn maintain(&mut self, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(ScriptedReader { panics: false, searching: None, turns: None }))
    }

    fn index_lag(&self) -> u64 {
        0
    }

    fn acts(&mut self, _: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_record_without_a_number_left_is_refused_alone_in_order() {
    let mut newest = 0;
    let append = move |batch: &[Record]| {
        let is_new = |record: &Record| matches!(record, Record::Message(entry) if entry.message.room == "new");
        if batch.iter().any(is_new) {
            return Err(StoreError::UsedUp("no more rooms".into()));
        }
        let from = newest + 1;
        newest += batch.len() as u64;
        Ok(stored(from..=newest))
    };
    let watched = TestJournal::start(Box::new(Refusing { append, unreadable: || StoreError::TooSlow }));
    let is_new = |ticket: Ticket| [0, 7, 8, 99].contains(&ticket);
    let group =
        (0..100).map(|ticket| (ticket, entry(if is_new(ticket) { "new" } else { "lobby" }, "alice", "hi", None, 1)));
    watched.journal.append(pending(group));
    let done = watched.done(100);
    let mut newest = 0;
    for (wanted, done) in (0..).zip(&done) {
        match done {
            Done::NotStored { ticket, error } => {
                assert!(matches!(**error, StoreError::UsedUp(_)));
                assert!(*ticket == wanted && is_new(wanted));
            }
            committed => {
                newest += 1;
                let [(ticket, seq)] = tickets_appended(std::slice::from_ref(committed))[..] else { panic!("one") };
                assert_eq!((ticket, seq, is_new(wanted)), (wanted, newest, false));
            }
        }
    }
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.stored, gauges.not_stored, gauges.waiting_records, gauges.waiting_bytes), (96, 4, 0, 0));
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_store_that_is_found_damaged_when_it_refuses_is_a_failure() {
    let unreadable = || StoreError::Corrupt { path: PathBuf::from("h.db"), detail: "scripted".into() };
    let watched = TestJournal::start(Box::new(Refusing { append: |_: &[Record]| Err(StoreError::Full), unreadable }));
    watched.journal.append(records([1]));
    let done = watched.done(1);
    assert!(matches!(&done[..], [Done::Failed(StoreError::Corrupt { .. })]), "{done:?}");
    assert!(watched.journal.close(Duration::from_secs(20)).is_err());
}
