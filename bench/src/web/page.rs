//! The figures as a markdown page.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::{Carrier, HOUR_MEMBERS, HOUR_MESSAGES, Workload};
use crate::report::{HOW_TO_READ, head, put_table};
use crate::results::{Measure, Results};
use crate::target::{TITLES, Target, put_row};
use crate::workloads::{Scale, TEXT_BYTES, idle, windowed};

// Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.

pub fn page(results: &Results, scale: &Scale, missing: Option<&str>) -> String {
    let mut page = head("Benchmarks of the web page", "cargo xtask bench web");
    let _ = writeln!(
        page,
        "- server on core 0, generator on core 1, loopback; carriers one at a time, in turn; {} rounds, idle and typing \
         at most 3, hour once\n\
         - glassline keeps no history in the first four tables; members speak the event dialect, over TCP and in a WebSocket without TLS\n\
         - the browser is Chromium without a window, in all its processes on both cores, beside the server\n\
         - The Lounge is not compared: it cannot be installed from the npm registry alone, since a package that it needs comes from a git repository",
        scale.rounds
    );
    if let Some(missing) = missing {
        let _ = writeln!(page, "- the tables of the page are not run: {missing}");
    }
    page.push_str(HOW_TO_READ);
    for &workload in Workload::VARIANTS {
        let table = workload.into_str();
        put_table(&mut page, results, "| row |", table, &explanation(workload), &results.measures(table));
    }
    put_ratios(&mut page, results);
    page
}

fn explanation(workload: Workload) -> String {
    match workload {
        Workload::Fanout => format!(
            "{} readers, one sender, {TEXT_BYTES}-byte texts, {} messages in flight (a message is in flight until the slowest reader has it).",
            windowed::FANOUT.readers,
            windowed::FANOUT.window_messages
        ),
        Workload::FanoutSingly => "As fanout, but with a write for each message, as chat programs send.".to_owned(),
        Workload::Idle => {
            format!("{} members connected and silent. Resident memory against the empty server.", idle::READERS)
        }
        Workload::Hour => format!(
            "{HOUR_MEMBERS} members, {HOUR_MESSAGES} messages: those of an hour at 200 a second, as fast as they go (a tenth in a quick run). \
             Resident memory after the first tenth and after all."
        ),
        Workload::Load => "A browser that has never been there opens an empty page of another server, and the page of glassline, whose name form is sent \
                           as soon as it is there. Times from the navigation on, until the first message of the history is on the screen."
            .to_owned(),
        Workload::Typing => "Keys at 15 a second, while the log shows 10,000 lines and 200 messages a second arrive. From the browser's time stamp of the \
                             key to the first moment after the frame that shows it."
            .to_owned(),
    }
}

fn put_ratios(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Ratios\n\nRatios are of two rows in the same round: the median of the rounds, and the smallest and largest. What has no `wanted` is \
         reported, with the target in brackets.\n\n",
    );
    page.push_str(TITLES);
    let carriers = (Carrier::WebSocket.into_str(), Carrier::Tcp.into_str());
    let (fanout, singly) = (Workload::Fanout.into_str(), Workload::FanoutSingly.into_str());
    let (idle, hour) = (Workload::Idle.into_str(), Workload::Hour.into_str());
    let (load, typing) = (Workload::Load.into_str(), Workload::Typing.into_str());
    let first_message = results.spread(load, "glassline", Measure::FirstMessageMillis);
    let own_page = results.ratio(load, ("glassline", "empty"), Measure::PageMillis);
    let key = results.spread(typing, "glassline", Measure::KeyP95Millis);
    let growth = results.spread(hour, Carrier::WebSocket.into_str(), Measure::GrowthMib);
    let rows = [
        (
            "fanout: deliveries/s, web-socket ÷ tcp",
            results.ratio(fanout, carriers, Measure::DeliveriesPerSecond),
            Target::AtLeast(0.9),
        ),
        (
            "fanout-singly: deliveries/s, web-socket ÷ tcp",
            results.ratio(singly, carriers, Measure::DeliveriesPerSecond),
            Target::AtLeast(0.9),
        ),
        (
            "idle: memory per member, web-socket ÷ tcp",
            results.ratio(idle, carriers, Measure::KibPerMember),
            Target::AtMost(1.5),
        ),
        ("hour: memory growth in WebSockets (MiB)", growth, Target::AtMost(1.0)),
        ("load: page and first message (ms)", first_message, Target::Reported("(≤ 500)")),
        ("load: page, glassline ÷ empty", own_page, Target::Reported("–")),
        ("typing: key to screen, p95 (ms)", key, Target::Reported("(≤ 50)")),
    ];
    for (what, figure, target) in rows {
        put_row(page, what, figure, target, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Figures;

    #[test]
    fn a_page_says_what_was_reached_and_what_was_not_run() {
        let mut results = Results::default();
        for (row, value) in [("tcp", 100.0), ("web-socket", 91.0)] {
            results.add("fanout", row, Ok(Figures::from([(Measure::DeliveriesPerSecond, value)])));
        }
        let page = page(&results, &Scale::quick(), Some("chromium is missing"));
        assert!(page.contains("| fanout: deliveries/s, web-socket ÷ tcp | 0.91 | 0.91–0.91 | ≥ 0.9 | yes |"), "{page}");
        assert!(page.contains("| load: page and first message (ms) | not measured | – | (≤ 500) | – |"), "{page}");
        assert!(page.contains("- the tables of the page are not run: chromium is missing\n"), "{page}");
    }
}
