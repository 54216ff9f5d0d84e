//! A history that is not as it was written: no message is shown that was not sent, and the log
//! reports the damage.

use std::fs;
use std::path::Path;
use std::time::Duration;

use glassline_server::Config;
use serde_json::{Value, json};

use crate::harness::{EventClient, Server, ServerProcess};
use crate::program::Folder;

const PATIENCE: Duration = Duration::from_mins(1);

fn said(client: &mut EventClient, text: &str) -> Value {
    client.say(text);
    client.expect_message("alice", text)
}

/// Turns one bit of a text that stands in the file once.
fn turn_a_bit_of(file: &Path, text: &str) {
    let mut bytes = fs::read(file).expect("reads");
    let found: Vec<usize> =
        (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text.as_bytes())).collect();
    assert_eq!(found.len(), 1, "{text:?}");
    bytes[found[0] + text.len() - 1] ^= 1;
    fs::write(file, bytes).expect("writes");
}

/// Code and lines of a check.
fn checked(file: &Path) -> (Option<i32>, Vec<String>) {
    let ended = ServerProcess::ended(&["history", "check", "--history", &file.display().to_string()]);
    (ended.code, ended.stdout)
}

#[test]
fn a_damaged_message_is_a_gap_and_is_logged() {
    let folder = Folder::new();
    let file = folder.path().join("history.db");
    let server = Server::keeping(folder.path(), Config::default());
    let mut alice = EventClient::join(server.address, "alice");
    let texts = ["the first", "pay bob 1000", "the last"];
    for text in texts {
        said(&mut alice, text);
    }
    server.stop();
    assert_eq!(checked(&file).0, Some(0));
    turn_a_bit_of(&file, "pay bob 1000");
    let (code, report) = checked(&file);
    assert_eq!(code, Some(1), "{report:?}");
    assert!(report.iter().any(|line| line.contains("number 2 is not as it was stored")), "{report:?}");
    let exported = ServerProcess::ended(&["history", "export", "--history", &file.display().to_string()]);
    assert_eq!(exported.code, Some(1), "{exported:?}");
    assert!(!exported.stdout.iter().any(|line| line.contains("pay bob")), "{exported:?}");

    let server = Server::keeping(folder.path(), Config::default());
    let hello = json!({"type": "hello", "name": "carol", "since": {"lobby": 0}});
    let (mut carol, _) = EventClient::greet(server.address, &hello);
    assert_eq!(carol.expect("message")["seq"], 1);
    let gap = carol.expect("gap");
    assert_eq!((&gap["from"], &gap["to"]), (&json!(2), &json!(2)));
    assert_eq!(carol.expect("message")["seq"], 3);
    carol.send(&json!({"type": "history", "room": "lobby"}));
    let page = carol.expect("history");
    let numbers: Vec<&Value> = page["messages"].as_array().expect("messages").iter().map(|said| &said["seq"]).collect();
    assert_eq!(numbers, [1, 3]);
    carol.send(&json!({"type": "search", "room": "lobby", "query": "pay bob"}));
    let refused = carol.expect_error("busy");
    assert!(refused["text"].as_str().expect("a text").contains("damaged"), "{refused}");
    carol.send(&json!({"type": "history", "room": "lobby", "before": 3, "after": 1}));
    carol.expect_error("busy");
    assert!(server.log().contains("1 messages of room \"lobby\" from number 2 to 2 are not as they were stored"));
    carol.say("more");
    assert_eq!(carol.expect_message("carol", "more")["seq"], 4, "its number is not given again");
}

#[test]
fn a_damaged_act_keeps_the_server_from_starting() {
    let folder = Folder::new();
    let file = folder.path().join("history.db");
    let history = file.display().to_string();
    let act = json!({
        "type": "act", "at": "2026-01-02T03:04:05.678Z", "by": "root", "act": "ban", "who": "mallory",
        "until": "2099-01-01T00:00:00.000Z",
    });
    let lines = folder.write("acts", format!("{}\n{act}\n", json!({"type": "schema", "version": 1})));
    let imported = ServerProcess::ended(&["history", "import", "--history", &history, &lines.display().to_string()]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    turn_a_bit_of(&file, "mallory");
    let ended = ServerProcess::ended(&["serve", "--listen", "127.0.0.1:0", "--history", &history]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("\"act\"") && ended.stderr.contains("restore a copy"), "{ended:?}");
    assert_eq!(checked(&file).0, Some(1));
}

#[test]
fn a_file_cut_short_under_a_server_ends_it_unacknowledged() {
    let folder = Folder::new();
    let file = folder.path().join("history.db");
    let server = ServerProcess::serve(&["--history", &file.display().to_string()]);
    let mut alice = EventClient::join(server.address, "alice");
    said(&mut alice, "before");
    fs::OpenOptions::new().write(true).open(&file).expect("opens").set_len(8_192).expect("cuts");
    alice.say("behind");
    let events = alice.expect_closed();
    assert!(events.iter().all(|event| event["text"] != "behind"), "{events:?}");
    let ended = server.wait(PATIENCE);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("cut short under this server"), "{ended:?}");
}

