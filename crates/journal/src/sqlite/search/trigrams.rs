//! Choice of a query's trigrams for the index. It reads everything that has a trigram, so that
//! common ones cost more than they narrow; a sample of the room's messages shows which ones are
//! common.

use rusqlite::{Connection, Error};

use super::quoting::put_quoted;
use crate::sqlite::folding::fold_into;
use crate::sqlite::rooms::RoomRow;
use crate::sqlite::rowid::rowid;

/// Characters of a term of the index.
const TRIGRAM_CHARS: usize = 3;

/// Trigrams of a query that are weighed; a longer query is narrow with these.
const WEIGHED_MAX: usize = 48;

const ASKED_MAX: usize = 16;

/// Stretches of the sample, spread over the room, so that a flood in one place does not pass for
/// the whole.
const STRETCHES: usize = 8;

/// Messages of a stretch: one bit of a word each.
const STRETCH_MESSAGES: u64 = u64::BITS as u64;

/// Leading bytes of a text that are examined.
const SAMPLED_BYTES: usize = 512;

/// Cost of reading a message that the index proposes, in entries of a trigram: measured as 1.5 µs
/// to some 10 ns, since the index skips along all trigrams but the first.
const READING_STEPS: f64 = 150.0;

/// Set of messages of the sample.
type SampleSet = [u64; STRETCHES];

#[derive(Debug)]
pub(super) struct Trigrams(Vec<Trigram>);

#[derive(Debug)]
struct Trigram {
    text: String,
    among: SampleSet,
}

impl Trigrams {
    /// Splits a folded query. Returns nothing for one that is shorter than a trigram. As in the
    /// index, NUL is skipped.
    pub(super) fn of(needle: &str) -> Option<Self> {
        let characters: Vec<char> = needle.chars().filter(|character| *character != '\0').collect();
        let count = characters.len().checked_sub(TRIGRAM_CHARS - 1).filter(|count| *count > 0)?;
        let taken = count.min(WEIGHED_MAX);
        let mut trigrams: Vec<Trigram> = Vec::with_capacity(taken);
        for number in 0..taken {
            // Spread over the query, the first and the last among them.
            let at = number * (count - 1) / (taken - 1).max(1);
            let text: String = characters[at..at + TRIGRAM_CHARS].iter().collect();
            if trigrams.iter().all(|trigram| trigram.text != text) {
                trigrams.push(Trigram { text, among: SampleSet::default() });
            }
        }
        Some(Self(trigrams))
    }

    /// Returns an index query that matches every text up to the room's `last` that contains the
    /// query.
    pub(super) fn narrowest(mut self, db: &Connection, room: RoomRow, last: u64) -> Result<String, Error> {
        // With one trigram there is no choice.
        let sampled = if self.0.len() > 1 { self.sample(db, room, last)? } else { SampleSet::default() };
        Ok(self.chosen(&sampled))
    }

    /// Reads the sample, and notes which messages have which trigrams. Returns the messages read.
    fn sample(&mut self, db: &Connection, room: RoomRow, last: u64) -> Result<SampleSet, Error> {
        let mut sampled = SampleSet::default();
        let mut folded = String::new();
        let mut statement =
            db.prepare_cached("SELECT text FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3")?;
        let step = ((last + 1).saturating_sub(room.oldest)).div_ceil(STRETCHES as u64).max(1);
        for (stretch, first) in (room.oldest..=last).step_by(usize::try_from(step).unwrap_or(usize::MAX)).enumerate() {
            let end = last.min(first + (step - 1));
            let mut rows = statement.query((rowid(room.id, first), rowid(room.id, end), STRETCH_MESSAGES))?;
            let mut bit = 1;
            while let Some(row) = rows.next()? {
                let text = row.get_ref(0)?.as_str().unwrap_or_default();
                fold_into(&text[..text.floor_char_boundary(SAMPLED_BYTES)], &mut folded);
                sampled[stretch] |= bit;
                for trigram in self.0.iter_mut().filter(|trigram| folded.contains(&trigram.text)) {
                    trigram.among[stretch] |= bit;
                }
                bit <<= 1;
            }
        }
        Ok(sampled)
    }

