//! Properties that hold for all rules, bytes and slicings.

use proptest::prelude::*;

use super::*;
use crate::faults::Pace;
use crate::rules::{Content, Injection, Postponement, Range};

fn actions() -> Vec<Action> {
    let postponement = Postponement { frames: 3, at_most_us: SECOND_US };
    let pair = Content::Pair { name: "eve".into(), text: "hi".into() };
    let event = Content::Payload(br#"{"type":"notice","text":"hi"}"#.to_vec());
    let inject = |content, backwards| Action::Inject(Injection { content, backwards, before: backwards });
    let set = Edit::Set { field: "text".into(), value: "other".into() };
    vec![
        Action::Drop,
        Action::Delay { delay_us: 500, jitter_us: 9_000 },
        Action::Duplicate { copies: 3 },
        Action::Reorder(postponement),
        Action::Replay(postponement),
        Action::Cut { end: End::Finished, after_bytes: 4 },
        Action::Cut { end: End::Reset, after_bytes: 12 },
        Action::Stall { duration_us: SECOND_US, both_directions: true },
        Action::Slice(Pace { slice_bytes: 5, pause_us: 700 }),
        Action::Throttle { bytes_per_s: 3_000 },
        Action::FlipBit { bit: None },
        Action::FlipBit { bit: Some(3) },
        Action::Edit(vec![set]),
        Action::Send(Content::Raw(b"raw".to_vec())),
        inject(pair.clone(), true),
        inject(pair, false),
        inject(event.clone(), true),
        inject(event, false),
        Action::Impersonate { name: "carol".into(), text: Some("x".into()) },
        Action::Downgrade,
        Action::Hold { timeout_us: 2_000 },
        Action::Hook { command: vec!["x".into()], timeout_us: 2_000 },
    ]
}

/// Sends the bytes in slices of these lengths, in turn.
fn sliced(script: &[(Direction, Vec<u8>)], lengths: &[usize]) -> Vec<(Direction, Vec<u8>)> {
    let mut slices = Vec::new();
    let mut lengths = lengths.iter().cycle();
    for (direction, bytes) in script {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (slice, after) = rest.split_at((*lengths.next().expect("a length")).min(rest.len()));
            slices.push((*direction, slice.to_vec()));
            rest = after;
        }
    }
    slices
}

#[test]
fn one_seed_gives_the_same_bytes_on_both_sides() {
    for session in [event_session(), tutorial_session(), tls_session()] {
        for action in actions() {
            let rules = || vec![Rule::new(Matcher::default(), action.clone()).with_probability(0.4)];
            let outcome = |seed: u64, script: &[_]| {
                let fixture = run(seed, rules(), script);
                (fixture.to_server, fixture.to_client)
            };
            let first = outcome(11, &session);
            assert!(outcome(11, &session) == first, "{action:?}");
            let by_bytes = outcome(11, &sliced(&session, &[1, 3, 2]));
            if !matches!(action, Action::Reorder(_) | Action::Replay(_)) {
                assert!(by_bytes == first, "{action:?} depends on the slicing");
            }
            let applied = |seed| {
                let applied = run(seed, rules(), &session).applied;
                applied.iter().map(|applied| (applied.frame.direction, applied.frame.number)).collect::<Vec<_>>()
            };
            let others: std::collections::BTreeSet<_> = (0..20).map(applied).collect();
            let is_possible = session == event_session() || action != Action::Downgrade;
            assert_eq!(others.len() > 1, is_possible, "{action:?}: the seed decides nothing: {others:?}");
        }
    }
}

#[test]
fn a_reported_fault_is_repeated_alone() {
    for session in [event_session(), tutorial_session(), tls_session()] {
        for action in actions() {
            let rule = |matcher| Rule::new(matcher, action.clone()).labelled("mine");
            let fixture = run(11, vec![rule(Matcher::default()).with_probability(0.2)], &session);
            let Some(applied) = fixture.applied.last() else { continue };
            let matcher = Matcher {
                direction: Some(applied.frame.direction),
                connection: Some(Range::only(applied.frame.connection)),
                frame: Some(Range::only(applied.frame.number)),
                ..Matcher::default()
            };
            let alone = run(applied.seed, vec![rule(matcher)], &session);
            let repeated = alone.applied.last().expect("the same fault");
            assert_eq!((repeated.offset, &repeated.effect), (applied.offset, &applied.effect), "{action:?}");
            assert!(alone.applied.len() <= 2, "{:?}", alone.applied);
        }
    }
}

fn any_session() -> impl Strategy<Value = Vec<(Direction, Vec<u8>)>> {
    let direction = prop_oneof![Just(UP), Just(DOWN)];
    let garbage = proptest::collection::vec((direction, proptest::collection::vec(any::<u8>(), 1..40)), 1..12);
    prop_oneof![
        Just(event_session()),
        Just(tutorial_session()),
        Just(tls_session()),
        garbage.clone(),
        garbage.clone().prop_map(|garbage| [tls_session(), garbage, tls_session()].concat()),
        garbage.clone().prop_map(|garbage| [event_session(), garbage].concat()),
        garbage.prop_map(|garbage| [tutorial_session(), garbage, tutorial_session()].concat()),
    ]
}

