//! Lines of a bounded length from the standard input, read only as fast as they are used.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::inbox::{Arrival, Inbox, UserInput};

/// Bytes asked for at a time.
const READ_BYTES: usize = 16 * 1024;

/// One line, its end taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    /// Longer than the limit; its bytes are gone.
    TooLong {
        bytes: usize,
    },
    NotUtf8,
}

/// Cuts bytes into lines, however they are sliced.
#[derive(Debug)]
struct Cutter {
    line: Vec<u8>,
    /// Length of the line so far; past `line_bytes_max` its bytes are no longer kept.
    bytes: usize,
    line_bytes_max: usize,
}

impl Cutter {
    fn new(line_bytes_max: usize) -> Self {
        Self { line: Vec::new(), bytes: 0, line_bytes_max }
    }

    fn cut(&mut self, mut input: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = input.iter().position(|&byte| byte == b'\n') {
            self.keep(&input[..end]);
            lines.push(self.take());
            input = &input[end + 1..];
        }
        self.keep(input);
        lines
    }

    fn keep(&mut self, part: &[u8]) {
        self.bytes = self.bytes.saturating_add(part.len());
        // One byte more than the limit, so that a carriage return at its end does not count.
        if self.bytes <= self.line_bytes_max + 1 {
            self.line.extend_from_slice(part);
        } else {
            self.line = Vec::new();
        }
    }

    fn take(&mut self) -> Line {
        let bytes = std::mem::take(&mut self.bytes);
        let mut line = std::mem::take(&mut self.line);
        if bytes > self.line_bytes_max + 1 {
            return Line::TooLong { bytes };
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > self.line_bytes_max {
            return Line::TooLong { bytes };
        }
        String::from_utf8(line).map_or(Line::NotUtf8, Line::Text)
    }

    /// The last line, if the input ended without a newline.
    fn rest(&mut self) -> Option<Line> {
        (self.bytes > 0).then(|| self.take())
    }
}

/// The lines that have come and are not used yet; more are read only when none is left.
#[derive(Debug)]
pub(crate) struct LinesIn {
    waiting: VecDeque<Line>,
    ended: bool,
    reads_due: SyncSender<()>,
}

impl LinesIn {
    /// Starts to read. The thread ends with the input, or with the next read after this is dropped.
    pub(crate) fn start(
        input: impl Read + Send + 'static,
        line_bytes_max: usize,
        inbox: Inbox,
    ) -> std::io::Result<Self> {
        let (reads_due, read_when) = sync_channel(1);
        thread::Builder::new()
            .name("glassline-input".to_owned())
            .spawn(move || read_lines(input, line_bytes_max, &read_when, &inbox))?;
        let lines_in = Self { waiting: VecDeque::new(), ended: false, reads_due };
        lines_in.read_more();
        Ok(lines_in)
    }

    /// Takes in what the thread has read.
    pub(crate) fn add(&mut self, lines: Vec<Line>) {
        self.waiting.extend(lines);
        if self.waiting.is_empty() {
            self.read_more();
        }
    }

    /// Notes that nothing comes any more.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The line to use next.
    pub(crate) fn first(&self) -> Option<&Line> {
        self.waiting.front()
    }

    /// Uses it.
    pub(crate) fn take_first(&mut self) -> Option<Line> {
        let line = self.waiting.pop_front()?;
        if self.waiting.is_empty() {
            self.read_more();
        }
        Some(line)
    }

    /// Whether everything has been used and nothing comes any more.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    fn read_more(&self) {
        // Full means that a read is due already; closed, that the input is over.
        let _ = self.reads_due.try_send(());
    }
}

fn read_lines(mut input: impl Read, line_bytes_max: usize, read_when: &Receiver<()>, inbox: &Inbox) {
    let mut cutter = Cutter::new(line_bytes_max);
    let mut buffer = vec![0; READ_BYTES];
    while read_when.recv().is_ok() {
        let read = loop {
            match input.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let (lines, end) = match read {
            Ok(0) => (cutter.rest().into_iter().collect(), Some(UserInput::End)),
            Ok(bytes) => (cutter.cut(&buffer[..bytes]), None),
            Err(error) => (Vec::new(), Some(UserInput::Failed(format!("cannot read the input: {error}")))),
        };
        if inbox.send(Arrival::User(UserInput::Lines(lines))).is_err() {
            return;
        }
        if let Some(end) = end {
            let _ = inbox.send(Arrival::User(end));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(slices: &[&[u8]]) -> Vec<Line> {
        let mut cutter = Cutter::new(5);
        let mut lines: Vec<Line> = slices.iter().flat_map(|slice| cutter.cut(slice)).collect();
        lines.extend(cutter.rest());
        lines
    }

    #[test]
    fn any_slicing_gives_the_same_lines_and_long_ones_are_told_not_kept() {
        let input = b"one\r\n\n12345\r\n123456\n\xff\n1234567890\nlast";
        let expected = vec![
            Line::Text("one".into()),
            Line::Text(String::new()),
            Line::Text("12345".into()),
            Line::TooLong { bytes: 6 },
            Line::NotUtf8,
            Line::TooLong { bytes: 10 },
            Line::Text("last".into()),
        ];
        assert_eq!(cut(&[input]), expected);
        for at in 0..input.len() {
            assert_eq!(cut(&[&input[..at], &input[at..]]), expected, "split at {at}");
        }
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(cut(&bytes), expected);
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut cutter = Cutter::new(5);
        for _ in 0..1_000 {
            assert!(cutter.cut(&[b'x'; 1_000]).is_empty());
            assert!(cutter.line.capacity() <= 1_024);
        }
        assert_eq!(cutter.cut(b"\n"), [Line::TooLong { bytes: 1_000_000 }]);
    }
}
