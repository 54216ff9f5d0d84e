//! Where what is said is kept: the file chosen, or the one in the user's state folder.

use std::path::PathBuf;

use anyhow::Context;
use glassline_journal::{Keep, Store};

use crate::folders;

const HISTORY_FILE: &str = "history.db";

/// What `--history` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In this file.
    In(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// `none`, or a file.
///
/// # Errors
/// Says what to write.
pub(crate) fn parse(text: &str) -> Result<Kept, String> {
    match text {
        "" => Err("write a file's name, or none".to_string()),
        "none" => Ok(Kept::Nowhere),
        file => Ok(Kept::In(PathBuf::from(file))),
    }
}

/// The file meant; nothing where none is to be kept, or where there is no home to keep one in.
pub(crate) fn file(chosen: Option<&Kept>) -> Option<PathBuf> {
    match chosen {
        Some(Kept::In(file)) => Some(file.clone()),
        Some(Kept::Nowhere) => None,
        None => default_file(),
    }
}

/// `$XDG_STATE_HOME/glassline/history.db`; nothing without a home.
pub(crate) fn default_file() -> Option<PathBuf> {
    Some(folders::state_folder()?.join(HISTORY_FILE))
}

/// Opens the history for a server.
///
/// # Errors
/// It cannot be used; the words say why and what to do.
pub(crate) fn open(file: &std::path::Path, keep: Keep) -> anyhow::Result<Box<dyn Store>> {
    glassline_journal::open(file, keep).context("the server cannot start")
}
