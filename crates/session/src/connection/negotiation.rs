//! Search for the dialect of the server (D3).

use crate::update::{Dialect, DialectChoice};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negotiation {
    /// The event dialect is tried for the first time.
    TryEvents,
    /// Nothing answered `hello` in time. Silence identifies no dialect, so events are tried again
    /// once the server greets.
    TutorialUntilGreeting,
    /// The event dialect is tried again, after a late greeting.
    RetryEvents,
    /// The server has refused the event dialect, or not answered it twice.
    TutorialFallback,
    /// The user has chosen the tutorial dialect.
    Tutorial,
    /// The user has chosen the event dialect, or the server has answered in it.
    Events,
}

impl Negotiation {
    pub(super) fn new(choice: DialectChoice) -> Self {
        match choice {
            DialectChoice::Auto => Self::TryEvents,
            DialectChoice::Tutorial => Self::Tutorial,
            DialectChoice::Event => Self::Events,
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::TryEvents | Self::RetryEvents | Self::Events => Dialect::Event,
            Self::Tutorial | Self::TutorialUntilGreeting | Self::TutorialFallback => Dialect::Tutorial,
        }
    }

    pub(super) fn is_settled(self) -> bool {
        !matches!(self, Self::TryEvents | Self::RetryEvents)
    }
}
