//! Export, import, check and vacuum.

use std::fs;
use std::io::Read;
use std::path::Path;

use glassline_journal::{Imported, Keep, StoreError, TransferError, open};
use glassline_wire::event::{AuditEntry, AuditKind, Event};
use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::limits::{EVENT_BYTES_MAX, TEXT_BYTES_MAX};
use glassline_wire::timestamp::Timestamp;
use glassline_wire::visible;

use crate::support::{check, export, import, vacuum, *};

fn lines_of(file: &Path) -> Vec<String> {
    let mut output = Vec::new();
    let exported = export(file, &mut output).expect("exports");
    assert!(exported.is_complete(), "{exported:?}");
    String::from_utf8(output).expect("UTF-8").lines().map(str::to_string).collect()
}

fn act(text: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_unix_ms(NOW_MS),
        by: "root".into(),
        act: AuditKind::Motd,
        who: None,
        until: None,
        text: Some(text.into()),
    }
}

/// Two rooms, an act, ids, an action and texts that JSON must escape.
fn scripted_store() -> Vec<Record> {
    let mut batch = vec![
        entry("lobby", "alice", "one \"two\"\n\t", Some(1), 1),
        entry("den", "bob", "eins 漢字", None, 2),
        Record::Audit(act("hello")),
        entry("lobby", "bob", "two", Some(1), 2),
        entry("lobby", "alice", "waves", None, 1),
    ];
    if let Record::Message(entry) = &mut batch[4] {
        entry.message.action = true;
    }
    batch
}

#[test]
fn an_export_beside_a_server_holds_all_and_can_be_imported() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let batch = scripted_store();
    store.append(&batch).expect("stores");
    let lines = lines_of(&folder.file());
    let wanted: Vec<Event> = [(0, 1), (3, 2), (4, 3), (1, 1)]
        .into_iter()
        .map(|(at, seq)| Event::Message(as_stored(&batch[at], seq)))
        .chain([Event::Act(act("hello"))])
        .collect();
    assert_eq!(lines[0], r#"{"type":"schema","version":1}"#);
    let found: Vec<Event> =
        lines[1..].iter().map(|line| Event::from_json(line.as_bytes()).expect("an event")).collect();
    assert_eq!(found, wanted);

    let other = folder.file().with_file_name("other.db");
    let text = lines.join("\n");
    let imported = import(&other, &mut text.as_bytes()).expect("imports");
    assert_eq!(imported, Imported { messages: 4, acts: 1, ..Imported::default() });
    assert_eq!(lines_of(&other), lines);
    assert!(check(&other).expect("a report").is_sound());
    let again = import(&other, &mut text.as_bytes()).expect("imports");
    assert_eq!(again, Imported { skipped: 5, ..Imported::default() });
    assert_eq!(lines_of(&other), lines);
    // What was imported is known by its sender's name.
    let mut store = open_kept(&other);
    let outcomes = store.append(&batch[..2]).expect("answers");
    assert_eq!(
        outcomes,
        [
            CommitOutcome::NotAppended(NotAppended::Again(Box::new(as_stored(&batch[0], 1)))),
            CommitOutcome::Stored { seq: 2 }
        ]
    );
    tend_to_the_end(store.as_mut());
    assert_eq!(texts(&search(store.reader().expect("a reader").as_mut(), "den", "漢字")), ["eins 漢字"; 2]);
}

