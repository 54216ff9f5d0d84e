//! A search index that is damaged is built again; what is damaged elsewhere is not passed over.

use std::fs;
use std::path::Path;
use std::time::Duration;

use glassline_journal::{Done, Journal, Keep, Store, StoreError, open};
use glassline_wire::history::Record;
use rusqlite::Connection;

use crate::support::{check, import, vacuum, *};

const DAY_MS: u64 = 86_400_000;

/// All messages of such a history but those that come later.
const STORED: u64 = 2_000;

/// Sure to be in one message only.
fn text(number: u64) -> String {
    format!("number {number:05} of what is said, {:016x}", Rng::new(number).next_u64())
}

fn said(numbers: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    numbers.map(|number| entry("lobby", "alice", &text(number), None, 1)).collect()
}

/// A history that nobody has open, all of it indexed in many small pieces.
fn store_messages(folder: &Folder) {
    let mut store = open_kept(&folder.file());
    for first in (1..STORED).step_by(500) {
        store.append(&said(first..=first + 499)).expect("stores");
        tend_to_the_end(store.as_mut());
    }
}

/// Overwrites the pages in the middle of those that a table has in a file that nobody has open: half
/// of them, since which of an index's pages are read depends on how its segments were merged.
fn damage(file: &Path, table: &str, byte: u8) {
    // Else the messages of the last hours are read when it is opened.
    import(file, &mut &b"{\"type\":\"schema\",\"version\":1}\n"[..]).expect("imports nothing");
    let db = Connection::open(file).expect("opens");
    let pages: Vec<u64> = db
        .prepare("SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path")
        .expect("reads")
        .query_map([table], |row| row.get(0))
        .expect("reads")
        .map(|page| page.expect("a number"))
        .collect();
    let page_bytes: usize = db.pragma_query_value(None, "page_size", |row| row.get(0)).expect("a number");
    drop(db);
    let mut bytes = fs::read(file).expect("reads");
    for page in &pages[pages.len() / 4..=pages.len() * 3 / 4] {
        let start = (*page as usize - 1) * page_bytes;
        bytes[start..start + page_bytes].fill(byte);
    }
    fs::write(file, bytes).expect("writes");
}

/// Damages the index's own description, while a server has the file open.
fn spoil(file: &Path) {
    let db = Connection::open(file).expect("opens");
    let changed =
        db.execute("UPDATE message_text_data SET block = x'00000000ffffff' WHERE id = 10", []).expect("writes");
    assert_eq!(changed, 1, "where the index lists its segments");
}

fn assert_all_found(store: &dyn Store, last: u64) {
    // So many that each part of the index is read.
    let mut reader = store.reader().expect("a reader");
    for number in (1..last).step_by(50).chain([last]) {
        assert_eq!(seqs(&search(reader.as_mut(), "lobby", &text(number)[..12])), [number]);
        assert_eq!(seqs(&search(reader.as_mut(), "lobby", &text(number)[32..])), [number]);
    }
}

fn faults(file: &Path) -> Vec<String> {
    check(file).expect("a report").faults
}

const TABLES: [&str; 4] = ["message_text_data", "message_text_idx", "message_text_docsize", "message_text_config"];

#[test]
fn damage_anywhere_in_the_index_rebuilds_it_without_any_loss() {
    for (table, fill) in TABLES.into_iter().flat_map(|table| [(table, 0), (table, 0xA5)]) {
        let folder = Folder::new();
        store_messages(&folder);
        damage(&folder.file(), table, fill);
        assert!(!faults(&folder.file()).is_empty(), "{table}");
        let mut store = open_kept(&folder.file());
        assert_all_found(store.as_ref(), STORED);
        store.append(&said(STORED + 1..=STORED + 200)).expect("stores");
        let mut rebuilds = Vec::new();
        for _ in 0..3 {
            tend_to_the_end(store.as_mut());
            assert_all_found(store.as_ref(), STORED + 200);
            rebuilds.extend(store.take_index_rebuild());
        }
        if table == "message_text_docsize" && rebuilds.is_empty() {
            // Only the removal of those messages meets it.
            continue;
        }
        assert!(rebuilds.len() == 1 && rebuilds[0].contains("search index"), "{table}: {rebuilds:?}");
        assert_eq!(store.index_lag(), 0);
        drop(store);
        let left = faults(&folder.file());
        assert_eq!(left, Vec::<String>::new(), "{table}");
        vacuum(&folder.file()).expect("vacuums");
        assert_eq!(faults(&folder.file()), Vec::<String>::new(), "{table}");
        let mut store = open_kept(&folder.file());
        tend_to_the_end(store.as_mut());
        assert_all_found(store.as_ref(), STORED + 200);
        assert_eq!(store.take_index_rebuild(), None, "{table}");
    }
}

