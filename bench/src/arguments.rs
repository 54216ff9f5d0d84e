//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Measures Glassline against a bare floor, against the usual example, and against its peers.
#[derive(Debug, Parser)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[derive(Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Serve as the floor: a bare loop without a protocol
    Floor {
        #[arg(default_value_t = ANY_PORT)]
        addr: SocketAddr,
    },
    /// Serve as the usual tokio example does
    Broadcast {
        #[arg(default_value_t = ANY_PORT)]
        addr: SocketAddr,
    },
    /// Relay bytes, and nothing else
    PlainRelay { addr: SocketAddr, to: SocketAddr },
    /// Run a terminal client that redraws for each message
    NaiveClient { addr: SocketAddr },
    /// Draw every 16 ms
    Metronome,
    /// Measure every system; `--only` selects by WORKLOAD/SYSTEM
    Run(RunOptions),
    /// Measure the terminal client beside the naive one; `--only` selects by LOAD/CLIENT
    Terminal(RunOptions),
    /// Measure the cost of a history and the speed of reading it; `--only` selects by table: fanout,
    /// all-sending, storing, one-at-a-time, stored
    History(RunOptions),
    /// Measure TLS beside plaintext and the peers' TLS, its handshakes, and the cost of sealing;
    /// `--only` selects by WORKLOAD/ROW
    Links(RunOptions),
    /// Measure the tap beside other relays; `--only` selects by WORKLOAD/RELAY
    Tap(RunOptions),
    /// Measure members in WebSockets beside those over TCP, and the page in a browser; `--only` selects
    /// by WORKLOAD/ROW
    Web(RunOptions),
}

#[derive(Args, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The glassline program to measure
    #[arg(long = "server", value_name = "PATH")]
    pub glassline: PathBuf,
    /// Measure less, for a first look
    #[arg(long)]
    pub quick: bool,
    /// Number of rounds
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Measure only what contains SUBSTR
    #[arg(long, value_name = "SUBSTR")]
    pub only: Vec<String>,
    /// File to write, beside printing
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Messages in a large history [default: 10,000,000]
    #[arg(long, value_name = "N")]
    pub stored: Option<u64>,
}

impl RunOptions {
    /// Returns whether `--only` selects what has this title; everything is selected if it is not given.
    pub fn wants(&self, title: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| title.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Command, clap::Error> {
        Arguments::try_parse_from(["glassline-bench"].into_iter().chain(words.split_whitespace()))
            .map(|arguments| arguments.command)
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
        assert_eq!(parse(words).unwrap(), Command::Run(expected));
        assert_eq!(parse("floor").unwrap(), Command::Floor { addr: ANY_PORT });
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(parse("run").is_err());
        assert!(parse("run --server x --rounds").is_err());
        assert!(parse("run --server x --fast").is_err());
        assert!(parse("ceiling").is_err());
        assert!(parse("floor nowhere").is_err());
        assert!(parse("naive-client").is_err());
        assert!(parse("terminal --quick").is_err());
    }
}
