//! Which pieces of a query the index is asked for. It steps along everything that a piece is said in, so that common pieces cost more
//! than they narrow; which ones are common is told by some messages of the room.

use rusqlite::{Connection, Error};

use super::put_quoted;
use crate::sqlite::folding::fold_into;
use crate::sqlite::rooms::RoomNow;
use crate::sqlite::rowid::rowid;

/// The index knows pieces of so many characters.
const TRIGRAM_CHARS: usize = 3;

/// Pieces of a query that are weighed; a longer one is narrow with these.
const WEIGHED_MAX: usize = 48;

/// Pieces that the index is asked for.
const ASKED_MAX: usize = 16;

/// Messages are looked at in so many stretches, spread over the room, so that a flood in one place does not pass for the whole.
const STRETCHES: usize = 8;

/// Messages of a stretch: a bit of a word each.
const STRETCH_MESSAGES: u64 = u64::BITS as u64;

/// Leading bytes of a text that are examined.
const LOOKED_AT_BYTES: usize = 512;

/// Cost of reading a message that the index proposes, in steps along a piece: measured as 1.5 µs to
/// some 10 ns, since along a second piece and further ones the index leaps.
const READING_STEPS: f64 = 150.0;

/// Which of the messages that were looked at.
type Among = [u64; STRETCHES];

/// The pieces of a query, one at least.
#[derive(Debug)]
pub(super) struct Trigrams(Vec<Trigram>);

#[derive(Debug)]
struct Trigram {
    text: String,
    /// Those that have it.
    among: Among,
}

impl Trigrams {
    /// Of a query, folded. Nothing for one that is shorter than a piece. The index steps over NUL, and so do the pieces.
    pub(super) fn of(needle: &str) -> Option<Self> {
        let characters: Vec<char> = needle.chars().filter(|character| *character != '\0').collect();
        let count = characters.len().checked_sub(TRIGRAM_CHARS - 1).filter(|count| *count > 0)?;
        let taken = count.min(WEIGHED_MAX);
        let mut trigrams: Vec<Trigram> = Vec::with_capacity(taken);
        for number in 0..taken {
            // Spread over the query, its first and its last piece among them.
            let at = number * (count - 1) / (taken - 1).max(1);
            let text: String = characters[at..at + TRIGRAM_CHARS].iter().collect();
            if trigrams.iter().all(|trigram| trigram.text != text) {
                trigrams.push(Trigram { text, among: Among::default() });
            }
        }
        Some(Self(trigrams))
    }

    /// Returns an index query such that every text up to the room's `last` that holds the query is
    /// among its answers.
    pub(super) fn narrowest(mut self, db: &Connection, room: RoomNow, last: u64) -> Result<String, Error> {
        // With one there is no choice.
        let looked_at = if self.0.len() > 1 { self.look(db, room, last)? } else { Among::default() };
        Ok(self.chosen(&looked_at))
    }

    /// Looks which messages have which pieces. Returns which were looked at.
    fn look(&mut self, db: &Connection, room: RoomNow, last: u64) -> Result<Among, Error> {
        let mut looked_at = Among::default();
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
                fold_into(&text[..text.floor_char_boundary(LOOKED_AT_BYTES)], &mut folded);
                looked_at[stretch] |= bit;
                for trigram in self.0.iter_mut().filter(|trigram| folded.contains(&trigram.text)) {
                    trigram.among[stretch] |= bit;
                }
                bit <<= 1;
            }
        }
        Ok(looked_at)
    }

    /// The piece that makes it cheapest, and another one as long as that makes it cheaper still.
    fn chosen(mut self, looked_at: &Among) -> String {
        let all = count(looked_at).max(1.0);
        let (mut left, mut expected, mut asked) = (*looked_at, all, String::new());
        for _ in 0..ASKED_MAX {
            let behind = |trigram: &Trigram| match count(&both(&left, &trigram.among)) {
                // Rarer than can be seen in so few.
                0.0 => expected * (count(&trigram.among) + 0.5) / all,
                seen => seen,
            };
            let cost = |trigram: &Trigram| READING_STEPS * behind(trigram) + count(&trigram.among);
            let costs = self.0.iter().map(cost).enumerate();
            let Some((best, cost)) = costs.min_by(|(_, one), (_, other)| one.total_cmp(other)) else { break };
            if !asked.is_empty() && cost >= READING_STEPS * expected {
                break;
            }
            let left_behind = behind(&self.0[best]);
            expected = left_behind;
            let trigram = self.0.swap_remove(best);
            left = both(&left, &trigram.among);
            put_quoted(&mut asked, trigram.text.chars());
            asked.push(' ');
        }
        asked
    }
}

fn both(one: &Among, other: &Among) -> Among {
    std::array::from_fn(|stretch| one[stretch] & other[stretch])
}

fn count(among: &Among) -> f64 {
    f64::from(among.iter().map(|stretch| stretch.count_ones()).sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::engine::tests::{Folder, batch_of};
    use crate::store::Store;

    /// Returns the index query for a room of these texts.
    fn asked(name: &str, texts: &[String], query: &str) -> String {
        let folder = Folder::new(name);
        let mut engine = folder.engine();
        engine.append(&batch_of(texts.iter())).expect("stores");
        let last = texts.len() as u64;
        let room = RoomNow { id: 1, oldest: 1, newest: last, indexed: last };
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
        assert_eq!(asked("quoted", &texts, "\"wo"), "\"\"\"wo\" ");
    }

    #[test]
    fn what_everybody_says_is_not_asked_for_where_something_rare_is() {
        let text = |number: u32| format!("everybody says {}", if number.is_multiple_of(300) { "rare" } else { "this" });
        let texts: Vec<String> = (0..3_000).map(text).collect();
        let asked = asked("everybody", &texts, "everybody says rare");
        assert!(["s r", " ra", "rar", "are"].iter().any(|trigram| asked.contains(trigram)), "{asked:?}");
        assert!(!asked.contains("eve") && !asked.contains("bod"), "{asked:?}");
    }

    #[test]
    fn a_flood_in_one_place_does_not_pass_for_the_whole() {
        // Each piece of the query is in each message of the flood, and only there are those between its words.
        let text = |number: u32| match number {
            2_000.. => "second fir first",
            _ if number.is_multiple_of(2) => "first",
            _ => "second",
        };
        let texts: Vec<String> = (0..4_000).map(|number| text(number).to_string()).collect();
        let asked = asked("flood", &texts, "second first");
        assert!(["nd ", "d f", " fi"].iter().any(|trigram| asked.contains(trigram)), "{asked:?}");
    }
}
