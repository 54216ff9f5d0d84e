//! The table of commands: what `/help`, the completion, the privacy of typed lines and the meaning of a line are read from.

use glassline_session::{Command, HistorySelection, PAGE_MESSAGES};
use glassline_wire::limits::PAGE_MESSAGES_MAX;

use super::parse::ParsedLine;
use crate::preferences::Bell;

/// One command.
#[derive(Debug)]
pub(crate) struct SlashCommand {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(super) group: HelpGroup,
    /// Arguments that follow the name.
    pub(super) usage: &'static str,
    /// The same for the completion.
    pub(crate) arguments: &'static [Argument],
    pub(super) help: &'static str,
    /// The same in a few words, for the commands that the first `/help` explains.
    pub(super) brief: Option<&'static str>,
    /// Works without a server's help, on every server.
    pub(super) local: bool,
    /// `true` if the arguments are confidential, so that they are never written to a disk.
    pub(super) private: bool,
    pub(super) syntax: Syntax,
}

/// Syntax of the arguments.
#[derive(Debug)]
pub(super) enum Syntax {
    /// By itself; `None` if it does not fit the usage.
    Arguments(fn(&str) -> Option<ParsedLine>),
    /// With the table in view.
    Help,
    /// By the server: it gets the line without its slash (O2).
    Operating,
}

/// Under which heading `/help` shows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HelpGroup {
    Talk,
    People,
    Rooms,
    Program,
    /// Shown by itself, because few are operators.
    Operators,
}

/// Kind of argument that a command takes at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Somebody's name.
    Name,
    Room,
    /// A command's name, without its slash.
    Command,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Words up to the end of the line.
    Text,
}

/// A command of operators. Where its usage begins with a bracket, or is nothing, it can stand alone.
const fn operating(
    name: &'static str,
    usage: &'static str,
    arguments: &'static [Argument],
    help: &'static str,
) -> SlashCommand {
    let (group, syntax) = (HelpGroup::Operators, Syntax::Operating);
    SlashCommand {
        name,
        aliases: &[],
        group,
        usage,
        arguments,
        help,
        brief: None,
        local: false,
        private: false,
        syntax,
    }
}

/// The command that answers the last direct message.
pub(super) const REPLY: &str = "reply";

