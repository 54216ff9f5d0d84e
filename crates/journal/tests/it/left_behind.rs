//! Files beside a history that was only read.

use std::fs;

use crate::support::{check, export, *};

#[test]
fn reading_leaves_no_file_behind_where_no_server_runs() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores");
    drop(store);
    fs::remove_file(folder.path().join("history.db.lock")).expect("removes");
    assert_eq!(folder.names(), ["history.db"]);
    let before = fs::read(folder.file()).expect("reads");
    for _ in 0..2 {
        assert!(check(&folder.file()).expect("a report").is_sound());
        assert_eq!(folder.names(), ["history.db"]);
        export(&folder.file(), &mut Vec::new()).expect("exports");
        assert_eq!(folder.names(), ["history.db"]);
    }
    assert!(fs::read(folder.file()).expect("reads") == before);
}

#[test]
fn a_log_that_was_left_is_read_and_left_as_it_is() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "in the log only", None, 1)]).expect("stores");
    // What a crash leaves, or a copy that was made without the index of the log.
    for files in [vec!["copy.db", "copy.db-wal"], vec!["copy.db", "copy.db-shm", "copy.db-wal"]] {
        let copies = Folder::new();
        let copy = copies.path().join("copy.db");
        for file in &files {
            let ending = file.strip_prefix("copy.db").expect("its name");
            let of_history = folder.path().join(format!("history.db{ending}"));
            fs::copy(of_history, copies.path().join(file)).expect("copies");
        }
        let log = fs::read(copies.path().join("copy.db-wal")).expect("reads");
        let report = check(&copy).expect("a report");
        assert_eq!((report.messages, report.faults), (1, Vec::new()));
        let mut output = Vec::new();
        assert!(export(&copy, &mut output).expect("exports").is_complete());
        assert!(String::from_utf8(output).expect("UTF-8").contains("in the log only"));
        assert_eq!(copies.names(), files);
        assert!(fs::read(copies.path().join("copy.db-wal")).expect("reads") == log);
    }
    // What a server has open is its own.
    let names = folder.names();
    assert!(check(&folder.file()).expect("a report").is_sound());
    assert_eq!(folder.names(), names);
    store.append(&[entry("lobby", "alice", "and on", None, 1)]).expect("stores");
}

/// Output of an export, which is written while it reads: a server starts at the first line.
struct Starting<'s>(&'s Folder, Option<Box<dyn glassline_journal::Store>>);

impl std::io::Write for Starting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.get_or_insert_with(|| open_kept(&self.0.file()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_server_starts_while_a_history_is_read() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores");
    drop(store);
    let mut starting = Starting(&folder, None);
    export(&folder.file(), &mut starting).expect("exports");
    let mut store = starting.1.expect("a server has started");
    assert_eq!(store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores"), stored([2]));
}
