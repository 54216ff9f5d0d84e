//! The figures as a markdown page.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::relays::Relay::{self, Mitmdump, Plain, Socat, SocatHex, Tap, TapLinear, TapRecord};
use super::view::{self, Load};
use super::{Scale, Workload};
use crate::report::{head, put_table};
use crate::results::{Measure, Results};
use crate::target::{TITLES, Target, put_row};

/// A ratio that the project has a target for.
struct Wanted {
    workload: Workload,
    measure: Measure,
    over: Relay,
    under: Relay,
    target: Target,
}

const WANTED: [Wanted; 12] = [
    frames(Workload::Stream, Tap, Plain, Target::AtLeast(0.8)),
    frames(Workload::Stream, Tap, Socat, Target::AtLeast(0.9)),
    frames(Workload::Stream, TapRecord, Tap, Target::AtLeast(0.5)),
    frames(Workload::Stream, TapRecord, SocatHex, Target::AtLeast(5.0)),
    frames(Workload::Stream, TapLinear, Tap, Target::Reported("")),
    frames(Workload::Singly, Tap, Plain, Target::AtLeast(0.8)),
    frames(Workload::Singly, Tap, Socat, Target::AtLeast(0.9)),
    frames(Workload::Singly, TapRecord, Tap, Target::AtLeast(0.5)),
    frames(Workload::Singly, Tap, Mitmdump, Target::AtLeast(20.0)),
    frames(Workload::Singly, TapLinear, Mitmdump, Target::Reported("")),
    Wanted {
        workload: Workload::Singly,
        measure: Measure::CpuMicrosPerFrame,
        over: Mitmdump,
        under: Tap,
        target: Target::Reported(""),
    },
    Wanted {
        workload: Workload::Latency,
        measure: Measure::MedianMicros,
        over: Tap,
        under: Plain,
        target: Target::AtMost(1.5),
    },
];

/// Growth of memory that is noise of the allocator.
const FLAT_MIB: f64 = 4.0;

const fn frames(workload: Workload, over: Relay, under: Relay, target: Target) -> Wanted {
    Wanted { workload, measure: Measure::FramesPerSecond, over, under, target }
}

// Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.

pub fn page(results: &Results, scale: &Scale) -> String {
    let mut page = head("Benchmarks of the tap", "cargo xtask bench tap");
    let _ = writeln!(
        page,
        "- relay on core 0; client and server, which are one program, on core 1; loopback; relays one at a time, in turn\n\
         - rounds: {}, memory and connections once; a figure is the median of its rounds, with the smallest and the largest in brackets\n\
         - `tap` is `glassline tap --quiet`, which relays and shows nothing; `tap --linear` writes a line for each frame to a file, and leaves out and \
         counts what it cannot write in time; `tap --record` is `--quiet --record`; `socat -x` writes hexadecimal digits to nowhere; `mitmdump` is \
         `mitmdump -q --mode reverse:tcp://…`, which keeps what passes and shows nothing",
        scale.rounds
    );
    for relay in [Socat, Mitmdump] {
        let version = relay.version().or_else(|| relay.missing().map(str::to_owned));
        let _ = writeln!(page, "- {}: {}", relay.into_str(), version.unwrap_or_else(|| "unknown version".into()));
    }
    page.push_str(
        "\nMachines are noisy: only ratios taken in one run count. A relay that is not busy was not the bottleneck.\n",
    );
    for &workload in Workload::VARIANTS {
        let table = workload.into_str();
        let mut measures = results.measures(table);
        measures.sort_unstable();
        put_table(&mut page, results, "| relay |", table, &explanation(workload, scale), &measures);
    }
    let mut measures = results.measures(view::TABLE);
    measures.sort_unstable();
    put_table(&mut page, results, "| load |", view::TABLE, &view_explanation(scale), &measures);
    put_ratios(&mut page, results);
    page
}

fn explanation(workload: Workload, scale: &Scale) -> String {
    match workload {
        Workload::Stream => format!(
            "One client sends {} messages (`socat -x`: a twentieth of them) with 64-byte texts in the event dialect, in writes of 64 KiB, as fast as they \
             are taken.",
            scale.frames
        ),
        Workload::Singly => format!(
            "{} clients, each with one message under way: the next is sent when the server has it. So each message is a read and a write of its own, as in \
             a chat.",
            scale.connections
        ),
        Workload::Latency => {
            format!(
                "One client, {} messages, one after the other: the time from the write to the server's read.",
                scale.single_frames
            )
        }
        Workload::Memory => format!(
            "Resident memory after {} and after {} messages of one client, as in *stream*.",
            scale.memory_frames.0, scale.memory_frames.1
        ),
        Workload::Connections => {
            format!(
                "{} clients connect one after the other; one message passes on each, and then all are idle.",
                scale.idle_connections
            )
        }
    }
}

fn view_explanation(scale: &Scale) -> String {
    format!(
        "The live view (`glassline tap` without options) on a pseudo-terminal of 80 by 24, while one client sends messages as in *stream*. {} times `?` \
         opens or closes the help; measured is the time until an emulator's screen shows that. The emulator shares its core with client and server. \
         A reaction within {} ms seems immediate; whether it is reached is reported, and fails nothing. If more passes than it can take in, \
         the view leaves reports out and says `SAMPLED` with their number; 0 where it did not say so.",
        scale.keys,
        view::PERCEPTION_LIMIT_MS
    )
}

fn put_ratios(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Ratios\n\nEvery ratio is of two relays in the same round: the median of the rounds, and the smallest and largest.\n\n",
    );
    page.push_str(TITLES);
    for wanted in &WANTED {
        let (over, under) = (wanted.over.into_str(), wanted.under.into_str());
        let pair = (over, under);
        let what = format!("{}: {}, {over} ÷ {under}", wanted.workload.into_str(), wanted.measure.title());
        let ratio = results.ratio(wanted.workload.into_str(), pair, wanted.measure);
        put_row(page, &what, ratio, wanted.target, "");
    }
    for relay in [Tap, TapLinear, TapRecord] {
        let growth = results.spread(Workload::Memory.into_str(), relay.into_str(), Measure::GrowthMib);
        put_row(page, &format!("memory: growth, {}", relay.into_str()), growth, Target::AtMost(FLAT_MIB), " MiB");
    }
    for &load in Load::VARIANTS {
        let p95 = results.spread(view::TABLE, load.into_str(), Measure::KeyP95Millis);
        let what = format!("view: key to screen, p95, {}", load.into_str());
        put_row(page, &what, p95, Target::AtMost(view::PERCEPTION_LIMIT_MS), " ms");
    }
}
