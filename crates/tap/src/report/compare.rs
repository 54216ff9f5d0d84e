//! Reports side by side: the summary of each row, one column for each recording.

use unicode_width::UnicodeWidthStr as _;

use glassline_wire::visible;

use super::Report;
use crate::wrapped::wrapped;

/// Least width of a column in terminal columns.
const COLUMN_WIDTH_MIN: usize = 16;
/// Width of the column of row titles.
const TITLE_WIDTH: usize = 26;

/// The reports as a table of text of this width, in terminal columns: a row for each question, a
/// column for each report.
pub fn compare(reports: &[Report], width: usize) -> String {
    let separators = 2 * reports.len();
    let column = (width.saturating_sub(TITLE_WIDTH + separators) / reports.len().max(1)).max(COLUMN_WIDTH_MIN);
    let mut out = line("", column, reports.iter().map(|report| report.title().to_owned()));
    let Some(first) = reports.first() else { return out };
    for (index, row) in first.rows().iter().enumerate() {
        let summaries = reports.iter().map(|report| report.rows()[index].summary.clone());
        out.push_str(&line(row.id.title(), column, summaries));
    }
    out
}

/// One row of the table, on as many lines as its longest cell needs.
fn line(title: &str, column: usize, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<Vec<String>> = cells.map(|cell| wrapped(&visible::one_line(&cell), column - 1)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let mut out = String::new();
    for at in 0..height {
        let mut row = padded(if at == 0 { title } else { "" }, TITLE_WIDTH);
        for cell in &cells {
            row.push_str("| ");
            row.push_str(&padded(cell.get(at).map_or("", String::as_str), column));
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
