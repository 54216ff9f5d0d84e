//! Operators (O) over sockets, in both dialects: the effect of each line, its targets, and
//! refusals.

use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

use serde_json::{Value, json};

use glassline_server::{Config, OperatorToken};

#[cfg(unix)]
use crate::harness::ServerProcess;
use crate::harness::{EventClient, Pair, Server, Tutorial, fresh_id, words_in};
#[cfg(unix)]
use crate::program::{Folder, PROGRAM, Process, command, named_pipe};

const TOKEN: &str = "correct-horse-battery";

pub(crate) fn server() -> Server {
    let operator_token = Some(OperatorToken::parse(TOKEN).expect("a token"));
    Server::with(Config { operator_token, ..Config::default() })
}

/// Writes an operator's line; returns what answered it.
#[track_caller]
fn operate(client: &mut EventClient, line: &str) -> Vec<Value> {
    let reference = fresh_id();
    client.send(&json!({"type": "operate", "line": line, "ref": reference}));
    let mut answers = client.barrier();
    answers.retain(|event| event["ref"] == reference.as_str());
    answers
}

/// … which must be an act.
#[track_caller]
pub(crate) fn act(client: &mut EventClient, line: &str) -> Value {
    let answers = operate(client, line);
    assert_eq!(answers.first().map(|answer| &answer["type"]), Some(&json!("act")), "{line}: {answers:?}");
    answers.into_iter().next().expect("an act")
}

/// … which must be a refusal.
#[track_caller]
fn refused(client: &mut EventClient, line: &str, code: &str) -> String {
    let answers = operate(client, line);
    assert!(matches!(&answers[..], [error] if error["code"] == code), "{line}: {answers:?}");
    answers[0]["text"].as_str().expect("a text").to_string()
}

#[track_caller]
pub(crate) fn operator(server: &Server, name: &str) -> EventClient {
    operator_at(server.address, name)
}

#[track_caller]
fn operator_at(address: SocketAddr, name: &str) -> EventClient {
    let mut client = EventClient::join(address, name);
    assert_eq!(act(&mut client, &format!("op {TOKEN}"))["by"], name);
    client
}

/// A tutorial client that is an operator.
#[track_caller]
fn old_operator(server: &Server, name: &str) -> Tutorial {
    let mut client = Tutorial::join(server.address, name);
    client.say(format!("/op {TOKEN}"));
    client.expect_word(&format!("{name} became an operator"));
    client.expect_word("you are an operator for as long as this connection lasts");
    client
}

#[track_caller]
fn is_refused_to_say(client: &mut EventClient, code: &str) -> String {
    client.say("hi");
    loop {
        let event = client.event();
        if event["type"] == "error" {
            assert_eq!(event["code"], code, "{event}");
            return event["text"].as_str().expect("a text").to_string();
        }
        assert_ne!(event["type"], "message");
    }
}

/// Returns the answer to a newcomer that is not let in.
#[track_caller]
fn turned_away(server: &Server, name: &str) -> (Vec<Value>, Vec<Pair>) {
    let mut event = EventClient::connect(server.address);
    event.send(&json!({"type": "hello", "name": name}));
    let mut old = Tutorial::connect(server.address);
    old.say(name);
    (event.expect_closed(), old.expect_closed())
}

#[test]
fn a_server_without_a_token_has_no_operators() {
    let server = Server::start();
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    for line in ["op anything", "kick old", "roster", "dance", ""] {
        let text = refused(&mut eve, line, "not_operator");
        assert!(text.contains("--operator-token-file FILE"), "{text}");
    }
    for line in ["/op anything", "/ban eve", "/motd x"] {
        old.say(line);
        old.expect_word("this server has no operators; its host starts it with `--operator-token-file FILE`");
    }
    old.say("/help");
    assert!(!old.expect_word("lists the commands").contains("/kick"));
    eve.say("still here");
    eve.expect_message("eve", "still here");
}

