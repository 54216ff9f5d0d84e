//! Frames, random numbers, folders and processes, for tests, tools and simulations.
//!
//! Nothing here uses the program's own code, so that a defect of the program cannot hide behind
//! the same defect in its tests; the layer for tests implements a trait of the program, and uses
//! no more of it. The program depends on this crate in tests only.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

#[cfg(feature = "tls")]
mod any_server;
mod folder;
pub mod frame;
mod process;
#[cfg(all(unix, feature = "relay"))]
mod relay;
mod rng;
#[cfg(feature = "test-layer")]
mod test_layer;

#[cfg(feature = "tls")]
pub use any_server::AnyServer;
pub use folder::Folder;
#[cfg(unix)]
pub use process::signal;
pub use process::{Ended, Process, resident_kib};
#[cfg(all(unix, feature = "relay"))]
pub use relay::Relay;
pub use rng::{Rng, for_each_seed, seed_or};
#[cfg(feature = "test-layer")]
pub use test_layer::{TestLayer, is_test_layer_wanted, test_layers};
