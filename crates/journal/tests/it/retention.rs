//! Forgetting by age and by size. Numbers go on, whatever goes.

use glassline_journal::{Head, Keep, Record, Store, check, open};
use glassline_wire::request::HistoryRange;

use crate::support::*;

const DAY_MS: u64 = 86_400_000;

fn now_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

fn head(store: &dyn Store, room: &str) -> Head {
    store.reader().expect("a reader").head(room, soon()).expect("a head")
}

#[test]
fn what_is_too_old_goes_up_to_the_first_that_is_not() {
    let folder = Folder::new();
    let keep = Keep { days: Some(7), bytes: None };
    let mut store = open(&folder.file(), keep).expect("opens");
    let now = now_ms();
    let aged =
        |days: u64, room: &str| entry_at(now - days * DAY_MS, room, "alice", "some words", Some(u128::from(days)), 1);
    let mut batch: Vec<Record> =
        (0..700).map(|_| entry_at(now - 9 * DAY_MS, "lobby", "alice", "some words", None, 1)).collect();
    // The clock was set back: the old one behind a young one stays.
    batch.extend([aged(8, "lobby"), aged(1, "lobby"), aged(30, "lobby"), aged(0, "lobby")]);
    batch.extend([aged(10, "den"), aged(9, "den"), aged(6, "attic"), aged(8, "attic")]);
    store.append(&batch).expect("stores");
    tend_to_the_end(store.as_mut());
    assert_eq!(head(store.as_ref(), "lobby"), Head { oldest: 702, newest: 704 });
    assert_eq!(head(store.as_ref(), "den"), Head { oldest: 3, newest: 2 }, "nothing left, nothing forgotten");
    assert_eq!(head(store.as_ref(), "attic"), Head { oldest: 1, newest: 2 });
    let mut reader = store.reader().expect("a reader");
    assert_eq!(seqs(&search(reader.as_mut(), "lobby", "some words")), [702, 703, 704]);
    assert_eq!(seqs(&search(reader.as_mut(), "lobby", "so")), [702, 703, 704]);
    let page =
        range(reader.as_mut(), &HistoryRange { room: "lobby".into(), after: Some(5), ..HistoryRange::default() });
    assert_eq!((seqs(&page), page.more), (vec![702, 703, 704], false));
    assert!(
        range(reader.as_mut(), &HistoryRange { room: "den".into(), ..HistoryRange::default() }).messages.is_empty()
    );
    drop((reader, store));
    let mut store = open(&folder.file(), keep).expect("opens");
    let more = [aged(0, "den"), aged(1, "den")];
    assert_eq!(store.append(&more).expect("stores"), stored([3, 4]));
    assert_eq!(head(store.as_ref(), "den"), Head { oldest: 3, newest: 4 });
    // What is forgotten is not known any more.
    assert_eq!(store.append(&[aged(8, "lobby")]).expect("stores"), stored([705]));
    tend_to_the_end(store.as_mut());
    drop(store);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn a_file_that_is_too_large_loses_the_oldest_of_all_rooms_and_keeps_about_what_it_may() {
    let folder = Folder::new();
    let bytes = 3 * 1024 * 1024;
    let mut store = open(&folder.file(), Keep { days: None, bytes: Some(bytes) }).expect("opens");
    let mut seeded = Seeded(7);
    let mut at_ms = NOW_MS;
    let mut said: u64 = 0;
    for round in 0..60 {
        let batch: Vec<Record> = (0..500)
            .map(|_| {
                said += 1;
                at_ms += 1_000;
                let text = format!("{:x} {:x} words that are said {:x}", seeded.next(), seeded.next(), seeded.next());
                // The den falls silent.
                let room = if round < 30 && said.is_multiple_of(2) { "den" } else { "lobby" };
                entry_at(at_ms, room, "alice", &text, Some(seeded.id().0), 1)
            })
            .collect();
        store.append(&batch).expect("stores");
        tend_to_the_end(store.as_mut());
        let used = store.sizes().used_bytes;
        assert!(used <= bytes, "round {round}: {used}");
        if round > 20 {
            assert!(used > bytes / 2, "round {round}: only {used} left");
        }
    }
    let (den, lobby) = (head(store.as_ref(), "den"), head(store.as_ref(), "lobby"));
    assert_eq!(den, Head { oldest: 7_501, newest: 7_500 }, "all of the den is older than what the lobby has");
    assert_eq!(lobby.newest, 22_500);
    assert!(lobby.oldest > 10_000 && lobby.oldest < lobby.newest - 2_000, "{lobby:?}");
    drop(store);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}
