//! `glassline`: host a chat, serve one, or join one.

mod address;
mod args;
mod authorities;
mod choices;
mod completions;
mod configuration;
mod environment;
mod folders;
mod history;
mod host;
mod keys;
mod link;
mod listening;
mod logging;
mod manual;
mod matrix;
mod operator_token;
mod plain_file;
mod sealing;
mod serve;
mod server_links;
mod service_manager;
mod signals;
mod tap;
mod upkeep;
mod usage;
mod web;
mod words;

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use glassline_client::{Ending, JoinOptions, Mode};

use crate::args::{Arguments, CliCommand, SettingsArguments};
use crate::choices::Choices;
use crate::link::LinkChoices;

/// Exit code where a file, the server or a history cannot be used.
const FAILED: u8 = 1;
/// Exit code of wrong usage: what clap ends with too.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let _ = write!(io::stderr(), "{}", usage::complaint(&error, &env::args_os().collect::<Vec<_>>()));
            return ExitCode::from(WRONG_USAGE);
        }
        // Help and the version are asked for.
        Err(asked) => asked.exit(),
    };
    match &arguments.command {
        None => {
            // Its own server is on this machine.
            let host = |options, choices: &Choices| host::host(options, &arguments.host, choices.web());
            converse(&arguments.settings, arguments.host.choices(arguments.settings.choices()), Mode::Auto, host)
        }
        Some(CliCommand::Join(join)) => converse(&join.settings, join.choices(), join.mode(), |options, choices| {
            let choices = LinkChoices { key_log: join.key_log.clone(), ..choices.link_choices() };
            let options = sealing::with_sealing(link::protected(options, &choices)?, &join.seal)?;
            Ok(glassline_client::join(&options))
        }),
        // None of these reads settings, so a broken file does not matter.
        Some(CliCommand::Serve(serve)) => serve::serve(serve),
        Some(CliCommand::History(arguments)) => upkeep::keep_up(arguments),
        Some(CliCommand::Tap(arguments)) => tap::tap(arguments),
        Some(CliCommand::Matrix(arguments)) => done(matrix::matrix(arguments)),
        Some(CliCommand::Keys(arguments)) => keys::keys(arguments),
        Some(CliCommand::OperatorToken) => done(operator_token::print_new()),
        Some(CliCommand::Completions(completions)) => done(completions::print(completions.shell)),
        Some(CliCommand::Man(man)) => done(manual::write(&man.folder)),
    }
}

fn converse(
    settings: &SettingsArguments,
    flags: Choices,
    mode: Mode,
    talk: impl FnOnce(JoinOptions, &Choices) -> anyhow::Result<Ending>,
) -> ExitCode {
    let choices = match chosen(settings, flags) {
        Ok(choices) => choices,
        Err(error) => return failed(&error, WRONG_USAGE),
    };
    let ending = talk(choices.clone().join_options(mode), &choices);
    let ending = ending.unwrap_or_else(|error| Ending::InputOutput(format!("{error:#}")));
    if let Some(text) = ending.text() {
        complain(text);
    }
    ExitCode::from(ending.exit_code())
}

fn chosen(settings: &SettingsArguments, flags: Choices) -> anyhow::Result<Choices> {
    let environment = environment::choices()?;
    let named_file = settings.config.clone().or_else(environment::configuration_file);
    Ok(flags.or(environment).or(configuration::choices(named_file)?))
}

fn done(result: anyhow::Result<()>) -> ExitCode {
    result.map_or_else(|error| failed(&error, FAILED), |()| ExitCode::SUCCESS)
}

fn failed(error: &anyhow::Error, code: u8) -> ExitCode {
    complain(format_args!("{error:#}"));
    ExitCode::from(code)
}

/// Writes an error to stderr.
fn complain(words: impl Display) {
    note(format_args!("glassline: {words}"));
}

/// Writes a line to stderr. A failure is ignored: a closed window closes stderr too.
fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
