//! Execution of the decisions about one unit.

use super::Line;
use super::direction_state::Delivery;
use super::plan::{Addition, FrameOutcome, Plan, Work};
use super::unit::Unit;
use crate::websocket;

impl Line {
    /// Forwards a unit as its plan says, and what belongs to it.
    pub(super) fn carry_out(&mut self, work: Work, now_us: u64) {
        let Work { mut unit, plan, .. } = work;
        let Plan { outcome, bytes, copies, delay_us, pace, stall, replays, additions, comment } = plan;
        let direction = unit.frame.direction;
        let mut bytes = bytes.unwrap_or_else(|| std::mem::take(&mut unit.frame.bytes));
        if let FrameOutcome::Cut { after_bytes, .. } = outcome {
            bytes.truncate(after_bytes);
        }
        let bytes = websocket::carried(&unit.frame, bytes);
        let again = if copies.is_empty() && replays.is_empty() { Vec::new() } else { bytes.clone() };
        let comment = (!comment.is_empty()).then_some(comment);
        if let Some(stall) = stall {
            let until_us = now_us.saturating_add(stall.duration_us);
            self.states[direction].stall(until_us);
            if stall.both_directions {
                self.states[direction.opposite()].stall(until_us);
            }
        }
        let (before, after): (Vec<_>, Vec<_>) =
            additions.into_iter().partition(|addition| addition.is_before || addition.direction != direction);
        for addition in before {
            self.add(addition, &unit, now_us);
        }
        let mut delivery = Delivery { delay_us, pace, postponement: None };
        let state = &mut self.states[direction];
        match outcome {
            FrameOutcome::Forward => {
                if !unit.frame.is_control() {
                    state.note_within_pair(unit.begins_pair());
                }
                state.send(bytes, comment, delivery, now_us);
                self.copy(&again, copies, &unit, delivery, now_us);
                self.states[direction].count_passed(now_us);
            }
            FrameOutcome::Postpone(postponement) => {
                delivery.postponement = Some(postponement);
                state.send(bytes, comment, delivery, now_us);
                self.copy(&again, copies, &unit, delivery, now_us);
            }
            FrameOutcome::Drop => state.send(Vec::new(), comment, delivery, now_us),
            FrameOutcome::Cut { end, ends_both, .. } => {
                state.send(bytes, comment, delivery, now_us);
                state.close(end, ends_both);
            }
        }
        for (rule, postponement) in replays {
            let delivery = Delivery { postponement: Some(postponement), ..Delivery::default() };
            self.states[direction].send(again.clone(), Some(format!("{rule}: sent once more")), delivery, now_us);
        }
        for addition in after {
            self.add(addition, &unit, now_us);
        }
    }

    /// Forwards copies of a unit, as far as there is room for them.
    fn copy(&mut self, bytes: &[u8], copies: Vec<(String, u32)>, unit: &Unit, delivery: Delivery, now_us: u64) {
        let (state, mut evaluation) = self.parts(unit.frame.direction, now_us);
        for (rule, copies) in copies {
            for copy in 0..copies {
                if state.is_full() {
                    let effect = format!("{} of the copies left out, since too much waits already", copies - copy);
                    evaluation.report_no_effect(&rule, unit, effect);
                    break;
                }
                state.send(bytes.to_vec(), Some(format!("{rule}: copy")), delivery, now_us);
            }
        }
    }

    /// Sends what a rule adds, if there is room for it.
    fn add(&mut self, addition: Addition, unit: &Unit, now_us: u64) {
        let rule = addition.rule.clone();
        let addition = if self.splitter.is_websocket(addition.direction) {
            Addition { bytes: websocket::message(addition.direction, &addition.bytes), ..addition }
        } else {
            addition
        };
        let (state, mut evaluation) = self.parts(addition.direction, now_us);
        if !state.add(addition) {
            let effect = "not injected, since too much waits already or the end has passed";
            evaluation.report_no_effect(&rule, unit, effect.to_owned());
        }
    }
}
