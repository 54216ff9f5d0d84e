//! The end: what was said is still stored and sent on, everybody is told, and each connection is closed behind its last output.
//!
//! [`crate::net::poll`] has the clock and waits between these steps, in this order:
//! [`begin_closing`](Reactor::begin_closing), [`settle_turn`](Reactor::settle_turn) until nothing is
//! unsettled, [`say_goodbye`](Reactor::say_goodbye), [`write_turn`](Reactor::write_turn),
//! [`drain_all`](Reactor::drain_all), [`drain_turn`](Reactor::drain_turn),
//! [`finish`](Reactor::finish).

use std::collections::BTreeMap;
use std::io;

use tracing::info;

use crate::close_reason::CloseReason;
use crate::net::reactor::Reactor;
use crate::net::transport::Socket;

impl<S: Socket> Reactor<S> {
    /// From now on nothing that anybody sends is taken in. Where the history has failed,
    /// what was said and not stored is not acknowledged.
    pub(crate) fn begin_closing(&mut self, has_history_failed: bool) {
        if has_history_failed {
            self.history = None;
        }
        info!(members = self.hub.len(), "closing down");
        self.is_closing = true;
        self.apply_moderation();
    }

    /// Returns whether something was said that is not stored yet.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.history.is_some() && self.hub.unstored() > 0
    }

    /// Hands on what was said, and sends on what was stored.
    ///
    /// # Errors
    /// The history cannot go on.
    pub(crate) fn settle_turn(&mut self) -> io::Result<()> {
        self.give_to_history();
        self.take_in_done()?;
        self.write_turn();
        Ok(())
    }

    /// Returns whether there is something to do without waiting for a socket or the history.
    pub(crate) fn is_settling(&self) -> bool {
        self.hub.has_writes() || self.has_done()
    }

    /// Tells every member; returns the goodbyes of those that could not be told yet, for
    /// [`drain_all`](Self::drain_all).
    pub(crate) fn say_goodbye(&mut self, text: &str) -> BTreeMap<usize, Vec<u8>> {
        self.hub.say_goodbye(text)
    }

    /// Returns whether something can be written now.
    pub(crate) fn has_writes(&self) -> bool {
        self.hub.has_writes()
    }

    /// Returns whether a socket has to take something before more can be written to it.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connections.iter().any(|(_, connection)| !connection.transport().is_writable())
    }

    /// Ends every connection; `goodbyes` are for those that could not be told before.
    pub(crate) fn drain_all(&mut self, mut goodbyes: BTreeMap<usize, Vec<u8>>) {
        let everyone: Vec<_> =
            self.connections.iter().map(|(key, connection)| (key, connection.member().is_some())).collect();
        for (key, is_member) in everyone {
            let goodbye = goodbyes.remove(&key.index()).filter(|_| is_member);
            self.drain(key, CloseReason::ServerClosing, &goodbye.unwrap_or_default());
        }
    }

    /// Writes the last output, and reads on so that no unread byte turns a close into a reset.
    pub(crate) fn drain_turn(&mut self) {
        self.write_turn();
        self.read_turn();
    }

    /// Returns whether a peer's input can be read without waiting.
    pub(crate) fn has_input(&self) -> bool {
        !self.to_read.is_empty()
    }

    /// Returns whether every connection is closed.
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Closes what is left, and the history.
    ///
    /// # Errors
    /// Something that was said was not stored in time.
    pub(crate) fn finish(self) -> io::Result<()> {
        info!(counts = self.counters.summary(), "closed down");
        self.history.map_or(Ok(()), |history| history.close().map_err(io::Error::other))
    }
}
