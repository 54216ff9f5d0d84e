//! What one complete sequence of bytes says.

use terminput::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::event::{Code, Key, TerminalEvent};

/// The event that these bytes are; `None` if they are none that means anything here.
pub(super) fn event(sequence: &[u8]) -> Option<TerminalEvent> {
    // The mouse was never asked for, and the parser subtracts from a report's numbers unchecked.
    if matches!(sequence, [0x1b, b'[', b'<', ..] | [0x1b, b'[', .., b'M' | b'm']) {
        return None;
    }
    match Event::parse_from(sequence).ok()?? {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(event).map(TerminalEvent::Key),
        Event::FocusGained => Some(TerminalEvent::FocusGained),
        Event::FocusLost => Some(TerminalEvent::FocusLost),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.modifiers.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER) {
        return None;
    }
    let code = match event.code {
        KeyCode::Char(c) if !c.is_control() => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Tab => Code::Tab,
        KeyCode::Esc => Code::Escape,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        _ => return None,
    };
    Some(Key {
        code,
        control: event.modifiers.contains(KeyModifiers::CTRL),
        alt: event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META),
        shift: event.modifiers.contains(KeyModifiers::SHIFT),
    })
}
