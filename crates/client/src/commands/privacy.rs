//! Rules on which typed lines may be stored or shown.

use std::borrow::Cow;

use glassline_wire::commands::{OP, SlashCommand};
use glassline_wire::operator_token::is_in;
use glassline_wire::slash::SlashLine;

use super::hidden_slash::{command_name, private_command};

/// Returns whether a line may be kept beyond the session. A command that is not known may be a
/// mistyped private one, or carry a password to the server, so it may not.
pub(crate) fn is_storable(line: &str) -> bool {
    !is_in(line)
        && command_name(line)
            .is_none_or(|name| SlashCommand::of_client(&name).is_some_and(|command| !command.is_private))
        && !line.split('\n').any(|line| private_command(line).is_some())
}

/// Returns whether a line holds a secret of its user's: it is not offered again either, on a screen
/// that others may see.
pub(crate) fn is_secret(line: &str) -> bool {
    is_in(line) || shows_token(line) || shows_passphrase(line)
}

/// `/seal` takes its passphrase afterwards: words behind it are probably one.
fn shows_passphrase(line: &str) -> bool {
    seals(line) && line.split_whitespace().nth(1).is_some()
}

fn shows_token(line: &str) -> bool {
    command_name(line).is_some_and(|name| name.eq_ignore_ascii_case(OP))
}

/// A line as it may be shown, with the cursor's place in it: of a secret, a dot for each character.
/// Others may see the screen.
pub(crate) fn concealed(line: &str, cursor: usize) -> (Cow<'_, str>, usize) {
    let name_at = SlashLine::of(line).map(|slash_line| line.len() - slash_line.behind().trim_start().len());
    let secret_at = name_at.and_then(|name_at| Some(name_at + line[name_at..].find(char::is_whitespace)?));
    let Some(secret_at) = secret_at.filter(|_| shows_token(line)) else { return (Cow::Borrowed(line), cursor) };
    let dotted = |text: &str| -> String { text.chars().map(|c| if c.is_whitespace() { c } else { '•' }).collect() };
    let (open, secret) = line.split_at(secret_at);
    let before_cursor = secret.get(..cursor.saturating_sub(secret_at)).map_or(0, |before| dotted(before).len());
    let cursor = if cursor <= secret_at { cursor } else { secret_at + before_cursor };
    (Cow::Owned(open.to_owned() + &dotted(secret)), cursor)
}

/// Returns whether a line begins a private part of the conversation: nothing after it is kept.
pub(crate) fn seals(line: &str) -> bool {
    command_name(line).is_some_and(|name| name == "seal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_secret_only_its_length_is_shown() {
        for (line, shown) in [
            ("/op sécret x", "/op •••••• •"),
            (" /OP\ta\nb", " /OP\t•\n•"),
            ("/op", "/op"),
            ("/op ", "/op "),
            ("/ops secret", "/ops secret"),
            ("hi /op secret", "hi /op secret"),
        ] {
            assert_eq!(concealed(line, 0), (shown.into(), 0));
            for (chars, (at, _)) in line.char_indices().enumerate() {
                let (text, cursor) = concealed(line, at);
                assert_eq!(text[..cursor].chars().count(), chars, "{line:?} at {at}");
            }
            assert_eq!(concealed(line, line.len()).1, shown.len());
        }
    }

    #[test]
    fn what_is_for_somebody_only_is_not_stored() {
        for line in ["hi", "hi /msg", "//msg is a command", "/me waves", "/join den", "/quit"] {
            assert!(is_storable(line), "{line}");
        }
        for line in [
            "/msg bob x",
            "/reply x",
            "/r x",
            "/seal x",
            "/op x",
            "/mgs bob x",
            " /msg bob x",
            "/msg\tbob x",
            "/",
            "/MSG bob x",
        ] {
            assert!(!is_storable(line), "{line}");
        }
        for line in ["/op x", " /op x", "/OP x", "/op", "/op\tx"] {
            assert!(is_secret(line) && !is_storable(line), "{line}");
        }
        assert!(is_secret("/seal word") && is_secret(" /seal a b") && !is_secret("/seal") && !is_secret("/seal "));
        let slip = "glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8";
        assert!(is_secret(slip) && !is_storable(slip) && !is_storable(&format!("//op {slip}")));
        assert!(!is_secret("op x") && !is_secret("//op x") && !is_secret("/ops") && is_storable("/kick bob"));
        assert!(seals("/seal") && seals("/seal word") && !seals("/sealed") && !seals("seal") && !seals("//seal"));
    }
}
