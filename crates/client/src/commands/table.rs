//! The table of commands: what `/help`, the completion, the privacy of typed lines and the meaning of a line are read from.

use glassline_session::{Command, HistorySelection, PAGE_MESSAGES};
use glassline_wire::limits::PAGE_MESSAGES_MAX;

use super::meaning::Meaning;
use crate::preferences::Bell;

/// One command.
#[derive(Debug)]
pub(crate) struct SlashCommand {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(super) group: Group,
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
    pub(super) reading: Reading,
}

/// Syntax of the arguments.
#[derive(Debug)]
pub(super) enum Reading {
    /// By itself; `None` if it does not fit the usage.
    Arguments(fn(&str) -> Option<Meaning>),
    /// With the table in view.
    Help,
    /// By the server: it gets the line without its slash (O2).
    Operating,
}

/// Under which heading `/help` shows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
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
    let (group, reading) = (Group::Operators, Reading::Operating);
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
        reading,
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
        group: Group::Talk,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "says what you do: `/me waves` shows as `alice * waves`",
        brief: Some("says what you do: `/me waves`"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| text(args).map(|text| Meaning::Do(Command::Action(text)))),
    },
    SlashCommand {
        name: "msg",
        aliases: &["query"],
        group: Group::Talk,
        usage: "NAME TEXT",
        arguments: &[Argument::Name, Argument::Text],
        help: "writes to one person only",
        brief: Some("writes to one person only"),
        local: false,
        private: true,
        reading: Reading::Arguments(|args| {
            let (to, said) = args.split_once(char::is_whitespace)?;
            Some(Meaning::Do(Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }))
        }),
    },
    SlashCommand {
        name: "w",
        aliases: &[],
        group: Group::Talk,
        usage: "NAME [TEXT]",
        arguments: &[Argument::Name, Argument::Text],
        help: "writes to one person only; without a text, does what /whois does",
        brief: None,
        local: false,
        private: true,
        reading: Reading::Arguments(|args| match args.split_once(char::is_whitespace) {
            Some((to, said)) => {
                Some(Meaning::Do(Command::Direct { to: to.to_owned(), text: text(said.trim_start())? }))
            }
            None => word(args).map(|name| Meaning::Do(Command::Whois(name))),
        }),
    },
    SlashCommand {
        name: REPLY,
        aliases: &["r"],
        group: Group::Talk,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "answers the last person who wrote to you only",
        brief: Some("answers who wrote to you only"),
        local: false,
        private: true,
        reading: Reading::Arguments(|args| text(args).map(Meaning::Reply)),
    },
    SlashCommand {
        name: "nick",
        aliases: &[],
        group: Group::People,
        usage: "NAME",
        arguments: &[],
        help: "takes another name",
        brief: Some("takes another name"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| word(args).map(|name| Meaning::Do(Command::Rename(name)))),
    },
    SlashCommand {
        name: "names",
        aliases: &["who"],
        group: Group::People,
        usage: "[ROOM]",
        arguments: &[Argument::Room],
        help: "shows who is in a room",
        brief: Some("shows who is in a room"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| optional_word(args).map(|room| Meaning::Do(Command::Members(room)))),
    },
    SlashCommand {
        name: "whois",
        aliases: &[],
        group: Group::People,
        usage: "NAME",
        arguments: &[Argument::Name],
        help: "tells since when somebody is here, how long idle, and how connected",
        brief: Some("tells about somebody"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| word(args).map(|name| Meaning::Do(Command::Whois(name)))),
    },
    SlashCommand {
        name: "away",
        aliases: &[],
        group: Group::People,
        usage: "[TEXT]",
        arguments: &[Argument::Text],
        help: "tells who writes to you that you are away",
        brief: Some("tells who writes to you that you are away"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| Some(Meaning::Do(Command::Away(text(args))))),
    },
    SlashCommand {
        name: "back",
        aliases: &[],
        group: Group::People,
        usage: "",
        arguments: &[],
        help: "ends it",
        brief: None,
        local: false,
        private: false,
        reading: Reading::Arguments(|args| args.is_empty().then_some(Meaning::Do(Command::Back))),
    },
    SlashCommand {
        name: "ignore",
        aliases: &[],
        group: Group::People,
        usage: "[NAME]",
        arguments: &[Argument::Name],
        help: "hides what somebody says, until you leave; without a name, tells whom you ignore",
        brief: Some("hides what somebody says"),
        local: true,
        private: false,
        reading: Reading::Arguments(|args| optional_word(args).map(Meaning::Ignore)),
    },
    SlashCommand {
        name: "unignore",
        aliases: &[],
        group: Group::People,
        usage: "NAME",
        arguments: &[Argument::Name],
        help: "shows it again",
        brief: None,
        local: true,
        private: false,
        reading: Reading::Arguments(|args| word(args).map(Meaning::Unignore)),
    },
    SlashCommand {
        name: "rooms",
        aliases: &["list"],
        group: Group::Rooms,
        usage: "",
        arguments: &[],
        help: "lists the rooms",
        brief: Some("lists the rooms"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| args.is_empty().then_some(Meaning::Do(Command::Rooms))),
    },
    SlashCommand {
        name: "join",
        aliases: &["j"],
        group: Group::Rooms,
        usage: "ROOM",
        arguments: &[Argument::Room],
        help: "enters a room and talks there; also goes back to one you are in",
        brief: Some("enters a room, or goes back to one"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| word(args).map(|room| Meaning::Do(Command::Join(room)))),
    },
    SlashCommand {
        name: "leave",
        aliases: &["part"],
        group: Group::Rooms,
        usage: "[ROOM]",
        arguments: &[Argument::Room],
        help: "leaves a room",
        brief: Some("leaves a room"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| optional_word(args).map(|room| Meaning::Do(Command::LeaveRoom(room)))),
    },
    SlashCommand {
        name: "history",
        aliases: &[],
        group: Group::Rooms,
        usage: "[N|around NUMBER]",
        arguments: &[],
        help: "shows the last N messages of the room you are in, 1 to 200 and 20 without N, or those around one, where they are kept",
        brief: Some("shows the last messages, where they are kept"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| history_wish(args).map(|wish| Meaning::Do(Command::History(wish)))),
    },
    SlashCommand {
        name: "search",
        aliases: &[],
        group: Group::Rooms,
        usage: "TEXT",
        arguments: &[Argument::Text],
        help: "finds the last 20 messages that hold a text, where the server keeps them",
        brief: Some("finds messages"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| text(args).map(|text| Meaning::Do(Command::Search(text)))),
    },
    SlashCommand {
        name: "older",
        aliases: &[],
        group: Group::Rooms,
        usage: "",
        arguments: &[],
        help: "shows what stands before that, or finds what is older",
        brief: Some("shows what stands before that"),
        local: false,
        private: false,
        reading: Reading::Arguments(|args| args.is_empty().then_some(Meaning::Do(Command::Older))),
    },
    SlashCommand {
        name: "more",
        aliases: &[],
        group: Group::Rooms,
        usage: "[NUMBER]",
        arguments: &[],
        help: "shows the rest of a long message",
        brief: Some("shows the rest of a long message"),
        local: true,
        private: false,
        reading: Reading::Arguments(|args| match args {
            "" => Some(Meaning::More(None)),
            number => number.parse().ok().map(|number| Meaning::More(Some(number))),
        }),
    },
    SlashCommand {
        name: "help",
        aliases: &[],
        group: Group::Program,
        usage: "[COMMAND|all|keys|operators]",
        arguments: &[Argument::Command],
        help: "explains a command, all of them, the keys or what operators may do",
        brief: None,
        local: true,
        private: false,
        reading: Reading::Help,
    },
    SlashCommand {
        name: "timestamps",
        aliases: &[],
        group: Group::Program,
        usage: "[on|off]",
        arguments: &[Argument::Choice(ON_OFF)],
        help: "shows the time of each message, or not",
        brief: None,
        local: true,
        private: false,
        reading: Reading::Arguments(|args| match args {
            "" => Some(Meaning::Timestamps(None)),
            "on" => Some(Meaning::Timestamps(Some(true))),
            "off" => Some(Meaning::Timestamps(Some(false))),
            _ => None,
        }),
    },
    SlashCommand {
        name: "bell",
        aliases: &[],
        group: Group::Program,
        usage: "[off|mentions|all]",
        arguments: &[Argument::Choice(BELLS)],
        help: "rings never, when you are mentioned or written to, or at every message",
        brief: None,
        local: true,
        private: false,
        reading: Reading::Arguments(|args| match args {
            "" => Some(Meaning::Bell(None)),
            "off" => Some(Meaning::Bell(Some(Bell::Off))),
            "mentions" => Some(Meaning::Bell(Some(Bell::Mentions))),
            "all" => Some(Meaning::Bell(Some(Bell::All))),
            _ => None,
        }),
    },
    SlashCommand {
        name: "clear",
        aliases: &[],
        group: Group::Program,
        usage: "",
        arguments: &[],
        help: "clears the screen",
        brief: None,
        local: true,
        private: false,
        reading: Reading::Arguments(|args| args.is_empty().then_some(Meaning::Clear)),
    },
    SlashCommand {
        name: "quit",
        aliases: &["exit", "bye"],
        group: Group::Program,
        usage: "",
        arguments: &[],
        help: "leaves, as three empty Enters do",
        brief: Some("leaves, as three empty Enters do"),
        local: true,
        private: false,
        reading: Reading::Arguments(|args| args.is_empty().then_some(Meaning::Do(Command::Leave))),
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
