//! A row that is not as it was written is found by readers, by a check and by an export, and is never shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use glassline_journal::{Damage, Keep, StoreError, open};
use glassline_wire::event::{AuditEntry, AuditKind, Message};
use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::request::HistoryRange;
use glassline_wire::timestamp::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::{check, export, *};

const ROOMS: [(&str, u64); 2] = [("lobby", 30), ("den", 5)];

const ACTS: u64 = 4;

fn act(number: u64, who: &str) -> Record {
    Record::Audit(AuditEntry {
        at: Timestamp::from_unix_ms(NOW_MS + number),
        by: "root".into(),
        act: AuditKind::Ban,
        who: Some(who.into()),
        until: Some(Timestamp::from_unix_ms(NOW_MS + 1_000_000)),
        text: None,
    })
}

/// A history that nobody has open, and its messages.
fn store_messages(folder: &Folder) -> Vec<Message> {
    let mut store = open_kept(&folder.file());
    let mut messages = Vec::new();
    for (room, count) in ROOMS {
        for seq in 1..=count {
            let id = (seq % 3 > 0).then_some(u128::from(seq) << 90);
            let mut record = entry_at(NOW_MS + seq, room, "alice", &format!("pay bob {seq}000"), id, seq);
            if let Record::Message(entry) = &mut record {
                entry.message.action = seq % 5 == 0;
            }
            assert_eq!(store.append(std::slice::from_ref(&record)).expect("stores"), stored([seq]));
            messages.push(as_stored(&record, seq));
        }
    }
    let acts: Vec<Record> = (1..=ACTS).map(|number| act(number, &format!("somebody-{number}"))).collect();
    store.append(&acts).expect("stores");
    tend_to_the_end(store.as_mut());
    messages
}

/// Position of a value.
#[derive(Debug)]
struct Cell {
    table: &'static str,
    key: &'static str,
    row: i64,
    column: &'static str,
}

/// Turns one bit of a value; one that is NULL gets one. Returns whether it could be.
fn turn_a_bit(file: &Path, cell: &Cell, rng: &mut Rng) -> bool {
    let Cell { table, key, row, column } = cell;
    let db = Connection::open(file).expect("opens");
    let value: Value = db
        .query_row(&format!("SELECT {column} FROM {table} WHERE {key} = ?1"), [row], |row| row.get(0))
        .expect("a value");
    let mut turned = |mut bytes: Vec<u8>| {
        let at = rng.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << rng.below(8);
        bytes
    };
    let (expression, value) = match value {
        Value::Integer(integer) => ("?2", Value::Integer(integer ^ (1 << rng.below(63)))),
        Value::Text(text) => ("CAST(?2 AS TEXT)", Value::Blob(turned(text.into_bytes()))),
        Value::Blob(blob) => ("?2", Value::Blob(turned(blob))),
        Value::Null | Value::Real(_) => ("?2", Value::Blob(vec![0; 16])),
    };
    // A number that another row has cannot be had.
    db.execute(&format!("UPDATE {table} SET {column} = {expression} WHERE {key} = ?1"), (row, value)).is_ok()
}

/// The history in a file of its own, with one bit turned.
fn damaged(folder: &Folder, cell: &Cell, rng: &mut Rng) -> Option<std::path::PathBuf> {
    let file = folder.path().join("damaged.db");
    for ending in ["", "-wal", "-shm", ".lock"] {
        let _ = fs::remove_file(format!("{}{ending}", file.display()));
    }
    fs::copy(folder.file(), &file).expect("copies");
    turn_a_bit(&file, cell, rng).then_some(file)
}

/// Numbers of the messages of a room that are shown, each compared with what was sent; and the
/// damage reported for the others.
fn shown(file: &Path, room: &str, said: &[Message]) -> (BTreeSet<u64>, Option<Damage>) {
    let store = open_kept(file);
    let mut reader = store.reader().expect("a reader");
    let wanted = HistoryRange { room: room.into(), after: Some(0), ..HistoryRange::default() };
    let page = range(reader.as_mut(), &wanted);
    let damage = reader.take_damage();
    let found = search(reader.as_mut(), room, "pay bob");
    for message in page.messages.iter().chain(&found.messages) {
        assert!(said.contains(message), "shown, and not said: {message:?}");
    }
    (seqs(&page).into_iter().collect(), damage)
}

/// Lines of an export, each held against those of the sound history; and what could not be read.
fn exported(file: &Path, sound: &BTreeSet<String>) -> (usize, Vec<String>) {
    let mut output = Vec::new();
    let exported = export(file, &mut output).expect("exports");
    let mut unread = exported.doubts;
    unread.extend(exported.missing.iter().map(|(room, range)| format!("{room}: {range:?}")));
    unread.extend(exported.missing_acts.iter().map(|range| format!("acts: {range:?}")));
    let output = String::from_utf8(output).expect("UTF-8");
    for line in output.lines().filter(|line| !line.contains("\"room-")) {
        assert!(sound.contains(line), "exported, and not said: {line}");
    }
    (output.lines().count(), unread)
}

