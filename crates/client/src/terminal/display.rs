//! The terminal as a device: its size, drawing times, and handing it to other programs.

use std::io::{self, Write};

use super::drawing::palette::Palette;
use super::drawing::screen::Screen;
use super::drawing::{draw, layout};
use super::guard::TerminalGuard;
use super::key_reader::KeyReader;
use super::reflow;
use crate::format::{Span, StyledLine, TextRole};
use crate::inbox::Inbox;
use crate::system;
use crate::web_page::Canvas;

/// Shortest interval between drawings for the user's own input: that of a screen at 60 Hz. On a
/// clock of whole milliseconds, 16 of them have passed for sure.
const INPUT_INTERVAL_MS: u64 = 17;
/// Shortest interval between drawings for messages of others, which halves the number of drawings.
const MESSAGE_INTERVAL_MS: u64 = 33;
/// The first drawing waits this long for the server, so that it need not be drawn again at once.
const FIRST_DRAWING_MS: u64 = 50;
/// Lines that may wait for the next drawing; past it they are drawn at once.
const LINES_WAITING_MAX: usize = 10_000;
/// Size of terminals that do not report one.
const SIZE_UNKNOWN: (u16, u16) = (80, 24);

pub(super) struct Display {
    screen: Screen,
    out: Box<dyn Write>,
    palette: Palette,
    columns: u16,
    rows: u16,
    /// The terminal reflows its contents when its window is resized.
    reflows: bool,
    staleness: Staleness,
    drawn_ms: Option<u64>,
    /// Another program uses the terminal.
    released: bool,
    /// Parts of a real terminal; none in tests.
    device: Option<Device>,
}

/// State of the screen against the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Staleness {
    Fresh,
    /// The screen lacks something.
    Stale,
    /// The screen lacks something that the user waits for.
    Awaited,
}

struct Device {
    key_reader: KeyReader,
    guard: TerminalGuard,
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (u16, u16) {
    let size = crossterm::terminal::size().ok().filter(|&(columns, rows)| columns > 0 && rows > 0);
    size.unwrap_or(SIZE_UNKNOWN)
}

impl Display {
    /// Takes the terminal over and starts to read its keys.
    pub(super) fn open(colour: bool, inbox: Inbox) -> io::Result<Self> {
        let guard = TerminalGuard::enter()?;
        // Before the size is asked for, so that none is missed.
        system::watch_terminal(inbox.clone())?;
        let size = size();
        let environment = |name: &str| std::env::var(name).unwrap_or_default();
        let palette = if colour {
            Palette::of_terminal(&environment("TERM"), !environment("COLORTERM").is_empty())
        } else {
            Palette::Monochrome
        };
        let mut display = Self::new(system::unbuffered_stdout()?, size, palette);
        display.set_reflows(reflow::is_known(environment));
        display.device = Some(Device { key_reader: KeyReader::start(inbox)?, guard });
        Ok(display)
    }

    pub(super) fn new(out: Box<dyn Write>, (columns, rows): (u16, u16), palette: Palette) -> Self {
        Self {
            screen: Screen::default(),
            out,
            palette,
            columns,
            rows,
            reflows: false,
            staleness: Staleness::Stale,
            drawn_ms: None,
            released: false,
            device: None,
        }
    }

    pub(super) fn set_reflows(&mut self, reflows: bool) {
        self.reflows = reflows;
    }

    pub(super) fn palette(&self) -> Palette {
        self.palette
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.into()
    }

    pub(super) fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// Output to the terminal beside drawings.
    pub(super) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Prints lines above the input with the next drawing.
    pub(super) fn print(&mut self, lines: Vec<StyledLine>) {
        for line in lines {
            self.note_stale();
            self.screen.print(line);
        }
    }

    /// Prints the rest of a shortened line: the one with this number, or the last one. Errors:
    /// there is none, in words for the user.
    pub(super) fn print_rest(&mut self, number: Option<u64>) -> Result<(), String> {
        self.screen.print_rest(number, self.columns.into())
    }

    /// Prints a code to scan above the input with the next drawing.
    pub(super) fn print_code(&mut self, rows: Vec<String>) {
        self.note_stale();
        self.screen.print_rows(rows.into_iter().map(|row| vec![Span::new(TextRole::Code, row)]).collect());
    }

    /// Returns the surface for a code to scan.
    pub(super) fn canvas(&self) -> Canvas {
        let has_colour = self.palette != Palette::Monochrome;
        Canvas { columns: self.columns.into(), rows: self.rows.into(), has_colour }
    }

    pub(super) fn ring(&mut self) {
        self.screen.ring();
    }

    pub(super) fn clear(&mut self) {
        self.screen.clear();
    }

    pub(super) fn note_stale(&mut self) {
        self.staleness = self.staleness.max(Staleness::Stale);
    }

    pub(super) fn note_awaited(&mut self) {
        self.staleness = Staleness::Awaited;
    }

    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns.max(1), rows.max(1));
        if self.reflows {
            self.screen.reflow(self.columns.into());
        }
    }

    /// Returns the time of the next drawing, if there is anything to draw.
    pub(super) fn due_ms(&self, is_connecting: bool) -> Option<u64> {
        if self.staleness == Staleness::Fresh || self.released {
            return None;
        }
        Some(match self.drawn_ms {
            None if is_connecting => FIRST_DRAWING_MS,
            None => 0,
            Some(drawn_ms) if self.staleness == Staleness::Awaited => drawn_ms + INPUT_INTERVAL_MS,
            Some(drawn_ms) => drawn_ms + MESSAGE_INTERVAL_MS,
        })
    }

    pub(super) fn is_due(&self, is_connecting: bool, now_ms: u64) -> bool {
        let is_full = self.screen.waiting() > LINES_WAITING_MAX && !self.released;
        is_full || self.due_ms(is_connecting).is_some_and(|due_ms| now_ms >= due_ms)
    }

    pub(super) fn draw(&mut self, contents: layout::Contents<'_>, now_ms: u64) -> io::Result<()> {
        let block = layout::block(contents, self.columns.into(), self.rows.into());
        self.staleness = Staleness::Fresh;
        self.drawn_ms = Some(now_ms);
        draw::draw(&mut self.out, &self.screen.draw(&block, self.columns.into()), self.palette)
    }

    /// Requests the next key, unless another program uses the terminal.
    pub(super) fn read_key(&self) {
        if let Some(device) = self.device.as_ref().filter(|_| !self.released) {
            device.key_reader.read_more();
        }
    }

    /// Restores the terminal's modes for another program or the shell.
    pub(super) fn release(&mut self) -> io::Result<()> {
        self.leave()?;
        self.released = true;
        if let Some(device) = &self.device {
            device.guard.pause();
        }
        Ok(())
    }

    /// Sets the terminal's modes again after another program used it.
    pub(super) fn retake(&mut self) -> io::Result<()> {
        self.released = false;
        self.note_stale();
        self.screen.forget_block();
        self.device.as_ref().map_or(Ok(()), |device| device.guard.resume())
    }

    /// Sets the terminal's modes again after a stop of the process, unless another program uses it.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if self.released { Ok(()) } else { self.retake() }
    }

    /// Prints pending lines and restores the terminal for good.
    pub(super) fn close(&mut self) -> io::Result<()> {
        let drawn = self.leave();
        drop(self.device.take());
        drawn
    }

    fn leave(&mut self) -> io::Result<()> {
        draw::draw(&mut self.out, &self.screen.leave(self.columns.into()), self.palette)
    }
}
