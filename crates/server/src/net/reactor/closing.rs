//! The end: what was said is still stored and sent on, everybody hears goodbye, and each connection is closed behind its last word.
//!
//! [`crate::net::poll`] has the clock and waits between these steps.

use std::collections::BTreeMap;
use std::io;

use crate::net::reactor::Reactor;
use crate::net::socket::Socket;

impl<L: Socket> Reactor<L> {
    /// From now on nothing that anybody sends is taken in.
    pub(crate) fn begin_closing(&mut self) {
        self.closing_down = true;
        self.keep_order();
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

    /// Ends every connection; `goodbyes` are the words of those that could not be told before.
    pub(crate) fn part_all(&mut self, mut goodbyes: BTreeMap<usize, Vec<u8>>) {
        let everyone: Vec<_> =
            self.connections.iter().map(|(index, connection)| (index, connection.member.is_some())).collect();
        for (index, is_member) in everyone {
            let words = goodbyes.remove(&index).filter(|_| is_member);
            self.part(index, "server_closing", words.unwrap_or_default());
        }
    }
}
