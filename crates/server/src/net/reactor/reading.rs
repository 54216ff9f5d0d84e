//! Reading: passes bytes to the connection's protocol and executes the step it returns.

use std::mem;
use std::panic::{self, AssertUnwindSafe};

use glassline_hub::Awaits;
use glassline_wire::layer::LayerError;
use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::link::LinkKind;
use glassline_wire::visible;
use tracing::{error, info};

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::metrics::Counted;
use crate::net::connection::PauseReason;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::{ReadError, Received, Socket};
use crate::protocol::{Carrier, Pause, Protocol, SessionContext, Step};

impl<S: Socket> Reactor<S> {
    pub(super) fn read_turn(&mut self) {
        for _ in 0..self.to_read.len() {
            // One turn's input must not outrun a log while its members wait to be written to.
            if !self.may_read() {
                break;
            }
            let Some(key) = self.to_read.pop_front() else { break };
            if let Some(connection) = self.connections.get_mut(key) {
                // One in a handshake stays in the list until its turn comes there.
                let is_handshake = connection.transport().is_handshaking() && connection.has_input();
                if !is_handshake {
                    connection.dequeue();
                }
                self.write_output(key);
                if is_handshake {
                    self.handshakes.push(key);
                    continue;
                }
                self.read_one(key);
                self.queue_read(key);
                self.give_what_is_much();
                self.enforce_send_queue_budget();
            }
        }
        self.handshake_turn();
    }

    /// Reads once from a connection, whether or not something was reported of it. Does nothing during
    /// the read of another connection, which has the buffer.
    pub(super) fn read_now(&mut self, key: ConnectionKey) {
        if let Some(connection) = self.connections.get_mut(key).filter(|_| !self.buffer.is_taken()) {
            connection.transport_mut().expect_input();
            self.read_one(key);
            self.give_what_is_much();
        }
    }

    pub(super) fn read_one(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.has_input() {
            return;
        }
        let held = connection.take_backlog();
        if !held.is_empty() {
            self.take_bytes(key, &held);
            return;
        }
        let mut buffer = mem::take(&mut self.buffer);
        let has_layers = connection.transport().has_layers();
        let received = if has_layers {
            // Bytes of a peer that make a layer panic end that connection only.
            let parts = (&mut *self, &mut buffer);
            panic::catch_unwind(AssertUnwindSafe(move || {
                let (reactor, buffer) = parts;
                reactor.read_through_layers(key, buffer)
            }))
        } else {
            Ok(connection.read(&mut buffer, &mut self.traffic, self.now.monotonic_ms))
        };
        match received {
            Ok(Ok(Received::Plaintext { plaintext, .. })) => {
                if !plaintext.is_empty() {
                    self.take_bytes(key, plaintext);
                }
                if has_layers {
                    // Output of the layers for what was read, and what waited for their handshake.
                    self.write_output(key);
                    self.pause_for_overhead(key);
                }
            }
            Ok(Ok(Received::Nothing)) => {}
            Ok(Ok(Received::End)) => self.end_of_stream(key),
            Ok(Err(error)) => self.end_by_error(key, error),
            Err(_) => self.end_failed_session(key),
        }
        self.buffer = buffer;
    }

    /// Bytes that belong to no frame are limited as those of frames are.
    fn pause_for_overhead(&mut self, key: ConnectionKey) {
        let now_ms = self.now.monotonic_ms;
        let wait_ms = self.connections.get_mut(key).and_then(|connection| connection.overhead_wait_ms(now_ms));
        if let Some(resume_after_ms) = wait_ms {
            self.pause(key, Pause::Flood { resume_after_ms }, &[]);
        }
    }

    /// The peer has sent all it had.
    fn end_of_stream(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_draining() {
            let is_replaying = connection.member().is_some_and(|member| self.hub.is_replaying(member));
            if self.hub.awaits(key.index()) != Awaits::Nothing || is_replaying {
                // Its last message is not stored yet, or its query not answered. The end is
                // read again after that.
                connection.pause(PauseReason::History);
                return;
            }
            let reason = connection.protocol().end_of_input();
            self.drain(key, reason, &[]);
        }
        if let Some(connection) = self.connections.get_mut(key) {
            connection.note_end_of_input();
            self.write_output(key);
        }
    }

    fn take_bytes(&mut self, key: ConnectionKey, bytes: &[u8]) {
        let mut input = bytes;
        // A fault in one connection ends that connection only.
        let step = panic::catch_unwind(AssertUnwindSafe(|| {
            self.with_context(key, |protocol, context| protocol.take(&mut input, context))
        }));
        match step {
            Ok(Some(step)) => self.apply(key, step, input),
            Ok(None) => {}
            Err(_) => self.end_failed_session(key),
        }
        self.apply_hub_effects();
    }