    /// Chooses the trigram that makes the query cheapest, then others as long as each makes it
    /// cheaper.
    fn chosen(mut self, sampled: &SampleSet) -> String {
        let all = count(sampled).max(1.0);
        let (mut left, mut expected, mut asked) = (*sampled, all, String::new());
        for _ in 0..ASKED_MAX {
            let remaining = |trigram: &Trigram| match count(&both(&left, &trigram.among)) {
                // Rarer than the sample can show.
                0.0 => expected * (count(&trigram.among) + 0.5) / all,
                seen => seen,
            };
            let cost = |trigram: &Trigram| READING_STEPS * remaining(trigram) + count(&trigram.among);
            let costs = self.0.iter().map(cost).enumerate();
            let Some((best, cost)) = costs.min_by(|(_, one), (_, other)| one.total_cmp(other)) else { break };
            if !asked.is_empty() && cost >= READING_STEPS * expected {
                break;
            }
            let still_expected = remaining(&self.0[best]);
            expected = still_expected;
            let trigram = self.0.swap_remove(best);
            left = both(&left, &trigram.among);
            put_quoted(&mut asked, trigram.text.chars());
            asked.push(' ');
        }
        asked
    }
}

fn both(one: &SampleSet, other: &SampleSet) -> SampleSet {
    std::array::from_fn(|stretch| one[stretch] & other[stretch])
}

fn count(among: &SampleSet) -> f64 {
    f64::from(among.iter().map(|stretch| stretch.count_ones()).sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::engine::tests::{Folder, batch_of};
    use crate::store::Store;

    /// Returns the index query for a room of these texts.
    fn asked(texts: &[String], query: &str) -> String {
        let folder = Folder::new();
        let mut engine = folder.engine();
        engine.append(&batch_of(texts.iter())).expect("stores");
        let last = texts.len() as u64;
        let room = RoomRow { id: 1, oldest: 1, newest: last, indexed: last, oldest_at_ms: 0, removed: 0 };
        Trigrams::of(query).expect("long enough").narrowest(engine.connection(), room, last).expect("reads")
    }

    #[test]
    fn trigrams_are_the_querys_own_and_cover_it() {
        let of = |query: &str| {
            Trigrams::of(query).map(|trigrams| trigrams.0.into_iter().map(|trigram| trigram.text).collect())
        };
        assert_eq!(of("ab"), None::<Vec<String>>);
        assert_eq!(of("a\0b"), None);
        assert_eq!(of("a\0bc"), Some(vec!["abc".to_string()]));
        assert_eq!(of("aaaaaaaa"), Some(vec!["aaa".to_string()]));
        assert_eq!(of("東京タワ"), Some(vec!["東京タ".to_string(), "京タワ".to_string()]));
        let long: String = ('\u{4E00}'..).take(300).collect();
        let trigrams = of(&long).expect("long enough");
        assert_eq!(trigrams.len(), WEIGHED_MAX);
        assert!(long.starts_with(&trigrams[0]) && long.ends_with(&trigrams[WEIGHED_MAX - 1]));
    }

    #[test]
    fn quotes_in_a_query_are_no_syntax() {
        let texts: Vec<String> = (0..40).map(|number| format!("some \"words* {number}")).collect();
        assert_eq!(asked(&texts, "\"wo"), "\"\"\"wo\" ");
    }

    #[test]
    fn common_trigrams_are_left_out_if_there_is_a_rare_one() {
        let text = |number: u32| format!("everybody says {}", if number.is_multiple_of(300) { "rare" } else { "this" });
        let texts: Vec<String> = (0..3_000).map(text).collect();
        let asked = asked(&texts, "everybody says rare");
        assert!(["s r", " ra", "rar", "are"].iter().any(|trigram| asked.contains(trigram)), "{asked:?}");
        assert!(!asked.contains("eve") && !asked.contains("bod"), "{asked:?}");
    }

    #[test]
    fn a_flood_in_one_place_does_not_pass_for_the_whole() {
        // Each trigram of the query is in each message of the flood, and only there are those
        // between its words.
        let text = |number: u32| match number {
            2_000.. => "second fir first",
            _ if number.is_multiple_of(2) => "first",
            _ => "second",
        };
        let texts: Vec<String> = (0..4_000).map(|number| text(number).to_string()).collect();
        let asked = asked(&texts, "second first");
        assert!(["nd ", "d f", " fi"].iter().any(|trigram| asked.contains(trigram)), "{asked:?}");
    }
}
