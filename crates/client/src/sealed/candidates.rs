//! Records of keys that are not here: which are worth a derivation, in which order, and when (S2).
//!
//! Anybody can sign a record, so one counts for nothing before a key was derived that verifies its
//! MAC. A derivation takes 64 MiB and some tenths of a second, so that made-up records must not
//! cause them without an end.

use std::time::{Duration, Instant};

use glassline_secure::seal::EpochRecord;

/// Records that are kept; for one more the one that was seen longest ago is dropped, those of known
/// signers last.
const RECORDS_MAX: usize = 64;
/// Derivations that a passphrase of the user causes one after the other.
const TRIALS: u32 = 8;
/// Time between two derivations that received records cause.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest time, which it grows to while no record of an unknown signer is opened.
const PAUSE_MAX: Duration = Duration::from_mins(10);

/// Reason to derive the key of a record sooner than that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// No key of this signer is known.
    SignerUnknown,
    /// The signer's key is known.
    SignerKnown,
    /// The record was accepted before the program was started.
    Accepted,
}

/// A record without a key.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) record: EpochRecord,
    pub(super) standing: Standing,
    /// The passphrase does not open it.
    pub(super) is_rejected: bool,
}

/// The records without keys of one room.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// In the order in which they were seen last.
    seen: Vec<Candidate>,
    /// Derivations left that need no pause.
    trials: u32,
    /// Derivations that have failed since one succeeded or a passphrase was entered.
    failures: u32,
    last_at: Option<Instant>,
}

impl Candidates {
    /// Keeps a record whose signature holds.
    pub(super) fn add(&mut self, record: EpochRecord, standing: Standing) {
        if self.seen.len() >= RECORDS_MAX {
            let oldest = |standing| self.seen.iter().position(|seen| seen.standing == standing);
            let dropped = oldest(Standing::SignerUnknown).or_else(|| oldest(Standing::SignerKnown));
            self.seen.remove(dropped.unwrap_or(0));
        }
        self.seen.push(Candidate { record, standing, is_rejected: false });
    }

    /// Notes that a record was seen again; returns `false` for one that is not kept.
    pub(super) fn see_again(&mut self, record: &EpochRecord) -> bool {
        let Some(at) = self.seen.iter().position(|seen| seen.record == *record) else { return false };
        let again = self.seen.remove(at);
        self.seen.push(again);
        true
    }

    pub(super) fn find(&self, record: &EpochRecord) -> Option<&Candidate> {
        self.seen.iter().find(|seen| seen.record == *record)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.seen.iter()
    }

    /// Returns the record whose key to derive first, among those above the number that was accepted.
    pub(super) fn next(&self, accepted: u64) -> Option<&Candidate> {
        let is_open = |seen: &&Candidate| {
            !seen.is_rejected && (seen.record.number() > accepted || seen.standing == Standing::Accepted)
        };
        // Of equal ones the last, which was seen last.
        self.seen.iter().filter(is_open).max_by_key(|seen| seen.standing)
    }

    /// Returns the record with the highest number that did not open.
    pub(super) fn newest_rejected(&self) -> Option<&Candidate> {
        let rejected = self.seen.iter().filter(|seen| seen.is_rejected);
        rejected.max_by_key(|seen| (seen.record.number(), seen.standing))
    }

    /// Returns the time from which the key of [`next`](Self::next) may be derived; `None`: at once.
    pub(super) fn due_at(&self, next: &Candidate) -> Option<Instant> {
        if self.trials > 0 {
            return None;
        }
        let doublings = if next.standing == Standing::SignerUnknown { self.failures.min(16) } else { 0 };
        self.last_at.map(|at| at + PAUSE_MAX.min(PAUSE * (1 << doublings)))
    }

    /// Returns whether a record's key is derived after those that are under way, without a pause.
    pub(super) fn is_tried_soon(&self, record: &EpochRecord) -> bool {
        self.trials > 0 && self.find(record).is_some_and(|seen| !seen.is_rejected)
    }

