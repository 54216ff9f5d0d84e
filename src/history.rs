//! File of the history: the file chosen, or the one in the user's state folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use glassline_journal::{Keep, Store, StoreError};

use crate::folders;

const HISTORY_FILE: &str = "history.db";
/// Words for no history; a file of such a name is written with its folder, as `./none`.
const NONE_VALUES: [&str; 4] = ["none", "off", "no", "false"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HistoryChoice {
    In(PathBuf),
    Nowhere,
}

/// Parses `none`, or a file. The error states what to write.
pub(crate) fn parse(text: &str) -> Result<HistoryChoice, String> {
    match text {
        "" => Err("write a file's name, or none".to_string()),
        none if is_none(none) => Ok(HistoryChoice::Nowhere),
        file => folders::expanded(Path::new(file)).map(HistoryChoice::In),
    }
}

/// Parses a file that must contain a history. The error states what to write.
pub(crate) fn parse_file(path: &Path) -> Result<PathBuf, String> {
    if path.to_str().is_some_and(is_none) {
        return Err(format!("write a file's name; ./{} is a file of that name", path.display()));
    }
    folders::expanded(path)
}

fn is_none(text: &str) -> bool {
    NONE_VALUES.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns the file of the history; `None` where none is wanted, or without a home.
pub(crate) fn file(chosen: Option<&HistoryChoice>) -> Option<PathBuf> {
    match chosen {
        Some(HistoryChoice::In(file)) => Some(file.clone()),
        Some(HistoryChoice::Nowhere) => None,
        None => default_file(),
    }
}

/// `$XDG_STATE_HOME/glassline/history.db`; nothing without a home.
pub(crate) fn default_file() -> Option<PathBuf> {
    Some(folders::state_folder()?.join(HISTORY_FILE))
}

/// Opens the history for a server. Errors: it cannot be used; the text states the cause and what to
/// do.
pub(crate) fn open(file: &Path, keep: Keep) -> anyhow::Result<Box<dyn Store>> {
    let opened = glassline_journal::open(file, keep);
    let opened = match opened {
        // The other errors name this way out themselves, where it is one.
        Err(error @ StoreError::Full) => Err(error).context("--history none starts it without a history"),
        opened => opened.map_err(anyhow::Error::from),
    };
    opened.context("the server cannot start")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_none_keep_nothing_and_a_path_is_a_file() {
        for none in ["none", "NONE", "None", "off", "Off", "no", "NO", "false", "False"] {
            assert_eq!(parse(none), Ok(HistoryChoice::Nowhere), "{none}");
            let refused = parse_file(Path::new(none)).expect_err(none);
            assert!(refused.contains(&format!("./{none} ")), "{refused}");
        }
        for file in ["./none", "./off", "no.db", "none/x", "nothing", "/off"] {
            assert_eq!(parse(file), Ok(HistoryChoice::In(PathBuf::from(file))));
            assert_eq!(parse_file(Path::new(file)), Ok(PathBuf::from(file)));
        }
        assert!(parse("").is_err() && parse("~bob/x").is_err());
    }
}
