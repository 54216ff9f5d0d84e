//! The terminal's bytes, as they come.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::keyboard::decoder::KeyDecoder;
use crate::keyboard::event::TerminalEvent;

/// Bytes asked for at a time.
const READ_BYTES: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct TerminalInput {
    terminal: File,
    decoder: KeyDecoder,
    started: Instant,
    /// Bytes read but not returned yet.
    events: VecDeque<TerminalEvent>,
}

/// The terminal at the standard input, or the controlling terminal.
pub(super) fn open() -> io::Result<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() { Ok(stdin.as_fd().try_clone_to_owned()?.into()) } else { File::open("/dev/tty") }
}

impl TerminalInput {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self::syntax(open()?))
    }

    fn syntax(terminal: File) -> Self {
        Self { terminal, decoder: KeyDecoder::default(), started: Instant::now(), events: VecDeque::new() }
    }

    /// Waits for the next event; `None` once it is over.
    pub(crate) fn next_event(&mut self, over: &AtomicBool) -> io::Result<Option<TerminalEvent>> {
        let mut buffer = [0; READ_BYTES];
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let bytes_wait = self.wait()?;
            // Later input is for the terminal's next reader.
            if over.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if !bytes_wait {
                self.decoder.time_passed(self.now_ms(), &mut self.events);
                continue;
            }
            match self.terminal.read(&mut buffer) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the terminal is gone")),
                Ok(bytes) => self.decoder.take(&buffer[..bytes], self.now_ms(), &mut self.events),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for bytes, or until the decoder waits for them no longer; whether there are any.
    fn wait(&self) -> io::Result<bool> {
        loop {
            let timeout_ms = self.decoder.deadline_ms().map(|deadline_ms| deadline_ms.saturating_sub(self.now_ms()));
            let timeout = timeout_ms.and_then(|timeout_ms| Timespec::try_from(Duration::from_millis(timeout_ms)).ok());
            match poll(&mut [PollFd::new(&self.terminal, PollFlags::IN)], timeout.as_ref()) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The standard output without the standard library's buffer, which would make two writes of one
/// drawing.
pub(crate) fn unbuffered_stdout() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyboard::event::{Code, Key};
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    fn keyboard() -> (UnixStream, TerminalInput) {
        let (keys, terminal) = UnixStream::pair().expect("a pair");
        (keys, TerminalInput::syntax(OwnedFd::from(terminal).into()))
    }

    fn key(code: Code) -> TerminalEvent {
        TerminalEvent::Key(code.into())
    }

    #[test]
    fn events_come_one_by_one_and_a_lone_escape_in_time() {
        let (mut keys, mut input) = keyboard();
        let over = AtomicBool::new(false);
        let mut next = || input.next_event(&over).expect("readable");
        keys.write_all(b"a\x1b[A\x1b").expect("written");
        assert_eq!(next(), Some(key(Code::Char('a'))));
        assert_eq!(next(), Some(key(Code::Up)));
        assert_eq!(next(), Some(key(Code::Escape)));
        keys.write_all(b"\x1bb").expect("written");
        assert_eq!(next(), Some(TerminalEvent::Key(Key::alt(Code::Char('b')))));
        drop(keys);
        assert!(input.next_event(&over).is_err());
    }

    #[test]
    fn nothing_is_read_once_it_is_over() {
        let (mut keys, mut input) = keyboard();
        keys.write_all(b"a").expect("written");
        assert_eq!(input.next_event(&AtomicBool::new(true)).expect("readable"), None);
        assert_eq!(input.next_event(&AtomicBool::new(false)).expect("readable"), Some(key(Code::Char('a'))));
    }
}
