//! Actions that concern when and whether frames arrive.

use super::*;
use crate::faults::Pace;
use crate::rules::{Postponement, Range};

fn texts_down(fixture: &Fixture) -> Vec<String> {
    let text = String::from_utf8(fixture.to_client.clone()).expect("UTF-8");
    text.split("\"text\":\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn words(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| format!("words {number}")).collect()
}

fn message_frame(number: u64) -> Matcher {
    // The welcome is the first frame.
    Matcher { frame: Some(Range::only(number + 2)), ..down() }
}

#[test]
fn a_dropped_frame_is_missing_and_reported() {
    let matcher = Matcher { text_contains: Some("words 3".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Drop)], &event_session());
    assert_eq!(texts_down(&fixture), words(&[0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]));
    let [applied] = &fixture.applied[..] else { panic!("{:?}", fixture.applied) };
    let before: usize = sent(&event_session()[..9], DOWN).len();
    assert_eq!((applied.rule.as_str(), applied.seed), ("drop-1", 1));
    assert_eq!((applied.frame.to_string().as_str(), applied.offset), ("1<5", before as u64));
    assert!(fixture.writes.iter().any(|write| write.2.is_empty() && write.3.as_deref() == Some("drop-1: dropped")));
    assert_eq!(fixture.arrived.len(), sent(&event_session(), DOWN).len() + sent(&event_session(), UP).len());
}

#[test]
fn a_tutorial_pair_is_dropped_as_a_whole() {
    let matcher = Matcher { name: Some("alice".into()), text_contains: Some("words 3".into()), ..down() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Drop)], &tutorial_session());
    let expected: Vec<u8> = tutorial_session()
        .iter()
        .filter(|(_, bytes)| *bytes != pair("alice", "words 3"))
        .filter(|(to, _)| *to == DOWN)
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    assert_eq!(fixture.to_client, expected);
    assert_eq!(fixture.applied[0].frame.number, 10, "the number of the text, the second frame of the fifth pair");
    for kind in ["name", "text"] {
        let matcher = Matcher { kind: Some(kind.into()), ..down() };
        assert!(run(1, vec![Rule::new(matcher, Action::Drop)], &tutorial_session()).to_client.is_empty(), "{kind}");
    }
}

