//! Number of times that each rule was applied, told when the tap ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glassline_tap::{Applied, Observation, RuleSet};

use super::columns::safe;
use crate::note;

/// Rules that are told; further ones are counted.
const RULES_TOLD_MAX: usize = 32;

/// Counts by the labels of the rules. One more than those of the command line can be added, by hand.
#[derive(Debug, Clone)]
pub(super) struct RuleTally(Arc<Mutex<Vec<RuleCount>>>);

#[derive(Debug)]
struct RuleCount {
    label: String,
    applied: u64,
    /// First reason for which it was not applied where it matched.
    reason: Option<String>,
}

impl RuleCount {
    fn new(label: &str) -> Self {
        Self { label: label.to_owned(), applied: 0, reason: None }
    }

    fn in_words(&self) -> String {
        let times = match self.applied {
            0 => "never applied".to_owned(),
            1 => "applied once".into(),
            count => format!("applied {count} times"),
        };
        let reason = match (&self.reason, self.applied) {
            (Some(reason), _) => format!("; {}", safe(reason)),
            (None, 0) => ", since no frame was one for it".into(),
            (None, _) => String::new(),
        };
        format!("rule {}: {times}{reason}", safe(&self.label))
    }
}

impl RuleTally {
    /// None of these rules was applied.
    pub(super) fn new(rules: &RuleSet) -> Self {
        let counts = rules.rules().iter().map(|rule| RuleCount::new(&rule.label)).collect();
        Self(Arc::new(Mutex::new(counts)))
    }

    /// Counts what is reported of a rule.
    pub(super) fn observe(&self, observation: &Observation) {
        let Observation::Applied(Applied { rule, effect, has_effect, .. }) = observation else { return };
        let mut counts = self.counts();
        let known = counts.iter().position(|count| count.label == *rule);
        let index = known.unwrap_or_else(|| {
            counts.push(RuleCount::new(rule));
            counts.len() - 1
        });
        let count = &mut counts[index];
        if *has_effect {
            count.applied += 1;
        } else {
            count.reason.get_or_insert_with(|| effect.clone());
        }
    }

    /// Notes a line for each rule.
    pub(super) fn tell(&self) {
        let counts = self.counts();
        for count in counts.iter().take(RULES_TOLD_MAX) {
            note(count.in_words());
        }
        let further = counts.get(RULES_TOLD_MAX..).unwrap_or_default();
        if !further.is_empty() {
            let unused = further.iter().filter(|count| count.applied == 0).count();
            note(format_args!("{} further rules, {unused} of them never applied", further.len()));
        }
    }

    fn counts(&self) -> MutexGuard<'_, Vec<RuleCount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_how_often_it_was_applied() {
        let rules = ["drop name=bob", "edit to=server text~noon replace.txt=\"noon=>x\"", "delay by=1ms"];
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
        let tally = RuleTally::new(&RuleSet::new(7, rules).expect("labels"));
        let effects = [("delay-3", "delayed\u{1b}", true), ("edit-2", "has no effect: no field txt", false)];
        for (rule, effect, has_effect) in effects.into_iter().chain([effects[0], effects[1]]) {
            let (rule, frame, effect) = (rule.to_owned(), "1>3".parse().expect("an id"), effect.to_owned());
            let applied = Applied { seed: 7, rule, frame, offset: 0, at_us: 0, effect, has_effect };
            tally.observe(&Observation::Applied(applied));
        }
        let words: Vec<String> = tally.counts().iter().map(RuleCount::in_words).collect();
        let expected = [
            "rule drop-1: never applied, since no frame was one for it",
            "rule edit-2: never applied; has no effect: no field txt",
            "rule delay-3: applied 2 times",
        ];
        assert_eq!(words, expected);
    }
}
