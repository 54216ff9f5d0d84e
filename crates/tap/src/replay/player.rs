//! Plays a script over a socket.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use glassline_wire::frame::frame as wire_frame;

use super::script::{Awaited, Script, Step};
use crate::frame::FrameKind;
use crate::meaning::{Meaning, Reader};
use crate::splitter::Splitter;
use crate::websocket;

/// Reads that wait for the player before the socket is not read.
const READS_MAX: usize = 64;
/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// Frames kept for later waits, and the memory of their content; the oldest are forgotten.
const ARRIVED_MAX: usize = 10_000;
const ARRIVED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Refusals and missing answers kept, and the bytes of a refusal.
const NOTES_MAX: usize = 1_000;
const NOTE_BYTES_MAX: usize = 1_024;

/// Error that ends a replay early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The socket failed.
    #[error("the connection failed after {sent} frames: {source}; look at the log of the other side")]
    Connection {
        /// Frames sent before.
        sent: u64,
        /// The cause.
        source: io::Error,
    },
    /// The peer does not read.
    #[error(
        "the other side took nothing for {} s, after {sent} frames; see whether it hangs, or wait longer with --wait-s",
        wait_max.as_secs_f32()
    )]
    NotTaken {
        /// Frames sent before.
        sent: u64,
        /// Time for which was waited.
        wait_max: Duration,
    },
}

/// Outcome of a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Frames sent.
    pub sent: u64,
    /// Frames received.
    pub received: u64,
    /// Things that did not arrive within the time limit; the script went on without it.
    pub missing: Vec<Awaited>,
    /// Errors and refusals that the other side sent, in its words.
    pub rejections: Vec<String>,
    /// The other side ended the connection before the script was through.
    pub ended_by_peer: bool,
}

/// A script under way.
#[derive(Debug)]
pub struct Player<'a> {
    script: &'a Script,
    stream: TcpStream,
    reads: Receiver<io::Result<Vec<u8>>>,
    wait_max: Duration,
    splitter: Splitter,
    reader: Reader,
    /// Received and not waited for yet.
    arrived: VecDeque<Received>,
    /// Memory of the content of `arrived`, in bytes.
    arrived_bytes: usize,
    outcome: Outcome,
}

/// A frame that was received.
#[derive(Debug)]
struct Received {
    kind: FrameKind,
    meaning: Meaning,
    held_bytes: usize,
}

