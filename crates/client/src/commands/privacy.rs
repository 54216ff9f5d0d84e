//! Which typed lines may be written to a disk.

use super::table::SlashCommand;

/// Whether a line may be kept beyond the session. A command that is not known may be a mistyped one for somebody's eyes only, or carry
/// a password to the server, so it may not.
pub(crate) fn is_storable(line: &str) -> bool {
    command_name(line).is_none_or(|name| SlashCommand::named(name).is_some_and(|command| !command.private))
}

/// Whether a line holds a secret of its user's: it is not offered again either, on a screen that others may see.
pub(crate) fn is_secret(line: &str) -> bool {
    command_name(line).is_some_and(|name| name.eq_ignore_ascii_case("op"))
}

/// Whether a line begins a part of the conversation that is for nobody else: nothing after it is kept.
pub(crate) fn seals(line: &str) -> bool {
    command_name(line) == Some("seal")
}

/// The word behind a line's slash; two slashes are text.
fn command_name(line: &str) -> Option<&str> {
    let command = line.trim_start().strip_prefix('/').filter(|command| !command.starts_with('/'))?;
    Some(command.split(char::is_whitespace).next().unwrap_or(command))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!is_secret("op x") && !is_secret("//op x") && !is_secret("/ops") && is_storable("/kick bob"));
        assert!(seals("/seal") && seals("/seal word") && !seals("/sealed") && !seals("seal") && !seals("//seal"));
    }
}
