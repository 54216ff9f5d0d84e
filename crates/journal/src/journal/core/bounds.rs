//! Bounds of what waits in a journal.

/// Records that may wait or be in the middle of being committed, before [`Journal::is_full`](crate::Journal::is_full).
pub const WAITING_RECORDS_MAX: usize = 8_192;

/// Bytes of them, likewise.
pub const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Heads and pages that may wait.
pub const WAITING_QUESTIONS_MAX: usize = 4_096;

/// Searches that may wait: in all, of one subnet, of one requester.
pub const WAITING_SEARCHES_MAX: usize = 1_024;
/// See [`WAITING_SEARCHES_MAX`].
pub const WAITING_SEARCHES_OF_SUBNET_MAX: usize = 256;
/// See [`WAITING_SEARCHES_MAX`].
pub const WAITING_SEARCHES_OF_REQUESTER_MAX: usize = 16;

/// Bounds of a journal that its owner may set.
#[derive(Debug, Clone, Copy)]
pub struct JournalBounds {
    /// Records of one commit: with the bytes of a group, some tens of milliseconds of work.
    pub group_records: usize,
    /// See [`WAITING_RECORDS_MAX`].
    pub waiting_records: usize,
    /// See [`WAITING_QUESTIONS_MAX`].
    pub waiting_questions: usize,
}

impl Default for JournalBounds {
    fn default() -> Self {
        Self { group_records: 4_096, waiting_records: WAITING_RECORDS_MAX, waiting_questions: WAITING_QUESTIONS_MAX }
    }
}
