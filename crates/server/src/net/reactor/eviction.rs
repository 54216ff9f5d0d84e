//! Room for a newcomer: which unregistered connection is closed for it (L).

use std::net::IpAddr;

use glassline_hub::subnet;

use crate::admission::Entry;
use crate::net::connection::EvictionRank;
use crate::net::reactor::Reactor;
use crate::net::socket::Socket;

/// Reason for closing an unregistered connection: another one came.
const CROWDED_OUT: &str = "crowded_out";

impl<L: Socket> Reactor<L> {
    /// Makes room for a connection from `address`. False where its subnet has as many as it may,
    /// and none can be closed.
    pub(crate) fn make_room(&mut self, address: IpAddr) -> bool {
        // Each round closes a connection, or reads a name that ends its candidacy.
        while self.gate.is_full(address, &self.config.limits) {
            let victim = self.victim_in(subnet(address));
            // One that waits for the server is as good as in, and a subnet has few.
            let Some((_, victim)) = victim.filter(|&(rank, _)| rank != EvictionRank::WaitsForServer) else {
                return false;
            };
            self.evict(victim);
        }
        while self.unregistered.len() >= self.config.limits.nameless_max {
            // From the subnet with the most, so that nobody crowds out others.
            let largest = self.unregistered.subnets().next();
            let Some((_, victim)) = largest.and_then(|subnet| self.victim_in(subnet)) else { break };
            self.evict(victim);
        }
        true
    }

    /// Closes an unregistered connection, unless what it has sent lets it in.
    fn evict(&mut self, victim: Entry) {
        if self.rank_of(victim) == Some(EvictionRank::Incomplete) && self.may_read() {
            // The system reports what has arrived only with the next wait; a whole name may be
            // there already.
            self.read_now(victim.1);
            if self.rank_of(victim).is_none_or(|rank| rank == EvictionRank::WaitsForServer) {
                return;
            }
        }
        self.close(victim.1, CROWDED_OUT);
    }

    /// The first of a subnet to be closed, and its rank.
    fn victim_in(&self, subnet: IpAddr) -> Option<(EvictionRank, Entry)> {
        let now_ms = self.now.monotonic_ms;
        let ranked = self.unregistered.of(subnet).filter_map(|entry| {
            let connection = self.connections.get(entry.1)?;
            Some((connection.eviction_rank(now_ms), entry))
        });
        let order = |rank, serial| if rank == EvictionRank::Delayed { u64::MAX - serial } else { serial };
        ranked.min_by_key(|&(rank, (serial, _))| (rank, order(rank, serial)))
    }

    /// Rank of a connection, if it is still there and unregistered.
    fn rank_of(&self, (serial, index): Entry) -> Option<EvictionRank> {
        let connection = self.connections.get(index)?;
        let is_unregistered = self.unregistered.contains(subnet(connection.peer.ip()), serial);
        is_unregistered.then(|| connection.eviction_rank(self.now.monotonic_ms))
    }
}
