//! Result of an orderly end: one file that has everything.

use std::fs;

use glassline_journal::Journal;
use glassline_wire::history::Question;
use glassline_wire::request::{HistoryRange, Search};

use crate::support::*;

#[test]
fn behind_an_orderly_end_the_one_file_has_everything() {
    for round in 0..20 {
        let folder = Folder::new();
        let journal = Journal::start(open_kept(&folder.file()), || {}).expect("starts");
        let count = 500;
        journal.append(pending((0..count).map(|seq| (seq, entry("lobby", "alice", "some words", None, 1)))));
        // A reader is active until the end.
        for ticket in 0..30 {
            let search = Search { room: "lobby".into(), query: "wo".into(), before: None, limit: None };
            assert!(journal.ask(ticket, SOMEBODY, Question::Search(search)));
            assert!(journal.ask(ticket, SOMEBODY, Question::Head("lobby".into())));
        }
        journal.close(std::time::Duration::from_secs(20)).expect("closes");
        let log_bytes = fs::metadata(folder.path().join("history.db-wal")).map_or(0, |log| log.len());
        assert_eq!(log_bytes, 0, "round {round}: all of the log is in the file");
        let copy = folder.path().join("copy.db");
        fs::copy(folder.file(), &copy).expect("copies");
        let mut reader = open_kept(&copy).reader().expect("a reader");
        assert_eq!(reader.head("lobby", soon()).expect("a head").newest, count, "round {round}");
        let last = HistoryRange { room: "lobby".into(), ..HistoryRange::default() };
        assert_eq!(seqs(&range(reader.as_mut(), &last)).last(), Some(&count));
    }
}
