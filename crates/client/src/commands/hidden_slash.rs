//! Commands whose slash is hidden: they are rejected with the reason.

use glassline_wire::commands::SlashCommand;
use glassline_wire::slash::{HiddenSlash, SlashLine};

use super::suggestion;

/// Checks that a line is what it looks like before it is published or carried out. Errors: it is
/// meant as a command and does not begin with its slash; in words for the user.
pub(super) fn check(line: &str) -> Result<(), String> {
    let Some((slash_line, hidden_slash)) = hidden(line) else { return Ok(()) };
    let name = suggestion::shown(&slash_line.name());
    Err(match hidden_slash {
        HiddenSlash::Space => format!(
            "a space stands before /{name}, so it would be said to everybody; take it away, or write `//{name}` to say it"
        ),
        HiddenSlash::Unseen(c) => format!(
            "a character that cannot be seen ({}) stands before or in /{name}, so nothing was sent; type /{name} anew, \
             or write `//{name}` to say it",
            code_point(c)
        ),
        HiddenSlash::LookAlike(c) => format!(
            "the line begins with {}, which only looks like a slash, so nothing was sent; type /{name} with the key /, \
             or write `//{name}` to say it",
            code_point(c)
        ),
    })
}

/// Checks that no line of a text for everybody is a command with private text, hidden or
/// not. Errors: one is, in words for the user.
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    let found =
        text.split('\n').enumerate().find_map(|(at, line)| private_command(line).map(|command| (at + 1, command.name)));
    match found {
        Some((number, name)) => Err(format!(
            "line {number} begins with /{name} and would be said to everybody, so nothing was sent; send that line by itself"
        )),
        None => Ok(()),
    }
}

/// The command with private text that a line is, hidden or not.
pub(super) fn private_command(line: &str) -> Option<&'static SlashCommand> {
    SlashCommand::of_client(&command_name(line)?).filter(|command| command.is_private)
}

/// The word after a line's slash, also if something hides the slash; two slashes are text. Wide
/// on purpose: what only may be a command is not written to a disk.
pub(super) fn command_name(line: &str) -> Option<String> {
    let slash_line = SlashLine::of(line)?;
    (slash_line.has_plain_slash() || hidden(line).is_some()).then(|| slash_line.name())
}

fn hidden(line: &str) -> Option<(SlashLine<'_>, HiddenSlash)> {
    let slash_line = SlashLine::of(line)?;
    let hidden_slash =
        slash_line.hidden_command(|name| SlashCommand::of_client(name).is_some() || suggestion::is_near(name))?;
    Some((slash_line, hidden_slash))
}

fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}
