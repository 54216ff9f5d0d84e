//! The journal from outside: engines on real files, journals on real threads.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod checksums;
mod closing;
mod crashes;
mod damage;
mod fairness;
mod faults;
mod imports;
mod left_behind;
mod log;
mod log_bound;
mod migration;
mod model;
mod numbers;
mod pages;
mod refusals;
mod retention;
mod salvage;
mod scripted_store;
mod sealed;
mod searching;
mod support;
mod threads;
mod upkeep;
