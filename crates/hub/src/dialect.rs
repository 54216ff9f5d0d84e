//! Dialects of a hub's members.

/// Dialect of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Pairs of frames (T).
    Tutorial,
    /// Events (E).
    Event,
}

impl Dialect {
    pub(crate) const ALL: [Self; 2] = [Self::Tutorial, Self::Event];

    pub(crate) fn lane(self) -> usize {
        self as usize
    }

    /// Returns the dialect's name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tutorial => "tutorial",
            Self::Event => "event",
        }
    }
}
