//! `cargo xtask simulate`: clients, network, server and journal under virtual time, seed after seed.

use crate::command::{self, Outcome, cargo};

/// Optimised, with everything asserted that debug builds assert.
const PROFILE: &str = "simulation";

/// Runs as many seeds as `arguments` say, or one of them with a trace.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut simulate = cargo(&["run", "--quiet", "--locked", "--profile", PROFILE, "-p", "glassline-simulation", "--"]);
    simulate.args(arguments);
    command::run(simulate)
}

/// Two thousand seeds, and the faults built in on purpose, as a part of what every change must pass.
pub(crate) fn test() -> Outcome {
    command::run(cargo(&["test", "--locked", "--profile", PROFILE, "-p", "glassline-simulation"]))
}
