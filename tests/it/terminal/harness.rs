//! A person at a terminal: the binary in a pseudo-terminal, its screen read by an emulator.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use crate::harness::{EventClient, Server, test_layer};
use crate::program::{Folder, PROGRAM};

/// Nothing here takes long; what takes longer has failed.
const DEADLINE: Duration = Duration::from_mins(1);
/// Rows above the screen that the emulator keeps: more than any test writes.
const SCROLLBACK_ROWS: usize = 20_000;
const DRAWING_BEGINS: &[u8] = b"\x1b[?2026h";
const DRAWING_ENDS: &[u8] = b"\x1b[?2026l";
/// Sequences that no terminal is ever sent: a title or a clipboard, a question where the cursor is,
/// a mouse switched on, another screen.
const NEVER_WRITTEN: [&str; 10] = [
    "\x1b]",
    "\x1b[6n",
    "\x1b[?9h",
    "\x1b[?1000h",
    "\x1b[?1002h",
    "\x1b[?1003h",
    "\x1b[?1006h",
    "\x1b[?1015h",
    OTHER_SCREEN,
    "\u{9b}",
];
const OTHER_SCREEN: &str = "\x1b[?1049h";

/// Settings with which a client is started.
pub(super) struct Opening {
    argv: Vec<String>,
    variables: Vec<(String, String)>,
    rows: u16,
    columns: u16,
    home: Rc<Folder>,
    /// It may use the other screen of the terminal, and returns from it.
    has_other_screen: bool,
}

/// A person at a terminal.
pub(super) struct Terminal {
    /// Nobody holds it once it was hung up.
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    pub(super) emulator: vt100::Parser,
    pub(super) written: Vec<u8>,
    /// Written, but of a drawing that has not ended.
    undrawn: Vec<u8>,
    /// The terminal's modes before anybody used it.
    modes_before: String,
    // There for as long as the client is.
    home: Rc<Folder>,
    has_other_screen: bool,
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a screen has cells")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Opening {
    /// `glassline join`, with a home of its own, nothing of this machine's in its environment, and no times before its lines.
    pub(super) fn join(address: SocketAddr, name: &str) -> Self {
        Self::of(&[PROGRAM, "join", &address.to_string(), "--name", name])
    }

    /// `glassline` as a host on a free port, keeping nothing.
    pub(super) fn host(name: &str) -> Self {
        Self::of(&[PROGRAM, "--listen", "127.0.0.1:0", "--history", "none", "--name", name])
    }

    /// `glassline tap` on a free port, before this server.
    pub(super) fn tap(to: SocketAddr) -> Self {
        let opening = Self::of(&[PROGRAM, "tap", "--listen", "127.0.0.1:0", "--to", &to.to_string()]);
        Self { has_other_screen: true, ..opening }.size(24, 100)
    }

    fn of(argv: &[&str]) -> Self {
        let argv = argv.iter().map(|argument| (*argument).to_owned()).collect();
        let (variables, home) = (Vec::new(), Rc::new(Folder::new()));
        let opening = Self { argv, variables, rows: 12, columns: 70, home, has_other_screen: false };
        opening.variable("GLASSLINE_TIMESTAMPS", "off")
    }

    pub(super) fn size(self, rows: u16, columns: u16) -> Self {
        Self { rows, columns, ..self }
    }

    pub(super) fn argument(mut self, argument: &str) -> Self {
        self.argv.push(argument.to_owned());
        self
    }

    /// Sets a variable; the last value counts, and an empty one is as good as none.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// In the home of an earlier client.
    pub(super) fn home(self, home: &Rc<Folder>) -> Self {
        Self { home: Rc::clone(home), ..self }
    }

    /// Runs a script of the shell, for which `"$@"` is the client.
    pub(super) fn within_a_shell(mut self, script: &str) -> Self {
        let shell = ["sh", "-c", script, "sh"].map(str::to_owned);
        self.argv.splice(0..0, shell);
        self
    }

    /// Starts it and waits until it is online.
    #[track_caller]
    pub(super) fn open(self) -> Terminal {
        let mut terminal = self.start();
        terminal.wait_for("the connection", |screen| {
            // A narrow screen has no room for the first one.
            screen.contains("online") || screen.contains("alice in lobby · anyone can read this")
        });
        terminal
    }

