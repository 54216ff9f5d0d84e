//! What `/help` shows, read from the table.

use std::fmt::Write as _;

use super::meaning::Meaning;
use super::suggestion;
use super::table::{COMMANDS, Group, SlashCommand};

const HEADINGS: [(Group, &str); 4] = [
    (Group::Talk, "talking:"),
    (Group::People, "people:"),
    (Group::Rooms, "rooms:"),
    (Group::Program, "this program:"),
];

/// What `/help` and these arguments show of the commands that are `there`.
///
/// # Errors
/// There is no such command, in words for the user.
pub(super) fn help(args: &str, there: impl Fn(&SlashCommand) -> bool) -> Result<Meaning, String> {
    let wanted = args.trim_start_matches('/');
    if wanted == "keys" {
        return Ok(Meaning::Keys);
    }
    if wanted == "operators" {
        return of_operators(there);
    }
    let commands = || COMMANDS.iter().filter(|command| there(command));
    if !wanted.is_empty() {
        return match SlashCommand::named(wanted) {
            Some(command) if there(command) => Ok(Meaning::Help(vec![line(command)])),
            Some(command) => Err(format!("this server has no commands, so there is no /{} here", command.name)),
            None => Err(suggestion::no_help(wanted)),
        };
    }
    let mut lines = Vec::new();
    for (group, heading) in HEADINGS {
        let mut of_group = commands().filter(|command| command.group == group).map(line).peekable();
        if of_group.peek().is_some() {
            lines.push(heading.to_owned());
            lines.extend(of_group.map(|line| format!("  {line}")));
        }
    }
    lines.push("  //x sends /x as text".to_owned());
    Ok(Meaning::Help(lines))
}

/// What operators may do, where the server lets there be any.
fn of_operators(there: impl Fn(&SlashCommand) -> bool) -> Result<Meaning, String> {
    let commands = COMMANDS.iter().filter(|command| command.group == Group::Operators && there(command));
    let lines: Vec<String> = commands.map(line).collect();
    if lines.is_empty() {
        return Err("this server has no commands, so there are none for operators here".to_owned());
    }
    Ok(Meaning::Help(lines))
}

fn line(command: &SlashCommand) -> String {
    let aliases = command.aliases.iter().map(|alias| format!("/{alias}"));
    let names: Vec<String> = std::iter::once(synopsis(command)).chain(aliases).collect();
    format!("{}: {}", names.join(", "), command.help)
}

pub(super) fn usage(command: &SlashCommand) -> String {
    format!("usage: {}: {}", synopsis(command), command.help)
}

fn synopsis(command: &SlashCommand) -> String {
    let mut synopsis = format!("/{}", command.name);
    if !command.usage.is_empty() {
        let _ = write!(synopsis, " {}", command.usage);
    }
    synopsis
}
