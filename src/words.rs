//! Values of choices, shared by flags, the environment and the configuration file: one table for
//! each choice.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use glassline_client::{Bell, DialectChoice};
use glassline_wire::link::LinkKind;

pub(crate) trait Word: Copy + Send + Sync + 'static {
    /// Accepted words, and their values.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("on", true), ("off", false)];
}

impl Word for Bell {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("mentions", Self::Mentions), ("all", Self::All)];
}

impl Word for DialectChoice {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("tutorial", Self::Tutorial), ("event", Self::Event)];
}

impl Word for LinkKind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("plain", Self::Plaintext), ("tls", Self::Tls), ("noise", Self::Noise)];
}

/// Returns the value of a word, if it is one of them. The error lists the accepted words.
pub(crate) fn read<T: Word>(text: &str) -> Result<T, String> {
    let found = T::WORDS.iter().find(|(word, _)| *word == text);
    found.map(|&(_, meaning)| meaning).ok_or_else(|| format!("write {}", allowed::<T>()))
}

/// Returns the words as a text: `off, mentions or all`.
fn allowed<T: Word>() -> String {
    let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Returns the link with keys that a word names.
pub(crate) fn parse_secure_link(text: &str) -> Result<LinkKind, String> {
    let link = read(text).ok().filter(|link| *link != LinkKind::Plaintext);
    link.ok_or_else(|| "write tls or noise".to_string())
}

pub(crate) fn parser<T: Word>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::WORDS.iter().map(|(word, _)| *word)).try_map(|word| read::<T>(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_word_is_read_and_another_is_answered_with_the_list() {
        assert_eq!(read::<Bell>("all"), Ok(Bell::All));
        assert_eq!(read::<bool>("on"), Ok(true));
        assert_eq!(read::<Bell>("loud"), Err("write off, mentions or all".to_string()));
        assert_eq!(read::<bool>("yes"), Err("write on or off".to_string()));
    }
}
