//! Frames, random numbers, folders and processes, for tests, tools and simulations.
//!
//! Nothing here uses the program's own code, so that a defect of the program cannot hide behind
//! the same defect in its tests. The program depends on it in tests only.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

mod folder;
pub mod frame;
mod process;
mod rng;

pub use folder::Folder;
#[cfg(unix)]
pub use process::signal;
pub use process::{Ended, Process};
pub use rng::{Rng, for_each_seed, seed_or};
