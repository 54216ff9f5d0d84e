//! The slash commands of the client: one table of name, help and meaning.

use std::fmt::Write as _;

use crate::preferences::Bell;
use crate::session::update::{Command, SlashCommands};

/// What a line of input means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Something for the session.
    Do(Command),
    /// Show these lines.
    Help(Vec<String>),
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

/// One command.
struct SlashCommand {
    name: &'static str,
    aliases: &'static [&'static str],
    /// What follows the name.
    usage: &'static str,
    help: &'static str,
    /// Works without a server's help, on every server.
    local: bool,
    /// Reads what follows the name; `None` if it does not fit the usage.
    parse: fn(&str) -> Option<Meaning>,
}

const COMMANDS: &[SlashCommand] = &[
    SlashCommand {
        name: "help",
        aliases: &[],
        usage: "[COMMAND]",
        help: "shows the commands",
        local: true,
        parse: |args| help(args, COMMANDS.iter()),
    },
    SlashCommand {
        name: "me",
        aliases: &[],
        usage: "TEXT",
        help: "says what you do: `/me waves` shows as `* alice waves`",
        local: false,
        parse: |args| text(args).map(|text| Meaning::Do(Command::Action(text))),
    },
    SlashCommand {
        name: "msg",
        aliases: &[],
        usage: "NAME TEXT",
        help: "writes to one person only",
        local: false,
        parse: |args| {
            let (to, said) = args.split_once(char::is_whitespace)?;
            Some(Meaning::Do(Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }))
        },
    },
    SlashCommand {
        name: "reply",
        aliases: &[],
        usage: "TEXT",
        help: "answers the last person who wrote to you only",
        local: false,
        parse: |args| text(args).map(|text| Meaning::Do(Command::Reply(text))),
    },
    SlashCommand {
        name: "nick",
        aliases: &[],
        usage: "NAME",
        help: "takes another name",
        local: false,
        parse: |args| word(args).map(|name| Meaning::Do(Command::Rename(name))),
    },
    SlashCommand {
        name: "names",
        aliases: &["who"],
        usage: "[ROOM]",
        help: "shows who is in a room",
        local: false,
        parse: |args| optional_word(args).map(|room| Meaning::Do(Command::Members(room))),
    },
    SlashCommand {
        name: "whois",
        aliases: &[],
        usage: "NAME",
        help: "tells since when somebody is here, how long idle, and how connected",
        local: false,
        parse: |args| word(args).map(|name| Meaning::Do(Command::Whois(name))),
    },
    SlashCommand {
        name: "rooms",
        aliases: &[],
        usage: "",
        help: "lists the rooms",
        local: false,
        parse: |args| args.is_empty().then_some(Meaning::Do(Command::Rooms)),
    },
    SlashCommand {
        name: "join",
        aliases: &[],
        usage: "ROOM",
        help: "enters a room and talks there; also goes back to one you are in",
        local: false,
        parse: |args| word(args).map(|room| Meaning::Do(Command::Join(room))),
    },
    SlashCommand {
        name: "leave",
        aliases: &[],
        usage: "[ROOM]",
        help: "leaves a room",
        local: false,
        parse: |args| optional_word(args).map(|room| Meaning::Do(Command::LeaveRoom(room))),
    },
    SlashCommand {
        name: "away",
        aliases: &[],
        usage: "[TEXT]",
        help: "tells who writes to you that you are away",
        local: false,
        parse: |args| Some(Meaning::Do(Command::Away(text(args)))),
    },
    SlashCommand {
        name: "back",
        aliases: &[],
        usage: "",
        help: "ends it",
        local: false,
        parse: |args| args.is_empty().then_some(Meaning::Do(Command::Back)),
    },
    SlashCommand {
        name: "history",
        aliases: &[],
        usage: "",
        help: "shows what was said before, where the server keeps it",
        local: false,
        parse: |args| args.is_empty().then_some(Meaning::Do(Command::History)),
    },
    SlashCommand {
        name: "search",
        aliases: &[],
        usage: "TEXT",
        help: "finds what was said before, where the server keeps it",
        local: false,
        parse: |args| text(args).map(|text| Meaning::Do(Command::Search(text))),
    },
    SlashCommand {
        name: "ignore",
        aliases: &[],
        usage: "[NAME]",
        help: "hides what somebody says, until you leave; without a name, tells whom you ignore",
        local: true,
        parse: |args| optional_word(args).map(Meaning::Ignore),
    },
    SlashCommand {
        name: "unignore",
        aliases: &[],
        usage: "NAME",
        help: "shows it again",
        local: true,
        parse: |args| word(args).map(Meaning::Unignore),
    },
    SlashCommand {
        name: "timestamps",
        aliases: &[],
        usage: "[on|off]",
        help: "shows the time of each message, or not",
        local: true,
        parse: |args| match args {
            "" => Some(Meaning::Timestamps(None)),
            "on" => Some(Meaning::Timestamps(Some(true))),
            "off" => Some(Meaning::Timestamps(Some(false))),
            _ => None,
        },
    },
    SlashCommand {
        name: "bell",
        aliases: &[],
        usage: "[off|mentions|all]",
        help: "rings never, when you are mentioned or written to, or at every message",
        local: true,
        parse: |args| match args {
            "" => Some(Meaning::Bell(None)),
            "off" => Some(Meaning::Bell(Some(Bell::Off))),
            "mentions" => Some(Meaning::Bell(Some(Bell::Mentions))),
            "all" => Some(Meaning::Bell(Some(Bell::All))),
            _ => None,
        },
    },
    SlashCommand {
        name: "clear",
        aliases: &[],
        usage: "",
        help: "clears the screen",
        local: true,
        parse: |args| args.is_empty().then_some(Meaning::Clear),
    },
    SlashCommand {
        name: "quit",
        aliases: &["exit", "bye"],
        usage: "",
        help: "leaves, as three empty Enters do",
        local: true,
        parse: |args| args.is_empty().then_some(Meaning::Do(Command::Leave)),
    },
];

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
    let known = COMMANDS.iter().find(|known| known.name == name || known.aliases.contains(&name));
    match (known, who) {
        (Some(known), SlashCommands::Client) => parse(known, args),
        (Some(known), _) if known.local && (known.name != "help" || who != SlashCommands::Server) => {
            if known.name == "help" {
                help(args, COMMANDS.iter().filter(|command| command.local)).ok_or_else(|| usage(known))
            } else {
                parse(known, args)
            }
        }
        (_, SlashCommands::Server) => Ok(Meaning::Do(Command::ServerLine(line.to_owned()))),
        (Some(_), SlashCommands::Nobody | SlashCommands::Undecided) => {
            Err(format!("this server has no commands, so there is no /{name} here; `//{name}` sends it as text"))
        }
        (None, _) => Err(unknown(name)),
    }
}

