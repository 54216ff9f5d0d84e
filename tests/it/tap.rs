//! `glassline tap` as lines and as JSON, in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;

use glassline_tap::Side;
use glassline_tap::capture::Capture;
use serde_json::{Value, json};

use crate::harness::{EventClient, Server, Tutorial, Wire, frame};
use crate::program::{Ended, Folder, PROGRAM, Process, command};

/// `glassline tap` before a server.
pub(crate) struct Tap {
    process: Process,
    pub(crate) address: SocketAddr,
    home: Folder,
}

impl Tap {
    #[track_caller]
    pub(crate) fn start(to: SocketAddr, arguments: &[&str]) -> Self {
        Self::start_after("", to, arguments)
    }

    /// Starts it in a shell, after these commands.
    #[track_caller]
    pub(crate) fn start_after(before: &str, to: SocketAddr, arguments: &[&str]) -> Self {
        let home = Folder::new();
        let mut shell = command("sh", &home);
        shell.current_dir(home.path()).args(["-c", &format!("{before} exec \"$0\" \"$@\""), PROGRAM]);
        shell.args(["tap", "--listen", "127.0.0.1:0", "--to", &to.to_string()]).args(arguments);
        let mut process = Process::start(shell);
        process.close_stdin();
        let first = process.line();
        let address = match first.strip_prefix("listening on ") {
            Some(address) => address.to_owned(),
            None => serde_json::from_str::<Value>(&first).expect(&first)["address"].as_str().expect(&first).to_owned(),
        };
        Self { process, address: address.parse().expect("an address"), home }
    }

    /// The next observation that is wanted.
    #[track_caller]
    pub(crate) fn observe(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.process.line();
            let observation = serde_json::from_str(&line).expect(&line);
            if wanted(&observation) {
                return observation;
            }
        }
    }

    /// The next line that contains this.
    #[track_caller]
    pub(crate) fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.process.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Its folder, in which its recordings are.
    pub(crate) fn home(&self) -> &Folder {
        &self.home
    }

    /// Ends it in order.
    #[track_caller]
    pub(crate) fn interrupt(self) -> (Ended, Folder) {
        self.process.signal("INT");
        let ended = self.process.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        (ended, self.home)
    }
}

