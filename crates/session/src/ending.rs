//! Ends of a session, with the exit code of each.

use alloc::borrow::Cow;

use glassline_wire::visible;

use crate::prelude::*;

/// Reason why a session ended. The texts are for people and end with what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The user left, or the input ended and every message was acknowledged.
    Left,
    /// Reading the input or writing the output failed, or some of the input was not sent.
    InputOutput(String),
    /// Nothing answered at the address.
    CannotConnect(String),
    /// The server answered and refused this client, or does not support the requested dialect.
    Rejected(String),
    /// The link is not protected as asked for, or its other end is not the known server; no name,
    /// token or text was sent.
    LinkRefused(String),
    /// The link was lost and did not come back in time.
    ServerWentAway(String),
}

/// Characters of a text shown; it may contain text of a server.
const TEXT_CHARS_MAX: usize = 2_000;

impl Ending {
    /// The documented exit code of the process (2, a usage error, is the caller's).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Left => 0,
            Self::InputOutput(_) => 1,
            Self::CannotConnect(_) => 3,
            Self::Rejected(_) | Self::LinkRefused(_) => 4,
            Self::ServerWentAway(_) => 5,
        }
    }

    /// Returns the text for the user on stderr, safe to show: it may contain text of a server.
    /// Nothing after an ordinary leave.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Left => None,
            Self::InputOutput(text)
            | Self::CannotConnect(text)
            | Self::Rejected(text)
            | Self::LinkRefused(text)
            | Self::ServerWentAway(text) => {
                let bounded: String = text.chars().take(TEXT_CHARS_MAX).collect();
                Some(visible::lines(&bounded).replace('\n', "\n  ").into())
            }
        }
    }
}
