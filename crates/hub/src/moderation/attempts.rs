//! Wrong operator tokens by address: guessing is slow however many connections it is spread over
//! (L).

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use super::network::subnet;

/// Wrong tokens in a row per address: a class that shares one address may mistype.
pub(super) const BURST: u64 = 10;

/// Time after which one more is allowed: 288 guesses a day at 16 bytes or more.
const INTERVAL_MS: u64 = 5 * 60 * 1_000;

/// Addresses counted at a time.
const ADDRESSES_MAX: usize = 4_096;

/// Rate limiter of wrong tokens, by address. All addresses of an IPv6 network of 64 bits count as
/// one.
#[derive(Debug, Default)]
pub(crate) struct TokenAttempts {
    /// Instant at which each address has all its attempts again, on the monotonic clock.
    full_at_ms: BTreeMap<IpAddr, u64>,
}

impl TokenAttempts {
    pub(crate) fn left(&self, address: IpAddr, now_ms: u64) -> u64 {
        let full_at_ms = self.full_at_ms.get(&subnet(address)).copied().unwrap_or(0);
        BURST.saturating_sub(full_at_ms.saturating_sub(now_ms).div_ceil(INTERVAL_MS))
    }

    /// Returns the milliseconds until an address without attempts left gets one.
    pub(crate) fn wait_ms(&self, address: IpAddr, now_ms: u64) -> u64 {
        let full_at_ms = self.full_at_ms.get(&subnet(address)).copied().unwrap_or(0);
        full_at_ms.saturating_sub(now_ms).saturating_sub((BURST - 1) * INTERVAL_MS)
    }

    pub(crate) fn note_wrong(&mut self, address: IpAddr, now_ms: u64) {
        let subnet = subnet(address);
        if self.full_at_ms.len() >= ADDRESSES_MAX && !self.full_at_ms.contains_key(&subnet) {
            self.full_at_ms.retain(|_, full_at_ms| *full_at_ms > now_ms);
        }
        if self.full_at_ms.len() >= ADDRESSES_MAX
            && !self.full_at_ms.contains_key(&subnet)
            && let Some((&first, _)) = self.full_at_ms.iter().min_by_key(|&(_, full_at_ms)| full_at_ms)
        {
            // The one that guessed least.
            self.full_at_ms.remove(&first);
        }
        let full_at_ms = self.full_at_ms.entry(subnet).or_insert(now_ms);
        *full_at_ms = (*full_at_ms).max(now_ms) + INTERVAL_MS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv6Addr;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_ten_attempts_and_then_one_in_five_minutes() {
        let mut attempts = TokenAttempts::default();
        let (address, neighbour) = (ip("2001:db8::1"), ip("2001:db8::ffff"));
        for left in (0..BURST).rev() {
            attempts.note_wrong(address, 1_000);
            assert_eq!(attempts.left(neighbour, 1_000), left, "one network of 64 bits is one subscriber");
        }
        assert_eq!(attempts.wait_ms(address, 1_000), INTERVAL_MS);
        assert_eq!(
            (attempts.left(ip("2001:db8:0:1::1"), 1_000), attempts.left(ip("192.0.2.1"), 1_000)),
            (BURST, BURST)
        );
        assert_eq!(attempts.left(address, 1_000 + INTERVAL_MS - 1), 0);
        assert_eq!(
            (attempts.left(address, 1_000 + INTERVAL_MS), attempts.wait_ms(address, 1_000 + INTERVAL_MS)),
            (1, 0)
        );
        assert_eq!(attempts.left(address, 1_000 + BURST * INTERVAL_MS), BURST);
        attempts.note_wrong(ip("::ffff:127.0.0.1"), 0);
        assert_eq!(attempts.left(ip("127.0.0.1"), 0), BURST - 1, "loopback is no exception");
    }

    #[test]
    fn the_table_is_bounded_and_keeps_who_guessed_most() {
        let mut attempts = TokenAttempts::default();
        for _ in 0..BURST {
            attempts.note_wrong(ip("192.0.2.1"), 0);
        }
        for n in 0..3 * ADDRESSES_MAX as u128 {
            attempts.note_wrong(Ipv6Addr::from_bits(n << 64).into(), 1);
            assert!(attempts.full_at_ms.len() <= ADDRESSES_MAX);
        }
        assert_eq!(attempts.left(ip("192.0.2.1"), 1), 0);
        attempts.note_wrong(ip("192.0.2.2"), 100 * INTERVAL_MS);
        assert_eq!(attempts.full_at_ms.len(), 1, "old attempts are forgotten");
    }
}
