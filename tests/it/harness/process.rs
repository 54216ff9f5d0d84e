//! The real binary in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::program::{Folder, PROGRAM, command};

/// End of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Lines written to stdout since it was last examined.
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

/// `glassline` with some arguments; killed when it goes.
pub(crate) struct Process {
    /// Of the first `listening on` line.
    pub(crate) address: SocketAddr,
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    // There for as long as the process is.
    _home: Folder,
}

impl Process {
    /// `glassline serve` on a free port.
    pub(crate) fn serve(arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Self::listening(PROGRAM, &arguments)
    }

    /// The same with so many descriptors.
    #[cfg(target_os = "linux")]
    pub(crate) fn serve_with_descriptors(count: usize) -> Self {
        let script = format!("ulimit -n {count}; exec \"$0\" serve --listen 127.0.0.1:0");
        Self::listening("sh", &["-c", &script, PROGRAM])
    }

    /// `glassline` with arguments that make it end by itself.
    pub(crate) fn ended(arguments: &[&str]) -> Ended {
        Self::spawn(PROGRAM, arguments).wait(Duration::from_secs(10))
    }

    #[track_caller]
    fn listening(program: &str, arguments: &[&str]) -> Self {
        let mut process = Self::spawn(program, arguments);
        process.address = process.expect_listening();
        process
    }

    fn spawn(program: &str, arguments: &[&str]) -> Self {
        let home = Folder::new();
        let mut command = command(program, &home);
        command.args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (lines, stdout) = channel();
        let out = child.stdout.take().expect("stdout");
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                // The test may have ended, and with it the interest.
                let _ = lines.send(line.expect("stdout is UTF-8"));
            }
        });
        let mut err = child.stderr.take().expect("stderr");
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            err.read_to_end(&mut bytes).expect("stderr can be read");
            bytes
        });
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { address, child, stdout, stderr: Some(stderr), _home: home }
    }

    /// The next line of stdout, which must be exactly `listening on ADDRESS:PORT`.
    #[track_caller]
    pub(crate) fn expect_listening(&mut self) -> SocketAddr {
        let line = self.stdout.recv_timeout(Duration::from_secs(10)).expect("a line on stdout");
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("not where it listens: {line:?}"))
    }

    /// The next line of stdout, which must be exactly `metrics on ADDRESS:PORT`.
    #[track_caller]
    pub(crate) fn expect_metrics(&mut self) -> SocketAddr {
        let line = self.stdout.recv_timeout(Duration::from_secs(10)).expect("a line on stdout");
        let address = line.strip_prefix("metrics on ").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("not where metrics are: {line:?}"))
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success(), "{kill}");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self, patience: Duration) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.stdout.recv_timeout(patience) {
                Ok(line) => stdout.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it has not ended within {patience:?}"),
            }
        }
        let status = self.child.wait().expect("an exit status");
        let stderr = self.stderr.take().expect("waited for once").join().expect("the reader of stderr");
        Ended { code: status.code(), stdout, stderr: String::from_utf8(stderr).expect("stderr is UTF-8") }
    }

    /// Asks it to end, and holds it to doing that in order.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        let ended = self.wait(Duration::from_secs(5));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }
}

#[cfg(target_os = "linux")]
impl Process {
    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("the process is there")
    }

    /// Returns the number of descriptors that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the process is there").count()
    }

    /// Its memory in KiB.
    pub(crate) fn memory_kib(&self) -> usize {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Hundredths of a second that it has computed so far, in itself and in the kernel.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').expect("fields behind the name");
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
