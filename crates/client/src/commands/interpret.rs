//! Interpretation of a line of input.

use glassline_session::{Command, SlashCommands};

use super::meaning::Meaning;
use super::table::{REPLY, Reading, SlashCommand};
use super::{disguise, help, suggestion};

/// Returns the meaning of a line, where `who` carries out slash commands.
///
/// # Errors
/// What is wrong with it, for the user; nothing of it must be sent then.
pub(crate) fn interpret(line: &str, who: SlashCommands) -> Result<Meaning, String> {
    disguise::check(line)?;
    let Some(command) = line.strip_prefix('/') else {
        disguise::check_text(line)?;
        return Ok(Meaning::Do(Command::Say(line.to_owned())));
    };
    if command.starts_with('/') {
        disguise::check_text(line)?;
        return Ok(Meaning::Do(Command::Say(command.to_owned())));
    }
    let (name, args) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let args = args.trim();
    let known = SlashCommand::named(name);
    if known.is_some_and(SlashCommand::publishes) {
        disguise::check_text(args)?;
    }
    match (known, who) {
        (Some(known), SlashCommands::Client) => read(known, args, |_| true),
        (Some(known), SlashCommands::Nobody | SlashCommands::Undecided) if known.local => {
            read(known, args, |command| command.local)
        }
        (Some(known), SlashCommands::Server) if matches!(known.reading, Reading::Help) => {
            Ok(help_of_both(known, args, line))
        }
        // The client says to whom: the server could not know who had written last when it was
        // typed.
        (Some(known), SlashCommands::Server) if known.name == REPLY => read(known, args, |_| true),
        (Some(known), SlashCommands::Server) if known.local => read(known, args, |_| true),
        (Some(known), SlashCommands::Server) if known.name != name || known.is_the_clients() => of_server(known, args),
        (_, SlashCommands::Server) => Ok(Meaning::Do(Command::ServerLine(line.to_owned()))),
        (Some(_), SlashCommands::Nobody | SlashCommands::Undecided) => {
            Err(format!("this server has no commands, so there is no /{name} here; `//{name}` sends it as text"))
        }
        (None, _) => Err(suggestion::unknown(name)),
    }
}

/// Returns whether a line is a reply to the last direct message.
pub(crate) fn is_reply(line: &str) -> bool {
    let name = line.strip_prefix('/').map(|command| command.split(char::is_whitespace).next().unwrap_or_default());
    name.and_then(SlashCommand::named).is_some_and(|command| command.name == REPLY)
}

/// The line for a server that knows a command by another name.
fn of_server(command: &SlashCommand, args: &str) -> Result<Meaning, String> {
    let line = match read(command, args, |_| true)? {
        Meaning::Do(Command::Direct { to, text }) => format!("/msg {to} {text}"),
        Meaning::Do(Command::Whois(name)) => format!("/whois {name}"),
        _ => format!("/{} {args}", command.name),
    };
    Ok(Meaning::Do(Command::ServerLine(line.trim_end().to_owned())))
}

/// Returns the meaning of `/help` where the server has commands as well, which only the server can
/// tell of.
fn help_of_both(command: &SlashCommand, args: &str, line: &str) -> Meaning {
    match read(command, args, |command| command.local) {
        Ok(Meaning::Help(own)) if args.is_empty() => Meaning::Do(Command::Help(own.join("\n"))),
        Ok(meaning) => meaning,
        Err(_) => Meaning::Do(Command::ServerLine(line.to_owned())),
    }
}

/// Returns the meaning of a command and its arguments, where these commands are there.
fn read(command: &SlashCommand, args: &str, there: fn(&SlashCommand) -> bool) -> Result<Meaning, String> {
    let meaning = match command.reading {
        Reading::Arguments(parse) => parse(args),
        Reading::Help => return help::help(args, there),
        Reading::Operating => operate(command, args),
    };
    meaning.ok_or_else(|| help::usage(command))
}

/// An operator's line, if it has what it needs; whether that makes sense the server knows.
fn operate(command: &SlashCommand, args: &str) -> Option<Meaning> {
    let needs_more = args.is_empty() && !command.usage.is_empty() && !command.usage.starts_with('[');
    let has_too_much = !args.is_empty() && command.usage.is_empty();
    let line = format!("{} {args}", command.name).trim_end().to_owned();
    (!needs_more && !has_too_much).then_some(Meaning::Do(Command::Operate(line)))
}
