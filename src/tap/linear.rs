//! `--linear`: one line for each observation.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use glassline_tap::Observation;

use super::columns::Clock;
use super::print::Format;

/// Columns of a line where the output is no terminal.
const COLUMNS_ELSEWHERE: usize = 200;
/// Time for which a width counts: a window changes its size, and asking is a system call.
const WIDTH_VALID: Duration = Duration::from_secs(1);

/// Lines for people.
pub(super) struct Linear {
    clock: Clock,
    width: Width,
}

/// Width of the output, in columns.
enum Width {
    /// That of a terminal, and when it was asked for.
    Terminal { columns: usize, asked_at: Instant },
    /// The output is no terminal.
    Elsewhere,
}

impl Linear {
    /// Local times.
    pub(super) fn new() -> Self {
        Self { clock: Clock::system(), width: Width::of_output() }
    }
}

impl Width {
    fn of_output() -> Self {
        if !io::stdout().is_terminal() {
            return Self::Elsewhere;
        }
        Self::Terminal { columns: terminal_columns(), asked_at: Instant::now() }
    }

    fn columns(&mut self) -> usize {
        let Self::Terminal { columns, asked_at } = self else { return COLUMNS_ELSEWHERE };
        if asked_at.elapsed() >= WIDTH_VALID {
            (*columns, *asked_at) = (terminal_columns(), Instant::now());
        }
        *columns
    }
}

fn terminal_columns() -> usize {
    crossterm::terminal::size().map_or(COLUMNS_ELSEWHERE, |(columns, _)| columns.into())
}

impl Format for Linear {
    fn start(&mut self, listens: SocketAddr, _to: SocketAddr) -> String {
        format!("listening on {listens}")
    }

    fn line(&mut self, observation: &Observation) -> String {
        let columns = self.width.columns();
        self.clock.columns(observation).line(columns)
    }
}
