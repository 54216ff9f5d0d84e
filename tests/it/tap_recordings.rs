//! `glassline tap report` and `glassline tap replay`, with recordings of the real tap.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use crate::harness::{EventClient, Server, Tutorial, frame};
use crate::program::{Ended, Folder, PROGRAM, Process, command, run};
use crate::tap::Tap;

/// Time for a browser to start, draw and end.
const BROWSER_MAX: Duration = Duration::from_mins(2);

/// Records a conversation of two people, and returns the folder with `lesson.pcapng`.
fn lesson(server: SocketAddr) -> Folder {
    let tap = Tap::start(server, &["--linear", "--record", "lesson.pcapng"]);
    let mut alice = EventClient::join(tap.address, "alice");
    let mut bob = Tutorial::join(tap.address, "bob");
    bob.barrier();
    alice.say("meet me at noon");
    bob.expect_message("alice", "meet me at noon");
    alice.expect_message("alice", "meet me at noon");
    bob.say("<script>alert(1)</script>");
    alice.expect_message("bob", "<script>alert(1)</script>");
    drop((alice, bob));
    tap.interrupt().1
}

/// Runs the program, and returns how it ended and its output.
fn glassline(home: &Folder, arguments: &[&str]) -> (Ended, String) {
    let mut program = command(PROGRAM, home);
    program.current_dir(home.path()).args(arguments);
    let ended = run(program);
    let output = ended.stdout.join("\n");
    (ended, output)
}

#[test]
fn a_file_name_cannot_move_the_terminals_cursor() {
    let home = Folder::new();
    let name = "\u{1b}]0;title\u{7}\u{202e}.pcapng";
    for arguments in [
        &["tap", "report", name][..],
        &["tap", "--record", &format!("missing/{name}")],
        &["tap", "--rules", name],
        &["tap", "--listen", "127.0.0.1:0", "--hook", name],
    ] {
        let (ended, _) = glassline(&home, arguments);
        let words = &ended.stderr;
        assert!(ended.code == Some(1) && words.contains("]0;title"), "{ended:?}");
        assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
    }
}

