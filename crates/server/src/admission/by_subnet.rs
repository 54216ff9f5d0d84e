//! Connections without an accepted name, by subnet.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::connection_key::ConnectionKey;

#[derive(Debug, Default)]
pub(crate) struct BySubnet {
    sets: HashMap<IpAddr, BTreeSet<ConnectionKey>>,
    by_size: BTreeSet<(usize, IpAddr)>,
    len: usize,
}

impl BySubnet {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, subnet: IpAddr, key: ConnectionKey) -> bool {
        self.sets.get(&subnet).is_some_and(|of_subnet| of_subnet.contains(&key))
    }

    pub(crate) fn insert(&mut self, subnet: IpAddr, key: ConnectionKey) {
        let of_subnet = self.sets.entry(subnet).or_default();
        self.by_size.remove(&(of_subnet.len(), subnet));
        if of_subnet.insert(key) {
            self.len += 1;
        }
        self.by_size.insert((of_subnet.len(), subnet));
    }

    /// Takes a connection out. False if it is not there.
    pub(crate) fn remove(&mut self, subnet: IpAddr, key: ConnectionKey) -> bool {
        let Some(of_subnet) = self.sets.get_mut(&subnet) else { return false };
        let size = of_subnet.len();
        if !of_subnet.remove(&key) {
            return false;
        }
        self.len -= 1;
        self.by_size.remove(&(size, subnet));
        if of_subnet.is_empty() {
            self.sets.remove(&subnet);
        } else {
            self.by_size.insert((size - 1, subnet));
        }
        true
    }

    /// Subnets, that with the most first.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = IpAddr> {
        self.by_size.iter().rev().map(|&(_, subnet)| subnet)
    }

    pub(crate) fn count_of(&self, subnet: IpAddr) -> usize {
        self.sets.get(&subnet).map_or(0, BTreeSet::len)
    }

    /// Connections of a subnet, in the order of their keys.
    pub(crate) fn of(&self, subnet: IpAddr) -> impl Iterator<Item = ConnectionKey> {
        self.sets.get(&subnet).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn key(serial: u32) -> ConnectionKey {
        ConnectionKey::new(serial, 10)
    }

    #[test]
    fn subnets_come_by_size() {
        let mut connections = BySubnet::default();
        for (serial, last) in [(1, 1), (2, 2), (3, 2), (4, 3)] {
            connections.insert(subnet(last), key(serial));
        }
        assert_eq!(connections.subnets().next(), Some(subnet(2)));
        assert_eq!(connections.of(subnet(2)).collect::<Vec<_>>(), [key(2), key(3)]);
        assert_eq!([1, 2, 4].map(|last| connections.count_of(subnet(last))), [1, 2, 0]);
        assert!(connections.remove(subnet(2), key(2)) && !connections.remove(subnet(2), key(2)));
        assert!(connections.remove(subnet(2), key(3)) && connections.remove(subnet(1), key(1)));
        assert_eq!((connections.subnets().collect::<Vec<_>>(), connections.len()), (vec![subnet(3)], 1));
        assert!(connections.remove(subnet(3), key(4)));
        assert!(connections.sets.is_empty() && connections.by_size.is_empty());
    }
}
