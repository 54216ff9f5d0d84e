//! What a line of input means.

use super::table::SlashCommand;
use super::{help, suggestion};
use crate::preferences::Bell;
use crate::session::update::{Command, SlashCommands};

/// What a line of input means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Something for the session.
    Do(Command),
    /// Show these lines.
    Help(Vec<String>),
    /// Show the keys of the terminal mode.
    Keys,
    /// Clear the screen.
    Clear,
    /// Show times or not; without a word, say which.
    Timestamps(Option<bool>),
    /// Ring the bell at this; without a word, say when it does.
    Bell(Option<Bell>),
    /// Do not show this person's words; without a name, say whose are not shown.
    Ignore(Option<String>),
    /// Show them again.
    Unignore(String),
}

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
        (Some(known), SlashCommands::Client) => parse(known, args),
        (Some(known), _) if known.local && (known.name != "help" || who != SlashCommands::Server) => {
            if known.name == "help" {
                help::help(args, |command| command.local).ok_or_else(|| help::usage(known))
            } else {
                parse(known, args)
            }
        }
        (Some(known), SlashCommands::Server) if known.name == "help" => {
            Ok(match help::help(args, |command| command.local) {
                Some(Meaning::Help(lines)) if args.is_empty() => Meaning::Do(Command::Help(lines.join("\n"))),
                Some(meaning) => meaning,
                None => Meaning::Do(Command::ServerLine(line.to_owned())),
            })
        }
        (_, SlashCommands::Server) => Ok(Meaning::Do(Command::ServerLine(line.to_owned()))),
        (Some(_), SlashCommands::Nobody | SlashCommands::Undecided) => {
            Err(format!("this server has no commands, so there is no /{name} here; `//{name}` sends it as text"))
        }
        (None, _) => Err(suggestion::unknown(name)),
    }
}

fn parse(command: &SlashCommand, args: &str) -> Result<Meaning, String> {
    (command.parse)(args).ok_or_else(|| help::usage(command))
}
