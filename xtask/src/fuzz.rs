//! `cargo xtask fuzz`: libFuzzer on the stable toolchain, whose compiler can instrument for it when asked by name.

use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::command::{self, Outcome, cargo, processors, root};
use crate::tools::{self, CXX, Install};

/// Names of the targets.
pub(crate) const TARGETS: [&str; 11] =
    ["decoder", "session", "request", "websocket", "hub", "capture", "rules", "line", "tls", "noise", "sealed"];
const INPUT_BYTES_MAX: u32 = 8_192;

/// Flags that `cargo fuzz` passes too, without its nightly-only sanitizers.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1 -Cforce-frame-pointers";

/// Runs the chosen targets, or all of them if none is, for so many seconds each: as many at a time as
/// there are processors, as each uses one.
pub(crate) fn run(chosen: &[String], seconds: u32) -> Outcome {
    tools::ensure(&[CXX], Install::chosen(false))?;
    command::run(build()?)?;
    let host = host_triple()?;
    let is_chosen = |target: &&str| chosen.is_empty() || chosen.iter().any(|name| name == target);
    let targets = Mutex::new(TARGETS.into_iter().filter(is_chosen));
    let next = || targets.lock().ok()?.next();
    thread::scope(|scope| {
        let lane = || std::iter::from_fn(next).try_for_each(|target| run_target(&host, target, seconds));
        let lanes = (0..processors()).map(|_| scope.spawn(lane)).collect::<Vec<_>>();
        lanes.into_iter().try_for_each(|lane| lane.join().map_err(|_| "a thread of fuzzing panicked".to_owned())?)
    })
}

fn run_target(host: &str, target: &str, seconds: u32) -> Outcome {
    let program = root().join("target/fuzz").join(host).join("release").join(target);
    let found = root().join("target/fuzz/corpus").join(target);
    let artifacts = root().join("target/fuzz/artifacts").join(target);
    for folder in [&found, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    let mut fuzz = Command::new(program);
    fuzz.current_dir(root());
    fuzz.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={INPUT_BYTES_MAX}"));
    fuzz.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"]);
    fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // New inputs go to the first folder; the stored corpus is only read.
    fuzz.arg(&found).arg(format!("fuzz/corpus/{target}"));
    command::run_beside_others(fuzz)
        .map_err(|error| format!("{error}\nthe input that failed is in target/fuzz/artifacts/{target}"))
}

/// The command that builds the targets.
pub(crate) fn build() -> Result<Command, String> {
    // With a target named, build scripts and macros are left as they are; only what is fuzzed is instrumented.
    let arguments = "build --release --locked -p glassline-fuzz --target-dir target/fuzz --target";
    let mut build = cargo(&format!("{arguments} {}", host_triple()?));
    // Eleven programs would be optimised as a whole, each for a few seconds of use.
    build.env("RUSTFLAGS", FLAGS).env("CARGO_PROFILE_RELEASE_LTO", "off");
    Ok(build)
}

fn host_triple() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).ok_or_else(|| "rustc -vV names no host".to_string())
}
