//! Fingerprints of public keys, in the one form in which people compare them.

use std::fmt;
use std::str::FromStr;

use bip39::Language;
use glassline_wire::hex;
use sha2::{Digest, Sha256};

/// Words of a fingerprint, of 11 bits each.
const WORDS: usize = 8;
const BITS_PER_WORD: usize = 11;
const HEX_DIGITS: usize = 64;

/// SHA-256 of a `SubjectPublicKeyInfo`. It is shown as eight words and 64 hexadecimal digits, and
/// read in each form in which it is shown.
///
/// The words are the first 88 bits. That suffices against a second key with the same words; an
/// attacker does not choose the first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Causes for which a text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// It has neither eight words nor 64 hexadecimal digits.
    #[error("a fingerprint is eight words with hyphens, 64 hexadecimal digits, or both as displayed")]
    WrongForm,
    /// A word is not in the list.
    #[error("`{0}` is not a word of fingerprints; check its spelling")]
    UnknownWord(String),
    /// Words and digits belong to different keys.
    #[error("the words and the digits belong to different keys")]
    Contradiction,
}

/// A word that is not the one at its place in a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferingWord {
    /// Place among the words, from 1.
    pub position: usize,
    /// The word; empty if there is none.
    pub given: String,
    /// The word of the fingerprint.
    pub known: String,
}

impl Fingerprint {
    /// Hashes a `SubjectPublicKeyInfo` in DER.
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(Sha256::digest(spki).into())
    }

    /// Returns the fingerprint with these bytes, such as those kept in a file.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight words with hyphens between them.
    pub fn words(&self) -> String {
        let list = Language::English.word_list();
        let words: Vec<&str> = (0..WORDS).map(|at| list[self.word_index(at)]).collect();
        words.join("-")
    }

    /// All 64 hexadecimal digits, lower case.
    pub fn hex(&self) -> String {
        hex::encode(&self.0)
    }

    /// Returns whether `text`, in any form that is accepted, names this key.
    ///
    /// # Errors
    /// The text is no fingerprint.
    pub fn matches(&self, text: &str) -> Result<bool, FingerprintError> {
        let (words, hex) = parts(text)?;
        let is_of_words = words.as_deref().is_none_or(|words| words == self.words());
        let is_of_hex = hex.as_deref().is_none_or(|hex| hex == self.hex());
        if words.is_some() && hex.is_some() && is_of_words != is_of_hex {
            return Err(FingerprintError::Contradiction);
        }
        Ok(is_of_words && is_of_hex)
    }

    /// Returns the words of `text` that differ from this key's, in order; all of them if `text` has
    /// no words or is no fingerprint.
    pub fn differing_words(&self, text: &str) -> Vec<DifferingWord> {
        let given = parts(text).ok().and_then(|(words, _)| words).unwrap_or_default();
        let known = self.words();
        let mut given = given.split('-');
        let pairs = known.split('-').zip(1..).map(|(known, position)| (position, given.next().unwrap_or(""), known));
        pairs
            .filter(|(_, given, known)| given != known)
            .map(|(position, given, known)| DifferingWord {
                position,
                given: given.to_owned(),
                known: known.to_owned(),
            })
            .collect()
    }

    fn word_index(&self, at: usize) -> usize {
        (at * BITS_PER_WORD..(at + 1) * BITS_PER_WORD)
            .fold(0, |index, bit| index << 1 | usize::from(self.0[bit / 8] >> (7 - bit % 8) & 1))
    }
}

/// Splits a text into its words (with hyphens, known to be of the list) and its digits.
fn parts(text: &str) -> Result<(Option<String>, Option<String>), FingerprintError> {
    let lower = text.to_lowercase();
    let pieces: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()).collect();
    let is_hex = |piece: &&str| piece.len() == HEX_DIGITS && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (hex, words): (Vec<&str>, Vec<&str>) = pieces.into_iter().partition(is_hex);
    if let Some(unknown) = words.iter().find(|word| Language::English.find_word(word).is_none()) {
        return Err(FingerprintError::UnknownWord((*unknown).to_owned()));
    }
    match (words.len(), hex.as_slice()) {
        (0, [hex]) => Ok((None, Some((*hex).to_owned()))),
        (WORDS, []) => Ok((Some(words.join("-")), None)),
        (WORDS, [hex]) => Ok((Some(words.join("-")), Some((*hex).to_owned()))),
        _ => Err(FingerprintError::WrongForm),
    }
}

impl fmt::Display for Fingerprint {
    /// The one form in which fingerprints are shown: words, then digits in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.words(), self.hex())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads a fingerprint with its digits; words alone do not determine one, see
    /// [`matches`](Fingerprint::matches).
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (_, digits) = parts(text)?;
        let bytes = digits.and_then(|digits| hex::decode(&digits)?.try_into().ok());
        let fingerprint = Self(bytes.ok_or(FingerprintError::WrongForm)?);
        if fingerprint.matches(text)? { Ok(fingerprint) } else { Err(FingerprintError::Contradiction) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_accepted_as_displayed() {
        let shown = Fingerprint::of_spki(b"key");
        for text in [shown.to_string(), shown.words(), shown.hex(), shown.words().replace('-', " ").to_uppercase()] {
            assert_eq!(shown.matches(&text), Ok(true), "{text}");
            assert_eq!(Fingerprint::of_spki(b"other").matches(&text), Ok(false), "{text}");
        }
        assert_eq!(shown.to_string().parse(), Ok(shown));
        assert_eq!(shown.words().split('-').count(), WORDS);
    }

    #[test]
    fn what_is_no_fingerprint_is_refused_with_its_cause() {
        let (one, other) = (Fingerprint::of_spki(b"1"), Fingerprint::of_spki(b"2"));
        assert_eq!(one.matches(""), Err(FingerprintError::WrongForm));
        assert_eq!(one.matches("abandon"), Err(FingerprintError::WrongForm));
        assert_eq!(one.matches("abandn"), Err(FingerprintError::UnknownWord("abandn".to_owned())));
        assert_eq!(one.matches(&one.hex()[1..]), Err(FingerprintError::UnknownWord(one.hex()[1..].to_owned())));
        let mixed = format!("{} ({})", one.words(), other.hex());
        assert_eq!(one.matches(&mixed), Err(FingerprintError::Contradiction));
        assert_eq!(mixed.parse::<Fingerprint>(), Err(FingerprintError::Contradiction));
    }

    #[test]
    fn differing_words_are_named_with_their_place() {
        let known = Fingerprint::from_bytes([0; 32]);
        let typed = known.words().replacen("abandon", "zoo", 3).replacen("zoo", "abandon", 2);
        let third = DifferingWord { position: 3, given: "zoo".to_owned(), known: "abandon".to_owned() };
        assert_eq!(known.differing_words(&typed), [third]);
        assert_eq!(known.differing_words(&known.to_string()), []);
        for text in ["", "abandon", &known.hex(), &Fingerprint::from_bytes([0xff; 32]).words()] {
            assert_eq!(known.differing_words(text).len(), WORDS, "{text}");
        }
    }

    #[test]
    fn each_bit_of_the_first_88_changes_the_words() {
        let zero = Fingerprint::from_bytes([0; 32]);
        for bit in 0..88 {
            let mut bytes = [0; 32];
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            assert_ne!(Fingerprint::from_bytes(bytes).words(), zero.words(), "bit {bit}");
        }
    }
}
