//! The thread that commits. It takes everything that waits whenever it is free: a lone message waits for its own commit only, and
//! under load groups form by themselves while the commit before runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use glassline_wire::history::{CommitOutcome, Record, Ticket};

use super::Done;
use super::answerer::ANSWER_TIME;
use super::shared::{Group, Next, Shared, panic_text};
use crate::store::{Store, StoreError};

/// Idle time before the store is maintained: whoever answers a message at once is not made to wait.
const QUIET: Duration = Duration::from_millis(20);

/// Interval of maintenance though nothing came: for what goes by age.
const TEND_EVERY: Duration = Duration::from_mins(1);

/// Interval of maintenance, and its duration, while the load never stops.
const TEND_UNDER_LOAD_EVERY: Duration = Duration::from_millis(100);
const TEND_SLICE: Duration = Duration::from_millis(4);

/// Pause of maintenance after it failed for a cause that may go (a full disk).
const TEND_REST: Duration = Duration::from_secs(1);

/// Wait for the readers at the end: as long as one answer takes at most, and a little.
const READERS_END_WAIT: Duration = ANSWER_TIME.saturating_add(Duration::from_millis(500));

pub(super) fn run(shared: &Shared, store: Box<dyn Store>) {
    let mut writer =
        Writer { shared, store, to_tend: true, resting_until: None, tended_at: Instant::now(), is_trouble_told: false };
    let ended = catch_unwind(AssertUnwindSafe(move || {
        if let Err(error) = writer.work() {
            shared.fail(error);
        }
        // As long as somebody reads, what is in the log cannot all go into the file.
        shared.wait_for_readers(READERS_END_WAIT);
        // The store is dropped in here too: closing it is work.
        drop(writer);
    }));
    if let Err(panic) = ended {
        shared.fail(StoreError::Panicked(panic_text(panic.as_ref())));
    }
    shared.note_end();
}

struct Writer<'s> {
    shared: &'s Shared,
    store: Box<dyn Store>,
    /// There may be something to tend.
    to_tend: bool,
    resting_until: Option<Instant>,
    tended_at: Instant,
    /// Whoever holds the journal knows that tending fails.
    is_trouble_told: bool,
}

impl Writer<'_> {
    /// Until it is closed or an error is fatal.
    fn work(&mut self) -> Result<(), StoreError> {
        let mut patience = Duration::ZERO;
        loop {
            match self.shared.next_group(patience) {
                Next::Commit(group) => {
                    self.commit(group)?;
                    self.to_tend = true;
                    if self.tended_at.elapsed() >= TEND_UNDER_LOAD_EVERY {
                        self.maintain()?;
                    }
                    patience = QUIET;
                }
                Next::Idle => {
                    self.maintain()?;
                    patience = if self.to_tend { Duration::ZERO } else { TEND_EVERY };
                }
                Next::End => return Ok(()),
            }
            if let Some(until) = self.resting_until {
                patience = patience.max(until.saturating_duration_since(Instant::now()));
            }
        }
    }

    /// Commits a group. An error that is not fatal is the disk's or the file's and refuses all of them, but for [`StoreError::UsedUp`]:
    /// that is one record's, which is looked for by halves, so that the others are stored.
    fn commit(&mut self, mut group: Group) -> Result<(), StoreError> {
        let mut count = group.records.len();
        while count > 0 {
            let started = Instant::now();
            match self.store.append(&group.records[..count]) {
                Ok(outcomes) => {
                    let counters = &self.shared.counters;
                    counters.count_commit(started.elapsed());
                    for outcome in &outcomes {
                        counters.count_outcome(outcome);
                    }
                    self.shared.finish(group.take(count), outcomes, committed);
                }
                Err(error) if error.is_fatal() => return Err(error),
                Err(StoreError::UsedUp(_)) if count > 1 => {
                    count /= 2;
                    continue;
                }
                Err(error) => self.refuse(group.take(count), error)?,
            }
            count = group.records.len();
        }
        self.shared.counters.index_lag.store(self.store.index_lag(), Ordering::Relaxed);
        Ok(())
    }

    /// Reports what was refused; of what was stored earlier, which a client sends again that has not heard so, that it is stored.
    fn refuse(&mut self, group: Group, error: StoreError) -> Result<(), StoreError> {
        let earlier = match self.store.find_duplicates(&group.records) {
            Err(unreadable) if unreadable.is_fatal() => return Err(unreadable),
            looked_up => looked_up.unwrap_or_default(),
        };
        let counters = &self.shared.counters;
        let earlier_count = earlier.iter().flatten().inspect(|outcome| counters.count_outcome(outcome)).count();
        counters.not_stored.fetch_add((group.tickets.len() - earlier_count) as u64, Ordering::Relaxed);
        let error = Arc::new(error);
        let outcomes = earlier.into_iter().chain(std::iter::repeat(None));
        self.shared.finish(group, outcomes, |ticket, _, earlier| match earlier {
            Some(outcome) => Done::Settled { ticket, outcome },
            None => Done::NotStored { ticket, error: Arc::clone(&error) },
        });
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), StoreError> {
        if self.resting_until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        self.resting_until = None;
        let tended = self.store.maintain(TEND_SLICE);
        if let Some(damage) = self.store.take_index_rebuild() {
            self.shared.report(std::iter::once(Done::IndexRenewed(damage)));
        }
        while let Some(damage) = self.store.take_damage() {
            self.shared.report(std::iter::once(Done::Damaged(damage)));
        }
        match tended {
            Ok(more) => {
                self.to_tend = more;
                self.is_trouble_told = false;
            }
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                self.resting_until = Some(Instant::now() + TEND_REST);
                self.shared.counters.tend_failures.fetch_add(1, Ordering::Relaxed);
                if !std::mem::replace(&mut self.is_trouble_told, true) {
                    self.shared.report(std::iter::once(Done::Untended(error)));
                }
            }
        }
        self.tended_at = Instant::now();
        self.shared.counters.index_lag.store(self.store.index_lag(), Ordering::Relaxed);
        self.shared.counters.note_sizes(self.store.sizes());
        Ok(())
    }
}

fn committed(ticket: Ticket, record: Record, outcome: CommitOutcome) -> Done {
    match outcome {
        CommitOutcome::Stored { seq } => Done::Committed(record.committed(ticket, seq)),
        outcome => Done::Settled { ticket, outcome },
    }
}
