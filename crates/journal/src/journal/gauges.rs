//! Metrics of a journal, in numbers that can be read at any time without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use glassline_wire::history::NotAppended;

use super::core::reports::Done;
use crate::store::Sizes;

/// Upper ends of the buckets of commit times, in seconds; one more bucket has what took longer.
pub const COMMIT_BOUNDS_S: [f64; 15] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Metrics of a journal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gauges {
    /// Records that wait or are being committed.
    pub waiting_records: u64,
    /// Bytes of them.
    pub waiting_bytes: u64,
    /// Questions that wait.
    pub waiting_questions: u64,
    /// Messages not in the search index yet.
    pub index_lag: u64,
    /// Groups committed.
    pub commits: u64,
    /// Records stored since the start.
    pub stored: u64,
    /// Records that were stored before, or whose id was.
    pub repeated: u64,
    /// Records refused because they could not be stored.
    pub not_stored: u64,
    /// Questions answered.
    pub answered: u64,
    /// Number of failed maintenance steps (a full disk): once a second while it does.
    pub maintenance_failures: u64,
    /// Durations of the commits.
    pub commit_times: CommitTimes,
    /// Bytes in use in the file.
    pub used_bytes: u64,
    /// Bytes of commits that are not in the file yet.
    pub log_bytes: u64,
}

/// A histogram: how many commits took how long.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CommitTimes {
    /// Numbers of commits that took up to [`COMMIT_BOUNDS_S`] of the same place and longer than the
    /// one before; the last has what took longer than all.
    pub counts: [u64; COMMIT_BOUNDS_S.len() + 1],
    /// All their times together, in seconds.
    pub sum_s: f64,
}

#[derive(Default)]
pub(super) struct JournalCounters {
    pub(super) index_lag: AtomicU64,
    commits: AtomicU64,
    stored: AtomicU64,
    repeated: AtomicU64,
    not_stored: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) maintenance_failures: AtomicU64,
    used_bytes: AtomicU64,
    log_bytes: AtomicU64,
    commit_counts: [AtomicU64; COMMIT_BOUNDS_S.len() + 1],
    commit_sum_ns: AtomicU64,
}

impl JournalCounters {
    /// Counts the result of a record. One that is too late, or would open a room too many, was
    /// refused by a rule, which says nothing about the disk.
    pub(super) fn count_report(&self, report: &Done) {
        let counter = match report {
            Done::Committed(_) => &self.stored,
            Done::NotStored { .. } => &self.not_stored,
            Done::Settled { outcome: NotAppended::Again(_) | NotAppended::IdReused, .. } => &self.repeated,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_commit(&self, took: Duration) {
        let took_s = took.as_secs_f64();
        let bucket = COMMIT_BOUNDS_S.iter().position(|bound| took_s <= *bound).unwrap_or(COMMIT_BOUNDS_S.len());
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.commit_counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.commit_sum_ns.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(super) fn note_sizes(&self, sizes: Sizes) {
        self.used_bytes.store(sizes.used_bytes, Ordering::Relaxed);
        self.log_bytes.store(sizes.log_bytes, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Gauges {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut commit_times = CommitTimes {
            sum_s: Duration::from_nanos(read(&self.commit_sum_ns)).as_secs_f64(),
            ..CommitTimes::default()
        };
        for (count, counter) in commit_times.counts.iter_mut().zip(&self.commit_counts) {
            *count = read(counter);
        }
        Gauges {
            index_lag: read(&self.index_lag),
            commits: read(&self.commits),
            stored: read(&self.stored),
            repeated: read(&self.repeated),
            not_stored: read(&self.not_stored),
            answered: read(&self.answered),
            maintenance_failures: read(&self.maintenance_failures),
            commit_times,
            used_bytes: read(&self.used_bytes),
            log_bytes: read(&self.log_bytes),
            ..Gauges::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_counted_in_the_bucket_of_its_time() {
        let counters = JournalCounters::default();
        for took_us in [50, 100, 101, 999, 6_000_000] {
            counters.count_commit(Duration::from_micros(took_us));
        }
        let Gauges { commits, commit_times, .. } = counters.read();
        assert_eq!(commits, 5);
        let counted: Vec<usize> = (0..commit_times.counts.len()).filter(|&at| commit_times.counts[at] > 0).collect();
        assert_eq!(counted, [0, 1, 3, COMMIT_BOUNDS_S.len()]);
        assert_eq!(commit_times.counts[0], 2);
        assert!((commit_times.sum_s - 6.001_25).abs() < 1e-9, "{}", commit_times.sum_s);
    }
}
