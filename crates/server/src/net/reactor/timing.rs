//! Deadlines of connections and of the hub.

use glassline_wire::event::Event;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;

/// Rooms' idle memory is given back so often.
pub(super) const SHRINK_INTERVAL_MS: u64 = 10_000;

impl<S: Socket> Reactor<S> {
    pub(super) fn timer_turn(&mut self) {
        self.hub.tick(self.now);
        let now_ms = self.now.monotonic_ms;
        while let Some((key, kind)) = self.timers.take_due(now_ms) {
            match kind {
                Kind::Greeting => self.close(key, CloseReason::NoNameInTime),
                Kind::Request => self.end_http_in_time(key),
                Kind::Drain => self.close_drained(key),
                Kind::Resume => self.resume(key),
                Kind::Probe => self.decide_takeover(key),
                Kind::Progress => self.check_progress(key),
                Kind::Silence => self.check_silence(key),
            }
        }
        if now_ms >= self.shrink_due_ms {
            self.shrink_due_ms = now_ms + SHRINK_INTERVAL_MS;
            self.hub.shrink();
        }
    }

    /// Sets the deadline by which a connection must take a byte, where it takes none now.
    pub(super) fn watch_progress(&mut self, key: ConnectionKey) {
        if self.connections.get(key).is_some_and(|connection| !connection.transport().is_writable())
            && self.timers.due_ms(key, Kind::Progress).is_none()
        {
            self.timers.set(key, Kind::Progress, self.now.monotonic_ms + self.config.limits.no_progress_timeout_ms);
        }
    }

    /// Retries a connection that was blocked for the whole limit, or closes it.
    fn check_progress(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let transport = connection.transport_mut();
        if transport.is_writable() {
            return;
        }
        let sent_bytes = transport.sent_bytes();
        transport.expect_room();
        self.write_connection(key);
        let blocked = self.connections.get(key).map(super::Connection::transport);
        if blocked.is_some_and(|transport| !transport.is_writable() && transport.sent_bytes() == sent_bytes) {
            self.close(key, CloseReason::ReadsNothing);
        }
    }

    /// Sends a silent member a `ping`, or closes it. Event members only; for tutorial members TCP
    /// keepalive does this (L).
    fn check_silence(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get(key) else { return };
        let Some(member) = connection.member() else { return };
        let (limits, now_ms) = (&self.config.limits, self.now.monotonic_ms);
        let received_ms = connection.received_ms(now_ms);
        let silent_ms = now_ms.saturating_sub(received_ms);
        if silent_ms >= limits.dead_after_ms {
            self.close(key, CloseReason::Silent);
        } else if silent_ms >= limits.ping_after_ms {
            let next_ms = (received_ms + limits.dead_after_ms).min(now_ms + limits.ping_after_ms);
            self.hub.send_at_once(member, Event::Ping {});
            self.timers.set(key, Kind::Silence, next_ms);
        } else {
            self.timers.set(key, Kind::Silence, received_ms + limits.ping_after_ms);
        }
    }
}
