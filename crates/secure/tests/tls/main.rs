//! TLS: both layers against each other, hostile bytes, and judges from elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod authorities;
mod bounds;
mod certificates;
mod foreign;
mod handshake;
mod judges;
mod key_log;
mod members;
mod support;
mod tampering;
mod traffic;
mod trust;
