//! Measures, row by row, and the form in which they are written down.

use super::metrics::Numbers;
use crate::stats::Spread;
use crate::workloads;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Measure {
    DeliveriesPerSecond,
    MessagesPerSecond,
    CpuMicrosPerDelivery,
    CpuMicrosPerMessage,
    ServerBusyPercent,
    MessagesPerCommit,
    CommitMillis,
    IndexLag,
    MedianMillis,
    P99Millis,
    Found,
    BusyAnswersPercent,
    ImportPerSecond,
    IndexPerSecond,
    FileMib,
    BytesPerMessage,
    StartMillis,
    FreshMib,
    ReadMib,
    GrownMib,
}

impl Measure {
    pub fn title(self) -> &'static str {
        match self {
            Self::DeliveriesPerSecond => "deliveries/s (M)",
            Self::MessagesPerSecond => "messages/s (k)",
            Self::CpuMicrosPerDelivery => "server CPU per delivery (µs)",
            Self::CpuMicrosPerMessage => "server CPU per message (µs)",
            Self::ServerBusyPercent => "server busy (%)",
            Self::MessagesPerCommit => "messages in a commit",
            Self::CommitMillis => "commit, mean (ms)",
            Self::IndexLag => "not indexed at the end (k)",
            Self::MedianMillis => "median (ms)",
            Self::P99Millis => "p99 (ms)",
            Self::Found => "messages in the answer",
            Self::BusyAnswersPercent => "given up (%)",
            Self::ImportPerSecond => "imported/s (k)",
            Self::IndexPerSecond => "indexed behind it/s (k)",
            Self::FileMib => "file (MiB)",
            Self::BytesPerMessage => "bytes per message",
            Self::StartMillis => "server starts in (ms)",
            Self::FreshMib => "memory at the start (MiB)",
            Self::ReadMib => "after the questions (MiB)",
            Self::GrownMib => "after storing more (MiB)",
        }
    }

    pub fn show(self, value: f64) -> String {
        match self {
            Self::DeliveriesPerSecond => format!("{:.3}", value / 1e6),
            Self::MessagesPerSecond | Self::ImportPerSecond | Self::IndexPerSecond | Self::IndexLag => {
                format!("{:.1}", value / 1e3)
            }
            Self::CpuMicrosPerDelivery => format!("{value:.3}"),
            Self::CpuMicrosPerMessage | Self::CommitMillis | Self::MedianMillis | Self::P99Millis => {
                format!("{value:.2}")
            }
            Self::FreshMib | Self::ReadMib | Self::GrownMib => format!("{value:.1}"),
            Self::ServerBusyPercent
            | Self::MessagesPerCommit
            | Self::Found
            | Self::BusyAnswersPercent
            | Self::FileMib
            | Self::BytesPerMessage
            | Self::StartMillis => format!("{value:.0}"),
        }
    }
}

/// Results of one round of one row.
#[derive(Default, Debug, Clone, PartialEq)]
pub struct Figures(Vec<(Measure, f64)>);

impl Figures {
    pub fn put(&mut self, measure: Measure, value: f64) {
        self.0.push((measure, value));
    }

    pub fn of(&self, wanted: Measure) -> Option<f64> {
        self.0.iter().find(|(measure, _)| *measure == wanted).map(|(_, value)| *value)
    }

    /// Adds the history's own metrics of the commits of a round.
    pub fn put_commits(&mut self, during: Numbers) {
        if during.commits > 0.0 {
            self.put(Measure::MessagesPerCommit, during.stored / during.commits);
            self.put(Measure::CommitMillis, during.commit_mean_ms());
        }
        self.put(Measure::IndexLag, during.index_lag);
    }

    /// Those of a workload of the other pages.
    pub fn of_workload(figures: workloads::Figures, members: usize) -> Self {
        let mut taken = Self::default();
        for (measure, value) in figures {
            match measure {
                workloads::Measure::DeliveriesPerSecond => {
                    taken.put(Measure::DeliveriesPerSecond, value);
                    taken.put(Measure::MessagesPerSecond, value / members as f64);
                }
                workloads::Measure::CpuMicrosPerDelivery => taken.put(Measure::CpuMicrosPerDelivery, value),
                workloads::Measure::ServerBusyPercent => taken.put(Measure::ServerBusyPercent, value),
                _ => {}
            }
        }
        taken
    }

    pub fn in_words(&self) -> String {
        let words: Vec<String> =
            self.0.iter().map(|(measure, value)| format!("{} {}", measure.title(), measure.show(*value))).collect();
        words.join(", ")
    }
}

/// One table of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    Fanout,
    AllSending,
    Storing,
    OneAtATime,
    Made,
    Asked,
    AskedSmall,
    Memory,
}