impl<'a> Player<'a> {
    /// Plays this script on a connected socket; each wait lasts at most `wait_max`.
    ///
    /// # Errors
    /// The socket cannot be read by a second thread.
    pub fn new(script: &'a Script, stream: TcpStream, wait_max: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(wait_max))?;
        let mut source = stream.try_clone()?;
        let (sender, reads) = sync_channel(READS_MAX);
        // It ends with the socket, which `run` shuts down.
        thread::spawn(move || {
            let mut buffer = vec![0; READ_BYTES];
            loop {
                let read = source.read(&mut buffer).map(|bytes| buffer[..bytes].to_vec());
                let is_last = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        let (splitter, reader) = (Splitter::new(1), Reader::default());
        Ok(Self {
            script,
            stream,
            reads,
            wait_max,
            splitter,
            reader,
            arrived: VecDeque::new(),
            arrived_bytes: 0,
            outcome: Outcome::default(),
        })
    }

    /// Plays the script to its end, or until the other side ends the connection.
    ///
    /// # Errors
    /// The connection failed.
    pub fn run(mut self) -> Result<Outcome, ReplayError> {
        let script = self.script;
        for step in script.steps() {
            if self.outcome.ended_by_peer {
                break;
            }
            match step {
                Step::Send { bytes, .. } => {
                    self.send(bytes)?;
                    self.outcome.sent += 1;
                }
                Step::Wait(awaited) => self.wait_for(awaited)?,
            }
        }
        let _ = self.stream.shutdown(Shutdown::Write);
        let deadline = Instant::now() + self.wait_max;
        let was_complete = !self.outcome.ended_by_peer;
        while !self.outcome.ended_by_peer && self.receive(deadline)? {}
        self.outcome.ended_by_peer = !was_complete;
        let _ = self.stream.shutdown(Shutdown::Both);
        Ok(self.outcome)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), ReplayError> {
        let written = self.stream.write_all(bytes);
        let sent = self.outcome.sent;
        let wait_max = self.wait_max;
        written.map_err(|source| match source.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => ReplayError::NotTaken { sent, wait_max },
            _ => ReplayError::Connection { sent, source },
        })?;
        // What this side sends decides the dialect.
        let reader = &mut self.reader;
        self.splitter.receive(self.script.direction(), bytes, 0, |frame| {
            reader.read(&frame);
        });
        Ok(())
    }

    fn wait_for(&mut self, awaited: &Awaited) -> Result<(), ReplayError> {
        let deadline = Instant::now() + self.wait_max;
        loop {
            if self.take(awaited) {
                return Ok(());
            }
            if self.outcome.ended_by_peer || !self.receive(deadline)? {
                if self.outcome.missing.len() < NOTES_MAX {
                    self.outcome.missing.push(awaited.clone());
                }
                return Ok(());
            }
        }
    }

    /// Removes what is awaited from what has arrived; whatever came before it is not waited for.
    fn take(&mut self, awaited: &Awaited) -> bool {
        let has = |field: &str, value: &str, meaning: &Meaning| {
            meaning
                .content
                .as_ref()
                .is_some_and(|content| content.get(field).and_then(|found| found.as_str()) == Some(value))
        };
        let count = match awaited {
            Awaited::Frames(count) => Some(*count as usize).filter(|count| self.arrived.len() >= *count),
            Awaited::Opening => {
                self.arrived.iter().position(|received| received.kind == FrameKind::Opening).map(|at| at + 1)
            }
            Awaited::Kind(kind) => {
                self.arrived.iter().position(|received| has("type", kind, &received.meaning)).map(|at| at + 1)
            }
            Awaited::Reference(reference) => {
                self.arrived.iter().position(|received| has("ref", reference, &received.meaning)).map(|at| at + 1)
            }
        };
        for _ in 0..count.unwrap_or(0) {
            self.forget_oldest();
        }
        count.is_some()
    }

    fn keep(&mut self, kind: FrameKind, meaning: Meaning) {
        let held_bytes = meaning.held_bytes();
        self.arrived_bytes += held_bytes;
        self.arrived.push_back(Received { kind, meaning, held_bytes });
        while self.arrived.len() > ARRIVED_MAX || self.arrived_bytes > ARRIVED_BYTES_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.arrived.pop_front() {
            self.arrived_bytes -= oldest.held_bytes;
        }
    }

    /// Takes in what arrives before the deadline; returns whether anything did.
    fn receive(&mut self, deadline: Instant) -> Result<bool, ReplayError> {
        let sent = self.outcome.sent;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // A peer that floods always has something.
            return Ok(false);
        }
        let bytes = match self.reads.recv_timeout(left) {
            Ok(read) => read.map_err(|source| ReplayError::Connection { sent, source })?,
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
        };
        if bytes.is_empty() {
            self.outcome.ended_by_peer = true;
            return Ok(false);
        }
        let mut frames = Vec::new();
        self.splitter.receive(self.script.direction().opposite(), &bytes, 0, |frame| frames.push(frame));
        for frame in frames {
            let meaning = self.reader.read(&frame);
            self.outcome.received += 1;
            match (meaning.kind.as_str(), &meaning.text) {
                ("ping", _) => {
                    let pong = wire_frame(br#"{"type":"pong"}"#);
                    let direction = self.script.direction();
                    self.send(&if frame.in_websocket { websocket::message(direction, &pong) } else { pong })?;
                }
                ("ws_ping", _) => self.send(&websocket::pong(&frame))?,
                ("error" | "bye", Some(text)) if self.outcome.rejections.len() < NOTES_MAX => {
                    self.outcome.rejections.push(text[..text.floor_char_boundary(NOTE_BYTES_MAX)].to_owned());
                }
                _ => {}
            }
            self.keep(frame.kind, meaning);
        }
        Ok(true)
    }
}