#[test]
fn a_file_or_a_peer_that_is_not_there_is_told_in_words() {
    let home = Folder::new();
    home.write("empty.toml", "# nothing\n");
    let server = Server::start();
    fs::copy(lesson(server.address).join("lesson.pcapng"), home.join("lesson.pcapng")).expect("copied");
    for (arguments, words) in [
        (&["tap", "report", "lesson.pcapng", "--html", "none/x.html"][..], "no such file or folder; name a page in"),
        (&["tap", "report", "none.pcapng"], "cannot open none.pcapng: there is no such file"),
        (&["tap", "--rules", "none.toml"], "cannot read the rules of none.toml: there is no such file"),
        (&["tap", "--rules", "empty.toml", "--listen", "192.0.2.1:1"], "empty.toml has no rules"),
        (&["tap", "--listen", "127.0.0.1:0", "--hook", "none"], "there is no such file or folder; name a program"),
        (&["tap", "replay", "lesson.pcapng", "--to", "127.0.0.1:9"], "127.0.0.1:9: nothing listens there"),
    ] {
        let (ended, _) = glassline(&home, arguments);
        assert!(ended.code == Some(1) && ended.stderr.contains(words), "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("os error"), "{ended:?}");
    }
}

#[test]
fn a_report_has_everybody_and_everything_said() {
    let server = Server::start();
    let home = lesson(server.address);
    for side in ["client", "server"] {
        let (ended, report) = glassline(&home, &["tap", "report", "lesson.pcapng", "--side", side]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for line in
            ["Names: 2 readable", "Rooms: 1 readable", "alice to room lobby: meet me at noon", "Not readable: 0 of 2"]
        {
            assert!(report.contains(line), "{side}: {line}: {report}");
        }
    }
    let (_, compared) = glassline(&home, &["tap", "report", "lesson.pcapng", "lesson.pcapng"]);
    let names = compared.lines().find(|line| line.starts_with("Names")).expect("a row");
    assert_eq!(names.matches("2 readable").count(), 2);
}

#[test]
fn a_page_is_private_as_the_recording_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    let home = lesson(server.address);
    glassline(&home, &["tap", "report", "lesson.pcapng", "--html", "page.html"]);
    let (again, _) = glassline(&home, &["tap", "report", "lesson.pcapng", "--html", "page.html"]);
    assert!(again.code == Some(1) && again.stderr.contains("replace it with --overwrite"), "{again:?}");
    let (again, _) = glassline(&home, &["tap", "report", "lesson.pcapng", "--html", "page.html", "--overwrite"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    for file in ["lesson.pcapng", "page.html"] {
        let mode = fs::metadata(home.join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_cut_recording_is_not_reported_as_whole() {
    let server = Server::start();
    let home = lesson(server.address);
    let whole = fs::read(home.join("lesson.pcapng")).expect("a recording");
    home.write("cut.pcapng", &whole[..whole.len() - 5]);
    let (_, report) = glassline(&home, &["tap", "report", "cut.pcapng"]);
    assert!(report.contains("\n\nIncomplete: the file is cut off after packet "), "{report}");
    home.write("text.pcapng", "no capture at all");
    let to = server.address.to_string();
    let (played, _) = glassline(&home, &["tap", "replay", "cut.pcapng", "--to", &to]);
    assert!(played.stderr.contains("so connection 1 may not be whole"), "{played:?}");
    let (rejected, _) = glassline(&home, &["tap", "report", "text.pcapng"]);
    assert_eq!(rejected.code, Some(1), "{rejected:?}");
    assert!(rejected.stderr.contains("text.pcapng: this is no capture"), "{rejected:?}");
}

#[test]
fn a_replay_repeats_an_id_or_sends_anew() {
    let server = Server::start();
    let home = lesson(server.address);
    let mut eve = EventClient::join(server.address, "eve");
    let to = server.address.to_string();
    let (attack, output) = glassline(&home, &["tap", "replay", "lesson.pcapng", "--to", &to]);
    assert_eq!(attack.code, Some(0), "{attack:?}");
    assert!(output.starts_with("sent 3 of 3 frames"), "{output}");
    eve.say("between");
    let repeated =
        |events: Vec<serde_json::Value>| events.iter().filter(|event| event["text"] == "meet me at noon").count();
    assert_eq!(repeated(eve.barrier()), 0, "the server knows the id");
    let (test, _) = glassline(&home, &["tap", "replay", "lesson.pcapng", "--to", &to, "--fresh"]);
    assert_eq!(test.code, Some(0), "{test:?}");
    assert_eq!(repeated(eve.barrier()), 1, "with a new id it is a new message");
    let (beyond, _) = glassline(&home, &["tap", "replay", "lesson.pcapng", "--to", "192.0.2.1:1234"]);
    assert_ne!(beyond.code, Some(0), "{beyond:?}");
}

#[test]
fn a_server_is_played_to_a_client() {
    let server = Server::start();
    let home = lesson(server.address);
    let mut replay = command(PROGRAM, &home);
    replay.current_dir(home.path()).args([
        "tap",
        "replay",
        "lesson.pcapng",
        "--listen",
        "127.0.0.1:0",
        "--wait-s",
        "60",
    ]);
    let process = Process::start(replay);
    let address = process.line();
    let address = address.strip_prefix("listening on ").expect(&address).parse().expect("an address");
    let mut alice = EventClient::join(address, "alice");
    alice.send(
        &serde_json::json!({"type": "send", "room": "lobby", "text": "other words", "id": crate::harness::fresh_id()}),
    );
    alice.expect_message("alice", "meet me at noon");
    drop(alice);
    let ended = process.ended();
    assert!(ended.stdout.iter().any(|line| line.starts_with("sent ")), "{ended:?}");
}

/// Captures of tcpdump and dumpcap; their README says what passed.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/tap/tests/captures");
    let files = fs::read_dir(folder).expect("the captures").map(|file| file.expect("a file").path());
    let is_capture = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng");
    files.filter(is_capture).collect()
}

/// Returns whether the packets of a capture are cut, so that bytes are missing.
fn has_gaps(capture: &Path) -> bool {
    capture.file_stem().is_some_and(|name| name == "tcpdump-snaplen")
}

/// Plays the client of a connection to a server that sends this at once. Returns the bytes that the
/// server received, how the program ended, and its output.
fn replayed(capture: &Path, connection: &str, answer: &[u8]) -> (Vec<u8>, Ended, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let to = listener.local_addr().expect("an address").to_string();
    let answer = answer.to_vec();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        client.write_all(&answer).expect("it is taken");
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("an orderly end");
        received
    });
    let file = capture.to_str().expect("UTF-8");
    let home = Folder::new();
    let (ended, output) = glassline(&home, &["tap", "replay", file, "--to", &to, "--connection", connection]);
    (server.join().expect("the server's thread"), ended, output)
}

#[test]
fn captures_of_other_tools_are_reported() {
    let captures = captures();
    assert_eq!(captures.iter().map(|capture| has_gaps(capture)).filter(|gaps| !gaps).count(), 5);
    for capture in captures {
        let file = capture.to_str().expect("UTF-8");
        let (ended, report) = glassline(&Folder::new(), &["tap", "report", file]);
        assert_eq!(ended.code, Some(0), "{file}: {ended:?}");
        let lines = if has_gaps(&capture) {
            [
                "Not readable: 0 of 0 connections",
                "not evaluated: connection of 127.0.0.1:38262: bytes to the client from 30 on were not captured",
                "not evaluated: connection of 127.0.0.1:38274: bytes to the server from 30 on were not captured",
                "capture whole packets without losses",
            ]
        } else {
            [
                "Names: 4 readable",
                "alice to the room it is in: hello",
                "dave to room lobby: hi  [#22]",
                "Texts: 4 readable",
            ]
        };
        for line in lines {
            assert!(report.contains(line), "{file}: {line}: {report}");
        }
        assert_eq!(report.contains("  not evaluated: "), has_gaps(&capture), "{file}: {report}");
    }
}

#[test]
fn captures_of_other_tools_are_played_back() {
    let tutorial = [frame("alice"), frame("hello"), b"/exit".to_vec()].concat();
    let pair = [frame("bob"), frame("hi alice")].concat();
    let message = frame(r#"{"type":"message","room":"lobby","from":"dave","text":"hi"}"#);
    for capture in captures().iter().filter(|capture| !has_gaps(capture)) {
        let (received, ended, output) = replayed(capture, "1", &pair);
        assert_eq!(received, tutorial, "{}", capture.display());
        assert_eq!((ended.code, output.as_str()), (Some(0), "sent 3 of 3 frames, received 2"), "{ended:?}");
        let (received, ended, output) = replayed(capture, "2", &message);
        let beginning = [&b"GLASSLINE2"[..], &frame(r#"{"type":"hello","name":"carol"}"#)].concat();
        assert!(received.starts_with(&beginning) && received.len() == 3_110, "{}", capture.display());
        assert_eq!((ended.code, output.as_str()), (Some(0), "sent 3 of 3 frames, received 1"), "{ended:?}");
    }
}

#[test]
fn a_capture_with_gaps_is_not_played_back() {
    let capture = captures().into_iter().find(|capture| has_gaps(capture)).expect("a capture");
    let file = capture.to_str().expect("UTF-8");
    for (connection, gap) in [("1", "bytes to the client from 30 on"), ("2", "bytes to the server from 30 on")] {
        // Nothing is connected to: the address is that of nobody.
        let arguments = ["tap", "replay", file, "--to", "127.0.0.1:9", "--connection", connection];
        let (ended, _) = glassline(&Folder::new(), &arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let reason = format!("connection {connection} cannot be played back: {gap} were not captured");
        assert!(ended.stderr.contains(&reason), "{ended:?}");
    }
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_line() {
    const TEXT_CHARACTERS: usize = 10_000;
    let server = Server::start();
    // A limit on the size of files takes the place of a full disk: both fail a write. In blocks of
    // 512 or 1,024 bytes, and beyond it one message is recorded.
    let tap = Tap::start_after("trap '' XFSZ; ulimit -f 16;", server.address, &["--json", "--record", "full.pcapng"]);
    let mut alice = EventClient::join(tap.address, "alice");
    let mut bob = EventClient::join(server.address, "bob");
    let long = "x".repeat(TEXT_CHARACTERS);
    alice.say(&long);
    bob.expect_message("alice", &long);
    let problem = tap.observe(|observation| observation["observation"] == "problem");
    let text = problem["text"].as_str().expect("a text");
    assert!(text.contains("the recording full.pcapng stopped") && text.contains("the connections go on"), "{problem}");
    assert_eq!(problem["connection"], serde_json::Value::Null);
    alice.say("after");
    bob.expect_message("alice", "after");
    tap.observe(|observation| observation["observation"] == "frame" && observation["content"]["text"] == "after");
    let (_, home) = tap.interrupt();
    // What was written before is a capture.
    let (read, report) = glassline(&home, &["tap", "report", "full.pcapng"]);
    assert_eq!(read.code, Some(0), "{read:?}");
    assert!(!report.contains("Incomplete"), "{report}");
}

#[test]
fn a_removed_recording_is_reported_and_the_line_goes_on() {
    let server = Server::start();
    for format in ["--json", "--linear"] {
        let tap = Tap::start(server.address, &[format, "--record", "lesson.pcapng"]);
        let mut alice = EventClient::join(tap.address, "alice");
        fs::remove_file(tap.home().join("lesson.pcapng")).expect("removed");
        alice.say("before");
        tap.line_with("the recording lesson.pcapng stopped, since its file was removed");
        alice.say("after");
        tap.line_with("after");
        let (ended, _) = tap.interrupt();
        assert!(ended.stderr.contains("the recording stopped before the end"), "{format}: {ended:?}");
    }
}

/// Returns whether the browser is installed; if not, says so, or fails under `CI=true`.
fn has_chromium() -> bool {
    let is_there = Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "chromium is missing; apt-get install chromium");
        let _ = writeln!(std::io::stderr(), "NOT RUN: chromium is not installed, so no page was opened");
    }
    is_there
}

/// Serves a page until its thread is dropped with the process, and returns the lines of requests.
fn serve(page: Vec<u8>) -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, requests) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = vec![0; 16 * 1024];
            let read = stream.read(&mut head).unwrap_or(0);
            // A browser opens connections in advance, on which nothing comes.
            if read > 0 {
                let line = String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().to_owned();
                let _ = sender.send(line);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    page.len()
                );
                let _ = stream.write_all(&page);
            }
        }
    });
    (address, requests)
}

