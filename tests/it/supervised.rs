//! Under a service manager: readiness, signs of life, sockets that are handed over, and the units in `packaging/`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, Tutorial};
use crate::program::{Folder, PROGRAM, Process, command, run};

/// Listener for a service's notifications to its manager.
struct Manager {
    socket: UnixDatagram,
    home: Folder,
}

impl Manager {
    fn new() -> Self {
        let home = Folder::new();
        let socket = UnixDatagram::bind(home.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(4 * PATIENCE)).expect("a deadline");
        Self { socket, home }
    }

    fn serve(&self) -> Command {
        let mut serve = command(PROGRAM, &self.home);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", self.home.path().join("notify"));
        serve
    }

    #[track_caller]
    fn received(&self) -> String {
        let mut message = [0; 256];
        let bytes = loop {
            match self.socket.recv(&mut message) {
                // A machine that paused the process wakes a read that has a deadline.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received.expect("another message"),
            }
        };
        String::from_utf8(message[..bytes].to_vec()).expect("UTF-8")
    }
}

#[track_caller]
fn listening(program: &Process) -> SocketAddr {
    let line = program.line();
    line.strip_prefix("listening on ").and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
}

#[test]
fn it_notifies_when_it_is_ready_and_when_it_stops() {
    let manager = Manager::new();
    let program = Process::start(manager.serve());
    assert_eq!(manager.received(), "READY=1\n");
    Tutorial::join(listening(&program), "alice");
    program.signal("TERM");
    assert_eq!(manager.received(), "STOPPING=1\n");
    let ended = program.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    manager.socket.set_nonblocking(true).expect("not blocking");
    assert!(manager.socket.recv(&mut [0; 256]).is_err(), "no watchdog was asked for");
}

#[test]
fn it_gives_signs_of_life_to_a_watchdog_in_time_and_idle_too() {
    let manager = Manager::new();
    let mut serve = manager.serve();
    let timeout = Duration::from_secs(6);
    serve.env("WATCHDOG_USEC", timeout.as_micros().to_string());
    let program = Process::start(serve);
    assert_eq!(manager.received(), "READY=1\n");
    // The watchdog's time begins here.
    let mut last = Instant::now();
    for _ in 0..3 {
        assert_eq!(manager.received(), "WATCHDOG=1\n");
        assert!(last.elapsed() < timeout, "the watchdog would have bitten after {:?}", last.elapsed());
        last = Instant::now();
    }
    drop(program);
}

#[test]
fn a_manager_that_is_not_there_keeps_nobody_from_serving() {
    let home = Folder::new();
    let mut serve = command(PROGRAM, &home);
    serve.args(["serve", "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", home.path().join("nobody"));
    let program = Process::start(serve);
    Tutorial::join(listening(&program), "alice");
    program.signal("TERM");
    let ended = program.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("cannot tell the service manager"), "{ended:?}");
}

#[test]
fn a_manager_that_does_not_read_blocks_neither_work_nor_stop() {
    let manager = Manager::new();
    let full = UnixDatagram::unbound().expect("a socket");
    full.connect(manager.home.path().join("notify")).expect("connected");
    full.set_nonblocking(true).expect("not blocking");
    while full.send(b"noise").is_ok() {}
    let program = Process::start(manager.serve());
    Tutorial::join(listening(&program), "alice");
    program.signal("TERM");
    let ended = program.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("does not read what it is told"), "{ended:?}");
}

/// Opens sockets as systemd does, and becomes the program that gets them: descriptors from 3 on, and its own number.
const HAND_OVER: &str = "
import os, socket, sys
kinds, program, arguments = sys.argv[1].split(','), sys.argv[2], sys.argv[2:]
handed = []
for kind in kinds:
    if kind == 'tcp':
        handed.append(socket.create_server(('127.0.0.1', 0)))
    else:
        handed.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
copies = [os.dup(each.fileno()) for each in handed]
copies = [os.dup2(copy, 40 + place) for place, copy in enumerate(copies)]
for place, copy in enumerate(copies):
    os.dup2(copy, 3 + place, inheritable=True)