#[test]
fn delayed_frames_keep_their_order_and_their_bytes() {
    let rule = Rule::new(down(), Action::Delay { delay_us: 5_000, jitter_us: 20_000 }).with_probability(0.5);
    let fixture = run(3, vec![rule], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    let (first, last) = (fixture.applied.first().expect("one"), fixture.applied.last().expect("one"));
    assert!(fixture.applied.len() > 2 && fixture.applied.len() < 11, "{}", fixture.applied.len());
    let write = fixture.writes.iter().find(|write| write.3.is_some()).expect("a delayed write");
    assert!(write.0 >= first.at_us + 5_000 && write.0 <= first.at_us + 25_000 + STEP_US, "{write:?}");
    assert!(fixture.writes.last().expect("one").0 >= last.at_us);
}

#[test]
fn copies_follow_the_frame() {
    let fixture = run(1, vec![Rule::new(message_frame(0), Action::Duplicate { copies: 2 })], &event_session());
    assert_eq!(texts_down(&fixture)[..4], words(&[0, 0, 0, 1]));
}

#[test]
fn a_reordered_frame_comes_after_those_that_followed() {
    let action = Action::Reorder(Postponement { frames: 2, at_most_us: 60 * SECOND_US });
    let fixture = run(1, vec![Rule::new(message_frame(3), action)], &event_session());
    assert_eq!(texts_down(&fixture)[..7], words(&[0, 1, 2, 4, 5, 3, 6]));
}

#[test]
fn a_reordered_frame_comes_in_time_without_others() {
    let action = Action::Reorder(Postponement { frames: 100, at_most_us: SECOND_US });
    let mut fixture = Fixture::new(1, vec![Rule::new(message_frame(3), action)]);
    let script = event_session();
    for (direction, bytes) in &script {
        fixture.send(*direction, bytes);
    }
    assert_eq!(texts_down(&fixture).last(), words(&[11]).last());
    fixture.wait_out();
    assert_eq!(texts_down(&fixture).last(), words(&[3]).last());
    assert!(fixture.now_us >= SECOND_US && fixture.now_us < 2 * SECOND_US);
    fixture.finish();
}

#[test]
fn a_frame_is_kept_back_with_its_copies_and_its_delay() {
    let action = Action::Reorder(Postponement { frames: 1, at_most_us: 60 * SECOND_US });
    let rules = vec![
        Rule::new(message_frame(3), action),
        Rule::new(message_frame(3), Action::Duplicate { copies: 2 }),
        Rule::new(message_frame(3), Action::Delay { delay_us: SECOND_US, jitter_us: 0 }),
    ];
    let fixture = run(1, rules, &event_session());
    assert_eq!(texts_down(&fixture)[..8], words(&[0, 1, 2, 4, 3, 3, 3, 5]));
    assert!(fixture.now_us >= SECOND_US);
}

#[test]
fn the_end_comes_after_what_was_kept_back() {
    let action = Action::Reorder(Postponement { frames: 100, at_most_us: 60 * SECOND_US });
    let fixture = run(1, vec![Rule::new(down(), action)], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    assert!(fixture.now_us < SECOND_US, "nobody waits for frames that never come");
}

#[test]
fn a_replayed_frame_is_identical() {
    let action = Action::Replay(Postponement { frames: 2, at_most_us: 60 * SECOND_US });
    let matcher = Matcher { text: Some("secret 4".into()), ..up() };
    let fixture = run(1, vec![Rule::new(matcher, action)], &event_session());
    let position = |from: usize| {
        let wanted = request("secret 4");
        fixture.to_server[from..].windows(wanted.len()).position(|bytes| bytes == wanted).map(|at| from + at)
    };
    let first = position(0).expect("the frame");
    let second = position(first + 1).expect("its replay");
    assert_eq!(second - first, 3 * request("secret 4").len(), "two others are between them");
    assert_eq!(position(second + 1), None);
}

#[test]
fn a_cut_ends_inside_the_frame() {
    for end in [End::Finished, End::Reset] {
        let fixture = run(1, vec![Rule::new(message_frame(3), Action::Cut { end, after_bytes: 7 })], &event_session());
        let before: usize = sent(&event_session()[..9], DOWN).len();
        assert_eq!(fixture.to_client, sent(&event_session(), DOWN)[..before + 7]);
        assert_eq!(fixture.ends[0], (DOWN, end));
        assert_eq!(fixture.ends[1], (UP, end), "{:?}", fixture.ends);
        assert_eq!((fixture.applied.len(), fixture.applied[0].offset), (1, before as u64 + 7));
        let lost = fixture.to_server.len() < sent(&event_session(), UP).len();
        assert_eq!(lost, end == End::Reset, "a reset ends both directions at once");
    }
}

#[test]
fn a_stall_lets_nothing_pass_for_its_time() {
    for both_directions in [false, true] {
        let action = Action::Stall { duration_us: SECOND_US, both_directions };
        let fixture = run(1, vec![Rule::new(message_frame(3), action)], &event_session());
        assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
        let from_us = fixture.applied[0].at_us;
        let between = |direction| {
            let during = fixture.writes.iter().filter(|write| write.0 >= from_us && write.0 < from_us + SECOND_US);
            during.filter(|write| write.1 == direction).count()
        };
        assert_eq!((between(DOWN), between(UP) == 0), (0, both_directions));
    }
}

#[test]
fn slices_are_written_one_by_one() {
    let pace = Pace { slice_bytes: 3, pause_us: 10_000 };
    let fixture = run(1, vec![Rule::new(message_frame(0), Action::Slice(pace))], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    let slices: Vec<_> = fixture.writes.iter().filter(|write| write.3.is_some()).collect();
    assert_eq!(slices.len(), message("alice", "words 0").len().div_ceil(3));
    assert!(slices.windows(2).all(|two| two[1].0 == two[0].0 + 10_000));
}

#[test]
fn a_throttled_direction_keeps_to_its_rate() {
    let fixture = run(1, vec![Rule::new(down(), Action::Throttle { bytes_per_s: 400 })], &event_session());
    assert_eq!(fixture.to_client, sent(&event_session(), DOWN));
    let bytes = fixture.to_client.len() as u64;
    let took_us = fixture.writes.last().expect("one").0;
    let ideal_us = bytes * SECOND_US / 400;
    assert!(took_us.abs_diff(ideal_us) < ideal_us / 10, "{bytes} bytes took {took_us} us");
}

#[test]
fn a_count_limits_each_direction_by_itself() {
    let matcher = Matcher { kind: Some("text".into()), ..Matcher::default() };
    let fixture = run(1, vec![Rule::new(matcher, Action::Drop).at_most(2)], &tutorial_session());
    let dropped = |direction| fixture.applied.iter().filter(|applied| applied.frame.direction == direction).count();
    assert_eq!((dropped(UP), dropped(DOWN)), (2, 2));
}
