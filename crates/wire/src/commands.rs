//! Slash commands: one table of names, arguments and help for the client and for servers.
//!
//! A new command needs a row and a [`CommandId`] here, and a handler where it is carried out: in the
//! client's parser, and in the hub for the tutorial dialect (T10) or for operators (O2).

use alloc::format;
use alloc::string::{String, ToString};

use ArgumentKind::{Choice, Command, Name, Room, Text};
use CommandGroup::{Operators, People, Program, Rooms, Talk};
use CommandId as Id;

/// One command.
#[derive(Debug)]
pub struct SlashCommand {
    /// Key of its handlers.
    pub id: CommandId,
    /// Without the slash.
    pub name: &'static str,
    /// Other names for it, which a server with commands knows too.
    pub aliases: &'static [&'static str],
    /// Other names for it that only the client knows.
    pub client_aliases: &'static [&'static str],
    /// Heading in the client's help.
    pub group: CommandGroup,
    /// Party that carries it out.
    pub executor: Executor,
    /// Arguments and help as the client shows them.
    pub client: Syntax,
    /// The same in a server's help; `None` if no server knows the command.
    pub server: Option<Syntax>,
    /// Short help, for the commands that the first `/help` of the client explains.
    pub brief: Option<&'static str>,
    /// Kinds of the arguments, for completion.
    pub arguments: &'static [ArgumentKind],
    /// `true` if the arguments are confidential, so that they are never written to a disk.
    pub is_private: bool,
}

/// Arguments and effect of a command, as text.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    /// Arguments that follow the name, empty for none. If they begin with a bracket, they
    /// are optional.
    pub arguments: &'static str,
    /// Short description of the effect.
    pub help: &'static str,
}

/// Key of a command's handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table says what they do")]
pub enum CommandId {
    Action,
    Direct,
    DirectOrWhois,
    Reply,
    Rename,
    Members,
    Whois,
    Away,
    Back,
    Ignore,
    Unignore,
    Rooms,
    Join,
    Leave,
    History,
    Search,
    Older,
    More,
    Seal,
    Unseal,
    Help,
    Timestamps,
    Bell,
    Clear,
    Quit,
    Qr,
    Op,
    Kick,
    Mute,
    Unmute,
    Ban,
    Unban,
    Freeze,
    Thaw,
    Motd,
    Roster,
    Bans,
}

/// Heading under which `/help` shows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the client's help has words for them")]
pub enum CommandGroup {
    Talk,
    People,
    Rooms,
    Program,
    /// Shown by itself, because few are operators.
    Operators,
}

/// Party that carries a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// The client, on every server.
    Client,
    /// The server, for every member: a request of the event dialect, a line of the tutorial
    /// dialect.
    Server,
    /// The server, for operators only: it gets the line without its slash (O2).
    Operator,
}

/// Kind of argument that a command takes at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A name of a user.
    Name,
    /// A room's name.
    Room,
    /// A command's name, without its slash.
    Command,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text up to the end of the line.
    Text,
}

/// Name of the command of an operator's token: what follows it is a secret.
pub const OP: &str = "op";

