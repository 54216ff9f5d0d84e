//! A link that is lost, and comes back.

use serde_json::Value;

use super::harness::{Opening, Terminal, receive};
use crate::harness::{EventClient, PATIENCE, Passage, Proxy, Server, ServerProcess, Tutorial};

/// Somebody who listens, a link that can be cut, and Alice behind it.
struct Scene {
    bob: EventClient,
    alice: Terminal,
    proxy: Proxy,
    server: Server,
}

fn scene() -> Scene {
    let server = Server::start();
    let proxy = Proxy::to(server.address);
    let bob = EventClient::join(server.address, "bob");
    let alice = Opening::join(proxy.address, "alice").size(24, 100).open();
    Scene { bob, alice, proxy, server }
}

/// Everything that Alice sends, up to her `last` text.
#[track_caller]
fn all_up_to(bob: &mut EventClient, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != last) {
        let event = receive(bob, |event| event["type"] == "message" && event["from"] == "alice");
        texts.push(event["text"].as_str().expect("a text").to_owned());
    }
    texts
}

/// The ids of the requests with this text.
fn ids_of(proxy: &Proxy, text: &str) -> Vec<String> {
    let said = proxy.said();
    let marked = format!("\"text\":\"{text}\"");
    let requests = said.split('{').filter(|request| request.contains(&marked));
    let id = |request: &str| {
        let (_, rest) = request.split_once("\"id\":\"").expect("a message has an id");
        rest.split('"').next().expect("an id ends").to_owned()
    };
    requests.map(id).collect()
}

#[test]
fn unacknowledged_messages_are_shown_and_sent_once_by_id() {
    let Scene { mut bob, mut alice, proxy, server: _server } = scene();
    alice.keys("acknowledged\r");
    assert_eq!(all_up_to(&mut bob, "acknowledged").len(), 1);
    alice.see("alice > acknowledged");
    // The server takes the first and the client does not learn of it; the second never leaves.
    proxy.set(Passage::AnswersLost);
    alice.keys("arrived\r");
    receive(&mut bob, |event| event["text"] == "arrived");
    proxy.set(Passage::Closed);
    alice.keys("lost\r");
    alice.see("… arrived\n… lost\n>");
    alice.see("2 unsent");
    alice.keys_until("the draft", "> the draft");
    proxy.cut();
    alice.see("lost, trying again");
    alice.see("2 unsent");
    proxy.set(Passage::Open);
    alice.see("alice > lost");
    alice.see_no_more("unsent");
    alice.see_no_more("…");
    alice.keys("!\r");
    let rest = all_up_to(&mut bob, "the draft!");
    assert_eq!(rest, ["lost", "the draft!"], "each exactly once");
    alice.see("alice > the draft!");
    let ids = ids_of(&proxy, "arrived");
    assert_eq!(ids, [ids[0].clone(), ids[0].clone()], "said twice on the wire, by the same id");
    // On Alice's screen each stands once, too.
    let transcript = alice.transcript().join("\n");
    for text in ["alice > acknowledged", "alice > arrived", "alice > lost", "alice > the draft!"] {
        assert_eq!(transcript.matches(text).count(), 1, "{text} in\n{transcript}");
    }
}

#[test]
fn a_lost_link_frees_the_name_and_the_draft_stays() {
    let Scene { mut bob, mut alice, proxy, server } = scene();
    alice.keys_until("half a sen", "> half a sen");
    proxy.set(Passage::Closed);
    proxy.cut();
    alice.see("link lost, trying again");
    receive(&mut bob, |event| event["type"] == "left" && event["names"][0] == "alice");
    let mut other = Tutorial::join(server.address, "alice");
    other.barrier();
    drop(other);
    receive(&mut bob, |event| event["type"] == "left" && event["names"][0] == "alice");
    bob.say("said while she was away");
    bob.expect_message("bob", "said while she was away");
    // Also typed while there is no link.
    alice.keys_until("tence", "> half a sentence");
    proxy.set(Passage::Open);
    alice.see("alice in lobby · with bob · online");
    // A server without a store has it no more, and reports that.
    alice.see("you missed one message");
    bob.say("said to her again");
    alice.see("bob > said to her again");
    alice.keys("\r");
    assert_eq!(all_up_to(&mut bob, "half a sentence").len(), 1);
}

