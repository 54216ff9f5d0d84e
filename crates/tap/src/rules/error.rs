//! Errors in written rules.

use std::fmt;

/// A fault in a rule, with its place and the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct RuleError {
    place: Place,
    what: String,
}

/// A place in a rule file or in a rule of one line, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Line(usize),
    Character(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Character(character) => write!(formatter, "character {character} of the rule"),
        }
    }
}

/// A fault at a byte of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) what: String,
}

impl Fault {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// The error of a file with this text.
    pub(super) fn in_file(self, text: &str) -> RuleError {
        let line = 1 + text.bytes().take(self.at).filter(|byte| *byte == b'\n').count();
        RuleError { place: Place::Line(line), what: self.what }
    }

    /// The error of a rule of one line.
    pub(super) fn in_line(self, text: &str) -> RuleError {
        let character = 1 + text.char_indices().take_while(|(at, _)| *at < self.at).count();
        RuleError { place: Place::Character(character), what: self.what }
    }
}

/// Returns a sentence that names the nearest of the known words, or all of them.
pub(super) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    /// Similarity from which a word is suggested.
    const LIKENESS_MIN: f64 = 0.7;
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro(word, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, nearest)) => format!("there is no {what} {word:?}; did you mean {nearest}?"),
        None => format!("there is no {what} {word:?}; write one of {}", known.join(", ")),
    }
}
