//! Removal by age and by size. Numbers continue, whatever is removed.

use glassline_journal::{Keep, Store, open};
use glassline_wire::history::{Head, Record};
use glassline_wire::request::HistoryRange;

use crate::support::{check, *};

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
    assert_eq!(head(store.as_ref(), "lobby"), numbers(702, 704));
    assert_eq!(head(store.as_ref(), "den"), numbers(3, 2), "nothing left, nothing forgotten");
    assert_eq!(head(store.as_ref(), "attic"), numbers(1, 2));
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
    assert_eq!(head(store.as_ref(), "den"), numbers(3, 4));
    // Removed messages are no longer known.
    assert_eq!(store.append(&[aged(8, "lobby")]).expect("stores"), stored([705]));
    tend_to_the_end(store.as_mut());
    drop(store);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn a_file_that_is_too_large_loses_of_the_heaviest_rooms() {
    let folder = Folder::new();
    let bytes = 3 * 1024 * 1024;
    let mut store = open(&folder.file(), Keep { days: None, bytes: Some(bytes) }).expect("opens");
    let mut rng = Rng::new(7);
    let mut at_ms = NOW_MS;
    let mut said: u64 = 0;
    for round in 0..60 {
        let batch: Vec<Record> = (0..500)
            .map(|_| {
                said += 1;
                at_ms += 1_000;
                let text =
                    format!("{:x} {:x} words that are said {:x}", rng.next_u64(), rng.next_u64(), rng.next_u64());
                // The den falls silent.
                let room = if round < 30 && said.is_multiple_of(2) { "den" } else { "lobby" };
                entry_at(at_ms, room, "alice", &text, Some(rng.next_u128()), 1)
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
    assert_eq!((den.newest, lobby.newest), (7_500, 22_500));
    let kept = |head: Head| head.newest + 1 - head.oldest;
    // Three to two, in steps of some hundreds.
    assert!(kept(den) * 11 / 10 < kept(lobby) && kept(lobby) < kept(den) * 2, "{den:?}, {lobby:?}");
    assert!(kept(den) > 2_000, "{den:?}");
    drop(store);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn a_first_message_from_the_future_keeps_nothing_behind_it() {
    let folder = Folder::new();
    let mut store = open(&folder.file(), Keep { days: Some(7), bytes: None }).expect("opens");
    let now = now_ms();
    let at = |at_ms: u64, room: &str| entry_at(at_ms, room, "alice", "some words", None, 1);
    let in_years = now + 3_000 * DAY_MS;
    let mut batch = Vec::new();
    // As many rooms as are not looked at at once, and one that is later than all of them.
    for room in (0..40).map(|number| format!("room{number}")).chain(["lobby".to_string()]) {
        let ahead = if room == "lobby" { 500 } else { 3 };
        batch.extend((0..ahead).map(|number| at(in_years + number, &room)));
        batch.extend((0..400).map(|_| at(now - 9 * DAY_MS, &room)));
        // One in the midst goes with those before it, or behind; what is young stays, and what is behind it.
        batch.extend([at(in_years, &room), at(now - 8 * DAY_MS, &room), at(now - DAY_MS, &room), at(in_years, &room)]);
    }
    // Nobody knows how old these are.
    batch.extend([at(in_years, "attic"), at(in_years, "attic")]);
    // Not old enough, and not wrong enough.
    batch.extend([at(in_years, "den"), at(now - 6 * DAY_MS, "den"), at(now + 600_000, "cellar"), at(now, "cellar")]);
    store.append(&batch).expect("stores");
    for _ in 0..8 {
        tend_to_the_end(store.as_mut());
    }
    assert_eq!(head(store.as_ref(), "lobby"), numbers(903, 904));
    for number in 0..40 {
        assert_eq!(head(store.as_ref(), &format!("room{number}")), numbers(406, 407), "room{number}");
    }
    for room in ["attic", "den", "cellar"] {
        assert_eq!(head(store.as_ref(), room), numbers(1, 2), "{room}");
    }
    drop(store);
    assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
}

#[test]
fn future_stamps_keep_nothing_where_the_file_is_too_large() {
    let folder = Folder::new();
    let bytes = 2 * 1024 * 1024;
    let mut store = open(&folder.file(), Keep { days: None, bytes: Some(bytes) }).expect("opens");
    let mut rng = Rng::new(11);
    let mut at_ms = now_ms() - 30 * DAY_MS;
    let mut say = |room: &str, count: u64, ahead: bool| -> Vec<Record> {
        (0..count)
            .map(|number| {
                at_ms += 1_000;
                let at_ms = if ahead && number == 0 { at_ms + 9_000 * DAY_MS } else { at_ms };
                entry_at(at_ms, room, "alice", &format!("{:x} {:x}", rng.next_u64(), rng.next_u64()), None, 1)
            })
            .collect()
    };
    store.append(&say("old", 12_000, true)).expect("stores");
    let new = say("new", 12_000, false);
    for some in new.chunks(1_000) {
        store.append(some).expect("stores");
        tend_to_the_end(store.as_mut());
    }
    assert!(store.sizes().used_bytes <= bytes);
    let (old, new) = (head(store.as_ref(), "old"), head(store.as_ref(), "new"));
    let kept = |head: Head| head.newest + 1 - head.oldest;
    assert!(old.oldest > 1 && kept(old) * 3 / 4 < kept(new) && kept(new) * 3 / 4 < kept(old), "{old:?}, {new:?}");
}

/// Bounds the excess size of a file that is written to without a pause, with one maintenance step
/// for so many messages.
#[test]
fn load_that_never_pauses_does_not_get_past_the_bound() {
    let folder = Folder::new();
    let bytes = 4 * 1024 * 1024;
    let mut store = open(&folder.file(), Keep { days: None, bytes: Some(bytes) }).expect("opens");
    let mut rng = Rng::new(5);
    let (mut largest, mut said) = (0, 0);
    let mut say = || -> Vec<Record> {
        (0..250)
            .map(|_| {
                said += 1;
                let text =
                    format!("{:x} {:x} words that are said {:x}", rng.next_u64(), rng.next_u64(), rng.next_u64());
                entry_at(NOW_MS + said, "lobby", "alice", &text, Some(rng.next_u128()), 1)
            })
            .collect()
    };
    // Once it is full, with all of it indexed, there is no quiet any more.
    while store.sizes().used_bytes < bytes * 9 / 10 {
        store.append(&say()).expect("stores");
        tend_to_the_end(store.as_mut());
    }
    for round in 0..600 {
        store.append(&say()).expect("stores");
        if round % 8 == 7 {
            store.maintain(std::time::Duration::ZERO).expect("tends");
        }
        largest = largest.max(store.sizes().used_bytes);
    }
    assert!(largest < bytes * 5 / 4, "{largest} of {bytes} bytes");
    let oldest = head(store.as_ref(), "lobby").oldest;
    assert!(oldest > 100_000, "{oldest}");
    tend_to_the_end(store.as_mut());
    let used = store.sizes().used_bytes;
    // What the index had of the forgotten goes only now.
    assert!(used <= bytes && used > bytes / 2, "{used} of {bytes} bytes: no more is forgotten than must be");
}
