//! Handling of pastes: a long one is not inserted until the user has chosen what to do.

use std::collections::VecDeque;

use crate::commands::check_text;
use crate::keyboard::event::{Paste, PasteEnd};
use crate::terminal::editing::editor;
use crate::terminal::keymap::Action;
use crate::terminal::keymap::Motion;

/// Lines that are pasted without a question.
const UNASKED_LINES_MAX: usize = 5;
/// Of several pastes that are asked about as one.
const APPENDED_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) enum PasteHandling {
    /// Insert it, and show this hint.
    Insert(String, Option<&'static str>),
    Ask(PasteQuestion),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PasteLimits {
    /// Of one message.
    pub(crate) message_bytes_max: usize,
    /// Bytes in the input already.
    pub(crate) input_bytes: usize,
}

/// A paste that waits for an answer.
#[derive(Debug)]
pub(crate) struct PasteQuestion {
    text: String,
    end: PasteEnd,
    is_damaged: bool,
    lines: usize,
    /// Reason why it cannot be sent as it is: a line of it is a private command.
    private_line: Option<String>,
    limits: PasteLimits,
    /// Characters typed since: an answer, or text meant for another recipient.
    typed: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PasteChoice {
    /// Send it as one message. It is text even if it begins with a slash.
    Send(String),
    /// Send these lines one after the other. They are text, also those that begin with a slash.
    SendLines(VecDeque<String>),
    Edit(String),
    Drop,
}

pub(crate) fn classify(paste: &Paste, limits: PasteLimits) -> PasteHandling {
    let text = editor::cleaned(&paste.text);
    let lines = lines_of(&text);
    let private_line = check_text(&text).err();
    let (end, is_damaged) = (paste.end, paste.is_damaged);
    let question = PasteQuestion { text, end, is_damaged, lines, private_line, limits, typed: String::new() };
    if lines > UNASKED_LINES_MAX || !question.is_editable() {
        return PasteHandling::Ask(question);
    }
    let notice = match question.end {
        PasteEnd::Whole if is_damaged => Some("not all of the paste was UTF-8; \u{fffd} stands for what was not"),
        PasteEnd::Whole => None,
        PasteEnd::Unfinished => Some("the end of the paste never came"),
        PasteEnd::TooLong => Some("the paste was too long; this is its beginning"),
    };
    PasteHandling::Insert(question.text, notice)
}

fn lines_of(text: &str) -> usize {
    text.trim_end_matches('\n').split('\n').count()
}

impl PasteQuestion {
    /// The question, to be shown above what is typed.
    pub(crate) fn prompt(&self) -> String {
        let lines = if self.lines == 1 { "1 line".to_owned() } else { format!("{} lines", self.lines) };
        let what = match self.end {
            PasteEnd::Whole if self.is_damaged => {
                format!("paste of {lines}, in which \u{fffd} stands for what is not UTF-8")
            }
            PasteEnd::Whole => format!("paste of {lines}"),
            PasteEnd::Unfinished => format!("paste of {lines}, the end of which never came"),
            PasteEnd::TooLong => format!("paste of {lines}, cut off after {} KiB", self.text.len().div_ceil(1024)),
        };
        let mut offers = Vec::new();
        let mut why = String::new();
        if let Some(private_line) = &self.private_line {
            why = format!(" {private_line};");
        } else if self.is_sendable() {
            offers.push("s sends it as one message");
        } else if !self.is_blank() {
            let PasteLimits { message_bytes_max, .. } = self.limits;
            why = format!(" it has {} bytes, a message at most {message_bytes_max};", self.text.len());
        }
        if self.is_sendable_by_line() {
            offers.push(if self.is_sendable() { "l line by line" } else { "l sends it line by line" });
        }
        if self.is_editable() {
            offers.push("e puts it into the line to edit");
        }
        let enter = if offers.is_empty() { "" } else { ", each with Enter;" };
        format!("{what}:{why} {}{enter} Esc drops it", offers.join(", "))
    }

    /// Returns the answer that a key gives; `None` if it is no answer yet, and the question stays.
    ///
    /// A letter alone is no answer: the user may have been in the middle of a word.
    pub(crate) fn answer(&mut self, action: &Action) -> Option<PasteChoice> {
        match action {
            Action::Cancel | Action::Interrupt => return Some(PasteChoice::Drop),
            Action::Insert(text) if self.typed.len() + text.len() <= editor::TEXT_BYTES_MAX => {
                self.typed.push_str(text);
            }
            Action::Remove(Motion::Left) => drop(self.typed.pop()),
            Action::Enter => return self.chosen(),
            _ => {}
        }
        None
    }

    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    pub(crate) fn append(&mut self, paste: &Paste) {
        self.text.push_str(&editor::cleaned(&paste.text));
        self.text.truncate(self.text.floor_char_boundary(APPENDED_BYTES_MAX));
        self.lines = lines_of(&self.text);
        self.private_line = check_text(&self.text).err();
        self.is_damaged |= paste.is_damaged;
        if paste.end != PasteEnd::Whole {
            self.end = paste.end;
        }
    }

    fn chosen(&self) -> Option<PasteChoice> {
        match self.typed.trim().to_lowercase().as_str() {
            "s" if self.is_sendable() => Some(PasteChoice::Send(self.text.trim_end_matches('\n').to_owned())),
            "l" if self.is_sendable_by_line() => {
                let lines = self.text.split('\n').filter(|line| !line.trim().is_empty());
                Some(PasteChoice::SendLines(lines.map(str::to_owned).collect()))
            }
            "e" if self.is_editable() => Some(PasteChoice::Edit(self.text.clone())),
            _ => None,
        }
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_sendable(&self) -> bool {
        self.is_sendable_by_line() && self.text.trim_end_matches('\n').len() <= self.limits.message_bytes_max
    }

    fn is_sendable_by_line(&self) -> bool {
        !self.is_blank() && self.private_line.is_none()
    }

    fn is_editable(&self) -> bool {
        self.limits.input_bytes + self.text.len() <= editor::TEXT_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::pending_paste::PendingPaste;

    const LIMITS: PasteLimits = PasteLimits { message_bytes_max: 100, input_bytes: 0 };

    fn paste(text: &str, end: PasteEnd) -> Paste {
        Paste { text: text.to_owned(), end, is_damaged: false }
    }

    #[track_caller]
    fn asked(text: &str, end: PasteEnd, limits: PasteLimits) -> PasteQuestion {
        match classify(&paste(text, end), limits) {
            PasteHandling::Ask(question) => question,
            PasteHandling::Insert(..) => panic!("not asked"),
        }
    }

    fn press(question: &PasteQuestion, key: &str) -> Option<PasteChoice> {
        let mut question = PasteQuestion {
            text: question.text.clone(),
            private_line: question.private_line.clone(),
            typed: String::new(),
            ..*question
        };
        assert_eq!(question.answer(&Action::Insert(key.into())), None, "a letter alone answers nothing");
        question.answer(&Action::Enter)
    }

    #[test]
    fn a_short_paste_is_inserted() {
        for (text, end, expected, notice) in [
            ("one\rtwo", PasteEnd::Whole, "one\ntwo", false),
            ("1\r\n2\r\n3\r\n4\r\n5\r\n", PasteEnd::Whole, "1\n2\n3\n4\n5\n", false),
            ("one", PasteEnd::Unfinished, "one", true),
        ] {
            let PasteHandling::Insert(inserted, words) = classify(&paste(text, end), LIMITS) else { panic!("asked") };
            assert_eq!((inserted.as_str(), words.is_some()), (expected, notice));
        }
    }

    #[test]
    fn a_long_one_is_asked_about_and_answered() {
        let mut question = asked("/1\n\n\n4\n5\n6\n", PasteEnd::Whole, LIMITS);
        assert_eq!(
            question.prompt(),
            "paste of 6 lines: s sends it as one message, l line by line, e puts it into the line to edit, \
             each with Enter; Esc drops it"
        );
        assert_eq!(press(&question, "S"), Some(PasteChoice::Send("/1\n\n\n4\n5\n6".into())));
        assert_eq!(press(&question, "e"), Some(PasteChoice::Edit("/1\n\n\n4\n5\n6\n".into())));
        assert_eq!(question.answer(&Action::Cancel), Some(PasteChoice::Drop));
        assert_eq!(question.answer(&Action::Interrupt), Some(PasteChoice::Drop));
        for other in [Action::Enter, Action::Insert("so".into()), Action::FocusLost, Action::Enter] {
            assert_eq!(question.answer(&other), None);
        }
        assert_eq!(question.typed(), "so");
        question.answer(&Action::Remove(Motion::Left));
        assert!(matches!(question.answer(&Action::Enter), Some(PasteChoice::Send(_))));
    }

    #[test]
    fn a_paste_with_a_private_command_is_not_sent() {
        for line in ["/msg bob the secret", "\u{200b}/op token", " ／reply x", "/R x"] {
            let question = asked(&format!("1\n2\n3\n4\n5\n{line}"), PasteEnd::Whole, LIMITS);
            assert_eq!((press(&question, "s"), press(&question, "l")), (None, None), "{line}");
            let prompt = question.prompt();
            assert!(prompt.contains("line 6 begins with /") && !prompt.contains("secret"), "{prompt}");
            assert!(matches!(press(&question, "e"), Some(PasteChoice::Edit(_))));
        }
    }

    #[test]
    fn a_second_paste_is_more_of_the_first() {
        let mut question = asked("1\n2\n3\n4\n5\n6\n", PasteEnd::Whole, LIMITS);
        question.append(&paste("7\n8", PasteEnd::Unfinished));
        assert!(
            question.prompt().starts_with("paste of 8 lines, the end of which never came"),
            "{}",
            question.prompt()
        );
        assert_eq!(press(&question, "e"), Some(PasteChoice::Edit("1\n2\n3\n4\n5\n6\n7\n8".into())));
    }

    #[test]
    fn lines_are_sent_without_the_blank_ones_and_can_be_stopped() {
        let question = asked("/1\n\n \n4\n5\n6\n7", PasteEnd::Whole, LIMITS);
        let Some(PasteChoice::SendLines(mut lines)) = press(&question, "l") else { panic!("lines") };
        assert_eq!(lines.len(), 5);
        assert_eq!(lines.pop_front().as_deref(), Some("/1"));
        assert_eq!(PendingPaste::new(lines, "lobby".to_owned()).cancel(), "4 pasted lines were not sent");
    }

    #[test]
    fn a_text_that_is_too_long_is_not_offered_and_reported() {
        let text = "0123456789\n".repeat(10);
        let question = asked(&text, PasteEnd::Whole, LIMITS);
        assert_eq!(
            question.prompt(),
            "paste of 10 lines: it has 110 bytes, a message at most 100; l sends it line by line, \
             e puts it into the line to edit, each with Enter; Esc drops it"
        );
        assert_eq!(press(&question, "s"), None);
        let full = PasteLimits { input_bytes: editor::TEXT_BYTES_MAX - 5, ..LIMITS };
        let question = asked(&text, PasteEnd::Whole, full);
        assert!(question.prompt().ends_with("line by line, each with Enter; Esc drops it"), "{}", question.prompt());
        assert_eq!(press(&question, "e"), None);
        let question = asked("too long for what is free", PasteEnd::Whole, full);
        assert!(question.prompt().starts_with("paste of 1 line: s sends"), "{}", question.prompt());
    }

    #[test]
    fn an_incomplete_one_says_so_and_a_blank_one_sends_nothing() {
        let many = "x\n".repeat(6);
        assert!(asked(&many, PasteEnd::Unfinished, LIMITS).prompt().contains("never came"));
        assert!(asked(&many, PasteEnd::TooLong, LIMITS).prompt().contains("cut off after 1 KiB"));
        let blank = asked("\n\n\n\n\n\n x".trim_end_matches('x'), PasteEnd::Whole, LIMITS);
        assert_eq!(blank.prompt(), "paste of 7 lines: e puts it into the line to edit, each with Enter; Esc drops it");
        assert_eq!((press(&blank, "s"), press(&blank, "l")), (None, None));
    }
}
