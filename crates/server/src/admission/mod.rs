//! Admission of connections: how many of an address have no name yet, how many members it has, how
//! fast it connects, and with what flood credit (`decisions/008`).

mod by_subnet;
mod credit;
mod flood;
mod token_bucket;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use glassline_hub::subnet;

use crate::Limits;
use crate::connection_key::ConnectionKey;
use by_subnet::BySubnet;
use credit::SubnetCredits;
pub(crate) use credit::Terms;
pub(crate) use flood::Flood;
pub use flood::FloodLimit;

/// Connections by address. A connection is counted by [`await_name`](Self::await_name), becomes a
/// member's by [`register`](Self::register), and is left out again by [`leave`](Self::leave).
#[derive(Debug)]
pub(crate) struct Admission {
    members: AddressCount,
    credits: SubnetCredits,
    unregistered: BySubnet,
}

impl Admission {
    pub(crate) fn new(limit: FloodLimit) -> Self {
        Self { members: AddressCount::default(), credits: SubnetCredits::new(limit), unregistered: BySubnet::default() }
    }

    /// Returns the terms of a new connection, which counts as new from now on.
    pub(crate) fn enter(&mut self, peer: SocketAddr, now_ms: u64) -> Terms {
        self.credits.enter(peer, now_ms)
    }

    pub(crate) fn await_name(&mut self, peer: SocketAddr, key: ConnectionKey) {
        self.unregistered.insert(subnet(peer.ip()), key);
    }

    /// Returns whether one more connection without a name would be too many for this address.
    pub(crate) fn has_unregistered_max(&self, address: IpAddr, limits: &Limits) -> bool {
        !is_exempt(address) && self.unregistered.count_of(subnet(address)) >= limits.unregistered_per_address_max
    }

    /// Returns whether one more member would be too many for this address.
    pub(crate) fn has_members_max(&self, address: IpAddr, limits: &Limits) -> bool {
        self.members.is_full(address, limits)
    }

    /// Notes that the name of a connection was accepted. False if it was before.
    pub(crate) fn register(&mut self, peer: SocketAddr, key: ConnectionKey) -> bool {
        let is_new = self.unregistered.remove(subnet(peer.ip()), key);
        if is_new {
            self.members.enter(peer.ip());
        }
        is_new
    }

    /// Takes over the flood credit of a session that ends. A connection that was never served
    /// (`unserved`) does not count as new.
    pub(crate) fn return_credit(&mut self, peer: SocketAddr, flood: Flood, unserved: bool, now_ms: u64) {
        self.credits.leave(peer, flood, unserved, now_ms);
    }

    pub(crate) fn leave(&mut self, peer: SocketAddr, key: ConnectionKey) {
        if !self.unregistered.remove(subnet(peer.ip()), key) {
            self.members.leave(peer.ip());
        }
    }

    pub(crate) fn unregistered(&self) -> &BySubnet {
        &self.unregistered
    }
}

/// Members by address; this machine's own addresses are exempt and not counted.
#[derive(Debug, Default)]
struct AddressCount {
    members: HashMap<IpAddr, usize>,
}

impl AddressCount {
    /// Returns whether one more from this address would be too many.
    fn is_full(&self, address: IpAddr, limits: &Limits) -> bool {
        let count = self.members.get(&subnet(address)).copied().unwrap_or(0);
        !is_exempt(address) && count >= limits.members_per_address_max
    }

    fn enter(&mut self, address: IpAddr) {
        if !is_exempt(address) {
            *self.members.entry(subnet(address)).or_default() += 1;
        }
    }

    fn leave(&mut self, address: IpAddr) {
        if let Some(count) = self.members.get_mut(&subnet(address)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.members.remove(&subnet(address));
            }
        }
    }
}

fn is_exempt(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let limits = Limits { members_per_address_max: 2, ..Limits::default() };
        let mut gate = AddressCount::default();
        let far: IpAddr = "192.0.2.1".parse().expect("ip");
        for _ in 0..2 {
            assert!(!gate.is_full(far, &limits));
            gate.enter(far);
        }
        assert!(gate.is_full(far, &limits));
        assert!(!gate.is_full("192.0.2.2".parse().expect("ip"), &limits), "another address");
        gate.leave(far);
        assert!(!gate.is_full(far, &limits));
        gate.leave(far);
        assert!(gate.members.is_empty());
        let near: IpAddr = "127.0.0.1".parse().expect("ip");
        for _ in 0..100 {
            assert!(!gate.is_full(near, &limits));
            gate.enter(near);
        }
    }
}
