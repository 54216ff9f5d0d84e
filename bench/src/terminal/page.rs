//! The figures as a markdown page.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::client::Client;
use super::pace::Pace;
use super::{BARE_HELLO, START, Scale};
use crate::report::{head, put_table};
use crate::results::{Measure, Pair, Results, Table};

/// Explanation of the row that is no client.
const METRONOME: &str = "The metronome is no client: it draws every 16 ms by the clock and never sooner, while the messages go by. What is \
     read of it closer than that is the reader's jitter on this machine, and bounds what the other rows can tell.";

/// Measures that are compared under a load.
fn compared(pace: Pace) -> &'static [Measure] {
    use Measure::{
        BytesPerMessage, ClientMicrosPerMessage, EmulatorMicrosPerMessage, KeyMedianMillis, KeyP99Millis,
        RedrawsPerSecond, ShownPerSecond,
    };
    match pace {
        Pace::Quiet => &[KeyMedianMillis],
        Pace::Steady => &[
            ClientMicrosPerMessage,
            EmulatorMicrosPerMessage,
            BytesPerMessage,
            RedrawsPerSecond,
            KeyMedianMillis,
            KeyP99Millis,
        ],
        Pace::Flood => &[
            ClientMicrosPerMessage,
            EmulatorMicrosPerMessage,
            BytesPerMessage,
            KeyMedianMillis,
            KeyP99Millis,
            ShownPerSecond,
        ],
    }
}

const MEANINGS: &str = "
- **messages/s**: messages shown in the time from the first one sent until the last one shown.
- **CPU per message**: user and system time of the client's process in that time, by the messages. The keys' part is in it.
- **emulator's CPU per message**: the same of the thread that reads the terminal, feeds an emulator (vt100) and counts: what a
  client makes a terminal do.
- **client busy**: the client's by that time. A client that is not busy was not what held a flood up.
- **bytes per message**: all bytes written to the terminal in that time, by the messages.
- **key to screen**: from before a key is written to the terminal until the emulator's row with the cursor shows it behind the
  prompt. A key is pressed every 97 ms, whether the one before was shown or not.
- **redraws/s**: drawings begun, by the marks in the output: `ESC[?2026h` of glassline, `ESC[J` of the naive client.
- **smallest distance**, **closer than 16 ms**, **closer than 15 ms**: of two drawings, when their marks were *read*. A reader that came late
  for one sees the next one closer; two in one read have the distance 0. glassline's clock has whole milliseconds, so that 16 of them
  may be 15 and a bit.
- **start to prompt**, **start to online**: from before the process is made until the screen shows an empty input line, and
  until it says `online` as well. Each round is the median of its starts. The bare hello is a connect, `hello` and `welcome`, without a client.

A round in which a message is lost, shown twice or out of order, in which the screen does not end with the last messages, or a key is
never shown, has failed: the reason is under remarks, and it gives no figures.
";

pub fn page(results: &Results, scale: &Scale) -> String {
    let mut page = head("Benchmarks of the terminal client", "cargo xtask bench terminal");
    // Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.
    let _ = writeln!(
        page,
        "- the client on core 0; the server, the sender and the reader of the terminal on core 1; loopback; 24 rows of 80 columns\n\
         - rounds: {}, the clients in turn within each; a figure is the median of its rounds, with the smallest and the largest in \
         brackets",
        scale.rounds
    );
    let _ = writeln!(page, "- each load: {:?}; starts in a round: {}", scale.duration, scale.starts);
    page.push_str(
        "\n`glassline join` in a real pseudo-terminal beside a naive client (`glassline-bench naive-client`), which uses the same \
         dialect and redraws for each message. Texts have 10 to 150 bytes. Machines are noisy: only ratios taken in one run count.\n",
    );
    let mut put = |table: Table, explanation: &str| {
        let mut measures = results.measures(table);
        measures.sort_unstable();
        put_table(&mut page, results, "| client |", table, explanation, &measures);
        if results.rows(table).any(|row| row == Client::Metronome.into_str()) {
            let _ = writeln!(page, "\n{METRONOME}");
        }
    };
    for &pace in Pace::VARIANTS {
        put(pace.into_str(), &pace.explanation());
    }
    put(START, "No messages; the program is in the system's cache.");
    put_ratios(&mut page, results);
    let _ = write!(page, "\n## What the columns mean\n{MEANINGS}");
    page
}

fn put_ratios(page: &mut String, results: &Results) {
    page.push_str("\n## Ratios\n\nNaive by glassline: of the medians, and round by round (min–max). Above 1 the naive client has more.\n\n");
    page.push_str("| what | of the medians | by round |\n| --- | --- | --- |\n");
    let mut put = |what: String, table: Table, pair: Pair, measure: Measure| {
        let median = |row| Some(results.spread(table, row, measure)?.median);
        let by_round = results.ratio(table, pair, measure);
        if let (Some(over), Some(under), Some(by_round)) = (median(pair.0), median(pair.1), by_round) {
            let _ = writeln!(page, "| {what} | {:.2} | {:.2}–{:.2} |", over / under, by_round.min, by_round.max);
        }
    };
    let (naive, glassline) = (Client::Naive.into_str(), Client::Glassline.into_str());
    let loads = Pace::VARIANTS.iter().map(|&pace| (pace.into_str(), compared(pace)));
    for (table, measures) in loads.chain([(START, [Measure::OnlineMillis].as_slice())]) {
        for measure in measures {
            put(format!("{table}: {}", measure.title()), table, (naive, glassline), *measure);
        }
    }
    put("start: glassline online ÷ bare hello".to_owned(), START, (glassline, BARE_HELLO), Measure::OnlineMillis);
}
