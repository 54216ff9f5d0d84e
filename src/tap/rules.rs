//! The rules that the command line asks for.

use std::fs;

use anyhow::{Context, anyhow, bail};
use glassline_tap::rules::{Action, RuleFile};
use glassline_tap::{RuleSet, cause};

use super::arguments::LineArguments;
use super::columns::shown;
use crate::note;

/// Random seeds have six digits at most: somebody types them again.
const RANDOM_SEEDS: u64 = 1_000_000;

/// Reads the rules of the files, then those of the flags, then the hook. The seed is the one of the
/// flag, else of a file, else random.
pub(super) fn read(arguments: &LineArguments) -> anyhow::Result<RuleSet> {
    let mut seed = arguments.seed;
    let mut rules = Vec::new();
    for path in &arguments.rules {
        let shown = shown(path);
        let text = fs::read_to_string(path)
            .map_err(|error| anyhow!("cannot read the rules of {shown}: {}; name a file of rules", cause(&error)))?;
        let file = RuleFile::parse(&text).map_err(|error| anyhow!("{shown}, {error}"))?;
        if file.rules.is_empty() {
            note(format_args!("{shown} has no rules, and changes nothing; a rule begins with [[rule]]"));
        }
        seed = seed.or(file.seed);
        rules.extend(file.rules);
    }
    rules.extend(arguments.rule.iter().cloned());
    rules.extend(arguments.hook.clone());
    let random = || getrandom::u64().map(|number| number % RANDOM_SEEDS);
    let seed = seed.map_or_else(random, Ok).context("the system has no random numbers; give a --seed")?;
    RuleSet::new(seed, rules).map_err(|error| anyhow!("{error}"))
}

/// Refuses rules that hold frames where the live view is not shown, for the given reason: nobody
/// could decide about these frames, and each would stop its direction until its time is over.
pub(super) fn refuse_holds(rules: &RuleSet, reason: &str) -> anyhow::Result<()> {
    if let Some(rule) = rules.rules().iter().find(|rule| matches!(rule.action, Action::Hold { .. })) {
        bail!(
            "the rule {:?} holds frames until you decide in the live view, which is not shown: {reason}. Run the tap \
             with the view, or let a program decide: --hook COMMAND",
            rule.label
        );
    }
    Ok(())
}
