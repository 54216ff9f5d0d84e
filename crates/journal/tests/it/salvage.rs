//! Export of damaged files: it ends, and each number is exported once or reported missing once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use glassline_journal::{
    Exported, Keep, ProgressMonitor, Stage, StoreError, TransferError, check as check_monitored,
    export as export_monitored, open,
};
use glassline_wire::event::{AuditEntry, AuditKind, Event};
use glassline_wire::history::Record;
use glassline_wire::timestamp::Timestamp;

use crate::support::*;

const PAGE_BYTES: usize = 4_096;
/// Numbers that each room must have: of the den the first 40 were removed by retention.
const ROOMS: [(&str, u64, u64); 2] = [("lobby", 1, 200), ("den", 41, 120)];
const ACTS: u64 = 60;
const DAMAGES: u64 = 900;
/// One in so many files is checked as well; every kind of damage has its turn.
const CHECKED: u64 = 5;
/// Changes the damages; each is printed when it fails.
const SEED: u64 = 20_261_129;

/// Text of a message: one in thirty is on pages of its own.
fn text(room: &str, seq: u64) -> String {
    let long = if seq.is_multiple_of(30) { 5_000 } else { 120 };
    format!("{room} {seq:05} {}", "y".repeat(long))
}

/// Writes the history that is damaged then, and returns its bytes.
fn sound(file: &Path) -> Vec<u8> {
    let mut store = open(file, Keep { days: Some(1), bytes: None }).expect("opens");
    for (room, first, last) in ROOMS {
        let at = |seq| if seq < first { 1_000 } else { u64::MAX };
        let batch: Vec<Record> = (1..=last)
            .map(|seq| entry_at(at(seq), room, "alice", &text(room, seq), Some(u128::from(seq) << 7), 1))
            .collect();
        store.append(&batch).expect("stores");
    }
    let act = |number: u64| AuditEntry {
        at: Timestamp::from_unix_ms(NOW_MS),
        by: "root".into(),
        act: AuditKind::Motd,
        who: None,
        until: None,
        text: Some(format!("act {number:03} {}", "z".repeat(100))),
    };
    store.append(&(1..=ACTS).map(|number| Record::Audit(act(number))).collect::<Vec<_>>()).expect("stores");
    tend_to_the_end(store.as_mut());
    drop(store);
    fs::read(file).expect("reads")
}

/// Damage done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    Bits,
    Zeroed,
    Noise,
    Copied,
    Swapped,
    Cut,
    CellPointer,
    PagePointer,
    PageHeader,
}

const KINDS: [Damage; 9] = [
    Damage::Bits,
    Damage::Zeroed,
    Damage::Noise,
    Damage::Copied,
    Damage::Swapped,
    Damage::Cut,
    Damage::CellPointer,
    Damage::PagePointer,
    Damage::PageHeader,
];

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        let pages = bytes.len() / PAGE_BYTES;
        let mut page = || rng.below(pages as u64) as usize * PAGE_BYTES;
        let (one, other) = (page(), page());
        // The first page begins with the header of the file.
        let start = if one == 0 { 100 } else { one };
        match self {
            Self::Bits => {
                for _ in 0..=rng.below(8) {
                    let at = rng.below(bytes.len() as u64) as usize;
                    bytes[at] ^= 1 << rng.below(8);
                }
            }
            Self::Zeroed => bytes[start..one + PAGE_BYTES].fill(0),
            Self::Noise => bytes[start..one + PAGE_BYTES].fill_with(|| rng.next_u64() as u8),
            Self::Copied => bytes.copy_within(other..other + PAGE_BYTES, one.max(PAGE_BYTES)),
            Self::Swapped => {
                for at in 0..PAGE_BYTES {
                    bytes.swap(one.max(PAGE_BYTES) + at, other.max(PAGE_BYTES) + at);
                }
            }
            Self::Cut => bytes.truncate(PAGE_BYTES + rng.below((bytes.len() - PAGE_BYTES) as u64) as usize),
            Self::CellPointer | Self::PagePointer => {
                let kinds: &[u8] = if self == Self::CellPointer { &[2, 5, 10, 13] } else { &[2, 5] };
                let all: Vec<usize> =
                    (1..pages).map(|page| page * PAGE_BYTES).filter(|&page| kinds.contains(&bytes[page])).collect();
                let page = all[rng.below(all.len() as u64) as usize];
                let is_inner = matches!(bytes[page], 2 | 5);
                let cells = u64::from(u16::from_be_bytes([bytes[page + 3], bytes[page + 4]])).max(1);
                let pointer = page + if is_inner { 12 } else { 8 } + 2 * rng.below(cells) as usize;
                if self == Self::CellPointer {
                    bytes[pointer + rng.below(2) as usize] ^= 1 << rng.below(8);
                } else {
                    // To any page, this one and those above it too.
                    let cell = page + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
                    let at = if rng.below(4) == 0 { page + 8 } else { cell };
                    let to = 1 + rng.below(pages as u64) as u32;
                    bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
                }
            }
            Self::PageHeader => bytes[start + rng.below(12) as usize] ^= 1 << rng.below(8),
        }
    }
}