const ON_OFF: &[&str] = &["on", "off"];
const BELLS: &[&str] = &["off", "mentions", "all"];

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand {
        name: "me",
        aliases: &[],
        group: HelpGroup::Talk,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "says what you do: `/me waves` shows as `alice * waves`",
        brief: Some("says what you do: `/me waves`"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| text(args).map(|text| ParsedLine::Session(Command::Action(text)))),
    },
    SlashCommand {
        name: "msg",
        aliases: &["query"],
        group: HelpGroup::Talk,
        usage: "NAME TEXT",
        arguments: &[Argument::Name, Argument::Text],
        help: "writes to one person only",
        brief: Some("writes to one person only"),
        local: false,
        private: true,
        syntax: Syntax::Arguments(|args| {
            let (to, said) = args.split_once(char::is_whitespace)?;
            Some(ParsedLine::Session(Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }))
        }),
    },
    SlashCommand {
        name: "w",
        aliases: &[],
        group: HelpGroup::Talk,
        usage: "NAME [TEXT]",
        arguments: &[Argument::Name, Argument::Text],
        help: "writes to one person only; without a text, does what /whois does",
        brief: None,
        local: false,
        private: true,
        syntax: Syntax::Arguments(|args| match args.split_once(char::is_whitespace) {
            Some((to, said)) => {
                Some(ParsedLine::Session(Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }))
            }
            None => word(args).map(|name| ParsedLine::Session(Command::Whois(name))),
        }),
    },
    SlashCommand {
        name: REPLY,
        aliases: &["r"],
        group: HelpGroup::Talk,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "answers the last person who wrote to you only",
        brief: Some("answers who wrote to you only"),
        local: false,
        private: true,
        syntax: Syntax::Arguments(|args| text(args).map(ParsedLine::Reply)),
    },
    SlashCommand {
        name: "nick",
        aliases: &[],
        group: HelpGroup::People,
        usage: "NAME",
        arguments: &[],
        help: "takes another name",
        brief: Some("takes another name"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| word(args).map(|name| ParsedLine::Session(Command::Rename(name)))),
    },
    SlashCommand {
        name: "names",
        aliases: &["who"],
        group: HelpGroup::People,
        usage: "[ROOM]",
        arguments: &[Argument::Room],
        help: "shows who is in a room",
        brief: Some("shows who is in a room"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| optional_word(args).map(|room| ParsedLine::Session(Command::Members(room)))),
    },
    SlashCommand {
        name: "whois",
        aliases: &[],
        group: HelpGroup::People,
        usage: "NAME",
        arguments: &[Argument::Name],
        help: "tells since when somebody is here, how long idle, and how connected",
        brief: Some("tells about somebody"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| word(args).map(|name| ParsedLine::Session(Command::Whois(name)))),
    },
    SlashCommand {
        name: "away",
        aliases: &[],
        group: HelpGroup::People,
        usage: "[TEXT]",
        arguments: &[Argument::Text],
        help: "tells who writes to you that you are away",
        brief: Some("tells who writes to you that you are away"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| Some(ParsedLine::Session(Command::Away(text(args))))),
    },
    SlashCommand {
        name: "back",
        aliases: &[],
        group: HelpGroup::People,
        usage: "",
        arguments: &[],
        help: "ends it",
        brief: None,
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| args.is_empty().then_some(ParsedLine::Session(Command::Back))),
    },
    SlashCommand {
        name: "ignore",
        aliases: &[],
        group: HelpGroup::People,
        usage: "[NAME]",
        arguments: &[Argument::Name],
        help: "hides what somebody says, until you leave; without a name, tells whom you ignore",
        brief: Some("hides what somebody says"),
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| optional_word(args).map(ParsedLine::Ignore)),
    },
    SlashCommand {
        name: "unignore",
        aliases: &[],
        group: HelpGroup::People,
        usage: "NAME",
        arguments: &[Argument::Name],
        help: "shows it again",
        brief: None,
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| word(args).map(ParsedLine::Unignore)),
    },
    SlashCommand {
        name: "rooms",
        aliases: &["list"],
        group: HelpGroup::Rooms,
        usage: "",
        arguments: &[],
        help: "lists the rooms",
        brief: Some("lists the rooms"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| args.is_empty().then_some(ParsedLine::Session(Command::Rooms))),
    },
    SlashCommand {
        name: "join",
        aliases: &["j"],
        group: HelpGroup::Rooms,
        usage: "ROOM",
        arguments: &[Argument::Room],
        help: "enters a room and talks there; also goes back to one you are in",
        brief: Some("enters a room, or goes back to one"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| word(args).map(|room| ParsedLine::Session(Command::Join(room)))),
    },
    SlashCommand {
        name: "leave",
        aliases: &["part"],
        group: HelpGroup::Rooms,
        usage: "[ROOM]",
        arguments: &[Argument::Room],
        help: "leaves a room",
        brief: Some("leaves a room"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| optional_word(args).map(|room| ParsedLine::Session(Command::LeaveRoom(room)))),
    },
    SlashCommand {
        name: "history",
        aliases: &[],
        group: HelpGroup::Rooms,
        usage: "[N|around NUMBER]",
        arguments: &[],
        help: "shows the last N messages of the room you are in, 1 to 200 and 20 without N, or those around one, where they are kept",
        brief: Some("shows the last messages, where they are kept"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| history_wish(args).map(|wish| ParsedLine::Session(Command::History(wish)))),
    },
    SlashCommand {
        name: "search",
        aliases: &[],
        group: HelpGroup::Rooms,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "finds the last 20 messages that hold a text, where the server keeps them",
        brief: Some("finds messages"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| text(args).map(|text| ParsedLine::Session(Command::Search(text)))),
    },
    SlashCommand {
        name: "older",
        aliases: &[],
        group: HelpGroup::Rooms,
        usage: "",
        arguments: &[],
        help: "shows what stands before that, or finds what is older",
        brief: Some("shows what stands before that"),
        local: false,
        private: false,
        syntax: Syntax::Arguments(|args| args.is_empty().then_some(ParsedLine::Session(Command::Older))),
    },
    SlashCommand {
        name: "more",
        aliases: &[],
        group: HelpGroup::Rooms,
        usage: "[NUMBER]",
        arguments: &[],
        help: "shows the rest of a long message",
        brief: Some("shows the rest of a long message"),
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| match args {
            "" => Some(ParsedLine::More(None)),
            number => number.parse().ok().map(|number| ParsedLine::More(Some(number))),
        }),
    },
    SlashCommand {
        name: "help",
        aliases: &[],
        group: HelpGroup::Program,
        usage: "[COMMAND|all|keys|operators]",
        arguments: &[Argument::Command],
        help: "explains a command, all of them, the keys or what operators may do",
        brief: None,
        local: true,
        private: false,
        syntax: Syntax::Help,
    },
    SlashCommand {
        name: "timestamps",
        aliases: &[],
        group: HelpGroup::Program,
        usage: "[on|off]",
        arguments: &[Argument::Choice(ON_OFF)],
        help: "shows the time of each message, or not",
        brief: None,
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| match args {
            "" => Some(ParsedLine::Timestamps(None)),
            "on" => Some(ParsedLine::Timestamps(Some(true))),
            "off" => Some(ParsedLine::Timestamps(Some(false))),
            _ => None,
        }),
    },
    SlashCommand {
        name: "bell",
        aliases: &[],
        group: HelpGroup::Program,
        usage: "[off|mentions|all]",
        arguments: &[Argument::Choice(BELLS)],
        help: "rings never, when you are mentioned or written to, or at every message",
        brief: None,
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| match args {
            "" => Some(ParsedLine::Bell(None)),
            "off" => Some(ParsedLine::Bell(Some(Bell::Off))),
            "mentions" => Some(ParsedLine::Bell(Some(Bell::Mentions))),
            "all" => Some(ParsedLine::Bell(Some(Bell::All))),
            _ => None,
        }),
    },
    SlashCommand {
        name: "clear",
        aliases: &[],
        group: HelpGroup::Program,
        usage: "",
        arguments: &[],
        help: "clears the screen",
        brief: None,
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| args.is_empty().then_some(ParsedLine::Clear)),
    },
    SlashCommand {
        name: "quit",
        aliases: &["exit", "bye"],
        group: HelpGroup::Program,
        usage: "",
        arguments: &[],
        help: "leaves, as three empty Enters do",
        brief: Some("leaves, as three empty Enters do"),
        local: true,
        private: false,
        syntax: Syntax::Arguments(|args| args.is_empty().then_some(ParsedLine::Session(Command::Leave))),
    },
    SlashCommand {
        private: true,
        ..operating("op", "TOKEN", &[], "makes you an operator until you leave, if the token is right")
    },
    operating("kick", "NAME [REASON]", &[Argument::Name, Argument::Text], "closes somebody's connection"),
    operating(
        "mute",
        "WHO [FOR] [REASON]",
        &[Argument::Name, Argument::Text],
        "takes the voice of a name, an address or a network; FOR is 10m, 2h or 7d, and 1h if you do not say",
    ),
    operating("unmute", "WHO", &[Argument::Name], "gives it back"),
    operating(
        "ban",
        "WHO [FOR] [REASON]",
        &[Argument::Name, Argument::Text],
        "throws a name, an address or a network out, and keeps it out",
    ),
    operating("unban", "WHO", &[], "lets them in again"),
    operating("freeze", "", &[], "lets nobody but operators speak"),
    operating("thaw", "", &[], "ends it"),
    operating(
        "motd",
        "[TEXT|-]",
        &[Argument::Text],
        "sets what newcomers are told; with - takes it away, with nothing shows it",
    ),
    operating("roster", "", &[], "lists who is here, from which address"),
    operating("bans", "", &[], "lists the mutes and bans that stand"),
];