    fn end_failed_session(&mut self, key: ConnectionKey) {
        error!(index = key.index(), "a session failed; this is a fault of the server, please report it");
        self.close(key, CloseReason::SessionFailed);
    }

    /// Ends a connection that cannot be read further. What a layer has to say about it is still
    /// sent.
    fn end_by_error(&mut self, key: ConnectionKey, error: ReadError) {
        let (reason, error) = match error {
            ReadError::Reset => return self.close(key, CloseReason::Reset),
            ReadError::Handshake(error) => (CloseReason::HandshakeFailed, error),
            ReadError::Layer(error @ LayerError::Truncated) => (CloseReason::Truncated, error),
            ReadError::Layer(error) => (CloseReason::LinkBroken, error),
        };
        self.refuse_or_drain(key, reason, &error.to_string(), &[]);
    }

    /// Resumes the connections that waited for the history.
    pub(super) fn resume_settled(&mut self) {
        // Their later input must not outrun the history either; the others resume in a later turn.
        while self.may_read() {
            let Some(index) = self.hub.take_settled() else { break };
            let Some(key) = self.connections.key_at(index) else { continue };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if connection.resume_from_history() {
                let backlog = connection.take_backlog();
                self.take_bytes(key, &backlog);
                self.queue_read(key);
                self.give_what_is_much();
                self.enforce_send_queue_budget();
            }
        }
    }

    /// Runs an action of a connection's session on the hub; `None` if the session has ended.
    pub(super) fn with_context<T>(
        &mut self,
        key: ConnectionKey,
        act: impl FnOnce(&mut Protocol, &mut SessionContext<'_>) -> T,
    ) -> Option<T> {
        let connection = self.connections.get_mut(key).filter(|connection| !connection.is_draining())?;
        let was_member = connection.member().is_some();
        let may_register = !was_member && !self.admission.has_members_max(connection.peer().ip(), &self.config.limits);
        let done = connection.with_context(key, &mut self.hub, self.now, &self.config, may_register, act);
        if !was_member {
            self.note_login(key);
            self.note_http(key);
        }
        Some(done)
    }

    /// Does what a session decided; `rest` is the input it did not take.
    pub(super) fn apply(&mut self, key: ConnectionKey, step: Step, rest: &[u8]) {
        self.write_output(key);
        match step {
            Step::Continue => {}
            Step::Pause(pause) => self.pause(key, pause, rest),
            Step::StartLink { link, opening } => self.start_link(key, link, opening),
            Step::StartWebSocket { response, first_bytes } => self.start_websocket(key, response, first_bytes),
            Step::Close { reason, detail, output } => self.refuse_or_drain(key, reason, &detail, &output),
        }
    }

    fn pause(&mut self, key: ConnectionKey, pause: Pause, rest: &[u8]) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.member().is_none() && rest.len() > GREETING_BYTES_MAX {
            self.refuse_or_drain(key, CloseReason::TooMuchBeforeWelcome, "", &[]);
            return;
        }
        connection.keep(rest);
        match pause {
            Pause::Flood { resume_after_ms } => {
                connection.pause(PauseReason::Timer);
                self.counters.add(Counted::FloodPauses);
                self.timers.set(key, Kind::Resume, self.now.monotonic_ms + resume_after_ms);
            }
            Pause::SendQueue => {
                connection.pause(PauseReason::SendQueue);
                self.counters.add(Counted::SendQueuePauses);
            }
            Pause::FanOut => {}
            Pause::Takeover { holder } => self.ask_holder(key, holder),
            Pause::History => connection.pause(PauseReason::History),
        }
    }

    /// Registers a connection whose name was just accepted.
    fn note_login(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Some(member) = connection.member() else { return };
        if !self.admission.register(connection.peer(), key) {
            return;
        }
        self.timers.cancel(key, Kind::Greeting);
        self.counters.add(Counted::Joined);
        let dialect = match connection.protocol() {
            Protocol::Event(_) => {
                self.timers.set(key, Kind::Silence, self.now.monotonic_ms + self.config.limits.ping_after_ms);
                "event"
            }
            _ => "tutorial",
        };
        let name = visible::one_line(self.hub.name(member));
        let link = Some(connection.transport().link_facts().kind).filter(|kind| *kind != LinkKind::Plaintext);
        info!(peer = %connection.peer(), name = &*name, dialect, link = link.map(LinkKind::as_str), "joined");
    }

    /// Ends a connection in order. A refused login, or a close because of its input, is logged
    /// with its detail.
    pub(super) fn refuse_or_drain(&mut self, key: ConnectionKey, reason: CloseReason, detail: &str, output: &[u8]) {
        if reason.is_refusal()
            && let Some(connection) = self.connections.get(key)
        {
            let detail = visible::one_line(detail);
            info!(peer = %connection.peer(), reason = reason.into_str(), detail = &*detail, "refused");
        }
        self.drain(key, reason, output);
    }
}
