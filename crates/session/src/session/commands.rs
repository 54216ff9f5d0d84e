//! Commands of the user: they become requests.

use glassline_wire::commands::{CommandId, SlashCommand};
use glassline_wire::event::Rejection;
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Ask, AwayText, LOBBY, Operate, PersonName, Request, RoomName, Send, SendDirect};

use super::{ExitIntent, LAST_ANSWERS_MS, Session};
use crate::command::{Command, CommandError};
use crate::prelude::*;
use crate::queries::RoomChange;
use crate::room_seal::Draft;
use crate::status::SlashExecutor;
use crate::token_check::{check_line, check_request};
use crate::update::{Dialect, Update};

/// `ref` of what the user asked by a slash command.
const ASKED_REF: &str = "glassline-asked";
/// `ref` of the user's own `join` or `leave`: its answer alone may move the user.
const ROOM_CHANGE_REF: &str = "glassline-move";
/// Bytes that the `ref` adds to a message: its id in a field.
const OWN_REF_BYTES: usize = 41;

impl Session {
    /// Processes a command of the user.
    ///
    /// # Errors [`CommandError`] is the reason; nothing was sent then.
    pub fn command(&mut self, command: Command, now_ms: u64) -> Result<(), CommandError> {
        let done = self.take_command(command, now_ms);
        self.pump(now_ms);
        done
    }

    fn take_command(&mut self, command: Command, now_ms: u64) -> Result<(), CommandError> {
        match command {
            Command::Finish => {
                if self.exit == ExitIntent::Stay {
                    self.exit = ExitIntent::Finish;
                }
                Ok(())
            }
            Command::Leave => {
                if !matches!(self.exit, ExitIntent::Leave { .. }) {
                    self.exit = ExitIntent::Leave { deadline_ms: now_ms + LAST_ANSWERS_MS };
                }
                // A goodbye that waits for pending writes now has a time limit.
                self.connection.bound_leaving(now_ms);
                Ok(())
            }
            _ if self.is_leaving() => Err(CommandError::Leaving),
            Command::Say(text) => self.say(None, text, false, now_ms),
            Command::SayIn { room, text } => self.say(Some(room), text, false, now_ms),
            Command::Action(text) => self.say(None, text, true, now_ms),
            Command::Direct { to, text } => self.say_to(to, text, false, now_ms),
            Command::Reply { to, text } => self.say_to(to, text, true, now_ms),
            Command::Join(room) => match self.rooms.resolve(&room) {
                Some(known) => {
                    let before = self.current_room();
                    self.rooms.go_to(&known);
                    self.report_room_change(before.as_deref());
                    Ok(())
                }
                None => self.change_rooms(Ask::Join(RoomName { room }), now_ms),
            },
            Command::LeaveRoom(room) => {
                let room = self.known_room(room)?;
                self.change_rooms(Ask::Leave(RoomName { room }), now_ms)
            }
            Command::Rename(name) => self.ask("change of name", Ask::Rename(PersonName { name })),
            Command::Members(room) => {
                let room = self.known_room(room)?;
                self.ask("list of names", Ask::Members(RoomName { room }))
            }
            Command::History(range) => self.ask_history(range, now_ms),
            Command::Older => self.ask_older(now_ms),
            Command::Search(query) => self.ask_search(query, now_ms),
            Command::Whois(name) => self.ask("/whois", Ask::Whois(PersonName { name })),
            Command::Operate(line) => self.ask("operators", Ask::Operate(Operate { line })),
            Command::Rooms => self.ask("rooms", Ask::Rooms {}),
            Command::Away(text) => {
                let text = text.unwrap_or_else(|| "no reason given".to_owned());
                self.ask("/away", Ask::Away(AwayText { text: Some(text) }))
            }
            Command::Back => self.ask("/back", Ask::Away(AwayText { text: None })),
            Command::Request(request) => self.take_request(request, now_ms),
            Command::ServerLine(line) => self.say_server_line(&line),
            Command::Help(own) => {
                self.say_server_line("/help")?;
                self.notice(own);
                Ok(())
            }
        }
    }