#[test]
fn imports_keep_numbers_in_new_rooms_and_append_in_old_ones() {
    let folder = Folder::new();
    let line = |room: &str, seq: u64, text: &str| {
        format!(
            r#"{{"type":"message","room":"{room}","seq":{seq},"at":"2026-01-02T03:04:05.678Z","from":"a","text":"{text}"}}"#
        )
    };
    let schema = r#"{"type":"schema","version":1}"#.to_string();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "here before", None, 1)]).expect("stores");
    drop(store);
    // The den begins at 501 and misses 503.
    let text = [
        schema,
        line("den", 501, "a"),
        line("den", 502, "b"),
        String::new(),
        line("den", 504, "c"),
        line("lobby", 1, "d"),
    ]
    .join("\n");
    let imported = import(&folder.file(), &mut text.as_bytes()).expect("imports");
    assert_eq!(imported, Imported { messages: 4, renumbered: 2, ..Imported::default() });
    let mut store = open_kept(&folder.file());
    let mut reader = store.reader().expect("a reader");
    let den = reader.head("den", soon()).expect("a head");
    assert_eq!((den.oldest, den.newest), (501, 503));
    assert_eq!(reader.head("lobby", soon()).expect("a head").newest, 2);
    tend_to_the_end(store.as_mut());
    assert_eq!(store.append(&[entry("den", "a", "next", None, 0)]).expect("stores"), stored([504]));
    drop((reader, store));
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn an_import_leaves_out_what_its_sender_sent_before() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store
        .append(&[entry("lobby", "alice", "one", Some(7), 1), entry("lobby", "alice", "two", Some(8), 1)])
        .expect("stores");
    drop(store);
    let line = |room: &str, seq: u64, from: &str, id: u128| {
        format!(
            r#"{{"type":"message","room":"{room}","seq":{seq},"at":"2026-01-02T03:04:05.678Z","from":"{from}","text":"hi","id":"{id:032x}"}}"#
        )
    };
    let text = [
        r#"{"type":"schema","version":1}"#.to_string(),
        // Before, under another number; another sender's; and twice in the import itself.
        line("lobby", 5, "ALICE", 7),
        line("lobby", 6, "bob", 7),
        line("lobby", 7, "carol", 9),
        line("lobby", 8, "carol", 9),
        line("den", 1, "alice", 7),
        line("den", 2, "alice", 7),
    ]
    .join("\n");
    let imported = import(&folder.file(), &mut text.as_bytes()).expect("imports");
    assert_eq!(imported, Imported { messages: 3, renumbered: 2, skipped: 3, acts: 0 });
    // Its sender is known by name.
    let mut store = open_kept(&folder.file());
    let outcome = store.append(&[entry("lobby", "carol", "hi", Some(9), 5)]).expect("answers");
    assert!(
        matches!(&outcome[..], [CommitOutcome::NotAppended(NotAppended::Again(stored))] if stored.seq == Some(4)),
        "{outcome:?}"
    );
}

