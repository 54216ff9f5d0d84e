//! The figures as a markdown page.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::questions::Question;
use super::{Scale, latency, rows, storing, tables};
use crate::report::{head, put_table};
use crate::results::{Measure, Results, Row, Table};
use crate::stats::Spread;
use crate::target::{TITLES, Target};
use crate::workloads::TEXT_BYTES;
use crate::workloads::windowed::{ALL_SENDING, FANOUT};

const MEANINGS: &str = "
- **messages in a commit**, **commit**: by the server's own numbers (`--metrics`), over the whole round; a commit's time has its sync in it.
- **not indexed at the end**: messages stored that the search index does not have yet; it follows behind.
- **server CPU**, **server busy**: of all its threads; they share one core.
- **given up**: answered with `busy`, after two seconds.
- **memory**: resident memory of the server.
";

pub fn page(results: &Results, scale: &Scale) -> String {
    let mut page = head("Benchmarks of the history", "cargo xtask bench history");
    // Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.
    let _ = writeln!(
        page,
        "- the server on core 0, all its threads; the generator on core 1; loopback; histories on the disk that holds cargo's folder\n\
         - rounds: {} (fewer of what takes long), with and without a history in turn within each; a figure is the median of its rounds, with the smallest and the \
         largest in brackets",
        scale.rounds
    );
    page.push_str(
        "\nTexts are words, used as unevenly as people use them, and differ from message to message; ids have 128 random bits. Machines \
         are noisy: only ratios taken in one run count.\n",
    );
    for (table, explanation) in explained(scale) {
        let mut measures = results.measures(table);
        measures.sort_unstable();
        put_table(&mut page, results, "| |", table, &explanation, &measures);
    }
    put_comparisons(&mut page, results);
    let _ = write!(page, "\n## What the columns mean\n{MEANINGS}");
    page
}

/// Returns the tables with their explanations.
fn explained(scale: &Scale) -> [(Table, String); 8] {
    [
        (
            tables::FANOUT,
            format!(
                "{} readers, one sender, {TEXT_BYTES}-byte texts, {} messages in flight (a message is in flight until the slowest reader has it).",
                FANOUT.readers, FANOUT.window_messages
            ),
        ),
        (
            tables::ALL_SENDING,
            format!(
                "{} members of one room, every one sends, {TEXT_BYTES}-byte texts, {} messages in flight in all.",
                ALL_SENDING.readers, ALL_SENDING.window_messages
            ),
        ),
        (
            tables::STORING,
            format!(
                "{} senders, event dialect, each in a room of its own, so that storing is measured and not fan-out: a message goes back to its \
             sender as the acknowledgement, and to nobody else. {TEXT_BYTES}-byte texts, {} messages of each sender under way. The index of \
             the search follows behind; once it is a million messages behind, it holds storing up: the last row is measured there.",
                storing::SENDERS,
                storing::WINDOW_MESSAGES
            ),
        ),
        (
            tables::ONE_AT_A_TIME,
            format!(
                "{} readers, one sender, event dialect; a message is sent when the last reader has the one before. Times until the last has it. \
             Beside them, what a commit took by the server's own numbers, and what the same disk takes for one durable write.",
                latency::READERS
            ),
        ),
        (
            tables::MADE,
            format!(
                "{} messages (and {}, for what must not grow) of 10 years in 53 rooms, the largest of which has 60 % of them; lines of JSON through `glassline history import`. Then a \
             server runs until the search index has all. Made once, and kept in cargo's folder for the next run.",
                scale.stored, scale.stored_less
            ),
        ),
        (
            tables::ASKED,
            format!(
                "One member asks, and waits for the answer; all kinds in turn, {} times in a round (fewer of a kind that takes ten seconds in all). In the largest room where nothing else is said; \
             the small one has one of a thousand messages. The file is in the system's cache as far as it fits.",
                scale.questions
            ),
        ),
        (tables::ASKED_SMALL, "The same questions to the smaller history.".to_owned()),
        (
            tables::MEMORY,
            format!(
                "The same server from its start on: after the questions above, and after the senders of \"storing\" stored {} messages more.",
                scale.stored_more
            ),
        ),
    ]
}

fn put_comparisons(page: &mut String, results: &Results) {
    page.push_str("\n## What is wanted\n\nRatios and differences are of two runs of one round: the median of the rounds, and the smallest and largest.\n\n");
    page.push_str(TITLES);
    let mut put = |what: &str, figure: Option<Spread>, target: Target, show: &dyn Fn(f64) -> String| {
        let Some(Spread { median, min, max }) = figure else { return };
        let (wanted, reached) = (target.text(show), target.reached(median));
        let _ = writeln!(page, "| {what} | {} | {}–{} | {wanted} | {reached} |", show(median), show(min), show(max));
    };
    let ratio = |value: f64| format!("{value:.2}");
    let millis = |value: f64| format!("{value:.2} ms");
    for (table, target) in [(tables::FANOUT, Target::AtLeast(0.5)), (tables::ALL_SENDING, Target::Reported(""))] {
        for (dialect, pair) in
            [("tutorial", (rows::TUTORIAL_KEPT, rows::TUTORIAL_NONE)), ("event", (rows::EVENT_KEPT, rows::EVENT_NONE))]
        {
            let what = format!("{table}, {dialect}: deliveries/s, history ÷ none");
            put(&what, results.ratio(table, pair, Measure::DeliveriesPerSecond), target, &ratio);
        }
    }
    let thousands = |value: f64| format!("{:.1} k", value / 1e3);
    let storing = |row: Row| results.spread(tables::STORING, row, Measure::MessagesPerSecond);
    put("storing: acknowledged messages/s", storing(rows::EMPTY), Target::AtLeast(50_000.0), &thousands);
    let grown = results.ratio(tables::STORING, (rows::LARGE, rows::EMPTY), Measure::MessagesPerSecond);
    put("storing: messages/s, the index at its bound", storing(rows::ENDLESS), Target::Reported(""), &thousands);
    put("storing: messages/s, large ÷ empty", grown, Target::Reported(""), &ratio);
    for measure in [Measure::MedianMillis, Measure::P99Millis] {
        let added = results.difference(tables::ONE_AT_A_TIME, (rows::KEPT, rows::NONE), measure);
        put(&format!("one-at-a-time: time added, {}", measure.title()), added, Target::Reported(""), &millis);
        let sync = results.spread(tables::ONE_AT_A_TIME, rows::SYNC, measure);
        put(&format!("one-at-a-time: fdatasync, {}", measure.title()), sync, Target::Reported(""), &millis);
    }
    let commit = results.spread(tables::ONE_AT_A_TIME, rows::KEPT, Measure::CommitMillis);
    put("one-at-a-time: one commit, mean", commit, Target::Reported(""), &millis);
    for &question in Question::VARIANTS {
        let median = results.spread(tables::ASKED, question.into_str(), Measure::MedianMillis);
        put(&format!("{}: median", question.into_str()), median, Target::Below(50.0), &millis);
    }
    for measure in [Measure::FreshMib, Measure::ReadMib, Measure::GrownMib] {
        let more = results.difference(tables::MEMORY, (rows::LARGE, rows::SMALL), measure);
        let what = format!("{}: large − a tenth of it", measure.title());
        put(&what, more, Target::Reported(""), &|value| format!("{value:.1} MiB"));
    }
}
