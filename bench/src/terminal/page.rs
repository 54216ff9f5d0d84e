//! The figures as a markdown page.

use std::fmt::Write as _;

use super::client::Client;
use super::figures::{Measure, Results, Row, Table};
use super::pace::Pace;
use super::{Scale, metronome_explained};
use crate::report::date_utc;
use crate::{process, stats::Spread};

const GLASSLINE: Row = Row::Client(Client::Glassline);
const NAIVE: Row = Row::Client(Client::Naive);

/// Measures that are compared.
const COMPARED: [(Table, Measure); 14] = [
    (Table::Load(Pace::Quiet), Measure::KeyMedianMillis),
    (Table::Load(Pace::Steady), Measure::CpuMicrosPerMessage),
    (Table::Load(Pace::Steady), Measure::EmulatorMicrosPerMessage),
    (Table::Load(Pace::Steady), Measure::BytesPerMessage),
    (Table::Load(Pace::Steady), Measure::RedrawsPerSecond),
    (Table::Load(Pace::Steady), Measure::KeyMedianMillis),
    (Table::Load(Pace::Steady), Measure::KeyP99Millis),
    (Table::Load(Pace::Flood), Measure::CpuMicrosPerMessage),
    (Table::Load(Pace::Flood), Measure::EmulatorMicrosPerMessage),
    (Table::Load(Pace::Flood), Measure::BytesPerMessage),
    (Table::Load(Pace::Flood), Measure::KeyMedianMillis),
    (Table::Load(Pace::Flood), Measure::KeyP99Millis),
    (Table::Load(Pace::Flood), Measure::MessagesPerSecond),
    (Table::Start, Measure::OnlineMillis),
];

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
never shown, has failed and is told under remarks; it gives no figures.
";

pub fn page(results: &Results, scale: &Scale) -> String {
    let mut page = String::from("# Benchmarks of the terminal client\n\n");
    // Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.
    let _ = writeln!(page, "Written by `cargo xtask bench terminal` on {}.\n", date_utc());
    let _ = writeln!(page, "- machine: {}", process::machine());
    let _ = writeln!(
        page,
        "- the client on core 0; the server, the sender and the reader of the terminal on core 1; loopback; 24 rows of 80 columns"
    );
    let _ = writeln!(
        page,
        "- rounds: {}, the clients in turn within each; a figure is the median of its rounds, with the smallest and the largest in \
         brackets",
        scale.rounds
    );
    let _ = writeln!(page, "- each load: {:?}; starts in a round: {}", scale.duration, scale.starts);
    page.push_str(
        "\n`glassline join` in a real pseudo-terminal beside a naive client (`glassline-bench naive-client`), which speaks the same \
         dialect and draws anew for each message. Texts have 10 to 150 bytes. Machines are noisy: only ratios taken in one run count.\n",
    );
    for pace in Pace::ALL {
        let table = Table::Load(pace);
        put_table(&mut page, results, table, pace.name(), &pace.explanation());
        if results.rows(table).0.contains(&Row::Client(Client::Metronome)) {
            let _ = writeln!(page, "\n{}", metronome_explained());
        }
    }
    put_table(&mut page, results, Table::Start, "start", "Nobody says anything; the program is in the system's cache.");
    put_ratios(&mut page, results);
    let _ = write!(page, "\n## What the columns mean\n{MEANINGS}");
    page
}

fn put_table(page: &mut String, results: &Results, table: Table, title: &str, explanation: &str) {
    let (rows, measures) = results.rows(table);
    if rows.is_empty() {
        return;
    }
    let titles: String = measures.iter().map(|measure| format!(" {} |", measure.title())).collect();
    let _ = write!(page, "\n## {title}\n\n{explanation}\n\n| client |{titles} remarks |\n");
    let _ = writeln!(page, "|{}", " --- |".repeat(measures.len() + 2));
    for row in rows {
        let cell = |measure: &Measure| format!(" {} |", shown(results.spread(table, row, *measure), *measure));
        let cells: String = measures.iter().map(cell).collect();
        let _ = writeln!(page, "| {} |{cells} {} |", row.name(), remark(&results.failures(table, row)));
    }
}

fn shown(spread: Option<Spread>, measure: Measure) -> String {
    match spread {
        Some(Spread { median, min, max }) => {
            format!("{} ({}–{})", measure.show(median), measure.show(min), measure.show(max))
        }
        None => "–".to_owned(),
    }
}

fn remark(failures: &[&str]) -> String {
    match failures {
        [] => String::new(),
        [first, ..] => {
            let reason = first.replace('|', "/").replace('\n', " ");
            format!("failed in {} rounds: {reason}", failures.len())
        }
    }
}

fn put_ratios(page: &mut String, results: &Results) {
    page.push_str("\n## Ratios\n\nNaive by glassline: of the medians, and round by round (min–max). Above 1 the naive client has more.\n\n");
    page.push_str("| what | of the medians | by round |\n| --- | --- | --- |\n");
    let mut put = |what: String, ratio: Option<(f64, Spread)>| {
        if let Some((of_medians, Spread { min, max, .. })) = ratio {
            let _ = writeln!(page, "| {what} | {of_medians:.2} | {min:.2}–{max:.2} |");
        }
    };
    for (table, measure) in COMPARED {
        let place = if let Table::Load(pace) = table { pace.name() } else { "start" };
        put(format!("{place}: {}", measure.title()), results.ratio(table, (NAIVE, GLASSLINE), measure));
    }
    let against_hello = results.ratio(Table::Start, (GLASSLINE, Row::BareHello), Measure::OnlineMillis);
    put("start: glassline online ÷ bare hello".to_owned(), against_hello);
}
