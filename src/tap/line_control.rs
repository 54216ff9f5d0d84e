//! Decisions of the user about a running line, on their way to the relay.

use std::sync::Arc;

use anyhow::anyhow;
use glassline_tap::{Decision, FrameId, RelayHandle, Rule, RuleSet};

/// The relay's handle, and the rules of the command line.
pub(super) struct LineControl {
    handle: RelayHandle,
    rules: Arc<RuleSet>,
}

impl LineControl {
    /// Controls a relay that applies these rules.
    pub(super) fn new(handle: RelayHandle, rules: Arc<RuleSet>) -> Self {
        Self { handle, rules }
    }

    /// Applies the rules of the command line alone.
    pub(super) fn remove_added_rule(&self) {
        self.handle.set_rules(Arc::clone(&self.rules));
    }

    /// Applies one more rule behind those of the command line.
    ///
    /// # Errors
    /// A rule of the command line has the same label.
    pub(super) fn add_rule(&self, added: Rule) -> anyhow::Result<()> {
        let rules = self.rules.rules().iter().map(|rule| (**rule).clone()).chain([added]).collect();
        let rules = RuleSet::new(self.rules.seed(), rules).map_err(|error| anyhow!("{error}"))?;
        self.handle.set_rules(Arc::new(rules));
        Ok(())
    }

    /// Decides about a frame that waits.
    pub(super) fn answer(&self, frame: FrameId, decision: Decision) {
        self.handle.answer(frame, decision);
    }
}