#[test]
fn a_second_name_of_a_history_is_refused() {
    let folder = Folder::new();
    let (file, other) = (folder.path().join("history.db"), folder.path().join("other.db"));
    let server = ServerProcess::serve(&["--history", &file.display().to_string()]);
    let mut alice = EventClient::join(server.address, "alice");
    said(&mut alice, "before");
    fs::hard_link(&file, &other).expect("links");
    let ended = ServerProcess::ended(&["serve", "--listen", "127.0.0.1:0", "--history", &other.display().to_string()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("2 names") && ended.stderr.contains("copy"), "{ended:?}");
    assert_eq!(said(&mut alice, "behind")["seq"], 2);
}

#[test]
fn a_client_that_is_ahead_of_the_history_is_logged() {
    let folder = Folder::new();
    let server = Server::keeping(folder.path(), Config::default());
    let hello = json!({"type": "hello", "name": "carol", "since": {"lobby": 9}});
    let (mut carol, _) = EventClient::greet(server.address, &hello);
    carol.barrier();
    let log = server.log();
    assert!(log.contains("later number of this room") && log.contains("seen=9"), "{log}");
}

/// Output of a server that starts on a killed one's files, and the number that the next message
/// gets.
fn output_after_a_kill(change: impl Fn(&mut Vec<u8>)) -> (String, u64) {
    // A checkpoint may have begun the log anew just before the kill.
    for _ in 0..50 {
        let folder = Folder::new();
        let file = folder.path().join("history.db");
        let arguments = ["--history", &file.display().to_string()];
        let server = ServerProcess::serve(&arguments);
        let mut alice = EventClient::join(server.address, "alice");
        for number in 0..20 {
            said(&mut alice, &format!("number {number}"));
        }
        server.signal("KILL");
        drop(server);
        let log = folder.path().join("history.db-wal");
        let mut bytes = fs::read(&log).expect("reads");
        if !loses_the_last_message(&bytes) {
            continue;
        }
        change(&mut bytes);
        fs::write(&log, bytes).expect("writes");
        let server = ServerProcess::serve(&arguments);
        let mut alice = EventClient::join(server.address, "alice");
        alice.say("behind");
        let acknowledged = loop {
            let event = alice.event();
            if event["type"] == "message" {
                break event["seq"].as_u64().expect("a number");
            }
        };
        return (server.stop().stderr, acknowledged);
    }
    panic!("no kill left the last message in the log with a commit behind it")
}

/// Bytes of a log's header, of a frame's, and of a page.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const PAGE: usize = 4_096;

/// Returns whether damage at the start of a log loses the last message and is provable: a commit
/// follows the damaged one in the same log.
fn loses_the_last_message(log: &[u8]) -> bool {
    let frames = log[LOG_HEADER..].chunks_exact(FRAME_HEADER + PAGE).take_while(|frame| frame[8..16] == log[16..24]);
    let commits = frames.clone().filter(|frame| frame[4..8] != [0; 4]).count();
    let last = b"number 19";
    commits > 1 && frames.clone().any(|frame| frame.windows(last.len()).any(|part| part == last))
}

#[test]
fn a_damaged_write_ahead_log_is_reported_and_a_kill_is_not() {
    assert!(matches!(output_after_a_kill(|_| {}), (output, 21) if !output.contains("write-ahead log")));
    let (output, next) = output_after_a_kill(|log| log.truncate(log.len() - 1));
    assert!(!output.contains("write-ahead log") && next <= 21, "{next}: {output}");
    let (output, next) = output_after_a_kill(|log| {
        log[LOG_HEADER + FRAME_HEADER + 100] ^= 1;
    });
    assert!(output.contains("the history is damaged") && output.contains("write-ahead log"), "{output}");
    assert!(next < 21, "{next}");
}
