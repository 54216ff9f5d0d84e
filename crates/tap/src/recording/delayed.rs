//! A recording that waits for secrets which another program writes to a key log.
//!
//! A reader looks for the secrets of a TLS connection when it meets its `ServerHello`. So from a
//! `ClientHello` on, everything waits in memory until the secrets of that connection are in the key
//! log; they are recorded first. The relay never waits.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::event::Event;
use super::hello::{Hello, HelloReader};
use super::key_log::KeyLog;
use super::{Recorder, RecordingError};

/// Bound on what waits, in bytes of memory. Beyond, it is recorded without secrets.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest wait for the secrets of a connection: a client writes them within its handshake.
const WAIT_MAX_US: u64 = 5_000_000;
/// Time between two looks at the key log.
const LOOK_EVERY_US: u64 = 20_000;
/// Bound on the secrets of one connection, in bytes.
const SECRETS_BYTES_MAX: usize = 8 * 1024;
/// Lines of TLS 1.3 without which a recording does not decrypt.
const NEEDED: [&str; 4] = [
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
];
/// The line of earlier versions, which suffices.
const MASTER_SECRET: &str = "CLIENT_RANDOM";

/// A recorder behind a queue.
#[derive(Debug)]
pub(crate) struct DelayedRecorder {
    recorder: Recorder,
    key_log: KeyLog,
    /// Connections whose first bytes have not told what they are.
    openings: BTreeMap<u64, HelloReader>,
    /// Connections whose secrets are waited for.
    handshakes: BTreeMap<u64, Handshake>,
    /// Their numbers by the client's random.
    randoms: BTreeMap<String, u64>,
    queue: VecDeque<(u64, Event<'static>, u64)>,
    waiting_bytes: usize,
    look_at_us: u64,
    problems: Vec<String>,
}

/// Connection whose secrets are waited for.
#[derive(Debug)]
struct Handshake {
    random: String,
    until_us: u64,
    lines: String,
}

impl Handshake {
    fn is_complete(&self) -> bool {
        let has = |label: &&str| self.lines.lines().any(|line| line.split(' ').next() == Some(label));
        NEEDED.iter().all(has) || has(&MASTER_SECRET)
    }
}

impl DelayedRecorder {
    /// Delays this recording by the secrets of a key log, which need not be there yet.
    ///
    /// # Errors
    /// The key log cannot be read.
    pub(crate) fn new(recorder: Recorder, key_log: &Path) -> Result<Self, RecordingError> {
        let followed = KeyLog::follow(key_log);
        let key_log = followed.map_err(|source| RecordingError::KeyLog { path: key_log.to_owned(), source })?;
        Ok(Self {
            recorder,
            key_log,
            openings: BTreeMap::new(),
            handshakes: BTreeMap::new(),
            randoms: BTreeMap::new(),
            queue: VecDeque::new(),
            waiting_bytes: 0,
            look_at_us: 0,
            problems: Vec::new(),
        })
    }

    /// Records something, or lets it wait: behind the secrets of its connection, or what waits already.
    pub(crate) fn record(&mut self, connection: u64, event: Event<'_>, at_us: u64) -> Result<(), RecordingError> {
        let is_waiting = !self.queue.is_empty() || self.handshakes.contains_key(&connection);
        self.note_opening(connection, &event, at_us);
        if !is_waiting {
            return event.record(&mut self.recorder, connection, at_us);
        }
        self.waiting_bytes += event.held_bytes();
        self.queue.push_back((connection, event.into_owned(), at_us));
        if self.waiting_bytes > WAITING_BYTES_MAX {
            self.give_up(|_| true, "too much waits for them");
            self.record_waiting()?;
        }
        Ok(())
    }

    /// Records secrets of other connections, before what is recorded next.
    pub(crate) fn secrets(&mut self, lines: &str, at_us: u64) -> Result<(), RecordingError> {
        self.recorder.secrets(lines, at_us)
    }

