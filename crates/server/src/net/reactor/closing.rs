//! Shutdown: messages received are still stored and sent on, clients get a goodbye, and each
//! connection is closed after its last output.
//!
//! [`crate::net::poll`] has the clock and waits between these steps, in this order:
//! [`begin_closing`](Reactor::begin_closing), [`settle_turn`](Reactor::settle_turn),
//! [`say_goodbye`](Reactor::say_goodbye), [`goodbye_turn`](Reactor::goodbye_turn),
//! [`drain_all`](Reactor::drain_all), [`drain_turn`](Reactor::drain_turn),
//! [`finish`](Reactor::finish).

use std::collections::BTreeMap;
use std::io;

use tracing::info;

use crate::close_reason::CloseReason;
use crate::net::reactor::Reactor;
use crate::net::transport::Socket;

impl<S: Socket> Reactor<S> {
    /// Stops processing input. If the history has failed,
    /// messages that were not stored are not acknowledged.
    pub(crate) fn begin_closing(&mut self, has_history_failed: bool) {
        if has_history_failed {
            self.history = None;
        }
        info!(members = self.hub.len(), "closing down");
        self.is_closing = true;
        self.apply_hub_effects();
    }

    /// Hands messages over for storing, sends stored ones. Returns how long to wait for more of
    /// that; nothing once everything is stored, or no time is left.
    ///
    /// # Errors
    /// The history has failed.
    pub(crate) fn settle_turn(&mut self, left_ms: u64) -> io::Result<Option<u64>> {
        self.give_to_history();
        self.take_in_done()?;
        self.write_turn();
        let is_unsettled = self.history.is_some() && self.hub.unstored() > 0;
        let is_busy = self.hub.has_writes() || self.may_have_more();
        Ok((is_unsettled && left_ms > 0).then_some(if is_busy { 0 } else { left_ms }))
    }

    /// Sends goodbyes to members; returns those of members in a replay, for
    /// [`drain_all`](Self::drain_all).
    pub(crate) fn say_goodbye(&mut self, text: &str) -> BTreeMap<usize, Vec<u8>> {
        self.hub.say_goodbye(text)
    }

    /// Writes what waits. Returns how long to wait for sockets to take more; nothing once all is
    /// written, or no time is left.
    pub(crate) fn goodbye_turn(&mut self, left_ms: u64) -> Option<u64> {
        self.write_turn();
        let has_writes = self.hub.has_writes();
        let is_blocked = self.connections.iter().any(|(_, connection)| !connection.transport().is_writable());
        (left_ms > 0 && (is_blocked || has_writes)).then_some(if has_writes { 0 } else { left_ms })
    }

    /// Ends every connection; `goodbyes` are for those that got none before.
    pub(crate) fn drain_all(&mut self, mut goodbyes: BTreeMap<usize, Vec<u8>>) {
        let everyone: Vec<_> =
            self.connections.iter().map(|(key, connection)| (key, connection.member().is_some())).collect();
        for (key, is_member) in everyone {
            let goodbye = goodbyes.remove(&key.index()).filter(|_| is_member);
            self.drain(key, CloseReason::ServerClosing, &goodbye.unwrap_or_default());
        }
    }

    /// Writes the last output, and reads on so that no unread byte turns a close into a reset.
    /// Returns how long to wait for peers to close first; nothing once all have, or no time is
    /// left.
    pub(crate) fn drain_turn(&mut self, left_ms: u64) -> Option<u64> {
        self.write_turn();
        self.read_turn();
        let is_over = self.connections.is_empty() || left_ms == 0;
        (!is_over).then_some(if self.has_queued_reads() { 0 } else { left_ms })
    }

    /// Closes what is left, and the history.
    ///
    /// # Errors
    /// A message was not stored in time.
    pub(crate) fn finish(self) -> io::Result<()> {
        info!(counts = self.counters.summary(), "closed down");
        self.history.map_or(Ok(()), |history| history.close().map_err(io::Error::other))
    }
}
