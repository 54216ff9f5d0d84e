//! A queue that serves subnets in turn, and within a subnet its requesters in turn, so that more
//! items do not bring a requester more turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Two opaque keys of a requester. Subnets are served in turn, and within a subnet its requesters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requester {
    /// Equal for all that share an address or, of IPv6, a network of 64 bits.
    pub subnet: u128,
    /// Equal for all questions of one connection.
    pub number: u64,
}

/// Items that may wait: in all, of one subnet, of one requester.
#[derive(Debug, Clone, Copy)]
pub(in crate::journal) struct Bounds {
    pub(in crate::journal) all: usize,
    pub(in crate::journal) subnet: usize,
    pub(in crate::journal) requester: usize,
}

/// Queues with items, each under its key, in the order of their turns. An empty queue is removed.
#[derive(Debug, Default)]
struct Turns<K, Q> {
    order: VecDeque<K>,
    queues: HashMap<K, Q>,
}

impl<K: Copy + Eq + Hash, Q: Default> Turns<K, Q> {
    /// The queue of this key; a new one has its turn last.
    fn queue(&mut self, key: K) -> &mut Q {
        let order = &mut self.order;
        self.queues.entry(key).or_insert_with(|| {
            order.push_back(key);
            Q::default()
        })
    }

    /// Takes an item from the next queue, which then has its turn last.
    fn pop<T>(&mut self, take: impl FnOnce(&mut Q) -> Option<T>, is_empty: impl FnOnce(&Q) -> bool) -> Option<T> {
        let key = self.order.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        let item = take(queue);
        if is_empty(queue) {
            self.queues.remove(&key);
        } else {
            self.order.push_back(key);
        }
        item
    }
}

#[derive(Debug)]
struct Subnet<T> {
    requesters: Turns<u64, VecDeque<T>>,
    len: usize,
}

impl<T> Default for Subnet<T> {
    fn default() -> Self {
        Self { requesters: Turns::default(), len: 0 }
    }
}

#[derive(Debug)]
pub(in crate::journal) struct FairQueue<T> {
    subnets: Turns<u128, Subnet<T>>,
    len: usize,
    bounds: Bounds,
}

impl<T> FairQueue<T> {
    pub(in crate::journal) fn new(bounds: Bounds) -> Self {
        Self { subnets: Turns::default(), len: 0, bounds }
    }

    pub(in crate::journal) fn len(&self) -> usize {
        self.len
    }

    /// Appends an item after those of the same requester. Returns false, and drops it, if a bound
    /// is reached.
    pub(in crate::journal) fn push(&mut self, requester: Requester, item: T) -> bool {
        let subnet = self.subnets.queues.get(&requester.subnet);
        let subnet_len = subnet.map_or(0, |subnet| subnet.len);
        let own = subnet.and_then(|subnet| subnet.requesters.queues.get(&requester.number));
        let own_len = own.map_or(0, VecDeque::len);
        let Bounds { all, subnet, requester: own } = self.bounds;
        if self.len >= all || subnet_len >= subnet || own_len >= own {
            return false;
        }
        self.queue(requester).push_back(item);
        true
    }

    /// Puts an item back that was taken and needs another turn: it is the next of its requester,
    /// whose turn is last.
    pub(in crate::journal) fn put_back(&mut self, requester: Requester, item: T) {
        self.queue(requester).push_front(item);
    }

    fn queue(&mut self, requester: Requester) -> &mut VecDeque<T> {
        self.len += 1;
        let subnet = self.subnets.queue(requester.subnet);
        subnet.len += 1;
        subnet.requesters.queue(requester.number)
    }

    pub(in crate::journal) fn pop(&mut self) -> Option<T> {
        let take = |subnet: &mut Subnet<T>| {
            subnet.len -= 1;
            subnet.requesters.pop(VecDeque::pop_front, VecDeque::is_empty)
        };
        let item = self.subnets.pop(take, |subnet| subnet.len == 0)?;
        self.len -= 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { all: 1_000, subnet: 600, requester: 10 };

    fn of(subnet: u128, number: u64) -> Requester {
        Requester { subnet, number }
    }

    /// A queue in which each of 64 requesters of subnet 1 has as many items as it may.
    fn crowded() -> FairQueue<(u128, u64)> {
        let mut queue = FairQueue::new(BOUNDS);
        for _ in 0..20 {
            for number in 0..64 {
                queue.push(of(1, number), (1, number));
            }
        }
        queue
    }

    /// Returns the number of items of others that are served before this one.
    fn served_before(queue: &mut FairQueue<(u128, u64)>, wanted: (u128, u64)) -> usize {
        std::iter::from_fn(|| queue.pop()).position(|item| item == wanted).expect("its turn comes")
    }

    #[test]
    fn another_subnet_waits_for_one_item_of_a_crowd() {
        let mut queue = crowded();
        queue.pop();
        for _ in 0..3 {
            assert!(queue.push(of(2, 7), (2, 7)));
            assert!(served_before(&mut queue, (2, 7)) <= 1);
        }
    }

    #[test]
    fn a_requester_waits_for_one_item_of_each_neighbour() {
        let mut queue = FairQueue::new(BOUNDS);
        for _ in 0..10 {
            for number in 0..40 {
                assert!(queue.push(of(1, number), (1, number)));
            }
        }
        assert!(queue.push(of(1, 99), (1, 99)));
        assert_eq!(served_before(&mut queue, (1, 99)), 40);
    }

    #[test]
    fn what_is_put_back_has_its_next_turn_behind_everybody() {
        let mut queue = FairQueue::new(BOUNDS);
        for number in 0..3 {
            assert!(queue.push(of(1, number), (1, number)));
            assert!(queue.push(of(2, number), (2, number)));
        }
        let mut order = Vec::new();
        for _ in 0..8 {
            let item = queue.pop().expect("one");
            order.push(item);
            queue.put_back(of(item.0, item.1), item);
        }
        assert_eq!(order, [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2), (1, 0), (2, 0)]);
        assert_eq!(queue.len(), 6);
    }

    #[test]
    fn each_bound_holds_and_an_empty_queue_keeps_nothing() {
        let mut queue = crowded();
        assert_eq!(queue.len(), 600, "of one subnet");
        assert!(!queue.push(of(1, 100), (1, 100)));
        for _ in 0..11 {
            queue.push(of(2, 1), (2, 1));
        }
        assert_eq!(queue.len(), 610, "of one requester");
        for number in 0..1_000 {
            queue.push(of(u128::from(number), number), (0, number));
        }
        assert_eq!(queue.len(), 1_000);
        while queue.pop().is_some() {}
        assert_eq!(queue.len(), 0);
        assert!(queue.subnets.queues.is_empty() && queue.subnets.order.is_empty());
    }
}
