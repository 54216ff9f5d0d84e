//! Imports of files that are no export, or a damaged one, and what they leave behind.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use glassline_journal::{
    Imported, ProgressMonitor, Stage, StoreError, TransferError, check as check_monitored, export as export_monitored,
    import as import_monitored, vacuum as vacuum_monitored,
};

use crate::support::{check, export, import, *};

const SCHEMA: &str = r#"{"type":"schema","version":1}"#;

fn line(room: &str, seq: u64, text: &str) -> String {
    format!(
        r#"{{"type":"message","room":"{room}","seq":{seq},"at":"2026-01-02T03:04:05.678Z","from":"a","text":"{text}"}}"#
    )
}

fn lines(lines: &[String]) -> String {
    [&[SCHEMA.to_string()], lines].concat().join("\n") + "\n"
}

#[test]
fn a_byte_order_mark_and_other_line_ends_are_accepted() {
    let plain = lines(&[line("lobby", 1, "a"), line("lobby", 2, "b")]);
    for text in [
        format!("\u{feff}{plain}"),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.trim_end().to_string(),
    ] {
        let folder = Folder::new();
        let imported = import(&folder.file(), &mut text.as_bytes()).expect(&text);
        assert_eq!(imported, Imported { messages: 2, ..Imported::default() });
    }
}

#[test]
fn a_file_of_another_form_is_named_and_makes_nothing() {
    let plain = lines(&[line("lobby", 1, "a")]);
    let utf_16 = |bytes_of: fn(u16) -> [u8; 2], mark: &[u8]| {
        [mark, &plain.encode_utf16().flat_map(bytes_of).collect::<Vec<_>>()].concat()
    };
    let history = {
        let folder = Folder::new();
        drop(open_kept(&folder.file()));
        fs::read(folder.file()).expect("reads")
    };
    for (bytes, word) in [
        (utf_16(u16::to_le_bytes, b"\xFF\xFE"), "UTF-16"),
        (utf_16(u16::to_be_bytes, b"\xFE\xFF"), "UTF-16"),
        (utf_16(u16::to_le_bytes, b""), "UTF-16"),
        (b"\x1F\x8B\x08\0".to_vec(), "gunzip"),
        (history, "history export"),
    ] {
        let folder = Folder::new();
        let refused = import(&folder.file(), &mut &bytes[..]).expect_err(word).to_string();
        assert!(refused.contains(word) && refused.contains("nothing was imported"), "{refused}");
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn a_cut_or_disordered_export_is_refused_with_its_line() {
    let good = [line("lobby", 7, "a"), line("lobby", 8, "b"), line("lobby", 9, "c")];
    let whole = lines(&good);
    for (text, at, word) in [
        (String::new(), 1, "the input is empty"),
        (good.join("\n"), 1, "put that one before it"),
        (whole[..whole.len() - 20].to_string(), 4, "cut off"),
        (lines(&[good[0].clone(), good[2].clone(), good[1].clone()]), 4, "in order"),
        (lines(&[good[0].clone(), line("lobby", 7, "other")]), 3, "each number once"),
    ] {
        let folder = Folder::new();
        // A folder that is not there is made, and taken away again.
        let file = folder.path().join("state/glassline/history.db");
        match import(&file, &mut text.as_bytes()) {
            Err(TransferError::Line { line, detail }) => {
                assert_eq!(line, at, "{detail}");
                assert!(detail.contains(word), "{detail:?} has no {word:?}");
            }
            other => panic!("a wrong line, not {other:?}"),
        }
        assert_eq!(folder.names(), [""; 0], "{word}");
    }
}

#[test]
fn a_line_that_is_there_twice_is_imported_once() {
    let folder = Folder::new();
    let twice = lines(&[line("lobby", 7, "a"), line("lobby", 7, "a"), line("lobby", 8, "b"), line("lobby", 7, "a")]);
    let imported = import(&folder.file(), &mut twice.as_bytes()).expect("imports");
    assert_eq!(imported, Imported { messages: 2, skipped: 2, ..Imported::default() });
}

#[test]
fn a_failed_import_leaves_a_history_as_it_was() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "here before", Some(1), 1)]).expect("stores");
    drop(store);
    let (names, before) = (folder.names(), fs::read(folder.file()).expect("reads"));
    let wrong = lines(&[line("den", 1, "a"), "nonsense".to_string()]);
    import(&folder.file(), &mut wrong.as_bytes()).expect_err("a wrong line");
    assert_eq!(folder.names(), names);
    assert!(fs::read(folder.file()).expect("reads") == before, "its bytes are the same");
    // An empty file is as good as none, and stays one.
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").expect("writes");
    import(&empty, &mut wrong.as_bytes()).expect_err("a wrong line");
    assert_eq!(fs::metadata(&empty).expect("a file").len(), 0);
}

/// Cancels an operation once it has reported progress so many times.
struct Impatient {
    reports_left: AtomicU64,
}

impl Impatient {
    fn after(reports: u64) -> Arc<dyn ProgressMonitor> {
        Arc::new(Self { reports_left: AtomicU64::new(reports) })
    }
}

impl ProgressMonitor for Impatient {
    fn begin(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) {
        let _ = self.reports_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    }

    fn is_cancelled(&self) -> bool {
        self.reports_left.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn a_cancelled_operation_leaves_a_sound_history() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let count = 3_000;
    let text = "some words to index, and to write again".repeat(4);
    store.append(&(0..count).map(|_| entry("lobby", "alice", &text, None, 1)).collect::<Vec<_>>()).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    let mut exported = Vec::new();
    export(&folder.file(), &mut exported).expect("exports");
    let names = folder.names();
    for reports in [0, 1, 2] {
        let cancelled = |result: Result<(), StoreError>| match result {
            Err(StoreError::Cancelled) => {}
            other => panic!("{other:?} with {reports} reports"),
        };
        cancelled(vacuum_monitored(&folder.file(), &Impatient::after(reports)).map(drop));
        cancelled(check_monitored(&folder.file(), &Impatient::after(reports)).map(drop));
        let of_upkeep = |error| match error {
            TransferError::Store(error) => error,
            other => panic!("{other:?}"),
        };
        let mut output = Vec::new();
        cancelled(
            export_monitored(&folder.file(), &mut output, &Impatient::after(reports)).map(drop).map_err(of_upkeep),
        );
        let other = folder.path().join("other.db");
        let imported = import_monitored(&other, &mut &exported[..], Impatient::after(reports).as_ref());
        cancelled(imported.map(drop).map_err(of_upkeep));
        assert_eq!(folder.names(), names);
    }
    let mut again = Vec::new();
    export(&folder.file(), &mut again).expect("exports");
    assert!(again == exported, "the history is the same");
    let report = check(&folder.file()).expect("a report");
    assert_eq!((report.messages, report.faults), (count, Vec::new()));
}
