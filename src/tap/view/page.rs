//! A page of text that scrolls, and says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::palette::Palette;

/// Last row of a page that goes on.
pub(super) const MORE: &str = "more: Down, PageDown";

/// A row of a page.
pub(super) enum PageRow {
    Heading(String),
    Words(String),
}

/// Draws the rows from row `scroll` on. Returns the row that is shown first: less, where there are
/// fewer.
pub(super) fn draw(rows: &[PageRow], scroll: usize, palette: Palette, area: Rect, buffer: &mut Buffer) -> usize {
    let height = usize::from(area.height);
    let scroll = scroll.min(rows.len().saturating_sub(height));
    let goes_on = scroll + height < rows.len() && height > 1;
    let shown = height - usize::from(goes_on);
    let put = |y, text: &str, style, buffer: &mut Buffer| {
        buffer.set_stringn(area.x, y, text, area.width.into(), style);
    };
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(scroll).take(shown)) {
        match row {
            PageRow::Heading(text) => put(y, text, palette.heading(), buffer),
            PageRow::Words(text) => put(y, text, Style::new(), buffer),
        }
    }
    if goes_on {
        put(area.bottom() - 1, MORE, palette.note(), buffer);
    }
    scroll
}
