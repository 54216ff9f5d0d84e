//! Rate limits of an address that outlive its connections (L): flood credit, and the rate of new
//! connections.
//!
//! A connection that ends leaves its flood credit to its subnet, and the next one starts with that,
//! so reconnecting brings no new burst. The credit left is the lowest of those that ended, refilled
//! by the time since: an idle connection that ends with a full burst does not hide the debt of a
//! busy one.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use glassline_hub::subnet;

use crate::admission::token_bucket::TokenBucket;
use crate::admission::{Flood, FloodLimit};

/// New connections of one subnet that are served at once: thirty browsers that open the page, with
/// six connections and a WebSocket each, and nearly as many again.
const CONNECTIONS_BURST: f64 = 384.0;
/// Further new connections of one subnet per second.
const CONNECTIONS_PER_SECOND: f64 = 32.0;
/// Longest wait for a turn: that of 128 connections. A subnet may have more, and closed ones would
/// keep others of it waiting for a minute.
const TURN_WAIT_MS_MAX: f64 = 4_000.0;
/// Longest wait before its first message that a connection inherits from others of its subnet: that
/// for one message of the longest text. A frame of more bytes is charged to its own connection
/// only.
const INHERITED_WAIT_MS_MAX: f64 = 1_100.0;
/// Most subnets in the table, some 3 MiB. Beyond it the one whose credit is full first is dropped:
/// its debt is the smallest, so hiding a debt takes this many other addresses with larger ones.
const SUBNETS_MAX: usize = 16_384;

/// Credit of the subnets whose credit is not full.
#[derive(Debug)]
pub(crate) struct SubnetCredits {
    limit: FloodLimit,
    subnets: HashMap<IpAddr, Credit>,
    /// The same subnets, ordered by the time at which their credit is full.
    by_full_ms: BTreeSet<(u64, IpAddr)>,
}

#[derive(Debug)]
struct Credit {
    flood: Flood,
    connections: TokenBucket,
    full_ms: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    /// Flood credit; `None` for an exempt address.
    pub(crate) flood: Option<Flood>,
    /// Milliseconds before anything is read from it.
    pub(crate) delay_ms: u64,
}

impl SubnetCredits {
    pub(crate) fn new(limit: FloodLimit) -> Self {
        Self { limit, subnets: HashMap::new(), by_full_ms: BTreeSet::new() }
    }

    /// Counts a new connection until [`SubnetCredits::leave`], and returns its terms.
    pub(crate) fn enter(&mut self, peer: SocketAddr, now_ms: u64) -> Terms {
        let mut terms = Terms::default();
        self.change(peer.ip(), now_ms, |credit| {
            credit.connections.take(1.0);
            credit.connections.bound_debt(TURN_WAIT_MS_MAX);
            terms = Terms { flood: Some(credit.flood), delay_ms: credit.connections.wait_ms() };
        });
        terms
    }

    /// Takes over the credit of a connection that ends. One that was never served (`unserved`) does
    /// not count as new.
    pub(crate) fn leave(&mut self, peer: SocketAddr, flood: Flood, unserved: bool, now_ms: u64) {
        self.change(peer.ip(), now_ms, |credit| {
            credit.flood.lower_to(flood, now_ms);
            credit.flood.bound_debt(INHERITED_WAIT_MS_MAX);
            if unserved {
                credit.connections.give_back(1.0);
            }
        });
    }

    fn change(&mut self, address: IpAddr, now_ms: u64, change: impl FnOnce(&mut Credit)) {
        let Some(full_flood) = self.limit.full(address, now_ms) else { return };
        self.drop_full(now_ms);
        let subnet = subnet(address);
        let mut credit = self.subnets.remove(&subnet).unwrap_or_else(|| {
            let connections = TokenBucket::full(CONNECTIONS_BURST, CONNECTIONS_PER_SECOND, now_ms);
            Credit { flood: full_flood, connections, full_ms: now_ms }
        });
        self.by_full_ms.remove(&(credit.full_ms, subnet));
        credit.flood.fill(now_ms);
        credit.connections.fill(now_ms);
        change(&mut credit);
        credit.full_ms = now_ms + credit.flood.full_in_ms().max(credit.connections.full_in_ms());
        self.by_full_ms.insert((credit.full_ms, subnet));
        self.subnets.insert(subnet, credit);
        if self.subnets.len() > SUBNETS_MAX {
            self.drop_first();
        }
    }

