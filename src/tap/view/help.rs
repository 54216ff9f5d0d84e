//! The help.

use super::filter::TERMS;
use super::keys;
use super::page::PageRow;
use glassline_tap::wrapped;

/// Returns the rows of the help, broken at the width.
pub(super) fn rows(width: usize) -> Vec<PageRow> {
    let heading = |text: &str| PageRow::Heading(text.to_owned());
    let words = |text: &str| wrapped(text, width).into_iter().map(PageRow::Words);
    let mut rows = vec![heading("Keys")];
    rows.extend(keys::help().map(|(keys, meaning)| PageRow::Words(format!("{keys:<10} {meaning}"))));
    rows.push(heading("Filter, search and hold"));
    rows.extend(words(&format!("{TERMS}. All terms have to match. Text with spaces stands in \"quotes\". The kinds are those of rules. Where frames are held, upper and lower case differ, and `all` holds every frame.")));
    rows.push(heading("Signs"));
    rows.extend(words(
        "3>12 is frame 12 of connection 3 to the server, 3<12 to the client. * a connection opened or ended, \
         + a rule was applied, ! a problem, or a rule without effect.",
    ));
    rows.push(heading("Held frames"));
    rows.extend(words(
        "A held frame, and everything behind it in its direction, waits for you: e, E, p or d. The time until a side \
         gives up is the earliest by the specification: then it closes the connection, and its client joins again.",
    ));
    rows
}
