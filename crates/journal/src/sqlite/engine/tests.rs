//! Cases that only the engine's inside can bring about: a file that may not grow, one that may not
//! be written, a log that is large.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassline_wire::event::Message;
use glassline_wire::history::{CommitOutcome, NewMessage, NotAppended, Record};
use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;

use super::Engine;
use crate::sqlite::retention::{Clock, Keep, Retention};
use crate::sqlite::rooms;
use crate::sqlite::rowid::{ROOM_ID_MAX, SEQ_MAX, rowid};
use crate::sqlite::search_index::LAG_MAX;
use crate::sqlite::wal_checkpoint::{LOG_SHARE, WalCheckpoint};
use crate::sqlite::{ProgressMonitor, Report, id_window};
use crate::store::{Store, StoreError};

pub(in crate::sqlite) struct Folder(glassline_testkit::Folder);

impl Folder {
    pub(in crate::sqlite) fn new() -> Self {
        Self(glassline_testkit::Folder::new())
    }

    pub(in crate::sqlite) fn engine(&self) -> Engine {
        self.engine_keeping(Keep::default())
    }

    fn engine_keeping(&self, keep: Keep) -> Engine {
        Engine::open(&self.0.join("history.db"), keep, id_window::MESSAGES_MAX).expect("opens")
    }
}

impl Engine {
    pub(in crate::sqlite) fn connection(&self) -> &rusqlite::Connection {
        self.db.connection()
    }

    pub(super) fn messages(&self) -> u64 {
        rooms::message_count(self.connection()).expect("counts")
    }

    fn retention_step(&mut self) -> bool {
        self.retention.step(&mut self.db, &mut self.index, &mut self.wal).expect("removes")
    }
}

fn unmonitored() -> Arc<dyn ProgressMonitor> {
    Arc::new(())
}

fn check(file: &Path) -> Result<Report, StoreError> {
    crate::sqlite::check(file, &unmonitored())
}

pub(in crate::sqlite) fn batch(first: u128, count: u128, text: &str) -> Vec<Record> {
    (first..first + count).map(|id| record(Some(id), text)).collect()
}

/// Messages without ids, in their order.
pub(in crate::sqlite) fn batch_of<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<Record> {
    texts.map(|text| record(None, text)).collect()
}

pub(in crate::sqlite) fn record(id: Option<u128>, text: &str) -> Record {
    let message = Message {
        room: "lobby".to_string(),
        seq: None,
        at: Some(Timestamp::from_unix_ms(7)),
        from: "alice".to_string(),
        text: text.to_string(),
        action: false,
        id: id.map(MessageId),
        sealed: None,
    };
    Record::Message(NewMessage { message, author: 1, after: None, subnet: 1 })
}

pub(in crate::sqlite) fn newest(engine: &Engine) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(20);
    engine.reader().expect("a reader").head("lobby", deadline).expect("a head").newest
}

#[test]
fn a_full_disk_refuses_a_batch_and_takes_the_next_with_space() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 10, "hi")).expect("stores");
    let pages: u64 = engine.connection().pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    engine.connection().pragma_update(None, "max_page_count", pages + 4).expect("sets");
    let refused = engine.append(&batch(11, 100, &"x".repeat(1_000)));
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!((newest(&engine), engine.index_lag()), (10, 10), "nothing of the batch is there");
    let mut again = batch(10, 2, "hi");
    again.extend(batch(3, 1, "other words"));
    let duplicates = engine.find_duplicates(&again).expect("reads");
    assert!(matches!(&duplicates[0], Some(NotAppended::Again(stored)) if stored.seq == Some(10)), "{duplicates:?}");
    assert_eq!(duplicates[1..], [None, Some(NotAppended::IdReused)], "new, and reused");
    assert_eq!(engine.append(&batch(11, 1, "small")).expect("stores"), [CommitOutcome::Stored { seq: 11 }]);
    engine.connection().pragma_update(None, "max_page_count", 1_000_000).expect("sets");
    let outcomes = engine.append(&batch(11, 100, "small")).expect("stores");
    assert!(
        matches!(&outcomes[..2], [CommitOutcome::NotAppended(NotAppended::Again(again)), CommitOutcome::Stored { seq: 12 }] if again.seq == Some(11))
    );
    assert_eq!(newest(&engine), 110);
}

