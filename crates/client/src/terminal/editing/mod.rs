//! What editing a line needs beside the text itself; pure, each piece for one reason.

#[allow(dead_code, reason = "not wired yet")]
pub(crate) mod completion;
pub(crate) mod kill_ring;
#[allow(dead_code, reason = "not wired yet")]
pub(crate) mod paste;
pub(crate) mod recall;
#[allow(dead_code, reason = "not wired yet")]
pub(crate) mod search;
pub(crate) mod undo;
pub(crate) mod words;
