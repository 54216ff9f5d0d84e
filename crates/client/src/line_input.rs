//! Bounded lines from the standard input, read only as fast as they are used.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::inbox::{DriverEvent, Inbox, UserInput};
use crate::line_splitter::{InputLine, LineSplitter};

/// Bytes asked for at a time.
const READ_BYTES: usize = 16 * 1024;

/// Lines that were read and are not used yet; more are read when none is left.
#[derive(Debug)]
pub(crate) struct LineInput {
    waiting: VecDeque<InputLine>,
    ended: bool,
    reads_due: SyncSender<()>,
}

impl LineInput {
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
        let line_input = Self { waiting: VecDeque::new(), ended: false, reads_due };
        line_input.read_more();
        Ok(line_input)
    }

    /// Creates an input whose lines are [added](LineInput::add) by the caller.
    pub(crate) fn added() -> Self {
        let (reads_due, _) = sync_channel(1);
        Self { waiting: VecDeque::new(), ended: false, reads_due }
    }

    pub(crate) fn add(&mut self, lines: Vec<InputLine>) {
        self.waiting.extend(lines);
        if self.waiting.is_empty() {
            self.read_more();
        }
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn first(&self) -> Option<&InputLine> {
        self.waiting.front()
    }

    pub(crate) fn take_first(&mut self) -> Option<InputLine> {
        let line = self.waiting.pop_front()?;
        if self.waiting.is_empty() {
            self.read_more();
        }
        Some(line)
    }

    /// Returns whether the input has ended and all lines are used.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    /// Returns whether more lines may follow.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.ended
    }

    /// Returns the number of unused lines, without blank ones.
    pub(crate) fn unused(&self) -> usize {
        self.waiting.iter().filter(|line| !line.is_blank()).count()
    }

    fn read_more(&self) {
        // Full means that a read is due already; closed, that the input is over.
        let _ = self.reads_due.try_send(());
    }
}

fn read_lines(mut input: impl Read, line_bytes_max: usize, read_when: &Receiver<()>, inbox: &Inbox) {
    let mut cutter = LineSplitter::new(line_bytes_max);
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
        if inbox.send(DriverEvent::User(UserInput::Lines(lines))).is_err() {
            return;
        }
        if let Some(end) = end {
            let _ = inbox.send(DriverEvent::User(end));
            return;
        }
    }
}
