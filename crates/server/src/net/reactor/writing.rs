//! Writing: each member gets all that waits for it in one system call, straight from the loop.

use std::io;

use glassline_hub::{MemberId, WRITE_BYTES_MAX};
use tracing::info;

use crate::net::connection::Phase;
use crate::net::reactor::Reactor;
use crate::net::socket::Socket;
use crate::net::timers::Kind;

/// Members written to before the loop looks for input again. What arrives during a lap is then in the log before the lap
/// comes round, so that a member's next write carries more: under load, messages share system calls (`decisions/001`).
const WRITES_PER_TURN: usize = 32;

/// Writes to one member in a row, when it has more waiting than one write carries.
const WRITES_PER_VISIT: usize = 4;

/// Bytes that a parting member is still sent at most; one that is further behind has not been
/// reading.
const PARTING_BYTES_MAX: usize = 1 << 20;

/// When more than so many are parting at once, each is sent what one write carries.
const PARTING_FEW: usize = 64;

impl<L: Socket> Reactor<L> {
    /// Writes to those with something of their own, then goes on with the laps through the rooms.
    pub(crate) fn write_turn(&mut self) {
        for _ in 0..WRITES_PER_TURN {
            let Some(member) = self.hub.take_ready() else { break };
            if let Some(index) = self.hub.connection(member) {
                self.write_member(index);
            }
        }
        for _ in 0..WRITES_PER_TURN {
            let Some(member) = self.hub.next_in_round() else { break };
            if let Some(index) = self.hub.connection(member) {
                self.write_member(index);
            }
        }
    }

    fn write_member(&mut self, index: usize) {
        if !self.write_words(index) {
            return;
        }
        for _ in 0..WRITES_PER_VISIT {
            let Some(connection) = self.connections.get_mut(index) else { return };
            let Some(member) = connection.member else { return };
            let missed = self.hub.catch_up(member);
            if missed > 0 {
                self.counters.add("gaps");
                self.counters.add_many("missed", missed);
                info!(peer = %connection.peer, missed, "fell behind");
            }
            let gathered = self.hub.gather(member);
            let bytes = gathered.bytes();
            let sent = if bytes == 0 { Ok(0) } else { connection.link.write(gathered.slices()) };
            match sent {
                Ok(sent) => {
                    let drained = self.hub.advance(member, sent);
                    connection.sent_bytes += sent as u64;
                    self.traffic.note_sent(sent);
                    let may_go_on = connection.waits_for_outbox && !self.hub.is_overfull(member);
                    if sent < bytes {
                        self.note_blocked(index);
                    }
                    if may_go_on {
                        self.resume(index);
                    }
                    if sent < bytes || drained {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.hub.advance(member, 0);
                    self.note_blocked(index);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.close(index, "reset");
                    return;
                }
            }
        }
        if let Some(member) = self.connections.get(index).and_then(|connection| connection.member) {
            self.hub.wake(member);
        }
    }

    fn note_blocked(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        connection.writable = false;
        self.timers.set(index, Kind::Progress, self.now.monotonic_ms + self.config.limits.no_progress_timeout_ms);
    }

    /// A connection that was blocked for the whole limit: it is tried once more, because a kernel may call a socket writable
    /// only when much of its buffer is free. One that takes no byte is closed.
    pub(crate) fn check_progress(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if connection.writable {
            return;
        }
        let sent_bytes = connection.sent_bytes;
        connection.writable = true;
        if self.write_words(index) {
            self.write_member(index);
        }
        if let Some(connection) = self.connections.get(index)
            && !connection.writable
            && connection.sent_bytes == sent_bytes
        {
            self.close(index, "reads_nothing");
        }
    }

    /// Writes what comes before the hub's bytes. False while some of it is left.
    pub(crate) fn write_words(&mut self, index: usize) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(index) else { return false };
            if connection.words.is_empty() {
                return connection.writable;
            }
            if !connection.writable {
                return false;
            }
            let words = std::mem::take(&mut connection.words);
            match connection.link.write(&[&words]) {
                Ok(sent) if sent == words.len() => {
                    self.traffic.note_sent(sent);
                    self.finish_if_parting(index);
                }
                Ok(sent) => {
                    self.traffic.note_sent(sent);
                    connection.words = words[sent..].to_vec();
                    connection.sent_bytes += sent as u64;
                    self.note_blocked(index);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.words = words;
                    self.note_blocked(index);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => connection.words = words,
                Err(_) => {
                    self.close(index, "reset");
                    return false;
                }
            }
        }
    }

    /// Ends a connection in order: what waits for it and `words` are written, then it is closed.
    pub(crate) fn part(&mut self, index: usize, reason: &'static str, words: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if !matches!(connection.phase, Phase::Parting) {
            self.parting += 1;
        }
        connection.phase = Phase::Parting;
        connection.paused = false;
        self.leave_credit(index);
        let Some(connection) = self.connections.get_mut(index) else { return };
        connection.backlog = Vec::new();
        connection.takeover = None;
        let peer = connection.peer;
        let mut may_speak = true;
        if let Some(member) = connection.member.take() {
            self.keep_what_waits(index, member);
            may_speak = !self.hub.is_mid_frame(member);
            self.depart(member, peer, reason);
        }
        self.counters.add(reason);
        let Some(connection) = self.connections.get_mut(index) else { return };
        if may_speak {
            connection.words.extend(words);
        }
        self.timers.cancel_all(index);
        self.timers.set(index, Kind::Drain, self.now.monotonic_ms + self.config.limits.drain_timeout_ms);
        if connection.words.is_empty() {
            self.finish_if_parting(index);
        } else {
            self.write_words(index);
        }
        self.queue_read(index);
    }

    /// Copies what the hub has still for a member that is about to leave it.
    fn keep_what_waits(&mut self, index: usize, member: MemberId) {
        let bytes_max = if self.parting > PARTING_FEW { WRITE_BYTES_MAX } else { PARTING_BYTES_MAX };
        let Some(connection) = self.connections.get_mut(index) else { return };
        if self.closing_down && !connection.writable {
            // It has had all the time there is.
            return;
        }
        loop {
            self.hub.catch_up(member);
            let gathered = self.hub.gather(member);
            let bytes = gathered.bytes();
            if connection.words.len() + bytes > bytes_max {
                return;
            }
            for slice in gathered.slices() {
                connection.words.extend_from_slice(slice);
            }
            let drained = self.hub.advance(member, bytes);
            if drained || bytes == 0 {
                return;
            }
        }
    }

    /// Once its last word is out, a parting connection is told so, and closed if it has ended too.
    fn finish_if_parting(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if matches!(connection.phase, Phase::Parting) {
            connection.link.finish();
            if connection.read_ended {
                self.close(index, "parted");
            }
        }
    }
}
