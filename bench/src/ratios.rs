//! The ratios that the project has targets for.

use crate::rounds::Results;
use crate::stats::Spread;
use crate::systems::System::{self, Floor, Glassline, GlasslineEvent, Nats, Redis};
use crate::workloads::Measure::{
    self, CpuMicrosPerDelivery, DeliveriesPerSecond, Held, JoinSeconds, KibPerMember, MedianMillis, StalledP99Ratio,
};
use crate::workloads::Workload::{self, AllSending, Connections, Fanout, FanoutSingly, Idle, OneAtATime, Stalled};

pub struct Row {
    pub what: &'static str,
    pub of_medians: String,
    pub by_round: String,
    pub target: String,
    pub reached: &'static str,
}

#[derive(Clone, Copy)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

struct Comparison {
    what: &'static str,
    workload: Workload,
    measure: Measure,
    system: System,
    /// Compared with the best of these; with nothing, the figure itself counts.
    against: &'static [System],
    target: Target,
    unit: &'static str,
}

const QUEUES: &[System] = &[Redis, Nats];

const COMPARISONS: [Comparison; 12] = [
    compared("fanout: glassline ÷ floor", Fanout, DeliveriesPerSecond, Glassline, &[Floor], Target::AtLeast(1.0)),
    compared(
        "fanout-singly: glassline ÷ floor",
        FanoutSingly,
        DeliveriesPerSecond,
        Glassline,
        &[Floor],
        Target::AtLeast(1.0),
    ),
    compared(
        "fanout: glassline ÷ best of redis, nats",
        Fanout,
        DeliveriesPerSecond,
        Glassline,
        QUEUES,
        Target::AtLeast(4.0),
    ),
    compared(
        "all-sending: glassline ÷ best of redis, nats",
        AllSending,
        DeliveriesPerSecond,
        Glassline,
        QUEUES,
        Target::AtLeast(4.0),
    ),
    compared(
        "fanout: event ÷ tutorial",
        Fanout,
        DeliveriesPerSecond,
        GlasslineEvent,
        &[Glassline],
        Target::AtLeast(0.6),
    ),
    compared(
        "all-sending: event ÷ tutorial",
        AllSending,
        DeliveriesPerSecond,
        GlasslineEvent,
        &[Glassline],
        Target::AtLeast(0.6),
    ),
    compared(
        "one-at-a-time: median time, glassline ÷ floor",
        OneAtATime,
        MedianMillis,
        Glassline,
        &[Floor],
        Target::AtMost(1.15),
    ),
    compared(
        "one-at-a-time: server CPU, glassline ÷ floor",
        OneAtATime,
        CpuMicrosPerDelivery,
        Glassline,
        &[Floor],
        Target::AtMost(1.25),
    ),
    alone("idle: memory per member", Idle, KibPerMember, Target::AtMost(2.0), "KiB"),
    compared(
        "idle: time to take all in, glassline ÷ floor",
        Idle,
        JoinSeconds,
        Glassline,
        &[Floor],
        Target::AtMost(3.0),
    ),
    alone("connections: held, one message reaching all", Connections, Held, Target::AtLeast(19_000.0), ""),
    alone("stalled: p99 with ÷ without the stalled", Stalled, StalledP99Ratio, Target::AtMost(1.1), ""),
];

const fn compared(
    what: &'static str,
    workload: Workload,
    measure: Measure,
    system: System,
    against: &'static [System],
    target: Target,
) -> Comparison {
    Comparison { what, workload, measure, system, against, target, unit: "" }
}

const fn alone(
    what: &'static str,
    workload: Workload,
    measure: Measure,
    target: Target,
    unit: &'static str,
) -> Comparison {
    Comparison { what, workload, measure, system: Glassline, against: &[], target, unit }
}

pub fn rows(results: &Results) -> Vec<Row> {
    COMPARISONS.iter().map(|comparison| comparison.row(results)).collect()
}

impl Comparison {
    fn row(&self, results: &Results) -> Row {
        let by_round: Vec<f64> = self.by_round(results);
        let of_medians = self.of_medians(results);
        let show = |value: f64| format!("{value:.2}{}{}", if self.unit.is_empty() { "" } else { " " }, self.unit);
        Row {
            what: self.what,
            of_medians: of_medians.map_or_else(|| "not measured".to_owned(), show),
            by_round: Spread::of(&by_round)
                .map_or_else(|| "–".to_owned(), |spread| format!("{}–{}", show(spread.min), show(spread.max))),
            target: match self.target {
                Target::AtLeast(bound) => format!("≥ {bound}"),
                Target::AtMost(bound) => format!("≤ {bound}"),
            },
            reached: match of_medians {
                None => "–",
                Some(value) if self.target.reached(value) => "yes",
                Some(_) => "no",
            },
        }
    }

    fn of_medians(&self, results: &Results) -> Option<f64> {
        let median = |system| {
            let values: Vec<f64> =
                results.of(self.workload, system)?.by_round(self.measure).into_iter().flatten().collect();
            Some(Spread::of(&values)?.median)
        };
        self.against_best(median(self.system)?, self.against.iter().filter_map(|&system| median(system)))
    }

    fn by_round(&self, results: &Results) -> Vec<f64> {
        let in_round = |system, round: usize| {
            results.of(self.workload, system)?.by_round(self.measure).get(round).copied().flatten()
        };
        let rounds = results.of(self.workload, self.system).map_or(0, |rounds| rounds.figures.len());
        (0..rounds)
            .filter_map(|round| {
                let others = self.against.iter().filter_map(|&system| in_round(system, round));
                self.against_best(in_round(self.system, round)?, others)
            })
            .collect()
    }

    fn against_best(&self, own: f64, others: impl Iterator<Item = f64>) -> Option<f64> {
        if self.against.is_empty() {
            return Some(own);
        }
        let best = match self.target {
            Target::AtLeast(_) => others.reduce(f64::max),
            Target::AtMost(_) => others.reduce(f64::min),
        };
        best.map(|best| own / best)
    }
}

impl Target {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}
