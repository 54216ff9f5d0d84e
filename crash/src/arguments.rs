//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// Usage text.
pub(crate) const USAGE: &str = "\
glassline-crash run --server PATH [--rounds N] [--seed S] [--messages N] [--patience-s N] [--serve-option WORD]...
    kills PATH N times (100) while clients talk, and checks after each restart that nothing was lost
    --seed S           decides all that is random (1)
    --messages N       most acknowledgements waited for in a round (2000)
    --patience-s N     how long an answer may take (20)
    --serve-option W   one more word for `PATH serve`
glassline-crash serve --listen 127.0.0.1:0 --history FILE [--sabotage WORD]
    a small server to try the harness on; it may break a promise: see crash/src/model/sabotage.rs
glassline-crash history check|export --history FILE
    what that server stored";

/// Action that the arguments select.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Run the harness.
    Run(RunOptions),
    /// Be the small server.
    Serve {
        /// Its file.
        history: PathBuf,
        /// The promise that it breaks.
        sabotage: Option<String>,
    },
    /// Say whether its file is sound.
    Check(PathBuf),
    /// Write what it holds.
    Export(PathBuf),
    /// Say what there is.
    Help,
}

/// Options of `run`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunOptions {
    /// The program under test.
    pub(crate) server: PathBuf,
    /// Number of times the server is killed.
    pub(crate) rounds: u64,
    /// Seed of all random decisions.
    pub(crate) seed: u64,
    /// Most acknowledgements that are waited for in a round.
    pub(crate) messages: u64,
    /// Longest wait for an answer.
    pub(crate) patience: Duration,
    /// More words for `serve`.
    pub(crate) serve_options: Vec<String>,
}

impl RunOptions {
    /// The command that does the same again.
    pub(crate) fn replay(&self) -> String {
        let mut words = vec!["cargo xtask crash".to_owned()];
        let mut option = |name: &str, value: &str| words.push(format!("{name} {value}"));
        option("--rounds", &self.rounds.to_string());
        option("--seed", &self.seed.to_string());
        if self.messages != Self::default().messages {
            option("--messages", &self.messages.to_string());
        }
        for word in &self.serve_options {
            option("--serve-option", word);
        }
        words.join(" ")
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            server: PathBuf::new(),
            rounds: 100,
            seed: 1,
            messages: 2_000,
            patience: Duration::from_secs(20),
            serve_options: Vec::new(),
        }
    }
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// It is none of [`USAGE`].
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Command> {
    match words.next().as_deref() {
        Some("run") => Ok(Command::Run(run_options(words)?)),
        Some("serve") => serve(words),
        Some("history") => history(words),
        Some("help" | "--help" | "-h") | None => Ok(Command::Help),
        Some(other) => bail!("no such command: {other}\n{USAGE}"),
    }
}

fn run_options(mut words: impl Iterator<Item = String>) -> Result<RunOptions> {
    let mut options = RunOptions::default();
    while let Some(option) = words.next() {
        let mut value = || words.next().with_context(|| format!("{option} needs a value"));
        match option.as_str() {
            "--server" => options.server = value()?.into(),
            "--rounds" => options.rounds = number(&option, &value()?)?,
            "--seed" => options.seed = value()?.parse().context("--seed needs a number")?,
            "--messages" => options.messages = number(&option, &value()?)?,
            "--patience-s" => options.patience = Duration::from_secs(number(&option, &value()?)?),
            "--serve-option" => options.serve_options.push(value()?),
            other => bail!("no such option: {other}\n{USAGE}"),
        }
    }
    if options.server.as_os_str().is_empty() {
        bail!("--server PATH is missing: the program to kill");
    }
    Ok(options)
}

/// A count that is kept in memory, some twenty bytes each.
fn number(option: &str, text: &str) -> Result<u64> {
    const MOST: u64 = 1_000_000;
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.with_context(|| format!("{option} needs a number from 1 to {MOST}"))
}

fn serve(mut words: impl Iterator<Item = String>) -> Result<Command> {
    let (mut history, mut sabotage) = (None, None);
    while let Some(option) = words.next() {
        let value = words.next().with_context(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--listen" if value == "127.0.0.1:0" => {}
            "--history" => history = Some(value.into()),
            "--sabotage" => sabotage = Some(value),
            other => bail!("no such option: {other} {value}\n{USAGE}"),
        }
    }
    Ok(Command::Serve { history: history.context("--history FILE is missing")?, sabotage })
}

fn history(words: impl Iterator<Item = String>) -> Result<Command> {
    let words: Vec<_> = words.collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check", "--history", file] => Ok(Command::Check(file.into())),
        ["export", "--history", file] => Ok(Command::Export(file.into())),
        _ => bail!("no such command: history {}\n{USAGE}", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command> {
        parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_a_run_and_says_how_to_replay_it() {
        let words = "run --server x --rounds 7 --seed 5 --messages 30 --patience-s 2 --serve-option --flood";
        let Command::Run(options) = parse_words(words).unwrap() else { panic!("a run") };
        assert_eq!((options.rounds, options.seed, options.patience), (7, 5, Duration::from_secs(2)));
        assert_eq!(options.replay(), "cargo xtask crash --rounds 7 --seed 5 --messages 30 --serve-option --flood");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for words in ["run", "run --server x --rounds 0", "run --server x --fast", "explode", "serve", "history lose"] {
            assert!(parse_words(words).is_err(), "{words}");
        }
    }
}
