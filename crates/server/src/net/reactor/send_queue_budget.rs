//! The bound on what is queued for all members together (L): past it members that do not read lose
//! their connection.

use std::cmp::Reverse;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;

/// Queued bytes from which a member is closed for the time it has not read, rather than for how
/// much is queued: an interrupted connection with a few answers waiting does no harm.
const LARGE_QUEUE_BYTES: usize = 4 * 1024;

impl<S: Socket> Reactor<S> {
    /// Closes members that take nothing until the rest is within the bound. Where all are about to
    /// be written to, none is closed.
    pub(super) fn enforce_send_queue_budget(&mut self) {
        while self.hub.is_over_budget() {
            let Some(key) = self.worst_reader() else { return };
            self.close(key, CloseReason::ReadsTooLittle);
        }
    }

    /// The large queue unread for longest; if none is large, the largest.
    fn worst_reader(&self) -> Option<ConnectionKey> {
        let blocked = self.connections.iter().filter(|(_, connection)| !connection.transport().is_writable());
        let ranked = blocked.filter_map(|(key, connection)| {
            let queued_bytes = self.hub.queued_bytes(connection.member()?);
            let is_large = queued_bytes >= LARGE_QUEUE_BYTES;
            // The sooner it would be closed for taking nothing, the longer it has taken nothing.
            let due_ms = self.timers.due_ms(key, Kind::Progress).filter(|_| is_large);
            (queued_bytes > 0).then_some(((is_large, due_ms.map(Reverse), queued_bytes), key))
        });
        ranked.max().map(|(_, key)| key)
    }
}
