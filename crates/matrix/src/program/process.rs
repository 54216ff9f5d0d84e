//! The process of a scheme, with a deadline for each answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Time for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest line of a program in bytes.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Causes for which a program is no scheme. All are the program's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The system does not start it.
    #[error("{0} cannot be started: {1}; is it executable, and does its first line name an interpreter?")]
    Start(PathBuf, String),
    /// It has ended, or closed its output.
    #[error("the scheme's program has ended; run it by hand and paste a request to see why")]
    Ended,
    /// It gave no answer in time.
    #[error("the scheme's program did not answer within {} s; does it flush after each line?", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// The answer is no JSON object.
    #[error("the scheme's program answers with no JSON object: {0}")]
    NotAnObject(String),
}

/// A running program. It is ended with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    failure: Option<ProgramError>,
}

impl Process {
    pub(super) fn start(program: &Path) -> Result<Self, ProgramError> {
        let failed = |error: &dyn ToString| ProgramError::Start(program.to_owned(), error.to_string());
        // A name without a folder is a file here, not a program of PATH.
        let path = program.canonicalize().map_err(|error| failed(&error))?;
        let mut child =
            Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| failed(&error))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"it has no standard input or output"));
        };
        let (sender, lines) = sync_channel(1);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = String::new();
                let read = output.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
                if read.is_err() || line.is_empty() || sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, lines, failure: None })
    }

    /// Sends a request and waits for its answer. After a failure every request fails.
    pub(super) fn ask(&mut self, request: &Value) -> Result<Value, ProgramError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let answered = self.exchange(request);
        self.failure = answered.as_ref().err().cloned();
        answered
    }

    fn exchange(&mut self, request: &Value) -> Result<Value, ProgramError> {
        writeln!(self.input, "{request}").and_then(|()| self.input.flush()).map_err(|_| ProgramError::Ended)?;
        let line = self.lines.recv_timeout(ANSWER_TIMEOUT).map_err(|error| match error {
            std::sync::mpsc::RecvTimeoutError::Timeout => ProgramError::Silent,
            std::sync::mpsc::RecvTimeoutError::Disconnected => ProgramError::Ended,
        })?;
        let answer: Option<Value> = serde_json::from_str(&line).ok().filter(Value::is_object);
        answer.ok_or_else(|| ProgramError::NotAnObject(line.chars().take(200).collect()))
    }

    pub(super) fn failure(&self) -> Option<&ProgramError> {
        self.failure.as_ref()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
