//! Recordings as tshark reads them with `packaging/wireshark/glassline.lua`, and frames as three
//! readers decode them that share no code. Without tshark the tests say that they did not run;
//! under `CI=true` they fail.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod agreement;
mod recording;
mod tools;
