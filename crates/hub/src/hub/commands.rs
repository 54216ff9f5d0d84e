//! The commands of the tutorial dialect (T10): one table of name, help and handler.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::event::{ErrorCode, Rejection, RoomCount, Rooms, Whois};
use glassline_wire::request::{HistoryRange, LOBBY, Search};
use glassline_wire::slash::{Disguise, SlashLine};

use super::direct::DirectMessage;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::moderation::{INSTRUCTIONS, is_instruction};
use crate::now::Now;
use crate::room::Room;

/// Most names that an answer to a tutorial client lists.
const LISTED_MAX: usize = 100;

/// Messages shown to a tutorial client that asks for the past without a number: a screen.
const HISTORY_SHOWN: u64 = 20;

/// Outcome of a command for its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It stays.
    Stays,
    /// It asked to leave.
    Leaves,
    /// Nothing was done: the history is asked first. Say the same line again once the connection has settled.
    Awaits,
}

/// A command: what it is called, what it does, and what does it.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name, without the slash.
    pub(crate) name: &'static str,
    /// Other names for it.
    pub(crate) aliases: &'static [&'static str],
    /// Text behind the name, empty for none.
    pub(crate) arguments: &'static str,
    /// Description of the command, in a few words.
    pub(crate) help: &'static str,
    handler: fn(&mut Hub, MemberId, &str, Now) -> Result<CommandOutcome, Fault>,
}

/// Why a command was not carried out.
enum Fault {
    /// Its arguments are wrong: the usage is shown.
    Usage,
    /// The history has to answer first.
    Awaits,
    /// The hub refused it.
    Rejected(Rejection),
}

impl From<Rejection> for Fault {
    fn from(refused: Rejection) -> Self {
        Self::Rejected(refused)
    }
}

/// Every command of the tutorial dialect, in the order in which `/help` lists them.
pub(crate) const COMMANDS: &[Command] = &[
    Command { name: "help", aliases: &[], arguments: "", help: "lists the commands", handler: help },
    Command { name: "me", aliases: &[], arguments: "TEXT", help: "says what you do", handler: me },
    Command { name: "msg", aliases: &[], arguments: "NAME TEXT", help: "sends TEXT to NAME only", handler: msg },
    Command {
        name: "reply",
        aliases: &["r"],
        arguments: "TEXT",
        help: "answers the last direct message",
        handler: reply,
    },
    Command { name: "nick", aliases: &[], arguments: "NAME", help: "takes another name", handler: nick },
    Command { name: "names", aliases: &["who"], arguments: "", help: "lists who is in this room", handler: names },
    Command { name: "whois", aliases: &[], arguments: "NAME", help: "tells how NAME is connected", handler: whois },
    Command { name: "rooms", aliases: &[], arguments: "", help: "lists the rooms", handler: rooms },
    Command {
        name: "away",
        aliases: &[],
        arguments: "[TEXT]",
        help: "tells whoever writes to you that you are away",
        handler: away,
    },
    Command { name: "back", aliases: &[], arguments: "", help: "ends /away", handler: back },
    Command { name: "join", aliases: &[], arguments: "ROOM", help: "goes to another room", handler: join },
    Command {
        name: "history",
        aliases: &[],
        arguments: "[N]",
        help: "shows the last N messages, 20 if you do not say",
        handler: history,
    },
    Command {
        name: "search",
        aliases: &[],
        arguments: "TEXT",
        help: "shows the latest messages that hold TEXT",
        handler: search,
    },
    Command { name: "leave", aliases: &[], arguments: "", help: "goes back to the lobby", handler: leave },
    Command { name: "quit", aliases: &["exit", "bye"], arguments: "", help: "leaves", handler: quit },
];

/// Reason, in words for its sender, why a text is not said: it is a command, and something hides
/// its slash (T10).
pub fn hidden_command(text: &str) -> Option<String> {
    let line = SlashLine::of(text)?;
    let is_known = |name: &str| is_instruction(name) || command_named(name).is_some();
    let how = match line.meant_disguise(is_known)? {
        Disguise::Space => "with a space before it; write it again without".to_string(),
        Disguise::Unseen(c) => {
            format!("with a character that cannot be seen, U+{:04X}; write it again without", u32::from(c))
        }
        Disguise::LookAlike(c) => format!("with U+{:04X} in place of the slash; write it again with /", u32::from(c)),
    };
    let name: String = line.name().chars().take(32).collect();
    let text = format!("this was not sent: it is /{name} {how}, or //{name} to say it");
    Some(glassline_wire::visible::one_line(&text).into_owned())
}

