//! Output of `/help`, read from the table.

use glassline_wire::commands::{COMMANDS, CommandGroup, SlashCommand};

use super::ParsedLine;
use super::suggestion;

const HEADINGS: [(CommandGroup, &str); 4] = [
    (CommandGroup::Talk, "talking"),
    (CommandGroup::People, "people"),
    (CommandGroup::Rooms, "rooms"),
    (CommandGroup::Program, "this program"),
];

/// Columns of the commands in `/help`, with the space after them.
const BRIEF_COLUMNS: usize = 28;
/// The same in the longer lists.
const FULL_COLUMNS: usize = 36;
/// Columns left for text on a screen of 80 columns, after the time of a line.
const LINE_COLUMNS: usize = 70;

/// Returns the help for these arguments, of the commands for which `there` is true. Errors: there
/// is no such command, in words for the user.
pub(super) fn help(args: &str, there: impl Fn(&SlashCommand) -> bool) -> Result<ParsedLine, String> {
    let wanted = args.trim_start_matches('/');
    if wanted == "keys" {
        return Ok(ParsedLine::Keys);
    }
    if wanted == "operators" {
        return of_operators(there);
    }
    let commands = || COMMANDS.iter().filter(|command| there(command));
    if wanted == "all" {
        return Ok(ParsedLine::Help(all(&commands().collect::<Vec<_>>())));
    }
    if !wanted.is_empty() {
        return match SlashCommand::of_client(wanted) {
            Some(command) if there(command) => Ok(ParsedLine::Help(vec![line(command)])),
            Some(command) => Err(format!("this server has no commands, so there is no /{} here", command.name)),
            None => Err(suggestion::no_help(wanted)),
        };
    }
    Ok(ParsedLine::Help(vec![brief(&commands().collect::<Vec<_>>())]))
}

/// The most needed commands, in fewer rows than the smallest usual screen has, and the names of the
/// others.
fn brief(commands: &[&SlashCommand]) -> String {
    let explained = commands.iter().filter_map(|command| Some((command, command.brief?)));
    let mut rows: Vec<String> =
        explained.map(|(command, brief)| format!("{:BRIEF_COLUMNS$}{brief}", synopsis(command))).collect();
    let others = commands.iter().filter(|command| command.brief.is_none() && command.group != CommandGroup::Operators);
    let others: Vec<String> = others.map(|command| format!("/{}", command.name)).collect();
    rows.push(format!("others: {}", others.join(" ")));
    rows.push("/help all explains them all, /help COMMAND one, /help keys the keys;".to_owned());
    rows.push("what begins with two slashes is text: //x sends /x".to_owned());
    rows.join("\n")
}

/// All commands, a block for each group.
fn all(commands: &[&SlashCommand]) -> Vec<String> {
    let block = |&(group, heading): &(CommandGroup, &str)| {
        let of_group: Vec<String> =
            commands.iter().filter(|command| command.group == group).flat_map(|command| rows(command)).collect();
        (!of_group.is_empty()).then(|| format!("{heading}\n{}", of_group.join("\n")))
    };
    HEADINGS.iter().filter_map(block).chain(["//x sends /x as text".to_owned()]).collect()
}

/// Returns the help on operators' commands, where the server lets there be any.
fn of_operators(there: impl Fn(&SlashCommand) -> bool) -> Result<ParsedLine, String> {
    let commands = COMMANDS.iter().filter(|command| command.group == CommandGroup::Operators && there(command));
    let lines: Vec<String> = commands.flat_map(rows).collect();
    if lines.is_empty() {
        return Err("this server has no commands, so there are none for operators here".to_owned());
    }
    Ok(ParsedLine::Help(vec![format!("operators\n{}", lines.join("\n"))]))
}

/// A command and what it does, in two columns.
fn rows(command: &SlashCommand) -> Vec<String> {
    let mut rows = vec![format!("{:FULL_COLUMNS$}", names(command))];
    for word in command.client.help.split(' ') {
        let last = rows.last().map_or(0, |row| row.chars().count());
        if last > FULL_COLUMNS && last + 1 + word.chars().count() > LINE_COLUMNS {
            rows.push(" ".repeat(FULL_COLUMNS));
        }
        if let Some(row) = rows.last_mut() {
            row.push_str(if row.chars().count() > FULL_COLUMNS { " " } else { "" });
            row.push_str(word);
        }
    }
    rows
}

fn line(command: &SlashCommand) -> String {
    format!("{}: {}", names(command), command.client.help)
}

fn names(command: &SlashCommand) -> String {
    let aliases = command.client_names().skip(1).map(|alias| format!("/{alias}"));
    let names: Vec<String> = std::iter::once(synopsis(command)).chain(aliases).collect();
    names.join(", ")
}

fn synopsis(command: &SlashCommand) -> String {
    format!("/{}", command.synopsis(command.client))
}
