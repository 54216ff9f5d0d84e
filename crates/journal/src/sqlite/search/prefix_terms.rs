//! Terms of the index that begin with a query which is shorter than a trigram.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};

use super::quoting::put_quoted;
use crate::sqlite::folding::is_folded_alike;

/// Most terms in a query: with more, reading the messages is as fast.
const TERMS_MAX: usize = 256;

/// Time limit of listing them. Each costs in proportion to its frequency in all rooms.
#[cfg(not(test))]
const LIST_TIME: Duration = Duration::from_millis(20);
#[cfg(test)]
const LIST_TIME: Duration = Duration::from_secs(20);

/// Statement that makes the terms of the index readable over a connection.
pub(in crate::sqlite) const CREATE_VOCABULARY: &str =
    "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'message_text', 'row');";

/// Returns an index query that matches every text with `needle`, which is folded; an empty one if
/// no text has it, and `None` if there are too many terms or they cannot be determined.
pub(super) fn prefix_query(db: &Connection, needle: &str) -> Result<Option<String>, Error> {
    // The index skips NUL.
    let first: String = needle.chars().filter(|character| *character != '\0').collect();
    if first.is_empty() || !first.chars().all(is_folded_alike) {
        return Ok(None);
    }
    let last = format!("{first}{}{}", char::MAX, char::MAX);
    let started = Instant::now();
    let mut trigrams = db.prepare_cached("SELECT term FROM temp.vocabulary WHERE term >= ?1 AND term <= ?2")?;
    let mut rows = trigrams.query((first, last))?;
    let (mut asked, mut count) = (String::new(), 0);
    while let Some(row) = rows.next()? {
        count += 1;
        if count > TERMS_MAX || started.elapsed() > LIST_TIME {
            return Ok(None);
        }
        if !asked.is_empty() {
            asked.push_str(" OR ");
        }
        put_quoted(&mut asked, row.get_ref(0)?.as_str()?.chars());
    }
    Ok(Some(asked))
}

#[cfg(test)]
mod tests {
    use glassline_testkit::{Rng, seed_or};

    use super::*;
    use crate::sqlite::engine::tests::{Folder, batch_of, index_all};
    use crate::sqlite::folding::fold_into;
    use crate::store::Store;
    use glassline_wire::request::Search;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// Numbers of the messages among `texts` that hold the query, oldest first.
    fn holding(texts: &[String], query: &str) -> Vec<u64> {
        let folded = |text: &str| {
            let mut folded = String::new();
            fold_into(text, &mut folded);
            folded
        };
        let needle = folded(query);
        (1..).zip(texts).filter(|(_, text)| folded(text).contains(&needle)).map(|(seq, _)| seq).collect()
    }

    /// One character, continued in so many ways.
    fn continued(ways: usize) -> Vec<String> {
        ('\u{4E00}'..).take(ways).map(|next| format!("東{next}")).collect()
    }

    #[test]
    fn what_is_shorter_than_a_trigram_is_found_anywhere() {
        let mut rng = Rng::new(seed_or(20_261_123));
        let alphabet: Vec<char> = "aAbzß \"*\0東京都ΣςДдİı🎉".chars().collect();
        let mut text = |length: usize| -> String { (0..length).map(|_| rng.pick(&alphabet)).collect() };
        let texts: Vec<String> = (0..400).map(|number| text(1 + number % 7)).collect();
        let queries: Vec<String> = (0..300).map(|number| text(1 + number % 2)).collect();
        let folder = Folder::new();
        let mut engine = folder.engine();
        engine.append(&batch_of(texts.iter())).expect("stores");
        index_all(&mut engine);
        let mut reader = engine.reader().expect("a reader");
        engine.connection().execute_batch(CREATE_VOCABULARY).expect("shows");
        let mut found_by_terms = 0;
        for query in &queries {
            let search = Search { room: "lobby".into(), query: query.clone(), before: None, limit: Some(200) };
            let page = reader.search(&search, soon()).expect("searches");
            let found: Vec<u64> = page.messages.iter().filter_map(|message| message.seq).collect();
            let wanted = holding(&texts, query);
            assert_eq!(found, wanted[wanted.len().saturating_sub(200)..], "{query:?}");
            let mut needle = String::new();
            fold_into(query, &mut needle);
            found_by_terms += usize::from(prefix_query(engine.connection(), &needle).expect("reads").is_some());
        }
        assert!(found_by_terms > 100, "the index was asked {found_by_terms} times");
    }

    #[test]
    fn what_is_said_in_too_many_ways_is_left_to_reading() {
        let folder = Folder::new();
        let mut engine = folder.engine();
        let texts = continued(TERMS_MAX + 1);
        engine.append(&batch_of(texts.iter())).expect("stores");
        index_all(&mut engine);
        engine.connection().execute_batch(CREATE_VOCABULARY).expect("shows");
        assert_eq!(prefix_query(engine.connection(), "東").expect("reads"), None);
        let asked = prefix_query(engine.connection(), &texts[3]).expect("reads").expect("few");
        assert_eq!(asked, format!("\"{}\u{1}\"", texts[3]));
        let search = Search { room: "lobby".into(), query: "東".into(), before: None, limit: Some(5) };
        let page = engine.reader().expect("a reader").search(&search, soon()).expect("searches");
        assert!(page.messages.len() == 5 && page.more, "{page:?}");
    }

    #[test]
    fn the_most_terms_that_are_asked_for_can_be_asked_for() {
        let folder = Folder::new();
        let mut engine = folder.engine();
        let texts = continued(TERMS_MAX);
        engine.append(&batch_of(texts.iter())).expect("stores");
        engine.append(&batch_of((0..20).map(|_| "else".to_string()).collect::<Vec<_>>().iter())).expect("stores");
        index_all(&mut engine);
        let search = Search { room: "lobby".into(), query: "東".into(), before: None, limit: Some(200) };
        let page = engine.reader().expect("a reader").search(&search, soon()).expect("searches");
        assert!(page.messages.len() == 200 && page.more);
    }
}
