//! Crashes: what is in the file after the power went at any byte is a prefix of the commits, with every one that was complete.

use std::fs;
use std::path::Path;

use glassline_journal::Damage;
use glassline_wire::history::{CommitOutcome, Head, Record};
use glassline_wire::request::HistoryRange;

use crate::support::{check, *};

const ROOMS: [&str; 3] = ["lobby", "den", "attic"];

/// A commit, and how long the log was behind it.
struct Commit {
    batch: Vec<Record>,
    outcomes: Vec<CommitOutcome>,
    log_bytes: usize,
}

/// Returns the contents of each room after the first `count` commits.
fn contents(commits: &[Commit], count: usize) -> Vec<Vec<String>> {
    let mut rooms = vec![Vec::new(); ROOMS.len()];
    for commit in &commits[..count] {
        for (record, outcome) in commit.batch.iter().zip(&commit.outcomes) {
            let (Record::Message(entry), CommitOutcome::Stored { seq }) = (record, outcome) else { continue };
            let room = ROOMS.iter().position(|room| *room == entry.message.room).expect("a known room");
            assert_eq!(*seq, rooms[room].len() as u64 + 1);
            rooms[room].push(entry.message.text.clone());
        }
    }
    rooms
}

/// The file and its log as they would be found, what is in them after opening, and whether the log was found damaged.
fn reopened(folder: &Path, file: &[u8], log: &[u8]) -> (Vec<Vec<String>>, bool) {
    let path = folder.join("cut.db");
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", path.display()));
    }
    fs::write(&path, file).expect("writes");
    fs::write(format!("{}-wal", path.display()), log).expect("writes");
    let mut store = open_kept(&path);
    let is_log_damaged = matches!(store.take_damage(), Some(Damage::Log(_)));
    let mut reader = store.reader().expect("a reader");
    let found = ROOMS
        .iter()
        .map(|room| {
            let Head { oldest, newest, .. } = reader.head(room, soon()).expect("a head");
            assert_eq!(oldest, 1);
            let mut texts = Vec::new();
            while (texts.len() as u64) < newest {
                let after = Some(texts.len() as u64);
                let page =
                    range(reader.as_mut(), &HistoryRange { room: (*room).into(), after, ..HistoryRange::default() });
                assert!(!page.messages.is_empty(), "a hole in {room} behind {after:?}");
                texts.extend(page.messages.into_iter().map(|message| message.text));
            }
            texts
        })
        .collect();
    // The index is caught up from wherever it was, and nothing is left to complain of.
    tend_to_the_end(store.as_mut());
    assert_eq!(store.index_lag(), 0);
    for (room, texts) in ROOMS.iter().zip(&found) {
        let texts: &Vec<String> = texts;
        if let Some(text) = texts.last() {
            let page = search(reader.as_mut(), room, text);
            assert!(page.messages.iter().any(|message| message.text == *text), "{text} is not found");
        }
    }
    drop((reader, store));
    assert_eq!(check(&path).expect("a report").faults, Vec::<String>::new());
    (found, is_log_damaged)
}

#[test]
fn whatever_is_cut_off_the_log_a_prefix_of_the_commits_is_left() {
    let seed = glassline_testkit::seed_or(4);
    let mut rng = Rng::new(seed);
    let folder = Folder::new();
    let path = folder.file();
    let log_path = format!("{}-wal", path.display());
    let mut store = open_kept(&path);
    let mut commits = Vec::new();
    let mut said = 0;
    while commits.len() < 40 {
        let batch: Vec<Record> = (0..=rng.below(30))
            .map(|_| {
                said += 1;
                let text = format!("text number {said} {}", "x".repeat(rng.below(400) as usize));
                let id = (rng.below(3) > 0).then(|| rng.next_u128());
                entry(ROOMS[rng.below(3) as usize], "alice", &text, id, 1)
            })
            .collect();
        let outcomes = store.append(&batch).expect("stores");
        let log_bytes = fs::metadata(&log_path).expect("a log").len() as usize;
        commits.push(Commit { batch, outcomes, log_bytes });
        // Indexing writes to the log between commits.
        if rng.below(3) == 0 {
            store.maintain(std::time::Duration::ZERO).expect("tends");
        }
    }
    // As a crash would leave them: the store is still open.
    let (file, log) = (fs::read(&path).expect("reads"), fs::read(&log_path).expect("reads"));
    drop(store);
    let ends: Vec<usize> = commits.iter().map(|commit| commit.log_bytes).collect();
    assert!(ends.is_sorted() && *ends.last().expect("some") <= log.len(), "the log was not emptied meanwhile");
    let mut cuts = vec![0, 1, 31, 32, 33, 56, 57, log.len()];
    for end in &ends {
        cuts.extend([end - 1, *end]);
    }
    cuts.extend((0..40).map(|_| rng.below(log.len() as u64) as usize));
    for cut in cuts {
        let complete = ends.iter().filter(|end| **end <= cut).count();
        let (found, is_log_damaged) = reopened(folder.path(), &file, &log[..cut]);
        assert!(!is_log_damaged, "cut at {cut}: nothing behind it proves a loss, SEED={seed}");
        // A commit whose log ends at the cut is there; the next cannot be.
        assert_eq!(found, contents(&commits, complete), "cut at {cut} of {}, SEED={seed}", log.len());
    }
    // Bytes that were never written, or turned: what stands before them counts.
    for _ in 0..20 {
        let at = rng.below(log.len() as u64) as usize;
        let mut torn = log.clone();
        torn[at] ^= 1 << rng.below(8);
        let (found, is_log_damaged) = reopened(folder.path(), &file, &torn);
        // The commit that it hits, or one behind it, is complete and has another behind it.
        let is_proved = ends.len() - ends.iter().filter(|end| **end <= at).count() >= 2;
        assert!(is_log_damaged || !is_proved, "byte {at} turned and not noticed, SEED={seed}");
        let intact = ends.iter().filter(|end| **end <= at).count();
        let is_prefix = (0..=commits.len()).any(|count| count >= intact && found == contents(&commits, count));
        // What belongs to no frame that counts (a reserved field) may turn without harm; a header turned takes the log with it.
        assert!(is_prefix || (at < 32 && found == contents(&commits, 0)), "byte {at} turned, SEED={seed}");
    }
}
