//! With a history: what was acknowledged is there after a restart, once; who comes back misses nothing.

use std::path::Path;

use glassline_journal::Keep;
use glassline_server::Config;
use serde_json::{Value, json};

use crate::harness::{EventClient, Server, ServerProcess, Tutorial, fresh_id, reopened};
use crate::program::Folder;

fn keeping(folder: &Folder) -> Server {
    Server::keeping(folder.path(), Config::default())
}

/// Sends a message, and waits until it is acknowledged.
#[track_caller]
fn said(client: &mut EventClient, text: &str) -> Value {
    client.say(text);
    let acknowledged = client.expect("message");
    assert_eq!(acknowledged["text"], text);
    acknowledged
}

#[track_caller]
fn texts(event: &Value) -> Vec<&str> {
    let messages = event["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["text"].as_str().expect("a text")).collect()
}

#[track_caller]
fn ask(client: &mut EventClient, request: &Value) -> Value {
    client.send(request);
    client.expect("history")
}

#[test]
fn acknowledged_messages_survive_a_restart_and_numbers_go_on() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    let mut tom = Tutorial::join(server.address, "tom");
    let one = said(&mut eve, "one");
    tom.say("two");
    eve.expect_message("tom", "two");
    server.stop();
    let server = keeping(&folder);
    let (mut adam, welcome) = EventClient::greet(server.address, &json!({"type": "hello", "name": "adam"}));
    assert_eq!(welcome["rooms"][0]["seq"], 2);
    let context = adam.expect("history");
    assert_eq!((texts(&context), &context["ref"]), (vec!["one", "two"], &Value::Null));
    for field in ["seq", "at", "from", "id"] {
        assert_eq!(context["messages"][0][field], one[field]);
    }
    assert_eq!(said(&mut adam, "three")["seq"], 3);
}

#[test]
fn an_id_is_known_again_after_a_restart() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let (mut eve, welcome) = EventClient::greet(server.address, &json!({"type": "hello", "name": "eve"}));
    let mut request = json!({"type": "send", "room": "lobby", "text": "once", "id": fresh_id(), "ref": "r"});
    eve.send(&request);
    let first = eve.expect_message("eve", "once");
    server.stop();

    let server = keeping(&folder);
    // Somebody else has the name now, and may use the same id.
    let mut other = EventClient::join(server.address, "eve");
    other.expect("history");
    let (mut eve, again) =
        EventClient::greet(server.address, &json!({"type": "hello", "name": "eva", "token": welcome["token"]}));
    assert_eq!(again["token"], welcome["token"], "the same client");
    eve.expect("history");
    eve.send(&request);
    let repeated = eve.expect_message("eve", "once");
    assert_eq!((&repeated["seq"], &repeated["at"], &repeated["ref"]), (&first["seq"], &first["at"], &json!("r")));
    request["text"] = json!("something else");
    eve.send(&request);
    assert_eq!(eve.expect_error("id_reused")["ref"], "r");
    assert_eq!(said(&mut eve, "next")["seq"], 2);
    other.expect_message("eva", "next");
    let mut newcomer = EventClient::join(server.address, "stranger");
    newcomer.expect("history");
    newcomer.send(&request);
    assert_eq!(newcomer.expect_message("stranger", "something else")["seq"], 3, "ids are each sender's own");
}

