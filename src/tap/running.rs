//! A relay in a thread of its own, and what is told at its start and its end.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use glassline_tap::relay::{Observations, is_unused};
use glassline_tap::{Observation, Recorder, Relay, RelayError, RelayHandle, RelayOptions, Summary, cause};

use super::arguments::LineArguments;
use super::columns::safe;
use super::worded;
use crate::note;

/// Different problems that are told at the end; further ones are counted.
const PROBLEMS_MAX: usize = 16;

/// A relay that runs until [`Running::end`].
pub(super) struct Running {
    address: SocketAddr,
    handle: RelayHandle,
    thread: JoinHandle<Result<Summary, RelayError>>,
    recording: Option<PathBuf>,
    has_server: bool,
}

/// Says that nothing listened on the server's address when the tap started, and the next step.
pub(super) struct NoServer(pub(super) SocketAddr);

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(to) = self;
        write!(
            f,
            "when the tap started, nothing listened on {to}, and clients are turned away until a server does: start it \
             (glassline serve), or end the tap and name the server's address with --to"
        )
    }
}

impl Running {
    /// Listens, begins the recording, and starts the relay.
    ///
    /// # Errors
    /// It cannot listen, or the recording cannot be made.
    pub(super) fn start(options: RelayOptions, arguments: &LineArguments) -> anyhow::Result<Self> {
        let mut relay = Relay::bind(options).map_err(|error| not_listening(&error))?;
        if let Some(file) = &arguments.record {
            let begin = if arguments.overwrite { Recorder::overwrite } else { Recorder::create };
            let recorder = begin(file, now_us()).map_err(worded)?;
            match &arguments.key_log {
                Some(key_log) => relay.record_with_key_log(recorder, key_log).map_err(worded)?,
                None => relay.record(recorder),
            }
        }
        let has_server = !is_unused(arguments.to);
        let (address, handle) = (relay.address(), relay.handle());
        let thread = thread::Builder::new().name("relay".into()).spawn(move || relay.run());
        let thread = thread.context("cannot start a thread")?;
        Ok(Self { address, handle, thread, recording: arguments.record.clone(), has_server })
    }

    /// Returns the address on which it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether something listened on the server's address at the start, as far as that is
    /// known.
    pub(super) fn has_server(&self) -> bool {
        self.has_server
    }

    /// Returns what controls it.
    pub(super) fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }

    /// Ends the relay, which completes the recording, and tells what it has done. Tells the problems
    /// that are given, else those that nobody has read yet.
    ///
    /// # Errors
    /// The relay has failed.
    pub(super) fn end(self, observations: &Observations, problems: Option<&Problems>) -> anyhow::Result<()> {
        self.handle.stop();
        let unread = Problems::default();
        // Until the relay has gone, so that nothing that it reports is lost.
        while let Ok(observation) = observations.receive_within(Duration::MAX) {
            if let Observation::Problem { text, .. } = observation {
                unread.add(&text);
            }
        }
        problems.unwrap_or(&unread).tell();
        match self.thread.join() {
            Ok(ended) => {
                note(summarized(self.recording, ended.map_err(worded)?));
                Ok(())
            }
            Err(_) => Err(anyhow!("the relay has failed; please report the words above")),
        }
    }
}

/// Returns the error of a relay that does not start, with the likely cause where another tap runs.
fn not_listening(error: &RelayError) -> anyhow::Error {
    match error {
        RelayError::Listen { address, error } if error.kind() == io::ErrorKind::AddrInUse => anyhow!(
            "cannot listen on {address}: another program listens there. If it is another tap, end it with q or Ctrl-C; \
             or choose another address with --listen"
        ),
        RelayError::Listen { address, error } => {
            anyhow!("cannot listen on {address}: {}; choose another with --listen", cause(error))
        }
        _ => worded(error),
    }
}

fn summarized(recording: Option<PathBuf>, Summary { connections, recorded_packets }: Summary) -> String {
    let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let connections = counted(connections, "connection");
    let Some(file) = recording else { return format!("{connections}, nothing recorded") };
    let recorded = recorded_packets.map_or_else(
        || "the recording stopped before the end".into(),
        |packets| format!("{}, complete", counted(packets, "packet")),
    );
    format!("{}: {connections}, {recorded}", safe(&file.to_string_lossy()))
}

/// Problems that were reported, each once, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems(Arc<Mutex<ProblemList>>);

#[derive(Debug, Default)]
struct ProblemList {
    texts: Vec<String>,
    /// Number of those beyond [`PROBLEMS_MAX`].
    further: u64,
}

impl Problems {
    /// Adds a problem, if it is another one than before.
    pub(super) fn add(&self, text: &str) {
        let mut list = self.list();
        if list.texts.iter().any(|known| known == text) {
            return;
        }
        if list.texts.len() < PROBLEMS_MAX {
            list.texts.push(text.to_owned());
        } else {
            list.further += 1;
        }
    }

    fn tell(&self) {
        let list = self.list();
        for text in &list.texts {
            note(format_args!("glassline: {}", safe(text)));
        }
        if list.further > 0 {
            note(format_args!("glassline: {} further problems", list.further));
        }
    }

    fn list(&self) -> MutexGuard<'_, ProblemList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time of the system, in microseconds since 1970 (UTC).
pub(super) fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_tells_whether_the_recording_is_complete() {
        let summary = |connections, recorded_packets| Summary { connections, recorded_packets };
        let file = || Some(PathBuf::from("a\u{1b}.pcapng"));
        assert_eq!(summarized(None, summary(1, None)), "1 connection, nothing recorded");
        assert_eq!(summarized(file(), summary(2, Some(31))), "a\u{fffd}.pcapng: 2 connections, 31 packets, complete");
        assert!(summarized(file(), summary(2, None)).ends_with("2 connections, the recording stopped before the end"));
    }

    #[test]
    fn problems_are_told_once_and_bounded() {
        let problems = Problems::default();
        for number in (0..100).chain(0..10) {
            problems.add(&number.to_string());
        }
        let list = problems.list();
        assert_eq!((list.texts.len(), list.further), (PROBLEMS_MAX, 84));
    }
}
