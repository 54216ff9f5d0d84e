//! A name claimed with a token: its holder is asked for a sign of life, and keeps it if there is one (E2).

use glassline_hub::{MemberId, NameHolder};
use glassline_wire::event::{Event, Ping};
use tracing::info;

use crate::net::connection::{Phase, Takeover};
use crate::net::reactor::Reactor;
use crate::net::socket::Socket;
use crate::net::timers::Kind;
use crate::protocol::Verdict;

impl<L: Socket> Reactor<L> {
    /// Asks the holder of a name that `index` claims.
    pub(crate) fn ask_holder(&mut self, index: usize, holder: MemberId) {
        let now_ms = self.now.monotonic_ms;
        let Some(holder_connection) = self.hub.connection(holder) else { return };
        let Some(held) = self.connections.get(holder_connection) else { return };
        let (holder_serial, holder_reads) = (held.serial, held.reads);
        self.hub.tell_at_once(holder, Event::Ping(Ping {}));
        let takeover = Takeover { holder, holder_connection, holder_serial, holder_reads };
        if let Some(connection) = self.connections.get_mut(index) {
            connection.takeover = Some(Box::new(takeover));
        }
        self.timers.set(index, Kind::Probe, now_ms + self.config.limits.takeover_probe_ms);
    }

    /// Decides, once the holder has had its time (E2).
    pub(crate) fn decide_takeover(&mut self, index: usize) {
        let Some(takeover) = self.connections.get_mut(index).and_then(|connection| connection.takeover.take()) else {
            return;
        };
        let holder = self.connections.get(takeover.holder_connection);
        let holder =
            holder.filter(|holder| holder.serial == takeover.holder_serial && holder.member == Some(takeover.holder));
        let holder_lives = holder.is_some_and(|holder| takeover.is_answered_by(holder));
        if holder.is_none() || holder_lives {
            // One that has gone may have come back by another connection, which nobody has asked.
            self.resume_claim(index, if holder_lives { NameHolder::Lives } else { NameHolder::Unasked });
            return;
        }
        // Its name passes to the newcomer in the hub; here it only loses its socket.
        let holder = &mut self.connections[takeover.holder_connection];
        holder.member = None;
        info!(peer = %holder.peer, reason = "taken_over", "left");
        let holder_flood = holder.flood.as_deref().copied();
        // The newcomer may have connected before its earlier connection used up their credit.
        if let (Some(connection), Some(holder_flood)) = (self.connections.get_mut(index), holder_flood)
            && let Some(flood) = &mut connection.flood
        {
            flood.lower_to(holder_flood, self.now.monotonic_ms);
        }
        self.part(takeover.holder_connection, "taken_over", Vec::new());
        self.resume_claim(index, NameHolder::Dead(takeover.holder));
        if self.hub.connection(takeover.holder) == Some(takeover.holder_connection) {
            // It changed its name in the last moment, so the newcomer did not take its place.
            self.hub.depart(takeover.holder, self.now);
        }
    }

    fn resume_claim(&mut self, index: usize, holder: NameHolder) {
        let verdict = self.at_desk(index, |phase, desk| match phase {
            Phase::Event(session) => session.resume_claim(holder, desk),
            _ => Verdict::GoesOn,
        });
        if let Some(verdict) = verdict {
            let goes_on = verdict == Verdict::GoesOn;
            self.carry_out(index, verdict, &[]);
            if goes_on {
                self.resume(index);
            }
        }
    }
}
