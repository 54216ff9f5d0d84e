//! Unread messages of rooms other than the one on the screen.

use std::collections::BTreeMap;

use crate::format::StyledLine;
use crate::format::attention::Attention;

/// Lines kept of one room.
const LINES_MAX: usize = 2_000;
/// Bytes of text kept of one room.
const BYTES_MAX: usize = 512 * 1024;
/// Rooms with unread messages: more than a client can be in.
const ROOMS_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreadCount {
    /// Position among the rooms, from 1: the number of its key.
    pub(crate) number: usize,
    pub(crate) room: String,
    pub(crate) messages: usize,
    /// Those of them that mention the user.
    pub(crate) mentions: usize,
}

/// Lines kept of a room, and counts of the messages in them.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) lines: Vec<StyledLine>,
    bytes: usize,
    pub(super) messages: usize,
    pub(super) mentions: usize,
}

#[derive(Debug, Default)]
pub(super) struct Unread {
    rooms: BTreeMap<String, Backlog>,
}

impl Unread {
    /// Stores a line. Returns all lines of the room to be shown now if they are too many.
    pub(super) fn keep(&mut self, room: &str, line: StyledLine, attention: Attention) -> Vec<StyledLine> {
        if !self.rooms.contains_key(room) && self.rooms.len() == ROOMS_MAX {
            return vec![line];
        }
        let backlog = self.rooms.entry(room.to_owned()).or_default();
        backlog.messages += usize::from(attention >= Attention::Everybody);
        backlog.mentions += usize::from(attention == Attention::ForMe);
        backlog.bytes += line.bytes();
        backlog.lines.push(line);
        if backlog.lines.len() < LINES_MAX && backlog.bytes < BYTES_MAX {
            return Vec::new();
        }
        std::mem::take(backlog).lines
    }

    pub(super) fn take(&mut self, room: &str) -> Backlog {
        self.rooms.remove(room).unwrap_or_default()
    }

    /// Returns the rooms with waiting messages, in the order of the client's rooms.
    pub(super) fn waiting(&self, rooms: &[String]) -> Vec<UnreadCount> {
        let waits = |(at, room): (usize, &String)| {
            let backlog = self.rooms.get(room).filter(|backlog| backlog.messages > 0)?;
            let (messages, mentions) = (backlog.messages, backlog.mentions);
            Some(UnreadCount { number: at + 1, room: room.clone(), messages, mentions })
        };
        rooms.iter().enumerate().filter_map(waits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_other_rooms_wait_and_are_counted() {
        let mut unread = Unread::default();
        for (room, attention) in [("den", Attention::Everybody), ("den", Attention::ForMe), ("ops", Attention::Nobody)]
        {
            assert!(unread.keep(room, StyledLine::notice("x"), attention).is_empty());
        }
        let rooms = ["lobby".to_owned(), "ops".to_owned(), "den".to_owned()];
        let waiting = UnreadCount { number: 3, room: "den".into(), messages: 2, mentions: 1 };
        assert_eq!(unread.waiting(&rooms), [waiting], "joins and leaves are not counted");
        let found = unread.take("den");
        assert_eq!((found.lines.len(), found.messages, found.mentions), (2, 2, 1));
        assert!(unread.waiting(&rooms).is_empty() && unread.take("den").lines.is_empty());
    }

    #[test]
    fn too_much_is_given_back_and_never_lost() {
        let mut unread = Unread::default();
        let mut shown = 0;
        for number in 0..4_321 {
            let line = StyledLine::notice(&format!("{number}"));
            shown += unread.keep("den", line, Attention::Everybody).len();
        }
        shown += unread.keep("den", StyledLine::notice(&"x".repeat(BYTES_MAX)), Attention::Everybody).len();
        assert_eq!(shown, 4_322);
        assert_eq!(unread.take("den").messages, 0, "what was shown waits no more");
        let shown: usize = (0..1_000)
            .map(|room| unread.keep(&format!("r{room}"), StyledLine::notice("x"), Attention::Everybody).len())
            .sum();
        assert_eq!(shown, 1_000 - ROOMS_MAX, "a server that names rooms without end");
    }
}