#[test]
fn what_an_import_left_to_be_indexed_does_not_hold_up_an_append() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 5_000, "hi there")).expect("stores");
    // As if a million more had been imported.
    engine.index.note_stored(LAG_MAX);
    let before = engine.index_lag();
    engine.append(&batch(5_001, 1, "hi there")).expect("stores");
    assert_eq!(before + 1 - engine.index_lag(), 2, "indexed with one message");
    engine.append(&batch(5_002, 100, "hi there")).expect("stores");
    assert_eq!(before + 101 - engine.index_lag(), 202, "it falls");
}

#[test]
fn at_the_end_of_numbers_one_message_is_refused_and_others_not() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 1, "hi")).expect("stores");
    let open = |name: &str, id: i64, newest: u64| {
        engine
            .connection()
            .execute(
                "INSERT INTO room(id, name, newest, oldest, indexed, newest_at_ms, oldest_at_ms)
                 VALUES(?1, ?2, ?3, ?3 + 1, ?3, 0, 0)",
                (id, name, newest),
            )
            .expect("a room");
    };
    open("the last", ROOM_ID_MAX, 0);
    open("full", ROOM_ID_MAX - 1, SEQ_MAX);
    let to_room = |name: &str| {
        let mut records = batch(2, 1, "hi");
        if let Record::Message(entry) = &mut records[0] {
            entry.message.room = name.to_string();
        }
        records
    };
    for room in ["one more", "full"] {
        let refused = engine.append(&to_room(room)).expect_err("refused");
        assert!(matches!(refused, StoreError::UsedUp(_)) && !refused.is_fatal(), "{refused:?}");
    }
    assert_eq!(engine.append(&batch(2, 1, "hi")).expect("stores"), [CommitOutcome::Stored { seq: 2 }]);
    assert_eq!(engine.append(&to_room("the last")).expect("stores"), [CommitOutcome::Stored { seq: 1 }]);
}

/// A history of `count` messages, all indexed.
fn maintained(folder: &Folder, count: u128) -> Engine {
    let mut engine = folder.engine();
    engine.append(&batch(1, count, "some words")).expect("stores");
    let deadline = Instant::now() + Duration::from_mins(1);
    while engine.maintain(Duration::from_millis(50)).expect("tends") {
        assert!(Instant::now() < deadline, "tending does not end");
    }
    engine
}

/// Has everything indexed that is stored.
pub(in crate::sqlite) fn index_all(engine: &mut Engine) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while engine.index_lag() > 0 {
        engine.maintain(Duration::from_millis(50)).expect("indexes");
        assert!(Instant::now() < deadline, "indexing does not end");
    }
}

// Messages stored or removed while a check runs are no fault.
#[test]
fn the_log_restarts_between_check_slices_without_false_faults() {
    use crate::sqlite::commands::check_with;
    use crate::sqlite::database::Checkpoint;
    let folder = Folder::new();
    let mut engine = maintained(&folder, 40_000);
    engine.retention = Retention::new(Keep { days: Some(1), bytes: None }, Clock::start());
    let mut slices = 0;
    let report = check_with(&folder.0.join("history.db"), 0, &unmonitored(), &mut || {
        slices += 1;
        engine.append(&batch(100_000 + slices * 10, 10, "meanwhile")).expect("stores");
        for _ in 0..3 {
            engine.retention_step();
            engine.index.step(&mut engine.db).expect("indexes");
        }
        let is_complete = engine.db.checkpoint(Checkpoint::Restart, Duration::from_secs(2)).expect("checkpoints");
        assert!(is_complete, "a reader stands in the way");
    });
    let report = report.expect("a report");
    assert!(slices >= 4, "{slices} slices");
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.messages < 40_000, "some were forgotten before they were read");
}

