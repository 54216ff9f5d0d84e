//! Who may connect: how many at once, from one address and without a name (L).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::limits::Limits;

#[derive(Debug, Default)]
struct Count {
    connections: usize,
    nameless: usize,
}

/// Counts by address; this machine's own addresses are exempt and not counted.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    addresses: HashMap<IpAddr, Count>,
}

impl Gate {
    /// Counts a new connection, or says why there may not be another.
    pub(crate) fn enter(&mut self, address: IpAddr, limits: &Limits) -> Result<(), &'static str> {
        if is_exempt(address) {
            return Ok(());
        }
        let count = self.addresses.entry(household(address)).or_default();
        if count.connections >= limits.connections_per_address_max {
            return Err("too_many_from_address");
        }
        if count.nameless >= limits.nameless_per_address_max {
            return Err("too_many_nameless_from_address");
        }
        count.connections += 1;
        count.nameless += 1;
        Ok(())
    }

    pub(crate) fn named(&mut self, address: IpAddr) {
        if let Some(count) = self.addresses.get_mut(&household(address)) {
            count.nameless = count.nameless.saturating_sub(1);
        }
    }

    pub(crate) fn leave(&mut self, address: IpAddr, was_nameless: bool) {
        if is_exempt(address) {
            return;
        }
        if was_nameless {
            self.named(address);
        }
        if let Some(count) = self.addresses.get_mut(&household(address)) {
            count.connections = count.connections.saturating_sub(1);
            if count.connections == 0 {
                self.addresses.remove(&household(address));
            }
        }
    }
}

/// What one subscriber has to itself: an IPv4 address, or an IPv6 network of 64 bits.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
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
        let limits = Limits { connections_per_address_max: 3, nameless_per_address_max: 2, ..Limits::default() };
        let mut gate = Gate::default();
        let far: IpAddr = "192.0.2.1".parse().expect("ip");
        assert_eq!(gate.enter(far, &limits), Ok(()));
        assert_eq!(gate.enter(far, &limits), Ok(()));
        assert_eq!(gate.enter(far, &limits), Err("too_many_nameless_from_address"));
        gate.named(far);
        assert_eq!(gate.enter(far, &limits), Ok(()));
        gate.named(far);
        assert_eq!(gate.enter(far, &limits), Err("too_many_from_address"));
        for was_nameless in [true, false, false] {
            gate.leave(far, was_nameless);
        }
        assert!(gate.addresses.is_empty());
        let near: IpAddr = "127.0.0.1".parse().expect("ip");
        for _ in 0..100 {
            assert_eq!(gate.enter(near, &limits), Ok(()));
        }
    }
}
