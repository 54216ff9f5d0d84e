//! The commands of the tutorial dialect (T10) and their handlers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::commands::{COMMANDS, CommandId, Executor, SlashCommand};
use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::request::{HistoryRange, LOBBY, Search};
use glassline_wire::slash::{HiddenSlash, SlashLine};

use crate::Now;
use crate::encode::LISTED_MAX;
use crate::hub::{Hub, Reply};
use crate::id::MemberId;

/// Default number of history messages for a tutorial client: a screen.
const HISTORY_SHOWN: u64 = 20;

/// Outcome of a command for its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It stays connected.
    Continue,
    /// It asked to leave.
    Leave,
    /// Nothing was done: the history is asked first. Call with the same line once the connection
    /// has settled.
    Awaits,
}

/// Outcome of a command that has no reply.
enum NoReply {
    /// Its arguments are wrong: the usage is shown.
    Usage,
    /// The history has to answer first.
    Awaits,
    /// The member leaves.
    Leave,
    /// The hub refused it.
    Rejected(Rejection),
}

impl From<Rejection> for NoReply {
    fn from(refused: Rejection) -> Self {
        Self::Rejected(refused)
    }
}

type Handler = fn(&mut Hub, MemberId, &str, Now) -> Result<Reply, NoReply>;

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

/// Returns the reason, for its sender, why a text is not sent: it is a command, and something hides
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
    /// Executes `line`, a text that starts with a slash; the member is sent the result.
    pub fn execute(&mut self, id: MemberId, line: &str, now: Now) -> CommandOutcome {
        let line = line.strip_prefix('/').unwrap_or(line).trim_end();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let command = SlashCommand::of_server(name);
        let handler = |id: CommandId| HANDLERS.iter().find(|(known, _)| *known == id).map(|&(_, handler)| handler);
        let reply = if command.is_some_and(|(command, _)| command.executor == Executor::Operator) {
            self.operate(id, line, None, now)
        } else if let Some((command, syntax)) = command
            && let Some(handler) = handler(command.id)
        {
            match handler(self, id, arguments.trim_start(), now) {
                Ok(reply) => Ok(reply),
                Err(NoReply::Rejected(rejection)) => Err(rejection),
                Err(NoReply::Usage) => Ok(Reply::notice(format!("usage: {}", command.usage(syntax)))),
                Err(NoReply::Awaits) => return CommandOutcome::Awaits,
                Err(NoReply::Leave) => return CommandOutcome::Leave,
            }
        } else {
            let name: String = name.chars().take(32).collect();
            let text = format!("there is no command /{name}; /help lists them, //{name} says it");
            Ok(Reply::notice(glassline_wire::visible::one_line(&text)))
        };
        self.reply(id, reply, None);
        CommandOutcome::Continue
    }
}

fn help(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    let is_operator = hub.is_operator(id);
    // A non-operator needs to know of one command at most.
    let shown = match (&hub.rules.operator_token, is_operator) {
        (None, _) => 0,
        (Some(_), false) => 1,
        (Some(_), true) => usize::MAX,
    };
    let commands = HANDLERS.iter().filter_map(|(id, _)| COMMANDS.iter().find(|command| command.id == *id));
    let commands = commands.chain(SlashCommand::of_operators().take(shown));
    let lines: Vec<String> = commands.filter_map(|command| Some(command.usage(command.server?))).collect();
    Ok(Reply::notice(lines.join("\n") + "\n//TEXT: says /TEXT"))
}

