//! Files of older versions of the schema, made by the statements that those versions were made with.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use glassline_journal::{Damage, Keep, Store, open};
use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::request::HistoryRange;
use rusqlite::Connection;

use crate::support::{check, export, *};

/// The tables of version 1; version 2 has the same.
const TABLES: &str = "
    PRAGMA journal_mode=WAL;
    CREATE TABLE fact(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO fact VALUES('id_secret', randomblob(16)), ('ids_dead', 0);
    CREATE TABLE room(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, oldest INTEGER NOT NULL,
        indexed INTEGER NOT NULL, ids_merged INTEGER NOT NULL, oldest_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX room_behind ON room(id) WHERE indexed < newest;
    CREATE INDEX room_oldest ON room(oldest_at_ms) WHERE oldest <= newest;
    CREATE TABLE message(
        place INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, author INTEGER NOT NULL, sender TEXT NOT NULL,
        action INTEGER NOT NULL, id BLOB, text TEXT NOT NULL
    ) STRICT;
    CREATE TABLE message_id(key INTEGER, place INTEGER, PRIMARY KEY(key, place)) STRICT, WITHOUT ROWID;
    CREATE TABLE act(number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE VIRTUAL TABLE message_text USING fts5(
        text, content='', contentless_delete=1, detail=none, tokenize='trigram'
    );
    INSERT INTO message_text(message_text, rank) VALUES('automerge', 0);
    PRAGMA application_id=0x474C4849;";

/// Messages of the first of two rooms; the other has ten.
const MESSAGES: u64 = 8_000;

/// Makes a history of a version, whose first room holds these messages.
fn file_of_version(version: u32, file: &Path, first_room: u64) {
    let db = Connection::open(file).expect("opens");
    db.execute_batch(TABLES).expect("makes the tables");
    for (id, room, count) in [(1, "lobby", first_room), (2, "den", 10)] {
        db.execute(
            "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2)
             INSERT INTO message SELECT ?1 << 40 | seq, 1790000000000 + seq, 1, 'alice', seq % 7 = 0,
             CAST(printf('%016d', seq) AS BLOB), printf('去東京 cafe%s number %d', char(0x301), seq) FROM n",
            (id, count),
        )
        .expect("writes");
        db.execute("INSERT INTO room VALUES(?1, ?2, ?3, 1, ?3, ?3, 1790000000001)", (id, room, count)).expect("writes");
    }
    // As version 1 had it: every message indexed, without an end behind its text.
    db.execute_batch(&format!(
        "INSERT INTO message_text(rowid, text) SELECT place, text FROM message;
         INSERT INTO message_id SELECT random() >> 32, place FROM message;
         INSERT INTO act(json) VALUES('{ACT}');
         PRAGMA user_version = {version};"
    ))
    .expect("writes");
}

const ACT: &str = r#"{"type":"act","at":"2026-11-22T14:00:00.000Z","by":"root","act":"ban","who":"bob","until":"2027-01-01T00:00:00.000Z"}"#;

fn unverified(file: &Path) -> u64 {
    let report = check(file).expect("a report");
    assert_eq!(report.faults, Vec::<String>::new());
    report.unverified
}

/// Messages without a checksum, whether that is right or not.
fn without(file: &Path) -> u64 {
    let db = Connection::open(file).expect("opens");
    db.query_row("SELECT count(*) FROM message WHERE checksum IS NULL", [], |row| row.get(0)).expect("a number")
}

/// Rows of the table that held the ids; none once it is gone.
fn old_ids(file: &Path) -> Option<u64> {
    let db = Connection::open(file).expect("opens");
    let is_there = db.table_exists(None, "message_id").expect("reads");
    is_there.then(|| db.query_row("SELECT count(*) FROM message_id", [], |row| row.get(0)).expect("a number"))
}

/// Message of the lobby as it was sent.
fn sent(seq: u64) -> Record {
    let id: [u8; 16] = format!("{seq:016}").into_bytes().try_into().expect("16 digits");
    let text = format!("去東京 cafe\u{301} number {seq}");
    let Record::Message(mut entry) = entry("lobby", "alice", &text, Some(u128::from_be_bytes(id)), 1) else {
        panic!("a message")
    };
    entry.message.action = seq.is_multiple_of(7);
    entry.after = Some(seq - 1);
    Record::Message(entry)
}

fn page(store: &dyn Store, after: u64) -> Vec<(u64, String, bool)> {
    let wanted = HistoryRange { room: "lobby".into(), after: Some(after), limit: Some(10), ..HistoryRange::default() };
    let page = range(store.reader().expect("a reader").as_mut(), &wanted);
    page.messages.into_iter().map(|message| (message.seq.expect("a number"), message.text, message.action)).collect()
}

#[test]
fn an_older_file_is_served_while_it_is_migrated_in_steps() {
    let folder = Folder::new();
    file_of_version(2, &folder.file(), MESSAGES);
    // Before a server has opened it, it is read as it is.
    assert_eq!(unverified(&folder.file()), MESSAGES + 10);
    let mut lines = Vec::new();
    assert_eq!(export(&folder.file(), &mut lines).expect("exports").messages, MESSAGES + 10);

    let mut store = open_kept(&folder.file());
    assert_eq!(unverified(&folder.file()), MESSAGES + 10, "opening leaves them all for later");
    assert_eq!(old_ids(&folder.file()), Some(MESSAGES + 10), "and the table of ids");
    let again = store.append(&[sent(1), sent(MESSAGES)]).expect("answers");
    let again_seqs: Vec<_> = again
        .iter()
        .map(|outcome| match outcome {
            CommitOutcome::NotAppended(NotAppended::Again(message)) => message.seq,
            _ => None,
        })
        .collect();
    assert_eq!(again_seqs, [Some(1), Some(MESSAGES)], "what was sent before is known: {again:?}");
    let wanted: Vec<_> =
        (1..=10_u64).map(|seq| (seq, format!("去東京 cafe\u{301} number {seq}"), seq.is_multiple_of(7))).collect();
    let (mut left, mut steps, mut said) = (MESSAGES + 10, 0, 0);
    let mut ids_left = old_ids(&folder.file());
    while left > 0 || ids_left.is_some() {
        assert_eq!(page(store.as_ref(), 0), wanted, "all are read meanwhile");
        let new = [entry("lobby", "bob", "new", None, 2)];
        said += 1;
        assert_eq!(store.append(&new).expect("stores"), stored([MESSAGES + said]), "and stored");
        // A look at the clock behind each step.
        store.maintain(Duration::ZERO).expect("tends");
        let now = without(&folder.file());
        assert!(left - now <= 2_048, "{} in one step", left - now);
        steps += u64::from(now < left);
        left = now;
        let ids_now = old_ids(&folder.file());
        let ids_gone = ids_left.unwrap_or(0) - ids_now.unwrap_or(0);
        assert!(ids_gone <= 2_048, "{ids_gone} ids in one step");
        ids_left = ids_now;
        assert!(said < 2_000, "{left} are left");
    }
    assert!(steps >= (MESSAGES + 10) / 2_048, "{steps} steps");
    tend_to_the_end(store.as_mut());
    let found = search(store.reader().expect("a reader").as_mut(), "lobby", "去東京 caf\u{e9} number 7999");
    assert_eq!(seqs(&found), [7_999], "in the other normalisation form");
    drop(store);
    assert_eq!(unverified(&folder.file()), 0);
    let keep = Keep { days: None, bytes: Some(400_000) };
    let mut store = open(&folder.file(), keep).expect("opens");
    tend_to_the_end(store.as_mut());
    assert!(store.sizes().used_bytes <= 400_000, "what is of nobody known counts as well");
    let left = page(store.as_ref(), 0);
    assert!(left[0].0 > 1 && left[0].0 < MESSAGES, "the oldest went: {left:?}");
    drop(store);
    assert_eq!(unverified(&folder.file()), 0);
    let after = left[0].0 + 2;
    // Once all have one, a message without is damaged.
    let db = Connection::open(folder.file()).expect("opens");
    assert_eq!(
        db.execute("UPDATE message SET checksum = NULL WHERE place = 1 << 40 | ?1", [after]).expect("writes"),
        1
    );
    drop(db);
    let report = check(&folder.file()).expect("a report");
    assert!(
        report.unverified == 0 && report.faults.iter().any(|fault| fault.contains(&format!("number {after} "))),
        "{report:?}"
    );
    let store = open_kept(&folder.file());
    assert_eq!(page(store.as_ref(), after - 2)[..2], [left[1].clone(), left[3].clone()]);
}

#[test]
fn a_server_that_ends_meanwhile_goes_on_where_it_was() {
    let folder = Folder::new();
    file_of_version(2, &folder.file(), 3_000);
    let mut left = (3_010, Some(3_010));
    let mut seen = BTreeSet::new();
    for round in 0..60 {
        let mut store = open_kept(&folder.file());
        // More steps each time: the ids of the most recent messages are loaded first.
        for _ in 0..3 + round {
            store.maintain(Duration::ZERO).expect("tends");
        }
        drop(store);
        let now = (without(&folder.file()), old_ids(&folder.file()));
        assert!(now.0 <= left.0 && now.1 <= left.1);
        left = now;
        seen.insert(now);
    }
    assert!(seen.len() > 4, "cut off in the midst of it: {seen:?}");
    assert_eq!((left, unverified(&folder.file())), ((0, None), 0));
}

#[test]
fn what_is_new_in_an_older_file_is_verified_at_once() {
    let folder = Folder::new();
    file_of_version(2, &folder.file(), 100);
    let mut store = open_kept(&folder.file());
    store.append(&[entry("den", "bob", "new", None, 2)]).expect("stores");
    let mut acts = Vec::new();
    store.acts(&mut |act| acts.push(act.who)).expect("reads");
    assert_eq!(acts, [Some("bob".to_string())]);
    drop(store);
    let db = Connection::open(folder.file()).expect("opens");
    for change in [
        "UPDATE message SET text = 'older' WHERE place = 2 << 40 | 11",
        "UPDATE room SET newest = newest - 1 WHERE id = 1",
        "UPDATE act SET json = replace(json, 'bob', 'rob')",
        "UPDATE fact SET value = value + 1 WHERE name = 'unsummed_first'",
    ] {
        db.execute_batch("BEGIN").expect("begins");
        assert_eq!(db.execute(change, []).expect("writes"), 1, "{change}");
        db.execute_batch("COMMIT").expect("commits");
    }
    drop(db);
    let faults = check(&folder.file()).expect("a report").faults.join("; ");
    for word in ["number 11 ", "\"lobby\": its row", "act number 1 ", "progress of the checksums"] {
        assert!(faults.contains(word), "{word}: {faults}");
    }
}

#[test]
fn a_file_of_version_1_is_indexed_again() {
    let folder = Folder::new();
    file_of_version(1, &folder.file(), 40);
    let mut store = open_kept(&folder.file());
    assert_eq!(store.index_lag(), 50);
    for _ in 0..2 {
        let found = search(store.reader().expect("a reader").as_mut(), "lobby", "東京");
        assert_eq!(found.messages.len(), 40, "before it is indexed, and then");
        tend_to_the_end(store.as_mut());
    }
}

#[test]
fn damage_from_before_there_were_checksums_stays_damage() {
    let folder = Folder::new();
    file_of_version(2, &folder.file(), 50);
    let db = Connection::open(folder.file()).expect("opens");
    db.execute("UPDATE message SET text = CAST(x'ff' AS TEXT) WHERE place = 1 << 40 | 9", []).expect("writes");
    drop(db);
    let mut store = open_kept(&folder.file());
    for _ in 0..2 {
        let mut reader = store.reader().expect("a reader");
        let wanted = HistoryRange { room: "lobby".into(), after: Some(0), ..HistoryRange::default() };
        assert_eq!(range(reader.as_mut(), &wanted).messages.len(), 49);
        let damage = reader.take_damage();
        assert!(matches!(damage, Some(Damage::Messages { first: 9, last: 9, count: 1, .. })), "{damage:?}");
        tend_to_the_end(store.as_mut());
    }
    let again: Record = entry("lobby", "bob", "new", None, 2);
    assert_eq!(store.append(&[again]).expect("stores"), stored([51]));
}
