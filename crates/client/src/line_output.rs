//! Output of the modes that write lines: wrapped on a terminal, and delayed while a line is being
//! typed.

use std::io::{self, Write};

use crate::format::{Span, StyledLine, TextRole};
use crate::keyboard::event::TerminalEvent;
use crate::rows::columns::Edge;
use crate::rows::shortening::Shortening;
use crate::rows::wrap::{self, WrappedRow};
use crate::typing::line::{KeyOutcome, TypedLine};
use crate::web_page::Canvas;

/// Longest delay of output after the last key.
const HELD_MS: u64 = 30_000;
/// Bytes of delayed output.
const HELD_BYTES_MAX: usize = 16 * 1024;
const BELL: &[u8] = b"\x07";
/// Colours of a code to scan, of the 256 that themes do not change.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Properties of the terminal that shows the output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineScreen {
    pub(crate) columns: fn() -> usize,
    /// Long messages are shortened, as a user can ask for the rest.
    pub(crate) shortens: bool,
}

impl LineScreen {
    /// The columns of a row. The last one stays free: some terminals wrap after it, others do not.
    fn row_columns(self) -> usize {
        (self.columns)().saturating_sub(1).max(1)
    }
}

/// Properties of the terminal that shows codes to scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeScreen {
    /// Columns and rows.
    pub(crate) size: fn() -> (u16, u16),
    pub(crate) has_colour: bool,
}

pub(crate) struct LineOutput {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Notices of the client go to the same stream as the conversation.
    notices_on_stdout: bool,
    /// The standard output is a terminal.
    screen: Option<LineScreen>,
    /// The terminal that shows notices, if codes are drawn on it.
    code_screen: Option<CodeScreen>,
    shortening: Shortening,
    typed: TypedLine,
    /// Rows delayed while a line is being typed.
    held: String,
    last_key_ms: u64,
}

impl LineOutput {
    pub(crate) fn new(
        out: Box<dyn Write>,
        err: Box<dyn Write>,
        notices_on_stdout: bool,
        screen: Option<LineScreen>,
        typed: TypedLine,
    ) -> Self {
        let (shortening, held) = (Shortening::default(), String::new());
        Self { out, err, notices_on_stdout, screen, code_screen: None, shortening, typed, held, last_key_ms: 0 }
    }

    /// Draws codes on this terminal, which shows notices.
    pub(crate) fn drawing_codes(self, code_screen: Option<CodeScreen>) -> Self {
        Self { code_screen, ..self }
    }

    /// Returns the surface for a code to scan; `None` where notices go to no terminal.
    pub(crate) fn canvas(&self) -> Option<Canvas> {
        self.code_screen.map(|CodeScreen { size, has_colour }| {
            let (columns, rows) = size();
            Canvas { columns: columns.into(), rows: rows.into(), has_colour }
        })
    }

    /// Writes the rows of a code to where notices go.
    pub(crate) fn code(&mut self, rows: &[String]) -> io::Result<()> {
        let has_colour = self.code_screen.is_some_and(|screen| screen.has_colour);
        let coloured = |row: &String| if has_colour { format!("{BLACK_ON_WHITE}{row}{RESET}") } else { row.clone() };
        let rows: Vec<String> = rows.iter().map(coloured).collect();
        if self.notices_on_stdout {
            return rows.iter().try_for_each(|row| self.row(row));
        }
        write_diagnostics(&mut self.out, &mut self.err, &rows)
    }

    pub(crate) fn line(&mut self, line: &StyledLine) -> io::Result<()> {
        let rows = self.rows(line);
        rows.iter().try_for_each(|row| self.row(row))
    }

    pub(crate) fn notice(&mut self, line: &StyledLine) -> io::Result<()> {
        if self.notices_on_stdout {
            return self.line(line);
        }
        write_diagnostics(&mut self.out, &mut self.err, &line.plain())
    }

