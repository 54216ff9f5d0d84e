//! Transfers records and questions from the hub to the journal, and the results back.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use glassline_hub::Hub;
use glassline_journal::{Damage, Done, Gauges, Journal, Requester, Store, StoreError};
use glassline_wire::history::{NotAppended, ReadError, Ticket};
use glassline_wire::request::LOBBY;
use glassline_wire::visible::one_line;
use tracing::{error, warn};

/// Until the lobby's newest number is known, no client can log in.
const FIRST_LOOK_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for storing the rest at the end: the journal's queue is bounded, and a disk takes
/// that in seconds.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

// These texts for members name the next step and nothing about the host's files; the cause is
// logged.
const NOT_STORED: &str = "this could not be stored, so it did not happen; try again later";
const NO_SPACE: &str =
    "this could not be stored, so it did not happen: the server's disk is full; tell whoever runs it";
const NOT_READ: &str = "the history cannot be read just now; try again later";
const DAMAGED: &str = "what is stored there is damaged and cannot be read; tell whoever runs the server";
const TOO_SLOW: &str = "this took too long; ask for less";

pub(crate) struct History {
    journal: Journal,
    /// Results not processed yet, because members have to be written to first.
    done: VecDeque<Done>,
    /// The journal may have more results; they stay there until they can be processed, since each
    /// answer may hold a page.
    may_have_more: bool,
    lines: LogLines,
}

#[derive(Default)]
struct LogLines {
    not_stored: Pacing,
    not_read: Pacing,
    damage: Pacing,
    ahead: Pacing,
}

impl History {
    /// Starts the journal, opens the lobby where it left off, and restores the operators' acts.
    pub(crate) fn start(
        mut store: Box<dyn Store>,
        hub: &mut Hub,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let head = store.reader()?.head(LOBBY, Instant::now() + FIRST_LOOK_TIMEOUT)?;
        store.acts(&mut |act| hub.restore(&act))?;
        Ok(Self::of(Journal::start(store, wake)?, head.newest, hub))
    }

    /// Starts with a lobby whose newest message has this number.
    pub(crate) fn of(journal: Journal, newest_in_lobby: u64, hub: &mut Hub) -> Self {
        hub.resume_lobby(newest_in_lobby);
        Self { journal, done: VecDeque::new(), may_have_more: false, lines: LogLines::default() }
    }

    /// Returns whether no more messages are accepted until some have been stored.
    pub(crate) fn is_full(&self) -> bool {
        !self.done.is_empty() || self.journal.is_full()
    }

    pub(crate) fn may_have_more(&self) -> bool {
        self.may_have_more
    }

    /// Hands the hub's records and questions to the journal; `subnet_of` returns a connection's
    /// subnet.
    pub(crate) fn hand_over(&mut self, hub: &mut Hub, subnet_of: impl Fn(usize) -> u128) {
        let records = hub.take_pending_records();
        if !records.is_empty() {
            self.journal.append(records);
        }
        while let Some(pending) = hub.next_question() {
            let requester = Requester { subnet: subnet_of(pending.connection), number: pending.connection as u64 };
            if !self.journal.ask(pending.ticket, requester, pending.question.clone()) {
                hub.put_back(pending);
                return;
            }
        }
    }

