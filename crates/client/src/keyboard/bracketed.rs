//! A bracketed paste on its way in: bounded, and found to end however its bytes are sliced.

use std::borrow::Cow;

use super::event::{Paste, PasteEnd};

/// Sequence that a terminal sends before a paste.
pub(super) const PASTE_START: &[u8] = b"\x1b[200~";
/// And after it.
pub(super) const PASTE_END: &[u8] = b"\x1b[201~";
/// More than is read in a chat; longer text is cut off.
pub(super) const PASTE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct BracketedPaste {
    bytes: Vec<u8>,
    /// So many bytes of the end have come.
    end_bytes: usize,
    is_cut: bool,
}

impl BracketedPaste {
    /// Takes the next byte; whether it was the last one of the end.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        if byte == PASTE_END[self.end_bytes] {
            self.end_bytes += 1;
            return self.end_bytes == PASTE_END.len();
        }
        // It only looked like the end. Only the end's first byte can begin it anew, as no other is
        // the same.
        for &kept in &PASTE_END[..std::mem::take(&mut self.end_bytes)] {
            self.keep(kept);
        }
        if byte == PASTE_END[0] {
            self.end_bytes = 1;
        } else {
            self.keep(byte);
        }
        false
    }

    fn keep(&mut self, byte: u8) {
        if self.bytes.len() < PASTE_BYTES_MAX {
            self.bytes.push(byte);
        } else {
            self.is_cut = true;
        }
    }

    pub(super) fn finish(self) -> Paste {
        let end = match (self.is_cut, self.end_bytes == PASTE_END.len()) {
            (true, _) => PasteEnd::TooLong,
            (false, true) => PasteEnd::Whole,
            (false, false) => PasteEnd::Unfinished,
        };
        let mut bytes = self.bytes;
        if end != PasteEnd::Whole
            && let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            // The cut went through a character.
            bytes.truncate(error.valid_up_to());
        }
        let text = String::from_utf8_lossy(&bytes);
        Paste { is_damaged: matches!(text, Cow::Owned(_)), text: text.into_owned(), end }
    }
}
