//! Frames that wait for a decision.

use serde_json::json;

use super::*;

fn hold() -> Vec<Rule> {
    let matcher = Matcher { text_contains: Some("secret".into()), ..up() };
    vec![Rule::new(matcher, Action::Hold { timeout_us: SECOND_US })]
}

/// A bench on which two requests wait for a decision, and a ping behind them.
fn held() -> Bench {
    let mut bench = Bench::new(1, hold());
    bench.send(UP, &hello());
    for text in ["secret 1", "secret 2"] {
        bench.send(UP, &request(text));
    }
    bench.send(UP, &ping());
    assert_eq!((bench.to_server.as_slice(), bench.asks.len()), (&hello()[..], 2));
    bench
}

fn ping() -> Vec<u8> {
    frame(r#"{"type":"ping"}"#)
}

#[test]
fn the_order_is_kept_whatever_is_decided_first() {
    let mut bench = held();
    assert!(bench.line.answer(UP, bench.asks[1].frame.number, Decision::Pass, bench.now_us));
    bench.pump();
    assert_eq!(bench.to_server, hello());
    let edit = Edit::Set { field: "text".into(), value: json!("changed") };
    assert!(bench.line.answer(UP, bench.asks[0].frame.number, Decision::Edit(vec![edit]), bench.now_us));
    bench.pump();
    assert_eq!(bench.to_server, [hello(), request("changed"), request("secret 2"), ping()].concat());
    assert!(!bench.line.answer(UP, bench.asks[0].frame.number, Decision::Drop, bench.now_us), "only once");
    bench.finish();
}

#[test]
fn every_verdict_is_carried_out_and_reported() {
    for (verdict, expected, effect) in [
        (Decision::Pass, vec![request("secret 1"), request("secret 2"), ping()], "passed as decided"),
        (Decision::Drop, vec![request("secret 2"), ping()], "dropped as decided"),
        (Decision::Replace(b"!".to_vec()), vec![b"!".to_vec(), request("secret 2"), ping()], "1 other bytes"),
        (Decision::Cut(End::Reset), vec![], "cut after 0 of its bytes"),
    ] {
        let mut bench = held();
        assert!(bench.line.answer(UP, 3, verdict, bench.now_us));
        bench.line.answer(UP, 4, Decision::Pass, bench.now_us);
        bench.pump();
        assert_eq!(bench.to_server, [hello(), expected.concat()].concat());
        assert!(bench.effects()[0].starts_with(effect), "{:?}", bench.effects());
        bench.finish();
    }
}

#[test]
fn a_frame_without_an_answer_passes_in_time() {
    let mut bench = held();
    assert_eq!(bench.line.due_us(), Some(bench.asks[0].deadline_us));
    bench.wait_out();
    assert_eq!(bench.to_server, [hello(), request("secret 1"), request("secret 2"), ping()].concat());
    assert_eq!(bench.effects(), ["passed unchanged, since no decision came in time"; 2]);
    assert!(!bench.line.answer(UP, 3, Decision::Drop, bench.now_us));
    bench.finish();
}

#[test]
fn the_end_waits_for_the_decision() {
    let mut bench = held();
    bench.end(UP);
    assert!(bench.ends.is_empty());
    bench.line.answer(UP, 3, Decision::Pass, bench.now_us);
    bench.line.answer(UP, 4, Decision::Drop, bench.now_us);
    bench.pump();
    assert_eq!(bench.to_server, [hello(), request("secret 1"), ping()].concat());
    assert_eq!(bench.ends, [(UP, End::Finished)]);
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
    let mut bench = Bench::new(1, rules);
    bench.send(UP, &frame("bob"));
    bench.send(DOWN, &pair("alice", "words"));
    let ask = bench.asks.pop().expect("a question");
    assert_eq!((ask.decider, ask.frame.bytes), (Decider::Hook(command), pair("alice", "words")));
    assert_eq!(ask.meaning.content, Some(json!({"type": "text", "from": "alice", "text": "words"})));
    assert!(bench.line.answer(DOWN, ask.frame.number, Decision::Replace(pair("alice", "other words")), bench.now_us));
    bench.pump();
    assert_eq!(bench.to_client, pair("alice", "third words"));
    bench.finish();
}
