//! Support of the tests: messages, a folder with a history, a reader's question with a deadline.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassline_journal::{
    Exported, Imported, Keep, ProgressMonitor, Reader, Report, Requester, Store, StoreError, TransferError, Vacuumed,
    open,
};
pub(crate) use glassline_testkit::{Folder, Rng};
use glassline_wire::event::Message;
use glassline_wire::history::{CommitOutcome, Head, NewMessage, Page, PendingRecord, Record, Ticket};
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{HistoryRange, Search};
use glassline_wire::timestamp::Timestamp;

/// A folder with a history.
pub(crate) trait HistoryFile {
    /// Path of the history.
    fn file(&self) -> PathBuf;
}

impl HistoryFile for Folder {
    fn file(&self) -> PathBuf {
        self.join("history.db")
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
    Record::Message(NewMessage {
        message: Message {
            room: room.to_string(),
            seq: None,
            at: Some(Timestamp::from_unix_ms(at_ms)),
            from: from.to_string(),
            text: text.to_string(),
            action: false,
            id: id.map(MessageId),
            sealed: None,
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

pub(crate) fn stored(seqs: impl IntoIterator<Item = u64>) -> Vec<CommitOutcome> {
    seqs.into_iter().map(|seq| CommitOutcome::Stored { seq }).collect()
}

/// The message of a record as it is stored under a number.
pub(crate) fn as_stored(record: &Record, seq: u64) -> Message {
    let Record::Message(entry) = record else { panic!("a message") };
    Message { seq: Some(seq), ..entry.message.clone() }
}

/// Records under their tickets.
pub(crate) fn pending(records: impl IntoIterator<Item = (Ticket, Record)>) -> Vec<PendingRecord> {
    records.into_iter().map(|(ticket, record)| PendingRecord { ticket, record }).collect()
}

/// Numbers of a room without sealed messages.
pub(crate) fn numbers(oldest: u64, newest: u64) -> Head {
    Head { oldest, newest, newest_is_sealed: (oldest <= newest).then_some(false) }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub(crate) fn tend_to_the_end(store: &mut dyn Store) {
    let deadline = soon();
    while store.maintain(Duration::from_millis(50)).expect("tends") {
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

fn unmonitored() -> Arc<dyn ProgressMonitor> {
    Arc::new(())
}

pub(crate) fn check(file: &Path) -> Result<Report, StoreError> {
    glassline_journal::check(file, &unmonitored())
}

pub(crate) fn export(file: &Path, output: &mut dyn Write) -> Result<Exported, TransferError> {
    glassline_journal::export(file, output, &unmonitored())
}

pub(crate) fn import(file: &Path, lines: &mut dyn BufRead) -> Result<Imported, TransferError> {
    glassline_journal::import(file, lines, &())
}

pub(crate) fn vacuum(file: &Path) -> Result<Vacuumed, StoreError> {
    glassline_journal::vacuum(file, &unmonitored())
}
