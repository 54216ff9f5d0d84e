//! Processes that end with the value that started them.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longest wait for a line or an end. It ends with what is waited for, so it is as long as a busy
/// machine may need for deriving several keys from passphrases.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// End of a process.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Lines of stdout that were not taken before.
    pub stdout: Vec<String>,
    /// Everything it wrote on stderr, if that was piped.
    pub stderr: String,
}

/// A process whose stdout is read line by line; killed with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    leads_group: bool,
}

impl Process {
    /// Starts a command, in this process's group: Ctrl-C reaches it too.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let (lines, stdout) = channel();
        let out = child.stdout.take().expect("stdout is piped");
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                // The test may have ended, and with it the interest.
                let _ = lines.send(line.expect("stdout is UTF-8"));
            }
        });
        let stderr = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                stderr.read_to_end(&mut bytes).expect("stderr can be read");
                bytes
            })
        });
        Ok(Self { child, stdout, stderr, leads_group: false })
    }

    /// Starts a command with all three streams piped, in a group of its own, which is killed as a
    /// whole.
    #[cfg(unix)]
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        use std::os::unix::process::CommandExt as _;
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut process = Self::spawn(&mut command).expect("the program starts");
        process.leads_group = true;
        process
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its stdin.
    #[track_caller]
    pub fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is open");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads its stdin");
    }

    /// Closes its stdin.
    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Returns the next line of its stdout.
    ///
    /// # Errors
    /// None within `limit`, or the output has ended.
    pub fn line_within(&self, limit: Duration) -> Result<String, RecvTimeoutError> {
        self.stdout.recv_timeout(limit)
    }

    /// Returns the next line of its stdout.
    #[track_caller]
    pub fn line(&self) -> String {
        self.line_within(WAIT_MAX).expect("another line")
    }

    /// Sends it, and nothing it started, a signal by name.
    #[cfg(unix)]
    #[track_caller]
    pub fn signal(&self, name: &str) {
        signal(name, i64::from(self.id()));
    }

    /// Returns the exit status, if it has ended.
    ///
    /// # Errors
    /// The system does not say.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The system does not say.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Kills it (SIGKILL) and waits for its end.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(self) -> Ended {
        self.ended_within(WAIT_MAX)
    }

    /// Waits for its end for at most `limit` after each line of its stdout.
    #[track_caller]
    pub fn ended_within(mut self, limit: Duration) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.line_within(limit) {
                Ok(line) => stdout.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end within {limit:?}; its stdout is {stdout:?}"),
            }
        }
        let code = self.child.wait().expect("an exit status").code();
        let stderr = self.stderr.take().map(|stderr| stderr.join().expect("the reader of stderr"));
        Ended { code, stdout, stderr: String::from_utf8(stderr.unwrap_or_default()).expect("stderr is UTF-8") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.leads_group {
            // It may have ended by itself, and what it started with it.
            let group = format!("kill -9 -{} 2>&-", self.id());
            let _ = Command::new("sh").args(["-c", &group]).status();
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by name to a process, or to a group whose id is given as a negative number.
#[cfg(unix)]
#[track_caller]
pub fn signal(name: &str, process: i64) {
    let kill = format!("kill -{name} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
}

/// Returns the resident memory of this process in KiB, with that of the tests that run beside the
/// caller; 0 where there is no `/proc`.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

#[cfg(all(test, unix))]
mod tests;