    /// Passes results to the hub, as long as its members keep up.
    ///
    /// # Errors
    /// The store has failed, or a message's outcome was lost: the server must stop.
    pub(crate) fn take_in(&mut self, hub: &mut Hub, now_ms: u64) -> io::Result<()> {
        self.may_have_more = true;
        while !hub.is_flooded() {
            if self.done.is_empty() {
                self.done.extend(self.journal.take_done());
            }
            let Some(done) = self.done.pop_front() else {
                // Any later result wakes the loop.
                self.may_have_more = false;
                return Ok(());
            };
            match done {
                Done::Committed(entry) => {
                    let ticket = entry.ticket;
                    in_order(hub.committed(entry), ticket)?;
                }
                Done::Settled { ticket, outcome } => in_order(hub.settle(ticket, outcome), Some(ticket))?,
                Done::NotStored { ticket, error } => {
                    if let Some(left_out) = self.lines.not_stored.line(now_ms) {
                        warn!(%error, left_out, "not stored");
                    }
                    let words = if matches!(*error, StoreError::Full) { NO_SPACE } else { NOT_STORED };
                    let is_next = hub.settle(ticket, NotAppended::NotStored(words.to_string()));
                    in_order(is_next, Some(ticket))?;
                }
                Done::Answered { ticket, answer } => {
                    if let Err(error) = &answer
                        && let Some(left_out) = self.lines.not_read.line(now_ms)
                    {
                        warn!(%error, left_out, "the history was not read");
                    }
                    hub.answer(ticket, answer.map_err(|error| read_error(&error)));
                }
                // Once for each start.
                Done::Damaged(damage @ Damage::Log(_)) => warn!(%damage, "the history is damaged"),
                Done::Damaged(damage @ Damage::Messages { .. }) => {
                    if let Some(left_out) = self.lines.damage.line(now_ms) {
                        warn!(%damage, left_out, "the history is damaged");
                    }
                }
                Done::MaintenanceFailed(error) => {
                    warn!(%error, "maintenance of the history failed: no message is removed or indexed until it succeeds");
                }
                Done::IndexRebuilt(damage) => {
                    warn!(
                        %damage,
                        "the search index was damaged and is built again, which takes searches longer until it is done; no message \
                         is missing. Look after the disk, and when the server is stopped run `glassline history vacuum`: until then the old \
                         index may count as used space, and nothing is forgotten by --keep-bytes"
                    );
                }
                Done::Failed(error) => {
                    error!(%error, "the history failed; the server stops");
                    return Err(io::Error::other(error));
                }
            }
        }
        Ok(())
    }

    /// Logs that a client has a number of a room that the history has not given.
    pub(crate) fn note_ahead(&mut self, room: &str, seen: u64, newest: u64, now_ms: u64) {
        if let Some(left_out) = self.lines.ahead.line(now_ms) {
            warn!(
                room = &*one_line(room),
                seen,
                newest,
                left_out,
                "a client has a later number of this room than the history: messages may be lost, if a copy was restored or the log cut \
                 short; or the client is wrong"
            );
        }
    }

    pub(crate) fn gauges(&self) -> Gauges {
        self.journal.gauges()
    }

    /// Stores what was handed over, and ends the journal.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.journal.close(CLOSE_TIMEOUT)
    }
}

/// After a lost report nothing is settled, so a server that continued would keep
/// its clients waiting forever.
fn in_order(is_next: bool, ticket: Option<Ticket>) -> io::Result<()> {
    if is_next {
        return Ok(());
    }
    let ticket = ticket.unwrap_or_default();
    error!(ticket, "the history reported out of order; the server stops");
    let text = format!(
        "the history reported on record {ticket} out of order: this is a fault of Glassline; start it again, and report it"
    );
    Err(io::Error::other(text))
}

fn read_error(error: &StoreError) -> ReadError {
    match error {
        StoreError::Damaged(_) => ReadError::Unreadable(DAMAGED.to_string()),
        StoreError::TooSlow => ReadError::TooSlow(TOO_SLOW.to_string()),
        _ => ReadError::Unreadable(NOT_READ.to_string()),
    }
}

/// Shortest time between two log lines of one kind.
const INTERVAL_MS: u64 = 1_000;

/// Rate limit of one kind of log line, which any number of events may trigger.
#[derive(Debug, Default)]
struct Pacing {
    due_ms: u64,
    left_out: u64,
}

impl Pacing {
    /// Returns the number of lines left out since the last, if the line may be written now.
    fn line(&mut self, now_ms: u64) -> Option<u64> {
        if now_ms < self.due_ms {
            self.left_out += 1;
            return None;
        }
        self.due_ms = now_ms + INTERVAL_MS;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_says_how_many_were_left_out() {
        let mut pacing = Pacing::default();
        let lines: Vec<_> = [0, 1, 999, 1_000, 1_001, 9_000].map(|now_ms| pacing.line(now_ms)).into();
        assert_eq!(lines, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
