//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, value_parser};

/// Default of `--messages`.
const MESSAGES: u64 = 2_000;

/// Limit of a count: each is kept in memory, in some twenty bytes.
const COUNT_MAX: u64 = 1_000_000;

/// Kills a server under load, again and again, and checks that nothing was lost.
#[derive(Debug, Parser)]
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

    fn parse(words: &str) -> Result<RunOptions, clap::Error> {
        RunOptions::try_parse_from(["glassline-crash"].into_iter().chain(words.split_whitespace()))
    }

    #[test]
    fn reads_a_run_and_says_how_to_replay_it() {
        let words = "--server x --rounds 7 --seed 5 --messages 30 --patience-s 2 --serve-option --flood";
        let options = parse(words).unwrap();
        assert_eq!((options.rounds, options.seed, options.patience()), (7, 5, Duration::from_secs(2)));
        assert_eq!(options.replay(), "cargo xtask crash --rounds 7 --seed 5 --messages 30 --serve-option --flood");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for words in ["", "--server x --rounds 0", "--server x --fast", "--server x explode"] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
