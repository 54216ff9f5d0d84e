//! Key bindings: the action of each key, paste and resize, and the help on them.

use crate::keyboard::event::{Code, Key, Paste, TerminalEvent};

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
    Home,
    End,
    TextStart,
    TextEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Insert this at the cursor.
    Insert(String),
    /// Insert a paste, or ask what to do with it. It never sends, and its empty lines never leave.
    Paste(Paste),
    /// Send the line; three times on an empty line leave.
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
    /// Search the sent lines, or go to an older match.
    Search,
    Complete,
    CompleteBack,
    /// Cancel a search, a completion or a question; the line stays.
    Cancel,
    /// Ctrl-D: leave if the line is empty, else remove to the right.
    RemoveOrLeave,
    /// Ctrl-C: clear the line, else ask, else leave.
    Interrupt,
    ClearScreen,
    /// Go to the room with this number, from 1 on.
    GoRoom(usize),
    GoRoomBefore,
    GoRoomAfter,
    /// Open `$EDITOR` with the line.
    OpenEditor,
    /// Stop the process, as the shell's Ctrl-Z does.
    Suspend,
    NotUtf8,
    FocusGained,
    FocusLost,
    Resize {
        columns: u16,
        rows: u16,
    },
    /// The process was continued: the terminal's modes must be set again.
    Resume,
}

/// Translator of keys to actions; keeps the first key of a chord.
#[derive(Debug, Default)]
pub(crate) struct Keymap {
    /// Ctrl-X was pressed, Ctrl-E may follow.
    is_chord: bool,
}

impl Keymap {
    pub(crate) fn action(&mut self, event: TerminalEvent) -> Option<Action> {
        match event {
            TerminalEvent::Key(key) => {
                let is_chord = std::mem::take(&mut self.is_chord);
                let is_control = |c| key == Key { control: true, ..Code::Char(c).into() };
                if is_chord && is_control('e') {
                    return Some(Action::OpenEditor);
                }
                self.is_chord = is_control('x');
                key_action(key)
            }
            TerminalEvent::Paste(paste) => {
                self.is_chord = false;
                Some(Action::Paste(paste))
            }
            TerminalEvent::NotUtf8 => Some(Action::NotUtf8),
            TerminalEvent::FocusGained => Some(Action::FocusGained),
            TerminalEvent::FocusLost => Some(Action::FocusLost),
            TerminalEvent::Resized { columns, rows } => Some(Action::Resize { columns, rows }),
            TerminalEvent::Resumed => Some(Action::Resume),
        }
    }
}

fn key_action(key: Key) -> Option<Action> {
    let Key { control, alt, shift, .. } = key;
    Some(match key.code {
        // Ctrl-_ and Ctrl-/ are one byte, which is read as Ctrl-7.
        Code::Char('7' | '_' | '/' | '-') if control && alt => Action::Redo,
        Code::Char('7' | '_' | '/' | '-') if control => Action::Undo,
        Code::Char(_) if control && alt => return None,
        Code::Char(c) if control => return control_action(c),
        Code::Char(c) if alt => return alt_action(c),
        Code::Char(c) => Action::Insert(c.to_string()),
        Code::Enter if alt || shift => Action::Insert("\n".to_owned()),
        Code::Enter => Action::Enter,
        Code::Tab if shift => Action::CompleteBack,
        Code::Tab => Action::Complete,
        Code::Escape => Action::Cancel,
        Code::Backspace if alt || control => Action::Cut(Motion::WordLeft),
        Code::Backspace => Action::Remove(Motion::Left),
        Code::Delete if alt || control => Action::Cut(Motion::WordRight),
        Code::Delete => Action::Remove(Motion::Right),
        Code::Left | Code::Up if alt => Action::GoRoomBefore,
        Code::Right | Code::Down if alt => Action::GoRoomAfter,
        Code::Left if control => Action::Go(Motion::WordLeft),
        Code::Right if control => Action::Go(Motion::WordRight),
        Code::Left => Action::Go(Motion::Left),
        Code::Right => Action::Go(Motion::Right),
        Code::Home if control => Action::Go(Motion::TextStart),
        Code::End if control => Action::Go(Motion::TextEnd),
        Code::Home => Action::Go(Motion::Home),
        Code::End => Action::Go(Motion::End),
        Code::Up => Action::Up,
        Code::Down => Action::Down,
    })
}

fn control_action(c: char) -> Option<Action> {
    Some(match c.to_ascii_lowercase() {
        'a' => Action::Go(Motion::Home),
        'e' => Action::Go(Motion::End),
        'b' => Action::Go(Motion::Left),
        'f' => Action::Go(Motion::Right),
        'k' => Action::Cut(Motion::End),
        'u' => Action::Cut(Motion::Home),
        'w' => Action::Cut(Motion::SpaceLeft),
        'y' => Action::PasteCut,
        'h' => Action::Remove(Motion::Left),
        'd' => Action::RemoveOrLeave,
        'c' => Action::Interrupt,
        'l' => Action::ClearScreen,
        'p' => Action::Up,
        'n' => Action::Down,
        'r' => Action::Search,
        'g' => Action::Cancel,
        'z' => Action::Suspend,
        // A terminal's line feed: what Alt-Enter or Shift-Enter sends in some, and never the Enter
        // key in raw mode.
        'j' => Action::Insert("\n".to_owned()),
        _ => return None,
    })
}

