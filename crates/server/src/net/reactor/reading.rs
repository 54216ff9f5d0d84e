//! Reading: bytes go through the door, then to a session, and its verdict is carried out.

use std::io;
use std::panic::{self, AssertUnwindSafe};

use glassline_hub::{Awaits, subnet};
use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::visible;
use tracing::{error, info};

use crate::net::connection::Phase;
use crate::net::reactor::{READ_BYTES_MAX, Reactor};
use crate::net::socket::Socket;
use crate::net::timers::Kind;
use crate::protocol::sniff::Entry;
use crate::protocol::{Desk, Verdict, Wait, event::EventSession, tutorial::TutorialSession};

/// Largest read from a connection with a flood limit: what has to wait is held, so it is kept small.
const LIMITED_READ_BYTES_MAX: usize = 16 * 1024;

impl<L: Socket> Reactor<L> {
    /// Reads once from each connection that has something.
    pub(crate) fn read_turn(&mut self) {
        for _ in 0..self.to_read.len() {
            // One turn's input must not outrun a log while its members wait to be written to.
            if !self.may_read() {
                break;
            }
            let Some(index) = self.to_read.pop_front() else { break };
            if let Some(connection) = self.connections.get_mut(index) {
                connection.queued = false;
                self.write_words(index);
                self.read_one(index);
                self.queue_read(index);
                self.give_what_is_much();
                self.hold_outbox_budget();
            }
        }
    }

    /// Reads once from a connection, whether or not something was reported of it.
    pub(crate) fn read_now(&mut self, index: usize) {
        if let Some(connection) = self.connections.get_mut(index) {
            connection.readable = true;
            self.read_one(index);
            self.give_what_is_much();
        }
    }

