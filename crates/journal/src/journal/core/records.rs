//! Records that wait, and the groups in which they are committed.

use std::collections::VecDeque;
use std::sync::Arc;

use glassline_wire::history::{CommitOutcome, NotAppended, PendingRecord, Record, Ticket};

use super::reports::Done;
use crate::store::StoreError;

/// Bytes of one group: with [`JournalBounds::group_records`](super::bounds::JournalBounds), some
/// tens of milliseconds of work.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Records that wait, in the order in which they were handed over.
#[derive(Default)]
pub(in crate::journal) struct RecordQueue {
    tickets: VecDeque<Ticket>,
    records: VecDeque<Record>,
}

#[derive(Default)]
pub(in crate::journal) struct Group {
    tickets: Vec<Ticket>,
    records: Vec<Record>,
    /// Records of the front that are appended next; all, unless one of them has no number left.
    attempted: usize,
}

/// Result of the front of a group, to be reported.
pub(in crate::journal) struct Finished {
    pub(in crate::journal) records: usize,
    pub(in crate::journal) bytes: usize,
    pub(in crate::journal) reports: Vec<Done>,
}

pub(in crate::journal) enum Appended {
    Committed(Finished),
    /// A smaller part of it is to be appended.
    Halved,
    /// It is refused; what was stored of it before is to be looked up for [`Group::refused`].
    Refused(StoreError),
    /// The store must no longer be used.
    Failed(StoreError),
}

impl RecordQueue {
    pub(in crate::journal) fn push(&mut self, pending: PendingRecord) {
        self.tickets.push_back(pending.ticket);
        self.records.push_back(pending.record);
    }

    pub(in crate::journal) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes as many records as one commit may have; at least one, if there is one.
    pub(in crate::journal) fn take_group(&mut self, records_max: usize) -> Group {
        let (mut count, mut group_bytes) = (0, 0);
        for record in self.records.iter().take(records_max) {
            let bytes = record.bytes();
            if count > 0 && group_bytes + bytes > GROUP_BYTES_MAX {
                break;
            }
            group_bytes += bytes;
            count += 1;
        }
        let tickets = self.tickets.drain(..count).collect();
        Group { tickets, records: self.records.drain(..count).collect(), attempted: count }
    }
}

impl Group {
    pub(in crate::journal) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Records that are to be appended next.
    pub(in crate::journal) fn front(&self) -> &[Record] {
        &self.records[..self.attempted]
    }

    /// Processes the result of appending the front. An error that is not fatal is the disk's or the
    /// file's and refuses all of it, but for [`StoreError::UsedUp`]: that is one record's, which is
    /// looked for by halves, so that the others are stored.
    pub(in crate::journal) fn appended(&mut self, result: Result<Vec<CommitOutcome>, StoreError>) -> Appended {
        match result {
            Ok(outcomes) => Appended::Committed(self.finish(outcomes, |ticket, record, outcome| match outcome {
                CommitOutcome::Stored { seq } => Done::Committed(record.committed(ticket, seq)),
                CommitOutcome::NotAppended(outcome) => Done::Settled { ticket, outcome },
            })),
            Err(error) if error.is_fatal() => Appended::Failed(error),
            Err(StoreError::UsedUp(_)) if self.attempted > 1 => {
                self.attempted /= 2;
                Appended::Halved
            }
            Err(error) => Appended::Refused(error),
        }
    }

    /// Refuses the front, except what was stored `earlier`, which an unacknowledged client
    /// sends again.
    ///
    /// # Errors
    /// What was stored earlier cannot be looked up for a fatal cause.
    pub(in crate::journal) fn refused(
        &mut self,
        error: StoreError,
        earlier: Result<Vec<Option<NotAppended>>, StoreError>,
    ) -> Result<Finished, StoreError> {
        let earlier = match earlier {
            Err(unreadable) if unreadable.is_fatal() => return Err(unreadable),
            looked_up => looked_up.unwrap_or_default(),
        };
        let error = Arc::new(error);
        let outcomes = earlier.into_iter().chain(std::iter::repeat(None));
        Ok(self.finish(outcomes, |ticket, _, earlier| match earlier {
            Some(outcome) => Done::Settled { ticket, outcome },
            None => Done::NotStored { ticket, error: Arc::clone(&error) },
        }))
    }

    /// Takes the front off; what is left is the next front.
    fn finish<T>(
        &mut self,
        outcomes: impl IntoIterator<Item = T>,
        report: impl Fn(Ticket, Record, T) -> Done,
    ) -> Finished {
        let records = self.attempted;
        let bytes = self.front().iter().map(Record::bytes).sum();
        let front = self.tickets.drain(..records).zip(self.records.drain(..records));
        let reports = front.zip(outcomes).map(|((ticket, record), outcome)| report(ticket, record, outcome)).collect();
        self.attempted = self.records.len();
        Finished { records, bytes, reports }
    }
}
