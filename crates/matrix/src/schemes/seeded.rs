//! Random numbers of the lab for schemes that take them.

use glassline_secure::NoRandomness;
use glassline_wire::hex;

use crate::random::Random;
use crate::secret::Secret;

/// Source that a secret of the lab determines.
#[derive(Debug, Clone)]
pub(super) struct Seeded(Random);

impl Seeded {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(Random::of(secret, &hex::encode(secret)))
    }
}

impl glassline_secure::Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes);
        Ok(())
    }
}