    pub(super) fn known_room(&self, room: Option<String>) -> Result<String, CommandError> {
        let Some(room) = room else { return self.current_room().ok_or(CommandError::NoCurrentRoom) };
        self.rooms.resolve(&room).ok_or(CommandError::NotInRoom(room))
    }

    fn say(&mut self, room: Option<String>, text: String, action: bool, now_ms: u64) -> Result<(), CommandError> {
        let room = self.known_room(room)?;
        let id = MessageId(self.entropy.next_u128());
        let ask = Ask::Send(Send { room, text, id, after: None, action, sealed: None });
        self.post(Request::new(ask, Some(id.to_string())), now_ms)
    }

    fn say_to(&mut self, to: String, text: String, reply: bool, now_ms: u64) -> Result<(), CommandError> {
        if self.slash_executor() == SlashExecutor::Server {
            return self.say_server_line(&format!("/msg {to} {text}"));
        }
        let id = MessageId(self.entropy.next_u128());
        let ask = Ask::Direct(SendDirect { to, text, id, reply });
        self.post(Request::new(ask, Some(id.to_string())), now_ms)
    }

    fn post(&mut self, mut request: Request, now_ms: u64) -> Result<(), CommandError> {
        check_request(&request.content)?;
        let (id, text_bytes) = match &request.content {
            Ask::Send(send) => {
                if self.connection.dialect() == Dialect::Tutorial && !self.rooms.contains(&send.room) {
                    return Err(CommandError::NotInTutorial("rooms"));
                }
                let server_knows_actions = self.slash_executor() == SlashExecutor::Server;
                if send.action && self.connection.dialect() == Dialect::Tutorial && !server_knows_actions {
                    return Err(CommandError::NotInTutorial("/me"));
                }
                self.check_dialect_known(send.action)?;
                (send.id, send.text.len() + self.prefix_bytes(send.action, &send.text))
            }
            Ask::Direct(direct) => {
                if self.connection.dialect() == Dialect::Tutorial {
                    return Err(CommandError::NotInTutorial("direct messages"));
                }
                self.check_dialect_known(true)?;
                (direct.id, direct.text.len())
            }
            _ => return Ok(()),
        };
        let is_sealed = matches!(&request.content, Ask::Send(send) if send.sealed.is_some());
        if text_bytes == 0 && !is_sealed {
            return Err(CommandError::Empty);
        }
        if text_bytes > self.limits.text_bytes {
            return Err(CommandError::TooLong { bytes: text_bytes, bytes_max: self.limits.text_bytes });
        }
        if !self.delivery.takes(text_bytes) {
            return Err(CommandError::Full(self.delivery.len()));
        }
        let text = self.seal_if_due(&mut request)?;
        // A refusal names its request by the `ref`, so every message has one.
        request.reference.get_or_insert_with(|| id.to_string());
        self.delivery.push(id, request, text, now_ms);
        Ok(())
    }

    /// Seals a message for a room that the user has sealed, and returns its text, which is no longer
    /// in the request. A resend repeats the request as it is.
    fn seal_if_due(&mut self, request: &mut Request) -> Result<Option<String>, CommandError> {
        let Ask::Send(send) = &request.content else { return Ok(None) };
        if send.sealed.is_some() || !self.is_closed(&send.room) {
            return Ok(None);
        }
        self.check_sealing()?;
        let room = self.rooms.resolve(&send.room).unwrap_or_else(|| send.room.clone());
        let Ask::Send(send) = &mut request.content else { return Ok(None) };
        let (name, text) = (self.identity.name(), send.text.as_str());
        let draft = Draft { room: &room, id: send.id, name, text, action: send.action };
        send.sealed = Some(self.seal.seal(draft).map_err(CommandError::NotSealed)?);
        send.action = false;
        Ok(Some(core::mem::take(&mut send.text)))
    }

