//! Texts of a benchmark, whose words are as unevenly used as those of people, some of them rare,
//! some Chinese or Japanese. The same seed gives the same texts.

use glassline_testkit::Rng;

/// The most frequent word: in more than half of all texts.
pub const COMMON: &str = "train";
/// One text in [`RARE_EVERY`] has it.
pub const RARE: &str = "quixotry";
/// Three characters in a row, as rare.
pub const RARE_CJK: &str = "図書館";
/// Two, which are shorter than what an index of three characters knows, as rare.
pub const RARE_CJK_PAIR: &str = "漢字";
const RARE_EVERY: u64 = 50_000;

const WORDS: usize = 1_000;
/// Texts of this share have words that occur once.
const ODD_WORD_EVERY: u64 = 20;
const CJK_EVERY: u64 = 20;
const CJK_FIRST: u32 = 0x4E00;
const CJK_CHARACTERS: usize = 2_000;
const ONSETS: &[u8] = b"bdfghjklmnprstvw";
const VOWELS: &[u8] = b"aeiou";
const VOCABULARY_SEED: u64 = 7;

/// Returns a rank below `ranks`, the first most often: rank 2n half as often as rank n.
fn rank(rng: &mut Rng, ranks: usize) -> usize {
    let share = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    ((ranks as f64).powf(share) as usize - 1).min(ranks - 1)
}

fn push_letters(rng: &mut Rng, syllables: u64, word: &mut String) {
    for _ in 0..syllables {
        for letters in [ONSETS, VOWELS] {
            word.push(char::from(rng.pick(letters)));
        }
    }
}

pub struct Corpus {
    rng: Rng,
    words: Vec<String>,
    said: u64,
}

impl Corpus {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(VOCABULARY_SEED);
        let mut words = vec![COMMON.to_owned()];
        while words.len() < WORDS {
            let mut word = String::new();
            let syllables = 1 + rng.below(4);
            push_letters(&mut rng, syllables, &mut word);
            words.push(word);
        }
        Self { rng: Rng::new(seed), words, said: 0 }
    }

    /// The next text: 3 to 15 words, or as many characters.
    pub fn text(&mut self, text: &mut String) {
        text.clear();
        self.said += 1;
        let length = 3 + self.rng.below(13);
        if self.rng.below(CJK_EVERY) == 0 {
            for _ in 0..length {
                let offset = rank(&mut self.rng, CJK_CHARACTERS) as u32;
                text.extend(char::from_u32(CJK_FIRST + offset));
            }
        } else {
            for _ in 0..length {
                self.word(text);
                text.push(' ');
            }
            text.pop();
        }
        if self.rng.below(ODD_WORD_EVERY) == 0 {
            text.push(' ');
            push_letters(&mut self.rng, 6, text);
        }
        if self.said.is_multiple_of(RARE_EVERY) {
            text.push(' ');
            text.push_str([RARE, RARE_CJK, RARE_CJK_PAIR][(self.said / RARE_EVERY % 3) as usize]);
        }
    }

    /// A text of exactly so many bytes, all ASCII.
    pub fn text_of(&mut self, bytes: usize, text: &mut String) {
        text.clear();
        while text.len() < bytes {
            self.word(text);
            text.push(' ');
        }
        text.truncate(bytes);
    }

    /// So many of the most used words in a row: what each text has pieces of and no text has.
    pub fn common_phrase(&self, words: usize) -> String {
        self.words[1..=words].join(" ")
    }

    pub fn id(&mut self) -> u128 {
        self.rng.next_u128()
    }

    fn word(&mut self, text: &mut String) {
        let rank = rank(&mut self.rng, WORDS);
        text.push_str(&self.words[rank]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_repeat_with_their_seed_and_some_match_the_search() {
        let said = |seed: u64, texts: u64| {
            let (mut corpus, mut text) = (Corpus::new(seed), String::new());
            let said = |_| {
                corpus.text(&mut text);
                text.clone()
            };
            (0..texts).map(said).collect::<Vec<String>>()
        };
        assert!(said(1, 100) == said(1, 100) && said(1, 100) != said(2, 100));
        let texts = said(1, 3 * RARE_EVERY);
        let with = |word: &str| texts.iter().filter(|text| text.contains(word)).count();
        assert!(with(COMMON) > texts.len() / 3);
        for rare in [RARE, RARE_CJK, RARE_CJK_PAIR] {
            assert_eq!(with(rare), 1, "{rare}");
        }
        // Nothing is escaped where a text is put into JSON.
        assert!(texts.iter().all(|text| !text.contains(['"', '\\']) && !text.contains(char::is_control)));
    }

    #[test]
    fn a_text_has_the_length_that_is_wanted() {
        let (mut corpus, mut text) = (Corpus::new(1), String::new());
        for _ in 0..100 {
            corpus.text_of(64, &mut text);
            assert_eq!(text.len(), 64);
        }
    }
}