impl SlashCommand {
    /// The command of this name or alias, without its slash.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|known| known.names().any(|known| known == name))
    }

    /// Returns true if its text goes to everybody in a room.
    pub(super) fn publishes(&self) -> bool {
        self.name == "me"
    }

    /// Returns true if no server knows it by this name.
    pub(super) fn is_the_clients(&self) -> bool {
        self.name == "w"
    }

    /// Its name and aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// Every command's name, then every alias.
pub(crate) fn all_names() -> impl Iterator<Item = &'static str> {
    let aliases = COMMANDS.iter().flat_map(|command| command.aliases.iter().copied());
    COMMANDS.iter().map(|command| command.name).chain(aliases)
}

fn text(args: &str) -> Option<String> {
    (!args.is_empty()).then(|| args.to_owned())
}

fn word(args: &str) -> Option<String> {
    (!args.is_empty() && !args.contains(char::is_whitespace)).then(|| args.to_owned())
}

fn history_wish(args: &str) -> Option<HistorySelection> {
    if args.is_empty() {
        return Some(HistorySelection::Latest(PAGE_MESSAGES));
    }
    if let Some(number) = args.strip_prefix("around").filter(|rest| rest.starts_with(char::is_whitespace)) {
        return number.trim_start().trim_start_matches('#').parse().ok().map(HistorySelection::Around);
    }
    let count = args.parse().ok().filter(|count| (1..=PAGE_MESSAGES_MAX as u64).contains(count));
    count.map(HistorySelection::Latest)
}

/// At most one word.
#[expect(clippy::option_option, reason = "outside: whether the usage fits; inside: whether the word is there")]
fn optional_word(args: &str) -> Option<Option<String>> {
    if args.is_empty() { Some(None) } else { word(args).map(Some) }
}
