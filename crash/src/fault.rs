//! Faults that can be found, one variant for each cause.

/// A promise that the server broke, or a reason why nobody can tell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Somebody saw it, and it is not stored.
    #[error("lost: {what} number {seq} in {room}, seen by {by}{}, is not stored; the newest stored is {newest}", if *.acknowledged { ", acknowledged to its sender" } else { "" })]
    Lost {
        /// The message.
        what: String,
        /// Room of the message.
        room: String,
        /// Its number.
        seq: u64,
        /// Client that saw it first.
        by: String,
        /// `true` if its sender knows that it was taken.
        acknowledged: bool,
        /// The newest number that is stored.
        newest: u64,
    },
    /// A tutorial member saw it, without a number, and it is not stored.
    #[error("lost: {what}, seen by {by}, is not stored")]
    LostUnnumbered {
        /// The message.
        what: String,
        /// Client that saw it.
        by: String,
    },
    /// A room's newest number went back.
    #[error("lost: {by} has {room} up to {seq}, but after the restart its newest is {newest}")]
    WentBack {
        /// Client that had seen more.
        by: String,
        /// Room of the message.
        room: String,
        /// Up to where it was seen.
        seq: u64,
        /// Newest number that the server reports.
        newest: u64,
    },
    /// One message has two numbers.
    #[error("doubled: {what} has the numbers {first} and {second} in {room} (the second seen by {by})")]
    Doubled {
        /// The message.
        what: String,
        /// Room of both messages.
        room: String,
        /// The number seen first.
        first: u64,
        /// The other.
        second: u64,
        /// Client that saw the second.
        by: String,
    },
    /// Somebody was sent the same message again.
    #[error("doubled: {by} was sent number {seq} of {room} again; it had everything up to {last}")]
    SeenTwice {
        /// Client that saw it.
        by: String,
        /// Room of the number.
        room: String,
        /// The number.
        seq: u64,
        /// The newest it had.
        last: u64,
    },
    /// A number is missing.
    #[error("hole: {by} got number {seq} of {room} next, after {last}")]
    Hole {
        /// Client that noticed.
        by: String,
        /// Room of the number.
        room: String,
        /// The number that came.
        seq: u64,
        /// The number before it.
        last: u64,
    },
    /// Nobody said it.
    #[error("phantom: {by} was shown number {seq} of {room} from {from:?}, which nobody said: {text:?}")]
    Phantom {
        /// Client that was shown it.
        by: String,
        /// Room of the message.
        room: String,
        /// Its number; 0 if it had none.
        seq: u64,
        /// Author that the message claims.
        from: String,
        /// Its first characters.
        text: String,
    },
    /// Two saw different things in one place.
    #[error("changed: number {seq} of {room} is {now} to {by}, and was {before}")]
    Changed {
        /// Room of the message.
        room: String,
        /// Its number.
        seq: u64,
        /// Client that saw it now.
        by: String,
        /// Present content of the message.
        now: String,
        /// Earlier content of the message.
        before: String,
    },
    /// One sender's messages are not in the order in which they were said, or one is left out.
    #[error("reordered: {what} is stored as number {seq} of {room}, where {expected} was due")]
    Reordered {
        /// The message.
        what: String,
        /// Room of the message.
        room: String,
        /// Its number.
        seq: u64,
        /// Message that was due.
        expected: String,
    },
    /// A gap was announced, where there is a history.
    #[error("gap: {by} was told that it misses {room} from {from} to {to}, which are stored")]
    Gap {
        /// Client that was told of it.
        by: String,
        /// Room of the gap.
        room: String,
        /// The first missed.
        from: u64,
        /// The last missed.
        to: u64,
    },
    /// A request was refused.
    #[error("refused: {by} was told {answer}")]
    Refused {
        /// Client that made the request.
        by: String,
        /// The `error` event.
        answer: String,
    },
    /// A repeated `send` was refused as `too_late`, though its message is among those whose ids are
    /// remembered.
    #[error(
        "too late: {by} said again {what}, behind which at most {behind} messages are stored, and was told that nobody can tell"
    )]
    TooLate {
        /// Client that repeated the message.
        by: String,
        /// The message.
        what: String,
        /// Messages behind it, at most.
        behind: u64,
    },
    /// An answer to nothing that was asked.
    #[error("stray: {by} got an answer to nothing it asked: {answer}")]
    Stray {
        /// Client that got the answer.
        by: String,
        /// The event.
        answer: String,
    },
    /// Bytes that the protocol does not allow.
    #[error("malformed: {by} got {what}")]
    Malformed {
        /// Client that got the bytes.
        by: String,
        /// Description of the defect.
        what: String,
    },
    /// The server closed, or died, by itself.
    #[error("closed: the server went away from {by} by itself ({detail})")]
    Closed {
        /// Client of the connection.
        by: String,
        /// Description of the failure.
        detail: String,
    },
    /// Nothing came for too long.
    #[error("hang: {who} waits for {what} for more than {limit_s} s")]
    Hang {
        /// Party that waits.
        who: String,
        /// For what.
        what: String,
        /// Longest wait, in seconds.
        limit_s: u64,
    },
    /// The server did not start.
    #[error("no start: {0}")]
    NoStart(String),
    /// Report of the program about its own file.
    #[error("history {command}: {detail}")]
    History {
        /// `check` or `export`.
        command: &'static str,
        /// Report, or its difference from the ledger.
        detail: String,
    },
    /// The harness itself cannot go on; nothing is said about the server.
    #[error("the harness cannot go on: {0}")]
    Harness(#[from] std::io::Error),
}