fn any_websocket_session() -> impl Strategy<Value = Vec<(Direction, Vec<u8>)>> {
    let garbage = proptest::collection::vec(any::<u8>(), 0..40);
    let lengths = proptest::collection::vec(1_usize..200, 1..4);
    (lengths, garbage).prop_map(|(lengths, garbage)| {
        let mut session = websocket::session(&lengths);
        session.push((UP, garbage));
        session
    })
}

fn never() -> Vec<Rule> {
    let matcher = Matcher { text: Some("never said".into()), ..Matcher::default() };
    let unlikely = Rule::new(Matcher::default(), Action::Drop).with_probability(0.0);
    vec![Rule::new(matcher, Action::Drop), unlikely, Rule::new(Matcher::default(), Action::Drop).at_most(0)]
}

proptest! {
    #[test]
    fn without_a_match_every_byte_passes(
        session in any_session(),
        lengths in proptest::collection::vec(1_usize..30, 1..20),
        change_at in 0_usize..60,
        begins_with_rules in any::<bool>(),
    ) {
        let mut fixture = Fixture::new(1, if begins_with_rules { never() } else { vec![] });
        for (index, (direction, bytes)) in sliced(&session, &lengths).iter().enumerate() {
            if index == change_at {
                fixture.set_rules(if begins_with_rules { vec![] } else { never() });
            }
            fixture.send(*direction, bytes);
            if begins_with_rules == (index >= change_at) {
                let sent = fixture.arrived.len() + fixture.line.splitter.held(UP).len() + fixture.line.splitter.held(DOWN).len();
                prop_assert_eq!(fixture.to_server.len() + fixture.to_client.len(), sent, "nothing waits without rules");
            }
        }
        let fixture = fixture.finish();
        prop_assert_eq!(&fixture.to_server, &sent(&session, UP));
        prop_assert_eq!(&fixture.to_client, &sent(&session, DOWN));
    }

    #[test]
    fn whatever_the_rules_it_ends_and_holds_little(
        session in prop_oneof![2 => any_session(), 1 => any_websocket_session()],
        lengths in proptest::collection::vec(1_usize..200, 1..20),
        chosen in proptest::collection::vec((0_usize..22, 0.0..1.0_f64), 1..5),
        seed in any::<u64>(),
        removed_at in 0_usize..90,
    ) {
        let actions = actions();
        let rules = chosen.iter().map(|(index, probability)| {
            Rule::new(Matcher::default(), actions[*index].clone()).with_probability(*probability)
        });
        let mut fixture = Fixture::new(seed, rules.collect());
        for (index, (direction, bytes)) in sliced(&session, &lengths).iter().enumerate() {
            if index == removed_at {
                fixture.set_rules(vec![]);
                prop_assert_eq!(fixture.line.due_us(), None);
            }
            fixture.send(*direction, bytes);
        }
        fixture.finish();
    }
}

#[test]
fn no_action_holds_more_than_its_bound() {
    let payload = "x".repeat(90_000);
    let allowance = DIRECTION_BYTES_MAX + 10 * 102_410;
    for action in actions() {
        let action = match action {
            Action::Delay { .. } => Action::Delay { delay_us: 60 * SECOND_US, jitter_us: 0 },
            Action::Duplicate { .. } => Action::Duplicate { copies: 1_000_000 },
            Action::Reorder(_) => Action::Reorder(Postponement { frames: 1 << 40, at_most_us: 60 * SECOND_US }),
            Action::Replay(_) => Action::Replay(Postponement { frames: 1 << 40, at_most_us: 60 * SECOND_US }),
            Action::Hold { .. } => Action::Hold { timeout_us: 60 * SECOND_US },
            other => other,
        };
        let stalled = Rule::new(down(), Action::Stall { duration_us: 60 * SECOND_US, both_directions: true });
        let mut fixture = Fixture::new(1, vec![Rule::new(Matcher::default(), action.clone()), stalled]);
        fixture.send(UP, &hello());
        fixture.send(DOWN, &message("alice", "begin"));
        for round in 0..60 {
            for (direction, bytes) in [(UP, request(&payload)), (DOWN, message("alice", &payload))] {
                // A sender is not read while much is held.
                if fixture.line.held_bytes(direction) < DIRECTION_BYTES_MAX {
                    fixture.send(direction, &bytes);
                }
                let held = fixture.line.held_bytes(UP).max(fixture.line.held_bytes(DOWN));
                assert!(held <= allowance, "{action:?} holds {held} bytes in round {round}");
            }
        }
        fixture.finish();
    }
}
