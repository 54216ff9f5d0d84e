//! The promises that the small server can break, so that the harness can be seen to notice.

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// Acknowledges and shows messages before they are stored.
    AcknowledgeEarly,
    /// Loses the last messages at each start.
    LoseTail,
    /// Stores a resent message as a new one.
    IgnoreIds,
    /// Leaves a number out after each start.
    SkipNumber,
    /// Shows others, at times, what it does not store.
    ShowUnstored,
    /// Changes the newest text at each start.
    ChangeText,
    /// Sends a reconnecting client one message that it has.
    ReplayAgain,
    /// Sends a reconnecting client one message too few.
    ReplayLate,
    /// Announces a gap where it could replay.
    AnnounceGap,
    /// Swaps two messages at times.
    Swap,
    /// Answers a resent message with another number.
    OtherNumber,
    /// Leaves the newest message out of its last page.
    ShortPage,
    /// Answers a resent message with `too_late`.
    SayTooLate,
    /// Stops answering after a while.
    StaySilent,
}
