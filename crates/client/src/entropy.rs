//! Randomness as an argument, so that a test decides it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A source of random numbers, for message ids and the jitter of reconnects.
pub trait Entropy {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// The next 128 random bits.
    fn next_u128(&mut self) -> u128 {
        u128::from(self.next_u64()) << 64 | u128::from(self.next_u64())
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&mut self) -> u64 {
        // Without the system's source, the standard library's hash keys still differ from process to process and call to call.
        getrandom::u64().unwrap_or_else(|_| RandomState::new().build_hasher().finish())
    }
}
