//! A line typed at a terminal in the linear mode. The client echoes it itself: only so it knows
//! that somebody is typing, and keeps what arrives out of the line.

pub(crate) mod line;
pub(crate) mod terminal;
