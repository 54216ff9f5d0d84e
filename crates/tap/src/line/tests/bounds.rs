//! Memory of a line whose receiver takes nothing, or whose rules make much of little.

use super::*;
use crate::rules::{Content, Injection};

/// Bytes that a rule puts in place of each frame, and frames of one read.
const LARGE_BYTES: usize = 20_000;
const FRAMES: usize = 600;

/// Replaces each frame of the client by many bytes.
fn enlarging() -> Rule {
    Rule::new(up(), Action::Send(Content::Raw(vec![b'x'; LARGE_BYTES])))
}

/// Frames without a payload, as one read.
fn short_frames() -> Vec<u8> {
    frame("").repeat(FRAMES)
}

/// Memory that a direction may hold: what rules make of one frame, and the rest of a read, are
/// beside the bound.
fn bound() -> usize {
    DIRECTION_BYTES_MAX + 2 * LARGE_BYTES + FRAMES * (size_of::<Frame>() + 64)
}

#[test]
fn frames_wait_while_what_rules_made_of_others_does() {
    let delay = Rule::new(up(), Action::Delay { delay_us: SECOND_US, jitter_us: 0 });
    let mut fixture = Fixture::new(1, vec![enlarging(), delay]);
    fixture.send(UP, &short_frames());
    let held = fixture.line.held_bytes(UP);
    assert!((DIRECTION_BYTES_MAX..bound()).contains(&held), "{held} bytes are held");
    let fixture = fixture.finish();
    assert_eq!((fixture.to_server.len(), fixture.arrived.len()), (FRAMES * LARGE_BYTES, 10 * FRAMES));
}

#[test]
fn frames_wait_while_their_receiver_takes_nothing() {
    let mut fixture = Fixture::new(1, vec![enlarging()]);
    fixture.line.note_unsent(UP, DIRECTION_BYTES_MAX - 1);
    fixture.line.receive(UP, &short_frames(), 0);
    assert_eq!(fixture.line.due_us(), Some(0));
    while fixture.to_server.is_empty() {
        let Some(LineOutput::Forward { bytes, .. }) = fixture.line.next(0) else { continue };
        fixture.to_server.extend(bytes);
    }
    fixture.line.note_unsent(UP, DIRECTION_BYTES_MAX);
    fixture.end(UP);
    fixture.pump();
    assert_eq!((fixture.to_server.len(), fixture.line.due_us()), (LARGE_BYTES, None));
    fixture.line.note_unsent(UP, 0);
    let fixture = fixture.finish();
    assert_eq!(fixture.to_server.len(), FRAMES * LARGE_BYTES);
}

#[test]
fn frames_wait_while_their_sender_takes_no_answers() {
    let content = Content::Raw(vec![b'x'; LARGE_BYTES]);
    let answer = Action::Inject(Injection { content, backwards: true, before: false });
    let mut fixture = Fixture::new(1, vec![Rule::new(up(), answer)]);
    fixture.line.note_unsent(DOWN, DIRECTION_BYTES_MAX);
    fixture.send(UP, &short_frames());
    assert_eq!((fixture.to_client.len(), fixture.to_server.len()), (0, 0));
    fixture.line.note_unsent(DOWN, 0);
    let fixture = fixture.finish();
    assert_eq!((fixture.to_client.len(), fixture.to_server.len()), (FRAMES * LARGE_BYTES, 10 * FRAMES));
}

#[test]
fn a_cut_leaves_what_has_arrived_behind_it() {
    let second = Matcher { frame: Some(crate::rules::Range::only(2)), ..up() };
    let rules = vec![Rule::new(second, Action::Cut { end: End::Finished, after_bytes: 0 })];
    let mut fixture = Fixture::new(1, rules);
    fixture.send(UP, &short_frames());
    assert_eq!((fixture.to_server.len(), fixture.arrived.len()), (10, 10 * FRAMES));
    assert_eq!(fixture.line.held_bytes(UP), 0);
}

#[test]
fn content_that_waits_for_a_decision_counts() {
    let mut fixture = Fixture::new(1, vec![Rule::new(up(), Action::Hold { timeout_us: SECOND_US })]);
    let dense = frame(&format!(r#"{{"a":[{}0]}}"#, r#"{"":0},"#.repeat(1_000)));
    fixture.send(UP, b"GLASSLINE2");
    for _ in 0..20 {
        fixture.send(UP, &dense);
    }
    let contents: usize = fixture.asks.iter().map(|ask| ask.meaning.held_bytes()).sum();
    assert!(contents > 0 && contents < 2 * DIRECTION_BYTES_MAX, "{contents} bytes of content wait");
    let fixture = fixture.finish();
    assert_eq!(fixture.to_server, [b"GLASSLINE2".to_vec(), dense.repeat(20)].concat());
}

#[test]
fn additions_leave_room_for_the_text_that_they_wait_for() {
    let content = Content::Payload(vec![b'x'; 90_000]);
    let mut fixture = Fixture::new(1, vec![]);
    fixture.send(UP, &frame("bob"));
    fixture.send(DOWN, &frame("alice"));
    fixture.set_rules(vec![Rule::new(up(), Action::Inject(Injection { content, backwards: true, before: false }))]);
    for _ in 0..20 {
        fixture.send(UP, &frame("words"));
    }
    assert!(fixture.line.held_bytes(DOWN) + 102_410 < DIRECTION_BYTES_MAX, "{}", fixture.line.held_bytes(DOWN));
    assert_eq!(fixture.effects().iter().filter(|effect| effect.starts_with("not injected")).count(), 19);
    fixture.send(DOWN, &frame("words"));
    assert_eq!(fixture.to_client.len(), pair("alice", "words").len() + 90_010);
    fixture.finish();
}
