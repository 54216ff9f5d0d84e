//! The process of a scheme, with a deadline for each answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use glassline_secure::external::{Program, REPLY_BYTES_MAX};

/// Time for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A running program. It is ended with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// Once it has failed: a late answer would be taken for that of another request.
    failure: Option<String>,
}

impl Process {
    /// Starts it.
    pub(super) fn start(program: &Path) -> io::Result<Self> {
        // A name without a folder is a file here, not a program of PATH.
        let path = program.canonicalize()?;
        let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no standard input or output"));
        };
        let (sender, lines) = sync_channel(1);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = String::new();
                let bytes_max = REPLY_BYTES_MAX as u64;
                let read = output.by_ref().take(bytes_max).read_line(&mut line);
                if read.is_err() || line.is_empty() || sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, lines, failure: None })
    }

    fn ask(&mut self, line: &str) -> Result<String, String> {
        const ENDED: &str = "it has ended; run it by hand and paste a request to see why";
        let written = self.input.write_all(line.trim_end().as_bytes()).and_then(|()| self.input.write_all(b"\n"));
        written.and_then(|()| self.input.flush()).map_err(|_| ENDED.to_owned())?;
        self.lines.recv_timeout(ANSWER_TIMEOUT).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                format!("nothing within {} s; does it flush after each line?", ANSWER_TIMEOUT.as_secs())
            }
            RecvTimeoutError::Disconnected => ENDED.to_owned(),
        })
    }
}

impl Program for Process {
    fn exchange(&mut self, line: &str) -> Result<String, String> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let answered = self.ask(line);
        self.failure = answered.as_ref().err().cloned();
        answered
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
