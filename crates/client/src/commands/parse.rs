//! Parsing of a line of input.

use glassline_session::{Command, HistorySelection, PAGE_MESSAGES, SlashExecutor};
use glassline_wire::commands::{CommandId, Executor, SlashCommand};
use glassline_wire::limits::PAGE_MESSAGES_MAX;

use super::{ParsedLine, help, hidden_slash, suggestion};
use crate::preferences::Bell;

/// Returns the meaning of a line, where `who` executes slash commands. Errors: what is wrong
/// with it, for the user; nothing of it must be sent then.
pub(crate) fn parse_line(line: &str, who: SlashExecutor) -> Result<ParsedLine, String> {
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
    let known = SlashCommand::of_client(name);
    if known.is_some_and(SlashCommand::is_published) {
        hidden_slash::check_text(args)?;
    }
    match (known, who) {
        (Some(known), SlashExecutor::Client) => read(known, args, |_| true),
        (Some(known), SlashExecutor::Nobody | SlashExecutor::Undecided) if is_local(known) => {
            read(known, args, is_local)
        }
        (Some(known), SlashExecutor::Server) if known.id == CommandId::Help => Ok(help_of_both(args, line)),
        // The client names the recipient: the server could not know the last sender when it was
        // typed.
        (Some(known), SlashExecutor::Server) if known.id == CommandId::Reply => read(known, args, |_| true),
        (Some(known), SlashExecutor::Server) if is_local(known) => read(known, args, |_| true),
        (Some(known), SlashExecutor::Server) if known.name != name || known.id == CommandId::DirectOrWhois => {
            of_server(known, args)
        }
        (_, SlashExecutor::Server) => Ok(ParsedLine::Session(Command::ServerLine(line.to_owned()))),
        (Some(_), SlashExecutor::Nobody | SlashExecutor::Undecided) => {
            Err(format!("this server has no commands, so there is no /{name} here; `//{name}` sends it as text"))
        }
        (None, _) => Err(suggestion::unknown(name)),
    }
}

/// Returns true for commands that work without a server's help, on every server.
fn is_local(command: &SlashCommand) -> bool {
    command.executor == Executor::Client
}

