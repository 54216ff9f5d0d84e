//! What a line of input means.

use super::meaning::Meaning;
use super::table::{Reading, SlashCommand};
use super::{help, suggestion};
use crate::session::update::{Command, SlashCommands};

/// What a line means, where `who` carries out slash commands.
///
/// # Errors
/// What is wrong with it, for the user; nothing of it must be sent then.
pub(crate) fn interpret(line: &str, who: SlashCommands) -> Result<Meaning, String> {
    let Some(command) = line.strip_prefix('/') else { return Ok(Meaning::Do(Command::Say(line.to_owned()))) };
    if command.starts_with('/') {
        return Ok(Meaning::Do(Command::Say(command.to_owned())));
    }
    let (name, args) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let args = args.trim();
    let known = SlashCommand::named(name);
    match (known, who) {
        (Some(known), SlashCommands::Client) => read(known, args, |_| true),
        (Some(known), SlashCommands::Nobody | SlashCommands::Undecided) if known.local => {
            read(known, args, |command| command.local)
        }
        // Its own `/help` tells of its own commands.
        (Some(known), SlashCommands::Server) if known.local && !matches!(known.reading, Reading::Help) => {
            read(known, args, |_| true)
        }
        (_, SlashCommands::Server) => Ok(Meaning::Do(Command::ServerLine(line.to_owned()))),
        (Some(_), SlashCommands::Nobody | SlashCommands::Undecided) => {
            Err(format!("this server has no commands, so there is no /{name} here; `//{name}` sends it as text"))
        }
        (None, _) => Err(suggestion::unknown(name)),
    }
}

/// What a command and its arguments mean, where these commands are there.
fn read(command: &SlashCommand, args: &str, there: fn(&SlashCommand) -> bool) -> Result<Meaning, String> {
    let meaning = match command.reading {
        Reading::Arguments(parse) => parse(args),
        Reading::Help => help::help(args, there),
    };
    meaning.ok_or_else(|| help::usage(command))
}
