//! In which room of a tutorial server the user is: the server says so in words, and a pair does not.

use alloc::borrow::ToOwned;
use alloc::string::String;

use glassline_wire::request::LOBBY;

use super::credible::NAME_BYTES_MAX;

/// Commands that a server may answer by moving the user (T10).
const MOVES: [&str; 2] = ["join", "leave"];

/// State of it on one connection.
#[derive(Debug)]
pub(super) struct Whereabouts {
    /// The room that the server told last.
    room: String,
    /// Nothing asked since then may have changed it.
    is_told: bool,
    /// Commands that may move the user, and are not known to be answered.
    asked: usize,
}

impl Whereabouts {
    /// Whoever comes in is in the lobby (T9).
    pub(super) fn new() -> Self {
        Self { room: LOBBY.to_owned(), is_told: true, asked: 0 }
    }

    /// The room, where it is known.
    pub(super) fn room(&self) -> Option<&str> {
        self.is_told.then_some(self.room.as_str())
    }

    /// A line goes to the server as its command.
    pub(super) fn asks(&mut self, line: &str) {
        let command = line.strip_prefix('/').and_then(|line| line.split(char::is_whitespace).next());
        if command.is_some_and(|command| MOVES.contains(&command)) {
            self.asked = self.asked.saturating_add(1);
            self.is_told = false;
        }
    }

    /// The server itself says this. It may be about anything, so only what can be nothing but an answer counts; another server may
    /// answer in other words, and then nothing is known.
    pub(super) fn hears(&mut self, words: &str) {
        if self.asked == 0 {
            return;
        }
        if let Some(room) = arrival(words) {
            room.clone_into(&mut self.room);
        } else if words != "you are there already" && !is_usage(words) {
            return;
        }
        self.asked -= 1;
        self.is_told = true;
    }
}

/// Returns whether it says how one of the commands is written: it was not carried out.
fn is_usage(words: &str) -> bool {
    let usage = words.strip_prefix("usage: /");
    usage.is_some_and(|usage| MOVES.iter().any(|command| usage.starts_with(command)))
}

/// The room in `you are in den; nobody else is here`. No name of a room holds a space.
fn arrival(words: &str) -> Option<&str> {
    let (room, _) = words.strip_prefix("you are in ")?.split_once("; ")?;
    (!room.is_empty() && room.len() <= NAME_BYTES_MAX && !room.contains(char::is_whitespace)).then_some(room)
}
