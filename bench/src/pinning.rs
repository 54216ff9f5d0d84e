//! Runs the measured process on one core, and the load generator on another.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::process;

/// For the measured process.
pub const MEASURED_CORE: usize = 0;
pub const GENERATOR_CORE: usize = 1;
/// Set across the restart, so that one that did not help is not repeated forever.
const TRIED: &str = "GLASSLINE_BENCH_PINNED";

/// Restarts this program on the generator's core unless it runs there already.
pub fn pin_generator() -> Result<()> {
    if process::allowed_cores()? == GENERATOR_CORE.to_string() {
        return Ok(());
    }
    if std::env::var_os(TRIED).is_some() {
        bail!("cannot run on core {GENERATOR_CORE} alone: the benchmark needs two cores and taskset");
    }
    let error = Command::new("taskset")
        .args(["-c", &GENERATOR_CORE.to_string()])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(TRIED, "1")
        .exec();
    bail!("cannot start taskset (util-linux): {error}");
}

/// A command that runs on one core, and ends when this process does.
pub fn on_core(core: usize, program: &std::ffi::OsStr) -> Command {
    // Both programs replace themselves by the next: the process id stays.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()]).arg(program);
    command
}

/// Moves the calling thread, and what it starts from now on, to one core.
pub fn pin_thread(core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("cannot run on core {core}"))
}
