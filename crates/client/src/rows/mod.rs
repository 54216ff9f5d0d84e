//! Lines of the conversation as rows of a screen, for every mode that writes to one.

pub(crate) mod columns;
mod links;
pub(crate) mod shortening;
pub(crate) mod wrap;
