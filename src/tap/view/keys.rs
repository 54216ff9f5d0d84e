//! Keys with their actions, and the help made from the same table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::input_line::Edit;

/// Action that the user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Quit,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    /// Opens the selected frame, or takes the line that is typed.
    Enter,
    /// Leaves what is open.
    Escape,
    Filter,
    Search,
    SearchNext,
    SearchPrevious,
    Jump,
    Pause,
    Connections,
    Hold,
    EditText,
    EditPayload,
    Pass,
    Drop,
    Help,
    Type(Edit),
}

/// A key of the list of frames: as it is written, its code, what it does, and the words for the help.
type Binding = (&'static str, KeyCode, Action, &'static str);

const BINDINGS: &[Binding] = &[
    ("Up, k", KeyCode::Up, Action::Up, "the observation above"),
    ("Down, j", KeyCode::Down, Action::Down, "the observation below"),
    ("PageUp", KeyCode::PageUp, Action::PageUp, "a page up"),
    ("PageDown", KeyCode::PageDown, Action::PageDown, "a page down"),
    ("Home", KeyCode::Home, Action::First, "the oldest observation that is kept"),
    ("End, G", KeyCode::End, Action::Last, "the newest, and follow what comes"),
    ("Enter", KeyCode::Enter, Action::Enter, "open a frame, its bytes beside its fields; other rows in full"),
    ("Esc", KeyCode::Esc, Action::Escape, "close what is open; in the list, remove filter and problem"),
    ("f", KeyCode::Char('f'), Action::Filter, "filter"),
    ("/", KeyCode::Char('/'), Action::Search, "search; takes the terms of the filter"),
    ("n", KeyCode::Char('n'), Action::SearchNext, "search on, towards the newest"),
    ("N", KeyCode::Char('N'), Action::SearchPrevious, "search on, towards the oldest"),
    (":", KeyCode::Char(':'), Action::Jump, "jump to a frame (3>12, 3<12) or a time (14:02:03)"),
    ("Space", KeyCode::Char(' '), Action::Pause, "pause the view, not the line; again to go on"),
    ("c", KeyCode::Char('c'), Action::Connections, "more or fewer connections"),
    ("h", KeyCode::Char('h'), Action::Hold, "hold frames that match a filter, or all; again to stop"),
    ("e", KeyCode::Char('e'), Action::EditText, "held frame: edit its text; Enter forwards it, Esc leaves it held"),
    ("E", KeyCode::Char('E'), Action::EditPayload, "held frame: edit the whole payload"),
    ("p", KeyCode::Char('p'), Action::Pass, "held frame: forward it unchanged"),
    ("d", KeyCode::Char('d'), Action::Drop, "held frame: drop it"),
    ("?", KeyCode::Char('?'), Action::Help, "this help"),
    ("q, Ctrl-C", KeyCode::Char('q'), Action::Quit, "end the tap, which ends its connections"),
];

/// Second keys for some actions.
const SYNONYMS: &[(KeyCode, Action)] = &[
    (KeyCode::Char('k'), Action::Up),
    (KeyCode::Char('j'), Action::Down),
    (KeyCode::Char('G'), Action::Last),
    (KeyCode::F(1), Action::Help),
];

/// Returns the keys and what they do, for the help.
pub(super) fn help() -> impl Iterator<Item = (&'static str, &'static str)> {
    BINDINGS.iter().map(|(keys, _, _, words)| (*keys, *words))
}

/// Returns what a key asks for; `is_typing` while a line is open.
pub(super) fn action(key: KeyEvent, is_typing: bool) -> Option<Action> {
    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
    if has_control && key.code == KeyCode::Char('c') {
        return Some(Action::Quit);
    }
    if is_typing {
        return typed(key.code, has_control);
    }
    if has_control || key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let bound = BINDINGS.iter().find(|(_, code, _, _)| *code == key.code).map(|(_, _, action, _)| action);
    let synonym = || SYNONYMS.iter().find(|(code, _)| *code == key.code).map(|(_, action)| action);
    bound.or_else(synonym).cloned()
}

fn typed(code: KeyCode, has_control: bool) -> Option<Action> {
    let edit = match (code, has_control) {
        (KeyCode::Enter, _) => return Some(Action::Enter),
        (KeyCode::Esc, _) => return Some(Action::Escape),
        (KeyCode::Char('w'), true) => Edit::DeleteWord,
        (KeyCode::Char('u'), true) => Edit::DeleteToStart,
        (KeyCode::Char('a'), true) | (KeyCode::Home, _) => Edit::Home,
        (KeyCode::Char('e'), true) | (KeyCode::End, _) => Edit::End,
        // With Ctrl it is no letter.
        (KeyCode::Char(character), false) => Edit::Insert(character.to_string()),
        (KeyCode::Backspace, _) => Edit::Backspace,
        (KeyCode::Delete, _) => Edit::Delete,
        (KeyCode::Left, _) => Edit::Left,
        (KeyCode::Right, _) => Edit::Right,
        _ => return None,
    };
    Some(Action::Type(edit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_bound_twice() {
        let codes = || BINDINGS.iter().map(|(_, code, _, _)| code).chain(SYNONYMS.iter().map(|(code, _)| code));
        for code in codes() {
            assert_eq!(codes().filter(|other| *other == code).count(), 1, "{code:?}");
        }
    }

    #[test]
    fn keys_are_letters_while_a_line_is_typed() {
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(q, false), Some(Action::Quit));
        assert_eq!(action(q, true), Some(Action::Type(Edit::Insert("q".into()))));
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!((action(control_c, true), action(control_c, false)), (Some(Action::Quit), Some(Action::Quit)));
    }
}
