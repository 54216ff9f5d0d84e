//! Random numbers that a seed and a label determine.

use crate::secret::Secret;

/// 2^64 divided by the golden ratio: the step of the generator `SplitMix64`.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Generator for the choices of a run. It is no source of secrets outside the lab.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Numbers that depend on the seed and on the label alone.
    pub fn new(seed: u64, label: &str) -> Self {
        // FNV-1a: nobody chooses labels that collide.
        let label = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(mixed(seed) ^ mixed(label.wrapping_add(GOLDEN)))
    }

    /// Numbers that depend on the first bytes of a secret and on the label alone.
    pub(crate) fn of(secret: &Secret, label: &str) -> Self {
        Self::new(secret.first_chunk().map_or(0, |first| u64::from_le_bytes(*first)), label)
    }

    /// Returns the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// Returns a number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_u64() >> 1).unwrap_or(usize::MAX).checked_rem(bound).unwrap_or(0)
    }

    /// Fills these bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(size_of::<u64>()) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    /// Returns 32 bytes.
    pub fn secret(&mut self) -> Secret {
        let mut secret = [0; 32];
        self.fill(&mut secret);
        secret
    }

    /// Returns sixteen letters that occur nowhere else.
    pub fn word(&mut self) -> String {
        (0..16).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0))).collect()
    }
}

/// The output function of `SplitMix64` (Steele, Lea and Flood, 2014).
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
