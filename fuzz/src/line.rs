//! A tapped connection under any rules and bytes: it ends, holds little, and without rules passes
//! every byte.
#![no_main]

use std::sync::Arc;

use glassline_tap::{DIRECTION_BYTES_MAX, Decision, Direction, End, Line, LineOutput, PerDirection, Rule, RuleSet};
use libfuzzer_sys::fuzz_target;

/// Rules are the lines before the first byte of this value, the steps follow it.
const END_OF_RULES: u8 = 0;
const RULES_MAX: usize = 8;
/// Memory beside the bound: what eight rules make of one frame, and the frames of one step.
const EXCESS_BYTES_MAX: usize = 1 << 20;
const STEP_US: u64 = 50_000;

/// A line, and what has passed it.
struct Tapped {
    line: Line,
    now_us: u64,
    sent: PerDirection<Vec<u8>>,
    passed: PerDirection<Vec<u8>>,
    has_ended: PerDirection<bool>,
    /// Direction and number of a frame that waits for a decision.
    asked: Option<(Direction, u64)>,
}

impl Tapped {
    fn new(rules: Vec<Rule>) -> Self {
        let mut line = Line::new(1);
        line.set_rules(Arc::new(RuleSet::new(1, rules).unwrap_or_default()), 0);
        Self {
            line,
            now_us: 0,
            sent: PerDirection::default(),
            passed: PerDirection::default(),
            has_ended: PerDirection::default(),
            asked: None,
        }
    }

    fn receive(&mut self, direction: Direction, bytes: &[u8]) {
        if self.line.held_bytes(direction) < DIRECTION_BYTES_MAX {
            self.sent[direction].extend_from_slice(bytes);
            self.line.receive(direction, bytes, self.now_us);
        }
    }

    /// Takes every output that is due.
    fn take_outputs(&mut self) {
        while let Some(output) = self.line.next(self.now_us) {
            match output {
                LineOutput::Forward { direction, bytes, .. } => {
                    assert!(!self.has_ended[direction], "bytes behind an end");
                    self.passed[direction].extend(bytes);
                }
                LineOutput::End(direction, _) => {
                    assert!(!std::mem::replace(&mut self.has_ended[direction], true), "it ends twice");
                }
                LineOutput::Ask(ask) => self.asked = Some((ask.frame.direction, ask.frame.number)),
                LineOutput::Arrived(..) | LineOutput::Applied(_) => {}
            }
        }
        for direction in Direction::BOTH {
            assert!(self.line.held_bytes(direction) < DIRECTION_BYTES_MAX + EXCESS_BYTES_MAX);
        }
    }

    fn decide(&mut self, decision: Decision) {
        if let Some((direction, number)) = self.asked.take() {
            self.line.answer(direction, number, decision, self.now_us);
        }
    }

    fn remove_rules(&mut self) {
        self.line.set_rules(Arc::default(), self.now_us);
    }
}

/// Returns the rules and the steps of an input.
fn parts(input: &[u8]) -> (Vec<Rule>, &[u8]) {
    let end = input.iter().position(|byte| *byte == END_OF_RULES).unwrap_or(input.len());
    let text = std::str::from_utf8(&input[..end]).unwrap_or_default();
    let rules = text.lines().filter_map(|line| line.parse().ok()).take(RULES_MAX).collect();
    (rules, input.get(end + 1..).unwrap_or_default())
}

fuzz_target!(|input: &[u8]| {
    let (rules, mut steps) = parts(input);
    let has_rules = !rules.is_empty();
    let mut tapped = Tapped::new(rules);
    while let [step, length, rest @ ..] = steps {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        steps = rest;
        let direction = Direction::BOTH[usize::from(step & 1)];
        match step >> 1 {
            0..64 => tapped.receive(direction, bytes),
            64 => tapped.line.note_unsent(direction, DIRECTION_BYTES_MAX),
            65 => tapped.line.note_unsent(direction, 0),
            66 => tapped.decide(Decision::Drop),
            67 => tapped.decide(Decision::Replace(bytes.to_vec())),
            68 => tapped.decide(Decision::Cut(End::Reset)),
            69 => tapped.remove_rules(),
            _ => tapped.now_us += STEP_US,
        }
        tapped.take_outputs();
    }
    for direction in Direction::BOTH {
        tapped.line.note_unsent(direction, 0);
        tapped.line.end(direction, End::Finished, tapped.now_us);
    }
    tapped.take_outputs();
    tapped.remove_rules();
    tapped.take_outputs();
    assert_eq!(tapped.line.due_us(), None, "something waits without rules");
    for direction in Direction::BOTH {
        assert!(tapped.has_ended[direction] && tapped.line.held_bytes(direction) == 0);
        assert!(has_rules || tapped.passed[direction] == tapped.sent[direction], "a byte was lost or invented");
    }
});
