//! Screen observer: terminal output goes through an emulator, and is counted.

use std::num::NonZeroU16;
use std::time::Instant;

use super::redraws::Redraws;
use super::tally::{self, Numbers, Tally};
use super::typing::{Typing, typed_in};

/// Both clients say so in their status line.
const ONLINE: &str = "online";

pub struct Watch {
    emulator: vt100::Parser,
    columns: u16,
    numbers: Numbers,
    pub tally: Tally,
    pub redraws: Redraws,
    pub typing: Typing,
    pub bytes: u64,
    /// When an empty input line was seen first, and the word `online`.
    pub prompt_at: Option<Instant>,
    pub online_at: Option<Instant>,
    /// When the last message that was not there before was shown.
    pub shown_at: Option<Instant>,
    /// The terminal was closed by the other side.
    pub is_over: bool,
}

impl Watch {
    pub fn new(rows: NonZeroU16, columns: NonZeroU16, redraw_mark: &'static [u8]) -> Self {
        Self {
            emulator: vt100::Parser::new(rows, columns, 0),
            columns: columns.get(),
            numbers: Numbers::default(),
            tally: Tally::default(),
            redraws: Redraws::new(redraw_mark),
            typing: Typing::default(),
            bytes: 0,
            prompt_at: None,
            online_at: None,
            shown_at: None,
            is_over: false,
        }
    }

    /// Takes in what was read.
    pub fn take(&mut self, bytes: &[u8], now: Instant) {
        self.bytes += bytes.len() as u64;
        self.redraws.take(bytes, now);
        let shown_before = self.tally.shown;
        self.numbers.take(bytes, |number| self.tally.take(number));
        if self.tally.shown > shown_before {
            self.shown_at = Some(now);
        }
        self.emulator.process(bytes);
        if self.online_at.is_none() {
            self.watch_the_start(now);
        }
        if self.typing.is_waiting() {
            let row = self.cursor_row();
            self.typing.see(&row, now);
        }
    }

    /// Resets the counts of bytes and drawings; earlier output must not be ours.
    pub fn restart(&mut self) {
        self.bytes = 0;
        self.redraws.restart();
    }

    /// Text that lists the faults of the messages.
    pub fn fault(&self, sent: usize) -> Option<String> {
        self.tally.fault(sent).or_else(|| tally::screen_fault(self.rows(), sent))
    }

    pub fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    fn watch_the_start(&mut self, now: Instant) {
        if self.prompt_at.is_none() && typed_in(&self.cursor_row()) == Some("") {
            self.prompt_at = Some(now);
        }
        if self.prompt_at.is_some() && self.rows().any(|row| row.contains(ONLINE)) {
            self.online_at = Some(now);
        }
    }

    fn rows(&self) -> impl Iterator<Item = String> {
        self.emulator.screen().rows(0, self.columns)
    }

    fn cursor_row(&self) -> String {
        let (row, _) = self.emulator.screen().cursor_position();
        self.rows().nth(usize::from(row)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::marked;
    use super::*;
    use std::time::Duration;

    const MARK: &[u8] = b"\x1b[?2026h";

    fn watch() -> Watch {
        let size = |cells| NonZeroU16::new(cells).unwrap();
        Watch::new(size(5), size(40), MARK)
    }

    fn drawing(lines: &str, input: &str, status: &str) -> String {
        format!("\x1b[?2026h\r\x1b[J{lines}> {input}\r\n{status}\x1b[1A\r> {input}\x1b[?2026l")
    }

    #[test]
    fn a_start_is_a_prompt_and_then_online() {
        let (mut watch, start) = (watch(), Instant::now());
        let at = |after_ms| start + Duration::from_millis(after_ms);
        watch.take(b"* your line is online soon\r\n", at(1));
        assert_eq!((watch.prompt_at, watch.online_at), (None, None));
        watch.take(drawing("\x1b[2J\x1b[H", "", "connecting").as_bytes(), at(2));
        watch.take(drawing("", "", "alice, online").as_bytes(), at(3));
        assert_eq!((watch.prompt_at, watch.online_at), (Some(at(2)), Some(at(3))));
    }

    #[test]
    fn messages_drawings_bytes_and_keys_are_counted_in_one_pass() {
        let (mut watch, now) = (watch(), Instant::now());
        watch.take(drawing("", "", "online").as_bytes(), now);
        watch.restart();
        assert_eq!(watch.typing.press(now), Some("t"));
        let said = format!("m0 > {} one\r\nm0 > {} two\r\n", marked(0), marked(1));
        let bytes = drawing(&said, "t", "online");
        for byte in bytes.as_bytes() {
            watch.take(&[*byte], now);
        }
        assert_eq!((watch.tally.shown, watch.redraws.count, watch.bytes), (2, 1, bytes.len() as u64));
        assert_eq!((watch.typing.unseen(), watch.fault(2)), (0, None));
        assert_eq!(watch.fault(3).unwrap(), "of 3 messages: 1 lost");
    }

    #[test]
    fn a_message_written_and_cleared_is_missed_on_the_screen() {
        let (mut watch, now) = (watch(), Instant::now());
        watch.take(format!("m0 > {}\r\nm0 > {}\r\x1b[J> ", marked(0), marked(1)).as_bytes(), now);
        assert!(watch.fault(2).unwrap().contains("screen"));
    }
}
