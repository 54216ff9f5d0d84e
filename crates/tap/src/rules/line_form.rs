//! Rules of one line, such as `drop to=server name=bob text~secret p=0.5`.

use std::str::FromStr;

use serde_json::Value;

use super::Rule;
use super::error::{Fault, RuleError};
use super::reading;
use super::settings::{Setting, Settings};

impl FromStr for Rule {
    type Err = RuleError;

    /// Reads an action and settings with spaces between them. Quotes keep spaces: between `"` and
    /// `"` a backslash escapes, between `'` and `'` everything stays.
    fn from_str(line: &str) -> Result<Self, RuleError> {
        parse(line).map_err(|fault| fault.in_line(line))
    }
}

fn parse(line: &str) -> Result<Rule, Fault> {
    let mut words = split(line)?.into_iter();
    let Some(action) = words.next().filter(|word| word.separator.is_none()) else {
        return Err(Fault::new(0, "a rule begins with its action, such as `drop to=server`"));
    };
    let mut settings: Vec<Setting> = Vec::new();
    for word in words {
        let Some((separator, at)) = word.separator else {
            let what = format!("{:?} has no value; write it as key=value, such as to=server", word.text);
            return Err(Fault::new(word.at, what));
        };
        let (mut key, value) = (word.text[..at].to_owned(), Value::String(word.text[at..].to_owned()));
        if separator == '~' {
            if !["name", "text"].contains(&key.as_str()) {
                return Err(Fault::new(word.at, format!("{key}~ is unknown; ~ finds a part of name or text")));
            }
            key.push_str("_contains");
        }
        if settings.iter().any(|setting| setting.key == key) {
            return Err(Fault::new(word.at, format!("{key} is there twice; leave one")));
        }
        settings.push(Setting { key, value, at: word.at });
    }
    reading::rule(&action.text, Settings::new(settings, action.at, false), action.at)
}

/// A word without its quotes.
#[derive(Debug)]
struct Word {
    text: String,
    at: usize,
    /// The first `=` or `~` outside quotes, which is not part of the text, and its place there.
    separator: Option<(char, usize)>,
}

fn split(line: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some(&(at, first)) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
            continue;
        }
        let mut word = Word { text: String::new(), at, separator: None };
        while let Some((at, c)) = chars.next_if(|(_, c)| !c.is_whitespace()) {
            match c {
                '"' | '\'' => word.text.push_str(&quoted(&mut chars, c, at)?),
                '=' | '~' if word.separator.is_none() => word.separator = Some((c, word.text.len())),
                c => word.text.push(c),
            }
        }
        words.push(word);
    }
    Ok(words)
}

/// Reads up to the closing quote of one at `opened_at`.
fn quoted(chars: &mut impl Iterator<Item = (usize, char)>, quote: char, opened_at: usize) -> Result<String, Fault> {
    let mut text = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok(text),
            '\\' if quote == '"' => text.push(escaped(chars, at)?),
            c => text.push(c),
        }
    }
    Err(Fault::new(opened_at, format!("the quote {quote} is not closed; write another one at its end")))
}

fn escaped(chars: &mut impl Iterator<Item = (usize, char)>, at: usize) -> Result<char, Fault> {
    match chars.next().map(|(_, c)| c) {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\' | '\'')) => Ok(c),
        Some('x') => {
            let mut digit = || chars.next().and_then(|(_, c)| c.to_digit(16));
            let byte = digit().zip(digit()).map(|(high, low)| 16 * high + low).filter(|byte| *byte < 0x80);
            let what = "\\x needs two hexadecimal digits up to 7f; write other bytes as hex=";
            byte.and_then(char::from_u32).ok_or_else(|| Fault::new(at, what))
        }
        _ => Err(Fault::new(at, "this escape is unknown; write \\n, \\r, \\t, \\\", \\\\ or \\x7f")),
    }
}
