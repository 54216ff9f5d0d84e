//! Script of all messages: every text and id follows from the seed, the author and a count, so that
//! no message need be kept.

use glassline_testkit::Rng;

/// The rooms, by index.
pub(crate) const ROOMS: [&str; 3] = ["lobby", "den", "attic"];

pub(crate) const ROOM_COUNT: usize = ROOMS.len();

/// Authors that use the event dialect: enough that their commits share groups.
const EVENT_AUTHORS: usize = 8;

/// The author that uses the tutorial dialect, in the lobby like all of them at first.
pub(crate) const TUTORIAL_AUTHOR: usize = EVENT_AUTHORS;

/// A text's longest filler in bytes: with the count in front it stays below the limit of T7, and `* ` fits too.
const FILLER_BYTES_MAX: u64 = 16_300;

/// Texts that JSON, SQL, UTF-8 and terminals treat in their own ways; no control character but
/// newline and tab, for T12 would change it.
const ODDITIES: [&str; 10] = ["漢字", "\"", "\\", "'", "\n", "\t", "%_*", "🦀", "\u{2028}", "é\u{301}"];

#[derive(Debug)]
pub(crate) struct Author {
    /// The name, which is the same after each restart.
    pub(crate) name: String,
    /// Room to which this author sends, by index.
    pub(crate) room: usize,
    /// `true` if its messages have ids and are acknowledged.
    pub(crate) has_ids: bool,
}

/// Messages of everybody in a run.
#[derive(Debug)]
pub(crate) struct Script {
    rng: Rng,
    authors: Vec<Author>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        let mut authors: Vec<_> = (0..EVENT_AUTHORS)
            .map(|author| Author { name: format!("author{author}"), room: author % ROOM_COUNT, has_ids: true })
            .collect();
        authors.push(Author { name: "tutorial".to_owned(), room: 0, has_ids: false });
        Self { rng: Rng::new(seed).labelled(0x5c21_9700), authors }
    }

    /// All authors, the tutorial's last.
    pub(crate) fn authors(&self) -> &[Author] {
        &self.authors
    }

    pub(crate) fn author_named(&self, name: &str) -> Option<usize> {
        self.authors.iter().position(|author| author.name == name)
    }

    /// The text of an author's message number `count`, from 0.
    pub(crate) fn text(&self, author: usize, count: u32) -> String {
        let mut rng = self.rng_of(author, count);
        let filler_bytes = match rng.below(64) {
            0 => rng.below(FILLER_BYTES_MAX),
            1..8 => rng.below(1_000),
            _ => rng.below(80),
        } as usize;
        let mut text = format!("#{count} ");
        let end = text.len() + filler_bytes;
        while text.len() < end {
            let next_u64 = rng.next_u64();
            if next_u64.is_multiple_of(5) {
                text.push_str(ODDITIES[(next_u64 >> 8) as usize % ODDITIES.len()]);
            } else {
                text.push_str(&format!("{next_u64:016x}")[..(next_u64 % 13 + 1) as usize]);
            }
        }
        text
    }

    /// The id of that message: 32 hexadecimal digits.
    pub(crate) fn id(&self, author: usize, count: u32) -> String {
        let mut rng = self.rng_of(author, count).labelled(1);
        format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
    }

    /// Returns whether that message is an action.
    pub(crate) fn is_action(&self, author: usize, count: u32) -> bool {
        self.authors[author].has_ids && self.rng_of(author, count).labelled(2).once_in(32)
    }

    fn rng_of(&self, author: usize, count: u32) -> Rng {
        self.rng.labelled((author as u64) << 32 | u64::from(count))
    }
}

/// The count at the start of a text.
pub(crate) fn count_in(text: &str) -> Option<u32> {
    let (count, _) = text.strip_prefix('#')?.split_once(' ')?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn texts_name_their_count_and_keep_to_the_limit() {
        let script = Script::new(3);
        let mut ids = BTreeSet::new();
        let mut longest = 0;
        for author in 0..script.authors().len() {
            for count in 0..500 {
                let text = script.text(author, count);
                assert_eq!(count_in(&text), Some(count));
                assert_eq!(text, Script::new(3).text(author, count));
                assert!(text.len() <= 16_384, "{}", text.len());
                assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                longest = longest.max(text.len());
                assert!(ids.insert(script.id(author, count)));
            }
        }
        assert!(longest > 10_000, "{longest}");
    }
}
