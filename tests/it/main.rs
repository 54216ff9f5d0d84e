//! Integration tests: a real server on port 0 and real sockets; where it takes a process of its own, the real binary.
//!
//! The clients here share no code with the server: frames are made by `format!`, events are bare JSON values.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod harness;

#[cfg(target_os = "linux")]
mod beyond_loopback;
#[cfg(unix)]
mod binary;
mod commands;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod configuration;
#[cfg(target_os = "linux")]
mod descriptors;
mod escapes;
mod events;
mod flood;
mod freeze;
mod headers;
#[cfg(unix)]
mod history;
#[cfg(unix)]
mod integrity;
#[cfg(unix)]
mod keys;
#[cfg(unix)]
mod links;
#[cfg(unix)]
mod metrics;
mod names;
mod operators;
mod order;
mod presence;
#[cfg(unix)]
mod program;
mod pure;
#[cfg(target_os = "linux")]
mod resets;
#[cfg(unix)]
mod scripting;
#[cfg(unix)]
mod sealed;
mod shutdown;
#[cfg(unix)]
mod signals;
mod silence;
mod slicing;
mod stalled;
#[cfg(unix)]
mod supervised;
#[cfg(unix)]
mod tap;
#[cfg(target_os = "linux")]
mod tap_descriptors;
#[cfg(unix)]
mod tap_page;
#[cfg(unix)]
mod tap_recordings;
#[cfg(unix)]
mod tap_secure;
mod tap_web;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod trust;
#[cfg(unix)]
mod upkeep;
#[cfg(unix)]
mod web;
mod whois;