#[test]
fn a_wrong_line_is_named_and_nothing_is_imported() {
    let folder = Folder::new();
    let good = r#"{"type":"message","room":"lobby","seq":1,"at":"2026-01-02T03:04:05.678Z","from":"a","text":"hi"}"#;
    let schema = r#"{"type":"schema","version":1}"#;
    let act = r#"{"type":"act","at":"2026-01-02T03:04:05.678Z","by":"root","act":"ban","who":"mallory","text":"spam"}"#;
    let long = good.replace("hi", &"x".repeat(EVENT_BYTES_MAX));
    let almost = good.replace("hi", &"x".repeat(EVENT_BYTES_MAX - good.len() + 2));
    for (wrong, line, word) in [
        (String::new(), 1, "does not say"),
        (good.to_string(), 1, "does not say"),
        (schema.replace('1', "2"), 1, "does not say"),
        (format!("{schema}\n{good}\nnonsense\n"), 3, "no event"),
        (format!("{schema}\n{good}\n\n{{\"type\":\"pong\"}}"), 4, "does not hold"),
        (format!("{schema}\n{good}\n{}", good.replace("\"seq\":1,", "")), 3, "seq"),
        (format!("{schema}\n{good}\n{}", good.replace("\"seq\":1,", "\"seq\":0,")), 3, "seq"),
        (format!("{schema}\n{good}\n{}", good.replace("\"at\"", "\"when\"")), 3, "at"),
        (format!("{schema}\n{good}\n{}", good.replace("lobby", &"l".repeat(65))), 3, "room"),
        (format!("{schema}\n{good}\n{}", good.replace("lobby", "Den")), 3, "\"den\", in lower case"),
        (format!("{schema}\n{good}\n{}", good.replace("lobby", "a den")), 3, "U+0020"),
        (format!("{schema}\n{good}\n{}", good.replace("lobby", "/den")), 3, "begins with"),
        (format!("{schema}\n{good}\n{}", good.replace("lobby", &"l".repeat(33))), 3, "32 characters"),
        (format!("{schema}\n{good}\n{}", good.replace("\"a\"", "\"\"")), 3, "from"),
        (format!("{schema}\n{good}\n{}", good.replace("hi", "")), 3, "text"),
        (format!("{schema}\n{good}\n{}", good.replace("\"a\"", "\"*\"")), 3, "server's name"),
        (format!("{schema}\n{good}\n{}", good.replace("\"a\"", "\"a\\u001b[2J\"")), 3, "\"from\" with control"),
        (format!("{schema}\n{good}\n{}", good.replace("\"a\"", "\"a\\u202eb\"")), 3, "\"from\" with control"),
        (format!("{schema}\n{good}\n{}", good.replace("\"a\"", &format!("\"{}\"", "a".repeat(65)))), 3, "65 bytes"),
        (format!("{schema}\n{good}\n{}", good.replace("hi", "h\\u001bi")), 3, "\"text\" with control"),
        (format!("{schema}\n{good}\n{}", good.replace("hi", &"x".repeat(TEXT_BYTES_MAX + 1))), 3, "too long"),
        (format!("{schema}\n{good}\n{}", act.replace("root", "*")), 3, "server's name"),
        (format!("{schema}\n{good}\n{}", act.replace("root", "")), 3, "\"by\" of 0 bytes"),
        (format!("{schema}\n{good}\n{}", act.replace("root", "ro\\u202eot")), 3, "\"by\" with control"),
        (format!("{schema}\n{good}\n{}", act.replace("mallory", "*")), 3, "\"who\" \"*\""),
        (format!("{schema}\n{good}\n{}", act.replace("mallory", &"m".repeat(257))), 3, "257 bytes"),
        (format!("{schema}\n{good}\n{}", act.replace("spam", "s\\u0007")), 3, "\"text\" with control"),
        (format!("{schema}\n{good}\n{long}"), 3, "longer"),
        (format!("{schema}\n{good}\n{almost}"), 3, "too long"),
        (format!("{schema}\n{good}\n\u{feff}{good}"), 3, "no event"),
    ] {
        match import(&folder.file(), &mut wrong.as_bytes()) {
            Err(TransferError::Line { line: found, detail }) => {
                assert_eq!(found, line, "{detail}");
                assert!(detail.contains(word), "{detail:?} has no {word:?}");
            }
            other => panic!("a wrong line, not {other:?}"),
        }
        assert_eq!(folder.names(), [""; 0], "nothing is left behind");
    }
    // A stream without end is not read to its end.
    let endless = import(&folder.file(), &mut std::io::BufReader::new(std::io::repeat(b' ').take(u64::MAX)));
    assert!(matches!(endless, Err(TransferError::Line { line: 1, .. })), "{endless:?}");
}

#[test]
fn whatever_a_server_stores_can_be_imported() {
    let folder = Folder::new();
    // Each character was one byte when it was sent.
    let replaced = visible::relayed(&"\r".repeat(TEXT_BYTES_MAX)).into_owned();
    let banned = AuditEntry { act: AuditKind::Ban, who: Some("2001:db8::/32".into()), ..act("several\n\tlines") };
    let batch = [entry("lobby", "alice", &replaced, None, 1), Record::Audit(banned)];
    let mut store = open_kept(&folder.file());
    store.append(&batch).expect("stores");
    drop(store);
    let lines = lines_of(&folder.file());
    let other = folder.file().with_file_name("other.db");
    let imported = import(&other, &mut lines.join("\n").as_bytes()).expect("imports");
    assert_eq!(imported, Imported { messages: 1, acts: 1, ..Imported::default() });
    assert_eq!(lines_of(&other), lines);
}

#[test]
fn importing_into_an_open_file_and_checking_none_are_refused() {
    let folder = Folder::new();
    let store = open_kept(&folder.file());
    let import_into = || import(&folder.file(), &mut &b"{\"type\":\"schema\",\"version\":1}\n"[..]);
    assert!(matches!(import_into(), Err(TransferError::Store(StoreError::InUse(_)))));
    assert!(matches!(vacuum(&folder.file()), Err(StoreError::InUse(_))));
    assert!(check(&folder.file()).expect("a report").is_sound());
    drop(store);
    import_into().expect("imports nothing");
    let missing = folder.file().with_file_name("missing.db");
    assert!(matches!(check(&missing), Err(StoreError::CannotOpen { .. })));
    assert!(matches!(vacuum(&missing), Err(StoreError::CannotOpen { .. })));
    assert!(matches!(export(&missing, &mut Vec::new()), Err(TransferError::Store(StoreError::CannotOpen { .. }))));
    assert!(!missing.exists(), "nothing is made");
}

