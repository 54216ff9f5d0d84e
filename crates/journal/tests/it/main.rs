//! The journal from outside: engines on real files, journals on real threads.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod numbers;
mod pages;
mod searching;
mod support;
mod threads;
