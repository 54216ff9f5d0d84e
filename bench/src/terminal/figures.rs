//! Measures of a client, and the form in which they are written down.

use std::collections::BTreeMap;

use super::client::Client;
use super::pace::Pace;
use crate::stats::Spread;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Measure {
    MessagesPerSecond,
    CpuMicrosPerMessage,
    EmulatorMicrosPerMessage,
    BusyPercent,
    BytesPerMessage,
    KeyMedianMillis,
    KeyP99Millis,
    RedrawsPerSecond,
    SmallestDistanceMillis,
    CloserThanFramePercent,
    CloserThanRoundedPercent,
    PromptMillis,
    OnlineMillis,
}

impl Measure {
    pub fn title(self) -> &'static str {
        match self {
            Self::MessagesPerSecond => "messages/s",
            Self::CpuMicrosPerMessage => "CPU per message (µs)",
            Self::EmulatorMicrosPerMessage => "emulator's CPU per message (µs)",
            Self::BusyPercent => "client busy (%)",
            Self::BytesPerMessage => "bytes per message",
            Self::KeyMedianMillis => "key to screen, median (ms)",
            Self::KeyP99Millis => "key to screen, p99 (ms)",
            Self::RedrawsPerSecond => "redraws/s",
            Self::SmallestDistanceMillis => "smallest distance (ms)",
            Self::CloserThanFramePercent => "closer than 16 ms (%)",
            Self::CloserThanRoundedPercent => "closer than 15 ms (%)",
            Self::PromptMillis => "start to prompt (ms)",
            Self::OnlineMillis => "start to online (ms)",
        }
    }

    pub fn show(self, value: f64) -> String {
        match self {
            Self::MessagesPerSecond | Self::BytesPerMessage | Self::RedrawsPerSecond => format!("{value:.0}"),
            Self::BusyPercent | Self::CloserThanFramePercent | Self::CloserThanRoundedPercent => format!("{value:.1}"),
            Self::CpuMicrosPerMessage
            | Self::EmulatorMicrosPerMessage
            | Self::KeyMedianMillis
            | Self::KeyP99Millis
            | Self::SmallestDistanceMillis
            | Self::PromptMillis
            | Self::OnlineMillis => format!("{value:.2}"),
        }
    }
}

/// Results of one run of one client.
#[derive(Default, Debug)]
pub struct Figures(BTreeMap<Measure, f64>);

impl Figures {
    /// Keeps a value if there is one.
    pub fn put(&mut self, measure: Measure, value: Option<f64>) {
        self.0.extend(value.map(|value| (measure, value)));
    }

    pub fn in_words(&self) -> String {
        let words: Vec<String> =
            self.0.iter().map(|(measure, value)| format!("{} {}", measure.title(), measure.show(*value))).collect();
        words.join(", ")
    }
}

/// One table of the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Table {
    Load(Pace),
    Start,
}

/// Owner of a row in a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Row {
    Client(Client),
    /// Connect, `hello`, `welcome`, and nothing else.
    BareHello,
}

impl Row {
    pub fn name(self) -> &'static str {
        match self {
            Self::Client(client) => client.name(),
            Self::BareHello => "bare hello",
        }
    }
}

#[derive(Default)]
pub struct Results {
    cells: BTreeMap<(Table, Row), Vec<Result<Figures, String>>>,
}

impl Results {
    pub fn add(&mut self, table: Table, row: Row, figures: Result<Figures, String>) {
        self.cells.entry((table, row)).or_default().push(figures);
    }

    /// The rows of a table, and the measures that any of them has.
    pub fn rows(&self, table: Table) -> (Vec<Row>, Vec<Measure>) {
        let of_table = || self.cells.iter().filter(move |((of, _), _)| *of == table);
        let rows = of_table().map(|((_, row), _)| *row).collect();
        let mut measures: Vec<Measure> = of_table()
            .flat_map(|(_, rounds)| rounds.iter().flatten())
            .flat_map(|figures| figures.0.keys())
            .copied()
            .collect();
        measures.sort_unstable();
        measures.dedup();
        (rows, measures)
    }

    /// The figure of every round; `None` for a round that failed.
    pub fn by_round(&self, table: Table, row: Row, measure: Measure) -> Vec<Option<f64>> {
        let rounds = self.cells.get(&(table, row)).map(Vec::as_slice).unwrap_or_default();
        rounds.iter().map(|figures| figures.as_ref().ok()?.0.get(&measure).copied()).collect()
    }

    /// Of several rounds, what failed.
    pub fn failures(&self, table: Table, row: Row) -> Vec<&str> {
        let rounds = self.cells.get(&(table, row)).map(Vec::as_slice).unwrap_or_default();
        rounds.iter().filter_map(|figures| figures.as_ref().err()).map(String::as_str).collect()
    }

    pub fn has_failures(&self) -> bool {
        self.cells.values().flatten().any(Result::is_err)
    }

    pub fn spread(&self, table: Table, row: Row, measure: Measure) -> Option<Spread> {
        let values: Vec<f64> = self.by_round(table, row, measure).into_iter().flatten().collect();
        Spread::of(&values)
    }

    /// Returns the ratio of one row to another: of the medians, and round by round.
    pub fn ratio(&self, table: Table, (over, under): (Row, Row), measure: Measure) -> Option<(f64, Spread)> {
        let of_medians = self.spread(table, over, measure)?.median / self.spread(table, under, measure)?.median;
        let pairs = self.by_round(table, over, measure).into_iter().zip(self.by_round(table, under, measure));
        let by_round: Vec<f64> = pairs.filter_map(|(over, under)| Some(over? / under?)).collect();
        Some((of_medians, Spread::of(&by_round)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_medians_and_within_rounds() {
        let (naive, ours) = (Row::Client(Client::Naive), Row::Client(Client::Glassline));
        let table = Table::Load(Pace::Steady);
        let mut results = Results::default();
        for (row, values) in [(naive, [Some(10.0), Some(30.0), None]), (ours, [Some(5.0), Some(5.0), Some(8.0)])] {
            for value in values {
                let mut figures = Figures::default();
                figures.put(Measure::BytesPerMessage, value);
                results.add(table, row, if value.is_some() { Ok(figures) } else { Err("lost some".to_owned()) });
            }
        }
        let (of_medians, by_round) = results.ratio(table, (naive, ours), Measure::BytesPerMessage).unwrap();
        assert_eq!((of_medians, by_round.min, by_round.max), (4.0, 2.0, 6.0));
        assert_eq!(results.failures(table, naive), ["lost some"]);
        assert!(results.has_failures() && results.ratio(table, (naive, ours), Measure::PromptMillis).is_none());
        assert_eq!(results.rows(table), (vec![ours, naive], vec![Measure::BytesPerMessage]));
        assert!(results.rows(Table::Start).0.is_empty());
    }
}
