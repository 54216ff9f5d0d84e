//! Signals without a terminal: which of them end the program, and that each end comes with a
//! goodbye.

use std::time::Duration;

use serde_json::json;

use crate::harness::{EventClient, Server, ServerProcess};
use crate::program::{Folder, PROGRAM, Process, command};

#[test]
fn a_server_without_a_terminal_goes_on() {
    let process = ServerProcess::serve(&["--history", "none"]);
    let mut eve = EventClient::join(process.address, "eve");
    for signal in ["HUP", "USR1", "USR2", "HUP"] {
        process.signal(signal);
        eve.say(signal);
        eve.expect_message("eve", signal);
    }
    let ended = process.stop();
    assert!(ended.stderr.contains("SIGHUP") && ended.stderr.contains("SIGUSR1"), "{ended:?}");
}

#[test]
fn a_quit_signal_ends_a_server_with_a_goodbye() {
    let process = ServerProcess::serve(&["--history", "none"]);
    let mut eve = EventClient::join(process.address, "eve");
    process.signal("QUIT");
    eve.expect("bye");
    eve.expect_closed();
    assert_eq!(process.wait(Duration::from_secs(20)).code, Some(0));
}

/// As `nohup` starts it.
#[test]
fn a_client_that_ignores_hangups_goes_on() {
    let server = Server::start();
    for mode in ["--json", "--linear"] {
        let home = Folder::new();
        let mut shell = command("sh", &home);
        let script = format!("trap '' HUP; exec \"$0\" join {mode} --name script {}", server.address);
        shell.args(["-c", &script, PROGRAM]);
        let mut client = Process::start(shell);
        let mut eve = EventClient::join(server.address, "eve");
        let say = |text: &str| match mode {
            "--json" => json!({"type": "send", "text": text}).to_string(),
            _ => text.to_string(),
        };
        client.say(&say("before"));
        eve.expect_message("script", "before");
        client.signal("HUP");
        client.say(&say("after"));
        eve.expect_message("script", "after");
        client.close_stdin();
        assert_eq!(client.ended().code, Some(0), "{mode}");
    }
}
