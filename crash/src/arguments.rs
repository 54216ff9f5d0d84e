//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, value_parser};

use crate::model::Sabotage;

/// Kills a server under load, again and again, and checks that nothing was lost.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Action that the arguments select.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Kill a server N times while clients talk, and check after each restart that nothing was lost
    Run(RunOptions),
    /// Be a small server to try the harness on
    Serve {
        /// Address, which is always this one
        #[arg(long, value_parser = ["127.0.0.1:0"])]
        listen: Option<String>,
        /// File of its messages
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
        /// Promise that it breaks
        #[arg(long, value_name = "WORD")]
        sabotage: Option<Sabotage>,
    },
    /// Report what the small server stored
    #[command(subcommand)]
    History(HistoryCommand),
}

/// Report about a file of the small server.
#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Check that a file is sound
    Check {
        /// The file
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
    },
    /// Write the messages of a file
    Export {
        /// The file
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
    },
}

/// Default of `--messages`.
const MESSAGES: u64 = 2_000;

/// Limit of a count: each is kept in memory, in some twenty bytes.
const COUNT_MAX: u64 = 1_000_000;

/// Options of `run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunOptions {
    /// Program to kill
    #[arg(long, value_name = "PATH")]
    pub(crate) server: PathBuf,
    /// Number of times the server is killed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=COUNT_MAX))]
    pub(crate) rounds: u64,
    /// Seed of all random decisions
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Most acknowledgements that are waited for in a round
    #[arg(long, value_name = "N", default_value_t = MESSAGES, value_parser = value_parser!(u64).range(1..=COUNT_MAX))]
    pub(crate) messages: u64,
    /// Longest wait for an answer, in seconds
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u64).range(1..=COUNT_MAX))]
    patience_s: u64,
    /// One more word for `PATH serve`
    #[arg(long = "serve-option", value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) serve_options: Vec<String>,
}

impl RunOptions {
    /// Longest wait for an answer.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_s)
    }

    /// Returns the command that does the same again.
    pub(crate) fn replay(&self) -> String {
        let mut words = vec![format!("cargo xtask crash --rounds {} --seed {}", self.rounds, self.seed)];
        if self.messages != MESSAGES {
            words.push(format!("--messages {}", self.messages));
        }
        words.extend(self.serve_options.iter().map(|word| format!("--serve-option {word}")));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Command, clap::Error> {
        Arguments::try_parse_from(["glassline-crash"].into_iter().chain(words.split_whitespace()))
            .map(|arguments| arguments.command)
    }

    #[test]
    fn reads_a_run_and_says_how_to_replay_it() {
        let words = "run --server x --rounds 7 --seed 5 --messages 30 --patience-s 2 --serve-option --flood";
        let Ok(Command::Run(options)) = parse(words) else { panic!("a run") };
        assert_eq!((options.rounds, options.seed, options.patience()), (7, 5, Duration::from_secs(2)));
        assert_eq!(options.replay(), "cargo xtask crash --rounds 7 --seed 5 --messages 30 --serve-option --flood");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for words in ["run", "run --server x --rounds 0", "run --server x --fast", "explode", "serve", "history lose"] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
