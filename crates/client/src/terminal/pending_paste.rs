//! Lines of a paste that are sent one by one, as the session has room for them.

use std::collections::VecDeque;

use glassline_session::{Command, CommandError, Session};

use crate::format::safe::name;

#[derive(Debug)]
pub(super) struct PendingPaste {
    lines: VecDeque<String>,
    /// Room of the user when the paste was confirmed.
    room: String,
}

impl PendingPaste {
    pub(super) fn new(lines: VecDeque<String>, room: String) -> Self {
        Self { lines, room }
    }

    pub(super) fn append(&mut self, mut lines: VecDeque<String>) {
        self.lines.append(&mut lines);
    }

    pub(super) fn is_sent(&self) -> bool {
        self.lines.is_empty()
    }

    /// Sends lines as far as the session has capacity, and returns whether there were any. Errors:
    /// a line is rejected: it stays, and stops the rest.
    pub(super) fn send(&mut self, session: &mut Session, now_ms: u64) -> Result<bool, CommandError> {
        let before = self.lines.len();
        while session.has_capacity()
            && let Some(line) = self.lines.pop_front()
        {
            let command = Command::SayIn { room: self.room.clone(), text: line.clone() };
            if let Err(error) = session.command(command, now_ms) {
                self.lines.push_front(line);
                return Err(error);
            }
        }
        Ok(self.lines.len() < before)
    }

    /// Returns the status line's text while lines are being sent.
    pub(super) fn hint(&self) -> String {
        format!("{} pasted lines still to send to {}, Ctrl-C stops", self.lines.len(), name(&self.room))
    }

    pub(super) fn cancel(self) -> String {
        format!("{} pasted lines were not sent", self.lines.len())
    }
}
