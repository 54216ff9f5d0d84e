//! Metrics: a request for numbers goes to the loop, which answers at the end of its turn.
//!
//! Nothing is published without a request, so a turn costs one read of an atomic number, and the
//! values of an answer are from one moment. An answer also shows that the loop is alive.

mod counters;
mod exposition;
mod http;
mod http_connection;
mod journal;
mod pages;
mod render;
mod watch;

pub(crate) use counters::{Counted, LoopCounters, Traffic};
pub use http::serve_http;
pub(crate) use watch::Snapshot;
pub use watch::{ANSWER_TIMEOUT, Watch};