    /// Starts it.
    #[track_caller]
    pub(super) fn start(self) -> Terminal {
        let pair = native_pty_system().openpty(size(self.rows, self.columns)).expect("a pseudo-terminal");
        let modes_before = modes(&*pair.master);
        let mut command = CommandBuilder::from_argv(self.argv.iter().map(Into::into).collect());
        command.env_clear();
        let home = self.home.path();
        command.cwd(home);
        command.env("HOME", home);
        command.env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("XDG_STATE_HOME", home.join(".local/state"));
        command.env("PATH", std::env::var_os("PATH").expect("PATH"));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        if let Some((name, value)) = test_layer() {
            command.env(name, value);
        }
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        // Unbounded, so that a client is never held up by a test that looks elsewhere.
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Ends with the terminal, or when nobody looks any more.
            while let Ok(bytes @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..bytes].to_vec()).is_err() {
                    return;
                }
            }
        });
        let emulator = vt100::Parser::new(cells(self.rows), cells(self.columns), SCROLLBACK_ROWS);
        let Self { home, has_other_screen, .. } = self;
        Terminal {
            master: Some(pair.master),
            keyboard,
            child,
            output,
            emulator,
            written: Vec::new(),
            undrawn: Vec::new(),
            modes_before,
            home,
            has_other_screen,
        }
    }
}

/// The first row of the input, without what marks it.
fn input(screen: &str) -> &str {
    let marked = |row: &'_ str| row.starts_with("> ") || row == ">";
    screen.lines().rev().find(|row| marked(row)).map_or("", |row| row[1..].trim())
}

/// The terminal's modes: echo, line editing, signals of keys and all the rest.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

impl Terminal {
    /// A client of ordinary size that is online.
    #[track_caller]
    pub(super) fn join(address: SocketAddr, name: &str) -> Self {
        Opening::join(address, name).open()
    }

    pub(super) fn keys(&mut self, keys: &str) {
        self.bytes(keys.as_bytes());
    }

    /// Types bytes, be they text or not.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).expect("the terminal takes keys");
        self.keyboard.flush().expect("the terminal takes keys");
    }

    /// Types keys and waits until the screen shows this.
    #[track_caller]
    pub(super) fn keys_until(&mut self, keys: &str, shown: &str) {
        self.keys(keys);
        self.see(shown);
    }

    pub(super) fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    /// Waits until this stands in the first row of the input.
    #[track_caller]
    pub(super) fn see_input(&mut self, text: &str) {
        self.wait_for(&format!("the input {text}"), |screen| input(screen) == text);
    }

    /// Everything above and on the screen, row by row.
    pub(super) fn transcript(&mut self) -> Vec<String> {
        let screen = self.emulator.screen_mut();
        let (rows, columns) = screen.size();
        let above = screen.scrollback_len();
        let mut transcript = Vec::new();
        while transcript.len() < above {
            let left = above - transcript.len();
            screen.set_scrollback(left);
            transcript.extend(screen.rows(0, columns.get()).take(left.min(rows.get().into())));
        }
        screen.set_scrollback(0);
        transcript.extend(screen.rows(0, columns.get()));
        transcript
    }

    /// Returns the output as text.
    pub(super) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// The end of it, for whoever looks why a test failed.
    fn last_written(&self) -> String {
        let last = &self.written[self.written.len().saturating_sub(2_000)..];
        String::from_utf8_lossy(last).into_owned()
    }

    /// Waits until this was written, be it on the screen or above it by now.
    #[track_caller]
    pub(super) fn see_passing(&mut self, shown: &str) {
        self.wait_until(shown, |terminal| terminal.written().contains(shown));
    }

    pub(super) fn count_written(&self, part: &str) -> usize {
        self.written().matches(part).count()
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(super) fn see(&mut self, shown: &str) {
        self.wait_for(shown, |screen| screen.contains(shown));
    }

    /// Waits until the screen does not show this any more.
    #[track_caller]
    pub(super) fn see_no_more(&mut self, shown: &str) {
        self.wait_for(&format!("the end of {shown}"), |screen| !screen.contains(shown));
    }

    #[track_caller]
    pub(super) fn wait_for(&mut self, what: &str, seen: impl Fn(&str) -> bool) {
        self.wait_until(what, |terminal| seen(&terminal.screen()));
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !is_so(self) {
            let Ok(bytes) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                panic!(
                    "{what:?} never came; the last written {:?}; the screen is\n{}",
                    self.last_written(),
                    self.screen()
                )
            };
            self.take(&bytes);
            // What is there already belongs to the same picture.
            while let Ok(bytes) = self.output.try_recv() {
                self.take(&bytes);
            }
        }
    }

    /// Takes what was written; like a terminal, shows a drawing once it has ended.
    fn take(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        self.undrawn.extend_from_slice(bytes);
        let begin = self.undrawn.windows(DRAWING_BEGINS.len()).rposition(|window| window == DRAWING_BEGINS);
        let end = self.undrawn.windows(DRAWING_ENDS.len()).rposition(|window| window == DRAWING_ENDS);
        // What may become a beginning is waited for, too.
        let torn = (1..DRAWING_BEGINS.len()).rev().find(|&bytes| self.undrawn.ends_with(&DRAWING_BEGINS[..bytes]));
        let drawn = match begin {
            Some(begin) if end.is_none_or(|end| end < begin) => begin,
            _ => self.undrawn.len() - torn.unwrap_or(0),
        };
        self.emulator.process(&self.undrawn[..drawn]);
        self.undrawn.drain(..drawn);
    }

    pub(super) fn resize(&mut self, rows: u16, columns: u16) {
        self.master.as_ref().expect("a terminal").resize(size(rows, columns)).expect("resizes");
        self.emulator.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// Sends what was started a signal by name.
    #[track_caller]
    pub(super) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.process_id().expect("it runs"));
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    /// Stops, as nobody can help, whatever has the terminal at the moment.
    #[track_caller]
    pub(super) fn stop_whoever_has_it(&self) {
        let group = self.master.as_ref().and_then(|master| master.process_group_leader()).expect("somebody has it");
        let kill = format!("kill -STOP -{group}");
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    /// Returns whether somebody has changed the terminal's modes.
    pub(super) fn is_changed(&self) -> bool {
        self.modes() != self.modes_before
    }

    pub(super) fn home(&self) -> &Rc<Folder> {
        &self.home
    }

    /// Closes the window: nobody holds the terminal any more.
    pub(super) fn hang_up(&mut self) {
        (self.output, self.master) = (channel().1, None);
        // What this makes the client write ends the thread that reads it.
        self.keys("x");
        self.keyboard = Box::new(std::io::sink());
    }

    fn modes(&self) -> String {
        modes(&**self.master.as_ref().expect("a terminal"))
    }

    /// Waits for the end, by which the terminal must be as it was; the exit code.
    #[track_caller]
    pub(super) fn exit_code(&mut self) -> u32 {
        let code = self.wait().exit_code();
        self.assert_as_it_was();
        code
    }

    /// Waits for the end of a client that was hung up; the exit code.
    #[track_caller]
    pub(super) fn code_without_a_terminal(&mut self) -> u32 {
        self.wait().exit_code()
    }

    /// Waits for the end.
    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        // The output ends with the client.
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; the screen is\n{}", self.screen()),
            }
        }
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < until, "it does not end");
            thread::yield_now();
        }
    }

    #[track_caller]
    pub(super) fn assert_as_it_was(&self) {
        let (screen, written, last) = (self.emulator.screen(), self.written(), self.last_written());
        assert!(!screen.bracketed_paste(), "pastes are still bracketed: {last:?}");
        assert!(!screen.hide_cursor(), "the cursor is hidden: {last:?}");
        assert!(!screen.alternate_screen(), "the other screen is still there: {last:?}");
        for (on, off, what) in [
            ("\x1b[?1004h", "\x1b[?1004l", "focus"),
            ("\x1b[?2026h", "\x1b[?2026l", "drawing"),
            ("\x1b[?7l", "\x1b[?7h", "what switches wrapping off"),
        ] {
            assert!(written.rfind(on) <= written.rfind(off), "{what} is still on: {last:?}");
        }
        assert_eq!(self.modes(), self.modes_before, "raw mode is still on");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            return;
        }
        let written = self.written();
        for never in NEVER_WRITTEN.into_iter().filter(|never| !(self.has_other_screen && *never == OTHER_SCREEN)) {
            assert!(!written.contains(never), "{never:?} was written: {:?}", self.last_written());
        }
        assert!(!written.contains("panicked"), "{}", self.last_written());
    }
}

