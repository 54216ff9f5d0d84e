//! Limit of connections at once from one address (L).

use std::collections::HashMap;
use std::net::IpAddr;

use glassline_hub::subnet;

use crate::limits::Limits;

/// Counts by address; this machine's own addresses are exempt and not counted.
#[derive(Debug, Default)]
pub(crate) struct AddressCount {
    connections: HashMap<IpAddr, usize>,
}

impl AddressCount {
    /// Returns whether one more connection from this address would be too many.
    pub(crate) fn is_full(&self, address: IpAddr, limits: &Limits) -> bool {
        let count = self.connections.get(&subnet(address)).copied().unwrap_or(0);
        !is_exempt(address) && count >= limits.connections_per_address_max
    }

    pub(crate) fn enter(&mut self, address: IpAddr) {
        if !is_exempt(address) {
            *self.connections.entry(subnet(address)).or_default() += 1;
        }
    }

    pub(crate) fn leave(&mut self, address: IpAddr) {
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
