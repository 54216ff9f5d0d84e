//! The Noise link (N): both sides against each other, and each against what an attacker sends.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod conversation;
mod handshake;
mod pair;
mod records;
mod vectors;