/// The space of the old index still counts as used: removing as much would remove messages.
#[test]
fn a_replaced_index_causes_no_removal_by_size() {
    let folder = Folder::new();
    store_messages(&folder);
    let used_bytes = open_kept(&folder.file()).sizes().used_bytes;
    damage(&folder.file(), "message_text_data", 0);
    let keep = Keep { days: None, bytes: Some(used_bytes + used_bytes / 20) };
    let stored_after = |expect: &str| {
        let mut store = open(&folder.file(), keep).expect("opens");
        assert_all_found(store.as_ref(), STORED);
        tend_to_the_end(store.as_mut());
        let head = store.reader().expect("a reader").head("lobby", soon()).expect("a head");
        assert_eq!((head.oldest, head.newest), (1, STORED), "{expect}");
        store.sizes().used_bytes
    };
    assert!(stored_after("while it is built again") > keep.bytes.expect("a bound"), "nothing is left of the old one");
    stored_after("in a later run");
    assert!(check(&folder.file()).expect("a report").stray_pages);
    vacuum(&folder.file()).expect("vacuums");
    assert!(!check(&folder.file()).expect("a report").stray_pages);
    assert!(stored_after("behind a vacuum") <= keep.bytes.expect("a bound"));
}

#[test]
fn forgetting_gets_past_a_damaged_index() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let old: Vec<Record> =
        (0..2_000).map(|number| entry_at(DAY_MS, "lobby", "alice", &text(number), None, 1)).collect();
    store.append(&old).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    damage(&folder.file(), "message_text_docsize", 0);
    let mut store = open(&folder.file(), Keep { days: Some(7), bytes: None }).expect("opens");
    tend_to_the_end(store.as_mut());
    assert!(store.take_index_rebuild().is_some());
    let head = store.reader().expect("a reader").head("lobby", soon()).expect("a head");
    assert_eq!((head.oldest, head.newest), (2_001, 2_000));
}

#[test]
fn an_append_that_must_index_gets_past_a_damaged_index() {
    let folder = Folder::new();
    store_messages(&folder);
    let mut store = open_kept(&folder.file());
    spoil(&folder.file());
    store.append(&said(STORED + 1..=STORED + 1)).expect("stores");
    tend_to_the_end(store.as_mut());
    assert!(store.take_index_rebuild().is_some());
    drop(store);
    assert_eq!(
        faults(&folder.file()),
        Vec::<String>::new(),
        "what is only wrong within is emptied, and leaves nothing"
    );
}

#[test]
fn index_damage_twice_in_a_run_is_the_disk_and_is_fatal() {
    let folder = Folder::new();
    store_messages(&folder);
    let mut store = open_kept(&folder.file());
    let mut last = STORED;
    let mut damaged_and_maintained = || {
        spoil(&folder.file());
        last += 1;
        store.append(&said(last..=last)).expect("stores");
        let deadline = soon();
        loop {
            assert!(std::time::Instant::now() < deadline, "tending does not end");
            match store.maintain(Duration::from_millis(50)) {
                Ok(true) => {}
                ended => return ended,
            }
        }
    };
    assert!(damaged_and_maintained().is_ok());
    let ended = damaged_and_maintained().expect_err("the second time");
    assert!(matches!(&ended, StoreError::Corrupt { detail, .. } if detail.contains("search index")), "{ended:?}");
    assert!(ended.is_fatal());
    drop(store);
    let mut store = open_kept(&folder.file());
    tend_to_the_end(store.as_mut());
    assert_all_found(store.as_ref(), STORED + 2);
}

