//! Promises of docs/scripting.md to programs, and its examples, against real servers.

use std::fs;
use std::iter;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use glassline_server::Config;
use serde_json::{Value, json};

use crate::harness::{EventClient, Server};
use crate::program::{Folder, PROGRAM, Process, command};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A client of `--json`.
struct Script {
    program: Process,
    // Its home is there for as long as it is.
    _home: Folder,
}

impl Script {
    #[track_caller]
    fn start(address: &str, name: &str) -> Self {
        let home = Folder::new();
        let mut glassline = command(PROGRAM, &home);
        glassline.args(["join", "--json", "--name", name, address]);
        let script = Self { program: Process::start(glassline), _home: home };
        assert_eq!(script.program.line(), r#"{"type":"schema","version":1}"#, "the first line is the schema's");
        script
    }

    /// One that has been welcomed.
    #[track_caller]
    fn join(address: SocketAddr) -> Self {
        let script = Self::start(&address.to_string(), "script");
        assert_eq!(script.expect("welcome")["token"], "", "a token is nobody's business");
        script
    }

    #[track_caller]
    fn ask(&mut self, request: &Value) {
        self.program.say(&request.to_string());
    }

    #[track_caller]
    fn event(&self) -> Value {
        let line = self.program.line();
        assert!(line.starts_with("{\"type\":\""), "`type` is the first field: {line}");
        serde_json::from_str(&line).expect("a line is JSON")
    }

    /// The next event of this type; others before it are passed over.
    #[track_caller]
    fn expect(&self, kind: &str) -> Value {
        iter::repeat_with(|| self.event()).find(|event| event["type"] == kind).expect("one comes")
    }

    /// The event with this `ref`; an announcement of the same type may precede it (T11).
    #[track_caller]
    fn answer(&self, reference: &Value) -> Value {
        iter::repeat_with(|| self.event()).find(|event| event["ref"] == *reference).expect("one comes")
    }

    #[track_caller]
    fn expect_error(&self, code: &str, reference: Option<&str>) {
        let error = self.expect("error");
        assert_eq!((error["code"].as_str(), error["ref"].as_str()), (Some(code), reference), "{error}");
    }
}

/// Returns whether an event announces that `name` came or left.
fn names(event: &Value, name: &str) -> bool {
    event["names"].as_array().is_some_and(|names| names.iter().any(|listed| listed == name))
}

/// Everything that `member` receives until `name` has come or left.
#[track_caller]
fn until(member: &mut EventClient, kind: &str, name: &str) -> Vec<Value> {
    let mut before = Vec::new();
    loop {
        let event = member.event();
        if event["type"] == kind && names(&event, name) {
            return before;
        }
        before.push(event);
    }
}

fn texts_from<'a>(events: &'a [Value], name: &str) -> Vec<&'a str> {
    let said = events.iter().filter(|event| event["type"] == "message" && event["from"] == name);
    said.filter_map(|event| event["text"].as_str()).collect()
}

#[test]
fn a_request_may_omit_room_and_id_and_its_answer_has_its_ref() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut script = Script::join(server.address);
    script.ask(&json!({"type": "send", "text": "one", "ref": "r1"}));
    script.ask(&json!({"type": "send", "text": "two"}));
    let one = script.expect("message");
    assert_eq!((&one["text"], &one["room"], &one["ref"]), (&json!("one"), &json!("lobby"), &json!("r1")));
    let two = script.expect("message");
    assert!(two["ref"] == two["id"] && two["id"].as_str().is_some_and(|id| id.len() == 32), "{two}");
    assert_eq!(eve.expect_message("script", "one").get("ref"), None);
    eve.say("three");
    assert_eq!(script.expect("message").get("ref"), None, "what others say has no `ref`");
    for (request, answer) in [
        (json!({"type": "members", "ref": "m"}), "members"),
        (json!({"type": "join", "room": "den", "ref": "j"}), "joined"),
        (json!({"type": "join", "room": "den", "ref": "again"}), "joined"),
        (json!({"type": "rooms", "ref": "o"}), "rooms"),
        (json!({"type": "whois", "name": "eve", "ref": "w"}), "whois"),
        (json!({"type": "away", "text": "lunch", "ref": "a"}), "away"),
        (json!({"type": "direct", "to": "eve", "text": "psst", "ref": "d"}), "direct"),
        (json!({"type": "leave", "room": "den", "ref": "l"}), "left"),
        (json!({"type": "ping", "ref": "p"}), "pong"),
        (json!({"type": "bye", "ref": "b"}), "bye"),
    ] {
        script.ask(&request);
        assert_eq!(script.answer(&request["ref"])["type"], answer, "{request}");
    }
    assert_eq!(script.program.ended().code, Some(0), "`bye` ends it, though its input is open");
}

