//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub const USAGE: &str = "\
glassline-bench floor [ADDR]      the floor: a bare loop, no protocol
glassline-bench broadcast [ADDR]  the usual tokio example
glassline-bench naive-client ADDR a terminal client that draws anew for each message
glassline-bench metronome         draws every 16 ms
glassline-bench run --server PATH [--quick] [--rounds N] [--only SUBSTR]... [--out FILE]
    measures every system; --only takes what holds SUBSTR in workload/system
glassline-bench terminal --server PATH [--quick] [--rounds N] [--only SUBSTR]... [--out FILE]
    measures the terminal client beside the naive one; --only takes what holds SUBSTR in load/client
glassline-bench history --server PATH [--quick] [--rounds N] [--stored N] [--only SUBSTR]... [--out FILE]
    measures what a history costs and how fast it is read; --stored says how many messages it holds, 10,000,000 without it;
    --only takes what holds SUBSTR in a table's name (fanout, all-sending, storing, one-at-a-time, stored)";

#[derive(Debug, PartialEq)]
pub enum Command {
    Floor(SocketAddr),
    Broadcast(SocketAddr),
    NaiveClient(SocketAddr),
    Metronome,
    Run(RunOptions),
    Terminal(RunOptions),
    History(RunOptions),
    Help,
}

#[derive(Debug, Default, PartialEq)]
pub struct RunOptions {
    pub glassline: PathBuf,
    pub quick: bool,
    pub rounds: Option<usize>,
    pub only: Vec<String>,
    pub out: Option<PathBuf>,
    /// Messages in a large history.
    pub stored: Option<u64>,
}

pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Command> {
    match args.next().as_deref() {
        Some("floor") => Ok(Command::Floor(address(args.next())?)),
        Some("broadcast") => Ok(Command::Broadcast(address(args.next())?)),
        Some("naive-client") => Ok(Command::NaiveClient(address(Some(args.next().context("ADDR is missing")?))?)),
        Some("metronome") => Ok(Command::Metronome),
        Some("terminal") => Ok(Command::Terminal(run_options(args)?)),
        Some("history") => Ok(Command::History(run_options(args)?)),
        Some("run") => Ok(Command::Run(run_options(args)?)),
        Some("help" | "--help" | "-h") | None => Ok(Command::Help),
        Some(other) => bail!("no such command: {other}\n{USAGE}"),
    }
}

fn run_options(mut args: impl Iterator<Item = String>) -> Result<RunOptions> {
    let mut options = RunOptions::default();
    while let Some(option) = args.next() {
        let mut value = || args.next().with_context(|| format!("{option} needs a value"));
        match option.as_str() {
            "--server" => options.glassline = value()?.into(),
            "--quick" => options.quick = true,
            "--rounds" => options.rounds = Some(value()?.parse().context("--rounds needs a number")?),
            "--only" => options.only.push(value()?),
            "--stored" => options.stored = Some(value()?.parse().context("--stored needs a number")?),
            "--out" => options.out = Some(value()?.into()),
            other => bail!("no such option: {other}\n{USAGE}"),
        }
    }
    if options.glassline.as_os_str().is_empty() {
        bail!("--server PATH is missing: the glassline program to measure");
    }
    Ok(options)
}

fn address(given: Option<String>) -> Result<SocketAddr> {
    match given {
        Some(text) => text.parse().with_context(|| format!("not an address: {text}")),
        None => Ok((Ipv4Addr::LOCALHOST, 0).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command> {
        parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_a_run() {
        let expected = RunOptions {
            glassline: "glassline".into(),
            quick: true,
            rounds: Some(3),
            only: vec!["fanout".into(), "idle/redis".into()],
            out: Some("out.md".into()),
            stored: Some(1_000),
        };
        let words =
            "run --server glassline --quick --rounds 3 --only fanout --only idle/redis --stored 1000 --out out.md";
        assert_eq!(parse_words(words).unwrap(), Command::Run(expected));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(parse_words("run").is_err());
        assert!(parse_words("run --server x --rounds").is_err());
        assert!(parse_words("run --server x --fast").is_err());
        assert!(parse_words("ceiling").is_err());
        assert!(parse_words("floor nowhere").is_err());
        assert!(parse_words("naive-client").is_err());
        assert!(parse_words("terminal --quick").is_err());
    }
}
