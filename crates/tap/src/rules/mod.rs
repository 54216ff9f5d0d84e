//! Rules: conditions on frames, and actions. A rule is made in code, read from a TOML file, or
//! read from one line.

mod action;
mod error;
mod file;
mod line_form;
mod matcher;
mod reading;
mod rng;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use action::ActionKind;
pub use action::{Action, Content, Edit, Injection, Postponement};
pub use error::RuleError;
pub use file::RuleFile;
pub(crate) use matcher::Match;
pub use matcher::{Matcher, Range};
pub use reading::HOLD_US;
pub use reading::KINDS;
pub(crate) use rng::RuleRng;

/// One rule: the frames that it matches, and what is done with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name of the rule in reports and comments. The decisions of a rule depend on it. Empty: the
    /// set of rules gives one, such as `drop-1`.
    pub label: String,
    /// Frames that it matches.
    pub matcher: Matcher,
    /// Part of the matching frames to which it is applied, from 0 to 1.
    probability: f64,
    /// Most times that it is applied to one direction of a connection.
    pub count_max: Option<u64>,
    /// Action on them.
    pub action: Action,
}

impl Rule {
    /// A rule for every frame that `matcher` matches.
    pub fn new(matcher: Matcher, action: Action) -> Self {
        Self { label: String::new(), matcher, probability: 1.0, count_max: None, action }
    }

    /// The same rule under this name.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self }
    }

    /// The same rule, applied to this part of the frames only; less than 0 is 0, more than 1 is 1.
    #[must_use]
    pub fn with_probability(self, probability: f64) -> Self {
        Self { probability: probability.clamp(0.0, 1.0), ..self }
    }

    /// Returns the part of the frames to which it is applied, from 0 to 1.
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// The same rule, applied at most so many times to one direction of a connection.
    #[must_use]
    pub fn at_most(self, count_max: u64) -> Self {
        Self { count_max: Some(count_max), ..self }
    }
}

/// Rules in the order in which they are applied, and the seed of their decisions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSet {
    seed: u64,
    rules: Vec<Arc<Rule>>,
}

/// Two rules have one label, so that reports and decisions could not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two rules have the label {0:?}; give one of them another label")]
pub struct DuplicateLabel(pub String);

impl RuleSet {
    /// These rules. A rule without a label gets its action and its place, such as `drop-1`.
    pub fn new(seed: u64, rules: Vec<Rule>) -> Result<Self, DuplicateLabel> {
        let mut labelled: Vec<Arc<Rule>> = Vec::with_capacity(rules.len());
        for (index, mut rule) in rules.into_iter().enumerate() {
            if rule.label.is_empty() {
                rule.label = format!("{}-{}", rule.action.name(), index + 1);
            }
            if labelled.iter().any(|other| other.label == rule.label) {
                return Err(DuplicateLabel(rule.label));
            }
            labelled.push(Arc::new(rule));
        }
        Ok(Self { seed, rules: labelled })
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the rules in their order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Returns the rule with this label.
    pub fn get(&self, label: &str) -> Option<&Arc<Rule>> {
        self.rules.iter().find(|rule| rule.label == label)
    }

    /// Returns whether there is no rule, so that every byte passes at once.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns whether a rule waits for decisions.
    pub fn asks(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.action, Action::Hold { .. } | Action::Hook { .. }))
    }

    /// The set without the rule of this label. The labels and decisions of the others stay.
    #[must_use]
    pub fn without(&self, label: &str) -> Self {
        let rules = self.rules.iter().filter(|rule| rule.label != label).cloned().collect();
        Self { seed: self.seed, rules }
    }
}
