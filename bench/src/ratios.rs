//! The ratios that the project has targets for.

use std::fmt::Write as _;

use crate::results::Measure::{
    self, CpuMicrosPerDelivery, DeliveriesPerSecond, Held, JoinSeconds, KibPerMember, MedianMillis, StalledP99Ratio,
};
use crate::results::Results;
use crate::stats::Spread;
use crate::systems::System::{self, Floor, Glassline, GlasslineEvent, Nats, Redis};
use crate::target::Target::{self, AtLeast, AtMost};
use crate::target::bound_with;
use crate::workloads::Workload::{self, AllSending, Connections, Fanout, FanoutSingly, Idle, OneAtATime, Stalled};

struct Comparison {
    what: &'static str,
    workload: Workload,
    measure: Measure,
    system: System,
    /// Compared with the best of these; with nothing, the figure itself counts.
    against: &'static [System],
    target: Target,
}

const QUEUES: &[System] = &[Redis, Nats];
const TUTORIAL: &[System] = &[Glassline];

const COMPARISONS: [Comparison; 12] = [
    deliveries("fanout: glassline ÷ floor", Fanout, Glassline, &[Floor], 1.0),
    deliveries("fanout-singly: glassline ÷ floor", FanoutSingly, Glassline, &[Floor], 1.0),
    deliveries("fanout: glassline ÷ best of redis, nats", Fanout, Glassline, QUEUES, 4.0),
    deliveries("all-sending: glassline ÷ best of redis, nats", AllSending, Glassline, QUEUES, 4.0),
    deliveries("fanout: event ÷ tutorial", Fanout, GlasslineEvent, TUTORIAL, 0.6),
    deliveries("all-sending: event ÷ tutorial", AllSending, GlasslineEvent, TUTORIAL, 0.6),
    own("one-at-a-time: median time, glassline ÷ floor", OneAtATime, MedianMillis, &[Floor], AtMost(1.15)),
    own("one-at-a-time: server CPU, glassline ÷ floor", OneAtATime, CpuMicrosPerDelivery, &[Floor], AtMost(1.25)),
    own("idle: memory per member", Idle, KibPerMember, &[], AtMost(2.0)),
    own("idle: time to take all in, glassline ÷ floor", Idle, JoinSeconds, &[Floor], AtMost(3.0)),
    own("connections: held, one message reaching all", Connections, Held, &[], AtLeast(19_000.0)),
    own("stalled: p99 with ÷ without the stalled", Stalled, StalledP99Ratio, &[], AtMost(1.1)),
];

const fn deliveries(
    what: &'static str,
    workload: Workload,
    system: System,
    against: &'static [System],
    at_least: f64,
) -> Comparison {
    Comparison { what, workload, measure: DeliveriesPerSecond, system, against, target: AtLeast(at_least) }
}

const fn own(
    what: &'static str,
    workload: Workload,
    measure: Measure,
    against: &'static [System],
    target: Target,
) -> Comparison {
    Comparison { what, workload, measure, system: Glassline, against, target }
}

/// Appends the table of the ratios.
pub fn put(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Ratios\n\nEvery ratio is taken within this run: of the medians, and round by round (min–max).\n\n\
         | what | of the medians | by round | target | reached |\n| --- | --- | --- | --- | --- |\n",
    );
    for comparison in &COMPARISONS {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{}", comparison.row(results));
    }
}

impl Comparison {
    fn row(&self, results: &Results) -> String {
        let median =
            |system: System| Some(results.spread(self.workload.into_str(), system.into_str(), self.measure)?.median);
        let of_medians = self.against_best(median);
        let rounds = results.rounds(self.workload.into_str(), self.system.into_str()).len();
        let by_round: Vec<f64> = (0..rounds)
            .filter_map(|round| {
                self.against_best(|system| {
                    *results.by_round(self.workload.into_str(), system.into_str(), self.measure).get(round)?
                })
            })
            .collect();
        let unit = if self.measure == KibPerMember { " KiB" } else { "" };
        let show = |value: f64| format!("{value:.2}{unit}");
        let target = self.target.text(bound_with(""));
        let reached = of_medians.map_or("–", |value| self.target.reached(value));
        let of_medians = of_medians.map_or_else(|| "not measured".to_owned(), show);
        let by_round = Spread::of(&by_round)
            .map_or_else(|| "–".to_owned(), |spread| format!("{}–{}", show(spread.min), show(spread.max)));
        format!("| {} | {of_medians} | {by_round} | {target} | {reached} |", self.what)
    }

    /// Returns the figure of the system, by the best one of those that it is compared with.
    fn against_best(&self, figure: impl Fn(System) -> Option<f64>) -> Option<f64> {
        let own = figure(self.system)?;
        if self.against.is_empty() {
            return Some(own);
        }
        let others = self.against.iter().filter_map(|&system| figure(system));
        let best = match self.target {
            AtLeast(_) => others.reduce(f64::max),
            _ => others.reduce(f64::min),
        };
        best.map(|best| own / best)
    }
}
