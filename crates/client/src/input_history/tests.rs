use super::*;
use proptest::prelude::*;
use std::fs;
use std::thread;

/// A folder that does not exist yet, in one that is removed with the test.
struct Folder(PathBuf, #[expect(dead_code, reason = "it removes the folder")] glassline_testkit::Folder);

impl Folder {
    fn new() -> Self {
        let folder = glassline_testkit::Folder::new();
        Self(folder.join("state"), folder)
    }

    fn open(&self) -> (InputHistory, Vec<String>) {
        InputHistory::open(&self.0).expect("opens")
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }

    /// Adds all of them in one session, and gives what the next one finds.
    fn after(&self, lines: &[&str]) -> Vec<String> {
        let (mut history, _) = self.open();
        for line in lines {
            history.add(line).expect("kept");
        }
        self.open().1
    }
}

#[test]
fn lines_are_found_again_in_the_next_session() {
    let folder = Folder::new();
    assert_eq!(folder.open().1, Vec::<String>::new());
    let lines = ["one", "two\nlines\\n", "two\nlines\\n", " ", "漢字\t"];
    assert_eq!(folder.after(&lines), ["one", "two\nlines\\n", "漢字\t"]);
    assert_eq!(folder.after(&["漢字\t", "four"]), ["one", "two\nlines\\n", "漢字\t", "four"]);
}

#[test]
fn what_is_for_somebody_only_never_reaches_the_disk() {
    let folder = Folder::new();
    let long = "x".repeat(ENTRY_BYTES_MAX + 1);
    let lines =
        ["/msg bob secret", "/r secret", "/op secret", "/mgs bob secret", &long, "open", "/seal secret", "secret"];
    assert_eq!(folder.after(&lines), ["open"]);
    assert!(!fs::read_to_string(folder.file()).expect("a file").contains("secret"));
    assert_eq!(folder.after(&["again"]), ["open", "again"]);
}

#[test]
fn a_seal_holds_also_when_nothing_is_kept_yet() {
    let mut history = InputHistory::default();
    history.add("/seal x").expect("nothing to fail");
    assert!(history.sealed);
}

#[test]
fn corrupt_lines_are_skipped_and_a_torn_one_is_ended() {
    let folder = Folder::new();
    folder.open();
    fs::write(folder.file(), b"good\n\xff\xfe\nbad \\escape\n\x1b[2J\n\n\\\ntorn").expect("written");
    assert_eq!(folder.open().1, ["good", "torn"]);
    assert_eq!(folder.after(&["next"]), ["good", "torn", "next"]);
}

#[test]
fn the_file_is_cut_down_to_the_newest_entries() {
    let folder = Folder::new();
    folder.open();
    let many: String = (0..=2 * ENTRIES_MAX).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    fs::write(folder.file(), many).expect("written");
    let (_, lines) = folder.open();
    assert_eq!((lines.len(), lines[0].as_str()), (ENTRIES_MAX, "1001"));
    assert_eq!(fs::read_to_string(folder.file()).expect("a file").lines().count(), ENTRIES_MAX);

    let big: String = (100..500).flat_map(|number| [number.to_string(), "y".repeat(10_000), "\n".to_owned()]).collect();
    fs::write(folder.file(), big).expect("written");
    let (mut history, lines) = folder.open();
    assert!(lines.len() < 105 && lines.last().is_some_and(|last| last.starts_with("499")), "{}", lines.len());
    for number in 0..300 {
        history.add(&format!("{number}{}", "z".repeat(10_000))).expect("kept");
    }
    assert!(fs::metadata(folder.file()).expect("a file").len() <= 2 * BYTES_MAX as u64 + 20_000);
}

#[test]
fn a_file_that_cannot_be_written_is_reported_once() {
    let folder = Folder::new();
    let (mut history, _) = folder.open();
    fs::remove_dir_all(&folder.0).expect("removed");
    let complaint = history.add("one").expect_err("no folder");
    assert!(complaint.contains("not kept") && complaint.contains(FILE_NAME), "{complaint}");
    assert_eq!(history.add("two"), Ok(()));
    fs::write(&folder.0, "a file where the folder should be").expect("written");
    assert!(InputHistory::open(&folder.0).is_err());
    fs::remove_file(&folder.0).expect("removed");
}

#[test]
fn several_clients_add_at_once_and_no_entry_is_torn() {
    let folder = Folder::new();
    folder.open();
    let lines_of = |client: usize| (0..800).map(move |number| format!("{client}:{number}:{}", "w".repeat(200)));
    thread::scope(|scope| {
        for client in 0..4 {
            let (mut history, _) = folder.open();
            scope.spawn(move || {
                for line in lines_of(client) {
                    history.add(&line).expect("kept");
                }
            });
        }
    });
    let content = fs::read_to_string(folder.file()).expect("a file");
    let whole: std::collections::HashSet<String> = (0..4).flat_map(lines_of).collect();
    assert!(content.lines().all(|line| whole.contains(line)), "an entry is torn");
    assert!(content.lines().count() >= ENTRIES_MAX);
}

proptest! {
    #[test]
    fn every_text_survives_the_file(line in "[a\\\\nr\n漢\t ]{1,20}") {
        let raw = escaped(&line);
        prop_assert!(!raw.contains('\n'));
        prop_assert_eq!(unescaped(raw.as_bytes()), (!line.trim().is_empty()).then_some(line));
    }

    #[test]
    fn no_bytes_break_the_reader(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = unescaped(&raw);
    }
}

#[test]
fn the_file_of_the_former_name_is_taken_over_unless_a_database() {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).expect("a folder");
    let old = folder.0.join(OLD_FILE_NAME);
    fs::write(&old, "one\ntwo\n").expect("written");
    assert_eq!(folder.after(&["three"]), ["one", "two", "three"]);
    assert!(!old.exists());
    fs::write(&old, "not these\n").expect("written");
    assert_eq!(folder.open().1, ["one", "two", "three"]);
    fs::remove_file(folder.file()).expect("removed");
    fs::write(&old, b"SQLite format 3\0and more").expect("written");
    assert_eq!(folder.open().1, [""; 0]);
    assert!(old.exists(), "somebody keeps a history there");
}
