//! From lines and a status to the bytes that a terminal understands; pure but for the last step.

pub(crate) mod draw;
pub(crate) mod layout;
pub(crate) mod palette;
pub(crate) mod screen;
pub(crate) mod status;
