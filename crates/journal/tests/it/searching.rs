//! Search: what is found, whether the index has it or not yet.

use std::time::{Duration, Instant};

use glassline_journal::{Store, StoreError};
use glassline_wire::history::Record;
use glassline_wire::request::Search;

use crate::support::*;

const TEXTS: [&str; 21] = [
    "the notes are at eight",
    "The Notes are NOT here",
    "漢字仮名交じり文です",
    "東京都の天気",
    "100% sure_thing",
    "100 sure thing",
    "say \"hello world\" AND (NOT) near* ^x: -y",
    "a\0b\0cde",
    "🎉🎊🥳 party",
    "ΣΊΣΥΦΟΣ",
    "Straße",
    "ab",
    "tab\tand\nnewline",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "C:\\path\\x'; DROP TABLE message; --",
    "ñandú ÑANDÚ",
    "ᲥᲐᲠᲗᲣᲚᲘ",
    "cafe\u{301} E\u{301}COLE",
    "naïve école",
    "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF} in jamo",
    "한글 in whole",
];

/// A query and the places of the texts that hold it.
const QUERIES: [(&str, &[usize]); 53] = [
    // Capitals that are younger than the index's own folding.
    ("ქართული", &[16]),
    ("notes", &[0, 1]),
    ("NOTES", &[0, 1]),
    ("notes are", &[0, 1]),
    ("notes  are", &[]),
    ("not", &[0, 1, 6]),
    ("eight here", &[]),
    ("仮名交", &[2]),
    ("漢字", &[2]),
    ("です", &[2]),
    ("京都", &[3]),
    ("天", &[3]),
    ("都の天気", &[3]),
    ("天気です", &[]),
    ("100%", &[4]),
    ("100%sure", &[]),
    ("%", &[4]),
    ("_", &[4]),
    ("sure_thing", &[4]),
    ("sure thing", &[5]),
    ("\"hello", &[6]),
    ("\"", &[6]),
    ("\"\"\"", &[]),
    ("hello world\" AND", &[6]),
    ("near*", &[6]),
    ("near* OR notes", &[]),
    ("*", &[6]),
    ("(NOT)", &[6]),
    ("^x: -y", &[6]),
    ("a\0b", &[7]),
    ("b\0cd", &[7]),
    ("bcde", &[]),
    ("\0", &[7]),
    ("🎊🥳", &[8]),
    ("🎉🎊🥳", &[8]),
    ("σίσυφος", &[9]),
    ("STRAßE", &[10]),
    ("AB", &[11, 12, 14]),
    ("b\tand\nn", &[12]),
    ("aaaaaaaaaaaaaaaaaaaa", &[13]),
    ("'; DROP", &[14]),
    ("ÑandÚ", &[15]),
    ("N\u{303}andu\u{301}", &[15]),
    ("café", &[17]),
    ("CAFE\u{301}", &[17]),
    ("École", &[17, 18]),
    ("e\u{301}cole", &[17, 18]),
    ("É", &[17, 18]),
    ("i\u{308}v", &[18]),
    ("한글", &[19, 20]),
    ("\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}", &[19, 20]),
    ("\u{1100}\u{1173}\u{11AF}", &[19, 20]),
    ("한글 in j", &[19]),
];

fn sentences() -> Vec<Record> {
    TEXTS.iter().map(|text| entry("lobby", "alice", text, None, 1)).collect()
}

#[test]
fn a_text_is_found_before_during_and_after_its_indexing() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&sentences()[..8]).expect("stores");
    let check = |store: &dyn Store, count: usize, state: &str| {
        let mut reader = store.reader().expect("a reader");
        for (query, places) in QUERIES {
            let found = search(reader.as_mut(), "lobby", query);
            let wanted: Vec<&str> = places.iter().filter(|&&place| place < count).map(|&place| TEXTS[place]).collect();
            assert_eq!(texts(&found), wanted, "{query:?}, {state}");
            assert!(!found.more, "{query:?}, {state}");
        }
        assert!(search(reader.as_mut(), "den", "notes").messages.is_empty(), "another room");
        assert!(search(reader.as_mut(), "lobby", "").messages.is_empty());
    };
    check(store.as_ref(), 8, "nothing indexed");
    assert_eq!(store.index_lag(), 8);
    tend_to_the_end(store.as_mut());
    assert_eq!(store.index_lag(), 0);
    check(store.as_ref(), 8, "all indexed");
    store.append(&sentences()[8..]).expect("stores");
    // The same texts in other rooms are nobody's business here.
    store
        .append(&[entry("den", "alice", "the tests are in den", None, 1), entry("attic", "bob", "notes", None, 2)])
        .expect("stores");
    check(store.as_ref(), TEXTS.len(), "half indexed");
    drop(store);
    let mut store = open_kept(&folder.file());
    assert_eq!(store.index_lag(), 15);
    tend_to_the_end(store.as_mut());
    assert_eq!(store.index_lag(), 0);
    check(store.as_ref(), TEXTS.len(), "all indexed, reopened");
}

#[test]
fn the_newest_are_found_first_and_before_leads_to_the_others() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let batch: Vec<Record> =
        (1..=1_000).map(|n| entry("lobby", "alice", if n % 3 == 0 { "a needle" } else { "hay" }, None, 1)).collect();
    store.append(&batch).expect("stores");
    for indexed in [false, true] {
        if indexed {
            tend_to_the_end(store.as_mut());
        }
        let mut reader = store.reader().expect("a reader");
        for query in ["needle", "N"] {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let asked = Search { room: "lobby".into(), query: query.into(), before, limit: Some(100) };
                let page = reader.search(&asked, soon()).expect("a page");
                assert!(page.messages.len() <= 100);
                found.splice(0..0, seqs(&page));
                before = found.first().copied();
                if !page.more {
                    break;
                }
            }
            assert_eq!(found, (1..=1_000).filter(|n| n % 3 == 0).collect::<Vec<_>>(), "{query}, indexed: {indexed}");
        }
        for before in [0, 1, 3] {
            let asked = Search { room: "lobby".into(), query: "needle".into(), before: Some(before), limit: None };
            assert!(reader.search(&asked, soon()).expect("a page").messages.is_empty());
        }
        let asked = Search { room: "lobby".into(), query: "needle".into(), before: Some(u64::MAX), limit: Some(1) };
        assert_eq!(seqs(&reader.search(&asked, soon()).expect("a page")), [999]);
    }
}

#[test]
fn a_search_ends_at_its_deadline() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let long = "x".repeat(16 * 1024);
    let mut batch: Vec<Record> = (0..3_000).map(|_| entry("lobby", "alice", &long, None, 1)).collect();
    batch.push(entry("lobby", "alice", "a needle", None, 1));
    store.append(&batch).expect("stores");
    let mut reader = store.reader().expect("a reader");
    let mut ask = |query: &str| {
        let asked = Search { room: "lobby".into(), query: query.into(), before: None, limit: None };
        let started = Instant::now();
        let answer = reader.search(&asked, started + Duration::from_millis(30));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        answer
    };
    let nothing = ask("hay");
    assert!(matches!(nothing, Err(StoreError::TooSlow)), "{nothing:?}");
    // A busy machine may take the time before anything is found.
    let something = (0..100).find_map(|_| ask("needle").ok()).expect("what was found in time");
    assert_eq!((seqs(&something), something.more), (vec![3_001], true));
}
