//! Admission of connections: how many of an address, how fast, with what flood credit, and which
//! have no name yet (`decisions/008`).

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

/// Connections by address. A connection is counted by [`enter`](Self::enter), named by
/// [`register`](Self::register), and left out again by [`leave`](Self::leave).
#[derive(Debug)]
pub(crate) struct Admission {
    counts: AddressCount,
    credits: SubnetCredits,
    unregistered: BySubnet,
    /// Those of HTTP, which are not among `counts`.
    http: BySubnet,
}

impl Admission {
    pub(crate) fn new(limit: FloodLimit) -> Self {
        Self {
            counts: AddressCount::default(),
            credits: SubnetCredits::new(limit),
            unregistered: BySubnet::default(),
            http: BySubnet::default(),
        }
    }

    /// Returns whether one more connection from this address would be too many.
    pub(crate) fn is_full(&self, address: IpAddr, limits: &Limits) -> bool {
        self.counts.is_full(address, limits)
    }

    pub(crate) fn enter(&mut self, peer: SocketAddr, now_ms: u64) -> Terms {
        self.counts.enter(peer.ip());
        self.credits.enter(peer, now_ms)
    }

    pub(crate) fn await_name(&mut self, peer: SocketAddr, key: ConnectionKey) {
        self.unregistered.insert(subnet(peer.ip()), key);
    }

    /// Notes that the name of a connection was accepted. False if it was before.
    pub(crate) fn register(&mut self, peer: SocketAddr, key: ConnectionKey) -> bool {
        self.unregistered.remove(subnet(peer.ip()), key)
    }

    /// Takes over the flood credit of a session that ends. A connection that was never served
    /// (`unserved`) does not count as new.
    pub(crate) fn return_credit(&mut self, peer: SocketAddr, flood: Flood, unserved: bool, now_ms: u64) {
        self.credits.leave(peer, flood, unserved, now_ms);
    }

    pub(crate) fn leave(&mut self, peer: SocketAddr, key: ConnectionKey) {
        if !self.http.remove(subnet(peer.ip()), key) {
            self.unregistered.remove(subnet(peer.ip()), key);
            self.counts.leave(peer.ip());
        }
    }

    pub(crate) fn unregistered(&self) -> &BySubnet {
        &self.unregistered
    }

    /// Notes that a connection without a name is one of HTTP. False if it was noted before. It does
    /// not count as new in its subnet, as far as the rate of such connections allows.
    pub(crate) fn leave_for_http(&mut self, peer: SocketAddr, key: ConnectionKey, now_ms: u64) -> bool {
        if !self.unregistered.remove(subnet(peer.ip()), key) {
            return false;
        }
        self.counts.leave(peer.ip());
        self.http.insert(subnet(peer.ip()), key);
        self.credits.note_http(peer, now_ms);
        true
    }

    /// Notes that a connection of HTTP waits for a name from now on.
    pub(crate) fn return_from_http(&mut self, peer: SocketAddr, key: ConnectionKey) {
        if self.http.remove(subnet(peer.ip()), key) {
            self.counts.enter(peer.ip());
            self.await_name(peer, key);
        }
    }

    /// Returns whether an address has more connections of HTTP than it may.
    pub(crate) fn has_too_many_http(&self, address: IpAddr, limits: &Limits) -> bool {
        !is_exempt(address) && self.http.of(subnet(address)).count() > limits.http_per_address_max
    }

    pub(crate) fn http(&self) -> &BySubnet {
        &self.http
    }
}

/// Counts by address; this machine's own addresses are exempt and not counted.
#[derive(Debug, Default)]
struct AddressCount {
    connections: HashMap<IpAddr, usize>,
}

impl AddressCount {
    /// Returns whether one more connection from this address would be too many.
    fn is_full(&self, address: IpAddr, limits: &Limits) -> bool {
        let count = self.connections.get(&subnet(address)).copied().unwrap_or(0);
        !is_exempt(address) && count >= limits.connections_per_address_max
    }

    fn enter(&mut self, address: IpAddr) {
        if !is_exempt(address) {
            *self.connections.entry(subnet(address)).or_default() += 1;
        }
    }

    fn leave(&mut self, address: IpAddr) {
        if let Some(count) = self.connections.get_mut(&subnet(address)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.connections.remove(&subnet(address));
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
        let limits = Limits { connections_per_address_max: 2, ..Limits::default() };
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
        assert!(gate.connections.is_empty());
        let near: IpAddr = "127.0.0.1".parse().expect("ip");
        for _ in 0..100 {
            assert!(!gate.is_full(near, &limits));
            gate.enter(near);
        }
    }
}