    /// Looks for the beginning of a TLS handshake.
    fn note_opening(&mut self, connection: u64, event: &Event<'_>, at_us: u64) {
        match event {
            Event::Opened(_) => drop(self.openings.insert(connection, HelloReader::default())),
            Event::Closed => drop(self.openings.remove(&connection)),
            _ => {}
        }
        let bytes = event.sent_by_client();
        let Some(opening) = self.openings.get_mut(&connection).filter(|_| !bytes.is_empty()) else { return };
        match opening.receive(bytes) {
            Hello::Incomplete => return,
            Hello::Random(random) => {
                let until_us = at_us + WAIT_MAX_US;
                if self.handshakes.is_empty() {
                    self.look_at_us = at_us + LOOK_EVERY_US;
                }
                self.randoms.insert(random.clone(), connection);
                self.handshakes.insert(connection, Handshake { random, until_us, lines: String::new() });
            }
            Hello::Other => {}
        }
        self.openings.remove(&connection);
    }

    /// Returns when [`Self::flush_due`] is to be called.
    pub(crate) fn due_us(&self) -> Option<u64> {
        let look_at_us = (!self.handshakes.is_empty()).then_some(self.look_at_us);
        [look_at_us, self.recorder.due_us()].into_iter().flatten().min()
    }

    /// Looks at the key log, and records what need not wait any longer.
    pub(crate) fn flush_due(&mut self, now_us: u64) -> Result<(), RecordingError> {
        if !self.handshakes.is_empty() && self.look_at_us <= now_us {
            let has_more = self.look(now_us)?;
            self.look_at_us = if has_more { now_us } else { now_us + LOOK_EVERY_US };
            self.give_up(|handshake| handshake.until_us <= now_us, "they are not in the key log after 5 s");
            self.record_waiting()?;
        }
        self.recorder.flush_due(now_us)
    }

    /// Takes lines of the key log in, and records the secrets that are complete. Returns whether there
    /// may be more lines at once.
    fn look(&mut self, now_us: u64) -> Result<bool, RecordingError> {
        let (handshakes, randoms) = (&mut self.handshakes, &self.randoms);
        let read = self.key_log.read(|line| {
            let random = line.split(' ').nth(1).unwrap_or_default().to_ascii_lowercase();
            if let Some(handshake) = randoms.get(&random).and_then(|connection| handshakes.get_mut(connection))
                && handshake.lines.len() + line.len() < SECRETS_BYTES_MAX
            {
                handshake.lines.push_str(line);
                handshake.lines.push('\n');
            }
        });
        let has_more = read.unwrap_or_else(|error| {
            self.give_up(|_| true, &format!("the key log cannot be read: {error}"));
            false
        });
        for (_, handshake) in self.handshakes.extract_if(.., |_, handshake| handshake.is_complete()) {
            self.randoms.remove(&handshake.random);
            self.recorder.secrets(&handshake.lines, now_us)?;
        }
        Ok(has_more)
    }

    /// Waits no longer for the secrets of some connections.
    fn give_up(&mut self, mut is_meant: impl FnMut(&Handshake) -> bool, reason: &str) {
        for (connection, handshake) in self.handshakes.extract_if(.., |_, handshake| is_meant(handshake)) {
            self.randoms.remove(&handshake.random);
            self.problems.push(format!(
                "connection {connection} stays encrypted in the recording, since its secrets are missing: {reason}"
            ));
        }
    }

    /// Records what waits, up to the first connection whose secrets are waited for.
    fn record_waiting(&mut self) -> Result<(), RecordingError> {
        while let Some((connection, event, at_us)) =
            self.queue.pop_front_if(|(connection, ..)| !self.handshakes.contains_key(connection))
        {
            self.waiting_bytes -= event.held_bytes();
            event.record(&mut self.recorder, connection, at_us)?;
        }
        Ok(())
    }

    /// Returns what the user must know of connections that stay encrypted, once.
    pub(crate) fn take_problems(&mut self) -> Vec<String> {
        std::mem::take(&mut self.problems)
    }

    /// Completes the file, with the secrets that are there, and returns its packets.
    pub(crate) fn finish(mut self, now_us: u64) -> Result<u64, RecordingError> {
        while !self.handshakes.is_empty() && self.look(now_us)? {}
        self.handshakes.clear();
        self.record_waiting()?;
        self.recorder.finish()
    }
}

#[cfg(test)]
mod tests;
