//! Parts of a line editor beside the text itself; all of them pure.

pub(crate) mod completion;
pub(crate) mod editor;
pub(crate) mod kill_ring;
pub(crate) mod passphrase;
pub(crate) mod paste;
pub(crate) mod search;
pub(crate) mod sent_lines;
pub(crate) mod undo;
pub(crate) mod words;
