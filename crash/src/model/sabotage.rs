//! The promises that the small server can break, so that the harness can be seen to notice.

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// Acknowledges and shows messages before they are stored.
    AcknowledgeEarly,
    /// Forgets the last messages at each start.
    LoseTail,
    /// Stores what is said again as something new.
    ForgetIds,
    /// Leaves a number out after each start.
    SkipNumber,
    /// Shows others, at times, what it does not store.
    ShowUnstored,
    /// Changes the newest text at each start.
    ChangeText,
    /// Sends whoever comes back one message that it has.
    ReplayAgain,
    /// Sends whoever comes back one message too few.
    ReplayLate,
    /// Announces a gap where it could replay.
    AnnounceGap,
    /// Swaps two messages at times.
    Swap,
    /// Answers what is said again with another number.
    OtherNumber,
    /// Leaves the newest message out of its last page.
    ShortPage,
    /// Says of what is said again that nobody can tell.
    SayTooLate,
    /// Answers nothing any more after a while.
    StaySilent,
}