const PAGE_BYTES: usize = 4_096;

#[test]
fn a_damaged_file_is_exported_otherwise_and_check_reports_it() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let count = 5_000;
    let text = "x".repeat(200);
    store.append(&(0..count).map(|_| entry("lobby", "alice", &text, None, 1)).collect::<Vec<_>>()).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    let mut bytes = fs::read(folder.file()).expect("reads");
    // The page in the middle of the rows: one whose text is ours, not the first.
    let ours = pages_of_text(&bytes, b'x');
    let damaged = ours[ours.len() / 2];
    bytes[damaged * PAGE_BYTES..(damaged + 1) * PAGE_BYTES].fill(0xA5);
    fs::write(folder.file(), &bytes).expect("writes");
    let report = check(&folder.file()).expect("a report");
    assert!(!report.is_sound());
    let mut output = Vec::new();
    let exported = export(&folder.file(), &mut output).expect("exports");
    assert_eq!((exported.missing.len(), exported.doubts.len()), (1, 0), "{exported:?}");
    assert_eq!(exported.messages + exported.missing_messages(), count);
    assert!(exported.messages >= count - 40 && exported.messages < count, "{}", exported.messages);
    let lines = String::from_utf8(output).expect("UTF-8");
    assert_eq!(lines.lines().count() as u64, 1 + exported.messages);
    assert!(lines.lines().last().expect("a line").contains(&format!("\"seq\":{count}")), "the end is there");
}

#[test]
fn messages_behind_the_last_damage_are_exported_however_few() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let text = "x".repeat(200);
    store.append(&(0..1_000).map(|_| entry("lobby", "alice", &text, None, 1)).collect::<Vec<_>>()).expect("stores");
    store.append(&[entry("lobby", "alice", "the last words", None, 1)]).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    // The last pages of rows but one: their damage is longer than what is left behind it.
    let mut bytes = fs::read(folder.file()).expect("reads");
    let pages = pages_of_text(&bytes, b'x');
    for &damaged in &pages[pages.len() - 12..pages.len() - 1] {
        bytes[damaged * PAGE_BYTES..(damaged + 1) * PAGE_BYTES].fill(0xA5);
    }
    fs::write(folder.file(), &bytes).expect("writes");
    let mut output = Vec::new();
    let exported = export(&folder.file(), &mut output).expect("exports");
    assert_eq!((exported.missing.len(), exported.doubts.len()), (1, 0), "{exported:?}");
    assert_eq!(exported.messages + exported.missing_messages(), 1_001);
    let lines = String::from_utf8(output).expect("UTF-8");
    assert!(lines.contains("the last words"), "{exported:?}");
}

/// The file's pages, by number, that hold rows with a text of such characters.
fn pages_of_text(bytes: &[u8], character: u8) -> Vec<usize> {
    let has_text = |page: &[u8]| page.windows(100).any(|window| window.iter().all(|byte| *byte == character));
    let pages = bytes.chunks(PAGE_BYTES).enumerate();
    pages.filter(|(_, page)| page[0] == 13 && has_text(page)).map(|(number, _)| number).collect()
}

#[test]
fn vacuum_gives_back_what_forgetting_left() {
    let folder = Folder::new();
    let mut store = open(&folder.file(), Keep { days: Some(1), bytes: None }).expect("opens");
    let text = "some words that are said long ago ".repeat(20);
    store
        .append(&(0..3_000).map(|_| entry_at(1_000, "lobby", "alice", &text, None, 1)).collect::<Vec<_>>())
        .expect("stores");
    store.append(&[entry_at(u64::MAX, "lobby", "alice", "now", None, 1)]).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    let vacuumed = vacuum(&folder.file()).expect("vacuums");
    assert!(vacuumed.after_bytes * 10 < vacuumed.before_bytes, "{vacuumed:?}");
    assert_eq!(fs::metadata(folder.file()).expect("a file").len(), vacuumed.after_bytes);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
    let mut reader = open_kept(&folder.file()).reader().expect("a reader");
    assert_eq!(texts(&search(reader.as_mut(), "lobby", "now")), ["now"]);
}
