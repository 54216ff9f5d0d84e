//! The server under test: a child that is started again and again on the same file, and killed.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use glassline_testkit::Process;

use crate::fault::Fault;

/// Program and options with which the server is started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The program; it understands `serve` and `history`.
    pub(crate) path: PathBuf,
    /// Options of `serve` beside its address and its file.
    pub(crate) serve_options: Vec<String>,
    /// Folder of the history and of the server's stderr.
    pub(crate) folder: PathBuf,
}

impl Program {
    /// The file that outlives the servers.
    pub(crate) fn history(&self) -> PathBuf {
        self.folder.join("history.db")
    }

    fn stderr(&self) -> PathBuf {
        self.folder.join("server.stderr")
    }

    /// The program with the user's settings out of its sight.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().env("HOME", &self.folder).env("USER", "crash").stdin(Stdio::null());
        command
    }

    /// Starts a server, which need not listen yet.
    pub(crate) fn start(&self) -> Result<Server, Fault> {
        let mut command = self.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--history"]).arg(self.history()).args(&self.serve_options);
        Ok(Server(Process::spawn(command.stderr(File::create(self.stderr())?))?))
    }

    /// The last lines that the server wrote on stderr.
    pub(crate) fn stderr_tail(&self) -> String {
        const LINES: usize = 8;
        let text = fs::read_to_string(self.stderr()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// A running server; killed with this value.
#[derive(Debug)]
pub(crate) struct Server(Process);

impl Server {
    /// Returns the address on which it listens; none if it does not listen within `limit`.
    ///
    /// # Errors
    /// It ended, or its first line is another.
    pub(crate) fn address_within(&mut self, limit: Duration) -> Result<Option<SocketAddr>, Fault> {
        match self.0.line_within(limit) {
            Ok(line) => {
                let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
                address.map(Some).ok_or_else(|| Fault::NoStart(format!("its first line is {line:?}")))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                let ended = self.0.wait()?;
                Err(Fault::NoStart(format!("it ended before it listened ({ended})")))
            }
        }
    }

    /// Returns the exit status, if it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.0.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<(), Fault> {
        if let Some(detail) = self.ended() {
            return Err(Fault::Closed { by: "everybody".to_owned(), detail });
        }
        self.0.kill()?;
        Ok(())
    }
}

/// Waits until a moment, without sleeping through it.
pub(crate) fn spin_until(moment: Instant) {
    while Instant::now() < moment {
        thread::yield_now();
    }
}
