//! Metrics of the history: how long commits take, what waits for them, and how far the search index
//! is behind.

use glassline_journal::{COMMIT_BOUNDS_S, Gauges};

use crate::metrics::exposition::Exposition;

pub(crate) fn add(out: &mut Exposition, gauges: &Gauges) {
    commits(out, gauges);
    let help = "Records that are queued for a commit or in one; they have not been sent to anybody.";
    out.gauge("glassline_journal_queue_records", help, gauges.waiting_records);
    out.gauge("glassline_journal_queue_bytes", "Bytes of those records.", gauges.waiting_bytes);
    let help = "Questions to the history that are not answered yet.";
    out.gauge("glassline_journal_queue_questions", help, gauges.waiting_questions);
    let help = "Messages stored that the search index does not have yet.";
    out.gauge("glassline_journal_index_lag_messages", help, gauges.index_lag);
    out.gauge("glassline_journal_file_bytes", "Bytes in use in the history's file.", gauges.used_bytes);
    let help = "Length of the file of commits (write-ahead log) beside the history's file.";
    out.gauge("glassline_journal_log_bytes", help, gauges.log_bytes);
    out.counter("glassline_journal_stored_total", "Records stored.", gauges.stored);
    let help = "Records not stored again, because their id was stored before.";
    out.counter("glassline_journal_repeated_total", help, gauges.repeated);
    let help = "Records refused to their senders because they could not be stored.";
    out.counter("glassline_journal_not_stored_total", help, gauges.not_stored);
    let help = "Failed maintenance steps (removal, indexing, emptying the log); each is retried after a second.";
    out.counter("glassline_journal_tend_failures_total", help, gauges.maintenance_failures);
    out.counter("glassline_journal_answers_total", "Questions to the history that were answered.", gauges.answered);
}

fn commits(out: &mut Exposition, gauges: &Gauges) {
    let help =
        "How long a group of records took to be committed, the sync to the disk included, and without its wait before.";
    out.family("glassline_commit_seconds", "histogram", help);
    let times = &gauges.commit_times;
    let mut so_far = 0;
    for (bound, count) in COMMIT_BOUNDS_S.iter().zip(times.counts) {
        so_far += count;
        out.bucket(&bound.to_string(), so_far);
    }
    let all = times.counts.iter().sum();
    out.bucket("+Inf", all);
    out.sum_and_count(times.sum_s, all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_buckets_are_cumulative_counts_of_faster_commits() {
        let mut gauges = Gauges { waiting_records: 9, index_lag: 4, ..Gauges::default() };
        gauges.commit_times.counts[0] = 2;
        gauges.commit_times.counts[3] = 5;
        *gauges.commit_times.counts.last_mut().expect("a last one") = 1;
        gauges.commit_times.sum_s = 6.25;
        let mut out = Exposition::new();
        add(&mut out, &gauges);
        let text = out.into_text();
        for line in [
            "# TYPE glassline_commit_seconds histogram",
            "glassline_commit_seconds_bucket{le=\"0.0001\"} 2",
            "glassline_commit_seconds_bucket{le=\"0.00025\"} 2",
            "glassline_commit_seconds_bucket{le=\"0.001\"} 7",
            "glassline_commit_seconds_bucket{le=\"5\"} 7",
            "glassline_commit_seconds_bucket{le=\"+Inf\"} 8",
            "glassline_commit_seconds_sum 6.25",
            "glassline_commit_seconds_count 8",
            "glassline_journal_queue_records 9",
            "glassline_journal_index_lag_messages 4",
        ] {
            assert!(text.lines().any(|written| written == line), "no {line:?} in\n{text}");
        }
    }
}
