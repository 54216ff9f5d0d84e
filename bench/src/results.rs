//! Figures that were measured, by table, row and round.

use crate::stats::Spread;

macro_rules! measures {
    ($($measure:ident: $title:literal, $unit:literal, $decimals:literal;)*) => {
        /// Measured quantity, in the order of the columns.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Measure {
            $($measure,)*
        }

        impl Measure {
            /// Returns the title, the printed unit and the number of decimals.
            fn form(self) -> (&'static str, f64, usize) {
                match self {
                    $(Self::$measure => ($title, $unit, $decimals),)*
                }
            }
        }
    };
}

measures! {
    DeliveriesPerSecond: "deliveries/s (M)", 1e6, 3;
    MessagesPerSecond: "messages/s (k)", 1e3, 1;
    CpuMicrosPerDelivery: "server CPU per delivery (µs)", 1.0, 3;
    CpuMicrosPerMessage: "server CPU per message (µs)", 1.0, 2;
    ServerBusyPercent: "server busy (%)", 1.0, 0;
    MessagesPerCommit: "messages in a commit", 1.0, 0;
    CommitMillis: "commit, mean (ms)", 1.0, 2;
    IndexLag: "not indexed at the end (k)", 1e3, 1;
    MedianMillis: "median (ms)", 1.0, 2;
    P99Millis: "p99 (ms)", 1.0, 2;
    Found: "messages in the answer", 1.0, 0;
    BusyAnswersPercent: "given up (%)", 1.0, 0;
    KibPerMember: "memory per member (KiB)", 1.0, 2;
    Held: "connections held", 1.0, 0;
    JoinSeconds: "until one message reaches all (s)", 1.0, 3;
    ReachMillis: "one message reaches all (ms)", 1.0, 2;
    GrowthMib: "memory growth (MiB)", 1.0, 1;
    AloneMedianMillis: "median without the stalled (ms)", 1.0, 2;
    AloneP99Millis: "p99 without the stalled (ms)", 1.0, 2;
    StalledP99Ratio: "p99 with ÷ without", 1.0, 3;
    ImportPerSecond: "imported/s (k)", 1e3, 1;
    IndexPerSecond: "indexed behind it/s (k)", 1e3, 1;
    FileMib: "file (MiB)", 1.0, 0;
    ShownPerSecond: "messages/s", 1.0, 0;
    ClientMicrosPerMessage: "CPU per message (µs)", 1.0, 2;
    EmulatorMicrosPerMessage: "emulator's CPU per message (µs)", 1.0, 2;
    ClientBusyPercent: "client busy (%)", 1.0, 1;
    BytesPerMessage: "bytes per message", 1.0, 0;
    StartMillis: "server starts in (ms)", 1.0, 0;
    FreshMib: "memory at the start (MiB)", 1.0, 1;
    ReadMib: "after the questions (MiB)", 1.0, 1;
    GrownMib: "after storing more (MiB)", 1.0, 1;
    KeyMedianMillis: "key to screen, median (ms)", 1.0, 2;
    KeyP95Millis: "key to screen, p95 (ms)", 1.0, 2;
    KeyP99Millis: "key to screen, p99 (ms)", 1.0, 2;
    RedrawsPerSecond: "redraws/s", 1.0, 0;
    SmallestDistanceMillis: "smallest distance (ms)", 1.0, 2;
    CloserThanFramePercent: "closer than 16 ms (%)", 1.0, 1;
    CloserThanRoundedPercent: "closer than 15 ms (%)", 1.0, 1;
    PromptMillis: "start to prompt (ms)", 1.0, 2;
    OnlineMillis: "start to online (ms)", 1.0, 2;
    FramesPerSecond: "frames/s (k)", 1e3, 1;
    CpuMicrosPerFrame: "CPU per frame (µs)", 1.0, 3;
    RelayBusyPercent: "relay busy (%)", 1.0, 0;
    MedianMicros: "median (µs)", 1.0, 1;
    BareMedianMicros: "bare, median (µs)", 1.0, 1;
    BareRatio: "÷ bare", 1.0, 2;
    P99Micros: "p99 (µs)", 1.0, 1;
    NotShown: "says SAMPLED: observations not shown", 1.0, 0;
    FewMib: "memory after few (MiB)", 1.0, 1;
    ManyMib: "memory after many (MiB)", 1.0, 1;
    HandshakesPerSecond: "handshakes/s", 1.0, 0;
    CpuMicrosPerHandshake: "server CPU per handshake (µs)", 1.0, 0;
    CalmP99Millis: "p99 without the storm (ms)", 1.0, 2;
    StormP99Ratio: "p99 with ÷ without", 1.0, 2;
    PageMillis: "page, until its load event (ms)", 1.0, 0;
    FirstMessageMillis: "page and first message (ms)", 1.0, 0;
    LinesShown: "lines on the page", 1.0, 0;
    ArrivingPerSecond: "messages arriving/s", 1.0, 0;
    KibPerConnection: "memory per connection (KiB)", 1.0, 2;
}

