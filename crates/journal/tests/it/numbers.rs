//! Numbers, order and repeats (E4): outcomes of an append, and what is stored afterwards.

use crate::support::*;
use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::request::HistoryRange;

#[test]
fn each_room_counts_from_one_in_the_order_of_the_batch() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let batch = [
        entry("lobby", "alice", "one", Some(1), 1),
        entry("den", "bob", "eins", None, 2),
        entry("lobby", "bob", "two", Some(2), 2),
        entry("lobby", "alice", "three", None, 1),
    ];
    assert_eq!(store.append(&batch).expect("stores"), stored([1, 1, 2, 3]));
    assert_eq!(store.append(&[]).expect("stores nothing"), []);
    let mut reader = store.reader().expect("a reader");
    assert_eq!(reader.head("lobby", soon()).expect("a head"), numbers(1, 3));
    assert_eq!(reader.head("den", soon()).expect("a head"), numbers(1, 1));
    assert_eq!(reader.head("attic", soon()).expect("a head"), numbers(1, 0));
    let page = range(reader.as_mut(), &HistoryRange { room: "lobby".into(), ..HistoryRange::default() });
    assert_eq!(page.messages, [as_stored(&batch[0], 1), as_stored(&batch[2], 2), as_stored(&batch[3], 3)]);
    assert!(!page.more);
    drop((store, reader));
    let mut store = open_kept(&folder.file());
    assert_eq!(store.append(&batch[1..2]).expect("goes on"), stored([2]));
}

#[test]
fn only_the_same_author_or_name_makes_a_repeat() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let first = entry("lobby", "Alice", "hi", Some(7), 5);
    let again = CommitOutcome::NotAppended(NotAppended::Again(Box::new(as_stored(&first, 1))));
    assert_eq!(store.append(std::slice::from_ref(&first)).expect("stores"), stored([1]));
    for reopened in [false, true] {
        if reopened {
            drop(store);
            store = open_kept(&folder.file());
        }
        for (record, wanted) in [
            (entry("lobby", "Alice", "hi", Some(7), 5), again.clone()),
            // Renamed, and come back under the name with another number.
            (entry("lobby", "carol", "hi", Some(7), 5), again.clone()),
            (entry("lobby", "aLICE", "hi", Some(7), 9), again.clone()),
            (entry("lobby", "alice", "hi", Some(7), 0), again.clone()),
            (entry("lobby", "Alice", "ho", Some(7), 5), CommitOutcome::NotAppended(NotAppended::IdReused)),
        ] {
            assert_eq!(store.append(&[record]).expect("answers"), [wanted]);
        }
    }
    // Another room, another person, nobody's number, another id: none of them is a repeat.
    let others = [
        entry("den", "Alice", "hi", Some(7), 5),
        entry("lobby", "bob", "hi", Some(7), 6),
        entry("lobby", "dora", "hi", Some(7), 0),
        entry("lobby", "erik", "hi", Some(7), 0),
        entry("lobby", "Alice", "hi", Some(8), 5),
        entry("lobby", "Alice", "hi", None, 5),
        entry("lobby", "Alice", "hi", None, 5),
    ];
    assert_eq!(store.append(&others).expect("stores"), stored([1, 2, 3, 4, 5, 6, 7]));
}

#[test]
fn a_repeat_is_seen_in_its_batch_and_an_action_is_not_a_text() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let first = entry("lobby", "alice", "waves", Some(1), 1);
    let mut action = first.clone();
    if let glassline_wire::history::Record::Message(entry) = &mut action {
        entry.message.action = true;
    }
    let batch = [first.clone(), first.clone(), action, entry("lobby", "alice", "next", Some(2), 1)];
    let again = CommitOutcome::NotAppended(NotAppended::Again(Box::new(as_stored(&first, 1))));
    let wanted = [
        CommitOutcome::Stored { seq: 1 },
        again,
        CommitOutcome::NotAppended(NotAppended::IdReused),
        CommitOutcome::Stored { seq: 2 },
    ];
    assert_eq!(store.append(&batch).expect("answers"), wanted);
}

#[test]
fn acts_are_kept_in_their_order() {
    use glassline_wire::event::{AuditEntry, AuditKind};
    use glassline_wire::timestamp::Timestamp;
    let folder = Folder::new();
    let act = |text: &str| AuditEntry {
        at: Timestamp::from_unix_ms(NOW_MS),
        by: "root".into(),
        act: AuditKind::Motd,
        who: None,
        until: None,
        text: Some(text.into()),
    };
    let mut store = open_kept(&folder.file());
    let acts: Vec<_> = ["a", "\0\"", "漢字"].map(act).into();
    let batch: Vec<Record> = acts.iter().cloned().map(Record::Audit).collect();
    assert_eq!(store.append(&batch).expect("stores"), stored([0, 0, 0]));
    drop(store);
    let mut found = Vec::new();
    open_kept(&folder.file()).acts(&mut |act| found.push(act)).expect("reads");
    assert_eq!(found, acts);
}

#[test]
fn an_id_that_many_others_use_is_still_each_senders_own() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let own = entry("lobby", "alice", "hi", Some(7), 1);
    store.append(std::slice::from_ref(&own)).expect("stores");
    let copies: Vec<_> =
        (0..1_500).map(|number| entry("lobby", &format!("copier{number}"), "hi", Some(7), 100 + number)).collect();
    assert_eq!(store.append(&copies).expect("answers"), stored(2..=1_501));
    for reopened in [false, true] {
        if reopened {
            drop(store);
            store = open_kept(&folder.file());
        }
        for (record, seq) in [(&own, 1), (&copies[0], 2), (&copies[1_499], 1_501)] {
            let again = CommitOutcome::NotAppended(NotAppended::Again(Box::new(as_stored(record, seq))));
            assert_eq!(store.append(std::slice::from_ref(record)).expect("answers"), [again]);
        }
    }
    assert_eq!(store.append(&[entry("den", "alice", "hi", Some(7), 1)]).expect("stores"), stored([1]));
}

#[test]
fn while_all_ids_are_kept_no_number_is_too_late() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let first = entry_after(0, "lobby", "alice", "hi", 1, 1);
    assert_eq!(store.append(std::slice::from_ref(&first)).expect("stores"), stored([1]));
    let fill: Vec<_> = (0..50).map(|_| entry("lobby", "bob", "hi", None, 2)).collect();
    store.append(&fill).expect("stores");
    drop(store);
    let mut store = open_kept(&folder.file());
    assert_eq!(
        store.append(std::slice::from_ref(&first)).expect("answers"),
        [CommitOutcome::NotAppended(NotAppended::Again(Box::new(as_stored(&first, 1))))]
    );
    for (id, after, seq) in [(2, 0, 52), (3, 51, 53), (4, u64::MAX, 54)] {
        let said = entry_after(after, "lobby", "alice", "hi", id, 1);
        assert_eq!(store.append(&[said]).expect("stores"), stored([seq]));
    }
}
