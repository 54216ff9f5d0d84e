//! Recordings as tshark reads them with `packaging/wireshark/glassline.lua`, and frames as three
//! readers decode them that share no code. Without tshark the tests say that they did not run;
//! under `CI=true` they fail.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod agreement;
mod recording;
mod secrets;
mod tools;

#[path = "../it/relay_fixture.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests over sockets use the rest")]
mod relay_fixture;
#[path = "../it/secure_peer.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests over sockets use the rest")]
mod secure_peer;
