//! Sockets, connections and the loop over them.

mod connection;
mod connections;
pub(crate) mod listener;
mod poll;
mod reactor;
mod socket;
mod timers;
mod transport;

pub use listener::{listen, listen_ipv6_only, takes_ipv4};
pub use poll::run;
#[cfg(any(test, feature = "test-server"))]
pub use reactor::tests::{Pipe, TestServer};