#[test]
fn the_token_is_never_relayed_shown_or_logged() {
    let server = server();
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    let mut witness = Tutorial::join(server.address, "witness");
    for line in [format!("/op {TOKEN}x"), format!("/op  {TOKEN} "), format!("/op\t{TOKEN}"), format!("/op {TOKEN}\n")] {
        old.say(line);
    }
    // Sent before it is an operator, and before the token is known.
    old.say(format!(" \t/op {TOKEN}"));
    old.expect_word("this is not the token");
    old.expect_word("old became an operator");
    old.expect_word("you are an operator already");
    old.expect_word("this was not sent: it is /op with a space before it");
    let answers = operate(&mut eve, &format!("op {TOKEN} "));
    assert_eq!(answers[0]["act"], "op");
    assert!(!answers.iter().any(|answer| answer.to_string().contains("horse")));
    old.expect_word("eve became an operator");
    assert!(!witness.barrier().iter().any(|pair| pair.text.contains("horse") || pair.text.contains("operator")));
    assert!(server.log().contains("operator") && !server.log().contains("horse"), "{}", server.log());
}

#[test]
fn a_thousand_wrong_tokens_are_a_thousand_refusals() {
    let server = server();
    let mut eve = EventClient::join(server.address, "eve");
    for n in 0..1_000 {
        eve.send(&json!({"type": "operate", "line": format!("op guess-number-{n}"), "ref": "g"}));
    }
    let answers = eve.barrier();
    let refusals = answers.iter().filter(|answer| answer["code"] == "not_operator" && answer["ref"] == "g").count();
    assert_eq!(refusals, 1_000);
    assert!(refused(&mut eve, &format!("op {TOKEN}"), "not_operator").contains("connect again"));
    assert_eq!(server.log().matches("a wrong operator token").count(), 3, "guessing does not fill the log");
    operator(&server, "alice");
}

#[test]
fn a_kick_closes_the_connection_with_a_word() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    let mut witness = Tutorial::join(server.address, "witness");
    assert_eq!(act(&mut teacher, "kick EVE too loud")["who"], "eve");
    let last = eve.expect_closed();
    let [.., error, bye] = &last[..] else { panic!("{last:?}") };
    assert_eq!((&error["code"], &bye["type"]), (&json!("kicked"), &json!("bye")));
    assert!(error["text"].as_str().is_some_and(|text| text.starts_with("teacher closed your connection: too loud;")));
    act(&mut teacher, "kick old");
    let last = old.expect_closed();
    assert!(last.last().is_some_and(|pair| pair.is_word() && pair.text.starts_with("teacher closed your connection;")));
    assert!(witness.expect_word(" left").contains("eve"));
    EventClient::join(server.address, "eve").barrier();
    let log = server.log();
    assert!(log.contains("reason=\"kicked\"") && log.contains("act=\"kick\""), "{log}");
    assert!(refused(&mut teacher, "kick nobody", "unknown_name").contains("/names"));
}

