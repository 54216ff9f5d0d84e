//! The length of the write-ahead log under continuous reading.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use glassline_journal::{Done, Journal, Keep, Requester, open};
use glassline_wire::history::Question;
use glassline_wire::request::Search;

use crate::support::*;

const MIB: u64 = 1024 * 1024;

/// Requesters who search again as soon as they are answered.
const SEARCHERS: u64 = 6;

#[test]
fn the_log_is_bounded_while_others_search_without_a_pause() {
    let folder = Folder::new();
    let keep_bytes = 32 * MIB;
    let store = open(&folder.file(), Keep { days: None, bytes: Some(keep_bytes) }).expect("opens");
    let (wake_flag, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let wake_flag = std::sync::Arc::new(wake_flag);
    let wake = std::sync::Arc::clone(&wake_flag);
    let journal = Journal::start(store, move || wake.store(true, Ordering::Release)).expect("starts");
    // No message has it, and it is too short for the index: everything is read.
    let search = |ticket: u64| {
        let search = Search { room: "lobby".into(), query: "ü~".into(), before: None, limit: None };
        assert!(journal.ask(ticket, Requester { subnet: 1, number: ticket }, Question::Search(search)));
    };
    let mut rng = Rng::new(3);
    let (mut ticket, mut stored, mut largest) = (SEARCHERS, 0, 0);
    let mut words = || {
        let mut text = String::new();
        for _ in 0..256 {
            let _ = write!(text, "{:016x}", rng.next_u64());
        }
        text
    };
    let deadline = soon() + Duration::from_mins(2);
    for searcher in 0..SEARCHERS {
        search(searcher);
    }
    for _ in 0..64 {
        let batch = (0..128).map(|_| {
            ticket += 1;
            (ticket, entry("lobby", "alice", &words(), None, 1))
        });
        journal.append(pending(batch));
        let wanted = stored + 128;
        while stored < wanted {
            assert!(std::time::Instant::now() < deadline, "{stored} of {wanted} stored");
            for done in journal.take_done() {
                match done {
                    Done::Committed(_) => stored += 1,
                    Done::Answered { ticket, .. } => {
                        answered.fetch_add(1, Ordering::Relaxed);
                        search(ticket);
                    }
                    other => panic!("{other:?}"),
                }
            }
            std::thread::yield_now();
        }
        largest = largest.max(std::fs::metadata(folder.path().join("history.db-wal")).expect("a log").len());
    }
    let gauges = journal.gauges();
    println!("largest log {largest}, {} answers, {gauges:?}", answered.load(Ordering::Relaxed));
    assert!(answered.load(Ordering::Relaxed) > SEARCHERS, "they searched");
    assert!(largest < 12 * MIB, "{largest} bytes of log");
    assert!(gauges.log_bytes > 0, "it is counted");
    assert!(gauges.used_bytes < keep_bytes + keep_bytes / 4, "{}", gauges.used_bytes);
    journal.close(Duration::from_secs(20)).expect("closes");
}
