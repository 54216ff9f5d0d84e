//! Rules that come and go while frames pass.

use super::*;
use crate::faults::Pace;
use crate::rules::Postponement;

fn waiting_actions() -> Vec<Action> {
    let postponement = Postponement { frames: 1_000, at_most_us: 3_600 * SECOND_US };
    vec![
        Action::Delay { delay_us: 3_600 * SECOND_US, jitter_us: 0 },
        Action::Reorder(postponement),
        Action::Stall { duration_us: 3_600 * SECOND_US, both_directions: true },
        Action::Slice(Pace { slice_bytes: 1, pause_us: 60 * SECOND_US }),
        Action::Throttle { bytes_per_s: 1 },
        Action::Hold { timeout_us: 3_600 * SECOND_US },
        Action::Hook { command: vec!["x".into()], timeout_us: 3_600 * SECOND_US },
    ]
}

#[test]
fn removing_a_rule_releases_everything_in_order() {
    for session in [event_session(), tutorial_session()] {
        for action in waiting_actions() {
            let mut bench = Bench::new(1, vec![Rule::new(Matcher::default(), action.clone())]);
            let (before, after) = session.split_at(13);
            for (direction, bytes) in before {
                bench.send(*direction, bytes);
            }
            // The last frame is incomplete.
            let (first, rest) = after[0].1.split_at(5);
            bench.send(after[0].0, first);
            assert!(bench.to_client.len() < sent(before, DOWN).len(), "{action:?} holds something");
            bench.set_rules(vec![]);
            assert_eq!(bench.line.due_us(), None, "{action:?}");
            for direction in Direction::BOTH {
                let expected = sent(&[before, &[(after[0].0, first.to_vec())]].concat(), direction);
                let passed = if direction == UP { &bench.to_server } else { &bench.to_client };
                assert_eq!(*passed, expected, "{action:?}");
            }
            bench.send(after[0].0, rest);
            for (direction, bytes) in &after[1..] {
                bench.send(*direction, bytes);
            }
            let bench = bench.finish();
            assert_eq!((&bench.to_server, &bench.to_client), (&sent(&session, UP), &sent(&session, DOWN)));
        }
    }
}

#[test]
fn a_name_without_its_text_is_released() {
    let mut bench = Bench::new(1, vec![Rule::new(down(), Action::Drop)]);
    bench.send(UP, &frame("bob"));
    bench.send(DOWN, &frame("alice"));
    assert!(bench.to_client.is_empty());
    bench.set_rules(vec![]);
    // The rule was in force when the name arrived, but it matches pairs.
    assert_eq!(bench.to_client, frame("alice"));
    bench.set_rules(vec![Rule::new(down(), Action::Drop)]);
    bench.send(DOWN, &frame("words"));
    assert_eq!(bench.to_client, pair("alice", "words"), "no rule takes the text from its name");
    bench.send(DOWN, &pair("alice", "words"));
    assert_eq!(bench.to_client, pair("alice", "words"));
    bench.finish();
}

#[test]
fn a_frame_that_has_begun_to_pass_is_left_alone() {
    let mut bench = Bench::new(1, vec![]);
    let bytes = message("alice", "words");
    bench.send(UP, &hello());
    bench.send(DOWN, &bytes[..20]);
    assert_eq!(bench.to_client, bytes[..20]);
    bench.set_rules(vec![Rule::new(down(), Action::Drop)]);
    bench.send(DOWN, &bytes[20..]);
    assert_eq!(bench.to_client, bytes);
    bench.send(DOWN, &bytes);
    assert_eq!(bench.to_client, bytes, "the next one is dropped");
    bench.finish();
}

#[test]
fn a_frame_goes_on_waiting_if_its_rule_stays() {
    let hold = || Rule::new(up(), Action::Hold { timeout_us: SECOND_US }).labelled("mine");
    let mut bench = Bench::new(1, vec![hold()]);
    bench.send(UP, &hello());
    bench.set_rules(vec![Rule::new(up(), Action::Drop).labelled("other").with_probability(0.0), hold()]);
    assert_eq!(bench.to_server, b"GLASSLINE2");
    assert!(bench.line.answer(UP, 2, Decision::Pass, bench.now_us));
    bench.pump();
    assert_eq!(bench.to_server, hello());
    bench.send(UP, &request("x"));
    bench.set_rules(vec![Rule::new(up(), Action::Hold { timeout_us: 1 }).labelled("mine")]);
    assert_eq!(bench.to_server, [hello(), request("x")].concat(), "a rule that differs is another rule");
    bench.finish();
}