#[test]
fn each_line_of_json_is_an_observation() {
    let server = Server::start();
    let tap = Tap::start(server.address, &["--json"]);
    let mut alice = EventClient::join(tap.address, "alice");
    alice.say("hello there");
    let sent = tap.observe(|line| line["content"]["type"] == "send");
    let expected = json!([1, "to_server", 3, "event", "payload", "alice", "hello there"]);
    let content = &sent["content"];
    let fields = ["connection", "direction", "frame", "dialect", "kind", "speaker"].map(|field| sent[field].clone());
    assert_eq!(json!([fields.as_slice(), &[content["text"].clone()]].concat()), expected, "{sent}");
    let raw = frame(content.to_string());
    let hexadecimal = sent["raw"].as_str().expect("bytes");
    let bytes: Vec<u8> = (0..hexadecimal.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    assert_eq!(bytes, raw, "the bytes are those of the content");
    let received = tap.observe(|line| line["direction"] == "to_client" && line["content"]["text"] == "hello there");
    assert_eq!(received["speaker"], "alice");
    drop(alice);
    assert_eq!(tap.observe(|line| line["observation"] == "ended")["direction"], "to_server");
    tap.observe(|line| line["observation"] == "closed");
    let (ended, _) = tap.interrupt();
    assert!(ended.stdout.is_empty() && ended.stderr.contains("for your own systems"), "{ended:?}");
}

#[test]
fn a_line_shows_speaker_and_text_without_controls() {
    let server = Server::start();
    let tap = Tap::start(server.address, &["--linear"]);
    let mut alice = EventClient::join(tap.address, "alice");
    let line = tap.line_with("[welcome]");
    assert!(line.contains("1<1"), "{line}");
    alice.say("\u{1b}]0;owned\u{7}\u{202e}reversed");
    let line = tap.line_with("reversed");
    assert!(line.contains("1>3") && line.contains("alice") && line.contains("lobby"), "{line}");
    assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    let mut raw = Wire::connect(tap.address);
    raw.send(b"5         alice2         hi");
    tap.line_with("hi");
    raw.send(b"\x1b[2J\x9b\x07 no frame");
    drop(raw);
    let line = tap.line_with("raw bytes");
    assert!(!line.contains(char::is_control) && line.contains("no frame"), "{line:?}");
    tap.interrupt();
}

#[test]
fn an_interrupt_leaves_a_complete_recording() {
    let server = Server::start();
    for signal in ["INT", "TERM"] {
        let tap = Tap::start(server.address, &["--linear", "--record", "lesson.pcapng"]);
        let mut alice = EventClient::join(tap.address, "alice");
        let mut bob = Tutorial::join(tap.address, "bob");
        bob.barrier();
        alice.say("for the record");
        bob.expect_message("alice", "for the record");
        alice.expect_message("alice", "for the record");
        tap.process.signal(signal);
        let ended = tap.process.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let capture = Capture::open(&tap.home.join("lesson.pcapng")).expect("a capture");
        assert!(capture.rejected().is_empty(), "{:?}", capture.rejected());
        assert_eq!((capture.connections(Side::Client).count(), capture.connections(Side::Server).count()), (2, 2));
        let file = std::fs::read(tap.home.join("lesson.pcapng")).expect("a file");
        let words = b"for the record";
        let found = file.windows(words.len()).filter(|window| *window == words).count();
        // Alice's request, her echo, and Bob's pair, each on both sides.
        assert_eq!(found, 6);
    }
}

#[test]
fn a_tap_that_cannot_start_leaves_recordings_alone() {
    let server = Server::start();
    let tap = Tap::start(server.address, &["--linear", "--record", "lesson.pcapng"]);
    let mut alice = EventClient::join(tap.address, "alice");
    alice.say("for the record");
    alice.expect_message("alice", "for the record");
    let second = |listen: &str, more: &[&str]| {
        let mut second = command(PROGRAM, &tap.home);
        let to = server.address.to_string();
        second.current_dir(tap.home.path()).args(["tap", "--linear", "--record", "lesson.pcapng"]);
        second.args(["--listen", listen, "--to", &to]).args(more);
        crate::program::run(second)
    };
    for (listen, more, reason) in [
        (
            tap.address.to_string(),
            &[][..],
            "another program listens there. If it is another tap, end it with q or Ctrl-C",
        ),
        (tap.address.to_string(), &["--overwrite"], "cannot listen"),
        ("127.0.0.1:0".into(), &[], "another tap is recording to lesson.pcapng; end that one first"),
        ("127.0.0.1:0".into(), &["--overwrite"], "another tap is recording to lesson.pcapng; end that one first"),
    ] {
        let ended = second(&listen, more);
        assert!(ended.code == Some(1) && ended.stderr.contains(reason), "{more:?}: {ended:?}");
    }
    let (ended, home) = tap.interrupt();
    let capture = Capture::open(&home.join("lesson.pcapng")).expect("a capture");
    assert_eq!((capture.connections(Side::Server).count(), capture.rejected()), (1, &[][..]));
    assert!(ended.stderr.contains("lesson.pcapng: 1 connection, "), "{ended:?}");
    assert!(ended.stderr.trim_end().ends_with(" packets, complete"), "{ended:?}");
}

#[test]
fn the_end_says_how_often_each_rule_was_applied() {
    let server = Server::start();
    let rules = ["edit to=server text~noon replace.text=noon=>night", "edit text~noon set.txt=x", "drop name=nobody"];
    let arguments: Vec<&str> = ["--json"].into_iter().chain(rules.iter().flat_map(|rule| ["--rule", rule])).collect();
    let tap = Tap::start(server.address, &arguments);
    let mut alice = EventClient::join(tap.address, "alice");
    alice.say("at noon");
    alice.expect_message("alice", "at night");
    alice.say("noon again, noon");
    alice.expect_message("alice", "night again, night");
    let (ended, _) = tap.interrupt();
    for line in [
        "rule edit-1: applied 2 times\n",
        "rule edit-2: never applied; has no effect: a frame that it matches has no field txt; it has ",
        "rule drop-3: never applied, since no frame was one for it\n",
    ] {
        assert!(ended.stderr.contains(line), "{line}: {ended:?}");
    }
}

#[test]
fn a_missing_server_is_noted_at_the_start() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let (ended, _) = Tap::start(nobody, &["--linear"]).interrupt();
    assert!(ended.stderr.contains(&format!("nothing listened on {nobody}, and")), "{ended:?}");
    assert!(ended.stderr.contains("0 connections, nothing recorded"), "{ended:?}");
    let server = Server::start();
    let (ended, _) = Tap::start(server.address, &["--linear"]).interrupt();
    assert!(!ended.stderr.contains("nothing listened"), "{ended:?}");
}