#[test]
fn operators_of_the_tutorial_dialect_do_the_same() {
    let server = server();
    let mut teacher = old_operator(&server, "teacher");
    let mut eve = EventClient::join(server.address, "eve");
    let mut old = Tutorial::join(server.address, "old");
    teacher.say("/mute eve 10m listen");
    teacher.expect_word("teacher muted eve until ");
    teacher.expect_word("it concerns 1 who is here: eve");
    assert!(
        is_refused_to_say(&mut eve, "muted")
            .contains(": listen; you may still write to an operator (teacher) directly")
    );
    eve.send(&json!({"type": "direct", "to": "teacher", "text": "sorry", "id": fresh_id()}));
    teacher.expect_message("eve→you", "sorry");
    teacher.say("/unmute eve");
    teacher.expect_word("teacher unmuted eve");
    eve.say("thanks");
    old.expect_message("eve", "thanks");

    teacher.say("/freeze");
    old.expect_word("teacher froze the talk: only operators speak");
    old.say("but");
    old.say("/me objects");
    old.say("/msg eve but");
    old.say("/nick but");
    let words = old.barrier();
    assert_eq!(words_in(&words).iter().filter(|word| word.contains("froze the talk")).count(), 4, "{words:?}");
    teacher.say("listen");
    old.expect_message("teacher", "listen");
    teacher.say("/thaw");
    old.expect_word("everybody may speak again");

    teacher.say("/motd the notes are on the wall");
    teacher.expect_word("teacher set the message of the day: the notes");
    let mut late = Tutorial::connect(server.address);
    late.say("late");
    late.expect_word("/help lists commands");
    assert_eq!(late.pair().text, "the notes are on the wall");
    let mut event = EventClient::join(server.address, "event");
    assert_eq!(event.expect("notice")["text"], "the notes are on the wall");

    teacher.say("/roster");
    let roster = teacher.expect_word("5 here:");
    assert!(roster.contains("\nold 127.0.0.1, tutorial dialect, since "), "{roster}");
    assert!(roster.contains("\nteacher (operator) 127.0.0.1, tutorial dialect"), "{roster}");
    teacher.say("/kick old go home");
    assert!(old.expect_closed().last().is_some_and(|pair| pair.text.contains("go home")));
    teacher.say("/ban eve");
    assert_eq!(eve.expect_closed().iter().rev().nth(1).map(|error| error["code"].clone()), Some(json!("banned")));
    teacher.say("/bans");
    let stands = teacher.expect_word("what stands:");
    assert!(stands.contains("\neve banned until ") && !stands.contains("muted"), "{stands}");
    teacher.say("/unban eve");
    teacher.expect_word("teacher unbanned eve");
    EventClient::join(server.address, "eve");
    for (line, answer) in [
        ("/kick", "this is written: kick NAME [REASON]"),
        ("/mute event 30s", "30s is no length of time; write 10m, 2h or 7d"),
        ("/unban eve", "no ban of exactly eve stands"),
        ("/kick teacher", "that is you"),
    ] {
        teacher.say(line);
        teacher.expect_word(answer);
    }
    teacher.say("/help");
    let help = teacher.expect_word("lists the commands");
    assert!(help.contains("\n/ban WHO [FOR] [REASON]: "), "{help}");
    late.say("/help");
    let help = late.expect_word("lists the commands");
    assert!(help.contains("\n/op TOKEN: ") && !help.contains("/ban"), "{help}");
}

#[test]
fn a_banned_name_is_kept_out_in_any_guise() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let mut bob = EventClient::join(server.address, "bob");
    let mut eve = EventClient::join(server.address, "eve");
    let banned = act(&mut teacher, "ban Eve 2h enough");
    assert_eq!((&banned["who"], &banned["text"]), (&json!("Eve"), &json!("enough")));
    eve.expect_closed();
    for name in ["eve", "EVE", "еve"] {
        let (events, pairs) = turned_away(&server, name);
        assert!(matches!(&events[..], [error] if error["code"] == "banned"), "{name}: {events:?}");
        assert!(
            matches!(&pairs[..], [word] if word.text.starts_with("teacher banned Eve until ")),
            "{name}: {pairs:?}"
        );
        assert!(pairs[0].text.contains(": enough; come back after that"));
    }
    bob.send(&json!({"type": "rename", "name": "eve"}));
    bob.expect_error("banned");
    assert!(server.log().contains("reason=\"banned\""));
    act(&mut teacher, "unban EVE");
    EventClient::join(server.address, "eve");
}

#[test]
fn a_class_behind_one_address_is_safe_from_its_own_operators() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let mut aide = old_operator(&server, "aide");
    let mut eve = EventClient::join(server.address, "eve");
    for line in [
        "ban 127.0.0.1",
        "mute 127.0.0.1",
        "ban 127.0.0.0/8",
        "ban ::ffff:127.0.0.1",
        "ban 0.0.0.0/0",
        "mute ::/0",
        "ban aide",
    ] {
        refused(&mut teacher, line, "bad_field");
    }
    assert!(refused(&mut teacher, "ban 127.0.0.1", "bad_field").contains("take the name instead"));
    aide.say("/ban 127.0.0.1 1h");
    aide.expect_word("your own connection comes from 127.0.0.1");
    eve.say("we are all still here");
    eve.expect_message("eve", "we are all still here");
    // Nothing automatic bans, whatever somebody does.
    for _ in 0..20 {
        let mut newcomer = Tutorial::connect(server.address);
        newcomer.send_bytes("rubbish");
        newcomer.expect_closed();
    }
    for n in 0..20 {
        operate(&mut eve, &format!("op guess-{n}"));
    }
    Tutorial::join(server.address, "late");
}