/// Alice at a terminal and Bob elsewhere, both in the lobby.
pub(super) struct Table {
    pub(super) bob: EventClient,
    pub(super) alice: Terminal,
    // Goes last, so that nobody sees it stop.
    pub(super) server: Server,
}

impl Table {
    #[track_caller]
    pub(super) fn new() -> Self {
        Self::with(|opening| opening)
    }

    #[track_caller]
    pub(super) fn with(how: impl FnOnce(Opening) -> Opening) -> Self {
        let server = Server::start();
        let bob = EventClient::join(server.address, "bob");
        let mut alice = how(Opening::join(server.address, "alice").size(24, 100)).open();
        if alice.emulator.screen().size().1.get() >= 80 {
            // A wide enough status line lists the candidates.
            alice.see("with bob");
        }
        Self { bob, alice, server }
    }

    /// Presses keys; returns the next message of Alice that Bob receives.
    #[track_caller]
    pub(super) fn said(&mut self, keys: &str) -> String {
        self.alice.keys(keys);
        self.received()
    }

    /// Returns the next message of Alice that Bob receives.
    #[track_caller]
    pub(super) fn received(&mut self) -> String {
        let event = receive(&mut self.bob, |event| event["type"] == "message" && event["from"] == "alice");
        event["text"].as_str().expect("a text").to_owned()
    }
}

/// The next event that is wanted; others before it are passed over.
#[track_caller]
pub(super) fn receive(member: &mut EventClient, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    loop {
        let event = member.event();
        if wanted(&event) {
            return event;
        }
    }
}