#[test]
fn a_reader_that_stops_ends_the_tap_in_order() {
    let server = Server::start();
    let home = Folder::new();
    let mut pipe = command("sh", &home);
    let to = server.address;
    let script = format!(
        "'{PROGRAM}' tap --listen 127.0.0.1:0 --to {to} --json --record a.pcapng | (read -r first; echo \"$first\")"
    );
    pipe.current_dir(home.path()).args(["-c", &script]);
    let process = Process::start(pipe);
    let listening: Value = serde_json::from_str(&process.line()).expect("JSON");
    let mut client = TcpStream::connect(listening["address"].as_str().expect("an address")).expect("it accepts");
    // The tap may end before or behind it.
    let _ = client.write_all(b"GLASSLINE2");
    let _ = client.read_to_end(&mut Vec::new());
    assert_eq!(process.ended().code, Some(0));
    assert!(Capture::open(&home.join("a.pcapng")).expect("a capture").rejected().is_empty());
}

#[test]
fn addresses_beyond_this_machine_are_refused() {
    for (arguments, reason) in [
        (&["--to", "8.8.8.8:1234"][..], "is refused"),
        (&["--to", "8.8.8.8:1234", "--beyond-loopback"], "is refused"),
        (&["--listen", "0.0.0.0:0", "--beyond-loopback"], "stands for every address"),
        (&["--to", "192.168.0.7:1234"], "confirm it with --beyond-loopback"),
        (&["--to", "192.168.0.7:1234", "--beyond-loopback"], "needs a terminal"),
        (&["--listen", "127.0.0.1:1234"], "to itself"),
        (&["--listen", "127.0.0.1:0", "--record", "no/such/folder.pcapng"], "name a file in a folder that exists"),
    ] {
        let home = Folder::new();
        let mut tap = command(PROGRAM, &home);
        tap.current_dir(home.path()).arg("tap").args(arguments);
        let ended = crate::program::run(tap);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(reason) && ended.stderr.contains("your own systems"), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn rules_of_flags_and_files_change_what_passes() {
    let server = Server::start();
    let rules = Folder::new();
    let file = rules.write(
        "rules.toml",
        "seed = 7\n[[rule]]\nlabel = \"lost\"\naction = \"drop\"\nto = \"server\"\ntext = \"gone\"\n",
    );
    let file = file.to_str().expect("UTF-8");
    let edit = "edit to=server text~noon replace.text=\"noon=>midnight\"";
    let tap = Tap::start(server.address, &["--json", "--rules", file, "--rule", edit]);
    let mut alice = EventClient::join(tap.address, "alice");
    let mut bob = EventClient::join(server.address, "bob");
    for text in ["gone", "meet at noon"] {
        alice.say(text);
    }
    bob.expect_message("alice", "meet at midnight");
    let applied = |label: &str| tap.observe(|line| line["observation"] == "applied" && line["rule"] == label);
    let (lost, edited) = (applied("lost"), applied("edit-2"));
    assert_eq!((&lost["seed"], &lost["frame"]), (&json!(7), &json!(3)), "{lost}");
    assert_eq!((&edited["connection"], &edited["frame"]), (&json!(1), &json!(4)), "{edited}");
    let (ended, _) = tap.interrupt();
    assert!(ended.stderr.contains("2 rules in force, seed 7"), "{ended:?}");
}

#[test]
fn a_rule_that_cannot_be_read_says_where() {
    for (arguments, reason) in [
        (&["--rule", "drp"][..], "drop"),
        (&["--rule", "drop to=up"], "character 6"),
        (&["--rules", "no-such.toml"], "cannot read the rules of no-such.toml"),
        (&["--hook", ""], "hook"),
    ] {
        let home = Folder::new();
        let mut tap = command(PROGRAM, &home);
        tap.current_dir(home.path()).args(["tap", "--listen", "127.0.0.1:0"]).args(arguments);
        let ended = crate::program::run(tap);
        assert!(matches!(ended.code, Some(1 | 2)) && ended.stderr.contains(reason), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_rule_that_holds_needs_the_view() {
    let home = Folder::new();
    let file = home.write("hold.toml", "[[rule]]\naction = \"hold\"\n");
    let file = file.to_str().expect("UTF-8");
    for (arguments, reason) in [
        (&["--rule", "hold to=server"][..], "no terminal"),
        (&["--rules", file, "--linear"], "--linear is given"),
        (&["--rule", "hold", "--json"], "--json is given"),
        (&["--rule", "hold", "--quiet"], "--quiet is given"),
    ] {
        let mut tap = command(PROGRAM, &home);
        tap.args(["tap", "--listen", "127.0.0.1:0"]).args(arguments);
        let ended = crate::program::run(tap);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        for part in ["\"hold-1\" holds frames", "in the live view", reason, "--hook COMMAND"] {
            assert!(ended.stderr.contains(part), "{arguments:?}: {part}: {ended:?}");
        }
    }
}

#[test]
fn a_hook_decides_about_each_frame() {
    let server = Server::start();
    let home = Folder::new();
    // Forwards everything, and changes one word; in sed, so that no other language is needed.
    let script = "exec sed -u -n \
        -e 's/.*\"connection\":\\([0-9]*\\).*\"direction\":\"\\([a-z_]*\\)\".*\"frame\":\\([0-9]*\\).*\"text\":\"secret\".*/{\"connection\":\\1,\"direction\":\"\\2\",\"frame\":\\3,\"set\":{\"text\":\"public\"}}/p;t' \
        -e 's/.*\"connection\":\\([0-9]*\\).*\"direction\":\"\\([a-z_]*\\)\".*\"frame\":\\([0-9]*\\).*/{\"connection\":\\1,\"direction\":\"\\2\",\"frame\":\\3,\"action\":\"pass\"}/p'\n";
    let hook = home.write("hook.sh", script);
    let tap = Tap::start(server.address, &["--json", "--hook", &format!("sh {}", hook.display())]);
    let mut alice = EventClient::join(tap.address, "alice");
    let mut bob = EventClient::join(server.address, "bob");
    alice.say("secret");
    bob.expect_message("alice", "public");
    let applied = tap.observe(|line| line["observation"] == "applied" && line["frame"] == 3);
    assert_eq!(applied["rule"], "hook-1", "{applied}");
    tap.interrupt();
}

/// A server that answers the opening with so many frames of 100,000 bytes, and then closes.
fn generous_server(frames: usize) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        client.set_nodelay(true).expect("TCP_NODELAY");
        client.read_exact(&mut [0; 10]).expect("the opening");
        let long = frame("x".repeat(100_000));
        for _ in 0..frames {
            client.write_all(&long).expect("the tap takes them");
        }
    });
    address
}

#[test]
fn a_reader_that_stalls_loses_observations_and_not_the_line() {
    const FRAMES: usize = 420;
    let home = Folder::new();
    let to = generous_server(FRAMES);
    let mut tap = command(PROGRAM, &home);
    tap.args(["tap", "--json", "--listen", "127.0.0.1:0", "--to", &to.to_string()]).stdout(Stdio::piped());
    let mut tap = tap.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut lines = BufReader::new(tap.stdout.take().expect("stdout")).lines().map(|line| line.expect("UTF-8"));
    let listening: Value = serde_json::from_str(&lines.next().expect("a line")).expect("JSON");
    let address = listening["address"].as_str().expect("an address");
    let mut client = TcpStream::connect(address).expect("the tap accepts");
    client.write_all(b"GLASSLINE2").expect("it is taken");
    // Nobody reads what is reported, and everything passes.
    let passed = std::io::copy(&mut client, &mut std::io::sink()).expect("everything passes");
    assert_eq!(passed, FRAMES as u64 * 100_010);
    glassline_testkit::signal("INT", tap.id().into());
    let (mut frames, mut omitted) = (0, 0);
    for line in lines {
        let observation: Value = serde_json::from_str(&line).expect("JSON");
        frames += u64::from(observation["direction"] == "to_client" && observation["observation"] == "frame");
        omitted += observation["frames"].as_u64().unwrap_or(0);
    }
    assert!(omitted > 0 && frames > 0 && frames + omitted >= FRAMES as u64, "{frames} and {omitted} omitted");
    assert!(tap.wait().expect("it ends").success());
}
