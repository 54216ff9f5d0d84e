//! Room for a newcomer: which unregistered connection is closed for it (L).

use std::net::IpAddr;

use crate::connection::EvictionRank;
use crate::gate::subnet;
use crate::link::Link;
use crate::reactor::Reactor;
use crate::unregistered::Entry;

/// Reason for closing an unregistered connection: another one came.
const CROWDED_OUT: &str = "crowded_out";

impl<L: Link> Reactor<L> {
    /// Makes room for a connection from `address`. False where its subnet has as many as it may, and none can be closed.
    pub(crate) fn make_room(&mut self, address: IpAddr) -> bool {
        // Each round closes a connection, or reads a name that ends its candidacy.
        while self.gate.is_full(address, &self.config.limits) {
            // One that waits for the server is as good as in, and a subnet has few.
            let Some(victim) = self.victim_in(subnet(address)) else { return false };
            self.evict(victim);
        }
        while self.unregistered.len() >= self.config.limits.nameless_max {
            let Some(victim) = self.victim_overall() else { break };
            self.evict(victim);
        }
        true
    }

    /// Closes an unregistered connection, unless what it has sent lets it in.
    fn evict(&mut self, victim: Entry) {
        if self.rank_of(victim) == Some(EvictionRank::Incomplete) && self.may_read() {
            // The system reports what has arrived only with the next wait; a whole name may be there already.
            self.read_now(victim.1);
            if self.rank_of(victim).is_none_or(|rank| rank == EvictionRank::WaitsForServer) {
                return;
            }
        }
        self.close(victim.1, CROWDED_OUT);
    }

    /// The first to be closed: from the subnet with the most, so that nobody crowds out others. If all wait for the server, the
    /// oldest of that subnet.
    fn victim_overall(&self) -> Option<Entry> {
        let mut subnets = self.unregistered.subnets();
        let waiting = || self.unregistered.subnets().next().and_then(|subnet| self.unregistered.of(subnet).next());
        subnets.find_map(|subnet| self.victim_in(subnet)).or_else(waiting)
    }

    /// The first of a subnet to be closed; none that waits for the server.
    fn victim_in(&self, subnet: IpAddr) -> Option<Entry> {
        let now_ms = self.now.monotonic_ms;
        let ranked = self.unregistered.of(subnet).filter_map(|entry| {
            let connection = self.connections.get(entry.1)?;
            Some((connection.eviction_rank(now_ms), entry))
        });
        let candidates = ranked.filter(|&(rank, _)| rank != EvictionRank::WaitsForServer);
        let order = |rank, serial| if rank == EvictionRank::Delayed { u64::MAX - serial } else { serial };
        candidates.min_by_key(|&(rank, (serial, _))| (rank, order(rank, serial))).map(|(_, entry)| entry)
    }

    /// Rank of a connection, if it is still there and unregistered.
    fn rank_of(&self, (serial, index): Entry) -> Option<EvictionRank> {
        let connection = self.connections.get(index)?;
        let is_unregistered = self.unregistered.contains(subnet(connection.peer.ip()), serial);
        is_unregistered.then(|| connection.eviction_rank(self.now.monotonic_ms))
    }
}