#[test]
#[cfg(target_os = "linux")]
fn a_banned_address_is_refused_before_it_has_a_name() {
    use crate::harness::Wire;
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let from = "127.0.0.9".parse().expect("an address");
    let mut near = EventClient::join_over(Wire::connect_from(from, server.address), "near");
    let mut old = Tutorial::join_over(Wire::connect_from(from, server.address), "old");
    let answers = operate(&mut teacher, "mute 127.0.0.9 10m");
    assert_eq!(answers[1]["text"], "it concerns 2 who are here: near, old");
    is_refused_to_say(&mut near, "muted");
    let answers = operate(&mut teacher, "ban 127.0.0.8/31 10m");
    assert_eq!(
        (&answers[0]["who"], &answers[1]["text"]),
        (&json!("127.0.0.8/31"), &json!("it concerns 2 who are here: near, old"))
    );
    near.expect_closed();
    old.expect_closed();
    let mut old = Tutorial::over(Wire::connect_from(from, server.address));
    old.send_bytes("5");
    assert!(matches!(&old.expect_closed()[..], [word] if word.text.starts_with("teacher banned 127.0.0.8/31 until ")));
    let mut near = EventClient::over(Wire::connect_from(from, server.address));
    near.send_bytes("GLASSLINE2");
    assert!(matches!(&near.expect_closed()[..], [error] if error["code"] == "banned"));
    Tutorial::join(server.address, "neighbour");
    act(&mut teacher, "unban 127.0.0.8/31");
    Tutorial::join_over(Wire::connect_from(from, server.address), "old");
}

#[test]
fn hostile_lines_are_cut_cleaned_or_refused() {
    let server = server();
    let mut teacher = operator(&server, "teacher");
    let mut aide = old_operator(&server, "aide");
    let mut eve = EventClient::join(server.address, "eve");
    let kicked = act(&mut teacher, "kick eve \u{1b}]0;owned\u{7}\nline two\u{202e}\u{0}");
    assert_eq!(kicked["text"], "\u{fffd}]0;owned\u{fffd}\u{fffd}line two\u{fffd}\u{fffd}");
    aide.expect_word("teacher kicked eve: \u{fffd}]0;owned");
    eve.expect_closed();
    refused(&mut teacher, &"x".repeat(1_025), "too_long");
    refused(&mut teacher, &format!("kick aide {}", "x".repeat(1_014)), "too_long");
    refused(&mut teacher, &format!("mute bob {}", "\u{1}".repeat(300)), "too_long");
    aide.say(format!("/motd {}", "x".repeat(16_000)));
    aide.expect_word("the limit is 1024; write less");
    for line in ["ban", "ban  ", "ban 1.2.3.4/99", "mute \u{7}", "unban /", "motd\u{0}", "\u{0}", "\n", "ban \"\""] {
        let answers = operate(&mut teacher, line);
        assert!(matches!(&answers[..], [error] if error["type"] == "error"), "{line:?}: {answers:?}");
    }
    teacher.send(&json!({"type": "operate", "line": 7}));
    teacher.expect_error("bad_field");
    teacher.say("still here");
    teacher.expect_message("teacher", "still here");
}