#[test]
fn a_check_breaks_off_where_it_would_let_the_log_grow() {
    use crate::sqlite::commands::check_with;
    let folder = Folder::new();
    let mut engine = maintained(&folder, 5_000);
    engine.append(&batch(5_001, 1, "in the log")).expect("stores");
    let file = folder.0.join("history.db");
    let report = check_with(&file, 0, &unmonitored(), &mut || {}).expect("a report");
    assert!(report.pages_left_out && report.is_sound(), "{report:?}");
    assert_eq!(report.messages, 5_001);
    assert!(!check(&file).expect("a report").pages_left_out);
}

#[test]
fn a_check_finds_what_is_missing_and_what_is_too_much() {
    use crate::sqlite::commands::check_with;
    let lobby = |seq: u64| rowid(1, seq);
    for (name, sql, word) in [
        ("hole", format!("DELETE FROM message WHERE place = {}", lobby(200)), "not stored"),
        (
            "behind",
            format!("INSERT INTO message VALUES({}, 1, 0, 'a', 0, NULL, 'x', 0, NULL)", lobby(5_000)),
            "where none",
        ),
        (
            "nowhere",
            "INSERT INTO message VALUES(9 << 40 | 1, 1, 0, 'a', 0, NULL, 'x', 0, NULL)".to_string(),
            "where none",
        ),
        ("before", "UPDATE room SET oldest = 5".to_string(), "where none"),
        ("text", format!("DELETE FROM message_text WHERE rowid = {}", lobby(300)), "search index"),
        ("utf-8", format!("UPDATE message SET text = CAST(x'68ff' AS TEXT) WHERE place = {}", lobby(77)), "number 77 "),
        (
            "sender",
            format!("UPDATE message SET sender = CAST(x'ff' AS TEXT) WHERE place = {}", lobby(78)),
            "number 78 ",
        ),
        ("act", "INSERT INTO act(json) VALUES('nonsense')".to_string(), "act number 1"),
    ] {
        let folder = Folder::new();
        let engine = maintained(&folder, 1_000);
        engine.connection().execute(&sql, []).expect("changes");
        let report = check_with(&folder.0.join("history.db"), 0, &unmonitored(), &mut || {}).expect("a report");
        assert!(report.faults.iter().any(|fault| fault.contains(word)), "{name}: {report:?}");
    }
}

#[test]
fn retention_by_age_uses_the_clock_given_at_the_opening() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    let keep = Keep { days: Some(7), bytes: None };
    // Messages from 1970: by the system's clock all are too old.
    engine.append(&batch(1, 10, "hi")).expect("stores");
    let day = Duration::from_hours(24);
    engine.retention = Retention::new(keep, Clock::set(day * 6, Instant::now()));
    assert!(!engine.retention_step(), "nothing is that old");
    engine.retention = Retention::new(keep, Clock::set(day * 8, Instant::now()));
    assert!(engine.retention_step());
    assert_eq!(engine.messages(), 0);
}

#[test]
fn a_file_that_may_not_be_written_any_more_refuses_a_batch() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.connection().pragma_update(None, "query_only", true).expect("sets");
    let refused = engine.append(&batch(1, 1, "hi"));
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    engine.connection().pragma_update(None, "query_only", false).expect("sets");
    assert_eq!(engine.append(&batch(1, 1, "hi")).expect("stores"), [CommitOutcome::Stored { seq: 1 }]);
}