#[test]
fn what_left_the_window_of_ids_is_too_late() {
    let folder = Folder::new();
    let remembering = || {
        let file = folder.path().join("history.db");
        let store = reopened(|| glassline_journal::open_with_ids_of(&file, Keep::default(), 5));
        Server::over(Config::default(), Some(store))
    };
    let server = remembering();
    let (mut eve, welcome) = EventClient::greet(server.address, &json!({"type": "hello", "name": "eve"}));
    let request = |text: &str, after: u64| json!({"type": "send", "room": "lobby", "text": text, "id": fresh_id(), "after": after, "ref": text});
    let (first, fourth) = (request("first", 0), request("fourth", 3));
    eve.send(&first);
    eve.expect_message("eve", "first");
    let mut tom = Tutorial::join(server.address, "tom");
    for text in ["two", "three"] {
        tom.say(text);
        eve.expect_message("tom", text);
    }
    eve.send(&fourth);
    eve.expect_message("eve", "fourth");
    for text in ["five", "six", "seven"] {
        tom.say(text);
        eve.expect_message("tom", text);
    }
    server.stop();
    // The same before and after a restart: of seven the last five are known.
    let server = remembering();
    let (mut eve, _) = EventClient::greet(
        server.address,
        &json!({"type": "hello", "name": "eve", "token": welcome["token"], "since": {"lobby": 7}}),
    );
    for _ in 0..2 {
        eve.send(&first);
        let refused = eve.expect_error("too_late");
        assert_eq!(refused["ref"], "first");
        assert!(refused["text"].as_str().expect("a text").contains("/history"), "{refused}");
        eve.send(&fourth);
        assert_eq!(eve.expect_message("eve", "fourth")["seq"], 4);
    }
    eve.send(&request("late", 1));
    eve.expect_error("too_late");
    for (text, after, seq) in [("new", 7, 8), ("from before the restart", 4, 9), ("a number never given", 900, 10)] {
        eve.send(&request(text, after));
        assert_eq!(eve.expect_message("eve", text)["seq"], seq);
    }
    let page = ask(&mut eve, &json!({"type": "history", "room": "lobby", "limit": 1, "before": 2}));
    assert_eq!(texts(&page), ["first"], "it was stored, and once");
}

#[test]
fn who_comes_back_gets_each_message_once_and_in_order() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    for number in 1..=450 {
        eve.say(&number.to_string());
    }
    eve.barrier();
    let hello = json!({"type": "hello", "name": "adam", "since": {"lobby": 7}});
    let (mut adam, _) = EventClient::greet(server.address, &hello);
    for number in 451..=500 {
        eve.say(&number.to_string());
    }
    for number in 8..=500 {
        let message = adam.expect("message");
        assert_eq!((&message["seq"], &message["text"]), (&json!(number), &json!(number.to_string())));
    }
    assert!(adam.barrier().iter().all(|event| event["type"] != "message" && event["type"] != "gap"));
}

#[test]
fn answers_keep_the_order_of_what_was_asked() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    for request in [
        json!({"type": "send", "room": "lobby", "text": "a", "id": fresh_id()}),
        json!({"type": "ping", "ref": "1"}),
        json!({"type": "send", "room": "lobby", "text": "b", "id": fresh_id()}),
        json!({"type": "history", "room": "lobby", "ref": "2"}),
        json!({"type": "join", "room": "den", "ref": "3"}),
        json!({"type": "search", "room": "lobby", "query": "a", "ref": "4"}),
        json!({"type": "send", "room": "den", "text": "c", "id": fresh_id()}),
        json!({"type": "bye", "ref": "5"}),
    ] {
        eve.send(&request);
    }
    let received: Vec<String> = eve
        .expect_closed()
        .iter()
        .filter(|event| event["type"] != "joined" || event["ref"] == "3")
        .map(|event| format!("{} {}", event["type"].as_str().unwrap(), event["ref"].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(
        received,
        ["message -", "pong 1", "message -", "history 2", "joined 3", "history 4", "message -", "bye 5"]
    );
}

#[test]
fn all_input_of_a_program_that_closes_is_stored_and_acked() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    let count = 300;
    for number in 0..count {
        eve.say(&number.to_string());
    }
    let mut wire = eve.into_wire();
    wire.finish();
    let received = EventClient::over(wire).expect_closed();
    assert_eq!(received.iter().filter(|event| event["type"] == "message").count(), count);
    let mut tom = Tutorial::join(server.address, "tom");
    for number in 0..count {
        tom.say(format!("t{number}"));
    }
    tom.send_bytes("/exit");
    let (mut adam, _) =
        EventClient::greet(server.address, &json!({"type": "hello", "name": "adam", "since": {"lobby": 1}}));
    let mut last = 1;
    while last < 2 * count {
        let message = adam.expect("message");
        last += 1;
        assert_eq!(message["seq"], last);
    }
}

