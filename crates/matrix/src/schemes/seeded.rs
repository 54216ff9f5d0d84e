//! Random numbers of the lab for schemes that take them.

use glassline_secure::NoRandomness;

use crate::random::Random;
use crate::secret::Secret;

/// Source that a secret of the lab determines.
#[derive(Debug, Clone)]
pub(super) struct Seeded(Random);

impl Seeded {
    pub(super) fn new(secret: &Secret) -> Self {
        let (seed, _) =
            secret.split_first_chunk().map_or((0, &[][..]), |(first, rest)| (u64::from_le_bytes(*first), rest));
        Self(Random::new(seed, &crate::bytes::hex(secret)))
    }
}

impl glassline_secure::Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(size_of::<u64>()) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
