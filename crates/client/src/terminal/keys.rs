//! What a key, a paste or a resize means.

use super::editor::Motion;
use super::keyboard::event::{Code, Key, TerminalEvent};

/// What the user wants of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Put this at the cursor.
    Insert(String),
    /// Put a paste at the cursor; it never sends and its empty lines never leave.
    Paste(String),
    /// Send the line, or, if it is empty, leave a little.
    Enter,
    Go(Motion),
    Remove(Motion),
    Cut(Motion),
    PasteCut,
    Up,
    Down,
    /// Ctrl-D: leave if the line is empty, else remove to the right.
    RemoveOrLeave,
    /// Ctrl-C: clear the line, else ask, else leave.
    Interrupt,
    /// Ctrl-L: clear the screen.
    Clear,
    Resize {
        columns: u16,
        rows: u16,
    },
}

/// The meaning of a terminal event; `None` if it has none.
pub(crate) fn action(event: TerminalEvent) -> Option<Action> {
    match event {
        TerminalEvent::Key(key) => key_action(key),
        TerminalEvent::Paste(paste) => Some(Action::Paste(paste.text)),
        TerminalEvent::Resized { columns, rows } => Some(Action::Resize { columns, rows }),
        _ => None,
    }
}

fn key_action(key: Key) -> Option<Action> {
    let Key { control, alt, .. } = key;
    Some(match key.code {
        Code::Char(_) if control && alt => return None,
        Code::Char(c) if !control && !alt => Action::Insert(c.to_string()),
        Code::Char(c) if control => return control_action(c),
        Code::Char('b') => Action::Go(Motion::WordLeft),
        Code::Char('f') => Action::Go(Motion::WordRight),
        Code::Char('d') => Action::Cut(Motion::WordRight),
        Code::Enter if alt => Action::Insert("\n".to_owned()),
        Code::Enter => Action::Enter,
        Code::Backspace if alt || control => Action::Cut(Motion::WordLeft),
        Code::Backspace => Action::Remove(Motion::Left),
        Code::Delete => Action::Remove(Motion::Right),
        Code::Left if alt || control => Action::Go(Motion::WordLeft),
        Code::Right if alt || control => Action::Go(Motion::WordRight),
        Code::Left => Action::Go(Motion::Left),
        Code::Right => Action::Go(Motion::Right),
        Code::Home => Action::Go(Motion::Home),
        Code::End => Action::Go(Motion::End),
        Code::Up => Action::Up,
        Code::Down => Action::Down,
        _ => return None,
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
        'w' => Action::Cut(Motion::WordLeft),
        'y' => Action::PasteCut,
        'h' => Action::Remove(Motion::Left),
        'd' => Action::RemoveOrLeave,
        'c' => Action::Interrupt,
        'l' => Action::Clear,
        'p' => Action::Up,
        'n' => Action::Down,
        // A terminal's line feed: what Alt-Enter or Shift-Enter sends in some, and never the Enter key in raw mode.
        'j' => Action::Insert("\n".to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: impl Into<Key>) -> Option<Action> {
        action(TerminalEvent::Key(key.into()))
    }

    #[test]
    fn letters_type_and_chords_do_not() {
        assert_eq!(key(Code::Char('A')), Some(Action::Insert("A".into())));
        assert_eq!(key(Key::control(Code::Char('x'))), None);
        assert_eq!(key(Key::alt(Code::Char('x'))), None);
        assert_eq!(key(Key { alt: true, ..Key::control(Code::Char('7')) }), None);
        assert_eq!(key(Key::alt(Code::Char('b'))), Some(Action::Go(Motion::WordLeft)));
        assert_eq!(key(Key::alt(Code::Enter)), Some(Action::Insert("\n".into())));
        assert_eq!(key(Code::Enter), Some(Action::Enter));
    }
}
