//! The server: listeners, the door that tells dialects apart, the sessions, and one loop that reads and writes.
//!
//! One thread, one loop: read what arrived, let the session turn it into calls on the hub, then write to each member all
//! that waits for it, in one system call. `ARCHITECTURE.md` follows one message through these files.

mod admission;
mod archive;
mod bucket;
mod clock;
mod closing;
mod connection;
mod counters;
mod door;
mod eviction;
mod flood;
mod gate;
mod history;
mod limits;
mod link;
mod listener;
mod order;
mod outbox_budget;
mod pacing;
mod reactor;
mod reading;
mod refusal_page;
#[cfg(any(test, feature = "rehearsal"))]
mod rehearsal;
mod serving;
mod session;
mod shutdown;
mod takeover;
mod timers;
mod unregistered;
mod watching;
mod writing;

#[cfg(any(test, feature = "rehearsal"))]
pub use archive::Archive;
pub use flood::FloodLimit;
pub use glassline_hub::{OperatorToken, TokenError};
pub use limits::Limits;
pub use listener::{listen, listen_ipv6_only, takes_ipv4};
#[cfg(any(test, feature = "rehearsal"))]
pub use rehearsal::{FarEnd, House, Rehearsal};
pub use serving::run;
pub use shutdown::Shutdown;
pub use watching::{ANSWER_TIMEOUT, Watch, serve_http};

/// Settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Exactly the tutorial's behaviour (T9).
    pub pure: bool,
    /// Limit of a connection's sends.
    pub flood: FloodLimit,
    /// With a store: how many messages of the past a newcomer is sent in the event dialect.
    pub replay: usize,
    /// … and in the tutorial dialect, as ordinary pairs with the time in front.
    pub replay_tutorial: usize,
    /// Token that makes a member an operator; without it there are none.
    pub operator_token: Option<OperatorToken>,
    /// Every bound and deadline.
    pub limits: Limits,
    /// Observer of the running server.
    pub watch: Watch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pure: false,
            flood: FloodLimit::default(),
            replay: 50,
            replay_tutorial: 0,
            operator_token: None,
            limits: Limits::default(),
            watch: Watch::default(),
        }
    }
}
