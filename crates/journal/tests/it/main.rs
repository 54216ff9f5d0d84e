//! The journal from outside: engines on real files, journals on real threads.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod closing;
mod crashes;
mod damage;
mod fairness;
mod faults;
mod log_bound;
mod model;
mod numbers;
mod pages;
mod refusals;
mod retention;
mod searching;
mod stage;
mod support;
mod threads;
mod upkeep;
