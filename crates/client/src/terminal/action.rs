//! Meanings of a key.

use crate::keyboard::event::Paste;

/// A way to move, or to cut up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// One grapheme to the left.
    Left,
    /// One grapheme to the right.
    Right,
    /// To the start of this or the previous word.
    WordLeft,
    /// To the end of this or the next word.
    WordRight,
    /// To what follows the space before this or the previous word.
    SpaceLeft,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    /// To the start of the whole text.
    TextStart,
    /// To its end.
    TextEnd,
}

/// Request of the user to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Put this at the cursor.
    Insert(String),
    /// Put a paste at the cursor, or ask what to do with it; it never sends and its empty lines never leave.
    Paste(Paste),
    /// Send the line, or, if it is empty, leave a little.
    Enter,
    Go(Motion),
    Remove(Motion),
    Cut(Motion),
    /// Put back what was cut last.
    PasteCut,
    /// Put what was cut before in its place.
    RotateCut,
    Undo,
    Redo,
    Up,
    Down,
    /// Look for a line sent before, or for an older one.
    Search,
    Complete,
    CompleteBack,
    /// End what is going on (a search, a completion, a question) and leave the line as it was.
    Cancel,
    /// Ctrl-D: leave if the line is empty, else remove to the right.
    RemoveOrLeave,
    /// Ctrl-C: clear the line, else ask, else leave.
    Interrupt,
    /// Ctrl-L: clear the screen.
    Clear,
    /// Go to the room with this number, from 1 on.
    GoRoom(usize),
    GoRoomBefore,
    GoRoomAfter,
    /// Open `$EDITOR` with the line.
    OpenEditor,
    /// Stop the process, as the shell's Ctrl-Z does.
    Suspend,
    /// Something was typed that is no text.
    NotUtf8,
    FocusGained,
    FocusLost,
    Resize {
        columns: u16,
        rows: u16,
    },
    /// The process was stopped and goes on: the terminal's modes must be set again.
    Resume,
}
