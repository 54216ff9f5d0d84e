//! What was meant by a command that there is not.

use super::table::all_names;

/// Letters that may be wrong for a name to be suggested.
const WRONG_LETTERS_MAX: usize = 2;

/// What to tell somebody who typed this.
pub(super) fn unknown(name: &str) -> String {
    let shown: String = glassline_wire::visible::one_line(name).chars().take(32).collect();
    // Half of a short word being wrong says nothing.
    let wrong_letters_max = WRONG_LETTERS_MAX.min(shown.chars().count() / 2);
    let beginning = all_names().find(|known| !shown.is_empty() && known.starts_with(&shown));
    let nearest = beginning.map(|known| (0, known)).or_else(|| {
        all_names()
            .map(|known| (strsim::osa_distance(&shown, known), known))
            .min_by_key(|&(wrong_letters, _)| wrong_letters)
    });
    match nearest {
        Some((wrong_letters, known)) if wrong_letters <= wrong_letters_max => {
            format!("there is no /{shown}; did you mean /{known}? (`//{shown}` sends it as text)")
        }
        _ => format!("there is no /{shown}; /help lists the commands (`//{shown}` sends it as text)"),
    }
}
