//! Interface of an engine. Calls block until they are done; [`crate::Journal`] makes them on
//! threads of its own.

use std::any::Any;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use glassline_wire::event::AuditEntry;
use glassline_wire::history::{CommitOutcome, Head, NotAppended, Page, Record};
use glassline_wire::request::{HistoryRange, Search};
use glassline_wire::visible::one_line;

/// Store that keeps rooms as numbered logs.
pub trait Store: Send {
    /// Stores the records in their order, all or nothing, and returns once they survive a crash:
    /// one outcome for each, in the same order.
    ///
    /// # Errors
    /// Nothing of the batch was stored, except after a fatal error ([`StoreError::is_fatal`]): then
    /// the result is unknown, and the store must no longer be used.
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError>;

    /// Returns the outcomes of those records that were stored before, or may have been, in the same
    /// order, and nothing for new ones. Stores nothing: for when [`Store::append`] fails, so that
    /// no stored message is reported as not stored.
    ///
    /// # Errors
    /// They cannot be looked up.
    fn find_duplicates(&mut self, batch: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError>;

    /// Does what may follow a commit (search index, retention, checkpoints) for about `budget`, in
    /// steps of some milliseconds. Returns whether there is more to do.
    ///
    /// # Errors
    /// As [`Store::append`].
    fn maintain(&mut self, budget: Duration) -> Result<bool, StoreError>;

    /// Opens the store a second time, to read it on another thread.
    ///
    /// # Errors
    /// The store cannot be opened a second time.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;

    /// Messages stored but not in the search index yet, in all rooms.
    fn index_lag(&self) -> u64;

    /// Returns the space that it takes.
    fn sizes(&self) -> Sizes {
        Sizes::default()
    }

    /// Returns, once for each time, why the search index was discarded: it was damaged, and is
    /// built again from the messages. The disk may be failing. Until it is built, searches take
    /// longer.
    fn take_index_rebuild(&mut self) -> Option<String> {
        None
    }

    /// Returns, once for each, damage that was found and does not end the store.
    fn take_damage(&mut self) -> Option<Damage> {
        None
    }

    /// Passes every audit entry that was ever stored to `take`, oldest first.
    ///
    /// # Errors
    /// They cannot be read, or one is damaged: without it others would be banned than operators
    /// decided.
    fn acts(&mut self, take: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError>;
}

/// Reads what is stored. A call that has passed its deadline ends with [`StoreError::TooSlow`], at
/// the next row at the latest.
pub trait Reader: Send {
    /// Returns which numbers a room has; a room that never had a message has none.
    ///
    /// # Errors
    /// It cannot be read.
    fn head(&mut self, room: &str, deadline: Instant) -> Result<Head, StoreError>;

    /// Reads a page of a room (E8): the latest messages, those before a number, after one (with
    /// both: from `after` on), or around one.
    ///
    /// # Errors
    /// It cannot be read.
    fn range(&mut self, range: &HistoryRange, deadline: Instant) -> Result<Page, StoreError>;

    /// Finds the newest messages of a room that contain a text, in any case.
    ///
    /// # Errors
    /// It cannot be read.
    fn search(&mut self, search: &Search, deadline: Instant) -> Result<Page, StoreError> {
        let mut progress = SearchProgress::default();
        loop {
            if let Some(page) = self.search_slice(search, &mut progress, deadline, deadline)? {
                return Ok(page);
            }
        }
    }

    /// Returns, once, damage because of which the last answer lacks messages.
    fn take_damage(&mut self) -> Option<Damage> {
        None
    }

    /// Continues a search until about `slice_end`, and holds nothing of the store between calls.
    /// `progress` is new at the first call. Returns nothing if there is more to do; after the
    /// deadline, the messages found until then. A store that cannot pause searches until it is
    /// done.
    ///
    /// # Errors
    /// As [`Reader::search`].
    fn search_slice(
        &mut self,
        search: &Search,
        progress: &mut SearchProgress,
        slice_end: Instant,
        deadline: Instant,
    ) -> Result<Option<Page>, StoreError>;
}

/// Damage of a part of the history; the rest can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Messages are not as they were stored, and are left out of answers.
    #[error(
        "{count} messages of room {:?} from number {first} to {last} are not as they were stored and are left out; look after the \
         disk, run `glassline history check`, and restore a copy if there is one",
        one_line(room)
    )]
    Messages {
        /// Their room.
        room: String,
        /// The lowest of their numbers.
        first: u64,
        /// The highest.
        last: u64,
        /// Messages left out.
        count: u64,
    },
    /// Commits of the write-ahead log follow a damaged part of it and cannot be read.
    #[error("{0}")]
    Log(String),
}