fn lines(file: &Path) -> BTreeSet<String> {
    let mut output = Vec::new();
    let exported = export(file, &mut output).expect("exports");
    assert!(exported.is_complete(), "{exported:?}");
    String::from_utf8(output).expect("UTF-8").lines().map(str::to_string).collect()
}

fn rng() -> (u64, Rng) {
    let seed = glassline_testkit::seed_or(10);
    (seed, Rng::new(seed))
}

#[test]
fn a_bit_turned_in_a_message_leaves_out_that_one_alone() {
    let (seed, mut rng) = rng();
    let folder = Folder::new();
    let said = store_messages(&folder);
    let sound = lines(&folder.file());
    for column in ["place", "at_ms", "author", "sender", "kind", "id", "text", "checksum"] {
        for _ in 0..14 {
            let (number, seq) = (rng.below(2), 1 + rng.below(5));
            let room = number as usize;
            let cell = Cell { table: "message", key: "place", row: (((number + 1) << 40) | seq).cast_signed(), column };
            let Some(file) = damaged(&folder, &cell, &mut rng) else { continue };
            let report = check(&file).expect("a report");
            assert!(!report.is_sound(), "{cell:?} SEED={seed}: {report:?}");
            let (count, unread) = exported(&file, &sound);
            assert!(count < sound.len(), "{cell:?} SEED={seed}");
            if column == "place" {
                // It stands under another number, which a server may take for numbers that contradict each other.
                if !matches!(open(&file, Keep::default()), Err(StoreError::Corrupt { .. })) {
                    assert!(!shown(&file, ROOMS[room].0, &said).0.contains(&seq), "{cell:?} SEED={seed}");
                }
                continue;
            }
            assert!(!unread.is_empty(), "{cell:?} SEED={seed}");
            let (numbers, damage) = shown(&file, ROOMS[room].0, &said);
            let others: BTreeSet<u64> = (1..=ROOMS[room].1).filter(|number| *number != seq).collect();
            assert_eq!(numbers, others, "{cell:?} SEED={seed}");
            let Some(Damage::Messages { first, last, count, .. }) = damage else { panic!("{cell:?} SEED={seed}") };
            assert_eq!((first, last, count), (seq, seq, 1), "{cell:?} SEED={seed}");
            // Its number stays its own.
            let mut store = open_kept(&file);
            let new = entry(ROOMS[room].0, "bob", "new", None, 9);
            assert_eq!(store.append(&[new]).expect("stores"), stored([ROOMS[room].1 + 1]));
        }
    }
}

#[test]
fn a_bit_turned_in_a_room_keeps_a_server_from_starting() {
    let (seed, mut rng) = rng();
    let folder = Folder::new();
    store_messages(&folder);
    let sound = lines(&folder.file());
    for column in ["id", "name", "newest", "oldest", "indexed", "newest_at_ms", "oldest_at_ms", "checksum"] {
        for _ in 0..6 {
            let cell = Cell { table: "room", key: "id", row: 1 + rng.below(2).cast_signed(), column };
            let Some(file) = damaged(&folder, &cell, &mut rng) else { continue };
            let opened = open(&file, Keep::default()).map(drop);
            assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{cell:?} SEED={seed}: {opened:?}");
            let report = check(&file).expect("a report");
            assert!(!report.is_sound(), "{cell:?} SEED={seed}: {report:?}");
            let (_, unread) = exported(&file, &sound);
            assert!(!unread.is_empty(), "{cell:?} SEED={seed}");
        }
    }
}

#[test]
fn a_bit_turned_in_an_act_keeps_a_server_from_starting() {
    let (seed, mut rng) = rng();
    let folder = Folder::new();
    store_messages(&folder);
    let sound = lines(&folder.file());
    for column in ["number", "json", "checksum"] {
        for _ in 0..12 {
            let row = 1 + rng.below(ACTS).cast_signed();
            let cell = Cell { table: "act", key: "number", row, column };
            let Some(file) = damaged(&folder, &cell, &mut rng) else { continue };
            let mut stored = Vec::new();
            let read = open_kept(&file).acts(&mut |act| stored.push(act.who));
            assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{cell:?} SEED={seed}: {stored:?}");
            let report = check(&file).expect("a report");
            assert!(!report.is_sound(), "{cell:?} SEED={seed}: {report:?}");
            let (count, unread) = exported(&file, &sound);
            // A number that became larger claims that there were more.
            assert!(count == sound.len() - 1 && !unread.is_empty(), "{cell:?} SEED={seed}: {unread:?}");
        }
    }
    // The first of them gone without a trace.
    let db = Connection::open(folder.file()).expect("opens");
    db.execute("DELETE FROM act WHERE number = 1", []).expect("deletes");
    drop(db);
    let read = open_kept(&folder.file()).acts(&mut |_| {});
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
    assert!(!check(&folder.file()).expect("a report").is_sound());
}