#[test]
fn the_log_stays_small_under_endless_load_with_readers() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    let mut reader = engine.reader().expect("a reader");
    let mut largest = 0;
    for round in 0..60 {
        engine.append(&batch(1 + round * 300, 300, &"some words ".repeat(100))).expect("stores");
        engine.maintain(Duration::ZERO).expect("tends");
        reader.head("lobby", Instant::now() + Duration::from_secs(20)).expect("a head");
        largest = largest.max(std::fs::metadata(folder.0.join("history.db-wal")).expect("a log").len());
    }
    assert_eq!(newest(&engine), 18_000);
    assert!(largest < 16 * 1024 * 1024, "{largest} bytes");
}

#[test]
fn a_passing_checkpoint_refused_delays_no_restart() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.wal = WalCheckpoint::new(Some(LOG_SHARE * 4 * 1024 * 1024));
    let text = "several words ".repeat(200);
    let reader = rusqlite::Connection::open(folder.0.join("history.db")).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM message").expect("reads");
    let mut first = 0;
    let mut store = |engine: &mut Engine, log_bytes: u64| {
        while engine.db.log_bytes() < log_bytes {
            engine.append(&batch(first, 50, &text)).expect("stores");
            first += 50;
        }
    };
    store(&mut engine, 2 * 1024 * 1024);
    engine.wal.run_from(&mut engine.db, 1).expect("checkpoints");
    assert!(engine.db.log_bytes() > 0, "the reader stands in its way");
    reader.execute_batch("ROLLBACK").expect("ends");
    store(&mut engine, 6 * 1024 * 1024);
    engine.append(&batch(first, 50, &text)).expect("stores");
    assert!(engine.db.log_bytes() < 2 * 1024 * 1024, "{} bytes", engine.db.log_bytes());
}

#[test]
fn under_load_that_never_stops_each_kind_of_step_has_its_turn() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.retention = Retention::new(Keep { days: Some(1), bytes: None }, Clock::start());
    let mut young = batch(1, 3_000, "some words");
    for record in &mut young {
        if let Record::Message(entry) = record {
            entry.message.room = "den".to_string();
            entry.message.at = Some(Timestamp::MAX);
        }
    }
    engine.append(&young).expect("stores");
    engine.append(&batch(10_000, 20_000, "some words")).expect("stores");
    for round in 0..24 {
        engine.append(&batch(100_000 + round * 200, 200, &"more words ".repeat(100))).expect("stores");
        engine.maintain(Duration::ZERO).expect("tends");
    }
    assert!(engine.messages() < 23_000 + 24 * 200, "forgetting did");
    let indexed = "SELECT indexed FROM room WHERE name = 'den'";
    assert!(
        engine.connection().query_row(indexed, [], |row| row.get::<_, u64>(0)).expect("a number") > 0,
        "indexing did"
    );
    assert!(engine.db.log_bytes() < 12 * 1024 * 1024);
}

#[test]
fn synchronous_and_the_log_are_as_promised() {
    let folder = Folder::new();
    let engine = folder.engine();
    let read = |pragma: &str| {
        engine.connection().pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
    };
    assert_eq!(read("synchronous").expect("reads"), rusqlite::types::Value::Integer(2));
    assert_eq!(read("journal_mode").expect("reads"), rusqlite::types::Value::Text("wal".to_string()));
}