    /// Returns whether nothing readable is sent to a room: the user or others have sealed it.
    fn is_closed(&self, room: &str) -> bool {
        if let Some(link) = self.connection.tutorial() {
            // The server puts what is said into the room that the user has asked it for.
            return link.may_be_in(|room| self.seal.is_sealed(room) || self.seal.is_sealed_by_others(room));
        }
        let room = self.rooms.resolve(room).unwrap_or_else(|| room.to_owned());
        self.seal.is_sealed(&room) || self.seal.is_sealed_by_others(&room)
    }

    /// Seals the messages that are next to be sent, or refuses them, if their room has been sealed or
    /// was not known as sealed when the user sent them.
    pub(super) fn close_next(&mut self) {
        while let Some(mut request) = self.delivery.next_readable().cloned() {
            let Ask::Send(send) = &request.content else { return };
            if !self.is_closed(&send.room) {
                return;
            }
            match self.seal_if_due(&mut request) {
                Ok(text) => return self.delivery.replace_next(request, text),
                Err(error) => {
                    let refused = self.delivery.remove_next();
                    let rejection = Rejection::new(error.code(), format!("a waiting message was not sent: {error}"));
                    self.show_answer(Update::Rejected { rejection, text: refused }, request.reference);
                }
            }
        }
    }

    /// Checks that this link can have sealed messages.
    ///
    /// # Errors
    /// The dialect has none, is not settled yet, or the server relays none.
    pub fn check_sealing(&self) -> Result<(), CommandError> {
        if self.connection.dialect() == Dialect::Tutorial {
            return Err(CommandError::NoSealInTutorial);
        }
        if !self.connection.is_dialect_settled() {
            return Err(CommandError::NotConnected);
        }
        if self.limits.sealed_bytes == 0 { Err(CommandError::ServerCannotSeal) } else { Ok(()) }
    }

    /// Until a `welcome` the dialect may turn out to be the tutorial's, which has texts only.
    fn check_dialect_known(&self, needs_events: bool) -> Result<(), CommandError> {
        if needs_events && !self.connection.is_dialect_settled() { Err(CommandError::NotConnected) } else { Ok(()) }
    }

    /// Leaving does not overtake earlier messages in the room.
    fn check_nothing_left_to_say(&self, room: &str) -> Result<(), CommandError> {
        let room = self.rooms.resolve(room).unwrap_or_else(|| room.to_owned());
        match self.delivery.unsent(|of| self.rooms.resolve(of).is_some_and(|of| of == room)) {
            0 => Ok(()),
            unsent => Err(CommandError::UnsentMessages { room, unsent }),
        }
    }

    fn change_rooms(&mut self, ask: Ask, now_ms: u64) -> Result<(), CommandError> {
        if !self.queries.takes_room_change() {
            return Err(CommandError::AnswerPending);
        }
        let change = if let Ask::Join(join) = &ask { RoomChange::Join(join.room.clone()) } else { RoomChange::Leave };
        self.put("rooms", &Request::new(ask, Some(ROOM_CHANGE_REF.to_owned())))?;
        self.queries.add_room_change(change, now_ms);
        self.rooms.cancel_return();
        Ok(())
    }

    /// Returns the request of the user for a room that an event with this `ref` answers.
    pub(super) fn take_room_change(&mut self, reference: Option<&str>) -> Option<RoomChange> {
        if reference == Some(ROOM_CHANGE_REF) { self.queries.take_room_change() } else { None }
    }

    /// Returns whether an event with this `ref` answers a request of the program.
    pub(super) fn is_answer_to_program(&self, reference: Option<&str>) -> bool {
        self.program.is_some() && reference.is_some()
    }

