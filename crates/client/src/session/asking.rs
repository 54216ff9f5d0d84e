//! Conversion of the user's input into requests.

use glassline_wire::frame::put_frame;
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Ask, AwayText, Operate, PersonName, Rename, Request, RoomName, Send, SendDirect};

use super::published::{check_line, check_request};
use super::update::{Command, Declined, Dialect, SlashCommands};
use super::{GOODBYE_MS, LAST_ANSWERS_MS, Link, Phase, Session, WINDOW_BYTES, Wish};

/// `ref` of what the user asked by a slash command.
const ASKED_REF: &str = "glassline-asked";
/// `ref` of the user's own `join` or `leave`: its answer alone may move the user.
const MOVE_REF: &str = "glassline-move";
/// Longest wait for the answer to `/join` in a pipe: what follows it is meant for the new room.
const MOVE_MS: u64 = 5_000;
/// Bytes that the `ref` adds to a message: its id in a field.
const OWN_REF_BYTES: usize = 41;

impl Session {
    /// Takes in what the user wants.
    ///
    /// # Errors
    /// [`Declined`] says why it cannot be; nothing was sent then.
    pub fn command(&mut self, command: Command, now_ms: u64) -> Result<(), Declined> {
        let done = self.take_command(command, now_ms);
        self.pump(now_ms);
        done
    }

    fn take_command(&mut self, command: Command, now_ms: u64) -> Result<(), Declined> {
        match command {
            Command::Finish => {
                if self.wish == Wish::Stay {
                    self.wish = Wish::Finish;
                }
                return Ok(());
            }
            Command::Leave => {
                if !matches!(self.wish, Wish::Leave { .. }) {
                    self.wish = Wish::Leave { deadline_ms: now_ms + LAST_ANSWERS_MS };
                }
                // A goodbye that waits for bytes to go out does not wait for ever any more.
                if self.phase == (Phase::Leaving { deadline_ms: None }) {
                    self.phase = Phase::Leaving { deadline_ms: Some(now_ms + GOODBYE_MS) };
                }
                return Ok(());
            }
            _ => self.check_staying()?,
        }
        match command {
            Command::Say(text) => self.say(None, text, false, now_ms),
            Command::SayIn { room, text } => self.say(Some(room), text, false, now_ms),
            Command::Action(text) => self.say(None, text, true, now_ms),
            Command::Direct { to, text } => self.say_to(to, text, false, now_ms),
            Command::Reply { to, text } => self.say_to(to, text, true, now_ms),
            Command::Join(room) => match self.room_called(&room) {
                Some(known) => {
                    let before = self.current_room();
                    self.roster.go_to(&known);
                    self.going_back = None;
                    self.tell_of_move(before.as_deref());
                    Ok(())
                }
                None => self.move_rooms(Ask::Join(RoomName { room }), now_ms),
            },
            Command::LeaveRoom(room) => {
                let room = self.known_room(room)?;
                self.move_rooms(Ask::Leave(RoomName { room }), now_ms)
            }
            Command::Rename(name) => self.ask("change of name", Ask::Rename(Rename { name })),
            Command::Members(room) => {
                let room = self.known_room(room)?;
                self.ask("list of names", Ask::Members(RoomName { room }))
            }
            Command::History(wish) => self.ask_history(wish, now_ms),
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
            Command::Finish | Command::Leave => Ok(()),
        }
    }

    pub(super) fn known_room(&self, room: Option<String>) -> Result<String, Declined> {
        let Some(room) = room else { return self.current_room().ok_or(Declined::NowhereToTalk) };
        self.room_called(&room).ok_or(Declined::NotInRoom(room))
    }

    /// The room the client is in that is meant by this spelling: `#Den` and `den` are one (E2).
    fn room_called(&self, spelling: &str) -> Option<String> {
        self.roster.called(spelling)
    }

    fn say(&mut self, room: Option<String>, text: String, action: bool, now_ms: u64) -> Result<(), Declined> {
        let room = self.known_room(room)?;
        let id = MessageId(self.entropy.next_u128());
        let ask = Ask::Send(Send { room, text, id, after: None, action });
        self.post(Request::new(ask, Some(id.to_string())), now_ms)
    }

    fn say_to(&mut self, to: String, text: String, reply: bool, now_ms: u64) -> Result<(), Declined> {
        if self.slash_commands() == SlashCommands::Server {
            return self.say_server_line(&format!("/msg {to} {text}"));
        }
        let id = MessageId(self.entropy.next_u128());
        let ask = Ask::Direct(SendDirect { to, text, id, reply });
        self.post(Request::new(ask, Some(id.to_string())), now_ms)
    }

    /// Puts a message into the outbox, if the server will take it.
    fn post(&mut self, mut request: Request, now_ms: u64) -> Result<(), Declined> {
        check_request(&request.content)?;
        let (id, text_bytes) = match &request.content {
            Ask::Send(send) => {
                if self.dialect == Dialect::Tutorial && !self.roster.contains(&send.room) {
                    return Err(Declined::NotInTutorial("rooms"));
                }
                let server_knows_actions = self.slash_commands() == SlashCommands::Server;
                if send.action && self.dialect == Dialect::Tutorial && !server_knows_actions {
                    return Err(Declined::NotInTutorial("/me"));
                }
                self.check_dialect_known(send.action)?;
                (send.id, send.text.len() + self.prefix_bytes(send.action, &send.text))
            }
            Ask::Direct(direct) => {
                if self.dialect == Dialect::Tutorial {
                    return Err(Declined::NotInTutorial("direct messages"));
                }
                self.check_dialect_known(true)?;
                (direct.id, direct.text.len())
            }
            _ => return Ok(()),
        };
        if text_bytes == 0 {
            return Err(Declined::Empty);
        }
        if text_bytes > self.limits.text_bytes {
            return Err(Declined::TooLong { bytes: text_bytes, bytes_max: self.limits.text_bytes });
        }
        if !self.outbox.takes(text_bytes) {
            return Err(Declined::Full(self.outbox.len()));
        }
        // A refusal names its request by the `ref`, so every message has one.
        request.reference.get_or_insert_with(|| id.to_string());
        self.outbox.push(id, request, now_ms);
        Ok(())
    }