    /// Notes that a derivation begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.trials = self.trials.saturating_sub(1);
        self.last_at = Some(now);
    }

    /// Notes that the passphrase does not open a record.
    pub(super) fn reject(&mut self, record: &EpochRecord) {
        self.failures = self.failures.saturating_add(1);
        if let Some(seen) = self.seen.iter_mut().find(|seen| seen.record == *record) {
            seen.is_rejected = true;
        }
    }

    /// Notes that a record was accepted: older ones, and those that cannot follow it, are not needed.
    pub(super) fn accept(&mut self, record: &EpochRecord, may_follow: impl Fn(&EpochRecord) -> bool) {
        self.failures = 0;
        self.seen.retain(|seen| {
            seen.record != *record && seen.record.number() >= record.number() && may_follow(&seen.record)
        });
    }

    /// Notes a passphrase of the user, which may open what another did not.
    pub(super) fn retry(&mut self) {
        (self.trials, self.failures) = (TRIALS, 0);
        self.seen.iter_mut().for_each(|seen| seen.is_rejected = false);
    }

    /// Notes that the records that are here were tried, so that the next needs its pause.
    pub(super) fn end_trials(&mut self) {
        self.trials = 0;
    }

    /// Returns the records for a room that is no longer sealed; the one accepted there is tried last.
    pub(super) fn released(&self, accepted: Option<&EpochRecord>) -> Self {
        let own = accepted.map(|record| (record.clone(), Standing::SignerUnknown));
        let mut released = Self::default();
        for (record, standing) in own
            .into_iter()
            .chain(self.seen.iter().map(|seen| (seen.record.clone(), seen.standing.min(Standing::SignerKnown))))
        {
            released.add(record, standing);
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::record;
    use super::*;

    fn numbers(candidates: &Candidates) -> Vec<u64> {
        candidates.iter().map(|seen| seen.record.number()).collect()
    }

    #[test]
    fn known_signers_come_first_and_then_what_was_seen_last() {
        let mut candidates = Candidates::default();
        for (number, standing) in [
            (3, Standing::SignerUnknown),
            (5, Standing::SignerKnown),
            (9, Standing::SignerUnknown),
            (2, Standing::Accepted),
            (1, Standing::SignerKnown),
        ] {
            candidates.add(record(number), standing);
        }
        assert!(candidates.see_again(&record(3)) && !candidates.see_again(&record(4)));
        let mut order = Vec::new();
        while let Some(next) = candidates.next(2).map(|next| next.record.clone()) {
            order.push(next.number());
            candidates.reject(&next);
        }
        assert_eq!(order, [2, 5, 3, 9], "what is older than the accepted one is not derived");
    }

    #[test]
    fn made_up_records_cause_ever_fewer_derivations() {
        let mut candidates = Candidates::default();
        let start = Instant::now();
        let mut now = start;
        let mut derivations = 0;
        for number in 1..=10_000 {
            candidates.add(record(number), Standing::SignerUnknown);
            let next = candidates.next(0).expect("it was just added").clone();
            if candidates.due_at(&next).is_none_or(|due| due <= now) {
                derivations += 1;
                candidates.begin(now);
                candidates.reject(&next.record);
            }
            now += Duration::from_secs(1);
        }
        // Nine doublings up to 10 minutes, then one in 10 minutes.
        assert!((20..30).contains(&derivations), "{derivations} in {:?}", now - start);
        assert_eq!(candidates.iter().count(), RECORDS_MAX);

        // That of a known signer does not wait for them, and is not pushed out by them.
        candidates.add(record(20_000), Standing::SignerKnown);
        for number in 30_000..31_000 {
            candidates.add(record(number), Standing::SignerUnknown);
        }
        let next = candidates.next(0).expect("there are some").clone();
        assert_eq!(next.record.number(), 20_000);
        assert!(candidates.due_at(&next).is_none_or(|due| due <= now + PAUSE));
        candidates.begin(now);
        candidates.accept(&next.record, |_| true);
        assert!(numbers(&candidates).iter().all(|&number| number > 20_000));
        let next = candidates.next(20_000).expect("there are some").clone();
        assert_eq!(candidates.due_at(&next), Some(now + PAUSE), "an accepted key ends the doubling");
    }

    #[test]
    fn a_passphrase_tries_a_few_at_once() {
        let mut candidates = Candidates::default();
        let now = Instant::now();
        (1..=20).for_each(|number| candidates.add(record(number), Standing::SignerUnknown));
        candidates.retry();
        let mut tried = 0;
        while let Some(next) = candidates.next(0).cloned()
            && candidates.due_at(&next).is_none_or(|due| due <= now)
        {
            tried += 1;
            candidates.begin(now);
            candidates.reject(&next.record);
        }
        assert_eq!(tried, TRIALS);
        candidates.retry();
        assert!(candidates.iter().all(|seen| !seen.is_rejected), "another passphrase may open them");
    }
}