    fn drop_full(&mut self, now_ms: u64) {
        while self.by_full_ms.first().is_some_and(|&(full_ms, _)| full_ms <= now_ms) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, subnet)) = self.by_full_ms.pop_first() {
            self.subnets.remove(&subnet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 10;

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().expect("an address"), 4_000)
    }

    fn standard() -> SubnetCredits {
        SubnetCredits::new(FloodLimit::Standard)
    }

    fn enter(admission: &mut SubnetCredits, address: &str, now_ms: u64) -> Flood {
        admission.enter(peer(address), now_ms).flood.expect("limited")
    }

    /// Messages that are taken at one instant.
    fn spend(flood: &mut Flood, now_ms: u64) -> u32 {
        let mut messages = 0;
        while flood.wait_ms(now_ms) == 0 {
            flood.take(BYTES, now_ms);
            messages += 1;
        }
        messages
    }

    /// A connection that says hello, spends what it may, and ends.
    fn connect_and_spend(admission: &mut SubnetCredits, address: &str, now_ms: u64) -> u32 {
        let mut flood = enter(admission, address, now_ms);
        flood.take(BYTES, now_ms);
        let messages = spend(&mut flood, now_ms);
        admission.leave(peer(address), flood, false, now_ms);
        messages
    }

    #[test]
    fn reconnecting_brings_no_new_burst() {
        let mut admission = standard();
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 20);
        let again: u32 = (0..100).map(|_| connect_and_spend(&mut admission, "192.0.2.1", 0)).sum();
        assert_eq!(again, 0);
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.2", 0), 20, "another address has its own");
        let within_10_s: u32 = (0..=1_000).map(|n| connect_and_spend(&mut admission, "192.0.2.1", n * 10)).sum();
        assert!(within_10_s <= 51, "{within_10_s} messages");
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 60_000), 20, "time gives it back");
    }

    #[test]
    fn an_idle_connection_that_ends_hides_no_debt() {
        for idle_ends_last in [true, false] {
            let mut admission = standard();
            let idle: Vec<Flood> = (0..63).map(|_| enter(&mut admission, "192.0.2.1", 0)).collect();
            if !idle_ends_last {
                for &flood in &idle {
                    admission.leave(peer("192.0.2.1"), flood, false, 0);
                }
            }
            assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 20);
            if idle_ends_last {
                for &flood in &idle {
                    admission.leave(peer("192.0.2.1"), flood, false, 0);
                }
            }
            assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 0);
        }
    }

    #[test]
    fn many_in_turn_get_about_as_much_as_many_that_stay() {
        let mut admission = standard();
        let mut open = std::collections::VecDeque::new();
        let (mut messages, until_ms) = (0, 30_000);
        for now_ms in (0..until_ms).step_by(10) {
            let mut flood = enter(&mut admission, "192.0.2.1", now_ms);
            flood.take(BYTES, now_ms);
            messages += spend(&mut flood, now_ms);
            open.push_back(flood);
            if open.len() > 16 {
                let flood = open.pop_front().expect("many are open");
                admission.leave(peer("192.0.2.1"), flood, false, now_ms);
            }
        }
        // Sixteen bursts, then sixteen times the rate, and a quarter: all that are open when one
        // ends start again.
        assert!(messages <= 16 * (21 + 5 * 30) * 5 / 4, "{messages} messages");
    }

    #[test]
    fn a_debt_makes_nobody_else_wait_long() {
        let mut admission = standard();
        let mut flood = enter(&mut admission, "192.0.2.1", 0);
        flood.take(BYTES, 0);
        flood.take(100_000, 0);
        assert!(flood.wait_ms(0) > 4_000);
        admission.leave(peer("192.0.2.1"), flood, false, 0);
        let mut next = enter(&mut admission, "192.0.2.1", 0);
        assert_eq!(next.wait_ms(0), 0, "its hello is read at once");
        next.take(BYTES, 0);
        assert_eq!(next.wait_ms(0), 1_100);
    }

    #[test]
    fn one_subnet_of_ipv6_and_one_mapped_address_share_their_credit() {
        let mut admission = standard();
        assert_eq!(connect_and_spend(&mut admission, "2001:db8::1", 0), 20);
        assert_eq!(connect_and_spend(&mut admission, "2001:db8::ffff:2", 0), 0);
        assert_eq!(connect_and_spend(&mut admission, "2001:db8:0:1::1", 0), 20);
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 20);
        assert_eq!(connect_and_spend(&mut admission, "::ffff:192.0.2.1", 0), 0);
    }

    #[test]
    fn a_burst_of_connections_is_served_at_once_and_more_in_turn() {
        let mut admission = standard();
        let delays: Vec<u64> = (0..416).map(|_| admission.enter(peer("192.0.2.1"), 0).delay_ms).collect();
        assert!(delays[..384].iter().all(|&delay_ms| delay_ms == 0));
        assert_eq!(delays[384..387], [32, 63, 94], "thirty-two a second");
        assert_eq!(admission.enter(peer("192.0.2.2"), 0).delay_ms, 0, "others are served at once");
        let full = FloodLimit::Standard.full(peer("192.0.2.1").ip(), 0).expect("limited");
        for _ in 0..32 {
            admission.leave(peer("192.0.2.1"), full, true, 0);
        }
        assert_eq!(admission.enter(peer("192.0.2.1"), 0).delay_ms, 32, "who gave up takes nobody's turn");
        assert_eq!(admission.enter(peer("192.0.2.1"), 10_000).delay_ms, 0);
    }

    #[test]
    fn a_storm_of_connections_makes_nobody_wait_for_long() {
        let mut admission = SubnetCredits::new(FloodLimit::PerSecond(5));
        let enter = |admission: &mut SubnetCredits, now_ms| admission.enter(peer("127.0.0.1"), now_ms).delay_ms;
        let longest_ms = (0..10_000).map(|_| enter(&mut admission, 0)).max();
        assert_eq!(longest_ms, Some(4_000));
        let full = FloodLimit::PerSecond(5).full(peer("127.0.0.1").ip(), 0).expect("limited");
        for _ in 0..10_000 {
            admission.leave(peer("127.0.0.1"), full, true, 0);
        }
        assert_eq!(enter(&mut admission, 0), 32, "hanging up brings no new burst");
    }

    #[test]
    fn exempt_addresses_have_no_limits_and_are_not_stored() {
        for (limit, address) in [(FloodLimit::Standard, "127.0.0.1"), (FloodLimit::Off, "192.0.2.1")] {
            let mut admission = SubnetCredits::new(limit);
            for _ in 0..1_000 {
                assert_eq!(admission.enter(peer(address), 0), Terms::default());
            }
            assert!(admission.subnets.is_empty());
        }
        let mut asked_for = SubnetCredits::new(FloodLimit::PerSecond(5));
        assert_eq!(connect_and_spend(&mut asked_for, "127.0.0.1", 0), 20);
        assert_eq!(connect_and_spend(&mut asked_for, "127.0.0.1", 0), 0);
    }

    #[test]
    fn memory_is_bounded_and_a_large_debt_outlasts_a_crowd() {
        let mut admission = standard();
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 20);
        for n in 0..3 * SUBNETS_MAX {
            let address = format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff);
            let mut flood = enter(&mut admission, &address, 0);
            flood.take(BYTES, 0);
            admission.leave(peer(&address), flood, false, 0);
        }
        assert_eq!((admission.subnets.len(), admission.by_full_ms.len()), (SUBNETS_MAX, SUBNETS_MAX));
        assert_eq!(connect_and_spend(&mut admission, "192.0.2.1", 0), 0);
        let _ = enter(&mut admission, "192.0.2.9", 120_000);
        assert_eq!(admission.subnets.len(), 1, "who has all its credit again is forgotten");
    }
}
