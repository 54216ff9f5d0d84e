//! The prompt for a passphrase: of what is typed only the length is shown, and nothing is kept.

use zeroize::Zeroizing;

use crate::format::safe::name;
use crate::terminal::keymap::{Action, Motion};

/// Longest input in bytes; a longer one is no passphrase.
const BYTES_MAX: usize = 1024;

/// Question for the passphrase of a room.
#[derive(Debug)]
pub(crate) struct PassphrasePrompt {
    room: String,
    typed: Zeroizing<String>,
}

/// Effect of an action on the prompt.
#[derive(Debug)]
pub(crate) enum PassphraseStep {
    Continue,
    /// The user has typed it; empty for one to be made.
    Given,
    Cancelled,
}

impl PassphrasePrompt {
    pub(crate) fn new(room: &str) -> Self {
        Self { room: room.to_owned(), typed: Zeroizing::new(String::with_capacity(BYTES_MAX)) }
    }

    pub(crate) fn question(&self) -> String {
        format!(
            "passphrase of {} (it is not shown; Enter alone makes one of six words, Escape cancels):",
            name(&self.room)
        )
    }

    /// A dot for each character.
    pub(crate) fn dots(&self) -> String {
        self.typed.chars().map(|_| '•').collect()
    }

    pub(crate) fn act(&mut self, action: &Action) -> PassphraseStep {
        match action {
            Action::Enter => return PassphraseStep::Given,
            Action::Cancel | Action::Interrupt => return PassphraseStep::Cancelled,
            Action::Insert(text) => self.insert(text),
            // The newline at the end of a copied line is no part of it.
            Action::Paste(paste) => self.insert(paste.text.trim_end_matches(['\r', '\n'])),
            Action::Remove(Motion::Left) => {
                self.typed.pop();
            }
            Action::Cut(_) => self.typed.clear(),
            _ => {}
        }
        PassphraseStep::Continue
    }

    fn insert(&mut self, text: &str) {
        // The buffer never moves, so that no copy of a secret stays behind.
        if self.typed.len() + text.len() <= BYTES_MAX {
            self.typed.push_str(text);
        }
    }

    /// Room and passphrase.
    pub(crate) fn into_parts(self) -> (String, Zeroizing<String>) {
        (self.room, self.typed)
    }
}
