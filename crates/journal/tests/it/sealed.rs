//! Sealed messages (S7): stored as they came, exported, recognised when sent again, never found.

use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::request::HistoryRange;
use glassline_wire::sealed::SEALED_TEXT;

use crate::support::*;

fn sealed(sealed: &str, id: u128) -> Record {
    let mut record = entry("den", "alice", SEALED_TEXT, Some(id), 1);
    if let Record::Message(entry) = &mut record {
        entry.message.sealed = Some(sealed.to_string());
    }
    record
}

fn den() -> HistoryRange {
    HistoryRange { room: "den".to_string(), ..HistoryRange::default() }
}

#[test]
fn a_sealed_message_is_stored_as_it_came() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let batch = [sealed("AQAAword", 1), entry("den", "bob", "a word", None, 2)];
    assert_eq!(store.append(&batch).expect("stores"), stored([1, 2]));
    let kept = range(store.reader().expect("a reader").as_mut(), &den());
    assert_eq!(kept.messages, [as_stored(&batch[0], 1), as_stored(&batch[1], 2)]);

    let again = store.append(&[sealed("AQAAword", 1), sealed("AQAAxxxx", 1)]).expect("answers");
    let expected = NotAppended::Again(Box::new(as_stored(&batch[0], 1)));
    assert_eq!(again, [CommitOutcome::NotAppended(expected), CommitOutcome::NotAppended(NotAppended::IdReused)]);
}

#[test]
fn a_room_knows_whether_its_newest_message_is_sealed() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let mut newest_is_sealed = |batch: &[Record]| {
        store.append(batch).expect("stores");
        store.reader().expect("a reader").head("den", soon()).expect("a head").newest_is_sealed
    };
    assert_eq!(newest_is_sealed(&[]), None);
    assert_eq!(newest_is_sealed(&[entry("den", "bob", "hi", None, 1)]), Some(false));
    assert_eq!(newest_is_sealed(&[sealed("AQAAword", 1)]), Some(true));
    assert_eq!(newest_is_sealed(&[entry("lobby", "bob", "hi", None, 2)]), Some(true));
    assert_eq!(newest_is_sealed(&[entry("den", "bob", "hi", None, 3)]), Some(false));
}

#[test]
fn a_sealed_message_is_never_found() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[sealed("AQAAword", 1), entry("den", "bob", "a word", None, 2)]).expect("stores");
    for is_indexed in [false, true] {
        if is_indexed {
            tend_to_the_end(store.as_mut());
        }
        let mut reader = store.reader().expect("a reader");
        for query in ["word", "wo", "sealed message", "AQAA", "["] {
            let expected: &[u64] = if query.starts_with('w') { &[2] } else { &[] };
            assert_eq!(seqs(&search(reader.as_mut(), "den", query)), expected, "{query}, indexed: {is_indexed}");
        }
    }
    drop(store);
    assert!(check(&folder.file()).expect("checks").is_sound());
}

#[test]
fn a_sealed_message_survives_export_and_import() {
    let (from, to) = (Folder::new(), Folder::new());
    let mut store = open_kept(&from.file());
    store.append(&[sealed("AQAAword", 1)]).expect("stores");
    drop(store);
    let mut exported = Vec::new();
    export(&from.file(), &mut exported).expect("exports");
    import(&to.file(), &mut exported.as_slice()).expect("imports");
    let store = open_kept(&to.file());
    let kept = range(store.reader().expect("a reader").as_mut(), &den());
    assert_eq!(kept.messages, [as_stored(&sealed("AQAAword", 1), 1)]);

    let changed = String::from_utf8(exported).expect("text").replace(SEALED_TEXT, "readable");
    let elsewhere = Folder::new();
    assert!(import(&elsewhere.file(), &mut changed.as_bytes()).is_err(), "a text that would be lost");
}
