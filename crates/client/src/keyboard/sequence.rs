//! Meaning of one complete sequence of bytes.

use terminput::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::event::{Code, Key, TerminalEvent};

/// End, as one setting of `PuTTY` sends it, and the 7 of a keypad in application mode.
pub(super) const PUTTY_END: &[u8] = b"\x1bOw";

/// Returns true for what only a keypad in application mode sends.
pub(super) fn is_of_keypad(sequence: &[u8]) -> bool {
    matches!(sequence, [0x1b, b'O', b'M' | b'j'..=b'y']) && sequence != PUTTY_END
}

/// Returns the event that these bytes stand for; `None` if they have no meaning here.
pub(super) fn event(sequence: &[u8]) -> Option<TerminalEvent> {
    // The mouse was never asked for, and the parser subtracts from a report's numbers unchecked.
    if matches!(sequence, [0x1b, b'[', b'<', ..] | [0x1b, b'[', .., b'M' | b'm']) {
        return None;
    }
    if let Some(key) = of_other_terminals(sequence) {
        return Some(TerminalEvent::Key(key));
    }
    match Event::parse_from(sequence).ok()?? {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(event).map(TerminalEvent::Key),
        Event::FocusGained => Some(TerminalEvent::FocusGained),
        Event::FocusLost => Some(TerminalEvent::FocusLost),
        _ => None,
    }
}

/// Sequences that xterm does not send: rxvt's with Ctrl and Shift, and the keypad of a terminal in
/// application mode.
fn of_other_terminals(sequence: &[u8]) -> Option<Key> {
    let plain = |code: Code| Key::from(code);
    let control = |code: Code| Key { control: true, ..code.into() };
    let shift = |code: Code| Key { shift: true, ..code.into() };
    let arrow = |letter: u8| match letter.to_ascii_lowercase() {
        b'a' => Code::Up,
        b'b' => Code::Down,
        b'c' => Code::Right,
        _ => Code::Left,
    };
    let editing = |number: u8| match number {
        b'1' | b'7' => Some(Code::Home),
        b'3' => Some(Code::Delete),
        b'4' | b'8' => Some(Code::End),
        _ => None,
    };
    Some(match *sequence {
        [0x1b, b'O', letter @ b'a'..=b'd'] => control(arrow(letter)),
        [0x1b, b'[', letter @ b'a'..=b'd'] => shift(arrow(letter)),
        [0x1b, b'[', number, b'^'] => control(editing(number)?),
        [0x1b, b'[', number, b'$'] => shift(editing(number)?),
        [0x1b, b'[', number, b'@'] => Key { shift: true, ..control(editing(number)?) },
        [0x1b, b'[' | b'O', b'Z'] => shift(Code::Tab),
        [0x1b, b'O', b'M'] => plain(Code::Enter),
        [0x1b, b'O', b'I'] => plain(Code::Tab),
        [0x1b, b'O', b' '] => plain(Code::Char(' ')),
        [0x1b, b'O', b'X'] => plain(Code::Char('=')),
        // `*` to `9`, as the digits and signs of ASCII, 64 places on.
        [0x1b, b'O', sign @ b'j'..=b'y'] => plain(Code::Char(char::from(sign - 64))),
        // With a modifier, as `ESC O 5 D`, and as `ESC [ 5 D`.
        [0x1b, b'O' | b'[', number @ b'2'..=b'8', letter @ (b'A'..=b'D' | b'F' | b'H')] => {
            let held = number - b'1';
            let code = match letter {
                b'F' => Code::End,
                b'H' => Code::Home,
                letter => arrow(letter),
            };
            Key { code, shift: held & 1 != 0, alt: held & 2 != 0, control: held & 4 != 0 }
        }
        _ => return None,
    })
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
