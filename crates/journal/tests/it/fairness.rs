//! Removal by size is fair: what one address may displace, whatever it writes and wherever.

use std::fmt::Write as _;

use glassline_journal::{Exported, Keep, Store, open};
use glassline_wire::history::{CommitOutcome, Head, NotAppended, Record};
use glassline_wire::request::{HistoryRange, Search};
use rusqlite::Connection;

use crate::support::{check, export, *};

const KEEP_BYTES: u64 = 3 * 1024 * 1024;

/// Subnets of the honest are below it.
const ATTACKER: u128 = 1_000;

/// Names that the attacker uses at a time, and rooms it opens.
const NAMES: u64 = 64;
const ROOMS: u64 = 1_000;

struct Server {
    folder: Folder,
    store: Box<dyn Store>,
    rng: Rng,
    said: u64,
}

impl Server {
    fn open() -> Self {
        let folder = Folder::new();
        let store = open(&folder.file(), Keep { days: None, bytes: Some(KEEP_BYTES) }).expect("opens");
        Self { folder, store, rng: Rng::new(17), said: 0 }
    }

    fn message(&mut self, subnet: u128, room: &str, from: &str, bytes: usize) -> Record {
        self.said += 1;
        let mut text = String::new();
        while text.len() < bytes {
            let _ = write!(text, "{:x} ", self.rng.next_u64());
        }
        text.truncate(bytes.max(1));
        let Record::Message(mut entry) = entry_at(NOW_MS + self.said, room, from, &text, None, 1) else {
            unreachable!("a message")
        };
        entry.subnet = subnet;
        Record::Message(entry)
    }

    fn store(&mut self, batch: &[Record]) {
        self.store.append(batch).expect("stores");
        tend_to_the_end(self.store.as_mut());
        let used = self.store.sizes().used_bytes;
        assert!(used <= KEEP_BYTES, "{used} bytes in use");
    }

    /// Members of so many subnets send to a room, in messages of some 200 bytes.
    fn talk(&mut self, room: &str, subnets: u64, messages: u64) {
        for _ in 0..messages / 500 {
            let batch: Vec<Record> = (0..500)
                .map(|_| {
                    let person = self.rng.below(40);
                    let bytes = 100 + self.rng.below(200) as usize;
                    self.message(u128::from(1 + person % subnets), room, &format!("person-{person}"), bytes)
                })
                .collect();
            self.store(&batch);
        }
    }

    /// An attacker sends so many bytes, in rooms of its own or in `lobby_share` of 10 messages in
    /// the lobby.
    fn flood(&mut self, subnet: u128, total: usize, bytes: usize, lobby_share: u64) {
        let per_batch = (128 * 1024 / (bytes + 64)).max(16);
        let mut left = total;
        while left > 0 {
            let batch: Vec<Record> = (0..per_batch)
                .map(|number| {
                    let name = format!("attacker-{}", self.rng.below(NAMES));
                    let room = format!("mine-{}", self.rng.below(ROOMS));
                    let room = if (number as u64 % 10) < lobby_share { "lobby" } else { room.as_str() };
                    self.message(subnet, room, &name, bytes)
                })
                .collect();
            left = left.saturating_sub(per_batch * (bytes + 64));
            self.store(&batch);
        }
    }

    /// Bytes of the members' messages in a room that can still be read.
    fn honest_bytes(&self, room: &str) -> usize {
        let mut reader = self.store.reader().expect("a reader");
        let (mut bytes, mut after) = (0, 0);
        loop {
            let asked = HistoryRange { room: room.into(), after: Some(after), ..HistoryRange::default() };
            let page = range(reader.as_mut(), &asked);
            let honest = page.messages.iter().filter(|message| message.from.starts_with("person"));
            bytes += honest.map(|message| message.text.len()).sum::<usize>();
            after = page.messages.last().and_then(|message| message.seq).unwrap_or(after);
            if !page.more || page.messages.is_empty() {
                return bytes;
            }
        }
    }

    fn head(&self, room: &str) -> Head {
        self.store.reader().expect("a reader").head(room, soon()).expect("a head")
    }

    /// Nothing is wrong with the file, and the shares are what counting afresh would find.
    fn close(self) {
        let Self { folder, store, .. } = self;
        drop(store);
        assert_eq!(check(&folder.file()).expect("a report").faults, Vec::<String>::new());
    }
}

/// Fills the lobby up to the bound, has an attacker flood, and compares what is left with what
/// there was.
fn displaces_at_most_half(what: &str, subnets: u64, flood: impl FnOnce(&mut Server)) {
    let mut server = Server::open();
    server.talk("lobby", subnets, 6_000);
    let (before, head) = (server.honest_bytes("lobby"), server.head("lobby"));
    assert!(head.oldest > 100, "it is full: {head:?}");
    flood(&mut server);
    let after = server.honest_bytes("lobby");
    println!("{what}: {after} of {before} bytes");
    assert!(after * 2 >= before, "{what}: {after} of {before} bytes are left");
    assert!(server.head("lobby").newest >= head.newest, "numbers go on");
    server.close();
}

