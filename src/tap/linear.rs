//! `--linear`: one line for each observation.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;

use glassline_tap::Observation;

use super::columns::Clock;
use super::print::Format;

/// Columns of a line where the output is no terminal.
const COLUMNS_ELSEWHERE: usize = 200;

/// Lines for people.
pub(super) struct Linear {
    clock: Clock,
}

impl Linear {
    /// Local times.
    pub(super) fn new() -> Self {
        Self { clock: Clock::system() }
    }
}

impl Format for Linear {
    fn start(&mut self, listens: SocketAddr, _to: SocketAddr) -> String {
        format!("listening on {listens}")
    }

    fn line(&mut self, observation: &Observation) -> String {
        // Asked each time: a window changes its size.
        let columns = Some(io::stdout().is_terminal()).filter(|is_terminal| *is_terminal);
        let columns = columns.and_then(|_| crossterm::terminal::size().ok());
        self.clock.columns(observation).line(columns.map_or(COLUMNS_ELSEWHERE, |(columns, _)| columns.into()))
    }
}
