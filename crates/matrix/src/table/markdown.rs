//! The table in Markdown.

use std::fmt::Write as _;

use super::Table;

/// One row for each attack, one column for each scheme. Figures are left out, so that two runs give
/// the same text.
pub(super) fn table(table: &Table) -> String {
    let mut text = String::from("| attack | aim | source |");
    for scheme in &table.schemes {
        let _ = write!(text, " {scheme} |");
    }
    text.push_str("\n| --- | --- | --- |");
    text.push_str(&" --- |".repeat(table.schemes.len()));
    text.push('\n');
    for attack in &table.attacks {
        let _ = write!(text, "| {} (`{}`) | {} | {} |", attack.title(), attack.id(), attack.aim(), attack.source().name());
        for scheme in &table.schemes {
            let word = table.cell(attack.id(), scheme).map_or("", |cell| cell.word());
            let _ = if word == "succeeds" { write!(text, " **{word}** |") } else { write!(text, " {word} |") };
        }
        text.push('\n');
    }
    text
}