#[test]
fn rooms_of_an_attacker_displace_half_of_the_lobby_at_most() {
    for (what, bytes) in [("large", 8_000), ("middling", 700), ("small", 40)] {
        displaces_at_most_half(what, 8, |server| server.flood(ATTACKER, 1 << 20, bytes, 0));
    }
}

#[test]
fn so_do_rooms_of_somebody_behind_the_same_address() {
    displaces_at_most_half("one address", 1, |server| server.flood(1, 1 << 20, 700, 0));
}

#[test]
fn an_attacker_in_the_lobby_displaces_half_at_most() {
    displaces_at_most_half("lobby only", 8, |server| server.flood(ATTACKER, 1 << 20, 700, 10));
    displaces_at_most_half("lobby and rooms", 8, |server| server.flood(ATTACKER, 1 << 20, 700, 5));
    displaces_at_most_half("lobby, then rooms", 8, |server| {
        server.flood(ATTACKER, 1 << 19, 300, 10);
        server.flood(ATTACKER, 1 << 19, 3_000, 0);
    });
    displaces_at_most_half("rooms, then lobby", 8, |server| {
        server.flood(ATTACKER, 1 << 19, 3_000, 0);
        server.flood(ATTACKER, 1 << 19, 300, 10);
    });
}

#[test]
fn messages_of_an_attacker_make_room_for_members() {
    let mut alone = Server::open();
    alone.talk("lobby", 8, 6_000);
    let without = alone.honest_bytes("lobby");
    let mut server = Server::open();
    server.flood(ATTACKER, 1 << 20, 700, 3);
    server.talk("lobby", 8, 6_000);
    server.flood(ATTACKER, 1 << 20, 700, 3);
    let with = server.honest_bytes("lobby");
    assert!(with * 2 >= without, "{with} bytes, {without} without the attacker");
    server.close();
}

#[test]
fn other_rooms_keep_half_too_and_a_small_one_all() {
    let mut server = Server::open();
    server.talk("lobby", 8, 3_000);
    server.talk("den", 3, 3_000);
    server.talk("attic", 2, 500);
    let before = ["lobby", "den", "attic"].map(|room| server.honest_bytes(room));
    server.flood(ATTACKER, 1 << 20, 700, 2);
    let after = ["lobby", "den", "attic"].map(|room| server.honest_bytes(room));
    println!("{after:?} of {before:?}");
    assert!(after[0] * 2 >= before[0] && after[1] * 2 >= before[1], "{after:?} of {before:?}");
    assert_eq!(after[2], before[2], "nothing of what is small beside the attacker goes");
    server.close();
}

#[test]
fn talkers_are_equal_whoever_opened_the_room() {
    // The attacker opens the den before the others come, then fills rooms of its own: all are its
    // account's.
    let mut server = Server::open();
    let opening = server.message(ATTACKER, "den", "attacker-1", 10);
    server.store(&[opening]);
    server.talk("den", 8, 4_000);
    keeps_half(server, "mine");
}

#[test]
fn talk_in_rooms_of_another_displaces_half_of_its_largest() {
    let mut server = Server::open();
    for number in 0..15 {
        let opening = server.message(1, &format!("hers-{number}"), "person-0", 10);
        server.store(&[opening]);
    }
    server.talk("den", 1, 4_000);
    keeps_half(server, "hers");
}

/// The attacker writes into 15 rooms, and half of the members' messages in the den stays.
fn keeps_half(mut server: Server, rooms: &str) {
    let before = server.honest_bytes("den");
    for round in 0..20 {
        let batch: Vec<Record> = (0..300)
            .map(|number| server.message(ATTACKER, &format!("{rooms}-{}", (round + number) % 15), "attacker-1", 700))
            .collect();
        server.store(&batch);
    }
    let after = server.honest_bytes("den");
    println!("{rooms}: {after} of {before} bytes");
    assert!(after * 2 >= before, "{rooms}: {after} of {before} bytes are left");
    server.close();
}