fn parse(command: &SlashCommand, args: &str) -> Result<Meaning, String> {
    (command.parse)(args).ok_or_else(|| usage(command))
}

fn usage(command: &SlashCommand) -> String {
    format!("usage: {}", synopsis(command))
}

fn synopsis(command: &SlashCommand) -> String {
    let mut synopsis = format!("/{}", command.name);
    if !command.usage.is_empty() {
        let _ = write!(synopsis, " {}", command.usage);
    }
    synopsis
}

fn help(args: &str, commands: impl Iterator<Item = &'static SlashCommand>) -> Option<Meaning> {
    let wanted = args.trim_start_matches('/');
    let mut lines: Vec<String> = commands
        .filter(|command| wanted.is_empty() || command.name == wanted || command.aliases.contains(&wanted))
        .map(|command| {
            let names =
                std::iter::once(synopsis(command)).chain(command.aliases.iter().map(|alias| format!("/{alias}")));
            format!("{}: {}", names.collect::<Vec<_>>().join(", "), command.help)
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    if wanted.is_empty() {
        lines.push("//x sends /x as text".to_owned());
    }
    Some(Meaning::Help(lines))
}

fn unknown(name: &str) -> String {
    let shown: String = glassline_wire::visible::one_line(name).chars().take(32).collect();
    let nearest = COMMANDS
        .iter()
        .flat_map(|command| std::iter::once(&command.name).chain(command.aliases))
        .map(|known| (distance(&shown, known), known))
        .min_by_key(|&(distance, _)| distance);
    match nearest {
        Some((distance, known)) if distance <= 2 => {
            format!("there is no /{shown}; did you mean /{known}? (`//{shown}` sends it as text)")
        }
        _ => format!("there is no /{shown}; /help lists the commands (`//{shown}` sends it as text)"),
    }
}

/// Letters to insert, delete or change to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, c) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (at, &d) in to.iter().enumerate() {
            let changed = diagonal + usize::from(c != d);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

fn text(args: &str) -> Option<String> {
    (!args.is_empty()).then(|| args.to_owned())
}

fn word(args: &str) -> Option<String> {
    (!args.is_empty() && !args.contains(char::is_whitespace)).then(|| args.to_owned())
}

/// At most one word.
#[expect(clippy::option_option, reason = "outside: whether the usage fits; inside: whether the word is there")]
fn optional_word(args: &str) -> Option<Option<String>> {
    if args.is_empty() { Some(None) } else { word(args).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(line: &str) -> Result<Meaning, String> {
        interpret(line, SlashCommands::Client)
    }

    macro_rules! doing {
        ($command:expr) => {
            Ok(Meaning::Do($command))
        };
    }

    #[test]
    fn lines_without_a_slash_and_with_two_are_text() {
        for who in [SlashCommands::Client, SlashCommands::Server, SlashCommands::Nobody, SlashCommands::Undecided] {
            assert_eq!(interpret("hi /me", who), doing!(Command::Say("hi /me".into())));
            assert_eq!(interpret("//quit", who), doing!(Command::Say("/quit".into())));
            for leave in ["/quit", "/exit", "/bye"] {
                assert_eq!(interpret(leave, who), doing!(Command::Leave), "{who:?}");
            }
        }
    }

    #[test]
    fn each_command_reads_its_arguments() {
        assert_eq!(client("/me waves  at all"), doing!(Command::Action("waves  at all".into())));
        let direct = Command::Direct { to: "bob".into(), text: "a\nb".into() };
        assert_eq!(client("/msg  bob  a\nb"), doing!(direct));
        assert_eq!(client("/reply ok"), doing!(Command::Reply("ok".into())));
        assert_eq!(client("/nick al"), doing!(Command::Rename("al".into())));
        assert_eq!(client("/who"), doing!(Command::Members(None)));
        assert_eq!(client("/names den"), doing!(Command::Members(Some("den".into()))));
        assert_eq!(client("/join den"), doing!(Command::Join("den".into())));
        assert_eq!(client("/leave"), doing!(Command::LeaveRoom(None)));
        assert_eq!(client("/clear"), Ok(Meaning::Clear));
    }

    #[test]
    fn wrong_arguments_show_the_usage() {
        for (line, usage) in [
            ("/me", "usage: /me TEXT"),
            ("/msg bob", "usage: /msg NAME TEXT"),
            ("/msg", "usage: /msg NAME TEXT"),
            ("/nick a b", "usage: /nick NAME"),
            ("/names a b", "usage: /names [ROOM]"),
            ("/quit now", "usage: /quit"),
            ("/help dance", "usage: /help [COMMAND]"),
        ] {
            assert_eq!(client(line), Err(usage.to_owned()), "{line}");
        }
    }

    #[test]
    fn an_unknown_command_is_an_error_that_names_the_nearest() {
        let error = client("/nmaes").expect_err("unknown");
        assert!(error.contains("/names?") && error.contains("//nmaes"), "{error}");
        let error = client("/etc/passwd\nx").expect_err("unknown");
        assert!(error.contains("/help"), "{error}");
        assert!(!client("/\u{1b}[6n").expect_err("unknown").contains('\u{1b}'));
    }

    #[test]
    fn a_server_with_commands_gets_them_and_another_one_never_does() {
        for line in ["/help", "/names", "/dance x", "/nick a b"] {
            assert_eq!(interpret(line, SlashCommands::Server), doing!(Command::ServerLine(line.into())));
        }
        for line in ["/names", "/dance"] {
            assert!(interpret(line, SlashCommands::Nobody).is_err(), "{line}");
        }
        let Ok(Meaning::Help(lines)) = interpret("/help", SlashCommands::Nobody) else { panic!("help") };
        assert!(lines.iter().all(|line| !line.contains("/names")), "{lines:?}");
    }

    #[test]
    fn help_shows_every_command() {
        let Ok(Meaning::Help(lines)) = client("/help") else { panic!("help") };
        for command in COMMANDS {
            assert!(lines.iter().any(|line| line.starts_with(&format!("/{}", command.name))), "{}", command.name);
        }
        assert_eq!(client("/help /who"), client("/help names"));
    }
}
