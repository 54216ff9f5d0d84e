//! Interpretation of a line of input.

use super::table::{REPLY, SlashCommand, Syntax};
use super::{help, hidden_slash, suggestion};
use crate::preferences::Bell;
use glassline_session::{Command, SlashCommands};

/// Meaning of a line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParsedLine {
    /// Something for the session.
    Session(Command),
    /// Say this to whoever wrote to the user only the last time.
    Reply(String),
    /// Show these blocks of rows.
    Help(Vec<String>),
    /// Show the keys of the terminal mode.
    Keys,
    /// Clear the screen.
    Clear,
    /// Show the rest of a shortened message: of the one with this number, or of the last one.
    More(Option<u64>),
    /// Show times or not; without a word, say which.
    Timestamps(Option<bool>),
    /// Ring the bell at this; without a word, say when it does.
    Bell(Option<Bell>),
    /// Do not show this person's words; without a name, say whose are not shown.
    Ignore(Option<String>),
    /// Show them again.
    Unignore(String),
}

/// Returns the meaning of a line, where `who` carries out slash commands.
///
/// # Errors
/// What is wrong with it, for the user; nothing of it must be sent then.
pub(crate) fn parse_line(line: &str, who: SlashCommands) -> Result<ParsedLine, String> {
    hidden_slash::check(line)?;
    let Some(command) = line.strip_prefix('/') else {
        hidden_slash::check_text(line)?;
        return Ok(ParsedLine::Session(Command::Say(line.to_owned())));
    };
    if command.starts_with('/') {
        hidden_slash::check_text(line)?;
        return Ok(ParsedLine::Session(Command::Say(command.to_owned())));
    }
    let (name, args) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let args = args.trim();
    let known = SlashCommand::named(name);
    if known.is_some_and(SlashCommand::publishes) {
        hidden_slash::check_text(args)?;
    }
    match (known, who) {
        (Some(known), SlashCommands::Client) => read(known, args, |_| true),
        (Some(known), SlashCommands::Nobody | SlashCommands::Undecided) if known.local => {
            read(known, args, |command| command.local)
        }
        (Some(known), SlashCommands::Server) if matches!(known.syntax, Syntax::Help) => {
            Ok(help_of_both(known, args, line))
        }
        // The client says to whom: the server could not know who had written last when it was
        // typed.
        (Some(known), SlashCommands::Server) if known.name == REPLY => read(known, args, |_| true),
        (Some(known), SlashCommands::Server) if known.local => read(known, args, |_| true),
        (Some(known), SlashCommands::Server) if known.name != name || known.is_the_clients() => of_server(known, args),
        (_, SlashCommands::Server) => Ok(ParsedLine::Session(Command::ServerLine(line.to_owned()))),
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
fn of_server(command: &SlashCommand, args: &str) -> Result<ParsedLine, String> {
    let line = match read(command, args, |_| true)? {
        ParsedLine::Session(Command::Direct { to, text }) => format!("/msg {to} {text}"),
        ParsedLine::Session(Command::Whois(name)) => format!("/whois {name}"),
        _ => format!("/{} {args}", command.name),
    };
    Ok(ParsedLine::Session(Command::ServerLine(line.trim_end().to_owned())))
}

/// Returns the meaning of `/help` where the server has commands as well, which only the server can
/// tell of.
fn help_of_both(command: &SlashCommand, args: &str, line: &str) -> ParsedLine {
    match read(command, args, |command| command.local) {
        Ok(ParsedLine::Help(own)) if args.is_empty() => ParsedLine::Session(Command::Help(own.join("\n"))),
        Ok(meaning) => meaning,
        Err(_) => ParsedLine::Session(Command::ServerLine(line.to_owned())),
    }
}

/// Returns the meaning of a command and its arguments, where these commands are there.
fn read(command: &SlashCommand, args: &str, there: fn(&SlashCommand) -> bool) -> Result<ParsedLine, String> {
    let meaning = match command.syntax {
        Syntax::Arguments(parse) => parse(args),
        Syntax::Help => return help::help(args, there),
        Syntax::Operating => operate(command, args),
    };
    meaning.ok_or_else(|| help::usage(command))
}

/// An operator's line, if it has what it needs; whether that makes sense the server knows.
fn operate(command: &SlashCommand, args: &str) -> Option<ParsedLine> {
    let needs_more = args.is_empty() && !command.usage.is_empty() && !command.usage.starts_with('[');
    let has_too_much = !args.is_empty() && command.usage.is_empty();
    let line = format!("{} {args}", command.name).trim_end().to_owned();
    (!needs_more && !has_too_much).then_some(ParsedLine::Session(Command::Operate(line)))
}
