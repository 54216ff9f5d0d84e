//! Randomness of the operating system.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use glassline_session::Entropy;

#[derive(Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&mut self) -> u64 {
        // Without the system's source, the standard library's hash keys still differ from process
        // to process and call to call.
        getrandom::u64().unwrap_or_else(|_| RandomState::new().build_hasher().finish())
    }
}
