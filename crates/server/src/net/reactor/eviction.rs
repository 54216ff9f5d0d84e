//! Eviction of an unregistered connection for a new one (L).

use std::net::IpAddr;

use glassline_hub::subnet;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::connection::EvictionRank;
use crate::net::reactor::Reactor;
use crate::net::transport::Socket;

impl<S: Socket> Reactor<S> {
    /// Makes room for a connection from `address`. False where its subnet has as many as it may,
    /// and none can be closed.
    pub(super) fn make_room(&mut self, address: IpAddr) -> bool {
        // Each round closes a connection, or reads from one that is incomplete no longer.
        while self.admission.has_unregistered_max(address, &self.config.limits) {
            let victim = self.eviction_victim(subnet(address));
            // One that waits for the server is nearly logged in, and a subnet has few.
            let Some(victim) = victim.filter(|&(rank, _)| rank != EvictionRank::WaitsForServer) else {
                return false;
            };
            self.evict(victim);
        }
        while self.admission.unregistered().len() >= self.config.limits.unregistered_max {
            // From the subnet with the most, so that no subnet crowds out others.
            let largest = self.admission.unregistered().subnets().next();
            let Some(victim) = largest.and_then(|subnet| self.eviction_victim(subnet)) else { break };
            self.evict(victim);
        }
        true
    }

    /// Closes an unregistered connection, unless what has arrived from it changes its rank.
    fn evict(&mut self, (rank, victim): (EvictionRank, ConnectionKey)) {
        let is_handshaking = self.connections.get(victim).is_some_and(|victim| victim.transport().is_handshaking());
        if rank == EvictionRank::Incomplete && self.may_read() && !is_handshaking {
            // The system reports what has arrived only with the next wait; a whole name or request
            // may be there already. In a handshake it is not, and each step of one is work.
            self.read_now(victim);
            if self.eviction_rank(victim) != Some(rank) {
                return;
            }
        }
        let is_served = rank == EvictionRank::Served;
        self.close(victim, if is_served { CloseReason::HttpDone } else { CloseReason::CrowdedOut });
    }

    /// The first of a subnet to be closed, and its rank.
    fn eviction_victim(&self, subnet: IpAddr) -> Option<(EvictionRank, ConnectionKey)> {
        let now_ms = self.now.monotonic_ms;
        let ranked = self.admission.unregistered().of(subnet).filter_map(|key| {
            let connection = self.connections.get(key)?;
            Some((connection.eviction_rank(now_ms), key))
        });
        let order = |rank, age| if rank == EvictionRank::Delayed { age } else { u32::MAX - age };
        ranked.min_by_key(|&(rank, key)| (rank, order(rank, self.connections.age(key))))
    }

    /// Rank of a connection, if it is still there and unregistered.
    fn eviction_rank(&self, key: ConnectionKey) -> Option<EvictionRank> {
        let connection = self.connections.get(key)?;
        let is_unregistered = self.admission.unregistered().contains(subnet(connection.peer().ip()), key);
        is_unregistered.then(|| connection.eviction_rank(self.now.monotonic_ms))
    }
}
