//! `glassline tap report` and `glassline tap replay`, with recordings of the real tap.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use crate::harness::{EventClient, Server, Tutorial};
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
    assert!(report.contains("not evaluated: what follows packet"), "{report}");
    home.write("text.pcapng", "no capture at all");
    let (rejected, _) = glassline(&home, &["tap", "report", "text.pcapng"]);
    assert_eq!(rejected.code, Some(1), "{rejected:?}");
    assert!(rejected.stderr.contains("this is no capture"), "{rejected:?}");
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
            fs::copy(home.join(picture), std::path::Path::new(&folder).join(format!("tap-report-{picture}")))
                .expect("copied");
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