#[test]
fn empty_rooms_displace_nothing_however_many_are_opened() {
    let mut server = Server::open();
    server.talk("lobby", 8, 2_000);
    let before = server.honest_bytes("lobby");
    // A message in a room each: its row of some 120 bytes stays when the message goes.
    let (mut opened, mut refused) = (0_u64, 0_u64);
    for round in 0..60 {
        let batch: Vec<Record> = (0..1_000)
            .map(|number| server.message(ATTACKER, &format!("left-{}", round * 1_000 + number), "attacker-1", 1))
            .collect();
        let outcomes = server.store.append(&batch).expect("stores");
        refused +=
            outcomes.iter().filter(|outcome| **outcome == CommitOutcome::NotAppended(NotAppended::NoMoreRooms)).count()
                as u64;
        opened += outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Stored { seq: 1 }).count() as u64;
        tend_to_the_end(server.store.as_mut());
    }
    assert_eq!((opened, refused), (KEEP_BYTES / 2_048, 60_000 - KEEP_BYTES / 2_048));
    assert_eq!(server.honest_bytes("lobby"), before, "nothing of the lobby goes for rooms");
    // What is there can be spoken in, another may open a room, and a restart changes nothing.
    let file = server.folder.file();
    drop(server.store);
    server.store = open(&file, Keep { days: None, bytes: Some(KEEP_BYTES) }).expect("opens");
    let [known, new, others] = [(ATTACKER, "left-1"), (ATTACKER, "left-new"), (1, "left-new")]
        .map(|(subnet, room)| server.message(subnet, room, "anybody", 5));
    let outcomes = server.store.append(&[known, new, others]).expect("stores");
    assert_eq!(
        outcomes,
        [
            CommitOutcome::Stored { seq: 2 },
            CommitOutcome::NotAppended(NotAppended::NoMoreRooms),
            CommitOutcome::Stored { seq: 1 }
        ]
    );
    tend_to_the_end(server.store.as_mut());
    server.close();
}

#[test]
fn numbers_between_what_is_kept_are_not_given_again() {
    let mut server = Server::open();
    server.talk("lobby", 8, 2_000);
    server.flood(ATTACKER, 2 << 20, 700, 10);
    let head = server.head("lobby");
    assert!(head.oldest < 2_000, "people's messages stand before the attacker's: {head:?}");
    let mut reader = server.store.reader().expect("a reader");
    let page =
        range(reader.as_mut(), &HistoryRange { room: "lobby".into(), after: Some(1_990), ..HistoryRange::default() });
    let found = seqs(&page);
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "in order");
    assert!(found[0] > 1_990 && found[found.len() - 1] - found[0] > found.len() as u64, "some are gone: {found:?}");
    // What is gone is not found either.
    let asked = Search { room: "lobby".into(), query: "a".into(), before: Some(found[20]), limit: Some(5) };
    assert!(seqs(&reader.search(&asked, soon()).expect("a page")).iter().all(|seq| *seq < found[20]));
    drop(reader);
    let file = server.folder.file();
    drop(server.store);
    server.store = open(&file, Keep { days: None, bytes: Some(KEEP_BYTES) }).expect("opens again");
    let last = server.message(3, "lobby", "person-3", 100);
    assert_eq!(server.store.append(&[last]).expect("stores"), stored([head.newest + 1]));
    server.close();
}

#[test]
fn removed_messages_are_distinguished_from_lost_ones() {
    let mut server = Server::open();
    server.talk("lobby", 8, 2_000);
    server.flood(ATTACKER, 2 << 20, 700, 10);
    let Server { folder, store, .. } = server;
    let mut reader = store.reader().expect("a reader");
    let asked = HistoryRange { room: "lobby".into(), after: Some(1_990), ..HistoryRange::default() };
    let kept = seqs(&range(reader.as_mut(), &asked));
    let removed = (kept[0]..kept[40]).find(|seq| !kept.contains(seq)).expect("the attacker outweighs the others");
    drop((reader, store));
    let exported = || -> Exported { export(&folder.file(), &mut Vec::new()).expect("exports") };
    let sound = exported();
    assert!(sound.is_complete(), "{sound:?}");
    assert_eq!(sound.messages, check(&folder.file()).expect("a report").messages);
    let change = |sql: &str| {
        let db = Connection::open(folder.file()).expect("opens");
        assert_eq!(db.execute(sql, []).expect("changes"), 1, "{sql}");
    };
    let (lost, damaged) = (kept[10], kept[30]);
    change(&format!("DELETE FROM message WHERE place = 1 << 40 | {lost}"));
    change(&format!("UPDATE message SET origin = origin + 1 WHERE place = 1 << 40 | {damaged}"));
    let missing = [lost, damaged].map(|seq| ("lobby".to_string(), seq..=seq)).to_vec();
    let found = exported();
    assert_eq!((found.missing, found.doubts), (missing, Vec::new()), "and nothing that was removed");
    let faults = check(&folder.file()).expect("a report").faults;
    let wanted = [format!("number {damaged} is not"), "1 of its messages are not stored".to_string()];
    assert!(wanted.iter().all(|wanted| faults.iter().any(|fault| fault.contains(wanted))), "{faults:?}");
    // Where nothing has it any more, it could be any of them.
    change(&format!("DELETE FROM message_text WHERE rowid = 1 << 40 | {lost}"));
    let found = exported();
    let reported = |seq| found.missing.iter().any(|(_, range)| range.contains(&seq));
    assert!(reported(lost) && reported(damaged) && reported(removed), "{:?}", found.missing);
    assert!(
        found.doubts.iter().any(|doubt| doubt.contains("removed by retention, unknown which")),
        "{:?}",
        found.doubts
    );
}
