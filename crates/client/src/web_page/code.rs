//! QR codes as rows of half blocks: a character shows two modules, one above the other.

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around a code, on each side (ISO/IEC 18004, 9.1).
const QUIET_MODULES: i32 = 4;
/// Rows below a code: its URL, the input line and the status.
const ROWS_BELOW: usize = 3;

/// Surface for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// Characters are drawn black on white. Without colours the terminal is taken for a dark one, so
    /// that characters draw what is light.
    pub(crate) has_colour: bool,
}

/// Returns the rows of the code for a text. Errors: there is no room for it, in words.
pub(super) fn draw(text: &str, canvas: Canvas) -> Result<Vec<String>, String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(|_| "the address is too long for one".to_owned())?;
    let end = code.size() + QUIET_MODULES;
    let modules = usize::try_from(end + QUIET_MODULES).unwrap_or(usize::MAX);
    if modules > canvas.columns {
        return Err(format!("it takes {modules} columns, and the terminal has {}", canvas.columns));
    }
    let rows = modules.div_ceil(2) + ROWS_BELOW;
    if rows > canvas.rows {
        return Err(format!("it takes {rows} rows with what is below it, and the terminal has {}", canvas.rows));
    }
    // Outside the code everything is light, below the last row too.
    let is_drawn = |x: i32, y: i32| code.get_module(x, y) == canvas.has_colour;
    let row = |y: i32| (-QUIET_MODULES..end).map(|x| half_blocks(is_drawn(x, y), is_drawn(x, y + 1))).collect();
    Ok((-QUIET_MODULES..end).step_by(2).map(row).collect())
}

fn half_blocks(is_upper_drawn: bool, is_lower_drawn: bool) -> char {
    match (is_upper_drawn, is_lower_drawn) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of a module's side: what a camera sees is no smaller.
    const MODULE_PIXELS: usize = 4;

    /// Reads the code back from what the terminal shows.
    fn scanned(rows: &[String], has_colour: bool) -> String {
        let cells: Vec<Vec<char>> = rows.iter().map(|row| row.chars().collect()).collect();
        let (width, height) = (cells[0].len(), cells.len() * 2);
        let brightness = |x: usize, y: usize| {
            let (column, row) = (x / MODULE_PIXELS, y / MODULE_PIXELS);
            let is_upper = row.is_multiple_of(2);
            let is_drawn = match cells[row / 2][column] {
                '█' => true,
                '▀' => is_upper,
                '▄' => !is_upper,
                _ => false,
            };
            if is_drawn == has_colour { 0 } else { 255 }
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width * MODULE_PIXELS, height * MODULE_PIXELS, brightness);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in\n{}", rows.join("\n"));
        grids[0].decode().expect("a code that can be read").1
    }

    #[test]
    fn a_code_is_read_back_with_and_without_colours() {
        for url in ["http://192.168.100.200:1234", "http://[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"] {
            for has_colour in [true, false] {
                let rows = draw(url, Canvas { columns: 80, rows: 40, has_colour }).expect("room");
                assert_eq!(scanned(&rows, has_colour), url);
                assert!(rows.iter().all(|row| row.chars().count() == rows[0].chars().count()));
            }
        }
    }

    #[test]
    fn a_quiet_zone_surrounds_the_code() {
        let canvas = Canvas { columns: 80, rows: 40, has_colour: true };
        let rows = draw("http://192.0.2.7:1234", canvas).expect("room");
        assert_eq!((rows.len(), rows[0].chars().count()), (17, 33));
        assert!(rows[..2].iter().all(|row| row.trim().is_empty()), "{rows:?}");
        assert!(rows.iter().all(|row| row.starts_with("    ") && row.ends_with("    ")), "{rows:?}");
        let dark = draw("http://192.0.2.7:1234", Canvas { has_colour: false, ..canvas }).expect("room");
        assert!(dark[0].chars().all(|block| block == '█'), "{dark:?}");
    }

    #[test]
    fn a_code_without_room_is_refused() {
        let canvas = Canvas { columns: 33, rows: 20, has_colour: true };
        assert!(draw("http://192.0.2.7:1234", canvas).is_ok());
        for small in [Canvas { columns: 32, ..canvas }, Canvas { rows: 19, ..canvas }] {
            assert!(draw("http://192.0.2.7:1234", small).is_err());
        }
        assert!(draw(&"x".repeat(10_000), Canvas { columns: 9_999, rows: 9_999, ..canvas }).is_err());
    }
}
