//! The bound on what is queued for all members together (L): past it those who do not read lose
//! their connection.

use std::cmp::Reverse;

use crate::net::reactor::Reactor;
use crate::net::socket::Socket;
use crate::net::timers::Kind;

/// Reason for closing a member that does not read while too much is queued for all.
const READS_TOO_LITTLE: &str = "reads_too_little";
/// Queued bytes from which a member is closed for the time it has not read, rather than for how
/// much is queued: an interrupted link with a few answers waiting does no harm.
const LARGE_QUEUE_BYTES: usize = 4 * 1024;

impl<L: Socket> Reactor<L> {
    /// Closes members that take nothing until the rest is within the bound. Where all are about to
    /// be written to, none is closed.
    pub(crate) fn hold_outbox_budget(&mut self) {
        while self.hub.is_over_budget() {
            let Some(index) = self.worst_reader() else { return };
            self.close(index, READS_TOO_LITTLE);
        }
    }

    /// The member with a large queue that has taken nothing for longest; if none is large, that
    /// with the largest.
    fn worst_reader(&self) -> Option<usize> {
        let blocked = self.connections.iter().filter(|(_, connection)| !connection.writable);
        let ranked = blocked.filter_map(|(index, connection)| {
            let queued_bytes = self.hub.queued_bytes(connection.member?);
            let is_large = queued_bytes >= LARGE_QUEUE_BYTES;
            // The sooner it would be closed for taking nothing, the longer it has taken nothing.
            let due_ms = self.timers.due_ms(index, Kind::Progress).filter(|_| is_large);
            (queued_bytes > 0).then_some(((is_large, due_ms.map(Reverse), queued_bytes), index))
        });
        ranked.max().map(|(_, index)| index)
    }
}