    /// Shows the rest of a shortened line. Errors, outside: it cannot be written; inside: there is
    /// none, in words for the user.
    pub(crate) fn rest(&mut self, number: Option<u64>) -> io::Result<Result<(), String>> {
        let rest = match self.shortening.take_rest(number) {
            Ok(rest) => rest,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let columns = self.screen.map_or(usize::from(u16::MAX), LineScreen::row_columns);
        let rows = texts(&self.shortening.rest_rows(&rest, columns, Edge::Wraps));
        rows.iter().try_for_each(|row| self.row(row)).map(Ok)
    }

    /// Rings, also while a line is being typed.
    pub(crate) fn ring(&mut self) -> io::Result<()> {
        self.out.write_all(BELL)
    }

    /// Processes a key, echoes it, and writes the delayed rows once the line is finished.
    pub(crate) fn press(&mut self, event: TerminalEvent, now_ms: u64) -> io::Result<KeyOutcome> {
        self.last_key_ms = now_ms;
        let mut echo = String::new();
        let typed = self.typed.press(event, &mut echo);
        self.out.write_all(echo.as_bytes())?;
        if self.typed.is_empty() {
            self.out.write_all(std::mem::take(&mut self.held).as_bytes())?;
        }
        Ok(typed)
    }

    pub(crate) fn release_due(&mut self, now_ms: u64) -> io::Result<()> {
        if self.release_due_ms().is_some_and(|due_ms| now_ms >= due_ms) { self.release() } else { Ok(()) }
    }

    /// When [`LineOutput::release_due`] has something to show.
    pub(crate) fn release_due_ms(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.last_key_ms + HELD_MS)
    }

    /// Writes the delayed rows below the line that is being typed, and then the line again.
    pub(crate) fn release(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        write!(self.out, "\n{held}{}", self.typed.shown())
    }

    /// Writes the line again after another program used the terminal.
    pub(crate) fn show_typed_again(&mut self) -> io::Result<()> {
        self.out.write_all(self.typed.shown().as_bytes())
    }

    /// Ends the typing: writes the delayed rows, delays no more, and returns the unfinished line.
    pub(crate) fn end_typing(&mut self) -> io::Result<String> {
        let typed = self.typed.take();
        if !typed.is_empty() {
            let held = std::mem::take(&mut self.held);
            write!(self.out, "\n{held}")?;
        }
        Ok(typed)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        // The diagnostics may have no reader.
        let _ = self.err.flush();
        self.out.flush()
    }

    fn row(&mut self, row: &str) -> io::Result<()> {
        if self.typed.is_empty() {
            return writeln!(self.out, "{row}");
        }
        self.held.push_str(row);
        self.held.push('\n');
        if self.held.len() > HELD_BYTES_MAX { self.release() } else { Ok(()) }
    }

    /// Rows of a line. A terminal wraps by itself, so no row is wider than it by any column count.
    fn rows(&mut self, line: &StyledLine) -> Vec<String> {
        let Some(screen) = self.screen else { return line.plain() };
        let place = Some(line.place()).filter(|place| !place.is_empty());
        let head = place.map(|place| Span::new(TextRole::Faint, place)).into_iter().chain(line.head.iter().cloned());
        let line = StyledLine { head: head.collect(), ..line.clone() };
        let rows = if screen.shortens {
            self.shortening.rows(&line, screen.row_columns(), Edge::Wraps)
        } else {
            wrap::rows(&line, screen.row_columns(), Edge::Wraps)
        };
        texts(&rows)
    }
}

/// Writes notices to stderr after flushing stdout, so that their order is kept where both go to one
/// place. Errors: stdout cannot be written. Errors of stderr are ignored.
pub(crate) fn write_diagnostics(out: &mut dyn Write, err: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    if !lines.is_empty() {
        out.flush()?;
    }
    for line in lines {
        let _ = writeln!(err, "{line}");
    }
    Ok(())
}

fn texts(rows: &[WrappedRow]) -> Vec<String> {
    rows.iter().map(|row| row.spans.iter().chain(&row.link).map(|span| span.text.as_str()).collect()).collect()
}
