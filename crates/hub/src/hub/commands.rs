//! The commands of the tutorial dialect (T10) and their handlers.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::commands::{COMMANDS, CommandId, Executor, SlashCommand};
use glassline_wire::event::{ErrorCode, Rejection, RoomCount, Rooms, Whois};
use glassline_wire::request::{HistoryRange, LOBBY, Search};
use glassline_wire::slash::{HiddenSlash, SlashLine};

use super::direct::DirectMessage;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::member::Member;
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

type Handler = fn(&mut Hub, MemberId, &str, Now) -> Result<CommandOutcome, Fault>;

/// Handlers of the commands, in the order in which `/help` lists them.
const HANDLERS: &[(CommandId, Handler)] = &[
    (CommandId::Help, help),
    (CommandId::Action, me),
    (CommandId::Direct, msg),
    (CommandId::Reply, reply),
    (CommandId::Rename, nick),
    (CommandId::Members, names),
    (CommandId::Whois, whois),
    (CommandId::Rooms, rooms),
    (CommandId::Away, away),
    (CommandId::Back, back),
    (CommandId::Join, join),
    (CommandId::History, history),
    (CommandId::Search, search),
    (CommandId::Leave, leave),
    (CommandId::Quit, quit),
];

/// Reason, in words for its sender, why a text is not said: it is a command, and something hides
/// its slash (T10).
pub fn hidden_command(text: &str) -> Option<String> {
    let line = SlashLine::of(text)?;
    let how = match line.hidden_command(|name| SlashCommand::of_server(name).is_some())? {
        HiddenSlash::Space => "with a space before it; write it again without".to_string(),
        HiddenSlash::Unseen(c) => {
            format!("with a character that cannot be seen, U+{:04X}; write it again without", u32::from(c))
        }
        HiddenSlash::LookAlike(c) => {
            format!("with U+{:04X} in place of the slash; write it again with /", u32::from(c))
        }
    };
    let name: String = line.name().chars().take(32).collect();
    let text = format!("this was not sent: it is /{name} {how}, or //{name} to say it");
    Some(glassline_wire::visible::one_line(&text).into_owned())
}

impl Hub {
    /// Carries out `line`, a text that starts with a slash; the member is told what came of it.
    pub fn execute(&mut self, id: MemberId, line: &str, now: Now) -> CommandOutcome {
        let line = line.strip_prefix('/').unwrap_or(line).trim_end();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let command = SlashCommand::of_server(name);
        if command.is_some_and(|(command, _)| command.executor == Executor::Operator) {
            if let Err(refused) = self.operate(id, line, None, now) {
                self.refuse_in_words(id, &refused);
            }
            return CommandOutcome::Stays;
        }
        let handler = |id: CommandId| HANDLERS.iter().find(|(known, _)| *known == id).map(|&(_, handler)| handler);
        let Some((command, syntax, handler)) =
            command.and_then(|(command, syntax)| Some((command, syntax, handler(command.id)?)))
        else {
            let name: String = name.chars().take(32).collect();
            let text = format!("there is no command /{name}; /help lists them, //{name} says it");
            self.notify(id, &glassline_wire::visible::one_line(&text));
            return CommandOutcome::Stays;
        };
        match handler(self, id, arguments.trim_start(), now) {
            Ok(outcome) => outcome,
            Err(Fault::Usage) => {
                self.notify(id, &format!("usage: {}", command.usage(syntax)));
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
    let is_operator = hub.members.get(id).is_some_and(Member::is_operator);
    // Whoever is no operator needs to know of one word at most.
    let shown = match (&hub.rules.operator_token, is_operator) {
        (None, _) => 0,
        (Some(_), false) => 1,
        (Some(_), true) => usize::MAX,
    };
    let commands = HANDLERS.iter().filter_map(|(id, _)| COMMANDS.iter().find(|command| command.id == *id));
    let commands = commands.chain(SlashCommand::of_operators().take(shown));
    let lines: Vec<String> = commands.filter_map(|command| Some(command.usage(command.server?))).collect();
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
    let to = hub.latest_writer(id).ok_or_else(nobody)?.name().to_string();
    hub.deliver(id, &DirectMessage { to: &to, text, id: None, reference: None }, now)?;
    Ok(CommandOutcome::Stays)
}

fn nick(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<CommandOutcome, Fault> {
    hub.rename(id, required(name)?, None, now)?;
    Ok(CommandOutcome::Stays)
}

fn names(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<CommandOutcome, Fault> {
    none(arguments)?;
    let room = hub.members.get(id).and_then(|member| member.rooms().next());
    if let Some(room) = room {
        let count = hub.rooms.get(room).map_or(0, Room::count);
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
    let current = hub.members.get(id).and_then(|member| member.rooms().next());
    if current == Some(room_id) {
        hub.notify(id, "you are there already");
        return Ok(CommandOutcome::Stays);
    }
    let names = hub.names_in_words(room_id, id, LISTED_MAX);
    let room = hub.rooms.name(room_id).to_string();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_servers_know_has_a_handler() {
        for command in COMMANDS.iter().filter(|command| command.server.is_some()) {
            let is_handled = HANDLERS.iter().any(|(id, _)| *id == command.id);
            assert_ne!(is_handled, command.executor == Executor::Operator, "{}", command.name);
        }
    }
}
