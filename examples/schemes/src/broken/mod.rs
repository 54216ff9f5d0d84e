//! Broken schemes, each beside the few lines that fix the one thing it shows. A fixed one is not a
//! sound scheme: it may have other holes, which the table shows too. The sound one is `reference`.

mod challenge;
mod ctr;
mod ecb;
mod exchange;
mod nonce;
mod padding;
mod two_time_pad;
mod xor;

use std::sync::Arc;

use glassline_matrix::LinkScheme;

pub(crate) use challenge::ChallengeResponse;
pub(crate) use ctr::CounterMode;
pub(crate) use ecb::Blocks;
pub(crate) use exchange::Exchange;
pub(crate) use nonce::Nonce;
pub(crate) use padding::Padded;
pub(crate) use two_time_pad::Pad;
pub(crate) use xor::Xor;

/// One broken scheme.
pub(crate) struct Broken {
    /// Name in the table.
    pub(crate) name: &'static str,
    /// Attacks that succeed, and that the fix ends.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests expect"))]
    pub(crate) holes: &'static [&'static str],
    /// Makes it, broken or fixed.
    pub(crate) make: fn(is_fixed: bool) -> Arc<dyn LinkScheme>,
}

/// All of them.
pub(crate) const BROKEN: [Broken; 8] = [
    Broken { name: "xor", holes: &["eavesdrop"], make: |is_fixed| Arc::new(Xor { is_fixed }) },
    Broken { name: "two-time pad", holes: &["eavesdrop"], make: |is_fixed| Arc::new(Pad { is_fixed }) },
    Broken { name: "nonce reuse", holes: &["eavesdrop"], make: |is_fixed| Arc::new(Nonce { is_fixed }) },
    Broken { name: "ecb", holes: &["equality"], make: |is_fixed| Arc::new(Blocks { is_fixed }) },
    Broken { name: "ctr without mac", holes: &["tamper"], make: |is_fixed| Arc::new(CounterMode { is_fixed }) },
    Broken { name: "mac then encrypt", holes: &["oracle"], make: |is_fixed| Arc::new(Padded { is_fixed }) },
    Broken {
        name: "unauthenticated dh",
        holes: &["impersonate-server", "first-use"],
        make: |is_fixed| Arc::new(Exchange { is_fixed }),
    },
    Broken {
        name: "challenge-response",
        holes: &["reflect"],
        make: |is_fixed| Arc::new(ChallengeResponse { is_fixed }),
    },
];
