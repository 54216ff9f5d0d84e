//! Writing: each member gets all that waits for it in one system call, straight from the loop.

use glassline_hub::{MemberId, WRITE_BYTES_MAX};
use tracing::info;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::metrics::Counted;
use crate::net::connection::Connection;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;
use crate::protocol::ANSWER_TIMEOUT_MS;

/// Members written to before the loop looks for input again. What arrives during a round is then in
/// the log before the round reaches the member again, so that a member's next write carries more:
/// under load, messages share system calls (`decisions/001`).
const WRITES_PER_TURN: usize = 32;

/// Writes to one member in a row, when it has more waiting than one write carries.
const WRITES_PER_STEP: usize = 4;

/// Bytes that a draining member is still sent at most; one that lags further has not been reading.
const DRAINING_BYTES_MAX: usize = 1 << 20;

/// When more than so many are draining at once, each is sent what one write carries.
const DRAINING_FEW: usize = 64;

impl<S: Socket> Reactor<S> {
    /// Writes to members with private output, then continues the rooms' fan-out rounds.
    pub(super) fn write_turn(&mut self) {
        for _ in 0..WRITES_PER_TURN {
            let Some(member) = self.hub.take_ready() else { break };
            self.write_member(member);
        }
        for _ in 0..WRITES_PER_TURN {
            let Some(member) = self.hub.next_in_round() else { break };
            self.write_member(member);
        }
    }

    fn write_member(&mut self, member: MemberId) {
        if let Some(key) = self.hub.connection(member).and_then(|index| self.connections.key_at(index)) {
            self.write_connection(key);
        }
    }

    /// Writes a connection's own output, then what the hub has for it.
    pub(super) fn write_connection(&mut self, key: ConnectionKey) {
        if !self.write_output(key) {
            return;
        }
        for _ in 0..WRITES_PER_STEP {
            let Some(connection) = self.connections.get_mut(key) else { return };
            let Some(member) = connection.member() else { return };
            let missed = self.hub.skip_lost(member);
            if missed > 0 {
                self.counters.add(Counted::Gaps);
                self.counters.add_many(Counted::Missed, missed);
                info!(peer = %connection.peer(), missed, "fell behind");
            }
            let gathered = self.hub.gather(member);
            let is_empty = gathered.bytes() == 0;
            let transport = connection.transport_mut();
            let written = if is_empty { Ok(0) } else { transport.write(gathered.slices(), &mut self.traffic) };
            let Ok(written) = written else {
                self.close(key, CloseReason::Reset);
                return;
            };
            let is_writable = transport.is_writable();
            let is_drained = self.hub.advance(member, written);
            if connection.waits_for_send_queue() && !self.hub.is_overfull(member) {
                self.resume(key);
            }
            if !is_writable {
                self.watch_progress(key);
                return;
            }
            if is_drained {
                return;
            }
        }
        if let Some(member) = self.connections.get(key).and_then(Connection::member) {
            self.hub.wake(member);
        }
    }

    /// Writes output that precedes the hub's bytes. Returns whether those may follow.
    pub(super) fn write_output(&mut self, key: ConnectionKey) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        let written = connection.write_output(&mut self.traffic);
        let Ok(may_follow) = written else {
            self.close(key, CloseReason::Reset);
            return false;
        };
        if connection.is_draining() {
            match connection.finish_if_drained() {
                Ok(false) => {}
                Ok(true) => self.close_drained(key),
                Err(_) => self.close(key, CloseReason::Reset),
            }
        }
        if !may_follow {
            self.watch_progress(key);
        }
        may_follow
    }

    /// Ends a connection in order: what waits for it and `output` are written, then it is closed.
    pub(super) fn drain(&mut self, key: ConnectionKey, reason: CloseReason, output: &[u8]) {
        self.leave_credit(key);
        let Some(connection) = self.connections.get_mut(key) else { return };
        self.draining += usize::from(connection.drain());
        self.counters.add_end(reason, connection.transport().is_handshaking());
        let peer = connection.peer();
        let mut may_append = true;
        if let Some(member) = connection.take_member() {
            self.keep_what_waits(key, member);
            may_append = !self.hub.is_mid_frame(member);
            self.depart(member, peer, reason);
        }
        if may_append && let Some(connection) = self.connections.get_mut(key) {
            connection.say(output);
        }
        self.timers.cancel_all(key);
        let drain_timeout_ms = match reason {
            // The last answer may be a file.
            CloseReason::HttpDone => ANSWER_TIMEOUT_MS,
            _ => self.config.limits.drain_timeout_ms,
        };
        self.timers.set(key, Kind::Drain, self.now.monotonic_ms + drain_timeout_ms);
        self.write_output(key);
        self.queue_read(key);
    }

    /// Copies the hub's remaining output for a member that is about to leave the hub.
    fn keep_what_waits(&mut self, key: ConnectionKey, member: MemberId) {
        let bytes_max = if self.draining > DRAINING_FEW { WRITE_BYTES_MAX } else { DRAINING_BYTES_MAX };
        let Some(connection) = self.connections.get_mut(key) else { return };
        let transport = connection.transport();
        if transport.has_failed() || (self.is_closing && !transport.is_writable()) {
            // Nothing can be sent, or its time to read was the shutdown's time limit.
            return;
        }
        loop {
            self.hub.skip_lost(member);
            let gathered = self.hub.gather(member);
            let bytes = gathered.bytes();
            if connection.output_bytes() + bytes > bytes_max {
                return;
            }
            for slice in gathered.slices() {
                connection.say(slice);
            }
            let is_drained = self.hub.advance(member, bytes);
            if is_drained || bytes == 0 {
                return;
            }
        }
    }
}