/// Returns whether a line is a reply to the last direct message.
pub(crate) fn is_reply(line: &str) -> bool {
    let name = line.strip_prefix('/').map(|command| command.split(char::is_whitespace).next().unwrap_or_default());
    name.and_then(SlashCommand::of_client).is_some_and(|command| command.id == CommandId::Reply)
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

/// Returns the meaning of `/help` where the server has commands as well, whose help only the server
/// has.
fn help_of_both(args: &str, line: &str) -> ParsedLine {
    match help::help(args, is_local) {
        Ok(ParsedLine::Help(own)) if args.is_empty() => ParsedLine::Session(Command::Help(own.join("\n"))),
        Ok(meaning) => meaning,
        Err(_) => ParsedLine::Session(Command::ServerLine(line.to_owned())),
    }
}

/// Returns the meaning of a command and its arguments, where these commands are there.
fn read(command: &SlashCommand, args: &str, there: fn(&SlashCommand) -> bool) -> Result<ParsedLine, String> {
    if command.id == CommandId::Help {
        return help::help(args, there);
    }
    if command.id == CommandId::Seal && !args.is_empty() {
        return Err(
            "nothing was sealed: what you typed behind /seal is on the screen for everybody to see, so do not \
                    use it as a passphrase; /seal alone asks for one and does not show it"
                .to_owned(),
        );
    }
    parse_arguments(command, args).ok_or_else(|| format!("usage: {}", command.usage(command.client)))
}

/// Returns the meaning of a command and its arguments; `None` if they do not fit its usage.
fn parse_arguments(command: &SlashCommand, args: &str) -> Option<ParsedLine> {
    if command.executor == Executor::Operator {
        return operate(command, args);
    }
    let alone = |parsed: ParsedLine| args.is_empty().then_some(parsed);
    let request = match command.id {
        CommandId::Ignore => return optional_word(args).map(ParsedLine::Ignore),
        CommandId::Unignore => return word(args).map(ParsedLine::Unignore),
        CommandId::Reply => return text(args).map(ParsedLine::Reply),
        CommandId::More if args.is_empty() => return Some(ParsedLine::More(None)),
        CommandId::More => return args.parse().ok().map(|number| ParsedLine::More(Some(number))),
        CommandId::Qr if args.is_empty() => return Some(ParsedLine::Qr(None)),
        CommandId::Qr => return args.parse().ok().map(|number| ParsedLine::Qr(Some(number))),
        CommandId::Timestamps => return choice(args, &[("on", true), ("off", false)]).map(ParsedLine::Timestamps),
        CommandId::Bell => {
            let bells = [("off", Bell::Off), ("mentions", Bell::Mentions), ("all", Bell::All)];
            return choice(args, &bells).map(ParsedLine::Bell);
        }
        CommandId::Seal => return alone(ParsedLine::Seal),
        CommandId::Unseal => return alone(ParsedLine::Unseal),
        CommandId::Clear => return alone(ParsedLine::Clear),
        CommandId::Action => Command::Action(text(args)?),
        CommandId::DirectOrWhois if !args.contains(char::is_whitespace) => Command::Whois(word(args)?),
        CommandId::Direct | CommandId::DirectOrWhois => {
            let (to, said) = args.split_once(char::is_whitespace)?;
            Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }
        }
        CommandId::Rename => Command::Rename(word(args)?),
        CommandId::Members => Command::Members(optional_word(args)?),
        CommandId::Whois => Command::Whois(word(args)?),
        CommandId::Away => Command::Away(text(args)),
        CommandId::Join => Command::Join(word(args)?),
        CommandId::Leave => Command::LeaveRoom(optional_word(args)?),
        CommandId::History => Command::History(history_selection(args)?),
        CommandId::Search => Command::Search(text(args)?),
        CommandId::Back => return alone(ParsedLine::Session(Command::Back)),
        CommandId::Rooms => return alone(ParsedLine::Session(Command::Rooms)),
        CommandId::Older => return alone(ParsedLine::Session(Command::Older)),
        CommandId::Quit => return alone(ParsedLine::Session(Command::Leave)),
        _ => return None,
    };
    Some(ParsedLine::Session(request))
}

/// Returns an operator's line, if it has its required arguments; the server checks their meaning.
fn operate(command: &SlashCommand, args: &str) -> Option<ParsedLine> {
    let usage = command.client.arguments;
    let needs_more = args.is_empty() && !usage.is_empty() && !usage.starts_with('[');
    let has_too_much = !args.is_empty() && usage.is_empty();
    let line = format!("{} {args}", command.name).trim_end().to_owned();
    (!needs_more && !has_too_much).then_some(ParsedLine::Session(Command::Operate(line)))
}

fn text(args: &str) -> Option<String> {
    (!args.is_empty()).then(|| args.to_owned())
}

fn word(args: &str) -> Option<String> {
    (!args.is_empty() && !args.contains(char::is_whitespace)).then(|| args.to_owned())
}

fn history_selection(args: &str) -> Option<HistorySelection> {
    if args.is_empty() {
        return Some(HistorySelection::Latest(PAGE_MESSAGES));
    }
    if let Some(number) = args.strip_prefix("around").filter(|rest| rest.starts_with(char::is_whitespace)) {
        return number.trim_start().trim_start_matches('#').parse().ok().map(HistorySelection::Around);
    }
    let count = args.parse().ok().filter(|count| (1..=PAGE_MESSAGES_MAX as u64).contains(count));
    count.map(HistorySelection::Latest)
}

#[expect(clippy::option_option, reason = "outside: whether the usage fits; inside: whether the word is there")]
fn optional_word(args: &str) -> Option<Option<String>> {
    if args.is_empty() { Some(None) } else { word(args).map(Some) }
}

/// Returns the value of one of these words, or of none.
#[expect(clippy::option_option, reason = "outside: whether the usage fits; inside: whether the word is there")]
fn choice<T: Copy>(args: &str, choices: &[(&str, T)]) -> Option<Option<T>> {
    let found = choices.iter().find(|(word, _)| *word == args).map(|&(_, value)| Some(value));
    if args.is_empty() { Some(None) } else { found }
}
