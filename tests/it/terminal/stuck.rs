//! A terminal that takes no bytes, as nobody reads them.

use std::fs;
use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::harness::{EventClient, Server, test_layer};
use crate::program::{Folder, PROGRAM};

const DEADLINE: Duration = Duration::from_mins(1);

/// Returns whether its main thread waits within a system call on the terminal.
fn is_stuck(process: u32) -> bool {
    let call = fs::read_to_string(format!("/proc/{process}/task/{process}/syscall")).expect("a process");
    let first = call.split(' ').nth(1).and_then(|first| first.strip_prefix("0x"));
    let file = first.and_then(|first| u32::from_str_radix(first, 16).ok());
    let open = file.and_then(|file| fs::read_link(format!("/proc/{process}/fd/{file}")).ok());
    open.is_some_and(|open| open.starts_with("/dev/pts"))
}

#[test]
fn a_second_signal_ends_a_client_whose_terminal_takes_no_bytes() {
    let server = Server::start();
    let mut bob = EventClient::join(server.address, "bob");
    let home = Folder::new();
    let pair = native_pty_system()
        .openpty(PtySize { rows: 12, cols: 70, pixel_width: 0, pixel_height: 0 })
        .expect("a pseudo-terminal");
    let modes = || format!("{:?}", pair.master.get_termios().expect("a terminal has modes"));
    let modes_before = modes();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["join", &server.address.to_string(), "--name", "alice"]);
    command.env_clear();
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    if let Some((name, value)) = test_layer() {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).expect("the binary starts");
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let mut written = Vec::new();
    while !String::from_utf8_lossy(&written).contains("online") {
        let mut buffer = [0; 4096];
        let bytes = reader.read(&mut buffer).expect("it writes");
        written.extend_from_slice(&buffer[..bytes]);
    }
    let until = Instant::now() + DEADLINE;
    // From here on nobody reads, and this is far more than a terminal holds for its reader.
    for _ in 0..300 {
        bob.say(&"nobody reads this ".repeat(100));
    }
    let process = child.process_id().expect("it runs");
    while !is_stuck(process) {
        assert!(Instant::now() < until, "the terminal takes all of it");
        thread::yield_now();
    }
    assert_ne!(modes(), modes_before);
    let signal = format!("kill -TERM {process}");
    let ended = loop {
        // The first one requests a leave, which it cannot send; one that comes after its end finds
        // no process.
        let _ = Command::new("sh").args(["-c", &signal]).output();
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        if Instant::now() > until {
            let _ = child.kill();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(ended.signal(), Some("Terminated"), "{ended:?}");
    assert_eq!(modes(), modes_before, "keys come one by one still");
}