#[test]
#[cfg(unix)]
fn what_was_answered_stands_after_kill_9() {
    let folder = Folder::new();
    let token_file = folder.write("token", TOKEN);
    let history = folder.path().join("history.db");
    let arguments = ["--operator-token-file", path(&token_file), "--history", path(&history)];
    let server = ServerProcess::serve(&arguments);
    let mut teacher = operator_at(server.address, "teacher");
    let mut old = Tutorial::join(server.address, "old");
    let mut eve = EventClient::join(server.address, "eve");
    old.say(format!("/op {TOKEN}"));
    old.expect_word("you are an operator");
    old.say("/ban eve 1d enough");
    old.expect_word("it concerns 1 who is here: eve");
    eve.expect_closed();
    act(&mut teacher, "ban 203.0.113.0/24 7d");
    act(&mut teacher, "mute bob 1d");
    act(&mut teacher, "mute carl 1d");
    act(&mut teacher, "unmute carl");
    act(&mut teacher, "motd the notes are on the wall");
    act(&mut teacher, "freeze");
    // Killed with what it has not written.
    drop(server);

    let server = ServerProcess::serve(&arguments);
    let mut newcomer = EventClient::connect(server.address);
    newcomer.send(&json!({"type": "hello", "name": "EVE"}));
    assert!(matches!(&newcomer.expect_closed()[..], [error] if error["code"] == "banned"));
    let mut bob = EventClient::join(server.address, "bob");
    assert_eq!(bob.expect("notice")["text"], "the notes are on the wall");
    assert!(is_refused_to_say(&mut bob, "muted").contains("teacher muted you until"));
    let mut carl = EventClient::join(server.address, "carl");
    carl.expect("notice");
    assert!(carl.expect("notice")["text"].as_str().is_some_and(|text| text.contains("froze the talk")));
    is_refused_to_say(&mut carl, "frozen");
    assert!(refused(&mut carl, "thaw", "not_operator").contains("/op TOKEN"), "nobody stays an operator");

    let mut teacher = operator_at(server.address, "teacher");
    let answers = operate(&mut teacher, "bans");
    let stands = answers[0]["text"].as_str().expect("a text");
    let lines: Vec<&str> = stands.lines().map(|line| line.split(" until ").next().unwrap_or(line)).collect();
    assert_eq!(lines, ["what stands:", "teacher froze the talk", "bob muted", "eve banned", "203.0.113.0/24 banned"]);
    act(&mut teacher, "thaw");
    carl.say("at last");
    carl.barrier();
    teacher.expect_message("carl", "at last");
    let ended = server.stop();
    assert!(ended.stderr.contains("act=\"thaw\"") && !ended.stderr.contains(TOKEN), "{}", ended.stderr);
}

#[test]
#[cfg(unix)]
fn an_unreadable_or_guessable_token_stops_the_servers_start() {
    let folder = Folder::new();
    let missing = folder.path().join("missing");
    let cases = [
        (missing, "cannot read the operators' token in"),
        (folder.write("empty", " \n"), "it is empty; `glassline operator-token` prints a token"),
        (folder.write("short", "fifteen bytes.."), "its secret has 15 bytes, and at least 16 are needed"),
        (folder.write("long", "x".repeat(257)), "more than 256 bytes"),
        (folder.write("huge", "x".repeat(1 << 20)), "more than 256 bytes"),
        (folder.write("lines", "one secret line\nand another"), "not one line"),
        (folder.write("bytes", [0xff; 32]), "is not text in UTF-8"),
        (folder.path().to_path_buf(), "it is a folder, not a plain file"),
        (named_pipe(&folder, "pipe"), "it is a pipe, not a plain file"),
        ("/dev/zero".into(), "it is a device, not a plain file"),
        ("/dev/null".into(), "it is empty"),
    ];
    for (file, words) in cases {
        let ended = ServerProcess::ended(&["serve", "--listen", "127.0.0.1:0", "--operator-token-file", path(&file)]);
        assert!(ended.code == Some(1) && ended.stderr.contains(words), "{words}: {ended:?}");
        assert_eq!(ended.stdout, [""; 0], "it does not listen first");
        assert!(!ended.stderr.contains("secret line") && !ended.stderr.contains("fifteen"), "{}", ended.stderr);
    }
    let token_file = folder.write("token", TOKEN);
    let ended = ServerProcess::ended(&["serve", "--pure", "--operator-token-file", path(&token_file)]);
    assert!(ended.code == Some(2) && ended.stderr.contains("cannot be used with"), "{ended:?}");
}

#[test]
#[cfg(unix)]
fn a_token_that_others_may_read_is_warned_of() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let token_file = folder.write("token", TOKEN);
    for (mode, is_warned) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
        set_permissions(&token_file, Permissions::from_mode(mode)).expect("its owner may");
        let ended = ServerProcess::serve(&["--history", "none", "--operator-token-file", path(&token_file)]).stop();
        assert_eq!(
            ended.stderr.contains("others may read the operators' token"),
            is_warned,
            "{mode:o}: {}",
            ended.stderr
        );
    }
}

