//! Support of the tests: a folder that goes away, messages, a reader's question with a deadline.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use glassline_journal::{Entry, Keep, Outcome, Page, Reader, Record, Requester, Store, open};
use glassline_wire::event::Message;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{HistoryRange, Search};
use glassline_wire::timestamp::Timestamp;

/// A folder of one test, gone behind it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("glassline-journal-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("history.db")
    }

    /// Names of all files in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.0).expect("a folder");
        let mut names: Vec<String> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// For tests in which all questions are one requester's.
pub(crate) const SOMEBODY: Requester = Requester { subnet: 1, number: 1 };

pub(crate) const NOW_MS: u64 = 1_790_000_000_000;

pub(crate) fn open_kept(file: &Path) -> Box<dyn Store> {
    open(file, Keep::default()).expect("opens")
}

pub(crate) fn entry(room: &str, from: &str, text: &str, id: Option<u128>, author: u64) -> Record {
    entry_at(NOW_MS, room, from, text, id, author)
}

pub(crate) fn entry_at(at_ms: u64, room: &str, from: &str, text: &str, id: Option<u128>, author: u64) -> Record {
    Record::Message(Entry {
        message: Message {
            room: room.to_string(),
            seq: None,
            at: Some(Timestamp::from_unix_ms(at_ms)),
            from: from.to_string(),
            text: text.to_string(),
            action: false,
            id: id.map(MessageId),
            reference: None,
        },
        author,
        after: None,
        subnet: 1,
    })
}

/// As [`entry`], by a client that knew this number when it first sent it.
pub(crate) fn entry_after(after: u64, room: &str, from: &str, text: &str, id: u128, author: u64) -> Record {
    let mut record = entry(room, from, text, Some(id), author);
    if let Record::Message(entry) = &mut record {
        entry.after = Some(after);
    }
    record
}

pub(crate) fn stored(seqs: impl IntoIterator<Item = u64>) -> Vec<Outcome> {
    seqs.into_iter().map(|seq| Outcome::Stored { seq }).collect()
}

/// The message of a record as it is stored under a number.
pub(crate) fn as_stored(record: &Record, seq: u64) -> Message {
    let Record::Message(entry) = record else { panic!("a message") };
    Message { seq: Some(seq), ..entry.message.clone() }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub(crate) fn tend_to_the_end(store: &mut dyn Store) {
    let deadline = soon();
    while store.tend(Duration::from_millis(50)).expect("tends") {
        assert!(Instant::now() < deadline, "tending does not end");
    }
}

pub(crate) fn range(reader: &mut dyn Reader, range: &HistoryRange) -> Page {
    reader.range(range, soon()).expect("a page")
}

pub(crate) fn search(reader: &mut dyn Reader, room: &str, query: &str) -> Page {
    let search = Search { room: room.to_string(), query: query.to_string(), before: None, limit: None };
    reader.search(&search, soon()).expect("a page")
}

pub(crate) fn seqs(page: &Page) -> Vec<u64> {
    page.messages.iter().map(|message| message.seq.expect("a number")).collect()
}

pub(crate) fn texts(page: &Page) -> Vec<&str> {
    page.messages.iter().map(|message| message.text.as_str()).collect()
}
/// splitmix64: small, and the same everywhere.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn id(&mut self) -> MessageId {
        MessageId((u128::from(self.next()) << 64) | u128::from(self.next()))
    }
}
