//! Suggestions for a command that does not exist.

use glassline_wire::commands::{SlashCommand, client_names};

/// Letters that may be wrong for a name to be suggested.
const WRONG_LETTERS_MAX: usize = 2;

/// Returns the answer to an unknown command.
pub(super) fn unknown(name: &str) -> String {
    let shown = shown(name);
    match nearest(&shown) {
        Some(known) => format!("there is no /{shown}; did you mean /{known}? (`//{shown}` sends it as text)"),
        None => format!("there is no /{shown}; /help lists the commands (`//{shown}` sends it as text)"),
    }
}

/// Returns the answer to a request for help on an unknown command.
pub(super) fn no_help(name: &str) -> String {
    let shown = shown(name);
    match nearest(&shown) {
        Some(known) => format!("there is no command /{shown}; did you mean /{known}?"),
        None => format!("there is no command /{shown}; /help lists them"),
    }
}

pub(super) fn shown(name: &str) -> String {
    glassline_wire::visible::one_line(name).chars().take(32).collect()
}

/// Returns whether a name is a mistyped one of a command.
pub(super) fn is_near(name: &str) -> bool {
    nearest(&shown(name)).is_some()
}

/// The command that was most likely meant. One that sends its text to everybody is never guessed:
/// the text may be for one person only.
fn nearest(shown: &str) -> Option<&'static str> {
    // Commands are written in lower case; with Caps Lock on, every letter is another one.
    let shown = &shown.to_lowercase();
    let is_guessed = |name: &&str| SlashCommand::of_client(name).is_some_and(|command| !command.is_published());
    // A short word that is half wrong has no clear match.
    let wrong_letters_max = WRONG_LETTERS_MAX.min(shown.chars().count() / 2);
    let beginning =
        client_names().filter(is_guessed).find(|known| !shown.is_empty() && known.starts_with(shown.as_str()));
    beginning.or_else(|| {
        let wrong_letters = client_names().filter(is_guessed).map(|known| (strsim::osa_distance(shown, known), known));
        let (wrong_letters, known) = wrong_letters.min_by_key(|&(wrong_letters, _)| wrong_letters)?;
        (wrong_letters <= wrong_letters_max).then_some(known)
    })
}