/// Every command, in the order in which the client's help lists them.
pub const COMMANDS: &[SlashCommand] = &[
    by_server(Id::Action, "me", Talk)
        .client("TEXT", "says what you do: `/me waves` shows as `alice * waves`")
        .server("TEXT", "says what you do")
        .brief("says what you do: `/me waves`")
        .takes(&[Text]),
    by_server(Id::Direct, "msg", Talk)
        .client_aliases(&["query"])
        .client("NAME TEXT", "writes to one person only")
        .server("NAME TEXT", "sends TEXT to NAME only")
        .brief("writes to one person only")
        .takes(&[Name, Text])
        .private(),
    by_server(Id::DirectOrWhois, "w", Talk)
        .client("NAME [TEXT]", "writes to one person only; without a text, does what /whois does")
        .takes(&[Name, Text])
        .private(),
    by_server(Id::Reply, "reply", Talk)
        .aliases(&["r"])
        .client("TEXT", "answers the last person who wrote to you only")
        .server("TEXT", "answers the last direct message")
        .brief("answers who wrote to you only")
        .takes(&[Text])
        .private(),
    by_server(Id::Rename, "nick", People)
        .client("NAME", "takes another name")
        .server("NAME", "takes another name")
        .brief("takes another name"),
    by_server(Id::Members, "names", People)
        .aliases(&["who"])
        .client("[ROOM]", "shows who is in a room")
        .server("", "lists who is in this room")
        .brief("shows who is in a room")
        .takes(&[Room]),
    by_server(Id::Whois, "whois", People)
        .client("NAME", "tells since when somebody is here, how long idle, and how connected")
        .server("NAME", "tells how NAME is connected")
        .brief("tells about somebody")
        .takes(&[Name]),
    by_server(Id::Away, "away", People)
        .client("[TEXT]", "tells who writes to you that you are away")
        .server("[TEXT]", "tells whoever writes to you that you are away")
        .brief("tells who writes to you that you are away")
        .takes(&[Text]),
    by_server(Id::Back, "back", People).client("", "ends it").server("", "ends /away"),
    by_client(Id::Ignore, "ignore", People)
        .client("[NAME]", "hides what somebody says, until you leave; without a name, tells whom you ignore")
        .brief("hides what somebody says")
        .takes(&[Name]),
    by_client(Id::Unignore, "unignore", People).client("NAME", "shows it again").takes(&[Name]),
    by_server(Id::Rooms, "rooms", Rooms)
        .client_aliases(&["list"])
        .client("", "lists the rooms")
        .server("", "lists the rooms")
        .brief("lists the rooms"),
    by_server(Id::Join, "join", Rooms)
        .client_aliases(&["j"])
        .client("ROOM", "enters a room and talks there; also goes back to one you are in")
        .server("ROOM", "goes to another room")
        .brief("enters a room, or goes back to one")
        .takes(&[Room]),
    by_server(Id::Leave, "leave", Rooms)
        .client_aliases(&["part"])
        .client("[ROOM]", "leaves a room")
        .server("", "goes back to the lobby")
        .brief("leaves a room")
        .takes(&[Room]),
    by_server(Id::History, "history", Rooms)
        .client(
            "[N|around NUMBER]",
            "shows the last N messages of the room you are in, 1 to 200 and 20 without N, or those around one, \
             where they are kept",
        )
        .server("[N]", "shows the last N messages, 20 if you do not say")
        .brief("shows the last messages, where they are kept"),
    by_server(Id::Search, "search", Rooms)
        .client("TEXT", "finds the last 20 messages that hold a text, where the server keeps them")
        .server("TEXT", "shows the latest messages that hold TEXT")
        .brief("finds messages")
        .takes(&[Text]),
    by_server(Id::Older, "older", Rooms)
        .client("", "shows what stands before that, or finds what is older")
        .brief("shows what stands before that"),
    by_client(Id::More, "more", Rooms)
        .client("[NUMBER]", "shows the rest of a long message")
        .brief("shows the rest of a long message"),
    by_client(Id::Seal, "seal", Rooms)
        .client("", "encrypts this room with a passphrase, which it asks for and never sends")
        .brief("encrypts this room with a passphrase")
        .private(),
    by_client(Id::Unseal, "unseal", Rooms).client("", "ends that: what you say is readable again"),
    by_client(Id::Help, "help", Program)
        .client("[COMMAND|all|keys|operators]", "explains a command, all of them, the keys or what operators may do")
        .server("", "lists the commands")
        .takes(&[Command]),
    by_client(Id::Timestamps, "timestamps", Program)
        .client("[on|off]", "shows the time of each message, or not")
        .takes(&[Choice(&["on", "off"])]),
    by_client(Id::Bell, "bell", Program)
        .client("[off|mentions|all]", "rings never, when you are mentioned or written to, or at every message")
        .takes(&[Choice(&["off", "mentions", "all"])]),
    by_client(Id::Clear, "clear", Program).client("", "clears the screen"),
    by_client(Id::Quit, "quit", Program)
        .aliases(&["exit", "bye"])
        .client("", "leaves, as three empty Enters do")
        .server("", "leaves")
        .brief("leaves, as three empty Enters do"),
    by_client(Id::Qr, "qr", Program)
        .client("[NUMBER]", "shows the address of the server's web page, as a code that a phone scans"),
    by_operator(Id::Op, OP, "TOKEN", "makes you an operator")
        .client("TOKEN", "makes you an operator until you leave, if the token is right")
        .private(),
    by_operator(Id::Kick, "kick", "NAME [REASON]", "closes somebody's connection").takes(&[Name, Text]),
    by_operator(
        Id::Mute,
        "mute",
        "WHO [FOR] [REASON]",
        "takes the voice of a name, address or network; FOR is 10m, 2h or 7d, and 1h if you do not say",
    )
    .client(
        "WHO [FOR] [REASON]",
        "takes the voice of a name, an address or a network; FOR is 10m, 2h or 7d, and 1h if you do not say",
    )
    .takes(&[Name, Text]),
    by_operator(Id::Unmute, "unmute", "WHO", "gives it back").takes(&[Name]),
    by_operator(Id::Ban, "ban", "WHO [FOR] [REASON]", "throws a name, address or network out, and keeps it out")
        .client("WHO [FOR] [REASON]", "throws a name, an address or a network out, and keeps it out")
        .takes(&[Name, Text]),
    by_operator(Id::Unban, "unban", "WHO", "lets them in again"),
    by_operator(Id::Freeze, "freeze", "", "lets nobody but operators speak"),
    by_operator(Id::Thaw, "thaw", "", "ends it"),
    by_operator(
        Id::Motd,
        "motd",
        "[TEXT|-]",
        "sets what newcomers are shown; with - takes it away, with nothing shows it",
    )
    .takes(&[Text]),
    by_operator(Id::Roster, "roster", "", "lists who is here, from which address"),
    by_operator(Id::Bans, "bans", "", "lists the mutes and bans that stand"),
];

