//! How often each thing happened: refusals by reason, and what became of connections. Logged at the end.

use std::collections::BTreeMap;

/// Counts by reason; reasons are a closed set of the program's own words.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: BTreeMap<&'static str, u64>,
}

impl Counters {
    pub(crate) fn add(&mut self, reason: &'static str) {
        *self.counts.entry(reason).or_default() += 1;
    }

    pub(crate) fn summary(&self) -> String {
        let parts: Vec<String> = self.counts.iter().map(|(reason, count)| format!("{reason}={count}")).collect();
        parts.join(" ")
    }
}