/// State of a search between two slices, private to the store.
#[derive(Default)]
pub struct SearchProgress(Option<Box<dyn Any + Send>>);

impl SearchProgress {
    /// Returns the store's state, which the first call creates.
    pub(crate) fn state<T: Default + Send + 'static>(&mut self) -> &mut T {
        if !self.0.as_ref().is_some_and(|state| state.is::<T>()) {
            self.0 = Some(Box::new(T::default()));
        }
        match self.0.as_mut().and_then(|state| state.downcast_mut()) {
            Some(state) => state,
            None => unreachable!("it was made a line above"),
        }
    }
}

/// Space that a store takes, as far as it is known cheaply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes in use in the file, which `--keep-bytes` bounds.
    pub used_bytes: u64,
    /// Length of the write-ahead log.
    pub log_bytes: u64,
}

/// Why a store does not do what it was asked, one variant for each cause.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another Glassline has it open: a server, or a command that writes to it.
    #[error("another Glassline server, or a `glassline history` command, has {} open; give this one a file of its own with --history FILE, or --history none", .0.display())]
    InUse(PathBuf),
    /// A program that is no Glassline server holds a lock on it.
    #[error("another program, and no Glassline server, has locked {path}; `fuser {path}` or `lsof {path}` names it on most systems: end it, then start again, or use another file with --history FILE, or none with --history none", path = .0.display())]
    Locked(PathBuf),
    /// The operation was cancelled by its requester.
    #[error("interrupted; the history is as it was")]
    Cancelled,
    /// It was written by a newer program.
    #[error("{} has schema {found}, this program knows up to {known}; use the newer Glassline that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// It is a file of something else.
    #[error("{} is no Glassline history; name another file with --history FILE", .0.display())]
    NotAHistory(PathBuf),
    /// Its content contradicts itself.
    #[error("{} is damaged ({detail}); put it aside and restore a copy, or take what can be read with `glassline history export`", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Description of the error.
        detail: String,
    },
    /// It may not be written.
    #[error("{} cannot be written; give this user the right to write it and its folder, name another with --history FILE, or keep none with --history none", .0.display())]
    ReadOnly(PathBuf),
    /// A file of it was moved or deleted while it was open.
    #[error("{} was moved or deleted under this server, which stores nothing until the same file is back; move it back, or start the server again with what there is", .0.display())]
    NotInPlace(PathBuf),
    /// It has other names (hard links), by which another server could open it too.
    #[error(
        "{} is one file with {links} names (hard links); two servers that open it by different names destroy it, so remove the other \
         names (`find FOLDER -samefile {}` lists them), or copy it and name the copy",
        path.display(),
        path.display()
    )]
    HardLinked {
        /// The name that was given.
        path: PathBuf,
        /// Names it has.
        links: u64,
    },
    /// It cannot be opened.
    #[error("cannot open {}: {detail}; name another file with --history FILE, or keep none with --history none", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        detail: String,
    },
    /// The disk is full, or what the user may have of it.
    #[error(
        "the disk is full, or a quota on it is used up; free some space, and keep less with --keep-days or --keep-bytes if it fills again"
    )]
    Full,
    /// There is no number left, for another room or for another message in one.
    #[error("{0}; speak in a room that there is, or begin a new history with --history FILE")]
    UsedUp(String),
    /// The system failed to write or to sync: what is on the disk is unknown.
    #[error("the history cannot be written ({0}); look after the disk, then start again")]
    WriteFailed(String),
    /// It cannot be read.
    #[error("the history cannot be read ({0}); look after the disk")]
    ReadFailed(String),
    /// All of what was asked for is damaged; the rest of the store can be used.
    #[error("{0}")]
    Damaged(Damage),
    /// A bug in this program.
    #[error("the history stopped ({0}): this is a fault of Glassline; start it again, and report what its log says")]
    Panicked(String),
    /// The deadline passed.
    #[error("this took too long; ask for less")]
    TooSlow,
}

impl StoreError {
    /// Returns whether the store must no longer be used, because its content is unknown.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::WriteFailed(_) | Self::Corrupt { .. } | Self::Panicked(_))
    }
}
