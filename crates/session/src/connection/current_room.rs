//! Room of a tutorial server that the user is in: the server names it in its notices (T10),
//! and pairs do not.

use alloc::collections::VecDeque;

use glassline_wire::request::LOBBY;
use glassline_wire::spelling;

use crate::limits::NAME_BYTES_MAX;
use crate::prelude::*;

/// Commands that a server may answer by moving the user (T10).
const MOVES: [&str; 2] = ["join", "leave"];

/// Names kept of rooms that were asked for.
const ASKED_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct CurrentRoom {
    /// Room that the server named last.
    room: String,
    /// Nothing asked since then may have changed it.
    is_known: bool,
    /// Commands that may move the user, and are not known to be answered.
    pending: usize,
    /// Rooms that these name, the latest last.
    asked: VecDeque<String>,
}

impl Default for CurrentRoom {
    /// Starts in the lobby (T9).
    fn default() -> Self {
        Self { room: LOBBY.to_owned(), is_known: true, pending: 0, asked: VecDeque::new() }
    }
}

impl CurrentRoom {
    pub(super) fn name(&self) -> Option<&str> {
        self.is_known.then_some(self.room.as_str())
    }

    /// Returns whether the user may be in such a room.
    pub(super) fn may_be(&self, is_such: impl Fn(&str) -> bool) -> bool {
        is_such(&self.room) || self.asked.iter().any(|room| is_such(room))
    }

    /// Returns whether the user has asked for the room that the server named. In another one, which may
    /// look alike, nothing is said that is not for the room asked for.
    fn is_expected(&self) -> bool {
        self.room == LOBBY || self.asked.iter().any(|asked| spelling::room(asked) == spelling::room(&self.room))
    }

    pub(super) fn note_command(&mut self, line: &str) {
        let mut words = line.strip_prefix('/').unwrap_or_default().split(char::is_whitespace);
        if words.next().is_some_and(|command| MOVES.contains(&command)) {
            self.pending = self.pending.saturating_add(1);
            self.is_known = false;
            if self.asked.len() == ASKED_MAX {
                self.asked.pop_front();
            }
            self.asked.extend(words.find(|word| !word.is_empty()).map(str::to_owned));
        }
    }

    /// Processes a notice of the server. It may be about anything, so only an unmistakable
    /// answer counts; another server may phrase it otherwise, and then nothing is known.
    pub(super) fn note_notice(&mut self, notice: &str) {
        if self.pending == 0 {
            return;
        }
        if let Some(room) = arrival(notice) {
            room.clone_into(&mut self.room);
        } else if notice != "you are there already" && !is_usage(notice) {
            return;
        }
        self.pending -= 1;
        self.is_known = true;
        if self.pending == 0 && self.is_expected() {
            self.asked.clear();
        }
    }
}

/// Returns whether a notice explains the usage of one of the commands: it was not executed.
fn is_usage(notice: &str) -> bool {
    let usage = notice.strip_prefix("usage: /");
    usage.is_some_and(|usage| MOVES.iter().any(|command| usage.starts_with(command)))
}

/// Returns the room in `you are in den; nobody else is here`. No name of a room holds a space.
fn arrival(notice: &str) -> Option<&str> {
    let (room, _) = notice.strip_prefix("you are in ")?.split_once("; ")?;
    (!room.is_empty() && room.len() <= NAME_BYTES_MAX && !room.contains(char::is_whitespace)).then_some(room)
}
