//! The binary, or a script around it, as a user has it: with a home of its own and nothing of this machine's in its environment.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::harness::test_layer;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_glassline");
/// Nothing here takes long; what takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(20);

/// A folder of this test; gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder above it")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// Makes a named pipe with nobody at its other end.
    pub(crate) fn pipe(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the target folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// End of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Lines of stdout that nobody took before.
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

/// A program under way; killed with all that it started when it goes.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

/// A command that has `home` for its home, with the folders in it where a user who chose none has them, and that finds the binary as
/// `glassline`.
pub(crate) fn command(program: &str, home: &Folder) -> Command {
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    let path = std::env::var("PATH").expect("PATH");
    let mut command = Command::new(program);
    command.env_clear().env("PATH", format!("{}:{path}", folder.display())).env("HOME", home.path());
    command.env("USER", "login").env("TZ", "UTC").envs(test_layer());
    command
}

/// Runs a command to its end, with nothing to read.
#[track_caller]
pub(crate) fn run(command: Command) -> Ended {
    let mut program = Program::start(command);
    program.finish();
    program.ended()
}

impl Program {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("it starts");
        let (out, mut err) = (child.stdout.take().expect("stdout"), child.stderr.take().expect("stderr"));
        let (lines, stdout) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                // The test may have ended, and with it the interest.
                let _ = lines.send(line.expect("stdout is UTF-8"));
            }
        });
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            err.read_to_end(&mut bytes).expect("stderr can be read");
            bytes
        });
        Self { child, stdout, stderr: Some(stderr) }
    }

    /// Writes a line to its stdin.
    #[track_caller]
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is open");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it takes what it is told");
    }

    /// Ends its stdin.
    pub(crate) fn finish(&mut self) {
        self.child.stdin = None;
    }

    /// The next line of its stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(DEADLINE).expect("another line")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it, and nothing it started, a signal by name.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.stdout.recv_timeout(DEADLINE) {
                Ok(line) => stdout.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; it said {stdout:?}"),
            }
        }
        let code = self.child.wait().expect("an exit status").code();
        let stderr = self.stderr.take().expect("waited for once").join().expect("the reader of stderr");
        Ended { code, stdout, stderr: String::from_utf8(stderr).expect("stderr is UTF-8") }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, and what it started with it.
        let group = format!("kill -9 -{} 2>&-", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).status();
        let _ = self.child.wait();
    }
}
