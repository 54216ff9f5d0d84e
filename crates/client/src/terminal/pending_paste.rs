//! Lines of a paste that are sent one by one.

use glassline_session::{Command, CommandError, Session};

use super::editing::paste::PastedLines;
use crate::format::safe::name;

#[derive(Debug)]
pub(super) struct PendingPaste {
    lines: PastedLines,
    /// Room of the user when the paste was confirmed.
    room: String,
}

impl PendingPaste {
    pub(super) fn new(lines: PastedLines, room: String) -> Self {
        Self { lines, room }
    }

    pub(super) fn append(&mut self, lines: PastedLines) {
        self.lines.append(lines);
    }

    pub(super) fn is_sent(&self) -> bool {
        self.lines.remaining() == 0
    }

    /// Sends lines as far as the session has capacity, and returns whether there were any.
    ///
    /// # Errors
    /// A line is rejected: it stays, and stops the rest.
    pub(super) fn send(&mut self, session: &mut Session, now_ms: u64) -> Result<bool, CommandError> {
        let before = self.lines.remaining();
        while session.has_capacity()
            && let Some(line) = self.lines.take_first()
        {
            let command = Command::SayIn { room: self.room.clone(), text: line.clone() };
            if let Err(error) = session.command(command, now_ms) {
                self.lines.put_back(line);
                return Err(error);
            }
        }
        Ok(self.lines.remaining() < before)
    }

    /// Returns the status line's text while lines are being sent.
    pub(super) fn hint(&self) -> String {
        format!("{} pasted lines still to send to {}, Ctrl-C stops", self.lines.remaining(), name(&self.room))
    }

    pub(super) fn cancel(mut self) -> String {
        format!("{} pasted lines were not sent", self.lines.cancel())
    }
}
