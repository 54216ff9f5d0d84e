//! The server under test: a child that is started again and again on the same file, and killed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

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
        let stderr = File::create(self.stderr())?;
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn()?;
        let (line, first_line) = channel();
        if let Some(stdout) = child.stdout.take() {
            // Ends with the child, whose stdout it reads to the end so that the child never waits for it.
            thread::spawn(move || {
                for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = line.send(text);
                }
            });
        }
        Ok(Server { child, first_line })
    }

    /// The last lines that the server wrote on stderr.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 8;
        let text = fs::read_to_string(self.stderr()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// A running server; killed when it goes.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    first_line: Receiver<String>,
}

impl Server {
    /// Returns the address on which it listens; none if it does not listen within `limit`.
    ///
    /// # Errors
    /// It ended, or said something else.
    pub(crate) fn address_within(&mut self, limit: Duration) -> Result<Option<SocketAddr>, Fault> {
        match self.first_line.recv_timeout(limit) {
            Ok(line) => {
                let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
                address.map(Some).ok_or_else(|| Fault::NoStart(format!("its first line is {line:?}")))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                let ended = self.child.wait()?;
                Err(Fault::NoStart(format!("it ended before it listened ({ended})")))
            }
        }
    }

    /// Returns the exit status, if it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Kills it: SIGKILL, without a word.
    ///
    /// # Errors
    /// It had ended by itself before.
    pub(crate) fn kill(&mut self) -> Result<(), Fault> {
        if let Some(detail) = self.ended() {
            return Err(Fault::Closed { by: "everybody".to_owned(), detail });
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of one's own.
///
/// # Errors
/// It cannot be made.
pub(crate) fn fresh_folder(parent: &Path) -> std::io::Result<PathBuf> {
    let micros = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
    let folder = parent.join(format!("glassline-crash-{}-{micros}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Waits until a moment, without sleeping through it.
pub(crate) fn spin_until(moment: Instant) {
    while Instant::now() < moment {
        thread::yield_now();
    }
}