#[test]
fn who_leaves_in_the_same_breath_still_gets_every_answer() {
    let folder = Folder::new();
    let server = keeping(&folder);
    said(&mut EventClient::join(server.address, "eve"), "something to look back at");
    let mut adam = EventClient::connect(server.address);
    for request in [
        json!({"type": "hello", "name": "adam", "since": {"lobby": 0}}),
        json!({"type": "ping", "ref": "1"}),
        json!({"type": "send", "room": "lobby", "text": "bye", "id": fresh_id(), "ref": "2"}),
        json!({"type": "bye", "ref": "3"}),
    ] {
        adam.send(&request);
    }
    let kinds = |events: Vec<Value>| -> Vec<String> {
        let kinds = events.iter().map(|event| event["type"].as_str().expect("a type").to_string());
        kinds.filter(|kind| kind != "joined" && kind != "left").collect()
    };
    assert_eq!(kinds(adam.expect_closed()), ["welcome", "message", "pong", "message", "bye"]);
    let mut carl = EventClient::connect(server.address);
    carl.send(&json!({"type": "hello", "name": "carl"}));
    carl.send(&json!({"type": "ping"}));
    let mut wire = carl.into_wire();
    wire.finish();
    assert_eq!(kinds(EventClient::over(wire).expect_closed()), ["welcome", "history", "pong"]);
}

#[test]
fn pages_lead_through_the_whole_history_in_both_directions() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    for number in 1..=450 {
        eve.say(&number.to_string());
    }
    eve.barrier();
    let seqs = |page: &Value| -> Vec<u64> {
        page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
    };
    let page = ask(&mut eve, &json!({"type": "history", "room": "lobby"}));
    assert_eq!((seqs(&page), &page["more"]), ((251..=450).collect(), &json!(true)));
    let page = ask(&mut eve, &json!({"type": "history", "room": "#Lobby", "before": 51}));
    assert_eq!((seqs(&page), &page["more"]), ((1..=50).collect(), &Value::Null));
    let page = ask(&mut eve, &json!({"type": "history", "room": "lobby", "after": 0}));
    assert_eq!((seqs(&page), &page["more"]), ((1..=200).collect(), &json!(true)));
    let page = ask(&mut eve, &json!({"type": "history", "room": "lobby", "after": 10, "before": 14}));
    assert_eq!(seqs(&page), [11, 12, 13]);
    let page = ask(&mut eve, &json!({"type": "history", "room": "lobby", "around": 100, "limit": 5}));
    assert_eq!(seqs(&page), [98, 99, 100, 101, 102]);
    for nothing in [json!({"after": 450}), json!({"before": 1}), json!({"before": 0}), json!({"after": u64::MAX})] {
        let mut request = json!({"type": "history", "room": "lobby"});
        request.as_object_mut().unwrap().extend(nothing.as_object().unwrap().clone());
        assert_eq!(seqs(&ask(&mut eve, &request)), [0; 0]);
    }
    eve.send(&json!({"type": "history", "room": "lobby", "limit": 201}));
    eve.expect_error("bad_field");
    eve.send(&json!({"type": "history", "room": "attic"}));
    eve.expect_error("unknown_room");
}

#[test]
fn a_search_finds_words_and_parts_of_them_at_once() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    for text in ["Lunch at noon", "no lunch today", "東京都に行きます", "100% sure", "a_b", "quote \" and ' here"]
    {
        said(&mut eve, text);
    }
    for (query, found) in [
        ("lunch", vec!["Lunch at noon", "no lunch today"]),
        ("unc", vec!["Lunch at noon", "no lunch today"]),
        ("京都", vec!["東京都に行きます"]),
        ("東京都", vec!["東京都に行きます"]),
        ("100%", vec!["100% sure"]),
        ("0%", vec!["100% sure"]),
        ("_", vec!["a_b"]),
        ("\" and '", vec!["quote \" and ' here"]),
        ("lun* OR x", vec![]),
        ("AND NOT (", vec![]),
    ] {
        let page = ask(&mut eve, &json!({"type": "search", "room": "lobby", "query": query}));
        assert_eq!(texts(&page), found, "{query}");
    }
    eve.send(&json!({"type": "search", "room": "lobby", "query": "  "}));
    eve.expect_error("empty_text");
    eve.send(&json!({"type": "search", "room": "lobby", "query": "x".repeat(257)}));
    eve.expect_error("too_long");
}

#[test]
fn a_tutorial_client_gets_context_and_history_if_the_host_wants() {
    let folder = Folder::new();
    let server = Server::keeping(folder.path(), Config { replay_tutorial: 2, ..Config::default() });
    let mut eve = EventClient::join(server.address, "eve");
    for text in ["one", "two", "three"] {
        said(&mut eve, text);
    }
    let mut tom = Tutorial::join(server.address, "tom");
    for text in ["two", "three"] {
        let pair = tom.said();
        assert!(
            pair.from == "eve" && pair.text.starts_with("[20") && pair.text.ends_with(&format!("] {text}")),
            "{pair:?}"
        );
    }
    tom.say("/history 1");
    assert!(tom.said().text.ends_with("] three"));
    tom.say("/search WO");
    assert!(tom.said().text.ends_with("] two"));
    tom.say("/search nowhere");
    tom.expect_word("nothing is stored");
}