/// Ends an export that takes more calls than one of a file of this size may.
#[derive(Default)]
struct Fuse(AtomicU64);

const CALLS_MAX: u64 = 500;

impl ProgressMonitor for Fuse {
    fn begin(&self, _: Stage, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn is_cancelled(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) > CALLS_MAX
    }
}

/// Numbers exported, by room.
type Numbers = BTreeMap<String, BTreeSet<u64>>;

/// Reads what was exported. The messages of a room must ascend.
fn numbers_of(output: &[u8]) -> Numbers {
    let mut numbers = Numbers::new();
    for line in str::from_utf8(output).expect("UTF-8").lines().skip(1) {
        if let Event::Message(message) = Event::from_json(line.as_bytes()).expect("an event") {
            let seq = message.seq.expect("a number");
            // Each row is verified: a text that is exported is the one that was stored.
            if ROOMS.iter().any(|(room, ..)| *room == message.room) {
                assert!(message.text == text(&message.room, seq), "{}: {seq}", message.room);
            }
            let room = numbers.entry(message.room).or_default();
            assert!(room.last().is_none_or(|last| *last < seq), "{seq} is out of order");
            room.insert(seq);
        }
    }
    numbers
}

/// Verifies that each number is exported or reported, and none both or twice. Returns whether the
/// export was certain which numbers there are.
fn verify(mut numbers: Numbers, exported: &Exported) -> bool {
    assert_eq!(numbers.values().map(|room| room.len() as u64).sum::<u64>(), exported.messages);
    // Ranges are not opened: a damaged number may claim that there are very many.
    for (room, range) in &exported.missing {
        let there = numbers.entry(room.clone()).or_default();
        assert!(there.range(range.clone()).next().is_none(), "{room}: {range:?} is exported too");
    }
    for pair in exported.missing.windows(2) {
        assert!(pair[0].0 != pair[1].0 || pair[0].1.end() + 1 < *pair[1].1.start(), "{pair:?}");
    }
    let is_certain = exported.doubts.is_empty();
    if is_certain {
        assert!(numbers.keys().eq(["den", "lobby"]), "{numbers:?}");
        // Only the acts themselves show which was the last.
        assert!(exported.acts <= ACTS, "{}", exported.acts);
        for (room, first, last) in ROOMS {
            let missing = exported.missing.iter().filter(|(name, _)| name == room);
            let mut all: Vec<u64> = missing.flat_map(|(_, range)| range.clone()).collect();
            all.extend(&numbers[room]);
            all.sort_unstable();
            assert_eq!(all, (first..=last).collect::<Vec<_>>(), "{room}");
        }
    }
    is_certain
}