#[test]
fn a_browser_opens_the_page_and_asks_for_nothing_else() {
    if !has_chromium() {
        return;
    }
    let server = Server::start();
    let home = lesson(server.address);
    let (written, _) = glassline(&home, &["tap", "report", "lesson.pcapng", "--html", "page.html"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let (address, requests) = serve(fs::read(home.join("page.html")).expect("a page"));
    for (scheme, picture) in [("light", "light.png"), ("dark", "dark.png")] {
        let mut browser = command("chromium", &home);
        browser.current_dir(home.path()).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--enable-logging=stderr",
            "--window-size=1100,1500",
            "--virtual-time-budget=2000",
        ]);
        if scheme == "dark" {
            browser.args(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]);
        }
        browser.arg(format!("--screenshot={picture}")).arg(format!("http://{address}/"));
        let mut process = Process::start(browser);
        process.close_stdin();
        let drawn = process.ended_within(BROWSER_MAX);
        assert!(home.join(picture).exists(), "{drawn:?}");
        let complaints: Vec<&str> = drawn.stderr.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        let asked: Vec<String> = requests.try_iter().collect();
        assert_eq!(asked, ["GET / HTTP/1.1"], "{scheme}");
    }
    // Kept for documents where a folder for them is named.
    if let Some(folder) = std::env::var_os("GLASSLINE_PICTURES") {
        for picture in ["light.png", "dark.png"] {
            fs::copy(home.join(picture), Path::new(&folder).join(format!("tap-report-{picture}"))).expect("copied");
        }
    }
}

#[test]
fn a_live_report_names_connections_and_frames() {
    let server = Server::start();
    let tap = Tap::start(server.address, &["--quiet", "--report"]);
    let mut alice = EventClient::join(tap.address, "alice");
    alice.say("said live");
    alice.expect_message("alice", "said live");
    let (ended, _) = tap.interrupt();
    let output = ended.stdout.join("\n");
    assert!(output.contains("What an observer of this session knows"), "{output}");
    assert!(output.contains("alice to room lobby: said live  [1>3 1<2"), "{output}");
}
