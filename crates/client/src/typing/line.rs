//! The line being typed, and the bytes that make a terminal show it. Pure.
//!
//! It is edited as the system's own line is: at its end only, and nothing is drawn again.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use crate::commands::concealed;
use crate::keyboard::event::{Code, Key, TerminalEvent};
use crate::line_splitter::InputLine;
use crate::rows::columns;

const BELL: &str = "\x07";
/// Removes the character before the cursor, as the system does.
const ERASE: &str = "\x08 \x08";

#[derive(Debug)]
pub(crate) struct TypedLine {
    text: String,
    bytes_max: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyOutcome {
    /// The line is longer, shorter or as it was.
    Nothing,
    Line(InputLine),
    /// The input has ended.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Something came that is no text.
    NotUtf8,
}

impl TypedLine {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { text: String::new(), bytes_max }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text typed so far as it may be shown: of a secret only its length.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        concealed(&self.text, 0).0
    }

    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Takes a key, and adds what the terminal must be sent.
    pub(crate) fn press(&mut self, event: TerminalEvent, echo: &mut String) -> KeyOutcome {
        let key = match event {
            TerminalEvent::Key(key) => key,
            TerminalEvent::Paste(paste) => {
                self.insert(&paste.text.replace(['\r', '\n'], " "), echo);
                return KeyOutcome::Nothing;
            }
            TerminalEvent::NotUtf8 => return KeyOutcome::NotUtf8,
            TerminalEvent::FocusGained
            | TerminalEvent::FocusLost
            | TerminalEvent::Resized { .. }
            | TerminalEvent::Resumed => return KeyOutcome::Nothing,
        };
        match key {
            Key { code: Code::Enter, .. } | Key { code: Code::Char('j' | 'm'), control: true, .. } => {
                echo.push('\n');
                return KeyOutcome::Line(InputLine::Text(self.take()));
            }
            Key { code: Code::Char('d'), control: true, .. } if self.text.is_empty() => return KeyOutcome::End,
            Key { code: Code::Char('z'), control: true, .. } => return KeyOutcome::Suspend,
            Key { code: Code::Char('u'), control: true, .. } => self.erase_to(0, echo),
            Key { code: Code::Char('w'), control: true, .. } => {
                let before = self.text.trim_end().char_indices().rev().find(|(_, c)| c.is_whitespace());
                let word = before.map_or(0, |(at, c)| at + c.len_utf8());
                self.erase_to(word, echo);
            }
            Key { code: Code::Backspace, .. } | Key { code: Code::Char('h'), control: true, .. } => {
                let last = self.text.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
                self.erase_to(last, echo);
            }
            Key { code: Code::Char(c), control: false, alt: false, .. } => {
                self.insert(c.encode_utf8(&mut [0; 4]), echo);
            }
            Key { code: Code::Tab, .. } => self.insert(" ", echo),
            _ => {}
        }
        KeyOutcome::Nothing
    }

    fn insert(&mut self, text: &str, echo: &mut String) {
        if self.text.len() + text.len() > self.bytes_max {
            echo.push_str(BELL);
            return;
        }
        let before = self.shown().chars().count();
        self.text.push_str(&glassline_wire::visible::one_line(text));
        echo.extend(self.shown().chars().skip(before));
    }

    fn erase_to(&mut self, at: usize, echo: &mut String) {
        let before = columns::of(&self.shown());
        self.text.truncate(at);
        echo.push_str(&ERASE.repeat(before.saturating_sub(columns::of(&self.shown()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut TypedLine, keys: &[Key]) -> (Vec<KeyOutcome>, String) {
        let mut echo = String::new();
        let typed = keys.iter().map(|&key| line.press(TerminalEvent::Key(key), &mut echo)).collect();
        (typed, echo)
    }

    fn text(text: &str) -> Vec<Key> {
        text.chars().map(|c| Code::Char(c).into()).collect()
    }

    #[test]
    fn a_line_is_echoed_erased_and_finished() {
        let mut line = TypedLine::new(100);
        assert_eq!(press(&mut line, &text("ab 漢")).1, "ab 漢");
        assert_eq!(press(&mut line, &[Code::Backspace.into()]).1, ERASE.repeat(2));
        assert_eq!(press(&mut line, &text("cd ")).1, "cd ");
        assert_eq!(press(&mut line, &[Key::control(Code::Char('w'))]).1, ERASE.repeat(3));
        assert_eq!(line.shown(), "ab ");
        assert_eq!(press(&mut line, &[Key::control(Code::Char('d'))]).0, [KeyOutcome::Nothing]);
        let (typed, echo) = press(&mut line, &[Code::Enter.into()]);
        assert_eq!((typed, echo.as_str()), (vec![KeyOutcome::Line(InputLine::Text("ab ".into()))], "\n"));
        press(&mut line, &text("xyz"));
        assert_eq!(press(&mut line, &[Key::control(Code::Char('u'))]).1, ERASE.repeat(3));
        let rest = [Code::Backspace.into(), Code::Up.into(), Key::alt(Code::Char('x')), Key::control(Code::Char('w'))];
        assert_eq!(press(&mut line, &rest), ((0..4).map(|_| KeyOutcome::Nothing).collect(), String::new()));
        assert_eq!(press(&mut line, &[Key::control(Code::Char('d'))]).0, [KeyOutcome::End]);
    }

    #[test]
    fn of_a_secret_only_its_length_is_echoed() {
        let mut line = TypedLine::new(100);
        assert_eq!(press(&mut line, &text("/op s漢")).1, "/op ••");
        assert_eq!(press(&mut line, &[Code::Backspace.into()]).1, ERASE);
        assert_eq!(line.shown(), "/op •");
        let (typed, _) = press(&mut line, &[Code::Enter.into()]);
        assert_eq!(typed, [KeyOutcome::Line(InputLine::Text("/op s".into()))]);
    }

    #[test]
    fn a_line_is_bounded() {
        let mut line = TypedLine::new(5);
        assert_eq!(press(&mut line, &text("123456")).1, "12345\x07");
        assert_eq!(line.shown(), "12345");
    }
}
