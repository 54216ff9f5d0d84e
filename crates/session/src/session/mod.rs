//! The session as a composition of its parts; nothing outside this folder implements it.

mod commands;
mod event;
mod history;
mod lifecycle;
mod messages;
mod status;
#[cfg(test)]
mod tests;
mod tutorial;

use crate::prelude::*;
use alloc::collections::VecDeque;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, Limits, Message};
use glassline_wire::frame::{Frame, HeaderError};
use glassline_wire::request::Request;

use crate::connection::{Connection, Phase, no_chat_server};
use crate::delivery::Delivery;
use crate::ending::Ending;
use crate::entropy::Entropy;
use crate::identity::Identity;
use crate::joined_rooms::JoinedRooms;
use crate::program::Program;
use crate::queries::Queries;
use crate::recent_rename::RecentRename;
use crate::room_seal::{Arrival, NoKeys, RoomSeal};
use crate::update::{Dialect, DialectChoice, Input, Output, Update};

pub use history::PAGE_MESSAGES;

/// Part of the wait for a goodbye that may pass before it, for the last acknowledgements.
const LAST_ANSWERS_MS: u64 = 1_500;
/// Characters of the user's name in the session's texts.
const NAME_SHOWN_CHARS: usize = 64;

/// Settings of a session.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the server, for texts.
    pub address: String,
    /// Name to ask for.
    pub name: String,
    /// Choice of the dialect.
    pub dialect: DialectChoice,
    /// Time without a link before the session ends; `None`: until the user leaves.
    pub gives_up_after_ms: Option<u64>,
    /// Requests the members of each room, for display or completion of names.
    pub follows_people: bool,
    /// Messages of the past that are shown to a person on coming into a room, at most.
    pub context_messages_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitIntent {
    Stay,
    /// Leave once everything is acknowledged.
    Finish,
    Leave {
        deadline_ms: u64,
    },
}

/// One client's session with a server. See the crate.
pub struct Session {
    config: Config,
    entropy: Box<dyn Entropy + Send>,
    connection: Connection,
    identity: Identity,
    rooms: JoinedRooms,
    delivery: Delivery,
    queries: Queries,
    exit: ExitIntent,
    limits: Limits,
    recent_rename: RecentRename,
    seal: Box<dyn RoomSeal>,
    /// State of the program that drives the session, if one does.
    program: Option<Program>,
    bye_ref: Option<String>,
    outputs: VecDeque<Output>,
}

/// Returns a name as a text holds it: no server can make one endless.
fn brief(name: &str) -> String {
    shortened(name, NAME_SHOWN_CHARS)
}

fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Session {
    /// Returns a session that wants its first connection at once.
    pub fn new(config: Config, entropy: Box<dyn Entropy + Send>, now_ms: u64) -> Self {
        let mut session = Self {
            connection: Connection::new(config.dialect),
            identity: Identity::new(config.name.clone()),
            config,
            entropy,
            rooms: JoinedRooms::new(),
            delivery: Delivery::default(),
            queries: Queries::default(),
            exit: ExitIntent::Stay,
            limits: Limits::default(),
            recent_rename: RecentRename::default(),
            seal: Box::new(NoKeys),
            program: None,
            bye_ref: None,
            outputs: VecDeque::new(),
        };
        session.connection.connect(now_ms, &mut session.outputs);
        session
    }

    /// Turns the session into one for a program: repeated updates are shown as
    /// often as they arrive, and requests the server no longer answers are answered.
    #[must_use]
    pub fn for_program(self) -> Self {
        Self { program: Some(Program::default()), ..self }
    }

    /// Gives the session what seals and opens messages.
    #[must_use]
    pub fn with_seal(self, seal: Box<dyn RoomSeal>) -> Self {
        Self { seal, ..self }
    }

    /// Processes an event of the link.
    pub fn handle(&mut self, input: Input<'_>, now_ms: u64) {
        match (input, self.connection.phase()) {
            (_, Phase::Ended) => return,
            (Input::Reached, Phase::Connecting { .. }) => self.connection.note_reached(),
            (Input::Connected, Phase::Connecting { .. }) => self.open(now_ms),
            (Input::ConnectFailed(why), Phase::Connecting { .. }) => self.connect_failed(why, now_ms),
            (Input::LinkRefused(why), _) => self.refuse_link(why),
            (Input::Bytes(bytes), _) => self.read(bytes, now_ms),
            (Input::Written, _) => self.connection.note_written(),
            (Input::Closed(why), _) if self.connection.has_link() => self.closed(why, now_ms),
            _ => {}
        }
        self.keep_time(now_ms);
        self.pump(now_ms);
    }

    /// Returns the next action for the driver; `None` if there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns whether [`Session::poll_output`] has something to give.
    pub fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Returns the time at which to call [`Session::handle`] with a [`Input::Tick`] at the latest.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let exit_ms = match (self.exit, self.connection.phase()) {
            (_, Phase::Ended) => return None,
            (ExitIntent::Stay | ExitIntent::Finish, _) | (_, Phase::Leaving { .. }) => None,
            (ExitIntent::Leave { deadline_ms }, _) => Some(deadline_ms),
        };
        let gives_up_ms = self.connection.gives_up_at_ms(self.config.gives_up_after_ms);
        [self.connection.next_deadline_ms(), exit_ms, self.queries.next_deadline_ms(), gives_up_ms]
            .into_iter()
            .flatten()
            .min()
    }

    fn read(&mut self, bytes: &[u8], now_ms: u64) {
        // The decoder is taken out, so that a frame's event can change the session.
        let Some(mut decoder) = self.connection.begin_read(bytes) else { return };
        let mut rest = bytes;
        let broken = loop {
            match decoder.next(&mut rest) {
                Ok(Some(Frame::Payload(payload))) => match self.connection.dialect() {
                    Dialect::Event => self.receive_event_frame(payload, now_ms),
                    Dialect::Tutorial => self.receive_tutorial_frame(payload, now_ms),
                },
                Ok(Some(Frame::Goodbye)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if !self.connection.has_link() {
                return;
            }
        };
        self.connection.end_read(decoder);
        if let Some(error) = broken {
            self.not_frames(&error, now_ms);
        }
    }

    fn not_frames(&mut self, error: &HeaderError, now_ms: u64) {
        let is_first = self.connection.tutorial().is_some_and(|link| !link.has_received());
        match self.connection.phase() {
            Phase::Greeting { .. } => {
                self.connection.note_foreign();
                self.no_welcome(&error.to_string(), false, now_ms);
            }
            Phase::Up { .. } | Phase::Leaving { .. } if is_first && self.connection.is_first() => {
                let kind = self.connection.first_bytes().foreign();
                self.end(Ending::Rejected(no_chat_server(&self.config.address, kind, Some(error))));
            }
            _ => self.closed(&format!("its bytes cannot be read: {error}"), now_ms),
        }
    }

    fn keep_time(&mut self, now_ms: u64) {
        if self.connection.gives_up_at_ms(self.config.gives_up_after_ms).is_some_and(|at_ms| now_ms >= at_ms) {
            self.give_up();
            return;
        }
        self.queries.keep_time(now_ms);
        match self.connection.phase() {
            Phase::Connecting { deadline_ms, is_reached } if now_ms >= deadline_ms => {
                self.drop_link();
                if is_reached {
                    self.handshake_stalled(now_ms);
                } else {
                    self.connect_failed("no answer within 10 s; check the address", now_ms);
                }
            }
            Phase::Greeting { deadline_ms } if now_ms >= deadline_ms => {
                self.no_welcome("no welcome came", true, now_ms);
            }
            Phase::ChangingDialect { deadline_ms } if now_ms >= deadline_ms => self.retry_events(now_ms),
            Phase::Waiting { until_ms } if now_ms >= until_ms => {
                self.connection.connect(now_ms, &mut self.outputs);
            }
            Phase::Leaving { deadline_ms: Some(deadline_ms) } if now_ms >= deadline_ms => {
                if !self.connection.is_all_written() {
                    self.notice("the server does not read: your last words may not have arrived".to_owned());
                }
                self.end(Ending::Left);
            }
            Phase::Up { .. } => match self.connection.dialect() {
                Dialect::Event => self.keep_event_time(now_ms),
                Dialect::Tutorial => self.keep_tutorial_time(now_ms),
            },
            _ => {}
        }
    }

    /// Makes all possible progress: messages into the link, the goodbye after them, bytes to the
    /// driver.
    fn pump(&mut self, now_ms: u64) {
        if self.connection.is_up() {
            match self.connection.dialect() {
                Dialect::Event => {
                    self.send_pong();
                    self.send_events();
                }
                Dialect::Tutorial => self.send_texts(),
            }
        }
        self.pursue_exit(now_ms);
        self.connection.flush(now_ms, &mut self.outputs);
    }

    fn put_request(&mut self, request: &Request) {
        self.connection.put_frame(&request.to_json());
    }

    /// Reports the room that messages go to, if it is not the one `before`.
    fn report_room_change(&mut self, before: Option<&str>) {
        let now = self.current_room();
        if now.as_deref() != before {
            self.show(Update::CurrentRoom(now));
        }
    }

    fn notice(&mut self, text: String) {
        self.show(Update::Notice(text));
    }

    fn show(&mut self, update: Update) {
        self.show_answer(update, None);
    }

    /// Shows what answers a request with this `ref`.
    fn show_answer(&mut self, update: Update, reference: Option<String>) {
        if let Some(update) = self.opened(update, reference.is_some()) {
            self.outputs.push_back(Output::Show(Envelope::new(update, reference)));
        }
    }

    /// Returns an update with its messages opened; `None` if it is shown later.
    fn opened(&mut self, update: Update, is_answer: bool) -> Option<Update> {
        let mut open = |message: Message, arrival| self.seal.open(message, arrival);
        Some(match update {
            Update::Received(Event::Message(message)) => {
                Update::Received(Event::Message(open(message, Arrival::InTurn)?))
            }
            Update::Sent { event: Event::Message(message), acknowledged } => {
                Update::Sent { event: Event::Message(open(message, Arrival::Own)?), acknowledged }
            }
            Update::Received(Event::History(mut history)) => {
                let arrival = if is_answer { Arrival::Page } else { Arrival::Context };
                history.messages = history.messages.into_iter().filter_map(|message| open(message, arrival)).collect();
                Update::Received(Event::History(history))
            }
            Update::HistoryPage { mut history, asked, newest, hidden } => {
                let messages = history.messages.into_iter();
                history.messages = messages.filter_map(|message| open(message, Arrival::Page)).collect();
                Update::HistoryPage { history, asked, newest, hidden }
            }
            update => update,
        })
    }
}
