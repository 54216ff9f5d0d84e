//! Development tasks; `cargo xtask --help` lists them.

mod ahead;
mod command;
mod dist;
mod documents;
mod fuzz;
mod glossary;
mod imports;
mod programs;
mod suite;
mod tools;
mod web;
mod wording;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything a change must pass, or only the steps named
    #[command(after_help = suite::help())]
    Test {
        /// Install what is missing without asking
        #[arg(long)]
        yes: bool,
        /// Steps to run, and no others
        #[arg(value_name = "STEP")]
        steps: Vec<String>,
    },
    /// Build the packages in target/dist: a tarball, a .deb, and what else this machine can
    Dist,
    /// Run the commands of README and docs in a network of their own
    #[command(hide = true)]
    Documents,
    /// Measure servers side by side and write docs/benchmarks.md; `--quick` for a first look
    ///
    /// `bench terminal` measures the terminal client beside a naive one, and writes
    /// docs/benchmarks-terminal.md; `bench history` a server with a history beside one without, and
    /// writes docs/benchmarks-history.md; `bench tap` the tap beside other relays, and writes
    /// docs/benchmarks-tap.md; `bench links` TLS beside plaintext and other programs' TLS, and the
    /// cost of sealing, and writes docs/benchmarks-links.md; `bench web` members in a `WebSocket`
    /// beside those over TCP, and the page in a browser, and writes docs/benchmarks-web.md. A run with
    /// options is not written.
    Bench {
        /// Options of `cargo run -p glassline-bench -- run`, whose `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill the server under load again and again, and check that no message is lost
    Crash {
        /// Options of `cargo run -p glassline-crash`, such as `--rounds N` and `--seed S`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the libFuzzer targets, on the stable toolchain
    Fuzz {
        /// Seconds for each target
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u32,
        /// Targets to run, and no others
        #[arg(value_name = "TARGET", value_parser = fuzz::TARGETS)]
        targets: Vec<String>,
    },
    /// Simulate clients, network, server and journal with faults, seed after seed
    Simulate {
        /// Options of `cargo run -p glassline-simulation`: `--seeds N`, `--first S`, or `--seed S`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run attacks on security schemes, each beside honest messages, and compare docs/threats.md
    Matrix {
        /// Options of `cargo run -p glassline-schemes`, such as `--cell ATTACK/SCHEME --seed S`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Thirty people in browsers and thirty in terminals talk in one room, and all see the same order
    Classroom {
        /// Options of `tests/web/classroom.py`, such as `--browsers N --terminals N`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Take the README's screenshots of the page again, in docs/
    Screenshots,
    /// Write the manual's pages to target/man
    Man,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { yes, steps } => suite::run(&steps, yes),
        Task::Dist => dist::run(),
        Task::Documents => documents::run_here(),
        Task::Bench { arguments } => programs::bench(&arguments),
        Task::Crash { arguments } => programs::crash(&arguments),
        Task::Fuzz { seconds, targets } => fuzz::run(&targets, seconds),
        Task::Simulate { arguments } => programs::simulate(&arguments),
        Task::Matrix { arguments } => programs::matrix(&arguments),
        Task::Classroom { arguments } => web::classroom(&arguments),
        Task::Screenshots => web::screenshots(),
        Task::Man => programs::manual(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_after_a_task_reach_its_program() {
        let parsed = |words: &str| Arguments::try_parse_from(["xtask"].into_iter().chain(words.split_whitespace()));
        let Ok(Arguments { task: Task::Bench { arguments } }) = parsed("bench terminal --quick --only x") else {
            panic!("a benchmark")
        };
        assert_eq!(arguments, ["terminal", "--quick", "--only", "x"]);
        let Ok(Arguments { task: Task::Crash { arguments } }) = parsed("crash --rounds 3") else { panic!("kills") };
        assert_eq!(arguments, ["--rounds", "3"]);
        assert!(parsed("test --no").is_err() && parsed("fuzz dance").is_err() && parsed("dance").is_err());
    }
}