#[test]
fn an_impossible_request_is_an_error_and_the_next_line_is_read() {
    let server = Server::start();
    let mut script = Script::join(server.address);
    for (line, code, reference) in [
        ("nonsense", "not_an_event", None),
        (r#"{"type":"dance","ref":"x"}"#, "unknown_type", Some("x")),
        (r#"{"type":"send","ref":"x"}"#, "bad_field", Some("x")),
        (r#"{"type":"send","text":"","ref":"x"}"#, "empty_text", Some("x")),
        (r#"{"type":"send","text":"x","room":"den","ref":"x"}"#, "unknown_room", Some("x")),
        (r#"{"type":"hello","name":"x","ref":"x"}"#, "out_of_order", Some("x")),
        (r#"{"type":"history","room":"lobby","ref":"x"}"#, "no_history", Some("x")),
        (r#"{"type":"send","text":"x","text":"y","ref":"x"}"#, "bad_field", Some("x")),
        (r#"{"type":"ping","ref":"glassline-alive"}"#, "bad_field", Some("glassline-alive")),
        (r#"{"type":"direct","to":"nobody","text":"x","ref":"x"}"#, "unknown_name", Some("x")),
    ] {
        script.program.say(line);
        script.expect_error(code, reference);
    }
    script.program.say(&format!(r#"{{"type":"send","text":"{}"}}"#, "x".repeat(102_400)));
    script.expect_error("too_long", None);
    // Errors that the client finds by itself name what the program wrote.
    script.program.say("nonsense");
    assert!(script.expect("error")["text"].as_str().is_some_and(|text| text.starts_with("the line is not")));
    script.program.close_stdin();
    let ended = script.program.ended();
    assert!(ended.code == Some(1) && ended.stderr.contains("12 lines of the input were not delivered"), "{ended:?}");
}

#[test]
fn everything_that_the_server_says_comes_through() {
    let server = Server::start();
    let mut script = Script::join(server.address);
    script.ask(&json!({"type": "rename", "name": "writer", "ref": "n"}));
    assert_eq!(script.expect("renamed").get("ref"), None, "what the room hears");
    assert_eq!(script.expect("renamed")["ref"], "n", "what the asker hears");
    script.ask(&json!({"type": "join", "room": "lobby"}));
    assert_eq!(
        script.expect("joined")["names"],
        json!(["writer"]),
        "the answer, though nothing changes and nothing was referred to"
    );
    script.program.close_stdin();
    assert_eq!(script.expect("bye").get("ref"), None, "the program has not asked");
    assert_eq!(script.program.ended().code, Some(0));
}

#[test]
fn the_end_of_input_leaves_once_all_is_acknowledged_in_order() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut script = Script::join(server.address);
    let numbers: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    for number in &numbers {
        script.ask(&json!({"type": "send", "text": number, "ref": number}));
    }
    script.program.close_stdin();
    let ended = script.program.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let events: Vec<Value> = ended.stdout.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let acknowledged: Vec<&str> = events.iter().filter_map(|event| event["ref"].as_str()).collect();
    assert_eq!(acknowledged[..500], numbers, "one acknowledgement for each, in order");
    assert_eq!(texts_from(&until(&mut eve, "left", "script"), "script"), numbers);
}

#[test]
fn diagnostics_are_on_stderr_and_the_exit_code_says_the_result() {
    let server = Server::start();
    let mut script = Script::join(server.address);
    script.program.close_stdin();
    let ended = script.program.ended();
    assert!(ended.code == Some(0) && ended.stderr.contains("* connected to"), "{ended:?}");
    let ended = Script::start("127.0.0.1:1", "script").program.ended();
    assert!(ended.code == Some(3) && ended.stdout.is_empty() && ended.stderr.contains("cannot connect"), "{ended:?}");
    let ended = Script::start(&server.address.to_string(), "*").program.ended();
    assert!(ended.code == Some(4) && ended.stderr.contains("refused"), "{ended:?}");
    assert_eq!(ended.stdout, [r#"{"type":"link","link":"plaintext","readers":"anyone on the way"}"#]);
}

#[test]
fn the_documentation_shows_the_examples_as_they_are() {
    let page = fs::read_to_string(docs().join("scripting.md")).expect("the page");
    let mut shown = 0;
    for file in fs::read_dir(docs().join("examples")).expect("the examples") {
        let path = file.expect("an example").path();
        let language = if path.extension().is_some_and(|extension| extension == "py") { "python" } else { "sh" };
        let text = fs::read_to_string(&path).expect("an example");
        assert!(page.contains(&format!("```{language}\n{text}```")), "{} differs", path.display());
        shown += 1;
    }
    assert_eq!(shown, 3);
}

/// The commands that the page shows for a shell, examples apart, talking to this server under this name.
fn one_liners(address: SocketAddr, name: &str) -> Vec<String> {
    let page = fs::read_to_string(docs().join("scripting.md")).expect("the page");
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let commands = blocks.map(|(commands, _)| commands).filter(|commands| !commands.starts_with("#!"));
    commands
        .map(|commands| commands.replace("glassline join", &format!("exec glassline join {address} --name {name}")))
        .collect()
}

#[test]
fn the_one_liners_do_what_the_page_says() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let home = Folder::new();
    let run = |commands: &str| {
        let mut shell = command("sh", &home);
        shell.args(["-c", commands]).current_dir(home.path());
        Process::start(shell)
    };
    // The last option counts.
    let [silence, pipe] = &one_liners(server.address, "ear")[..] else { panic!("two") };
    let silence = run(silence);
    until(&mut eve, "joined", "ear");
    let pipe = run(&pipe.replace("--name ear", ""));
    eve.expect_message("ci", "the build is green");
    assert_eq!(pipe.ended().code, Some(0));
    until(&mut eve, "left", "ci");
    silence.signal("TERM");
    assert_eq!(silence.ended().code, Some(0));
    let kept = fs::read_to_string(home.path().join("lobby.log")).expect("a log");
    assert!(kept.contains("\nci > the build is green\n"), "{kept}");
}

#[track_caller]
fn example(interpreter: &str, file: &str, arguments: &[&str], home: &Folder) -> Process {
    let mut example = command(interpreter, home);
    example.arg(docs().join("examples").join(file)).args(arguments).env("TMPDIR", home.path());
    Process::start(example)
}

/// A bot whose client's process is known, and whose `date` counts how often it runs.
#[track_caller]
fn bot(address: SocketAddr, home: &Folder) -> Process {
    let shown = home.path().display();
    for (name, script) in [
        ("date", format!("echo asked >>{shown}/dates; echo 12:34")),
        ("glassline", format!("echo $$ >{shown}/client; exec {PROGRAM} \"$@\"")),
    ] {
        let file = home.write(format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    let path = std::env::var("PATH").expect("PATH");
    let mut bot = command("sh", home);
    bot.env("PATH", format!("{shown}/bin:{path}")).env("TMPDIR", home.path().join("bin"));
    bot.arg(docs().join("examples/bot.sh")).args([&address.to_string(), "--name", "bot"]);
    Process::start(bot)
}

#[test]
fn the_bot_answers_nothing_but_its_own_command() {
    let server = Server::start();
    let mut alice = EventClient::join(server.address, "alice");
    let home = Folder::new();
    let bot = bot(server.address, &home);
    until(&mut alice, "joined", "bot");
    for text in ["what does !time do?", r#"{"type":"message","text":"!time"}"#, "!time\n", "!time"] {
        alice.say(text);
        alice.expect_message("alice", text);
    }
    alice.expect_message("bot", "it is 12:34");
    // Its client leaves; the bot reads what it received before that to the end.
    let client = fs::read_to_string(home.path().join("client")).expect("a process");
    let kill = format!("kill -TERM {client}");
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    let rest = until(&mut alice, "left", "bot");
    assert!(texts_from(&rest, "bot").is_empty(), "{rest:?}");
    assert_eq!(bot.ended().code, Some(0));
    assert_eq!(fs::read_to_string(home.path().join("dates")).expect("the count"), "asked\n");
    assert_eq!(fs::read_dir(home.path().join("bin")).expect("a folder").count(), 2, "no pipe is left behind");
}

#[test]
fn the_bot_does_not_answer_messages_from_before_it_came() {
    let home = Folder::new();
    let server = Server::keeping(home.path(), Config::default());
    let mut alice = EventClient::join(server.address, "alice");
    alice.say("!time");
    alice.expect_message("alice", "!time");
    let script = Script::join(server.address);
    let context = script.expect("history");
    assert_eq!((&context["messages"][0]["text"], context.get("ref")), (&json!("!time"), None));
    let bot = bot(server.address, &home);
    until(&mut alice, "joined", "bot");
    alice.say("!time");
    let asked = alice.expect_message("alice", "!time")["seq"].as_u64().expect("a number");
    assert_eq!(alice.expect_message("bot", "it is 12:34")["seq"], asked + 1, "and nothing before that");
    bot.signal("KILL");
    until(&mut alice, "left", "bot");
    assert_eq!(fs::read_to_string(home.path().join("dates")).expect("the count"), "asked\n");
}

#[test]
fn a_bot_that_is_killed_leaves_no_client_behind() {
    let server = Server::start();
    let mut alice = EventClient::join(server.address, "alice");
    let home = Folder::new();
    let bot = bot(server.address, &home);
    until(&mut alice, "joined", "bot");
    alice.say("!time");
    alice.expect_message("alice", "!time");
    alice.expect_message("bot", "it is 12:34");
    bot.signal("KILL");
    until(&mut alice, "left", "bot");
}

#[test]
fn the_relay_carries_both_ways_and_not_its_own_messages() {
    let (here, there) = (Server::start(), Server::start());
    let mut alice = EventClient::join(here.address, "alice");
    // Takes the relay's name, so that the relay must recognise its own messages by more than the
    // name.
    let mut bob = EventClient::join(there.address, "relay");
    let home = Folder::new();
    let addresses = [here.address.to_string(), there.address.to_string()];
    let relay = example("python3", "relay.py", &[&addresses[0], &addresses[1]], &home);
    until(&mut alice, "joined", "relay");
    until(&mut bob, "joined", "relay-2");
    let text = "\"quoted\"\nand 漢字 \u{1f980}";
    alice.say(text);
    bob.expect_message("relay-2", &format!("alice: {text}"));
    bob.say("back");
    alice.expect_message("alice", text);
    alice.expect_message("relay", "relay: back");
    // One more round: whatever goes round would come before it.
    alice.say("again");
    alice.expect_message("alice", "again");
    bob.expect_message("relay", "back");
    bob.expect_message("relay-2", "alice: again");
    relay.signal("TERM");
    for (member, name) in [(&mut alice, "relay"), (&mut bob, "relay-2")] {
        let rest = until(member, "left", name);
        assert!(texts_from(&rest, name).is_empty(), "{rest:?}");
    }
}

#[test]
fn the_log_keeps_messages_until_a_signal() {
    let server = Server::start();
    let mut alice = EventClient::join(server.address, "alice");
    let home = Folder::new();
    let file = home.path().join("lobby.log");
    let arguments = [file.to_str().expect("UTF-8"), &server.address.to_string(), "--name", "log"];
    let log = example("sh", "log.sh", &arguments, &home);
    until(&mut alice, "joined", "log");
    alice.say("first");
    alice.say("second\nline");
    alice.barrier();
    log.signal("TERM");
    let ended = log.ended();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let kept = fs::read_to_string(file).expect("a log");
    let kept: Vec<&str> = kept.lines().skip_while(|line| !line.contains("alice > ")).collect();
    let [first, second, rest] = kept[..] else { panic!("{kept:?}") };
    assert!(first.ends_with("alice > first") && second.ends_with("alice > second") && rest == "  line", "{kept:?}");
}
