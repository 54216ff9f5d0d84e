//! The tap over real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deciding;
mod faults;
mod intercepting;
mod load;
mod recorded;
mod relay_fixture;
mod relaying;
mod secure_peer;