#[test]
fn a_damaged_message_still_ends_the_history_and_the_index_stays() {
    let folder = Folder::new();
    store_messages(&folder);
    let mut store = open_kept(&folder.file());
    store.append(&said(STORED + 1..=3 * STORED)).expect("stores");
    drop(store);
    // The page in the middle has what is not indexed yet.
    damage(&folder.file(), "message", 0);
    let mut store = open_kept(&folder.file());
    let deadline = soon();
    let ended = loop {
        assert!(std::time::Instant::now() < deadline, "tending does not end");
        if let Err(ended) = store.maintain(Duration::from_millis(50)) {
            break ended;
        }
    };
    assert!(matches!(ended, StoreError::Corrupt { .. }), "{ended:?}");
    assert_eq!(store.take_index_rebuild(), None);
    assert!(store.index_lag() <= 2 * STORED);
}

#[test]
fn a_search_that_meets_a_damaged_page_keeps_the_index() {
    let folder = Folder::new();
    store_messages(&folder);
    damage(&folder.file(), "message", 0);
    let mut store = open_kept(&folder.file());
    let mut reader = store.reader().expect("a reader");
    let everywhere = glassline_wire::request::Search {
        room: "lobby".to_string(),
        query: "of what is said".to_string(),
        before: Some(STORED / 2 + 50),
        limit: Some(200),
    };
    let found = reader.search(&everywhere, soon());
    assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{found:?}");
    tend_to_the_end(store.as_mut());
    assert_eq!((store.take_index_rebuild(), store.index_lag()), (None, 0));
}

#[test]
fn vacuum_leaves_a_damaged_index_behind() {
    for table in TABLES {
        let folder = Folder::new();
        store_messages(&folder);
        damage(&folder.file(), table, 0);
        vacuum(&folder.file()).expect("vacuums");
        let report = check(&folder.file()).expect("a report");
        assert!(report.is_sound(), "{table}: {report:?}");
        assert_eq!(report.index_lag, STORED, "{table}");
        let mut store = open_kept(&folder.file());
        assert_all_found(store.as_ref(), STORED);
        tend_to_the_end(store.as_mut());
        assert_all_found(store.as_ref(), STORED);
        assert_eq!(store.take_index_rebuild(), None);
    }
    // Elsewhere nothing is passed over.
    let folder = Folder::new();
    store_messages(&folder);
    damage(&folder.file(), "message", 0);
    assert!(matches!(vacuum(&folder.file()), Err(StoreError::Corrupt { .. })));
    assert_eq!(check(&folder.file()).expect("a report").index_lag, 0);
}

#[test]
fn the_owner_gets_it_once_and_the_journal_continues() {
    let folder = Folder::new();
    store_messages(&folder);
    damage(&folder.file(), "message_text_idx", 0);
    let (wake, wakes) = std::sync::mpsc::channel();
    let journal = Journal::start(open_kept(&folder.file()), move || {
        let _ = wake.send(());
    })
    .expect("starts");
    let (mut rebuilds, mut stored) = (0, 0);
    let deadline = soon();
    journal.append(pending((1..).zip(said(STORED + 1..=STORED + 1))));
    while rebuilds == 0 || stored < 2 || journal.gauges().index_lag > 0 {
        assert!(std::time::Instant::now() < deadline, "{rebuilds} rebuilds, {stored} stored");
        let _ = wakes.recv_timeout(Duration::from_millis(50));
        for done in journal.take_done() {
            match done {
                Done::Committed(_) => {
                    stored += 1;
                    if stored == 1 {
                        journal.append(pending((2..).zip(said(STORED + 2..=STORED + 2))));
                    }
                }
                Done::IndexRebuilt(_) => rebuilds += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(rebuilds, 1);
    journal.close(Duration::from_secs(20)).expect("closes");
}