impl Table {
    pub const ALL: [Self; 8] = [
        Self::Fanout,
        Self::AllSending,
        Self::Storing,
        Self::OneAtATime,
        Self::Made,
        Self::Asked,
        Self::AskedSmall,
        Self::Memory,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::AllSending => "all-sending",
            Self::Storing => "storing",
            Self::OneAtATime => "one-at-a-time",
            Self::Made => "stored: the large history",
            Self::Asked => "stored: asking",
            Self::AskedSmall => "stored: asking a tenth of it",
            Self::Memory => "stored: memory",
        }
    }
}

pub type Row = &'static str;
type Rounds = Vec<Result<Figures, String>>;

/// All rounds of all rows, in the order in which they came first.
#[derive(Default)]
pub struct Results {
    rows: Vec<(Table, Row, Rounds)>,
}

impl Results {
    pub fn add(&mut self, table: Table, row: Row, figures: Result<Figures, String>) {
        match &figures {
            Ok(figures) => eprintln!("{}, {row}: {}", table.name(), figures.in_words()),
            Err(reason) => eprintln!("{}, {row} failed: {reason}", table.name()),
        }
        match self.rows.iter_mut().find(|(of, known, _)| *of == table && *known == row) {
            Some((_, _, rounds)) => rounds.push(figures),
            None => self.rows.push((table, row, vec![figures])),
        }
    }

    pub fn rows(&self, table: Table) -> impl Iterator<Item = Row> {
        self.rows.iter().filter(move |(of, _, _)| *of == table).map(|(_, row, _)| *row)
    }

    /// The measures that any row of a table has.
    pub fn measures(&self, table: Table) -> Vec<Measure> {
        let of_table = self.rows.iter().filter(|(of, _, _)| *of == table);
        let mut measures: Vec<Measure> = of_table
            .flat_map(|(_, _, rounds)| rounds.iter().flatten().flat_map(|figures| &figures.0))
            .map(|(measure, _)| *measure)
            .collect();
        measures.sort_unstable();
        measures.dedup();
        measures
    }

    /// The figure of every round; `None` for a round that failed.
    fn by_round(&self, table: Table, row: Row, measure: Measure) -> Vec<Option<f64>> {
        self.rounds(table, row).iter().map(|figures| figures.as_ref().ok()?.of(measure)).collect()
    }

    pub fn spread(&self, table: Table, row: Row, measure: Measure) -> Option<Spread> {
        let values: Vec<f64> = self.by_round(table, row, measure).into_iter().flatten().collect();
        Spread::of(&values)
    }

    /// Returns the ratio of one row to another, measured in the same rounds.
    pub fn ratio(&self, table: Table, (over, under): (Row, Row), measure: Measure) -> Option<Spread> {
        self.paired(table, (over, under), measure, |over, under| over / under)
    }

    /// Returns the difference of one row to another, measured in the same rounds.
    pub fn difference(&self, table: Table, (over, under): (Row, Row), measure: Measure) -> Option<Spread> {
        self.paired(table, (over, under), measure, |over, under| over - under)
    }

    fn paired(
        &self,
        table: Table,
        (over, under): (Row, Row),
        measure: Measure,
        compare: impl Fn(f64, f64) -> f64,
    ) -> Option<Spread> {
        let pairs = self.by_round(table, over, measure).into_iter().zip(self.by_round(table, under, measure));
        let values: Vec<f64> = pairs.filter_map(|(over, under)| Some(compare(over?, under?))).collect();
        Spread::of(&values)
    }

    /// Of a row's rounds, what failed.
    pub fn failures(&self, table: Table, row: Row) -> Vec<&str> {
        self.rounds(table, row).iter().filter_map(|figures| figures.as_ref().err()).map(String::as_str).collect()
    }

    pub fn has_failures(&self) -> bool {
        self.rows.iter().any(|(_, _, rounds)| rounds.iter().any(Result::is_err))
    }

    fn rounds(&self, table: Table, row: Row) -> &[Result<Figures, String>] {
        let found = self.rows.iter().find(|(of, known, _)| *of == table && *known == row);
        found.map_or(&[], |(_, _, rounds)| rounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compared_round_by_round() {
        let mut results = Results::default();
        for (row, values) in [("with", [Some(3.0), None, Some(8.0)]), ("without", [Some(6.0), Some(1.0), Some(10.0)])] {
            for value in values {
                let mut figures = Figures::default();
                let measured = value.map(|value| figures.put(Measure::MedianMillis, value));
                results.add(Table::Storing, row, measured.map(|()| figures).ok_or("lost".to_owned()));
            }
        }
        let pair = ("with", "without");
        let ratio = results.ratio(Table::Storing, pair, Measure::MedianMillis).unwrap();
        assert!((ratio.min - 0.5).abs() < 1e-9 && (ratio.max - 0.8).abs() < 1e-9);
        assert_eq!(results.difference(Table::Storing, pair, Measure::MedianMillis).unwrap().min, -3.0);
        assert_eq!(results.failures(Table::Storing, "with"), ["lost"]);
        assert_eq!(results.rows(Table::Storing).collect::<Vec<_>>(), ["with", "without"]);
        assert!(results.ratio(Table::Fanout, pair, Measure::MedianMillis).is_none() && results.has_failures());
    }
}
