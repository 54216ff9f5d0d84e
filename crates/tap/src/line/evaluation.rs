//! The rules, in their order, at one unit.

use std::collections::{HashMap, HashSet, VecDeque};

use super::apply::{Outcome, apply, cut, edit, sent_in_place};
use super::fields::absent_field;
use super::plan::{FrameOutcome, Pending, Work};
use super::unit::Unit;
use super::{Ask, Decision, LineOutput};
use crate::applied::Applied;
use crate::frame::{Direction, Frame, FrameKind, RawReason};
use crate::rules::{Action, Match, Rule, RuleRng, RuleSet};

/// Counts of a connection's rules.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Number of times that each rule was applied.
    applied: HashMap<(String, Direction), u64>,
    /// Rules of which was reported that they cannot be applied.
    rejected: HashSet<String>,
}

impl Tally {
    /// Forgets rules that are not the same in the new set.
    pub(super) fn change_rules(&mut self, old: &RuleSet, new: &RuleSet) {
        let stays = |label: &str| old.get(label).is_some_and(|rule| new.get(label) == Some(rule));
        self.applied.retain(|(label, _), _| stays(label));
        self.rejected.retain(|label| stays(label));
    }

    fn is_used_up(&self, rule: &Rule, direction: Direction) -> bool {
        rule.count_max.is_some_and(|most| {
            self.applied.get(&(rule.label.clone(), direction)).is_some_and(|count| *count >= most) || most == 0
        })
    }

    fn note(&mut self, rule: &Rule, direction: Direction) {
        if rule.count_max.is_some() {
            *self.applied.entry((rule.label.clone(), direction)).or_default() += 1;
        }
    }
}

/// One pass through the rules.
pub(super) struct RuleEvaluation<'line> {
    pub(super) rules: &'line RuleSet,
    pub(super) tally: &'line mut Tally,
    pub(super) outputs: &'line mut VecDeque<LineOutput>,
    pub(super) now_us: u64,
}