#[test]
fn a_page_of_which_everything_is_damaged_is_not_empty() {
    let folder = Folder::new();
    let said = store_messages(&folder);
    let db = Connection::open(folder.file()).expect("opens");
    db.execute("UPDATE message SET sender = 'alica' WHERE place >> 40 = 2", []).expect("writes");
    drop(db);
    let store = open_kept(&folder.file());
    let mut reader = store.reader().expect("a reader");
    let read = reader.range(&HistoryRange { room: "den".into(), ..HistoryRange::default() }, soon());
    assert!(matches!(&read, Err(error @ StoreError::Damaged(_)) if !error.is_fatal()), "{read:?}");
    assert!(matches!(reader.take_damage(), Some(Damage::Messages { first: 1, last: 5, count: 5, .. })));
    assert_eq!(reader.take_damage(), None);
    drop((reader, store));
    assert_eq!(shown(&folder.file(), "lobby", &said).0.len(), 30);
}

/// The index of names has a copy of its own: without it a room would be opened again, and number from 1.
#[test]
fn a_bit_turned_in_the_index_of_names_is_found() {
    let folder = Folder::new();
    store_messages(&folder);
    let db = Connection::open(folder.file()).expect("opens");
    let page: u64 = db
        .query_row("SELECT pageno FROM dbstat WHERE name = 'sqlite_autoindex_room_1'", [], |row| row.get(0))
        .expect("a page");
    let page_bytes: usize = db.pragma_query_value(None, "page_size", |row| row.get(0)).expect("a number");
    drop(db);
    let mut bytes = fs::read(folder.file()).expect("reads");
    let index = &mut bytes[(page as usize - 1) * page_bytes..page as usize * page_bytes];
    let at = index.windows(5).position(|name| name == b"lobby").expect("the name");
    index[at + 4] ^= 1;
    fs::write(folder.file(), &bytes).expect("writes");
    let opened = open(&folder.file(), Keep::default()).map(drop);
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{opened:?}");
    assert!(!check(&folder.file()).expect("a report").is_sound());
}

#[test]
fn what_only_the_search_index_has_is_not_found() {
    let folder = Folder::new();
    store_messages(&folder);
    let db = Connection::open(folder.file()).expect("opens");
    db.execute("DELETE FROM message_text WHERE rowid = 1 << 40 | 4", []).expect("deletes");
    db.execute("INSERT INTO message_text(rowid, text) VALUES(1 << 40 | 4, 'pay bob 9000')", []).expect("writes");
    drop(db);
    let store = open_kept(&folder.file());
    let mut reader = store.reader().expect("a reader");
    assert_eq!(seqs(&search(reader.as_mut(), "lobby", "bob 9000")), [9], "not the fourth, whose index says so");
}

#[test]
fn what_is_sent_again_and_is_damaged_is_not_stored_twice() {
    let folder = Folder::new();
    store_messages(&folder);
    for (column, value) in [("text", "'pay bob 9000'"), ("sender", "'alica'"), ("author", "7"), ("at_ms", "1")] {
        let file = folder.path().join(format!("{column}.db"));
        fs::copy(folder.file(), &file).expect("copies");
        let db = Connection::open(&file).expect("opens");
        db.execute(&format!("UPDATE message SET {column} = {value} WHERE place = 1 << 40 | 4"), []).expect("writes");
        drop(db);
        let mut store = open_kept(&file);
        let first = |after| {
            let mut record = entry_at(NOW_MS + 4, "lobby", "alice", "pay bob 4000", Some(4 << 90), 4);
            if let Record::Message(entry) = &mut record {
                entry.after = after;
            }
            record
        };
        // Its room is unknown: only that it is none of those behind it.
        assert_eq!(
            store.append(&[first(Some(3))]).expect("answers"),
            [CommitOutcome::NotAppended(NotAppended::TooLate)],
            "{column}"
        );
        drop(store);
        // Damaged while its id is in the window, it is not new even without `after`.
        let remembered = folder.path().join(format!("{column}-remembered.db"));
        fs::copy(folder.file(), &remembered).expect("copies");
        let mut store = open_kept(&remembered);
        let again = store.append(&[first(None)]).expect("answers");
        assert!(
            matches!(&again[..], [CommitOutcome::NotAppended(NotAppended::Again(stored))] if stored.seq == Some(4)),
            "{again:?}"
        );
        let db = Connection::open(&remembered).expect("opens");
        db.execute(&format!("UPDATE message SET {column} = {value} WHERE place = 1 << 40 | 4"), []).expect("writes");
        drop(db);
        assert_eq!(
            store.append(&[first(None)]).expect("answers"),
            [CommitOutcome::NotAppended(NotAppended::TooLate)],
            "{column}"
        );
    }
}
