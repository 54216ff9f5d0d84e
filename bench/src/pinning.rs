//! The server runs on one core, the generator on another.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

const SERVER_CORE: &str = "0";
const GENERATOR_CORE: &str = "1";
/// Set across the restart, so that one that did not help is not tried for ever.
const TRIED: &str = "GLASSLINE_BENCH_PINNED";

/// Starts this program anew on the generator's core unless it runs there already.
pub fn pin_generator() -> Result<()> {
    if process::allowed_cores()? == GENERATOR_CORE {
        return Ok(());
    }
    if std::env::var_os(TRIED).is_some() {
        bail!("cannot run on core {GENERATOR_CORE} alone: the benchmark needs two cores and taskset");
    }
    let error = Command::new("taskset")
        .args(["-c", GENERATOR_CORE])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(TRIED, "1")
        .exec();
    bail!("cannot start taskset (util-linux): {error}");
}

/// A command that runs on the server's core, and ends when this process does.
pub fn on_server_core(program: &std::ffi::OsStr) -> Command {
    // Both programs replace themselves by the next: the process id stays.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", SERVER_CORE]).arg(program);
    command
}