fn me(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<Reply, NoReply> {
    Ok(hub.say_text(id, required(text)?, true, now)?)
}

fn msg(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<Reply, NoReply> {
    let (to, text) = arguments.split_once(char::is_whitespace).ok_or(NoReply::Usage)?;
    Ok(hub.send_direct(id, to, required(text.trim_start())?, None, now)?)
}

fn reply(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<Reply, NoReply> {
    let text = required(text)?;
    let nobody =
        || Rejection::new(ErrorCode::UnknownName, "nobody who is here has written to you; /msg NAME TEXT starts");
    let to = hub.latest_direct_sender(id).ok_or_else(nobody)?.name().to_string();
    Ok(hub.send_direct(id, &to, text, None, now)?)
}

fn nick(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<Reply, NoReply> {
    Ok(hub.rename(id, required(name)?, now)?)
}

fn names(hub: &mut Hub, id: MemberId, arguments: &str, _: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    let Some((room_id, room)) = hub.current_room(id) else { return Ok(Reply::Nothing) };
    let names = hub.names_in_words(room_id, id, LISTED_MAX).unwrap_or_default();
    Ok(Reply::notice(format!("{} here: {names}", room.count())))
}

fn whois(hub: &mut Hub, _: MemberId, name: &str, now: Now) -> Result<Reply, NoReply> {
    Ok(Event::Whois(hub.whois(required(name)?, now)?).into())
}

fn rooms(hub: &mut Hub, _: MemberId, arguments: &str, _: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    Ok(Event::Rooms(hub.rooms_listed()).into())
}

fn away(hub: &mut Hub, id: MemberId, text: &str, now: Now) -> Result<Reply, NoReply> {
    let text = if text.is_empty() { "away" } else { text };
    let away = hub.set_away(id, Some(text), now)?;
    Ok(Reply::notice(format!("you are away: {}; /back ends it", away.text.unwrap_or_default())))
}

fn back(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    hub.set_away(id, None, now)?;
    Ok(Reply::notice("you are back"))
}

fn join(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<Reply, NoReply> {
    move_to(hub, id, required(name)?, now)
}

fn leave(hub: &mut Hub, id: MemberId, arguments: &str, now: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    move_to(hub, id, LOBBY, now)
}

/// A tutorial client has one room at a time: its pairs do not name it.
fn move_to(hub: &mut Hub, id: MemberId, name: &str, now: Now) -> Result<Reply, NoReply> {
    if let Some(connection) = hub.connection(id)
        && !hub.knows_rooms(connection, [name])
    {
        return Err(NoReply::Awaits);
    }
    let room_id = hub.admit(id, name)?;
    let current = hub.current_room(id).map(|(room_id, _)| room_id);
    if current == Some(room_id) {
        return Ok(Reply::notice("you are there already"));
    }
    let names = hub.names_in_words(room_id, id, LISTED_MAX);
    let room = hub.rooms.name(room_id).to_string();
    let here = names.map_or_else(|| "nobody else is here".to_string(), |names| format!("here: {names}"));
    // Before anything of the new room.
    hub.send(id, Event::notice(format!("you are in {room}; {here}")));
    if let Some(notice) = hub.sealed_notice(room_id) {
        hub.send(id, Event::notice(notice));
    }
    hub.enter_room(id, room_id, true, now);
    if let Some(current) = current {
        hub.exit_room(id, current, true, now);
    }
    if hub.rules.durable {
        hub.queue_replay(id, room_id, None);
    }
    Ok(Reply::Nothing)
}

fn history(hub: &mut Hub, id: MemberId, count: &str, _: Now) -> Result<Reply, NoReply> {
    let limit = if count.is_empty() { HISTORY_SHOWN } else { count.parse().map_err(|_| NoReply::Usage)? };
    let range = HistoryRange { room: hub.current_room_name(id), limit: Some(limit), ..HistoryRange::default() };
    Ok(hub.read_history(id, &range, None)?)
}

fn search(hub: &mut Hub, id: MemberId, query: &str, _: Now) -> Result<Reply, NoReply> {
    let query = required(query)?.to_string();
    let search = Search { room: hub.current_room_name(id), query, before: None, limit: Some(HISTORY_SHOWN) };
    Ok(hub.search_history(id, &search, None)?)
}

fn quit(_: &mut Hub, _: MemberId, arguments: &str, _: Now) -> Result<Reply, NoReply> {
    none(arguments)?;
    Err(NoReply::Leave)
}

fn required(argument: &str) -> Result<&str, NoReply> {
    if argument.is_empty() { Err(NoReply::Usage) } else { Ok(argument) }
}

fn none(arguments: &str) -> Result<(), NoReply> {
    if arguments.is_empty() { Ok(()) } else { Err(NoReply::Usage) }
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
