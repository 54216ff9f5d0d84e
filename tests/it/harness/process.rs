//! A server in a process of its own.

use std::net::SocketAddr;
use std::time::Duration;

use crate::harness::PATIENCE;
use crate::program::{Ended, Folder, PROGRAM, Process, command};

/// `glassline serve` with some arguments; killed with this value.
pub(crate) struct ServerProcess {
    /// Of the first `listening on` line.
    pub(crate) address: SocketAddr,
    process: Process,
    // There for as long as the process is.
    home: Folder,
}

impl ServerProcess {
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
        Self::spawn(PROGRAM, arguments).wait(PATIENCE)
    }

    /// The same with a home of the test's.
    #[track_caller]
    pub(crate) fn serve_at(home: Folder, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut process = Self::spawn_at(home, PROGRAM, &arguments);
        process.address = process.expect_listening();
        process
    }

    #[track_caller]
    fn listening(program: &str, arguments: &[&str]) -> Self {
        let mut process = Self::spawn(program, arguments);
        process.address = process.expect_listening();
        process
    }

    fn spawn(program: &str, arguments: &[&str]) -> Self {
        Self::spawn_at(Folder::new(), program, arguments)
    }

    fn spawn_at(home: Folder, program: &str, arguments: &[&str]) -> Self {
        let mut command = command(program, &home);
        command.args(arguments);
        let mut process = Process::start(command);
        process.close_stdin();
        Self { address: SocketAddr::from(([0, 0, 0, 0], 0)), process, home }
    }

    /// Returns the address in the next line of stdout, which must be exactly `listening on ADDRESS:PORT`.
    #[track_caller]
    pub(crate) fn expect_listening(&mut self) -> SocketAddr {
        self.expect_address("listening on ")
    }

    /// Returns the address in the next line of stdout, which must be exactly `metrics on ADDRESS:PORT`.
    #[track_caller]
    pub(crate) fn expect_metrics(&mut self) -> SocketAddr {
        self.expect_address("metrics on ")
    }

    #[track_caller]
    fn expect_address(&self, before: &str) -> SocketAddr {
        let line = self.process.line();
        let address = line.strip_prefix(before).and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address behind {before:?}: {line:?}"))
    }

    /// Sends it a signal, by name.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(self, patience: Duration) -> Ended {
        self.process.ended_within(patience)
    }

    /// Ends it like [`stop`](Self::stop), and returns its home as well.
    #[track_caller]
    pub(crate) fn stop_and_leave(self) -> (Ended, Folder) {
        self.signal("TERM");
        let ended = self.process.ended_within(PATIENCE);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        (ended, self.home)
    }

    /// Sends it SIGTERM, and asserts an orderly end.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        self.stop_and_leave().0
    }
}

#[cfg(target_os = "linux")]
impl ServerProcess {
    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).expect("the process is there")
    }

    /// Returns the number of descriptors that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("the process is there").count()
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
