//! The help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::TERMS;
use super::keys;
use super::palette::Palette;

/// Draws the help from row `scroll` on. Returns the row that is shown first: less, where there are
/// fewer.
pub(super) fn draw(scroll: usize, palette: Palette, area: Rect, buffer: &mut Buffer) -> usize {
    let width = usize::from(area.width);
    let rows = rows(width.max(1));
    let scroll = scroll.min(rows.len().saturating_sub(usize::from(area.height)));
    for (y, (is_heading, row)) in (area.y..area.bottom()).zip(rows.iter().skip(scroll)) {
        let style = if *is_heading { palette.heading() } else { ratatui::style::Style::new() };
        buffer.set_stringn(area.x, y, row, width, style);
    }
    scroll
}

/// Returns the rows, and whether each is a heading.
fn rows(width: usize) -> Vec<(bool, String)> {
    let heading = |text: &str| (true, text.to_owned());
    let words = |text: &str| textwrapped(text, width).into_iter().map(|row| (false, row)).collect::<Vec<_>>();
    let mut rows = vec![heading("Keys")];
    rows.extend(keys::help().map(|(keys, meaning)| (false, format!("{keys:<10} {meaning}"))));
    rows.push(heading("Filter, search and hold"));
    rows.extend(words(&format!("{TERMS}. All terms have to match. Text with spaces stands in \"quotes\". Upper and lower case differ where frames are held.")));
    rows.push(heading("Signs"));
    rows.extend(words(
        "3>12 is frame 12 of connection 3 to the server, 3<12 to the client. * a connection opened or ended, \
         + a rule was applied, ! a problem.",
    ));
    rows.push(heading("Held frames"));
    rows.extend(words(
        "A held frame, and everything behind it in its direction, waits for you: e, E, p or d. The time until a side \
         gives up is the earliest by the specification.",
    ));
    rows
}

/// Breaks text between words.
fn textwrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in text.split_whitespace() {
        let used = rows.last().map_or(0, |row| row.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            rows.push(word.to_owned());
        } else if let Some(row) = rows.last_mut() {
            if used > 0 {
                row.push(' ');
            }
            row.push_str(word);
        }
    }
    rows
}