    /// Until a `welcome` the server may turn out to speak the tutorial dialect, which has texts and nothing else.
    fn check_dialect_known(&self, needs_events: bool) -> Result<(), Declined> {
        if needs_events && !self.dialect_settled { Err(Declined::NotConnected) } else { Ok(()) }
    }

    /// Leaving does not overtake what was said in the room before it.
    fn check_nothing_left_to_say(&self, room: &str) -> Result<(), Declined> {
        let room = self.room_called(room).unwrap_or_else(|| room.to_owned());
        match self.outbox.unsent(|of| self.room_called(of).is_some_and(|of| of == room)) {
            0 => Ok(()),
            unsent => Err(Declined::StillSaying { room, unsent }),
        }
    }

    fn move_rooms(&mut self, ask: Ask, now_ms: u64) -> Result<(), Declined> {
        self.put("rooms", &Request::new(ask, Some(MOVE_REF.to_owned())))?;
        self.moving_until_ms = Some(now_ms + MOVE_MS);
        self.moves = self.moves.saturating_add(1);
        self.going_back = None;
        Ok(())
    }

    /// Takes in that something with this `ref` was heard: whether it answers a `join` or a `leave` that was really asked.
    pub(super) fn heard_answer(&mut self, reference: Option<&str>) -> bool {
        let answers_user = reference == Some(MOVE_REF) && self.moves > 0;
        if answers_user {
            self.moves -= 1;
            self.moving_until_ms = self.moving_until_ms.filter(|_| self.moves > 0);
        }
        answers_user || (self.program.is_some() && reference.is_some())
    }

    fn ask(&mut self, what: &'static str, ask: Ask) -> Result<(), Declined> {
        self.put(what, &Request::new(ask, Some(ASKED_REF.to_owned())))
    }

    /// Writes a request that is not a message: it goes out now or not at all.
    pub(super) fn put(&mut self, what: &'static str, request: &Request) -> Result<(), Declined> {
        if self.dialect == Dialect::Tutorial {
            return Err(Declined::NotInTutorial(what));
        }
        check_request(&request.content)?;
        if let Ask::Leave(leave) = &request.content {
            self.check_nothing_left_to_say(&leave.room)?;
        }
        if self.phase != Phase::Up || self.out.len() >= WINDOW_BYTES {
            return Err(Declined::NotConnected);
        }
        self.put_request(request);
        Ok(())
    }

    fn take_request(&mut self, request: Request, now_ms: u64) -> Result<(), Declined> {
        self.check_size(&request)?;
        let what = match request.content {
            Ask::Send(_) | Ask::Direct(_) => return self.post(request, now_ms),
            Ask::Bye {} => {
                self.bye_ref = request.reference;
                return self.take_command(Command::Finish, now_ms);
            }
            Ask::Hello(_) | Ask::Pong {} => return Err(Declined::NotForUsers),
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
            program.asks(request.reference.as_ref());
        }
        Ok(())
    }

    /// A server closes the link over a longer frame (E1), and would again each time that it came back.
    fn check_size(&self, request: &Request) -> Result<(), Declined> {
        let own_bytes = if request.reference.is_none() { OWN_REF_BYTES } else { 0 };
        let (bytes, bytes_max) = (request.to_json().len() + own_bytes, self.limits.event_bytes);
        if bytes > bytes_max { Err(Declined::RequestTooLong { bytes, bytes_max }) } else { Ok(()) }
    }

    fn say_server_line(&mut self, line: &str) -> Result<(), Declined> {
        check_line(line)?;
        if line.len() > TEXT_BYTES_MAX {
            return Err(Declined::TooLong { bytes: line.len(), bytes_max: TEXT_BYTES_MAX });
        }
        if self.slash_commands() != SlashCommands::Server || self.phase != Phase::Up || self.out.len() >= WINDOW_BYTES {
            return Err(Declined::NotConnected);
        }
        // Behind what was said before it.
        self.send_texts();
        put_frame(&mut self.out, line.as_bytes());
        if let Some(Link::Tutorial(link)) = &mut self.link {
            link.asks(line);
        }
        Ok(())
    }

    /// Returns the bytes that the tutorial dialect may have to put before a text, which counts as
    /// part of it on the wire.
    fn prefix_bytes(&self, action: bool, text: &str) -> usize {
        match (self.dialect, action) {
            (Dialect::Event, _) => 0,
            (Dialect::Tutorial, true) => "/me ".len(),
            (Dialect::Tutorial, false) => usize::from(text.starts_with('/')),
        }
    }

    pub(super) fn check_staying(&self) -> Result<(), Declined> {
        if self.wish == Wish::Stay && !matches!(self.phase, Phase::Leaving { .. } | Phase::Ended) {
            Ok(())
        } else {
            Err(Declined::Leaving)
        }
    }
}
