//! Handshakes of links: work for the processor that a stranger causes, so members do not wait for
//! more than one step of it at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use glassline_wire::link::LinkKind;
use tracing::debug;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::reactor::Reactor;
use crate::net::transport::{ReadBuffer, ReadError, Received, Socket};
use crate::protocol::Carrier;

/// Turns for each step while output waits for members. A step takes as long as writing to some
/// thirty members (`decisions/026`), so a fan-out round takes a quarter longer in a storm.
const TURNS_PER_STEP: u32 = 4;

/// First bytes of a link that are taken before its handshake: one record of TLS. No client has more
/// to send before the server answers.
const OPENING_BYTES_MAX: usize = 16 * 1024;

/// Connections with input for a handshake, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    waiting: VecDeque<ConnectionKey>,
    /// Turns since the last step.
    turns: u32,
}

impl Handshakes {
    pub(super) fn push(&mut self, key: ConnectionKey) {
        self.waiting.push_back(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<S: Socket> Reactor<S> {
    /// Runs one step of one handshake: a turn without one costs little, so more of them in a turn
    /// would gain nothing.
    pub(super) fn handshake_turn(&mut self) {
        self.handshakes.turns = self.handshakes.turns.saturating_add(1);
        if self.hub.has_writes() && self.handshakes.turns < TURNS_PER_STEP {
            return;
        }
        while self.may_read() {
            let Some(key) = self.handshakes.waiting.pop_front() else { return };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.dequeue();
            let is_step = connection.transport().is_handshaking() && connection.has_input();
            self.read_one(key);
            self.queue_read(key);
            if is_step {
                self.handshakes.turns = 0;
                return;
            }
        }
    }

    /// Has a link begin in the next turn that has time for it.
    pub(super) fn start_link(&mut self, key: ConnectionKey, link: LinkKind, opening: Vec<u8>) {
        let Some(factory) = self.config.links.factory(link).map(Arc::clone) else { return };
        if opening.len() > OPENING_BYTES_MAX {
            self.refuse_or_drain(key, CloseReason::TooMuchBeforeWelcome, "", &[]);
        } else if let Some(connection) = self.connections.get_mut(key) {
            connection.transport_mut().start_link(factory, opening);
        }
    }

    /// Reads through layers, and counts the link that this completes.
    pub(super) fn read_through_layers<'b>(
        &mut self,
        key: ConnectionKey,
        buffer: &'b mut ReadBuffer,
    ) -> Result<Received<'b>, ReadError> {
        let Some(connection) = self.connections.get_mut(key) else { return Ok(Received::Nothing) };
        let was_handshaking = connection.transport().is_handshaking();
        let received = connection.read(buffer, &mut self.traffic, self.now.monotonic_ms);
        if was_handshaking {
            let link = connection.transport().link_facts().kind;
            if link != LinkKind::Plaintext {
                self.counters.add_link(link);
                debug!(peer = %connection.peer(), %link, "link established");
            }
        }
        received
    }
}