os.closerange(3 + len(copies), 64)
os.environ.update(LISTEN_FDS=str(len(copies)), LISTEN_PID=str(os.getpid()))
os.execv(program, arguments)
";

fn hand_over(kinds: &str, arguments: &[&str], home: &Folder) -> Command {
    let mut python = command("python3", home);
    python.args(["-c", HAND_OVER, kinds, PROGRAM, "serve"]).args(arguments);
    python
}

#[test]
fn sockets_that_are_handed_over_are_listened_on() {
    let home = Folder::new();
    let program = Process::start(hand_over("tcp,tcp", &[], &home));
    let (first, second) = (listening(&program), listening(&program));
    assert_ne!(first, second);
    let mut alice = Tutorial::join(first, "alice");
    let mut bob = Tutorial::join(second, "bob");
    alice.say("one line, two doors");
    bob.expect_message("alice", "one line, two doors");
    program.signal("TERM");
    let ended = program.ended();
    assert!(ended.code == Some(0) && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_named_address_wins_over_sockets_that_are_handed_over() {
    let home = Folder::new();
    let program = Process::start(hand_over("tcp,tcp", &["--listen", "[::1]:0"], &home));
    let address = listening(&program);
    assert!(address.is_ipv6(), "{address}");
    Tutorial::join(address, "alice");
    program.signal("TERM");
    let ended = program.ended();
    assert!(ended.code == Some(0) && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_socket_of_another_kind_ends_with_1_and_a_next_step() {
    let home = Folder::new();
    let ended = run(hand_over("tcp,unix", &[], &home));
    assert!(ended.code == Some(1) && ended.stdout.is_empty(), "{ended:?}");
    assert!(ended.stderr.contains("write ListenStream=ADDRESS:PORT in the socket's unit"), "{ended:?}");
}

/// The settings of a unit, with lines that go on put together.
fn settings(unit: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(unit);
    let text = std::fs::read_to_string(path).expect("a unit").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with(['#', ';', '[']) && !line.trim().is_empty());
    lines
        .map(|line| {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{unit}: {line:?}"));
            (key.trim().to_string(), value.trim().to_string())
        })
        .collect()
}

#[test]
fn the_unit_starts_the_program_with_flags_that_it_has() {
    let help = run({
        let mut help = command(PROGRAM, &Folder::new());
        help.args(["serve", "--help"]);
        help
    });
    let known: Vec<&str> = help.stdout.iter().flat_map(|line| line.split_whitespace().take(2)).collect();
    let service = settings("glassline.service");
    let starts: Vec<_> = service.iter().filter(|(key, _)| key == "ExecStart").collect();
    let [(_, start)] = starts[..] else { panic!("one ExecStart: {starts:?}") };
    let words: Vec<&str> = start.split_whitespace().collect();
    assert!(words[0].ends_with("/glassline") && words[1] == "serve", "{start}");
    let flags: Vec<&str> = words.iter().copied().filter(|word| word.starts_with("--")).collect();
    assert!(!flags.is_empty(), "{start}");
    for flag in flags {
        assert!(known.contains(&flag), "{flag} is no flag of serve: {known:?}");
    }
    // The notified process must be the one that notifies, and the sockets must be those of the
    // socket unit.
    let has = |key: &str, value: &str| service.iter().any(|(of, is)| of == key && is == value);
    assert!(has("Type", "notify") && has("Requires", "glassline.socket"), "{service:?}");
    let handed: Vec<&str> = service
        .iter()
        .filter(|(key, _)| key == "LoadCredential")
        .filter_map(|(_, is)| is.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    let read: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("%d/")).collect();
    assert_eq!(read, ["operator-token"], "{start}");
    assert_eq!(handed, read, "what is handed over, and what is read");
    assert!(!start.contains("--listen"), "a named address would count more than the socket unit");
    assert!(settings("glassline.socket").iter().any(|(key, _)| key == "ListenStream"));
}
