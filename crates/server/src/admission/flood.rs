//! Limit of a connection's sends (L): over it the server stops reading; nothing is lost and nobody
//! is disconnected.

use std::net::IpAddr;

use crate::admission::token_bucket::TokenBucket;

/// The limit on messages and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloodLimit {
    /// 20 messages at once, then 5 a second, and 16 KiB a second; this machine's own addresses are
    /// exempt.
    #[default]
    Standard,
    /// So many messages a second, four times that at once; for every address, this machine's too.
    PerSecond(u32),
    /// None.
    Off,
}

const BURST_MESSAGES: f64 = 20.0;
const MESSAGES_PER_SECOND: f64 = 5.0;
const BYTES_PER_SECOND: f64 = 16.0 * 1024.0;
/// Two of the longest messages at once.
const BURST_BYTES: f64 = 2.0 * BYTES_PER_SECOND;

/// A connection's two token buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Flood {
    messages: TokenBucket,
    bytes: TokenBucket,
    /// No time recorded yet. The first frame, a `hello` or a name, is paid from the credit there
    /// is and makes no debt, so that a newcomer does not wait for others of its address.
    is_unused: bool,
}

impl FloodLimit {
    /// Full buckets; `None` for an exempt address.
    pub(crate) fn full(self, peer: IpAddr, now_ms: u64) -> Option<Flood> {
        let (burst, per_second) = match self {
            Self::Off => return None,
            Self::Standard if peer.to_canonical().is_loopback() => return None,
            Self::Standard => (BURST_MESSAGES, MESSAGES_PER_SECOND),
            Self::PerSecond(messages) => (4.0 * f64::from(messages), f64::from(messages)),
        };
        let byte_scale = per_second / MESSAGES_PER_SECOND;
        Some(Flood {
            messages: TokenBucket::full(burst, per_second, now_ms),
            bytes: TokenBucket::full(BURST_BYTES * byte_scale, BYTES_PER_SECOND * byte_scale, now_ms),
            is_unused: true,
        })
    }
}

impl Flood {
    /// Notes one frame.
    pub(crate) fn take(&mut self, bytes: usize, now_ms: u64) {
        self.fill(now_ms);
        if std::mem::take(&mut self.is_unused) {
            self.messages.take_available(1.0);
            self.bytes.take_available(tokens(bytes));
        } else {
            self.messages.take(1.0);
            self.bytes.take(tokens(bytes));
        }
    }

    /// Notes bytes that belong to no frame, such as those of a WebSocket's pings. Around the first
    /// frame they make no debt, as that does not; where they came `alone` they do.
    pub(crate) fn take_overhead(&mut self, bytes: usize, alone: bool, now_ms: u64) {
        self.fill(now_ms);
        if self.is_unused && !alone {
            self.bytes.take_available(tokens(bytes));
        } else {
            self.bytes.take(tokens(bytes));
        }
    }

    /// Milliseconds until the debt of bytes is paid.
    pub(crate) fn bytes_wait_ms(&mut self, now_ms: u64) -> u64 {
        self.fill(now_ms);
        self.bytes.wait_ms()
    }

    /// Lowers the credit to that of another connection.
    pub(crate) fn lower_to(&mut self, mut other: Self, now_ms: u64) {
        self.fill(now_ms);
        other.fill(now_ms);
        self.messages.lower_to(&other.messages);
        self.bytes.lower_to(&other.bytes);
    }

    /// Bounds the debt to what refills in this time.
    pub(crate) fn bound_debt(&mut self, wait_ms_max: f64) {
        self.messages.bound_debt(wait_ms_max);
        self.bytes.bound_debt(wait_ms_max);
    }

    /// Milliseconds to wait before the next frame is read.
    pub(crate) fn wait_ms(&mut self, now_ms: u64) -> u64 {
        self.fill(now_ms);
        if self.is_unused { 0 } else { self.messages.wait_ms().max(self.bytes.wait_ms()) }
    }

    /// Milliseconds until the whole burst is available.
    pub(crate) fn full_in_ms(&self) -> u64 {
        self.messages.full_in_ms().max(self.bytes.full_in_ms())
    }

    pub(crate) fn fill(&mut self, now_ms: u64) {
        self.messages.fill(now_ms);
        self.bytes.fill(now_ms);
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most the longest frame")]
fn tokens(bytes: usize) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(flood: &mut Flood, bytes: usize, now_ms: u64) -> u64 {
        flood.take(bytes, now_ms);
        flood.wait_ms(now_ms)
    }

    #[test]
    fn this_machine_is_exempt_unless_a_rate_was_set() {
        let (near, far): (IpAddr, IpAddr) = ("127.0.0.1".parse().expect("ip"), "192.0.2.1".parse().expect("ip"));
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().expect("ip");
        assert!(FloodLimit::Standard.full(near, 0).is_none());
        assert!(FloodLimit::Standard.full(mapped, 0).is_none());
        assert!(FloodLimit::Standard.full(far, 0).is_some());
        assert!(FloodLimit::PerSecond(5).full(near, 0).is_some());
        assert!(FloodLimit::Off.full(far, 0).is_none());
    }

    #[test]
    fn twenty_at_once_then_five_a_second() {
        let mut flood = FloodLimit::Standard.full("192.0.2.1".parse().expect("ip"), 0).expect("limited");
        for _ in 0..20 {
            assert_eq!(takes(&mut flood, 10, 0), 0);
        }
        assert_eq!(takes(&mut flood, 10, 0), 200);
        assert_eq!(takes(&mut flood, 10, 200), 200);
        assert_eq!(takes(&mut flood, 10, 10_000), 0);
    }

    #[test]
    fn a_debt_of_overhead_is_paid_by_time_alone() {
        let mut flood = FloodLimit::Standard.full("192.0.2.1".parse().expect("ip"), 0).expect("limited");
        flood.take_overhead(48 * 1024, true, 0);
        assert_eq!([0, 400, 1_000].map(|now_ms| flood.bytes_wait_ms(now_ms)), [1_000, 600, 0]);
    }

    #[test]
    fn bytes_count_as_well() {
        let mut flood = FloodLimit::Standard.full("192.0.2.1".parse().expect("ip"), 0).expect("limited");
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 0);
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 0);
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 1_000);
    }
}