fn alt_action(c: char) -> Option<Action> {
    Some(match c.to_ascii_lowercase() {
        'b' => Action::Go(Motion::WordLeft),
        'f' => Action::Go(Motion::WordRight),
        'd' => Action::Cut(Motion::WordRight),
        'e' => Action::OpenEditor,
        'y' => Action::RotateCut,
        '_' => Action::Undo,
        '/' => Action::Redo,
        '1'..='9' => Action::GoRoom(c as usize - '0' as usize),
        _ => return None,
    })
}

/// Keys and their effects, the most useful first.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "sends the line; three times on an empty line leaves"),
    ("Alt-Enter, Ctrl-J", "starts a new line in the message"),
    ("Tab, Shift-Tab", "completes a name, a room or a command; again: the next, the one before"),
    ("Up, Down", "walk through the lines you sent"),
    ("Ctrl-R", "searches in them; again: an older one; Enter takes it into the line, Escape does not"),
    ("Escape, Ctrl-G", "ends a search, a completion or a question"),
    ("Alt-1 to Alt-9", "go to that room"),
    ("Alt-Left, Alt-Right", "go to the room before, the room after; so do Alt-Up, Alt-Down"),
    ("Ctrl-Left, Ctrl-Right", "move by words; so do Alt-B, Alt-F"),
    ("Home, End", "go to the start, the end of the line; with Ctrl: of the message"),
    ("Ctrl-W, Alt-Backspace, Alt-D", "cut a word"),
    ("Ctrl-U, Ctrl-K", "cut to the start, the end of the line"),
    ("Ctrl-Y, Alt-Y", "put back what was cut; what was cut before that"),
    ("Ctrl-_, Alt-/", "undo, redo"),
    ("Alt-E, Ctrl-X Ctrl-E", "opens $EDITOR with the line"),
    ("Ctrl-L", "clears the screen"),
    ("Ctrl-Z", "stops the program, and the line if you host it; fg goes on"),
    ("Ctrl-C", "empties the line; twice on an empty line leaves"),
    ("Ctrl-D", "leaves, on an empty line"),
];

/// Returns the lines of `/help keys`.
pub(super) fn help() -> Vec<String> {
    KEYS.iter().map(|(keys, what)| format!("{keys}: {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyboard::decoder::KeyDecoder;

    /// Returns the actions that the bytes of a real terminal mean.
    fn actions(bytes: &str) -> Vec<Action> {
        let (mut decoder, mut keys, mut events) = (KeyDecoder::default(), Keymap::default(), Vec::new());
        decoder.take(bytes.as_bytes(), 0, &mut events);
        decoder.time_passed(1_000, &mut events);
        events.into_iter().filter_map(|event| keys.action(event)).collect()
    }

    #[test]
    fn keys_mean_what_they_mean_in_a_shell() {
        let insert = |text: &str| Action::Insert(text.into());
        for (bytes, action) in [
            ("A", insert("A")),
            ("7", insert("7")),
            ("/", insert("/")),
            ("\r", Action::Enter),
            ("\n", insert("\n")),
            ("\x1b\r", insert("\n")),
            ("\x1b[13;2u", insert("\n")),
            ("\t", Action::Complete),
            ("\x1b[Z", Action::CompleteBack),
            ("\x1b", Action::Cancel),
            ("\x07", Action::Cancel),
            ("\x12", Action::Search),
            ("\x1f", Action::Undo),
            ("\x1b_", Action::Undo),
            ("\x1b/", Action::Redo),
            ("\x1b\x1f", Action::Redo),
            ("\x1by", Action::RotateCut),
            ("\x1b1", Action::GoRoom(1)),
            ("\x1b9", Action::GoRoom(9)),
            ("\x1b[1;3D", Action::GoRoomBefore),
            ("\x1b[1;3A", Action::GoRoomBefore),
            ("\x1b\x1b[C", Action::GoRoomAfter),
            ("\x1b\x1bOB", Action::GoRoomAfter),
            ("\x1b[1;5D", Action::Go(Motion::WordLeft)),
            ("\x1bf", Action::Go(Motion::WordRight)),
            ("\x1b[1;5H", Action::Go(Motion::TextStart)),
            ("\x1b[1;5F", Action::Go(Motion::TextEnd)),
            ("\x1b\x7f", Action::Cut(Motion::WordLeft)),
            ("\x17", Action::Cut(Motion::SpaceLeft)),
            ("\x1a", Action::Suspend),
            ("\x18\x05", Action::OpenEditor),
            ("\x1be", Action::OpenEditor),
            ("\x1b[I", Action::FocusGained),
            ("\x1b[O", Action::FocusLost),
        ] {
            assert_eq!(actions(bytes), [action], "{bytes:?}");
        }
    }

    #[test]
    fn keys_without_a_meaning_type_nothing() {
        for bytes in ["\x14", "\x1b[5~", "\x1b[6~", "\x1b[11~", "\x1b0", "\x1bx", "\x18", "\x1b\x01", "\x00"] {
            assert_eq!(actions(bytes), [], "{bytes:?}");
        }
    }

    #[test]
    fn a_chord_that_is_none_loses_no_key() {
        let go_end = Action::Go(Motion::End);
        assert_eq!(actions("\x18a"), [Action::Insert("a".into())]);
        assert_eq!(actions("\x18a\x05"), [Action::Insert("a".into()), go_end.clone()]);
        assert_eq!(actions("\x18\x18\x05"), [Action::OpenEditor]);
        assert_eq!(actions("\x18\x05\x05"), [Action::OpenEditor, go_end.clone()]);
        assert_eq!(actions("\x18\x1b[I\x05"), [Action::FocusGained, Action::OpenEditor], "the window is no key");
        assert_eq!(actions("\x18\x1b\x05"), [], "nor is Ctrl-Alt-E the second half");
        assert_eq!(actions("\x05"), [go_end]);
    }
}
