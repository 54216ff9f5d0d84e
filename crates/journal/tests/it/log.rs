//! A damaged write-ahead log is reported where the commits behind the damage prove it, and only
//! there.

use std::fs;

use glassline_journal::{Damage, StoreError};

use crate::support::{check, vacuum, *};

const HEADER_BYTES: usize = 32;
const FRAME_BYTES: usize = 24 + 4_096;

/// A history and its log as a kill leaves them behind so many commits.
struct Killed {
    folder: Folder,
    file: Vec<u8>,
    log: Vec<u8>,
    /// Length of the log at the end of each commit.
    ends: Vec<usize>,
}

impl Killed {
    fn behind(commits: u64) -> Self {
        let folder = Folder::new();
        let mut store = open_kept(&folder.file());
        let log_path = format!("{}-wal", folder.file().display());
        let ends = (0..commits)
            .map(|number| {
                store.append(&[entry("lobby", "alice", &format!("number {number}"), None, 1)]).expect("stores");
                fs::metadata(&log_path).expect("a log").len() as usize
            })
            .collect();
        let (file, log) = (fs::read(folder.file()).expect("reads"), fs::read(&log_path).expect("reads"));
        drop(store);
        Self { folder, file, log, ends }
    }

    /// Puts the files back, the log as given.
    fn restore(&self, log: &[u8]) {
        let path = self.folder.file();
        let _ = fs::remove_file(format!("{}-shm", path.display()));
        fs::write(&path, &self.file).expect("writes");
        fs::write(format!("{}-wal", path.display()), log).expect("writes");
    }

    /// Returns the damage reported of such a log, and the number of messages left; checks that
    /// `check` reports the same.
    fn scripted_store(&self, log: &[u8]) -> (Option<Damage>, u64) {
        self.restore(log);
        let faults = check(&self.folder.file()).expect("a report").faults;
        let mut store = open_kept(&self.folder.file());
        let damage = store.take_damage();
        assert_eq!(faults.iter().any(|fault| fault.contains("write-ahead log")), damage.is_some(), "{faults:?}");
        let newest = store.reader().expect("a reader").head("lobby", soon()).expect("a head").newest;
        (damage, newest)
    }
}

#[test]
fn a_log_damaged_in_its_middle_is_reported() {
    let killed = Killed::behind(6);
    let (second, third) = (killed.ends[0], killed.ends[1]);
    for (at, lengths, left) in [(third + 100, [1, FRAME_BYTES], 2), (second, [1, 24], 1), (20, [1, 12], 0)] {
        for length in lengths {
            let mut log = killed.log.clone();
            log[at..at + length].iter_mut().for_each(|byte| *byte = !*byte);
            let (damage, newest) = killed.scripted_store(&log);
            let Some(Damage::Log(words)) = damage else { panic!("{length} bytes at {at}: {damage:?}") };
            assert!(words.contains("commits from there on cannot be read") && words.contains("restore"), "{words}");
            assert_eq!(newest, left, "{length} bytes at {at}");
        }
    }
    // A command that writes would overwrite the proof without a word.
    let mut log = killed.log.clone();
    log[killed.ends[1] + 100] ^= 1;
    killed.restore(&log);
    let refused = vacuum(&killed.folder.file());
    assert!(matches!(refused, Err(StoreError::Damaged(Damage::Log(_)))), "{refused:?}");
}

#[test]
fn a_crash_that_loses_nothing_is_no_damage() {
    let killed = Killed::behind(6);
    assert_eq!(killed.scripted_store(&killed.log), (None, 6));
    // A kill in the middle of a commit, wherever.
    for end in [killed.ends[3], killed.ends[3] + 1, killed.ends[3] + 24, killed.ends[5] - 1] {
        let complete = killed.ends.iter().filter(|complete| **complete <= end).count() as u64;
        assert_eq!(killed.scripted_store(&killed.log[..end]), (None, complete), "{end}");
    }
    // A loss of power in the last commit, whose end was written and its beginning not.
    let mut log = killed.log.clone();
    assert!(killed.ends[5] - killed.ends[4] > FRAME_BYTES, "a commit of several frames");
    log[killed.ends[4]..killed.ends[4] + FRAME_BYTES].fill(0);
    assert_eq!(killed.scripted_store(&log), (None, 5));
    // What an earlier log left in the file stands behind the end of this one.
    let mut log = killed.log.clone();
    for frame in log[HEADER_BYTES..].chunks_exact_mut(FRAME_BYTES) {
        frame[8..16].copy_from_slice(b"earlier.");
        frame[16] ^= 1;
    }
    let together = [&killed.log[..killed.ends[2]], &log[killed.ends[2]..]].concat();
    assert_eq!(killed.scripted_store(&together), (None, 3));
    assert_eq!(killed.scripted_store(&[]), (None, 0));
}
