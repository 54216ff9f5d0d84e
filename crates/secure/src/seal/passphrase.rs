//! Passphrases and the expensive step from one to a key.

use std::collections::BTreeSet;
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use bip39::Language;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::random::{self, NoRandomness, Random};

/// Cost of the derivation, fixed by the version of the format (RFC 9106, second recommendation).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Length of a salt in bytes.
pub(super) const SALT_BYTES: usize = 16;
/// Longest passphrase in bytes.
const PASSPHRASE_BYTES_MAX: usize = 1024;
/// Words of a generated passphrase, of 11 bits each: 66 bits, and each guess costs an Argon2id.
const WORDS: usize = 6;

/// Bounds below which a passphrase is weak.
const WORDS_MIN: usize = 4;
const LENGTH_MIN: usize = 20;
const CHARACTERS_MIN: usize = 6;

/// Secret that the members of a room share. It is compared as Unicode NFC, without white space at
/// its ends, so that keyboards and files give the same key. Erased when it is dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// Causes for which a text is no passphrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing was entered.
    #[error("the passphrase is empty; enter one, or have one made of {WORDS} words")]
    Empty,
    /// It is longer than a derivation takes.
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
}

impl Passphrase {
    /// Takes what a person entered, or what a file holds.
    ///
    /// # Errors
    /// It is empty or too long.
    pub fn new(text: &str) -> Result<Self, PassphraseError> {
        if text.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseError::TooLong);
        }
        // Room for the longest form, so that no part of the secret stays behind in a moved buffer.
        let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
        normal.extend(text.trim().nfc());
        if normal.is_empty() { Err(PassphraseError::Empty) } else { Ok(Self(normal)) }
    }

    /// Makes one of six words that are drawn at random, joined by hyphens.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn generate(random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let list = Language::English.word_list();
        let draws: Zeroizing<[u8; 2 * WORDS]> = Zeroizing::new(random::bytes(random)?);
        let mut text = Zeroizing::new(String::with_capacity(9 * WORDS));
        for pair in draws.chunks_exact(2) {
            if !text.is_empty() {
                text.push('-');
            }
            // The list has 2^11 words, so the remainder is uniform.
            text.push_str(list[usize::from(u16::from_be_bytes([pair[0], pair[1]])) % list.len()]);
        }
        Ok(Self(text))
    }

    /// Returns whether it is short enough to be guessed by a program: fewer than four words and fewer
    /// than 20 characters, or of fewer than 6 different characters. Another one may be guessed, too.
    pub fn is_weak(&self) -> bool {
        let text = self.0.as_str();
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
        let has_few_characters = text.chars().collect::<BTreeSet<_>>().len() < CHARACTERS_MIN;
        has_few_characters || (words < WORDS_MIN && text.chars().take(LENGTH_MIN).count() < LENGTH_MIN)
    }

    /// The passphrase, to be shown to the one who made it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Derives 32 bytes with Argon2id: 64 MiB of memory and some tenths of a second.
    pub(super) fn stretch(&self, salt: &[u8; SALT_BYTES]) -> Result<Zeroizing<[u8; 32]>, argon2::Error> {
        let mut stretched = Zeroizing::new([0; 32]);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(stretched.len()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(self.0.as_bytes(), salt, stretched.as_mut_slice())?;
        Ok(stretched)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_passphrases_are_weak() {
        for (text, is_weak) in [
            ("x", true),
            ("correct horse", true),
            (&"x".repeat(40), true),
            ("a a a a a", true),
            ("correct horse battery staple", false),
            ("kd83jf02kslw92mvkw02", false),
        ] {
            assert_eq!(Passphrase::new(text).expect("usable").is_weak(), is_weak, "{text}");
        }
    }
}