#[test]
fn messages_sent_over_repeated_cuts_arrive_once_in_order() {
    let Scene { mut bob, mut alice, proxy, server: _server } = scene();
    let texts: Vec<String> = (0..12).map(|number| format!("number {number}")).collect();
    let mut received = Vec::new();
    for (round, passage) in texts.chunks(4).zip([Passage::AnswersLost, Passage::Closed, Passage::Open]) {
        // Sent to a server whose answers are lost, to none, and at any position of the cut.
        proxy.set(passage);
        for text in round {
            alice.keys(&format!("{text}\r"));
        }
        if passage != Passage::Open {
            alice.see("4 unsent");
        }
        proxy.set(Passage::Closed);
        proxy.cut();
        // Her departure is announced before she comes again.
        let is_left = |event: &Value| event["type"] == "left";
        let before = std::iter::from_fn(|| Some(bob.event()).filter(|event| !is_left(event)));
        received.extend(before.filter_map(|event| event["text"].as_str().map(str::to_owned)));
        alice.see("link lost");
        proxy.set(Passage::Open);
        alice.see("· online");
    }
    alice.keys("the end\r");
    received.extend(all_up_to(&mut bob, "the end"));
    assert_eq!(received.pop().as_deref(), Some("the end"));
    assert_eq!(received, texts);
    alice.see("alice > the end");
    alice.see_no_more("unsent");
}

#[test]
fn rooms_absence_and_whom_one_ignores_are_there_again() {
    let Scene { mut bob, mut alice, proxy, server } = scene();
    alice.keys_until("/ignore eve\r", "not shown any more");
    alice.keys_until("/join den\r", "alice in den");
    alice.keys_until("/away lunch\r", "alice (away) in den");
    proxy.set(Passage::Closed);
    proxy.cut();
    // Her departure is announced before she comes again.
    receive(&mut bob, |event| event["type"] == "left" && event["names"][0] == "alice");
    alice.see("link lost");
    proxy.set(Passage::Open);
    alice.see("alice (away) in den · nobody else here · online");
    // Her program says so again after it is online, so the server may not know it yet.
    let asked = std::time::Instant::now();
    loop {
        bob.send(&serde_json::json!({"type": "whois", "name": "alice"}));
        if receive(&mut bob, |event| event["type"] == "whois")["away"] == "lunch" {
            break;
        }
        assert!(asked.elapsed() < PATIENCE, "the server does not learn that she is away");
    }
    bob.send(&serde_json::json!({"type": "direct", "to": "alice", "text": "there?", "id": crate::harness::fresh_id()}));
    let away = receive(&mut bob, |event| event["type"] == "away");
    assert_eq!(away["text"], "lunch");
    alice.see("bob -> you > there?");
    alice.keys_until("\x1b1", "alice (away) in lobby");
    let mut eve = Tutorial::join(server.address, "eve");
    eve.say("unheard");
    bob.expect_message("eve", "unheard");
    bob.say("heard");
    alice.see("bob > heard");
    let transcript = alice.transcript().join("\n");
    assert!(!transcript.contains("unheard"), "{transcript}");
    alice.keys_until("/unignore eve\r", "what eve says is shown again");
    eve.say("heard too");
    alice.see("eve > heard too");
}

#[test]
fn a_lost_server_is_reported_and_the_draft_stays() {
    let server = Server::start();
    let mut alice = Terminal::join(server.address, "alice");
    alice.keys_until("unfinished", "> unfinished");
    server.stop();
    alice.see("trying again");
    alice.see("> unfinished");
    alice.keys("\u{3}");
    alice.see_no_more("unfinished");
    alice.keys("\r\r\r");
    assert_eq!(alice.exit_code(), 0);
}

#[test]
fn the_own_message_is_not_reported_as_missed() {
    let Scene { mut bob, mut alice, proxy, server: _server } = scene();
    proxy.set(Passage::AnswersLost);
    alice.keys("my own\r");
    assert_eq!(all_up_to(&mut bob, "my own").len(), 1);
    proxy.cut();
    alice.see("link lost");
    proxy.set(Passage::Open);
    alice.see("alice > my own");
    let transcript = alice.transcript().join("\n");
    assert!(!transcript.contains("you missed"), "{transcript}");
}

#[test]
fn a_server_that_stalls_while_one_joins_is_spoken_to_in_events() {
    let process = ServerProcess::serve(&[]);
    let mut bob = EventClient::join(process.address, "bob");
    process.signal("STOP");
    // A layer's handshake comes before any message, and a stalled server completes none.
    let proxy = Proxy::to(process.address);
    let mut alice = Opening::join(proxy.address, "alice").size(24, 100).start();
    alice.see("nothing has answered yet at");
    alice.see("no answer yet");
    alice.keys("early\r");
    alice.see("alice > early");
    process.signal("CONT");
    alice.see("· online");
    alice.keys("late\r");
    let mut received = Vec::new();
    while received.last().is_none_or(|(text, _)| text != "late") {
        let event = receive(&mut bob, |event| event["type"] == "message");
        received.push((event["text"].as_str().expect("a text").to_owned(), event["id"].is_string()));
    }
    assert_eq!(received, [("early".to_owned(), false), ("late".to_owned(), true)], "each once, the second as an event");
    assert!(!alice.screen().contains("tutorial dialect\n> "), "{}", alice.screen());
}