const fn by_client(id: CommandId, name: &'static str, group: CommandGroup) -> SlashCommand {
    SlashCommand {
        id,
        name,
        aliases: &[],
        client_aliases: &[],
        group,
        executor: Executor::Client,
        client: Syntax { arguments: "", help: "" },
        server: None,
        brief: None,
        arguments: &[],
        is_private: false,
    }
}

const fn by_server(id: CommandId, name: &'static str, group: CommandGroup) -> SlashCommand {
    SlashCommand { executor: Executor::Server, ..by_client(id, name, group) }
}

const fn by_operator(id: CommandId, name: &'static str, arguments: &'static str, help: &'static str) -> SlashCommand {
    let command = SlashCommand { executor: Executor::Operator, ..by_client(id, name, Operators) };
    command.client(arguments, help).server(arguments, help)
}

impl SlashCommand {
    const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn client_aliases(self, client_aliases: &'static [&'static str]) -> Self {
        Self { client_aliases, ..self }
    }

    const fn client(self, arguments: &'static str, help: &'static str) -> Self {
        Self { client: Syntax { arguments, help }, ..self }
    }

    const fn server(self, arguments: &'static str, help: &'static str) -> Self {
        Self { server: Some(Syntax { arguments, help }), ..self }
    }

    const fn brief(self, brief: &'static str) -> Self {
        Self { brief: Some(brief), ..self }
    }

    const fn takes(self, arguments: &'static [ArgumentKind]) -> Self {
        Self { arguments, ..self }
    }

    const fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// Returns the command of this name or alias as the client knows it, without its slash.
    pub fn of_client(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.client_names().any(|known| known == name))
    }

    /// Returns the command of this name or alias, with the syntax of a server that knows it.
    pub fn of_server(name: &str) -> Option<(&'static Self, Syntax)> {
        let command = COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))?;
        Some((command, command.server?))
    }

    /// Returns the commands of operators.
    pub fn of_operators() -> impl Iterator<Item = &'static Self> {
        COMMANDS.iter().filter(|command| command.executor == Executor::Operator)
    }

    /// Returns true if its text goes to everybody in a room.
    pub fn is_published(&self) -> bool {
        self.id == CommandId::Action
    }

    /// Returns the name and the aliases as the client knows them.
    pub fn client_names(&self) -> impl Iterator<Item = &'static str> {
        let aliases = self.aliases.iter().chain(self.client_aliases);
        core::iter::once(self.name).chain(aliases.copied())
    }

    /// Returns the command as it is written, and its effect.
    pub fn usage(&self, syntax: Syntax) -> String {
        format!("/{}: {}", self.synopsis(syntax), syntax.help)
    }

    /// Returns the command as it is written, without its slash.
    pub fn synopsis(&self, syntax: Syntax) -> String {
        let (name, arguments) = (self.name, syntax.arguments);
        if arguments.is_empty() { name.to_string() } else { format!("{name} {arguments}") }
    }
}

/// Returns every name that the client knows: those of the commands, then their aliases.
pub fn client_names() -> impl Iterator<Item = &'static str> {
    let aliases = COMMANDS.iter().flat_map(|command| command.client_names().skip(1));
    COMMANDS.iter().map(|command| command.name).chain(aliases)
}