fn command_named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

impl Command {
    fn usage(&self) -> String {
        if self.arguments.is_empty() { format!("/{}", self.name) } else { format!("/{} {}", self.name, self.arguments) }
    }
}

impl Hub {
    /// Carries out `line`, a text that starts with a slash; the member is told what came of it.
    pub fn execute(&mut self, id: MemberId, line: &str, now: Now) -> CommandOutcome {
        let line = line.strip_prefix('/').unwrap_or(line).trim_end();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if is_instruction(name) {
            if let Err(refused) = self.operate(id, line, None, now) {
                self.refuse_in_words(id, &refused);
            }
            return CommandOutcome::Stays;
        }
        let Some(command) = command_named(name) else {
            let name: String = name.chars().take(32).collect();
            let text = format!("there is no command /{name}; /help lists them, //{name} says it");
            self.notify(id, &glassline_wire::visible::one_line(&text));
            return CommandOutcome::Stays;
        };
        match (command.handler)(self, id, arguments.trim_start(), now) {
            Ok(obeyed) => obeyed,
            Err(Fault::Usage) => {
                self.notify(id, &format!("usage: {}: {}", command.usage(), command.help));
                CommandOutcome::Stays
            }
            Err(Fault::Awaits) => CommandOutcome::Awaits,
            Err(Fault::Rejected(refused)) => {
                self.refuse_in_words(id, &refused);
                CommandOutcome::Stays
            }
        }
    }
}

fn help(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    let is_operator = hub.members.get(id.0).is_some_and(|member| member.is_operator);
    // Whoever is no operator needs to know of one word at most.
    let shown = match (&hub.rules.operator_token, is_operator) {
        (None, _) => 0,
        (Some(_), false) => 1,
        (Some(_), true) => INSTRUCTIONS.len(),
    };
    let commands = COMMANDS.iter().map(|command| format!("{}: {}", command.usage(), command.help));
    let instructions = INSTRUCTIONS.iter().take(shown).map(|usage| format!("/{}: {}", usage.synopsis(), usage.help));
    let lines: Vec<String> = commands.chain(instructions).collect();
    hub.notify(id, &(lines.join("\n") + "\n//TEXT: says /TEXT"));
    Ok(CommandOutcome::Stays)
}