    fn ask(&mut self, what: &'static str, ask: Ask) -> Result<(), CommandError> {
        self.put(what, &Request::new(ask, Some(ASKED_REF.to_owned())))
    }

    /// Writes a request that is not a message: it is sent now or not at all.
    pub(super) fn put(&mut self, what: &'static str, request: &Request) -> Result<(), CommandError> {
        if self.connection.dialect() == Dialect::Tutorial {
            return Err(CommandError::NotInTutorial(what));
        }
        check_request(&request.content)?;
        if let Ask::Leave(leave) = &request.content {
            self.check_nothing_left_to_say(&leave.room)?;
        }
        if !self.connection.is_up() || !self.connection.has_window() {
            return Err(CommandError::NotConnected);
        }
        self.put_request(request);
        Ok(())
    }

    fn take_request(&mut self, request: Request, now_ms: u64) -> Result<(), CommandError> {
        self.check_size(&request)?;
        let what = match request.content {
            Ask::Send(_) | Ask::Direct(_) => return self.post(request, now_ms),
            Ask::Bye {} => {
                self.bye_ref = request.reference;
                return self.take_command(Command::Finish, now_ms);
            }
            Ask::Hello(_) | Ask::Pong {} => return Err(CommandError::NotForUsers),
            Ask::Join(_) | Ask::Leave(_) => "rooms",
            Ask::Rename(_) => "change of name",
            Ask::Members(_) => "list of names",
            Ask::History(_) | Ask::Search(_) => "stored messages",
            Ask::Whois(_) => "news of others",
            Ask::Rooms {} => "list of rooms",
            Ask::Away(_) => "being away",
            Ask::Operate(_) => "operators",
            Ask::Ping {} => "ping",
        };
        self.put(what, &request)?;
        if let Some(program) = &mut self.program {
            program.note_request(request.reference.as_ref());
        }
        Ok(())
    }

    /// A server closes the link over a longer frame (E1), and would again each time that it came
    /// back.
    fn check_size(&self, request: &Request) -> Result<(), CommandError> {
        let own_bytes = if request.reference.is_none() { OWN_REF_BYTES } else { 0 };
        let (bytes, bytes_max) = (request.to_json().len() + own_bytes, self.limits.event_bytes);
        if bytes > bytes_max { Err(CommandError::RequestTooLong { bytes, bytes_max }) } else { Ok(()) }
    }

    fn say_server_line(&mut self, line: &str) -> Result<(), CommandError> {
        check_line(line)?;
        if line.len() > TEXT_BYTES_MAX {
            return Err(CommandError::TooLong { bytes: line.len(), bytes_max: TEXT_BYTES_MAX });
        }
        if self.slash_executor() != SlashExecutor::Server || !self.connection.is_up() || !self.connection.has_window() {
            return Err(CommandError::NotConnected);
        }
        if is_action(line) && self.is_closed(LOBBY) {
            return Err(CommandError::NoSealInTutorial);
        }
        // After earlier messages.
        self.send_texts();
        self.connection.put_frame(line.as_bytes());
        if let Some(link) = self.connection.tutorial_mut() {
            link.note_command(line);
        }
        Ok(())
    }

    /// Returns the bytes that the tutorial dialect may have to put before a text, which counts as
    /// part of it on the wire.
    fn prefix_bytes(&self, action: bool, text: &str) -> usize {
        match (self.connection.dialect(), action) {
            (Dialect::Event, _) => 0,
            (Dialect::Tutorial, true) => "/me ".len(),
            (Dialect::Tutorial, false) => usize::from(text.starts_with('/')),
        }
    }
}

/// Returns whether a line of the tutorial dialect is said in the current room as an action.
fn is_action(line: &str) -> bool {
    let name = line.strip_prefix('/').and_then(|command| command.split(char::is_whitespace).next());
    name.and_then(SlashCommand::of_client).is_some_and(|command| command.id == CommandId::Action)
}
