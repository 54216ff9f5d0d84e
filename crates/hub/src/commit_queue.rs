//! Records on their way into the history, in the order of their tickets.

use alloc::{collections::VecDeque, string::String, vec::Vec};

use glassline_wire::history::{PendingRecord, Record, Ticket};

use crate::id::{MemberId, RoomId};
use crate::outstanding::Waiter;

/// Recipient of the outcome of a record.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) sender: MemberId,
    pub(crate) waiter: Waiter,
    pub(crate) purpose: Purpose,
    pub(crate) reference: Option<String>,
}

/// Purpose of a record that was handed over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// A message in a room, which stays open for it.
    Message(RoomId),
    /// An act; of a kick its target, not a later holder of the name.
    Audit(Option<MemberId>),
}

/// Records to hand over, and the recipients of those whose outcome is pending,
/// oldest first; tickets follow each other.
#[derive(Debug, Default)]
pub(crate) struct CommitQueue {
    records: Vec<PendingRecord>,
    record_bytes: usize,
    in_flight: VecDeque<InFlight>,
    first_ticket: Ticket,
}

impl CommitQueue {
    pub(crate) fn push(&mut self, record: Record, in_flight: InFlight) {
        let ticket = self.first_ticket + self.in_flight.len() as u64;
        self.record_bytes += record.bytes();
        self.records.push(PendingRecord { ticket, record });
        self.in_flight.push_back(in_flight);
    }

    pub(crate) fn take_records(&mut self) -> Vec<PendingRecord> {
        self.record_bytes = 0;
        core::mem::take(&mut self.records)
    }

    pub(crate) fn record_bytes(&self) -> usize {
        self.record_bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// Returns the purpose of this ticket's record; nothing unless it is the next to come back.
    pub(crate) fn next(&self, ticket: Ticket) -> Option<Purpose> {
        let next = self.in_flight.front().filter(|_| ticket == self.first_ticket);
        next.map(|in_flight| in_flight.purpose)
    }

    /// Takes the recipient of the outcome that is the next to come back.
    pub(crate) fn pop(&mut self) -> Option<InFlight> {
        let in_flight = self.in_flight.pop_front()?;
        self.first_ticket += 1;
        Some(in_flight)
    }
}
