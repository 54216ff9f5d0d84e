//! Faults built in on purpose: each breaks the promise in one way, and the checks must notice.

/// Defects to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The store loses its last commit in a crash.
    StoreForgetsLastCommit,
    /// A message is reported as stored, and so fanned out, before its commit.
    FanOutBeforeCommit,
    /// A message sent again under its id is stored a second time.
    StoreForgetsIds,
    /// A message of which it cannot be told whether it was stored is taken for new.
    StoreGuesses,
    /// The number of a message is one too high now and then.
    StoreSkipsNumbers,
    /// `hello` of a client that comes back does not say what it has.
    ClientForgetsSince,
    /// Loses the report of a message's outcome.
    OutcomeIsLost,
    /// An answer to a question about the past never comes.
    AnswerIsLost,
    /// The page behind a gap in what a client has lacks its first message.
    PageIsShort,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::StoreForgetsLastCommit,
        Self::FanOutBeforeCommit,
        Self::StoreForgetsIds,
        Self::StoreGuesses,
        Self::StoreSkipsNumbers,
        Self::ClientForgetsSince,
        Self::OutcomeIsLost,
        Self::AnswerIsLost,
        Self::PageIsShort,
    ];
}