#[test]
fn entries_of_an_older_form_are_brought_to_the_new_one_in_steps() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    // The second is in decomposed form, which older versions had in their index as it was.
    for text in ["ascii only", "re\u{301}sume\u{301}", "한국어", "\u{1112}\u{1161}\u{11AB}국어"] {
        engine.append(&batch_of(vec![text.to_string(); 300].iter())).expect("stores");
    }
    index_all(&mut engine);
    engine
        .connection()
        .execute_batch(
            "INSERT INTO message_text(message_text) VALUES('delete-all');
             INSERT INTO message_text(rowid, text) SELECT place, text || char(1, 1) FROM message;
             INSERT INTO fact VALUES('old_form_behind', 0);",
        )
        .expect("writes");
    drop(engine);
    let mut engine = folder.engine();
    assert_eq!((engine.index.old_form_after(), engine.index_lag()), (Some(0), 0), "the index stays in use");
    let mut steps = 0;
    while engine.index.refold_step(&mut engine.db).expect("goes on") {
        steps += 1;
        assert!(steps < 100, "it ends");
    }
    assert!(steps > 2, "in steps: {steps}");
    let mut reader = engine.reader().expect("a reader");
    for (query, found) in [("résumé", 300), ("SUME\u{301}", 300), ("한국어", 600), ("\u{1112}\u{1161}\u{11AB}국", 600)]
    {
        let (room, query, before) = ("lobby".to_string(), query.to_string(), None);
        let mut search = glassline_wire::request::Search { room, query, before, limit: Some(200) };
        let mut count = 0;
        loop {
            let deadline = Instant::now() + Duration::from_secs(20);
            let page = reader.search(&search, deadline).expect("searches");
            count += page.messages.len();
            search.before = page.messages.first().and_then(|message| message.seq);
            if !page.more {
                break;
            }
        }
        assert_eq!(count, found, "{:?}", search.query);
    }
    drop((reader, engine));
    let engine = folder.engine();
    assert_eq!(engine.index.old_form_after(), None, "once");
    drop(engine);
    assert_eq!(check(&folder.0.join("history.db")).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn a_text_whose_bytes_rotted_is_missing_and_nothing_else_is() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 9, "some words")).expect("stores");
    engine
        .connection()
        .execute("UPDATE message SET text = CAST(x'736f6dff' AS TEXT) WHERE place = ?1", [rowid(1, 4)])
        .expect("writes");
    let deadline = || Instant::now() + Duration::from_secs(20);
    let in_lobby = |after| glassline_wire::request::HistoryRange {
        room: "lobby".to_string(),
        after,
        ..glassline_wire::request::HistoryRange::default()
    };
    let numbers = |page: &glassline_wire::history::Page| {
        page.messages.iter().filter_map(|message| message.seq).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let mut reader = engine.reader().expect("a reader");
        for after in [None, Some(0)] {
            let page = reader.range(&in_lobby(after), deadline()).expect("reads");
            assert_eq!(numbers(&page), [1, 2, 3, 5, 6, 7, 8, 9]);
        }
        let query = "me wo".to_string();
        let search = glassline_wire::request::Search { room: "lobby".to_string(), query, before: None, limit: None };
        assert_eq!(numbers(&reader.search(&search, deadline()).expect("searches")), [1, 2, 3, 5, 6, 7, 8, 9]);
        index_all(&mut engine);
    }
    // It was stored, with unknown content.
    assert_eq!(
        engine.append(&batch(4, 1, "some words")).expect("answers"),
        [CommitOutcome::NotAppended(NotAppended::TooLate)]
    );
}

#[test]
fn a_log_that_a_reader_holds_costs_its_share_at_most() {
    let folder = Folder::new();
    let mut engine = folder.engine_keeping(Keep { days: None, bytes: Some(1024 * 1024) });
    let say = |engine: &mut Engine| {
        engine.append(&batch_of(vec!["word ".repeat(1_000); 20].iter())).expect("stores");
        while engine.maintain(Duration::from_millis(50)).expect("tends") {}
    };
    (0..10).for_each(|_| say(&mut engine));
    let before = engine.messages();
    let held = rusqlite::Connection::open(engine.db.path()).expect("opens");
    let reading = held.unchecked_transaction().expect("begins");
    reading.query_row("SELECT count(*) FROM room", [], |row| row.get::<_, u64>(0)).expect("reads");
    (0..10).for_each(|_| say(&mut engine));
    assert!(engine.db.log_bytes() > 1024 * 1024, "{} bytes of log", engine.db.log_bytes());
    assert!(engine.messages() > before / 2, "{} messages are left of {before}", engine.messages());
}