fn history_argument(folder: &Folder) -> String {
    folder.path().join("history.db").display().to_string()
}

#[test]
fn what_is_acknowledged_survives_a_kill() {
    let folder = Folder::new();
    let file = history_argument(&folder);
    let server = ServerProcess::serve(&["--history", &file]);
    let mut eve = EventClient::join(server.address, "eve");
    let seqs: Vec<Value> = (0..50).map(|number| said(&mut eve, &number.to_string())["seq"].clone()).collect();
    server.signal("KILL");
    drop(server);
    let server = ServerProcess::serve(&["--history", &file]);
    let (mut adam, _) =
        EventClient::greet(server.address, &json!({"type": "hello", "name": "adam", "since": {"lobby": 0}}));
    for seq in seqs {
        assert_eq!(adam.expect("message")["seq"], seq);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_a_next_step() {
    let folder = Folder::new();
    let file = history_argument(&folder);
    let _first = ServerProcess::serve(&["--history", &file]);
    let refused = |arguments: &[&str], word: &str| {
        let ended = ServerProcess::ended(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(word) && ended.stderr.contains("--history"), "{ended:?}");
    };
    refused(&["--history", &file], "another Glassline server");
    let garbage = folder.write("garbage.db", "this is a letter to my aunt, and no history at all\n".repeat(200));
    refused(&["--history", &garbage.display().to_string()], "no Glassline history");
    assert!(Path::new(&garbage).metadata().unwrap().len() > 1_000, "and it is left as it was");
    refused(&["--history", &folder.path().display().to_string()], "history");
    refused(&["--history", &file, "--pure"], "--pure");
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be_kept() {
    let server = ServerProcess::serve(&["--history", "none"]);
    let mut eve = EventClient::join(server.address, "eve");
    said(&mut eve, "hi");
    eve.send(&json!({"type": "history", "room": "lobby"}));
    eve.expect_error("no_history");
}

#[test]
fn an_import_says_how_many_messages_got_another_number() {
    let folder = Folder::new();
    let file = history_argument(&folder);
    let import = |name: &str, id: char| {
        let message = json!({
            "type": "message", "room": "lobby", "seq": 1, "at": "2026-01-02T03:04:05.678Z", "from": "eve", "text": name,
            "id": id.to_string().repeat(32),
        });
        let lines = folder.write(name, format!("{}\n{message}\n", json!({"type": "schema", "version": 1})));
        let ended = ServerProcess::ended(&["history", "import", "--history", &file, &lines.display().to_string()]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    assert_eq!(import("first", 'a'), ["1 messages and 0 acts taken in, 0 were there already"]);
    let output = import("second", 'b');
    assert_eq!(output[0], "1 messages and 0 acts taken in, 0 were there already");
    assert!(output.len() == 2 && output[1].starts_with("1 of them have another number now"), "{output:?}");
}

#[cfg(unix)]
#[test]
fn while_the_file_is_elsewhere_only_repeats_are_acknowledged() {
    let folder = Folder::new();
    let server = keeping(&folder);
    let mut eve = EventClient::join(server.address, "eve");
    let mut adam = EventClient::join(server.address, "adam");
    let mut stored = json!({"type": "send", "room": "lobby", "text": "stored", "id": fresh_id()});
    eve.send(&stored);
    eve.expect_message("eve", "stored");
    adam.expect_message("eve", "stored");
    let (file, elsewhere) = (folder.path().join("history.db"), folder.path().join("elsewhere.db"));
    std::fs::rename(&file, &elsewhere).expect("moves");
    eve.say("new");
    eve.expect_error("not_stored");
    eve.send(&stored);
    assert_eq!(eve.expect_message("eve", "stored")["seq"], 1);
    stored["text"] = json!("other");
    eve.send(&stored);
    eve.expect_error("id_reused");
    std::fs::rename(&elsewhere, &file).expect("moves back");
    assert_eq!(said(&mut eve, "again")["seq"], 2);
    assert!(adam.barrier().iter().filter(|event| event["type"] == "message").all(|event| event["text"] == "again"));
    assert!(server.log().contains("was moved or deleted under this server"), "{}", server.log());
}
