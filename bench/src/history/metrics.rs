//! Numbers that the server publishes under `--metrics`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::results::{Figures, Measure};
use crate::systems::Server;

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const INDEX_LIMIT: Duration = Duration::from_hours(2);

/// The numbers of a server that keeps a history; nothing of one that does not.
pub fn of(server: &Server, keeps: bool) -> Result<Option<Numbers>> {
    keeps.then(|| Numbers::of(server.metrics_addr()?)).transpose()
}

/// Adds the commits since `before`, by the server's own numbers.
pub fn put_commits(figures: &mut Figures, before: Option<Numbers>, server: &Server) -> Result<()> {
    if let Some(before) = before {
        let during = Numbers::of(server.metrics_addr()?)?.since(before);
        if during.commits > 0.0 {
            figures.put(Measure::MessagesPerCommit, during.stored / during.commits);
            figures.put(Measure::CommitMillis, during.commit_mean_ms());
        }
        figures.put(Measure::IndexLag, during.index_lag);
    }
    Ok(())
}

/// Waits until the search index has everything; says how many messages it did not have, and how long it took.
pub fn wait_until_indexed(server: &Server) -> Result<(f64, Duration)> {
    let addr = server.metrics_addr()?;
    let behind = Numbers::of(addr)?.index_lag;
    let started = Instant::now();
    while Numbers::of(addr)?.index_lag > 0.0 {
        ensure!(started.elapsed() < INDEX_LIMIT, "not indexed after {INDEX_LIMIT:?}");
        std::thread::sleep(LOOK_EVERY);
    }
    Ok((behind, started.elapsed()))
}

/// The numbers of a history at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    pub stored: f64,
    pub commits: f64,
    pub commit_seconds: f64,
    pub index_lag: f64,
}

impl Numbers {
    /// Asks the server.
    pub fn of(addr: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said).context("the server does not say its numbers")?;
        Self::read(&said)
    }

    fn read(said: &str) -> Result<Self> {
        let number = |name: &str| {
            let value = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.and_then(|value| value.parse().ok()).with_context(|| format!("the server has no number {name}"))
        };
        Ok(Self {
            stored: number("glassline_journal_stored_total")?,
            commits: number("glassline_commit_seconds_count")?,
            commit_seconds: number("glassline_commit_seconds_sum")?,
            index_lag: number("glassline_journal_index_lag_messages")?,
        })
    }

    /// Of at least one commit.
    pub fn commit_mean_ms(self) -> f64 {
        self.commit_seconds * 1e3 / self.commits
    }

    /// Returns the increase since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            stored: self.stored - before.stored,
            commits: self.commits - before.commits,
            commit_seconds: self.commit_seconds - before.commit_seconds,
            index_lag: self.index_lag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_whole_name() {
        let said = "HTTP/1.1 200 OK\r\n\r\n# HELP glassline_journal_stored_total 9\nglassline_journal_stored_total 41\n\
                    glassline_commit_seconds_bucket{le=\"5\"} 7\nglassline_commit_seconds_sum 6.25\n\
                    glassline_commit_seconds_count 8\nglassline_journal_index_lag_messages 4\n";
        let expected = Numbers { stored: 41.0, commits: 8.0, commit_seconds: 6.25, index_lag: 4.0 };
        assert_eq!(Numbers::read(said).unwrap(), expected);
        assert_eq!(expected.since(expected).stored, 0.0);
        assert!(Numbers::read("glassline_journal_stored_total_of 3").is_err());
    }
}
