//! The table in Markdown.

use std::fmt::Write as _;

use super::Table;
use crate::attack::Attack;

/// One row for each attack, one column for each scheme. Figures are left out, so that two runs give
/// the same text.
pub(super) fn table(table: &Table, schemes: &[String], is_wanted: impl Fn(&Attack) -> bool) -> String {
    let mut text = String::from("| attack |");
    for scheme in schemes {
        // Writing to a string cannot fail.
        let _ = write!(text, " {scheme} |");
    }
    text.push_str("\n| --- |");
    text.push_str(&" --- |".repeat(schemes.len()));
    text.push('\n');
    for attack in table.attacks().filter(|attack| is_wanted(attack)) {
        let _ = write!(text, "| {} |", attack.title());
        for scheme in schemes {
            let word = table.cell(attack.id(), scheme).map_or("", |cell| cell.word());
            let _ = if word == "succeeds" { write!(text, " **{word}** |") } else { write!(text, " {word} |") };
        }
        text.push('\n');
    }
    text
}
