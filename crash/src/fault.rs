//! Faults that can be found, one variant for each cause.

use std::time::Duration;

/// A guarantee that the server broke, or a reason why this is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("lost: {what} number {seq} in {room}, seen by {by}{}, is not stored; the newest stored is {newest}", if *.acknowledged { ", acknowledged to its sender" } else { "" })]
    Lost {
        what: String,
        room: String,
        seq: u64,
        by: String,
        /// `true` if its sender knows that it was taken.
        acknowledged: bool,
        newest: u64,
    },
    #[error("lost: {what}, seen by {by}, is not stored")]
    LostUnnumbered { what: String, by: String },
    #[error("lost: {by} has {room} up to {seq}, but after the restart its newest is {newest}")]
    WentBack { by: String, room: String, seq: u64, newest: u64 },
    #[error("doubled: {what} has the numbers {first} and {second} in {room} (the second seen by {by})")]
    Doubled { what: String, room: String, first: u64, second: u64, by: String },
    #[error("doubled: {by} was sent number {seq} of {room} again; it had everything up to {last}")]
    SeenTwice { by: String, room: String, seq: u64, last: u64 },
    #[error("hole: {by} got number {seq} of {room} next, after {last}")]
    Hole { by: String, room: String, seq: u64, last: u64 },
    #[error("phantom: {by} was shown number {seq} of {room} from {from:?}, which nobody said: {text:?}")]
    Phantom {
        by: String,
        room: String,
        /// Its number; 0 if it had none.
        seq: u64,
        from: String,
        text: String,
    },
    #[error("changed: number {seq} of {room} is {now} to {by}, and was {before}")]
    Changed { room: String, seq: u64, by: String, now: String, before: String },
    /// One sender's messages are not in the order in which they were sent, or one is left out.
    #[error("reordered: {what} is stored as number {seq} of {room}, where {expected} was due")]
    Reordered { what: String, room: String, seq: u64, expected: String },
    /// A gap was announced, where there is a history.
    #[error("gap: {by} was told that it misses {room} from {from} to {to}, which are stored")]
    Gap { by: String, room: String, from: u64, to: u64 },
    #[error("refused: {by} was told {answer}")]
    Refused { by: String, answer: String },
    /// A repeated `send` was refused as `too_late`, though its message is among those whose ids are
    /// kept.
    #[error(
        "too late: {by} said again {what}, behind which at most {behind} messages are stored, and was told that nobody can tell"
    )]
    TooLate {
        by: String,
        what: String,
        /// Messages after it, at most.
        behind: u64,
    },
    #[error("stray: {by} got an answer to nothing it asked: {answer}")]
    Stray { by: String, answer: String },
    #[error("malformed: {by} got {what}")]
    Malformed { by: String, what: String },
    #[error("closed: the server went away from {by} by itself ({detail})")]
    Closed { by: String, detail: String },
    #[error("hang: {who} waits for {what} for more than {limit_s} s")]
    Hang { who: String, what: String, limit_s: u64 },
    #[error("no start: {0}")]
    NoStart(String),
    /// Report of the program about its own file.
    #[error("history {command}: {detail}")]
    History {
        /// `check` or `export`.
        command: &'static str,
        detail: String,
    },
    /// The harness itself cannot continue; not a fault of the server.
    #[error("the harness cannot go on: {0}")]
    Harness(#[from] std::io::Error),
}

impl Fault {
    pub(crate) fn hang(who: &str, what: impl Into<String>, limit: Duration) -> Self {
        Self::Hang { who: who.to_owned(), what: what.into(), limit_s: limit.as_secs() }
    }

    pub(crate) fn malformed(by: &str, what: impl Into<String>) -> Self {
        Self::Malformed { by: by.to_owned(), what: what.into() }
    }
}