fn me(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<CommandOutcome, Fault> {
    let text = required(text)?;
    hub.say_text(id, text, true, now)?;
    Ok(CommandOutcome::Stays)
}

fn msg(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<CommandOutcome, Fault> {
    let (to, text) = arguments.split_once(char::is_whitespace).ok_or(Fault::Usage)?;
    let text = required(text.trim_start())?;
    hub.deliver(id, &DirectMessage { to, text, id: None, reference: None }, now)?;
    Ok(CommandOutcome::Stays)
}

fn reply(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<CommandOutcome, Fault> {
    let text = required(text)?;
    let nobody =
        || Rejection::new(ErrorCode::UnknownName, "nobody who is here has written to you; /msg NAME TEXT starts");
    let to = hub.latest_writer(id).ok_or_else(nobody)?.name.clone();
    hub.deliver(id, &DirectMessage { to: &to, text, id: None, reference: None }, now)?;
    Ok(CommandOutcome::Stays)
}

fn nick(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<CommandOutcome, Fault> {
    hub.rename(id, required(name)?, None, now)?;
    Ok(CommandOutcome::Stays)
}

fn names(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    let room = hub.members.get(id.0).and_then(|member| member.rooms().next());
    if let Some(room) = room {
        let count = hub.rooms.get(room.0).map_or(0, Room::count);
        let names = hub.names_in_words(room, id, LISTED_MAX).unwrap_or_default();
        hub.notify(id, &format!("{count} here: {names}"));
    }
    Ok(CommandOutcome::Stays)
}

fn whois(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<CommandOutcome, Fault> {
    let Whois { name, since, idle_s, dialect, link, rooms, away } = hub.whois(required(name)?, now)?;
    let rooms = if rooms.is_empty() { "no room".to_string() } else { rooms.join(", ") };
    let away = away.map_or_else(String::new, |text| format!("; away: {text}"));
    let idle = spoken(idle_s);
    hub.notify(
        id,
        &format!("{name}: here since {since}, idle for {idle}, {link}, {dialect} dialect, in {rooms}{away}"),
    );
    Ok(CommandOutcome::Stays)
}

/// A length of time as people say it: no more exact than they need.
fn spoken(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn rooms(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    let Rooms { rooms, count } = hub.rooms_listed();
    let listed: Vec<_> =
        rooms.iter().take(LISTED_MAX).map(|RoomCount { room, count }| format!("{room} ({count})")).collect();
    let more = count - listed.len();
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    hub.notify(id, &format!("rooms: {}{more}", listed.join(", ")));
    Ok(CommandOutcome::Stays)
}

fn away(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<CommandOutcome, Fault> {
    let text = if text.is_empty() { "away" } else { text };
    let away = hub.set_away(id, Some(text), now)?;
    hub.notify(id, &format!("you are away: {}; /back ends it", away.text.unwrap_or_default()));
    Ok(CommandOutcome::Stays)
}

fn back(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    hub.set_away(id, None, now)?;
    hub.notify(id, "you are back");
    Ok(CommandOutcome::Stays)
}

fn join(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<CommandOutcome, Fault> {
    move_to(hub, id, required(name)?, now)
}

fn leave(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    move_to(hub, id, LOBBY, now)
}

/// A tutorial client has one room at a time: its pairs do not say which.
fn move_to(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<CommandOutcome, Fault> {
    if let Some(connection) = hub.connection(id)
        && !hub.knows_rooms(connection, [name])
    {
        return Err(Fault::Awaits);
    }
    let room_id = hub.admit(id, name)?;
    let current = hub.members.get(id.0).and_then(|member| member.rooms().next());
    if current == Some(room_id) {
        hub.notify(id, "you are there already");
        return Ok(CommandOutcome::Stays);
    }
    let names = hub.names_in_words(room_id, id, LISTED_MAX);
    let room = hub.rooms.get(room_id.0).map_or("", |room| &room.name).to_string();
    let here = names.map_or_else(|| "nobody else is here".to_string(), |names| format!("here: {names}"));
    hub.notify(id, &format!("you are in {room}; {here}"));
    hub.enter_room(id, room_id, true, now);
    if let Some(current) = current {
        hub.exit_room(id, current, true, now);
    }
    if hub.rules.durable {
        hub.queue_past(id, room_id, None);
    }
    Ok(CommandOutcome::Stays)
}

fn history(hub: &mut Hub, id: MemberId, count: &str, _: Now) -> Result<CommandOutcome, Fault> {
    let limit = if count.is_empty() { HISTORY_SHOWN } else { count.parse().map_err(|_| Fault::Usage)? };
    let range = HistoryRange { room: hub.current_room(id), limit: Some(limit), ..HistoryRange::default() };
    hub.read_history(id, &range, None)?;
    Ok(CommandOutcome::Stays)
}

fn search(hub: &mut Hub, id: MemberId, query: &str, _: Now) -> Result<CommandOutcome, Fault> {
    let query = required(query)?.to_string();
    let search = Search { room: hub.current_room(id), query, before: None, limit: Some(HISTORY_SHOWN) };
    hub.search_history(id, &search, None)?;
    Ok(CommandOutcome::Stays)
}

fn quit(_: &mut Hub, _: MemberId, arguments: &str, _: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    Ok(CommandOutcome::Leaves)
}

fn required(argument: &str) -> Result<&str, Fault> {
    if argument.is_empty() { Err(Fault::Usage) } else { Ok(argument) }
}

fn none(arguments: &str) -> Result<(), Fault> {
    if arguments.is_empty() { Ok(()) } else { Err(Fault::Usage) }
}
