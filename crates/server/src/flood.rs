//! How much a connection may send (L): over it the server stops reading, nothing is lost and nobody is thrown out.

use std::net::IpAddr;

/// The limit on messages and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloodLimit {
    /// 20 messages at once, then 5 a second, and 16 KiB a second; this machine's own addresses are exempt.
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
#[derive(Debug)]
pub(crate) struct Flood {
    messages: Bucket,
    bytes: Bucket,
}

#[derive(Debug)]
struct Bucket {
    level: f64,
    level_max: f64,
    per_ms: f64,
    filled_ms: u64,
}

impl Bucket {
    fn full(level_max: f64, per_second: f64, now_ms: u64) -> Self {
        Self { level: level_max, level_max, per_ms: per_second / 1_000.0, filled_ms: now_ms }
    }

    fn fill(&mut self, now_ms: u64) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two reads")]
        let elapsed_ms = now_ms.saturating_sub(self.filled_ms) as f64;
        self.level = (self.level + elapsed_ms * self.per_ms).min(self.level_max);
        self.filled_ms = now_ms;
    }

    /// Milliseconds until there is something in it again.
    fn wait_ms(&self) -> u64 {
        #[expect(clippy::cast_sign_loss, reason = "the level is below zero here, so the quotient is positive")]
        if self.level >= 0.0 { 0 } else { (-self.level / self.per_ms).ceil() as u64 }
    }
}

impl FloodLimit {
    /// The buckets of a new connection; none for one that is exempt.
    pub(crate) fn buckets(self, peer: IpAddr, now_ms: u64) -> Option<Box<Flood>> {
        let (burst, per_second) = match self {
            Self::Off => return None,
            Self::Standard if peer.to_canonical().is_loopback() => return None,
            Self::Standard => (BURST_MESSAGES, MESSAGES_PER_SECOND),
            Self::PerSecond(messages) => (4.0 * f64::from(messages), f64::from(messages)),
        };
        let byte_scale = per_second / MESSAGES_PER_SECOND;
        Some(Box::new(Flood {
            messages: Bucket::full(burst, per_second, now_ms),
            bytes: Bucket::full(BURST_BYTES * byte_scale, BYTES_PER_SECOND * byte_scale, now_ms),
        }))
    }
}

impl Flood {
    /// Notes one message.
    pub(crate) fn take(&mut self, bytes: usize, now_ms: u64) {
        self.messages.fill(now_ms);
        self.bytes.fill(now_ms);
        self.messages.level -= 1.0;
        #[expect(clippy::cast_precision_loss, reason = "at most the longest frame")]
        let bytes = bytes as f64;
        self.bytes.level -= bytes;
    }

    /// How long to wait before the next one is read, in milliseconds.
    pub(crate) fn wait_ms(&mut self, now_ms: u64) -> u64 {
        self.messages.fill(now_ms);
        self.bytes.fill(now_ms);
        self.messages.wait_ms().max(self.bytes.wait_ms())
    }
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
        assert!(FloodLimit::Standard.buckets(near, 0).is_none());
        assert!(FloodLimit::Standard.buckets(mapped, 0).is_none());
        assert!(FloodLimit::Standard.buckets(far, 0).is_some());
        assert!(FloodLimit::PerSecond(5).buckets(near, 0).is_some());
        assert!(FloodLimit::Off.buckets(far, 0).is_none());
    }

    #[test]
    fn twenty_at_once_then_five_a_second() {
        let mut flood = FloodLimit::Standard.buckets("192.0.2.1".parse().expect("ip"), 0).expect("limited");
        for _ in 0..20 {
            assert_eq!(takes(&mut flood, 10, 0), 0);
        }
        assert_eq!(takes(&mut flood, 10, 0), 200);
        assert_eq!(takes(&mut flood, 10, 200), 200);
        assert_eq!(takes(&mut flood, 10, 10_000), 0);
    }

    #[test]
    fn bytes_count_as_well() {
        let mut flood = FloodLimit::Standard.buckets("192.0.2.1".parse().expect("ip"), 0).expect("limited");
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 0);
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 0);
        assert_eq!(takes(&mut flood, 16 * 1024, 0), 1_000);
    }
}
