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
            let mut fixture = Fixture::new(1, vec![Rule::new(Matcher::default(), action.clone())]);
            let (before, after) = session.split_at(13);
            for (direction, bytes) in before {
                fixture.send(*direction, bytes);
            }
            // The last frame is incomplete.
            let (first, rest) = after[0].1.split_at(5);
            fixture.send(after[0].0, first);
            assert!(fixture.to_client.len() < sent(before, DOWN).len(), "{action:?} holds something");
            fixture.set_rules(vec![]);
            assert_eq!(fixture.line.due_us(), None, "{action:?}");
            for direction in Direction::BOTH {
                let expected = sent(&[before, &[(after[0].0, first.to_vec())]].concat(), direction);
                let passed = if direction == UP { &fixture.to_server } else { &fixture.to_client };
                assert_eq!(*passed, expected, "{action:?}");
            }
            fixture.send(after[0].0, rest);
            for (direction, bytes) in &after[1..] {
                fixture.send(*direction, bytes);
            }
            let fixture = fixture.finish();
            assert_eq!((&fixture.to_server, &fixture.to_client), (&sent(&session, UP), &sent(&session, DOWN)));
        }
    }
}

#[test]
fn a_name_without_its_text_is_released() {
    let mut fixture = Fixture::new(1, vec![Rule::new(down(), Action::Drop)]);
    fixture.send(UP, &frame("bob"));
    fixture.send(DOWN, &frame("alice"));
    assert!(fixture.to_client.is_empty());
    fixture.set_rules(vec![]);
    // The rule was in force when the name arrived, but it matches pairs.
    assert_eq!(fixture.to_client, frame("alice"));
    fixture.set_rules(vec![Rule::new(down(), Action::Drop)]);
    fixture.send(DOWN, &frame("words"));
    assert_eq!(fixture.to_client, pair("alice", "words"), "no rule takes the text from its name");
    fixture.send(DOWN, &pair("alice", "words"));
    assert_eq!(fixture.to_client, pair("alice", "words"));
    fixture.finish();
}

#[test]
fn a_frame_that_has_begun_to_pass_is_left_alone() {
    let mut fixture = Fixture::new(1, vec![]);
    let bytes = message("alice", "words");
    fixture.send(UP, &hello());
    fixture.send(DOWN, &bytes[..20]);
    assert_eq!(fixture.to_client, bytes[..20]);
    fixture.set_rules(vec![Rule::new(down(), Action::Drop)]);
    fixture.send(DOWN, &bytes[20..]);
    assert_eq!(fixture.to_client, bytes);
    fixture.send(DOWN, &bytes);
    assert_eq!(fixture.to_client, bytes, "the next one is dropped");
    fixture.finish();
}

#[test]
fn a_frame_goes_on_waiting_if_its_rule_stays() {
    let hold = || Rule::new(up(), Action::Hold { timeout_us: SECOND_US }).labelled("mine");
    let mut fixture = Fixture::new(1, vec![hold()]);
    fixture.send(UP, &hello());
    fixture.set_rules(vec![Rule::new(up(), Action::Drop).labelled("other").with_probability(0.0), hold()]);
    assert_eq!(fixture.to_server, b"GLASSLINE2");
    assert!(fixture.line.answer(UP, 2, Decision::Pass, fixture.now_us));
    fixture.pump();
    assert_eq!(fixture.to_server, hello());
    fixture.send(UP, &request("x"));
    fixture.set_rules(vec![Rule::new(up(), Action::Hold { timeout_us: 1 }).labelled("mine")]);
    assert_eq!(fixture.to_server, [hello(), request("x")].concat(), "a rule that differs is another rule");
    fixture.finish();
}