#[test]
#[cfg(unix)]
fn a_printed_token_makes_an_operator_and_is_published_nowhere() {
    let folder = Folder::new();
    let printed = |_| {
        let mut operator_token = command(PROGRAM, &folder);
        operator_token.arg("operator-token");
        let ended = Process::start(operator_token).ended();
        assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended:?}");
        ended.stdout.concat()
    };
    let [token, other] = [0, 1].map(printed);
    assert!(token.starts_with("glop_") && token.len() == 37 && token != other, "{token} {other}");
    let token_file = folder.write("token", format!("{token}\n"));
    let server = ServerProcess::serve(&["--history", "none", "--operator-token-file", path(&token_file)]);
    let mut eve = EventClient::join(server.address, "eve");
    let mut witness = Tutorial::join(server.address, "witness");
    for text in [token.clone(), other.clone(), format!("/op {}", token.to_uppercase()), format!("{}.", &other[..25])] {
        is_refused_to_say_text(&mut eve, &text);
        eve.send(&json!({"type": "direct", "to": "eve", "text": text, "id": fresh_id()}));
        eve.expect_error("bad_field");
        witness.say(format!(" {text}"));
        witness.expect_word("this was not sent: ");
    }
    assert!(refused(&mut eve, &format!("op {other}"), "not_operator").contains("this is not the token"));
    let mistyped = format!("{}{}{}", &token[..10], if &token[10..11] == "7" { "8" } else { "7" }, &token[11..]);
    assert!(refused(&mut eve, &format!("op {mistyped}"), "not_operator").contains("copy it again"));
    act(&mut eve, &format!("op {}", token.to_uppercase()));
    let ended = server.stop();
    assert_eq!(ended.stderr.matches("a wrong operator token").count(), 2, "{}", ended.stderr);
    assert!(!ended.stderr.to_lowercase().contains(&token[5..]) && !ended.stderr.contains("not recognised"));
}

/// Sends a text to a room, which must be refused as one that holds a token.
#[cfg(unix)]
#[track_caller]
fn is_refused_to_say_text(client: &mut EventClient, text: &str) {
    client.say(text);
    client.expect_error("bad_field");
}

#[test]
#[cfg(unix)]
fn a_token_of_ones_own_works_with_a_warning() {
    let folder = Folder::new();
    let token_file = folder.write("token", TOKEN);
    let server = ServerProcess::serve(&["--history", "none", "--operator-token-file", path(&token_file)]);
    operator_at(server.address, "teacher");
    let ended = server.stop();
    assert!(ended.stderr.contains("it is not recognised") && !ended.stderr.contains(TOKEN), "{}", ended.stderr);
    for (secret, word) in [("fifteen bytes !", "15 bytes"), ("glop_0123", "do not fit"), ("", "is empty")] {
        let token_file = folder.write("token", secret);
        let ended = Process::start(serve_with_token(&folder, &token_file)).ended();
        assert!(ended.code == Some(1) && ended.stderr.contains(word), "{ended:?}");
        assert!(secret.is_empty() || !ended.stderr.contains(secret), "{ended:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_host_is_warned_of_its_token_and_shown_how_to_use_it() {
    let folder = Folder::new();
    let token_file = folder.write("token", TOKEN);
    let mut host = command(PROGRAM, &folder);
    host.args(["--listen", "127.0.0.1:0", "--history", "none", "--operator-token-file", path(&token_file)]);
    let mut host = Process::start(host);
    host.close_stdin();
    let ended = host.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for output in ["others may read", "it is not recognised", "/op and the token make you an operator"] {
        assert!(ended.stderr.contains(output), "{output}: {ended:?}");
    }
    assert!(!ended.stderr.contains(TOKEN), "{ended:?}");
}

#[test]
#[cfg(unix)]
fn a_token_that_systemd_hands_over_is_not_warned_of() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let token_file = folder.write("credentials/operator-token", TOKEN);
    set_permissions(&token_file, Permissions::from_mode(0o440)).expect("its owner may");
    for (credentials, is_warned) in [(folder.path().join("credentials"), false), (folder.path().join("other"), true)] {
        let mut serve = serve_with_token(&folder, &token_file);
        serve.env("CREDENTIALS_DIRECTORY", credentials);
        let program = Process::start(serve);
        assert!(program.line().starts_with("listening on "));
        program.signal("TERM");
        let ended = program.ended();
        assert_eq!(ended.stderr.contains("others may read"), is_warned, "{ended:?}");
    }
}

#[cfg(unix)]
fn serve_with_token(folder: &Folder, token_file: &Path) -> Command {
    let mut serve = command(PROGRAM, folder);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--history", "none", "--operator-token-file", path(token_file)]);
    serve
}

#[cfg(unix)]
fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
