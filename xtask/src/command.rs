//! Running other programs, from the repository's root.

use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;

/// Result of a task: an error is a line for the person who ran it.
pub(crate) type Outcome = Result<(), String>;

/// Selection of everything that is built for tests. Every build for tests makes it, of as many targets
/// as it needs: in a selection of fewer packages what they share has other features, and cargo would
/// build it again. The test layer is compiled in, and acts only where its step asks for it; a test that
/// is left out with the feature would never run.
pub(crate) const TESTED: &str = "--locked --workspace --exclude glassline-fuzz --exclude glassline-simulation --features glassline/test-layer,glassline-testkit/relay";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// A program with its arguments, to be run in the root.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    keep_from_the_user(&mut command);
    keep_from_the_package(&mut command);
    command
}

/// Keeps a command from this user's chats: no setting of theirs is read, and no file of theirs is
/// written.
///
/// `HOME` stays, because cargo and rustup find their own files there.
pub(crate) fn keep_from_the_user(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GLASSLINE_")) {
        command.env_remove(name);
    }
    let own = root().join("target/xtask-home");
    for (variable, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data")] {
        command.env(variable, own.join(folder));
    }
}

/// Number of processors.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Returns whether a command exists and ends with success.
pub(crate) fn succeeds(name: &str, arguments: &[&str]) -> bool {
    let mut probe = program(name, arguments);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// The cargo that runs this, with arguments that have no spaces.
pub(crate) fn cargo(arguments: &str) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_string());
    program(&cargo, &arguments.split(' ').collect::<Vec<_>>())
}

/// Keeps a command from the variables with which the outer cargo describes xtask itself. A build
/// script that reads one, such as that of ring, would run again in its cargo, and once more in the
/// user's next build.
pub(crate) fn keep_from_the_package(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| describes_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
}

fn describes_package(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| variable.starts_with(prefix))
        || variable == "CARGO_PRIMARY_PACKAGE"
}

/// Returns a command that leaves the processors to others that want them.
pub(crate) fn behind(command: &Command) -> Command {
    let mut behind = Command::new("nice");
    behind.args(["-n", "10"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        behind.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => behind.env(name, value),
            None => behind.env_remove(name),
        };
    }
    behind
}

/// Runs a command, showing what is run; an exit code other than 0 is an error.
pub(crate) fn run(mut command: Command) -> Outcome {
    let shown = shown(&command);
    println!("\n$ {shown}");
    judged(command.status(), &shown)
}

/// Does the same beside others: what the command says is shown as a whole once it has ended.
pub(crate) fn run_beside_others(mut command: Command) -> Outcome {
    let shown = shown(&command);
    let output = command.output();
    if let Ok(Output { stdout, stderr, .. }) = &output {
        println!("\n$ {shown}\n{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    }
    judged(output.map(|output| output.status), &shown)
}

fn judged(status: io::Result<ExitStatus>, shown: &str) -> Outcome {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed ({status}): {shown}")),
        Err(error) => Err(format!("cannot run {shown}: {error}")),
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Returns the path at which cargo puts the release build of a program of ours.
pub(crate) fn built(name: &str) -> String {
    built_as("release", name)
}

/// Returns the path at which cargo puts a program of ours that it builds with this profile.
pub(crate) fn built_as(profile: &str, name: &str) -> String {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    Path::new(&target).join(profile).join(name).display().to_string()
}
