//! Positions from which attacks are run.

/// Adversary whose means an attack uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adversary {
    /// Somebody on the way between a member and the server.
    Line,
    /// The server, or a member.
    Insider,
}
