//! Counts of events: refusals by reason, and what became of connections. Logged at the end, and
//! shown to who watches.

/// Subject of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection was not let in, or was closed for what it sent.
    Refusal,
    /// A connection ended in another way.
    Ending,
    /// The reading of a connection was put off.
    Pause,
    /// Something else.
    Other,
}

/// The closed set of the program's own words for reasons.
const REASONS: [(&str, Kind); 42] = [
    ("banned", Kind::Refusal),
    ("crowded_out", Kind::Refusal),
    ("event_dialect_on_pure_server", Kind::Refusal),
    ("header_empty", Kind::Refusal),
    ("header_not_decimal", Kind::Refusal),
    ("header_too_long", Kind::Refusal),
    ("hello_refused", Kind::Refusal),
    ("http_not_spoken", Kind::Refusal),
    ("name_refused", Kind::Refusal),
    ("no_hello", Kind::Refusal),
    ("no_name_in_time", Kind::Refusal),
    ("noise_not_spoken", Kind::Refusal),
    ("not_watched", Kind::Refusal),
    ("tls_not_spoken", Kind::Refusal),
    ("too_many_from_address", Kind::Refusal),
    ("too_much_before_welcome", Kind::Refusal),
    ("unknown_opening", Kind::Refusal),
    ("bye", Kind::Ending),
    ("closed", Kind::Ending),
    ("closed_at_door", Kind::Ending),
    ("closed_inside_frame", Kind::Ending),
    ("framed_goodbye", Kind::Ending),
    ("kicked", Kind::Ending),
    ("quit", Kind::Ending),
    ("raw_goodbye", Kind::Ending),
    ("reads_nothing", Kind::Ending),
    ("reads_too_little", Kind::Ending),
    ("reset", Kind::Ending),
    ("server_closing", Kind::Ending),
    ("session_failed", Kind::Ending),
    ("silent", Kind::Ending),
    ("taken_over", Kind::Ending),
    ("connection_pauses", Kind::Pause),
    ("flood_pauses", Kind::Pause),
    ("outbox_pauses", Kind::Pause),
    ("accept_failed", Kind::Other),
    ("gaps", Kind::Other),
    ("joined", Kind::Other),
    ("missed", Kind::Other),
    ("parted", Kind::Other),
    ("wrong_token", Kind::Other),
    ("unlisted", Kind::Other),
];

const UNLISTED: usize = REASONS.len() - 1;

/// Counts by reason.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    counts: [u64; REASONS.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self { counts: [0; REASONS.len()] }
    }
}

impl Counters {
    pub(crate) fn add(&mut self, reason: &'static str) {
        self.add_many(reason, 1);
    }

    pub(crate) fn add_many(&mut self, reason: &'static str, count: u64) {
        let listed = REASONS.iter().position(|&(word, _)| word == reason);
        debug_assert!(listed.is_some(), "{reason:?} is none of the REASONS; list it there with its kind");
        self.counts[listed.unwrap_or(UNLISTED)] += count;
    }

    /// Returns the count of a reason; 0 for one that is not listed.
    pub(crate) fn count(&self, reason: &str) -> u64 {
        self.of(|word, _| word == reason).map(|(_, count)| count).sum()
    }

    /// Every reason of a kind, those that were never given included.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&'static str, u64)> {
        self.of(move |_, of| of == kind)
    }

    fn of(&self, is_wanted: impl Fn(&str, Kind) -> bool) -> impl Iterator<Item = (&'static str, u64)> {
        let listed = REASONS.into_iter().zip(self.counts);
        listed.filter(move |((word, kind), _)| is_wanted(word, *kind)).map(|((word, _), count)| (word, count))
    }

    pub(crate) fn summary(&self) -> String {
        let given = self.of(|_, _| true).filter(|(_, count)| *count > 0);
        given.map(|(reason, count)| format!("{reason}={count}")).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_by_reason_and_by_kind() {
        let mut counters = Counters::default();
        counters.add("name_refused");
        counters.add("name_refused");
        counters.add_many("missed", 7);
        assert_eq!((counters.count("name_refused"), counters.count("missed"), counters.count("bye")), (2, 7, 0));
        assert_eq!(counters.summary(), "name_refused=2 missed=7");
        let refusals: Vec<_> = counters.of_kind(Kind::Refusal).collect();
        assert!(refusals.contains(&("name_refused", 2)) && refusals.contains(&("tls_not_spoken", 0)), "{refusals:?}");
        assert!(!refusals.iter().any(|(reason, _)| *reason == "missed"), "{refusals:?}");
    }
}
