//! Frames that wait for a decision.

use serde_json::json;

use super::*;

fn hold() -> Vec<Rule> {
    let matcher = Matcher { text_contains: Some("secret".into()), ..up() };
    vec![Rule::new(matcher, Action::Hold { timeout_us: SECOND_US })]
}

/// A bench on which two requests wait for a decision, and a ping behind them.
fn held() -> Fixture {
    let mut fixture = Fixture::new(1, hold());
    fixture.send(UP, &hello());
    for text in ["secret 1", "secret 2"] {
        fixture.send(UP, &request(text));
    }
    fixture.send(UP, &ping());
    assert_eq!((fixture.to_server.as_slice(), fixture.asks.len()), (&hello()[..], 2));
    fixture
}

fn ping() -> Vec<u8> {
    frame(r#"{"type":"ping"}"#)
}

#[test]
fn the_order_is_kept_whatever_is_decided_first() {
    let mut fixture = held();
    assert!(fixture.line.answer(UP, fixture.asks[1].frame.number, Decision::Pass, fixture.now_us));
    fixture.pump();
    assert_eq!(fixture.to_server, hello());
    let edit = Edit::Set { field: "text".into(), value: json!("changed") };
    assert!(fixture.line.answer(UP, fixture.asks[0].frame.number, Decision::Edit(vec![edit]), fixture.now_us));
    fixture.pump();
    assert_eq!(fixture.to_server, [hello(), request("changed"), request("secret 2"), ping()].concat());
    assert!(!fixture.line.answer(UP, fixture.asks[0].frame.number, Decision::Drop, fixture.now_us), "only once");
    fixture.finish();
}

#[test]
fn every_decision_is_carried_out_and_reported() {
    for (decision, expected, effect) in [
        (Decision::Pass, vec![request("secret 1"), request("secret 2"), ping()], "passed as decided"),
        (Decision::Drop, vec![request("secret 2"), ping()], "dropped as decided"),
        (Decision::Replace(b"!".to_vec()), vec![b"!".to_vec(), request("secret 2"), ping()], "1 other bytes"),
        (Decision::Cut(End::Reset), vec![], "cut after 0 of its bytes"),
    ] {
        let mut fixture = held();
        assert!(fixture.line.answer(UP, 3, decision, fixture.now_us));
        fixture.line.answer(UP, 4, Decision::Pass, fixture.now_us);
        fixture.pump();
        assert_eq!(fixture.to_server, [hello(), expected.concat()].concat());
        assert!(fixture.effects()[0].starts_with(effect), "{:?}", fixture.effects());
        fixture.finish();
    }
}

#[test]
fn a_frame_without_an_answer_passes_in_time() {
    let mut fixture = held();
    assert_eq!(fixture.line.due_us(), Some(fixture.asks[0].deadline_us));
    fixture.wait_out();
    assert_eq!(fixture.to_server, [hello(), request("secret 1"), request("secret 2"), ping()].concat());
    assert_eq!(fixture.effects(), ["passed unchanged, since no decision came in time"; 2]);
    assert!(!fixture.line.answer(UP, 3, Decision::Drop, fixture.now_us));
    fixture.finish();
}

#[test]
fn the_end_waits_for_the_decision() {
    let mut fixture = held();
    fixture.end(UP);
    assert!(fixture.ends.is_empty());
    fixture.line.answer(UP, 3, Decision::Pass, fixture.now_us);
    fixture.line.answer(UP, 4, Decision::Drop, fixture.now_us);
    fixture.pump();
    assert_eq!(fixture.to_server, [hello(), request("secret 1"), ping()].concat());
    assert_eq!(fixture.ends, [(UP, End::Finished)]);
}

#[test]
fn rules_behind_a_decision_apply_to_its_outcome() {
    let command = vec!["hook".to_owned()];
    let matcher = || Matcher { text_contains: Some("words".into()), ..down() };
    let edit = Edit::Replace { field: "text".into(), old: "other".into(), new: "third".into() };
    let rules = vec![
        Rule::new(matcher(), Action::Hook { command: command.clone(), timeout_us: SECOND_US }),
        Rule::new(matcher(), Action::Edit(vec![edit])),
    ];
    let mut fixture = Fixture::new(1, rules);
    fixture.send(UP, &frame("bob"));
    fixture.send(DOWN, &pair("alice", "words"));
    let ask = fixture.asks.pop().expect("a question");
    assert_eq!((ask.decider, ask.frame.bytes), (Decider::Hook(command), pair("alice", "words")));
    assert_eq!(ask.meaning.content, Some(json!({"type": "text", "from": "alice", "text": "words"})));
    assert!(fixture.line.answer(
        DOWN,
        ask.frame.number,
        Decision::Replace(pair("alice", "other words")),
        fixture.now_us
    ));
    fixture.pump();
    assert_eq!(fixture.to_client, pair("alice", "third words"));
    fixture.finish();
}