impl Measure {
    pub fn title(self) -> &'static str {
        self.form().0
    }

    /// Returns a figure as it is printed.
    pub fn show(self, value: f64) -> String {
        let (_, unit, decimals) = self.form();
        format!("{:.decimals$}", value / unit)
    }
}

/// Results of one round of one row.
#[derive(Default, Debug, Clone, PartialEq)]
pub struct Figures(Vec<(Measure, f64)>);

impl<const N: usize> From<[(Measure, f64); N]> for Figures {
    fn from(figures: [(Measure, f64); N]) -> Self {
        Self(figures.into())
    }
}

impl Figures {
    /// Keeps a value if there is one.
    pub fn put(&mut self, measure: Measure, value: impl Into<Option<f64>>) {
        self.0.extend(value.into().map(|value| (measure, value)));
    }

    pub fn of(&self, wanted: Measure) -> Option<f64> {
        self.0.iter().find(|(measure, _)| *measure == wanted).map(|(_, value)| *value)
    }
}

/// Returns the figures of a round, or the reason why it has none, in one line.
pub fn in_words(figures: &Result<Figures, String>) -> String {
    match figures {
        Ok(Figures(figures)) => {
            let word = |(measure, value): &(Measure, f64)| format!("{} {}", measure.title(), measure.show(*value));
            figures.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        Err(reason) => format!("failed: {reason}"),
    }
}

pub type Table = &'static str;
pub type Row = &'static str;
/// Rounds of a row; a failed one holds its reason.
type Rounds = Vec<Result<Figures, String>>;
/// Two rows of a table: the first is compared with the second.
pub type Pair = (Row, Row);

/// All rounds of all rows, in the order in which they came first.
#[derive(Default)]
pub struct Results {
    rows: Vec<(Table, Row, Rounds)>,
}

impl Results {
    pub fn add(&mut self, table: Table, row: Row, figures: Result<Figures, String>) {
        match self.rows.iter_mut().find(|(of, known, _)| *of == table && *known == row) {
            Some((_, _, rounds)) => rounds.push(figures),
            None => self.rows.push((table, row, vec![figures])),
        }
    }

    pub fn rows(&self, table: Table) -> impl Iterator<Item = Row> {
        self.rows.iter().filter(move |(of, _, _)| *of == table).map(|(_, row, _)| *row)
    }

    /// Returns the measures that any row of a table has, in the order in which they came.
    pub fn measures(&self, table: Table) -> Vec<Measure> {
        let mut measures = Vec::new();
        for (_, _, rounds) in self.rows.iter().filter(|(of, _, _)| *of == table) {
            for (measure, _) in rounds.iter().flatten().flat_map(|figures| &figures.0) {
                if !measures.contains(measure) {
                    measures.push(*measure);
                }
            }
        }
        measures
    }

    /// Returns all rounds of a row.
    pub fn rounds(&self, table: Table, row: Row) -> &[Result<Figures, String>] {
        let found = self.rows.iter().find(|(of, known, _)| *of == table && *known == row);
        found.map_or(&[], |(_, _, rounds)| rounds)
    }

    /// Returns the figure of every round; `None` for a round that failed.
    pub fn by_round(&self, table: Table, row: Row, measure: Measure) -> Vec<Option<f64>> {
        self.rounds(table, row).iter().map(|figures| figures.as_ref().ok()?.of(measure)).collect()
    }

    pub fn spread(&self, table: Table, row: Row, measure: Measure) -> Option<Spread> {
        Spread::of(&self.by_round(table, row, measure).into_iter().flatten().collect::<Vec<_>>())
    }

    /// Returns the ratio of one row to another, measured in the same rounds.
    pub fn ratio(&self, table: Table, pair: Pair, measure: Measure) -> Option<Spread> {
        self.paired(table, pair, measure, |over, under| over / under)
    }

    /// Returns the ratio of one row to the largest of others, measured in the same rounds.
    pub fn ratio_to_largest(&self, table: Table, over: Row, others: &[Row], measure: Measure) -> Option<Spread> {
        let others: Vec<_> = others.iter().map(|row| self.by_round(table, row, measure)).collect();
        let largest = |round: usize| others.iter().filter_map(|figures| *figures.get(round)?).reduce(f64::max);
        let own = self.by_round(table, over, measure).into_iter().enumerate();
        Spread::of(&own.filter_map(|(round, own)| Some(own? / largest(round)?)).collect::<Vec<_>>())
    }

    /// Returns the difference of one row to another, measured in the same rounds.
    pub fn difference(&self, table: Table, pair: Pair, measure: Measure) -> Option<Spread> {
        self.paired(table, pair, measure, |over, under| over - under)
    }

    fn paired(
        &self,
        table: Table,
        (over, under): Pair,
        measure: Measure,
        compare: impl Fn(f64, f64) -> f64,
    ) -> Option<Spread> {
        let pairs = self.by_round(table, over, measure).into_iter().zip(self.by_round(table, under, measure));
        let values: Vec<f64> = pairs.filter_map(|(over, under)| Some(compare(over?, under?))).collect();
        Spread::of(&values)
    }

    pub fn has_failures(&self) -> bool {
        self.rows.iter().any(|(_, _, rounds)| rounds.iter().any(Result::is_err))
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
                figures.put(Measure::MedianMillis, value);
                results.add("storing", row, value.map(|_| figures).ok_or("lost".to_owned()));
            }
        }
        let pair = ("with", "without");
        let ratio = results.ratio("storing", pair, Measure::MedianMillis).unwrap();
        assert!((ratio.min - 0.5).abs() < 1e-9 && (ratio.max - 0.8).abs() < 1e-9);
        assert_eq!(results.difference("storing", pair, Measure::MedianMillis).unwrap().min, -3.0);
        // In the second round only one of the others has a figure, and the row itself has none.
        let of_largest =
            |over, others: &[Row]| results.ratio_to_largest("storing", over, others, Measure::MedianMillis);
        assert_eq!(of_largest("without", &["with", "without"]).unwrap(), Spread { median: 1.0, min: 1.0, max: 1.0 });
        assert_eq!(of_largest("with", &["with", "without"]).unwrap(), ratio);
        assert!(of_largest("with", &[]).is_none());
        assert_eq!(results.spread("storing", "with", Measure::MedianMillis).unwrap().median, 5.5);
        assert_eq!(results.rounds("storing", "with")[1], Err("lost".to_owned()));
        assert_eq!(results.rows("storing").collect::<Vec<_>>(), ["with", "without"]);
        assert_eq!(results.measures("storing"), [Measure::MedianMillis]);
        assert!(results.ratio("fanout", pair, Measure::MedianMillis).is_none() && results.has_failures());
        assert!(results.ratio("storing", pair, Measure::PromptMillis).is_none());
        assert!(results.rows("start").next().is_none());
    }
}
