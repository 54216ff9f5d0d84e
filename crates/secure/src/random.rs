//! Random numbers, as an argument, so that tests and attacks can replay them.

use std::fmt::Debug;

/// The system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers ({0}); nothing can be protected without them")]
pub struct NoRandomness(pub String);

/// Source of random bytes.
pub trait Random: Debug + Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// The source has none.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// Random numbers of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|error| NoRandomness(error.to_string()))
    }
}

/// Returns `N` random bytes.
pub(crate) fn bytes<const N: usize>(random: &mut dyn Random) -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
