//! `glassline completions`: what a shell needs to complete commands and flags.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::aot::{Bash, Fish, Zsh, generate};

use crate::args::{Arguments, Host, SettingsArguments, Shell};

const PROGRAM: &str = "glassline";

/// Prints the completions on stdout.
pub(crate) fn print(shell: Shell) -> anyhow::Result<()> {
    let mut command = offered();
    // Into memory first: the generators panic where they cannot write.
    let mut script = Vec::new();
    match shell {
        Shell::Bash => generate(Bash, &mut command, PROGRAM, &mut script),
        Shell::Zsh => generate(Zsh, &mut command, PROGRAM, &mut script),
        Shell::Fish => generate(Fish, &mut command, PROGRAM, &mut script),
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(&script).and_then(|()| stdout.flush()) {
        // The reader has closed the pipe.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the completions; direct them to a file that can be written"),
    }
}

/// The command line without what is hidden, which the generators would offer.
fn offered() -> clap::Command {
    let whole = Arguments::command();
    let visible = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let top = clap::Command::new(PROGRAM).version(env!("CARGO_PKG_VERSION"));
    Host::augment_args(SettingsArguments::augment_args(top)).subcommands(visible)
}
