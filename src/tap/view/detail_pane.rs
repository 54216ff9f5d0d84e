//! A frame: its bytes beside the fields that they are, matched by letter, row and colour.

use std::fmt::Write as _;

use glassline_tap::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthChar;

use super::fields::Field;
use super::page;
use super::palette::{Palette, letter};
use crate::tap::columns::Clock;

/// Draws the fields from row `scroll` on. Returns the row that is shown first: less, where there are
/// fewer.
pub(super) fn draw(
    (frame, fields): (&Frame, &[Field]),
    scroll: usize,
    (clock, palette): (&Clock, Palette),
    area: Rect,
    buffer: &mut Buffer,
) -> usize {
    if area.height == 0 {
        return 0;
    }
    let width = usize::from(area.width);
    let columns = HexColumns::for_width(width);
    let title = format!(
        "{}  {}  {}  {} bytes from byte {}",
        frame.id(),
        clock.time(frame.at_us),
        frame.dialect.name(),
        frame.bytes.len(),
        frame.offset,
    );
    buffer.set_stringn(area.x, area.y, title, width, palette.heading());
    let value_width = width.saturating_sub(columns.width()).max(1);
    let rows: Vec<usize> =
        fields.iter().map(|field| columns.rows(field).max(lines(field, value_width).len())).collect();
    let visible = usize::from(area.height - 1);
    let all = rows.iter().sum::<usize>();
    let scroll = scroll.min(all.saturating_sub(visible));
    let goes_on = scroll + visible < all && visible > 1;
    let end = area.bottom() - u16::from(goes_on);
    if goes_on {
        buffer.set_stringn(area.x, end, page::MORE, width, palette.note());
    }
    let mut above = scroll;
    let mut y = area.y + 1;
    for (place, (field, &rows)) in fields.iter().zip(&rows).enumerate() {
        if above >= rows {
            above -= rows;
            continue;
        }
        let lines = lines(field, value_width);
        for row in std::mem::take(&mut above)..rows {
            if y >= end {
                return scroll;
            }
            let value = lines.get(row).map_or("", String::as_str);
            let line = format!("{}{value}", columns.row(frame, field, row, letter(place)));
            buffer.set_stringn(area.x, y, line, width, palette.field(place));
            y += 1;
        }
    }
    scroll
}

/// Bytes in a row.
struct HexColumns {
    bytes: usize,
}

impl HexColumns {
    fn for_width(width: usize) -> Self {
        let bytes = match width {
            110.. => 16,
            60..110 => 8,
            _ => 4,
        };
        Self { bytes }
    }

    /// Letter, offset, hexadecimal and text.
    fn width(&self) -> usize {
        2 + 6 + 3 * self.bytes + self.bytes + 2
    }

    fn rows(&self, field: &Field) -> usize {
        field.bytes.len().div_ceil(self.bytes)
    }

    fn row(&self, frame: &Frame, field: &Field, row: usize, letter: char) -> String {
        let start = field.bytes.start + row * self.bytes;
        let end = (start + self.bytes).min(field.bytes.end);
        let Some(bytes) = frame.bytes.get(start..end).filter(|bytes| !bytes.is_empty()) else {
            return format!("{letter:<width$}", width = self.width());
        };
        let mut hexadecimal = String::with_capacity(3 * self.bytes);
        for byte in bytes {
            let _ = write!(hexadecimal, "{byte:02x} ");
        }
        let text: String =
            bytes.iter().map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' }).collect();
        let (hex_width, text_width) = (3 * self.bytes, self.bytes + 2);
        format!("{letter} {start:04x}  {hexadecimal:<hex_width$}{text:<text_width$}")
    }
}

/// Returns name and value, broken at the width.
fn lines(field: &Field, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in field.name.chars().chain(": ".chars()).chain(field.value.chars()) {
        let columns = character.width().unwrap_or(0);
        if used + columns > width {
            lines.push(String::new());
            used = 0;
        }
        used += columns;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}