#[test]
fn of_900_damaged_files_each_number_is_exported_or_missing() {
    let folder = Folder::new();
    let whole = sound(&folder.file());
    let (mut certain, mut refused, mut complete) = (0, 0, 0);
    for number in 0..DAMAGES {
        let mut rng = Rng::new(SEED.wrapping_add(number));
        let damage = KINDS[number as usize % KINDS.len()];
        let mut bytes = whole.clone();
        damage.apply(&mut bytes, &mut rng);
        fs::write(folder.file(), &bytes).expect("writes");
        println!("seed {SEED}, damage {number}: {damage:?}");
        if number.is_multiple_of(CHECKED) {
            let monitor: Arc<dyn ProgressMonitor> = Arc::new(Fuse::default());
            let checked = check_monitored(&folder.file(), &monitor);
            assert!(!matches!(checked, Err(StoreError::Cancelled)), "the check does not end");
        }
        let mut output = Vec::new();
        let monitor: Arc<dyn ProgressMonitor> = Arc::new(Fuse::default());
        match export_monitored(&folder.file(), &mut output, &monitor) {
            Ok(exported) => {
                let is_certain = verify(numbers_of(&output), &exported);
                certain += u64::from(is_certain);
                complete += u64::from(exported.is_complete());
                if !is_certain {
                    println!("{:?}", exported.doubts);
                }
            }
            // Its header or its list of tables.
            Err(TransferError::Store(error)) => {
                refused += 1;
                println!("{error}");
                assert!(!matches!(error, StoreError::Cancelled), "it does not end");
            }
            Err(error) => panic!("{error}"),
        }
    }
    println!("{certain} certain, {complete} of them complete, {refused} refused");
    assert!(certain * 4 > DAMAGES * 3, "{certain} of {DAMAGES} exports know which numbers there are");
    assert!(refused * 20 < DAMAGES, "{refused} of {DAMAGES} files are refused");
    assert!((100..700).contains(&complete), "{complete} files have no damage that matters: too few or too many");
}

/// Place of a message of the first room, which is the lobby.
fn of_lobby(seq: u64) -> u64 {
    (1 << 40) | seq
}

#[test]
fn contradictory_numbers_are_reported_and_bounded() {
    let folder = Folder::new();
    let whole = sound(&folder.file());
    let far = (1_u64 << 38) + 5;
    let lobby = (1..=200).collect::<Vec<u64>>();
    for (sql, is_doubted, exported_of_lobby) in [
        (format!("UPDATE room SET newest = {} WHERE id = 1", 1_u64 << 39), true, 200),
        ("UPDATE room SET newest = 88 WHERE id = 1".to_string(), true, 200),
        ("UPDATE room SET newest = 230 WHERE id = 1".to_string(), true, 200),
        ("UPDATE room SET oldest = 9 WHERE id = 2".to_string(), true, 200),
        ("UPDATE room SET oldest = 100 WHERE id = 1".to_string(), true, 200),
        ("DELETE FROM room WHERE id = 1".to_string(), true, 200),
        ("UPDATE room SET name = 'Lobby' || char(27) WHERE id = 1".to_string(), true, 200),
        (format!("UPDATE message SET place = place + {far} WHERE place = {}", of_lobby(57)), false, 199),
        (format!("UPDATE message SET place = place + (4000 << 40) WHERE place = {}", of_lobby(57)), true, 199),
        (format!("DELETE FROM message WHERE place BETWEEN {} AND {}", of_lobby(11), of_lobby(190)), false, 20),
        (format!("UPDATE act SET number = {far} WHERE number = {ACTS}"), true, 200),
        ("UPDATE act SET number = -7 WHERE number = 30".to_string(), true, 200),
    ] {
        fs::write(folder.file(), &whole).expect("writes");
        let db = rusqlite::Connection::open(folder.file()).expect("opens");
        db.execute_batch(&sql).expect(&sql);
        drop(db);
        let mut output = Vec::new();
        let monitor: Arc<dyn ProgressMonitor> = Arc::new(Fuse::default());
        let exported = export_monitored(&folder.file(), &mut output, &monitor).expect(&sql);
        let numbers = numbers_of(&output);
        verify(numbers.clone(), &exported);
        assert_eq!(!exported.doubts.is_empty(), is_doubted, "{sql}: {:?}", exported.doubts);
        // Under whatever name, nothing that can be read is lost.
        let room = if numbers.contains_key("lobby") { "lobby" } else { "room-1" };
        assert_eq!(numbers[room].len(), exported_of_lobby, "{sql}");
        let of_room = exported.missing.iter().filter(|(name, _)| name == room);
        let missing: u64 = of_room.map(|(_, range)| range.end() + 1 - range.start()).sum();
        assert!(numbers[room].iter().all(|seq| lobby.contains(seq)), "{sql}");
        assert!(numbers[room].len() as u64 + missing >= 200 && missing < 250, "{sql}: {missing} missing");
    }
}
