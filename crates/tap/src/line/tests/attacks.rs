//! Actions that change what frames say, and frames that nobody sent.

use serde_json::{Value, json};

use super::*;
use crate::rules::{Content, Injection, Range};

fn text(value: &str) -> Value {
    Value::String(value.into())
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value}") };
    object
}

fn contains(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|bytes| *bytes == wanted).count()
}

#[test]
fn one_bit_differs_and_the_seed_chooses_it() {
    let flip = |seed, bit| {
        let matcher = Matcher { frame: Some(Range::only(4)), ..down() };
        run(seed, vec![Rule::new(matcher, Action::FlipBit { bit })], &event_session())
    };
    let original = sent(&event_session(), DOWN);
    let mut places = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let fixture = flip(seed, None);
        let differing: u32 = fixture.to_client.iter().zip(&original).map(|(new, old)| (new ^ old).count_ones()).sum();
        assert_eq!((differing, fixture.to_client.len()), (1, original.len()));
        let at = fixture.to_client.iter().zip(&original).position(|(new, old)| new != old).expect("one");
        assert_eq!(fixture.applied[0].offset, at as u64);
        places.insert(at);
        // The report suffices to repeat it.
        let effect = fixture.effects()[0].to_owned();
        let bit = effect.split(' ').nth(1).and_then(|bit| bit.parse().ok()).expect("the bit");
        assert_eq!(flip(99, Some(bit)).to_client, fixture.to_client);
        assert!(bit >= 80, "the header stays whole");
    }
    assert!(places.len() > 10);
}

#[test]
fn edited_fields_are_encoded_again() {
    let edits = vec![
        Edit::Replace { field: "text".into(), old: "words".into(), new: "\"lies\" \u{1f600}".into() },
        Edit::Set { field: "name".into(), value: text("mallory") },
        Edit::Add { field: "action".into(), value: json!(true) },
        Edit::Set { field: "seq".into(), value: json!(1) },
    ];
    let matcher = Matcher { text: Some("words 2".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Edit(edits))], &event_session());
    let expected = frame(
        "{\"type\":\"message\",\"room\":\"lobby\",\"from\":\"mallory\",\"text\":\"\\\"lies\\\" \u{1f600} 2\",\"seq\":1,\
         \"action\":true}",
    );
    assert_eq!(contains(&fixture.to_client, &expected), 1);
    let effect = r#"edited: text "words 2" > "\"lies\" 😀 2", from "alice" > "mallory", action true added, seq 7 > 1"#;
    assert_eq!(fixture.effects(), [effect]);
}

#[test]
fn both_frames_of_a_pair_can_be_edited() {
    let edits = vec![
        Edit::Set { field: "text".into(), value: text("a longer text than before") },
        Edit::Set { field: "name".into(), value: text("mallory") },
    ];
    let matcher = Matcher { text: Some("words 2".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Edit(edits))], &tutorial_session());
    assert_eq!(contains(&fixture.to_client, &pair("mallory", "a longer text than before")), 1);
    assert_eq!(contains(&fixture.to_client, &pair("alice", "words 2")), 0);
}

#[test]
fn an_edit_leaves_frames_without_the_field() {
    let edits = vec![Edit::Set { field: "text".into(), value: text("x") }];
    let fixture = run(1, vec![Rule::new(Matcher::default(), Action::Edit(edits))], &event_session());
    assert!(fixture.to_server.starts_with(&hello()));
    assert_eq!(fixture.applied.len(), 24);
}

#[test]
fn an_edit_of_a_field_that_is_not_there_is_reported_once() {
    let edits = vec![Edit::Replace { field: "text".into(), old: "Words".into(), new: "x".into() }];
    let matcher = Matcher { text_contains: Some("words".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Edit(edits))], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    let [effect] = &fixture.effects()[..] else { panic!("{:?}", fixture.effects()) };
    assert!(effect.starts_with("has no effect: the text of a frame that it matches does not have"), "{effect}");
    assert!(fixture.applied.iter().all(|applied| !applied.has_effect));
    let edits = vec![Edit::Replace { field: "txt".into(), old: "words".into(), new: "x".into() }];
    let matcher = Matcher { text_contains: Some("words".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Edit(edits))], &event_session());
    let [effect] = &fixture.effects()[..] else { panic!("{:?}", fixture.effects()) };
    assert!(effect.starts_with("has no effect: a frame that it matches has no field txt; it has "), "{effect}");
}

