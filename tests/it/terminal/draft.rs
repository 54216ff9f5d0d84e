//! The real binary in a real pseudo-terminal, its screen read by an emulator.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::harness::{Server, Tutorial};

const DEADLINE: Duration = Duration::from_secs(20);
const PASTE_ON: &[u8] = b"\x1b[?2004h";
const PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// A person at a terminal.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    emulator: vt100::Parser,
    written: Vec<u8>,
}

fn nonzero(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("a screen has cells")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    fn join(address: SocketAddr, name: &str, rows: u16, cols: u16) -> Self {
        let pair = native_pty_system().openpty(size(rows, cols)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_glassline"));
        command.args(["join", &address.to_string(), "--name", name]);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let (sender, output) = sync_channel(64);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Ends with the terminal, or when nobody looks any more.
            while let Ok(bytes @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..bytes].to_vec()).is_err() {
                    return;
                }
            }
        });
        let emulator = vt100::Parser::new(nonzero(rows), nonzero(cols), 1_000);
        let mut terminal = Self { master: pair.master, keyboard, child, output, emulator, written: Vec::new() };
        terminal.wait_for("the connection", |screen| screen.contains("online"));
        terminal
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keyboard.flush().expect("the terminal takes keys");
    }

    fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    #[track_caller]
    fn wait_for(&mut self, what: &str, seen: impl Fn(&str) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !seen(&self.screen()) {
            let Ok(bytes) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                let written = String::from_utf8_lossy(&self.written);
                panic!("{what} never came; written {written:?}; the screen is\n{}", self.screen())
            };
            self.take(&bytes);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        self.emulator.process(bytes);
    }

    fn resize(&mut self, rows: u16, cols: u16) {
        self.master.resize(size(rows, cols)).expect("resizes");
        self.emulator.screen_mut().set_size(nonzero(rows), nonzero(cols));
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    fn exit_code(&mut self) -> u32 {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
                    self.take(&bytes);
                }
                return status.exit_code();
            }
            assert!(Instant::now() < until, "it does not end; the screen is\n{}", self.screen());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&bytes);
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_is_typed_is_not_disturbed_by_what_arrives() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 14, 50);
    let draft = "half a 漢字 sentence";
    alice.keys(draft);
    alice.wait_for("the draft", |screen| screen.contains(draft));
    for number in 0..60 {
        bob.say(format!("{number}: 長い行 🦀 that wraps round the end of a line of fifty columns, for sure"));
    }
    alice.wait_for("the last message", |screen| screen.contains("59:"));
    alice.wait_for("the draft again", |screen| screen.contains(draft));
    alice.keys(", whole now\r");
    assert_eq!(bob.said().text, "half a 漢字 sentence, whole now");
    for number in 0..60 {
        let start = format!("bob > {number}: ");
        assert!(has(&alice.written, start.as_bytes()), "message {number} was never written");
    }
}

#[test]
fn three_empty_enters_leave_and_the_terminal_is_as_it_was() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 10, 60);
    bob.expect_word("alice joined");
    alice.keys("\r\rx\x7f\r\r");
    alice.keys("still here\r");
    assert_eq!(bob.said().text, "still here", "a key between the Enters starts the count anew");
    alice.keys("\r\r\r");
    assert_eq!(alice.exit_code(), 0);
    bob.expect_word("alice left");
    assert!(has(&alice.written, PASTE_ON) && alice.written.ends_with(PASTE_OFF) || has(&alice.written, PASTE_OFF));
    assert!(!alice.emulator.screen().hide_cursor(), "the cursor is shown again");
    assert!(!alice.emulator.screen().bracketed_paste(), "pastes are no longer bracketed");
    assert!(!has(&alice.written, b"panicked"), "{}", alice.screen());
}

#[test]
fn a_paste_neither_sends_nor_leaves() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 12, 60);
    alice.keys("\x1b[200~\r\r\r\r\x1b[201~");
    alice.keys("\x1b[200~one\n\n\ntwo\x1b[201~");
    alice.wait_for("the paste", |screen| screen.contains("two"));
    alice.keys(" end\r");
    let said = bob.said().text;
    assert!(said.contains("one\n\n\ntwo end"), "one message with its blank lines: {said:?}");
}

#[test]
fn a_resize_loses_no_message() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 12, 60);
    alice.keys("draft");
    alice.wait_for("the draft", |screen| screen.contains("draft"));
    for (number, cols) in [20, 80, 33, 100, 60].into_iter().enumerate() {
        alice.resize(12, cols);
        bob.say(format!("size {number}"));
        alice.wait_for("the message", |screen| screen.contains(&format!("size {number}")));
        alice.wait_for("the draft", |screen| screen.contains("draft"));
    }
    alice.keys("\r");
    assert_eq!(bob.said().text, "draft");
}

#[test]
fn nothing_a_peer_says_moves_the_terminal() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 12, 70);
    for hostile in ["\u{1b}]52;c;aGk=\u{7}", "\u{1b}[6n", "\u{9b}6n", "\u{1b}]0;title", "\u{202e}olleh", "\u{1b}[2J"] {
        bob.say(format!("{hostile}harmless"));
    }
    bob.say("the end");
    alice.wait_for("the last", |screen| screen.contains("the end"));
    let written = String::from_utf8_lossy(&alice.written).into_owned();
    for sequence in ["\u{1b}]", "\u{1b}[6n", "\u{1b}[2J", "\u{9b}", "\u{202e}", "\u{7}"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
    assert_eq!(written.matches("harmless").count(), 6);
}

#[test]
fn a_lost_server_is_told_and_the_draft_stays() {
    let server = Server::start();
    let mut alice = Terminal::join(server.address, "alice", 12, 70);
    alice.keys("unfinished");
    alice.wait_for("the draft", |screen| screen.contains("unfinished"));
    server.stop();
    alice.wait_for("the state", |screen| !screen.contains("· online ·"));
    assert!(alice.screen().contains("unfinished"), "{}", alice.screen());
    alice.keys("\u{3}");
    alice.wait_for("an empty line", |screen| !screen.contains("unfinished"));
    alice.keys("\r\r\r");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn a_paste_without_an_end_and_a_broken_sequence_leave_the_keys_alone() {
    let server = Server::start();
    let mut bob = Tutorial::join(server.address, "bob");
    let mut alice = Terminal::join(server.address, "alice", 12, 60);
    alice.keys("\x1b[200~half a paste");
    alice.wait_for("what came of the paste", |screen| screen.contains("half a paste"));
    alice.keys(", \x1b]11;rgb:0000/0000/0000\x07whole\r");
    assert_eq!(bob.said().text, "half a paste, whole");
    alice.keys("\r\r\r");
    assert_eq!(alice.exit_code(), 0);
    assert!(alice.written.windows(8).any(|window| window == b"\x1b[?1004l"), "focus is no longer reported");
}