impl RuleEvaluation<'_> {
    /// Evaluates the rules from this one on, up to one that waits for a decision.
    pub(super) fn run(&mut self, work: &mut Work, first_rule: usize) {
        for (index, rule) in self.rules.rules().iter().enumerate().skip(first_rule) {
            if work.plan.is_final() || work.pending.is_some() {
                return;
            }
            self.evaluate(rule, index, work);
        }
    }

    fn evaluate(&mut self, rule: &Rule, index: usize, work: &mut Work) {
        let unit = &work.unit;
        let begins = matches!(unit.frame.kind, FrameKind::Opening | FrameKind::Http);
        let is_passed_over = begins && !rule.action.keeps_bytes() && !rule.matcher.names_opening();
        if is_passed_over && rule.action != Action::Downgrade {
            return;
        }
        match rule.matcher.matches(&unit.frame, unit.first_number, &unit.meaning) {
            Match::Yes => {}
            Match::No => return,
            Match::Unreadable => return self.reject(rule, unit, &unreadable(unit)),
        }
        let mut rng = RuleRng::new(self.rules.seed(), &rule.label, &unit.frame);
        if !rng.chance(rule.probability()) || self.tally.is_used_up(rule, unit.frame.direction) {
            return;
        }
        match apply(&rule.action, work, &rule.label, &mut rng) {
            Outcome::Done { effect, at } => {
                self.report(&rule.label, &work.unit, at, effect.clone());
                work.plan.note(&rule.label, &effect);
            }
            Outcome::Ask(decider, timeout_us) => {
                let deadline_us = self.now_us.saturating_add(timeout_us);
                work.pending = Some(Pending { rule: rule.label.clone(), deadline_us, next_rule: index + 1 });
                let (frame, meaning) = (work.unit.frame.clone(), work.unit.meaning.clone());
                let frame = Frame { bytes: work.bytes().to_vec(), ..frame };
                let ask = Ask { frame, meaning, rule: rule.label.clone(), decider, deadline_us };
                self.outputs.push_back(LineOutput::Ask(Box::new(ask)));
            }
            Outcome::NotHere if rule.matcher.asks_for_words() => {
                if !self.tally.rejected.contains(&rule.label) {
                    self.reject(rule, &work.unit, &nothing_to_change(&rule.action, work));
                }
                return;
            }
            Outcome::NotHere => return,
            Outcome::Rejected(reason) => return self.reject(rule, &work.unit, &reason),
        }
        self.tally.note(rule, work.unit.frame.direction);
    }

    /// Carries a decision out, and goes on with the rules behind the one that asked.
    pub(super) fn decide(&mut self, work: &mut Work, decision: Decision) {
        let Some(pending) = work.pending.take() else { return };
        let outcome = match decision {
            // Nothing was done to it.
            Decision::Pass => return self.run(work, pending.next_rule),
            Decision::Drop => {
                work.plan.outcome = FrameOutcome::Drop;
                Outcome::Done { effect: "dropped as decided".into(), at: 0 }
            }
            Decision::Replace(bytes) => {
                let effect = sent_in_place(&bytes, ", as decided");
                work.plan.bytes = Some(bytes);
                Outcome::Done { effect, at: 0 }
            }
            Decision::Edit(edits) => edit(&edits, work),
            Decision::Cut(end) => cut(end, 0, work),
        };
        let unchanged = match outcome {
            Outcome::Done { effect, at } => {
                self.report(&pending.rule, &work.unit, at, effect.clone());
                work.plan.note(&pending.rule, &effect);
                return self.run(work, pending.next_rule);
            }
            Outcome::Rejected(reason) => {
                format!("passed unchanged, since the decision cannot be carried out: {reason}")
            }
            Outcome::NotHere | Outcome::Ask(..) => {
                "passed unchanged, since it has none of the fields that were to be edited".to_owned()
            }
        };
        self.report_no_effect(&pending.rule, &work.unit, unchanged.clone());
        work.plan.note(&pending.rule, &unchanged);
        self.run(work, pending.next_rule);
    }

    /// Lets a unit pass the rule that asked, for want of an answer, and goes on with the rules
    /// behind.
    pub(super) fn pass_on(&mut self, work: &mut Work, reason: &str) {
        let Some(pending) = work.pending.take() else { return };
        let effect = format!("passed unchanged, since {reason}");
        work.plan.note(&pending.rule, &effect);
        self.report_no_effect(&pending.rule, &work.unit, effect);
        self.run(work, pending.next_rule);
    }

    /// Lets a unit pass the rule that asked, since its hook is not asked, and goes on with the rules
    /// behind. Reports that once for the connection.
    pub(super) fn pass_hook(&mut self, work: &mut Work, reason: &str) {
        let Some(pending) = work.pending.take() else { return };
        let rules = self.rules;
        if let Some(rule) = rules.get(&pending.rule) {
            self.reject(rule, &work.unit, reason);
        }
        self.run(work, pending.next_rule);
    }

    /// Reports once for the connection why a rule has no effect.
    fn reject(&mut self, rule: &Rule, unit: &Unit, reason: &str) {
        if self.tally.rejected.insert(rule.label.clone()) {
            self.report_no_effect(&rule.label, unit, format!("has no effect: {reason}"));
        }
    }

    /// Reports what a rule did to a unit from its byte `at` on.
    pub(super) fn report(&mut self, label: &str, unit: &Unit, at: usize, effect: String) {
        self.push_applied(label, unit, at, effect, true);
    }

    /// Reports why a rule did nothing to a unit.
    pub(super) fn report_no_effect(&mut self, label: &str, unit: &Unit, reason: String) {
        self.push_applied(label, unit, 0, reason, false);
    }

    fn push_applied(&mut self, label: &str, unit: &Unit, at: usize, effect: String, has_effect: bool) {
        self.outputs.push_back(LineOutput::Applied(Applied {
            seed: self.rules.seed(),
            rule: label.to_owned(),
            frame: unit.frame.id(),
            offset: unit.frame.offset.saturating_add(at as u64),
            at_us: self.now_us,
            effect,
            has_effect,
        }));
    }
}

/// Returns why an action has nothing to change in a frame that its rule matches.
fn nothing_to_change(action: &Action, work: &Work) -> String {
    let Action::Edit(edits) = action else {
        return "a frame that it matches has not the bit to be changed; write a smaller bit".into();
    };
    absent_field(work.bytes(), work.unit.form, edits)
}

fn unreadable(unit: &Unit) -> String {
    match unit.frame.kind {
        FrameKind::Raw(RawReason::Opaque) => format!(
            "the content of this link ({}) cannot be read; match by direction, size, connection or probability instead",
            unit.frame.dialect.name()
        ),
        FrameKind::Record(_) => format!(
            "the content of this link ({}) cannot be read; match its records by kind=record, direction, size, number, \
             connection or probability instead",
            unit.frame.dialect.name()
        ),
        FrameKind::Raw(_) => "these bytes are no frame; match them with kind=raw, or by direction or size".to_owned(),
        _ => "the content of this frame cannot be read; match by direction, size or frame number instead".to_owned(),
    }
}
