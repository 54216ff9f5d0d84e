//! What a key, a paste or a resize means.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::editor::Motion;

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
pub(crate) fn action(event: Event) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_action(key),
        Event::Paste(text) => Some(Action::Paste(text)),
        Event::Resize(columns, rows) => Some(Action::Resize { columns, rows }),
        _ => None,
    }
}

fn key_action(key: KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    Some(match key.code {
        // AltGr arrives as both, and types.
        KeyCode::Char(c) if control == alt => Action::Insert(c.to_string()),
        KeyCode::Char(c) if control => return control_action(c),
        KeyCode::Char('b') => Action::Go(Motion::WordLeft),
        KeyCode::Char('f') => Action::Go(Motion::WordRight),
        KeyCode::Char('d') => Action::Cut(Motion::WordRight),
        KeyCode::Enter if alt => Action::Insert("\n".to_owned()),
        KeyCode::Enter => Action::Enter,
        KeyCode::Backspace if alt || control => Action::Cut(Motion::WordLeft),
        KeyCode::Backspace => Action::Remove(Motion::Left),
        KeyCode::Delete => Action::Remove(Motion::Right),
        KeyCode::Left if alt || control => Action::Go(Motion::WordLeft),
        KeyCode::Right if alt || control => Action::Go(Motion::WordRight),
        KeyCode::Left => Action::Go(Motion::Left),
        KeyCode::Right => Action::Go(Motion::Right),
        KeyCode::Home => Action::Go(Motion::Home),
        KeyCode::End => Action::Go(Motion::End),
        KeyCode::Up => Action::Up,
        KeyCode::Down => Action::Down,
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

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn letters_type_and_chords_do_not() {
        assert_eq!(key(KeyCode::Char('A'), KeyModifiers::SHIFT), Some(Action::Insert("A".into())));
        let alt_graph = KeyModifiers::CONTROL | KeyModifiers::ALT;
        assert_eq!(key(KeyCode::Char('@'), alt_graph), Some(Action::Insert("@".into())));
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::CONTROL), None);
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::ALT), None);
        assert_eq!(key(KeyCode::Char('b'), KeyModifiers::ALT), Some(Action::Go(Motion::WordLeft)));
        assert_eq!(key(KeyCode::Enter, KeyModifiers::ALT), Some(Action::Insert("\n".into())));
        assert_eq!(key(KeyCode::Enter, KeyModifiers::NONE), Some(Action::Enter));
        assert_eq!(key(KeyCode::F(1), KeyModifiers::NONE), None);
    }

    #[test]
    fn a_released_key_does_nothing() {
        let mut released = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(action(Event::Key(released)), None);
    }
}
