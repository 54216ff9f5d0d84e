//! TLS: both layers against each other, hostile bytes, and judges from elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod handshake;
mod support;
