//! A name claimed with a token: its holder is probed, and keeps it if it answers (E2).

use glassline_hub::{MemberId, NameHolder};
use glassline_wire::event::Event;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::connection::{Connection, PauseReason, Takeover};
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;
use crate::protocol::Step;

impl<S: Socket> Reactor<S> {
    /// Pauses a connection and probes the holder of the name that it claims.
    pub(super) fn ask_holder(&mut self, key: ConnectionKey, holder: MemberId) {
        let holder_connection = self.hub.connection(holder).and_then(|index| self.connections.key_at(index));
        let held = holder_connection.and_then(|key| Some((key, self.connections.get(key)?.reads())));
        let takeover = held.map(|(holder_connection, holder_reads)| {
            self.hub.send_at_once(holder, Event::Ping {});
            Box::new(Takeover { holder, holder_connection, holder_reads })
        });
        // A holder without a connection is a fault; the claim then waits until its time for a name
        // is over.
        let reason = takeover.map_or(PauseReason::Timer, PauseReason::Takeover);
        if let Some(connection) = self.connections.get_mut(key) {
            connection.pause(reason);
        }
        self.timers.set(key, Kind::Probe, self.now.monotonic_ms + self.config.limits.takeover_probe_ms);
    }

    /// Decides a claim once the holder's time to answer is over (E2).
    pub(super) fn decide_takeover(&mut self, key: ConnectionKey) {
        let Some(claimant) = self.connections.get_mut(key) else { return };
        let Some(takeover) = claimant.take_takeover() else { return };
        let holder = self.connections.get_mut(takeover.holder_connection);
        let holder = holder.filter(|holder| holder.member() == Some(takeover.holder));
        let Some(holder) = holder.filter(|holder| !holder.has_answered(takeover.holder_reads)) else {
            // A closed one may be back on another connection, which was not probed.
            let is_alive = self.connections.get(takeover.holder_connection);
            let is_alive = is_alive.is_some_and(|holder| holder.member() == Some(takeover.holder));
            self.resume_claim(key, if is_alive { NameHolder::Alive } else { NameHolder::Unasked });
            return;
        };
        // Its name passes to the newcomer in the hub; here it only loses its socket.
        holder.take_member();
        let (peer, holder_flood) = (holder.peer(), holder.flood_mut().copied());
        self.log_left(takeover.holder, peer, CloseReason::TakenOver);
        // The newcomer may have connected before its earlier connection used up their credit.
        if let Some(holder_flood) = holder_flood
            && let Some(flood) = self.connections.get_mut(key).and_then(Connection::flood_mut)
        {
            flood.lower_to(holder_flood, self.now.monotonic_ms);
        }
        self.drain(takeover.holder_connection, CloseReason::TakenOver, &[]);
        self.resume_claim(key, NameHolder::Dead(takeover.holder));
        if self.hub.connection(takeover.holder) == Some(takeover.holder_connection.index()) {
            // It changed its name in the last moment, so the newcomer did not take its place.
            self.hub.depart(takeover.holder, self.now);
        }
    }

    fn resume_claim(&mut self, key: ConnectionKey, holder: NameHolder) {
        let step = self.with_context(key, |protocol, context| protocol.resume_claim(holder, context));
        if let Some(step) = step {
            let goes_on = step == Step::Continue;
            self.apply(key, step, &[]);
            if goes_on {
                self.resume(key);
            }
        }
    }
}
