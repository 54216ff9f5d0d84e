//! A history that another server writes to as well: its entries come between one's own.

use glassline_wire::event::{AuditEntry, AuditKind};

use super::*;

fn act(kind: AuditKind, who: Option<&str>) -> EntryContent {
    let until = Some(Timestamp { unix_ms: NOW.at.unix_ms + 3_600_000 });
    let who = who.map(str::to_string);
    EntryContent::Audit(AuditEntry { at: NOW.at, by: "head".into(), act: kind, who, until, text: None })
}

/// Numbers and texts of the messages that a client received, in order, with `ref`.
fn messages(received: &str) -> Vec<String> {
    let field = |event: &str, name: &str| {
        let (_, rest) = event.split_once(&format!("\"{name}\":"))?;
        let end = rest.find([',', '}'])?;
        Some(rest[..end].trim_matches('"').to_string())
    };
    let events = received.split(r#"{"type":"#).filter(|event| event.starts_with(r#""message""#));
    let short = |event: &str| {
        let acknowledged = field(event, "ref").map_or_else(String::new, |reference| format!(" ref {reference}"));
        format!(
            "{} {}{acknowledged}",
            field(event, "seq").unwrap_or_default(),
            field(event, "text").unwrap_or_default()
        )
    };
    events.map(short).collect()
}

fn say(text: &str, id: u32) -> Vec<u8> {
    frame(format!(r#"{{"type":"send","ref":"{id}","room":"lobby","text":"{text}","id":"{id:032x}"}}"#))
}

#[test]
fn messages_of_another_server_come_between_ones_own() {
    let (mut server, mut history) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    let eve = enter(&mut server, 2, r#"{"type":"hello","name":"eve"}"#);
    let tom = connect(&mut server, 3);
    tom.send(&frame("tom"));
    turn_until_it_waits(&mut server);
    received(&tom);
    bob.send(&[say("one", 1), say("two", 2), say("three", 3)].concat());
    turn_until_it_waits(&mut server);
    history.store_foreign(EntryContent::Message(message("lobby", 1, "first")));
    history.store_first(1);
    history.store_foreign(EntryContent::Message(message("lobby", 3, "middle")));
    history.store_first(1);
    turn_until_it_waits(&mut server);
    assert_eq!(server.unstored(), 1, "the third waits for its own outcome");
    history.store_first(1);
    history.store_foreign(EntryContent::Message(message("lobby", 6, "last")));
    turn_until_it_waits(&mut server);
    assert_eq!(
        messages(&received(&bob)),
        ["1 first", "2 one ref 1", "3 middle", "4 two ref 2", "5 three ref 3", "6 last"]
    );
    assert_eq!(messages(&received(&eve)), ["1 first", "2 one", "3 middle", "4 two", "5 three", "6 last"]);
    let pairs = received(&tom);
    let places: Vec<_> = ["first", "one", "middle", "two", "three", "last"].map(|text| pairs.find(text)).into();
    assert!(places.is_sorted() && places[0].is_some(), "{pairs}");
    assert_eq!((server.unstored(), pairs.matches("afar").count()), (0, 3));
}

#[test]
fn acts_of_another_server_are_in_force_in_their_place() {
    let token = OperatorToken::parse("sixteen bytes or more").expect("a token");
    let (mut server, mut history) = open(Config { operator_token: Some(token), ..unlimited() }, 0);
    let teacher = enter(&mut server, 1, r#"{"type":"hello","name":"teacher"}"#);
    teacher.send(&frame(r#"{"type":"operate","line":"op sixteen bytes or more"}"#));
    turn_until_it_waits(&mut server);
    history.store();
    turn_until_it_waits(&mut server);
    let [eve, bob, ann] = [(2, "eve"), (3, "bob"), (4, "ann")]
        .map(|(number, name)| enter(&mut server, number, &format!(r#"{{"type":"hello","name":"{name}"}}"#)));
    received(&teacher);

    eve.send(&say("before", 1));
    bob.send(&say("after", 2));
    turn_until_it_waits(&mut server);
    history.store_first(1);
    history.store_foreign(act(AuditKind::Ban, Some("eve")));
    history.store_foreign(act(AuditKind::Kick, Some("ann")));
    history.store_foreign(act(AuditKind::Kick, Some("teacher")));
    history.store_foreign(act(AuditKind::Op, None));
    history.store();
    turn_until_it_waits(&mut server);
    let output = received(&eve);
    assert!(output.contains(r#""code":"banned""#) && eve.is_finished(), "{output}");
    assert!(received(&ann).contains(r#""code":"kicked""#) && ann.is_finished());
    let output = received(&teacher);
    let places = ["before", r#""act":"ban","who":"eve""#, r#""act":"kick","who":"ann""#, r#""act":"op""#]
        .map(|text| output.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {output}");
    assert!(!teacher.is_finished(), "no operator can touch another");
    assert_eq!(messages(&received(&bob)).len(), 2, "messages sent before an act arrive all the same");

    history.store_foreign(act(AuditKind::Freeze, None));
    turn_until_it_waits(&mut server);
    bob.send(&say("frozen", 3));
    turn_until_it_waits(&mut server);
    assert!(received(&bob).contains(r#""code":"frozen""#));
    history.store_foreign(act(AuditKind::Thaw, None));
    turn_until_it_waits(&mut server);
    bob.send(&say("thawed", 4));
    turn_until_it_waits(&mut server);
    assert_eq!(server.unstored(), 1);
    let back = enter(&mut server, 5, r#"{"type":"hello","name":"eve"}"#);
    assert!(back.is_finished(), "the ban lasts");
}

#[test]
fn a_room_opens_behind_the_messages_of_another_server() {
    let (mut server, mut history) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    let answer = |history: &mut ScriptedHistory, newest: u64| {
        history.store.script().newest = newest;
        history.answer();
    };
    bob.send(&frame(r#"{"type":"join","room":"den"}"#));
    turn_until_it_waits(&mut server);
    // It is committed behind the look at the room, and reported before its answer.
    history.store_foreign(EntryContent::Message(message("den", 8, "late")));
    answer(&mut history, 7);
    turn_until_it_waits(&mut server);
    let output = received(&bob);
    assert!(output.contains(r#""room":"den","names":["bob"],"count":1,"seq":8"#), "{output}");
    history.store_foreign(EntryContent::Message(message("den", 9, "news")));
    turn_until_it_waits(&mut server);
    assert_eq!(messages(&received(&bob)), ["9 news"]);

    bob.send(&frame(r#"{"type":"leave","room":"den"}"#));
    turn_until_it_waits(&mut server);
    // The room is closed, and its number known.
    history.store_foreign(EntryContent::Message(message("den", 10, "nobody hears it")));
    bob.send(&frame(r#"{"type":"join","room":"attic"}"#));
    turn_until_it_waits(&mut server);
    // The look at the room sees what is reported only afterwards.
    answer(&mut history, 4);
    turn_until_it_waits(&mut server);
    history.store_foreign(EntryContent::Message(message("attic", 4, "counted")));
    history.store_foreign(EntryContent::Message(message("attic", 5, "new there")));
    bob.send(&frame(r#"{"type":"join","room":"den"}"#));
    turn_until_it_waits(&mut server);
    let output = received(&bob);
    assert_eq!(messages(&output), ["5 new there"], "{output}");
    history.store_foreign(EntryContent::Message(message("den", 11, "heard")));
    turn_until_it_waits(&mut server);
    let output = received(&bob);
    assert_eq!(messages(&output), ["11 heard"], "{output}");
}
