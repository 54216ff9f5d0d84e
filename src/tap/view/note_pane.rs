//! An observation that is no frame, in full.

use super::page::PageRow;
use crate::tap::columns::Columns;
use glassline_tap::wrapped;

/// Returns the rows of an observation, broken at the width.
pub(super) fn rows(columns: &Columns, width: usize) -> Vec<PageRow> {
    let place = [&columns.id, &columns.time].map(String::as_str);
    let heading: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let words = wrapped(&columns.text, width).into_iter().map(PageRow::Words);
    [PageRow::Heading(heading.join("  "))].into_iter().chain(words).collect()
}
