//! The binary, or a script around it, as a user has it: with a home of its own and nothing of this machine's in its environment.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use glassline_testkit::{Ended, Folder, Process};

use crate::harness::test_layer;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_glassline");
/// Makes a named pipe with nobody at its other end.
pub(crate) fn named_pipe(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

/// A command that has `home` for its home, with the folders in it where a user who chose none has them, and that finds the binary as
/// `glassline`.
pub(crate) fn command(program: &str, home: &Folder) -> Command {
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    let path = std::env::var("PATH").expect("PATH");
    let mut command = Command::new(program);
    command.env_clear().env("PATH", format!("{}:{path}", folder.display())).env("HOME", home.path());
    command.env("USER", "login").env("TZ", "UTC").envs(test_layer());
    command
}

/// Runs a command to its end, with nothing to read.
#[track_caller]
pub(crate) fn run(command: Command) -> Ended {
    let mut process = Process::start(command);
    process.close_stdin();
    process.ended()
}