    fn read_one(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if !connection.has_input() {
            return;
        }
        if !connection.backlog.is_empty() {
            let held = std::mem::take(&mut connection.backlog);
            self.take_in(index, &held);
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let limit = if connection.flood.is_some() { LIMITED_READ_BYTES_MAX } else { READ_BYTES_MAX };
        match connection.link.read(&mut buffer[..limit]) {
            Ok(0) => self.end_of_stream(index),
            Ok(bytes) => {
                self.traffic.received_bytes += bytes as u64;
                connection.heard_ms = self.now.monotonic_ms;
                connection.reads += 1;
                // Less than asked for: the socket is empty, and an edge will say when it is not. Only an end that was
                // announced already has no edge of its own.
                connection.readable = bytes == limit || connection.read_closed;
                self.take_in(index, &buffer[..bytes]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.readable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.close(index, "reset"),
        }
        self.buffer = buffer;
    }

    /// The peer has sent all it had; a frame cut off is dropped (T7), and the rest is an orderly departure (T6).
    fn end_of_stream(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let is_owed_past = connection.member.is_some_and(|member| self.hub.is_owed_past(member));
        if self.hub.awaits(index) != Awaits::Nothing || is_owed_past {
            // What it said last is not stored yet, or what it asked not answered. The end is read again behind that.
            connection.paused = true;
            connection.waits_for_history = true;
            return;
        }
        connection.read_ended = true;
        let reason = match &connection.phase {
            Phase::AtDoor(_) => "closed_at_door",
            Phase::Tutorial(session) if session.is_at_boundary() => "closed",
            Phase::Event(session) if session.is_at_boundary() => "closed",
            Phase::Tutorial(_) | Phase::Event(_) => "closed_inside_frame",
            Phase::Parting => {
                if connection.words.is_empty() {
                    self.close(index, "parted");
                }
                return;
            }
        };
        self.part(index, reason, Vec::new());
    }

    fn take_in(&mut self, index: usize, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let mut input = bytes;
        if let Phase::AtDoor(door) = &mut connection.phase {
            let local = connection.link.local_address();
            let (session, mut whole) = match door.look(&mut input, self.config.pure, local) {
                Entry::Waits => return,
                Entry::Refused { reason, words } => {
                    self.refuse(index, reason, "", words);
                    return;
                }
                Entry::Event => (Phase::Event(EventSession::new()), Vec::new()),
                // What was seen at the door is the start of the first header.
                Entry::Tutorial => (Phase::Tutorial(TutorialSession::new()), door.seen().to_vec()),
            };
            if self.is_turned_away(index, matches!(session, Phase::Event(_))) {
                return;
            }
            if let Some(connection) = self.connections.get_mut(index) {
                connection.phase = session;
            }
            whole.extend_from_slice(input);
            self.session_takes(index, &whole);
            return;
        }
        self.session_takes(index, input);
    }

    fn session_takes(&mut self, index: usize, bytes: &[u8]) {
        let mut input = bytes;
        // A fault in one connection ends that connection only.
        let verdict = panic::catch_unwind(AssertUnwindSafe(|| self.verdict_on(index, &mut input)));
        if let Ok(verdict) = verdict {
            self.carry_out(index, verdict, input);
        } else {
            error!(index, "a session failed; this is a fault of the server, please report it");
            self.close(index, "session_failed");
        }
        self.keep_order();
    }

    /// Goes on with the connections for which the history has done its part.
    pub(crate) fn resume_settled(&mut self) {
        // What they sent meanwhile must not outrun the history either; the others go on in a later turn.
        while self.may_read() {
            let Some(index) = self.hub.take_settled() else { break };
            let Some(connection) = self.connections.get_mut(index) else { continue };
            if std::mem::take(&mut connection.waits_for_history) {
                connection.paused = false;
                let backlog = std::mem::take(&mut connection.backlog);
                self.session_takes(index, &backlog);
                self.queue_read(index);
                self.give_what_is_much();
                self.hold_outbox_budget();
            }
        }
    }

    fn verdict_on(&mut self, index: usize, input: &mut &[u8]) -> Verdict {
        let verdict = self.at_desk(index, |phase, desk| match phase {
            Phase::Tutorial(session) => session.take(input, desk),
            Phase::Event(session) => session.take(input, desk),
            Phase::AtDoor(_) | Phase::Parting => Verdict::GoesOn,
        });
        verdict.unwrap_or(Verdict::GoesOn)
    }

    /// Lets a connection's session act on the hub.
    pub(crate) fn at_desk<T>(&mut self, index: usize, act: impl FnOnce(&mut Phase, &mut Desk<'_>) -> T) -> Option<T> {
        let connection = self.connections.get_mut(index)?;
        let mut desk = Desk {
            hub: &mut self.hub,
            now: self.now,
            connection: index,
            address: connection.peer.ip(),
            member: &mut connection.member,
            flood: connection.flood.as_deref_mut(),
            words: &mut connection.words,
            pure: self.config.pure,
        };
        Some(act(&mut connection.phase, &mut desk))
    }

    /// Does what a session decided; `rest` is the input it did not take.
    pub(crate) fn carry_out(&mut self, index: usize, verdict: Verdict, rest: &[u8]) {
        self.note_name(index);
        self.write_words(index);
        let Some(connection) = self.connections.get_mut(index) else { return };
        match verdict {
            Verdict::GoesOn => {}
            Verdict::Waits(wait) => {
                let is_unregistered = connection.member.is_none();
                if is_unregistered && rest.len() > GREETING_BYTES_MAX {
                    self.refuse(index, "too_much_before_welcome", "", Vec::new());
                    return;
                }
                connection.paused = true;
                if connection.backlog.is_empty() {
                    connection.backlog = rest.to_vec();
                }
                match wait {
                    Wait::Flood { resume_after_ms } => {
                        self.counters.add("flood_pauses");
                        self.timers.set(index, Kind::Resume, self.now.monotonic_ms + resume_after_ms);
                    }
                    Wait::Outbox => {
                        connection.waits_for_outbox = true;
                        self.counters.add("outbox_pauses");
                    }
                    Wait::Lap => connection.paused = false,
                    Wait::Takeover { holder } => self.ask_holder(index, holder),
                    Wait::History => connection.waits_for_history = true,
                }
            }
            Verdict::Left { reason, words } => self.part(index, reason, words),
            Verdict::Refused { reason, detail, words } => self.refuse(index, reason, &detail, words),
        }
    }

    /// A connection whose name was just accepted is no stranger any more.
    fn note_name(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let Some(member) = connection.member else { return };
        if !self.unregistered.remove(subnet(connection.peer.ip()), connection.serial) {
            return;
        }
        self.timers.cancel(index, Kind::Greeting);
        self.counters.add("joined");
        let dialect = match connection.phase {
            Phase::Event(_) => {
                self.timers.set(index, Kind::Silence, self.now.monotonic_ms + self.config.limits.ping_after_ms);
                "event"
            }
            _ => "tutorial",
        };
        let name = visible::one_line(self.hub.name(member));
        info!(peer = %connection.peer, name = &*name, dialect, "joined");
    }

    pub(crate) fn refuse(&mut self, index: usize, reason: &'static str, detail: &str, words: Vec<u8>) {
        if let Some(connection) = self.connections.get(index) {
            let detail = visible::one_line(detail);
            info!(peer = %connection.peer, reason, detail = &*detail, "refused");
        }
        self.part(index, reason, words);
    }
}
