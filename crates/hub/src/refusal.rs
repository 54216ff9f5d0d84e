//! A request the hub did not carry out: the cause for programs, and words for people that end with a next step.

use alloc::string::String;

use glassline_wire::event::ErrorCode;

/// Why nothing happened. The one who asked is told; nobody else is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Rejection {
    /// The cause, for programs.
    pub code: ErrorCode,
    /// The cause and what to do, for people.
    pub text: String,
}

impl Rejection {
    pub(crate) fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}
