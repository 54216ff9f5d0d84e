//! Reports of a terminal, independent of system and encoding.

/// Hint for a user whose terminal sent bytes that are no text.
pub(crate) const NOT_UTF8: &str =
    "a key sent what is not UTF-8, and it was dropped; set the terminal's encoding to UTF-8";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TerminalEvent {
    Key(Key),
    Paste(Paste),
    /// Bytes that are no text in UTF-8.
    NotUtf8,
    FocusGained,
    FocusLost,
    Resized {
        columns: u16,
        rows: u16,
    },
    /// The process was stopped and continues: the terminal may be in any state.
    #[cfg_attr(not(unix), allow(dead_code, reason = "a signal says so"))]
    Resumed,
}

impl TerminalEvent {
    /// Returns whether it came by the keyboard's way, so that no key is read until more is
    /// requested of its reader.
    pub(crate) fn is_typed(&self) -> bool {
        !matches!(self, Self::Resized { .. } | Self::Resumed)
    }
}

/// A key that was pressed, with what was held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) code: Code,
    pub(crate) control: bool,
    pub(crate) alt: bool,
    pub(crate) shift: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Never a control character.
    Char(char),
    Enter,
    Backspace,
    Delete,
    Tab,
    Escape,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
}

impl From<Code> for Key {
    fn from(code: Code) -> Self {
        Self { code, control: false, alt: false, shift: false }
    }
}

#[cfg(test)]
impl Key {
    pub(crate) fn control(code: Code) -> Self {
        Self { control: true, ..code.into() }
    }

    pub(crate) fn alt(code: Code) -> Self {
        Self { alt: true, ..code.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paste {
    pub(crate) text: String,
    pub(crate) end: PasteEnd,
    /// It had invalid UTF-8, replaced by U+FFFD.
    pub(crate) is_damaged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasteEnd {
    /// Complete.
    Whole,
    /// Its end never arrived; the text is what did.
    Unfinished,
    /// It was longer than is taken; the text is its beginning.
    TooLong,
}
