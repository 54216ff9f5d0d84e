//! Decisions of the rules about one unit, so far.

use super::End;
use super::unit::Unit;
use crate::faults::Pace;
use crate::frame::Direction;
use crate::recording::COMMENT_BYTES_MAX;
use crate::rules::Postponement;

/// Decision whether a unit is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum FrameOutcome {
    #[default]
    Forward,
    Drop,
    Postpone(Postponement),
    /// So many bytes are forwarded, then the direction ends, and the other one if both do.
    Cut {
        end: End,
        after_bytes: usize,
        ends_both: bool,
    },
}

/// Bytes that a rule sends beside a unit.
#[derive(Debug)]
pub(super) struct Addition {
    pub(super) bytes: Vec<u8>,
    pub(super) direction: Direction,
    pub(super) is_before: bool,
    /// Label of the rule.
    pub(super) rule: String,
}

/// Time for which a direction stands still.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stall {
    pub(super) duration_us: u64,
    pub(super) both_directions: bool,
}

/// Decisions about one unit.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) outcome: FrameOutcome,
    /// Bytes in place of those that were sent.
    pub(super) bytes: Option<Vec<u8>>,
    /// Rules that send copies, and how many.
    pub(super) copies: Vec<(String, u32)>,
    pub(super) delay_us: u64,
    pub(super) pace: Option<Pace>,
    pub(super) stall: Option<Stall>,
    /// Rules that send it once more, and when.
    pub(super) replays: Vec<(String, Postponement)>,
    pub(super) additions: Vec<Addition>,
    /// Rules that were applied and what they did, for the recording.
    pub(super) comment: String,
}

impl Plan {
    /// Notes a rule for the recording, which shows the first [`COMMENT_BYTES_MAX`] bytes.
    pub(super) fn note(&mut self, label: &str, effect: &str) {
        if self.comment.len() >= COMMENT_BYTES_MAX {
            return;
        }
        if !self.comment.is_empty() {
            self.comment.push_str("; ");
        }
        self.comment.push_str(label);
        self.comment.push_str(": ");
        self.comment.push_str(effect);
    }

    /// Takes back whatever would keep the unit waiting.
    pub(super) fn release(&mut self) {
        (self.delay_us, self.pace, self.stall) = (0, None, None);
        self.replays.clear();
        if matches!(self.outcome, FrameOutcome::Postpone(_)) {
            self.outcome = FrameOutcome::Forward;
        }
    }

    /// Returns whether later rules have nothing left to decide.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.outcome, FrameOutcome::Drop | FrameOutcome::Cut { .. })
    }
}

/// A unit on its way through the rules.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) unit: Unit,
    pub(super) plan: Plan,
    /// The decision that it waits for.
    pub(super) pending: Option<Pending>,
}

/// A decision that a unit waits for.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) rule: String,
    pub(super) deadline_us: u64,
    /// Index of the rule with which the evaluation goes on.
    pub(super) next_rule: usize,
}

impl Work {
    pub(super) fn new(unit: Unit) -> Self {
        Self { unit, plan: Plan::default(), pending: None }
    }

    /// Returns the bytes as the rules have left them.
    pub(super) fn bytes(&self) -> &[u8] {
        self.plan.bytes.as_deref().unwrap_or(&self.unit.frame.bytes)
    }

    /// Returns the memory that it takes, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let additions: usize = self.plan.additions.iter().map(|addition| addition.bytes.len()).sum();
        let changed = self.plan.bytes.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.unit.held_bytes() + changed + additions + self.plan.comment.len()
    }
}