#[test]
fn raw_bytes_take_the_place_of_a_frame() {
    let matcher = Matcher { text: Some("words 2".into()), ..down() };
    let fixture =
        run(1, vec![Rule::new(matcher, Action::Send(Content::Raw(b"-5 garbage".to_vec())))], &event_session());
    assert_eq!(contains(&fixture.to_client, b"-5 garbage"), 1);
    assert_eq!(contains(&fixture.to_client, b"words 2"), 0);
}

#[test]
fn injections_go_before_after_and_back() {
    let inject = |content, backwards, before| Action::Inject(Injection { content, backwards, before });
    let notice = Content::Event(object(json!({"type": "notice", "text": "hear"})));
    let said = Content::Event(object(json!({"type": "send", "room": "lobby", "text": "never said"})));
    let rules = vec![
        Rule::new(Matcher { text: Some("words 2".into()), ..down() }, inject(notice.clone(), false, true)),
        Rule::new(Matcher { text: Some("words 4".into()), ..down() }, inject(notice, false, false)),
        Rule::new(Matcher { text: Some("words 6".into()), ..down() }, inject(said, true, false)),
    ];
    let fixture = run(1, rules.clone(), &event_session());
    let notice = frame(r#"{"type":"notice","text":"hear"}"#);
    assert_eq!(contains(&fixture.to_client, &[notice.clone(), message("alice", "words 2")].concat()), 1);
    assert_eq!(contains(&fixture.to_client, &[message("alice", "words 4"), notice].concat()), 1);
    let forged = String::from_utf8(fixture.to_server.clone()).expect("UTF-8");
    let id = forged.split("never said\",\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    assert!(id.len() == 32 && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    assert_eq!(run(1, rules.clone(), &event_session()).to_server, fixture.to_server, "the id is the seed's");
    assert_ne!(run(2, rules, &event_session()).to_server, fixture.to_server);
}

#[test]
fn an_injection_waits_for_the_end_of_a_pair() {
    let content = Content::Pair { name: "eve".into(), text: "hi".into() };
    let action = Action::Inject(Injection { content, backwards: true, before: false });
    let matcher = Matcher { text: Some("secret 0".into()), ..up() };
    let mut fixture = Fixture::new(1, vec![]);
    fixture.send(UP, &frame("bob"));
    // The name passes before there is a rule.
    fixture.send(DOWN, &frame("alice"));
    fixture.set_rules(vec![Rule::new(matcher, action)]);
    fixture.send(UP, &frame("secret 0"));
    assert_eq!(fixture.to_client, frame("alice"));
    fixture.send(DOWN, &frame("words"));
    assert_eq!(fixture.to_client, [pair("alice", "words"), pair("eve", "hi")].concat());
    fixture.finish();
}

#[test]
fn the_speaker_can_be_changed() {
    let rule = |matcher, said: Option<&str>| {
        Rule::new(matcher, Action::Impersonate { name: "carol".into(), text: said.map(str::to_owned) })
    };
    let matcher = || Matcher { text: Some("words 2".into()), ..down() };
    let fixture = run(1, vec![rule(matcher(), None)], &event_session());
    assert_eq!(contains(&fixture.to_client, &message("carol", "words 2")), 1);
    let fixture = run(1, vec![rule(matcher(), Some("yes"))], &tutorial_session());
    assert_eq!(contains(&fixture.to_client, &pair("carol", "yes")), 1);
    let hello = Matcher { kind: Some("hello".into()), ..up() };
    let fixture = run(1, vec![rule(hello, None)], &event_session());
    assert_eq!(contains(&fixture.to_server, br#"{"type":"hello","name":"carol"}"#), 1);
    let fixture = run(1, vec![rule(up(), None).at_most(1)], &tutorial_session());
    assert!(fixture.to_server.starts_with(&frame("carol")));
}

#[test]
fn a_send_has_no_speaker_and_the_report_says_so() {
    let matcher = || Matcher { text_contains: Some("secret".into()), ..up() };
    let rule = Rule::new(matcher(), Action::Impersonate { name: "carol".into(), text: None });
    for session in [event_session(), tutorial_session()] {
        let fixture = run(1, vec![rule.clone()], &session);
        assert_eq!(fixture.to_server, sent(&session, UP));
        assert_eq!(fixture.applied.len(), 1, "once for the connection");
        assert!(fixture.effects()[0].contains("does not say who sends it"), "{:?}", fixture.effects());
    }
}

#[test]
fn a_downgrade_closes_the_event_dialect_only() {
    let rules = || vec![Rule::new(Matcher::default(), Action::Downgrade)];
    let fixture = run(1, rules(), &event_session());
    assert!(fixture.to_server.is_empty() && fixture.to_client.is_empty());
    assert_eq!(fixture.ends, [(UP, End::Finished), (DOWN, End::Finished)]);
    let fixture = run(1, rules(), &tutorial_session());
    assert_eq!(fixture.to_server, sent(&tutorial_session(), UP));
    assert!(fixture.applied.is_empty());
}

#[test]
fn an_opaque_link_is_matched_by_size_not_by_words() {
    let script = vec![(UP, record(0x16, 95)), (DOWN, record(0x16, 45)), (DOWN, record(0x17, 55))];
    let size = Matcher { size: Some(Range { least: 55, most: 70 }), ..down() };
    let words = Matcher { text_contains: Some("secret".into()), ..Matcher::default() };
    let rules = vec![Rule::new(size, Action::Drop), Rule::new(words, Action::Drop)];
    let fixture = run(1, rules, &script);
    assert_eq!((fixture.to_client.len(), fixture.to_server.len()), (50, 100));
    let about_words: Vec<_> = fixture.applied.iter().filter(|applied| applied.rule == "drop-2").collect();
    assert_eq!(about_words.len(), 1, "once for the connection");
    assert!(about_words[0].effect.contains("this link (tls) cannot be read"), "{}", about_words[0].effect);
}

#[test]
fn a_record_is_matched_by_its_number_and_kind() {
    let only = |number| Some(Range { least: number, most: number });
    let kind = |kind: &str, number| Matcher { kind: Some(kind.into()), frame: only(number), ..down() };
    // Two records in one write, and one in two writes.
    let whole = record(0x17, 50);
    let (begin, rest) = whole.split_at(7);
    let script = vec![
        (UP, record(0x16, 95)),
        (DOWN, [record(0x16, 45), record(0x14, 1), begin.to_vec()].concat()),
        (DOWN, [rest, b"junk"].concat()),
    ];
    let rules = || vec![Rule::new(kind("record", 2), Action::Drop), Rule::new(kind("raw", 3), Action::Drop)];
    let fixture = run(1, rules(), &script);
    assert_eq!(fixture.to_client, [record(0x16, 45), whole.clone(), b"junk".to_vec()].concat());
    assert_eq!(fixture.effects(), ["dropped"], "no record is raw bytes");
    let fixture = run(1, vec![Rule::new(kind("raw", 4), Action::Drop)], &script);
    assert_eq!(fixture.to_client, [record(0x16, 45), record(0x14, 1), whole.clone()].concat());
    for seed in 0..20 {
        let fixture = run(seed, vec![Rule::new(kind("record", 3), Action::FlipBit { bit: None })], &script);
        let flipped = &fixture.to_client[record(0x16, 45).len() + record(0x14, 1).len()..];
        assert!(flipped[..5] == whole[..5] && flipped[5..] != whole[5..], "seed {seed}: a bit of the content");
    }
}

#[test]
fn content_of_the_other_dialect_is_refused() {
    let content = Content::Pair { name: "eve".into(), text: "hi".into() };
    let fixture = run(1, vec![Rule::new(down(), Action::Send(content))], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    assert!(
        fixture.effects()[0].contains("a pair belongs to a link in the tutorial dialect"),
        "{:?}",
        fixture.effects()
    );
}
