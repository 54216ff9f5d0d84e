//! Checks of texts that others would read, whoever writes them: a member or an operator.

use alloc::format;

use glassline_wire::commands::OP;
use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::operator_token::is_in;
use glassline_wire::slash::SlashLine;

/// Advice for a text that is too long.
pub(crate) const SHORTER: &str = "say it shorter";

/// Refusal of a text that might disclose an operator token.
const GIVEN_AWAY: &str = "this was not sent: it holds something of the form of an operator token; write /op and the token, and nothing before it";

/// Refusal of a text that is an `/op` whose slash something hides.
const OP_HIDDEN: &str =
    "this was not sent: it is /op, and something hides its slash; write it again with / as its first character";

/// Checks that a message has 1 byte to the limit (T7).
pub(crate) fn check_message_length(text: &str) -> Result<(), Rejection> {
    if text.is_empty() {
        return Err(Rejection::new(ErrorCode::EmptyText, "the text is empty; there is nothing to say"));
    }
    check_length(text, TEXT_BYTES_MAX, "send it in parts")
}

/// Checks the length of a text; `advice` is for one that is too long.
pub(crate) fn check_length(text: &str, bytes_max: usize, advice: &str) -> Result<(), Rejection> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    let text = format!("this text has {} bytes, the limit is {bytes_max}; {advice}", text.len());
    Err(Rejection::new(ErrorCode::TooLong, text))
}

/// Refuses a text that others would read and that discloses an operator token, of this server or
/// another (O1): it holds something of that form, or is an `/op` whose slash something hides.
///
/// # Errors
/// It does, with a right or a wrong token: none is compared here, so nothing leaks.
pub(crate) fn check_no_token(text: &str) -> Result<(), Rejection> {
    let refused = |text| Err(Rejection::new(ErrorCode::BadField, text));
    let hides_op = || {
        let line = SlashLine::of(text).filter(|line| line.hidden_slash().is_some());
        line.is_some_and(|line| line.name() == OP)
    };
    if is_in(text) {
        refused(GIVEN_AWAY)
    } else if hides_op() {
        refused(OP_HIDDEN)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use glassline_wire::operator_token::GeneratedToken;

    #[test]
    fn a_text_is_judged_by_its_form_alone() {
        let (right, wrong) = (GeneratedToken::from_bits(1), GeneratedToken::from_bits(2));
        for text in [format!("/op {right}"), format!("{wrong}")] {
            assert_eq!(check_no_token(&text).map_err(|refused| refused.code), Err(ErrorCode::BadField), "{text}");
        }
        for text in ["correct horse battery", "glop_", "/op correct horse battery"] {
            assert_eq!(check_no_token(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn op_behind_invisible_characters_is_not_sent() {
        let unseen = " \t\n\u{feff}\u{200b}\u{2060}\u{ad}\u{200e}\u{fe0f}\u{3164}\u{2800}\u{2d7f}\u{13441}\u{16fe4}\u{fffd}\u{308}\u{8}";
        let sequences = ["\u{1b}[A", "\u{1b}OB", "\u{1b}[1;5D", "\u{9b}A", " \u{a0}\u{3000}"];
        for before in unseen.chars().map(String::from).chain(sequences.map(String::from)) {
            for op in ["/op", "／op", "/OP", "∕Op", "╱op", "/\u{200b}op", "／ｏｐ"] {
                assert!(check_no_token(&format!("{before}{op} a secret")).is_err(), "{before:?} {op:?}");
            }
        }
        assert!(check_no_token("／op a secret").is_err());
        let harmless = "|/| /|/o| /operator x| /option|see /op|type /op TOKEN|op TOKEN|\u{1b}|\u{1b}[|ö/op x";
        for text in harmless.split('|') {
            assert_eq!(check_no_token(text), Ok(()), "{text:?}");
        }
        // The text of `//op`.
        assert_eq!(check_no_token("/op TOKEN makes you an operator"), Ok(()));
    }
}
