//! One session with a server, from the first connect to the goodbye, over as many connections as it takes.
//!
//! Pure: no socket, no clock, no thread. Hand it what happened ([`Session::handle`]) or what the user wants
//! ([`Session::command`]), do everything [`Session::poll_output`] says, and come back at [`Session::next_deadline_ms`] at the latest.

mod asking;
mod backoff;
mod credible;
mod event_link;
mod foreign;
mod hearing;
mod hello;
mod last_rename;
mod lifecycle;
mod missed;
mod numbers;
mod outbox;
pub mod past;
pub mod program;
mod published;
mod roster;
mod standing;
#[cfg(test)]
mod tests;
mod tutorial_link;
pub mod update;
mod whereabouts;

use std::collections::VecDeque;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::Limits;
use glassline_wire::frame::{Decoder, Frame, HeaderError};

use crate::ending::Ending;
use crate::entropy::Entropy;
use backoff::Backoff;
use event_link::EventLink;
use foreign::{Answer, no_chat_server};
use last_rename::LastRename;
use lifecycle::{EventTrial, Silence, of_your_messages};
use missed::Missed;
use outbox::Outbox;
use past::Past;
use program::Program;
use roster::Roster;
use tutorial_link::TutorialLink;
use update::{Dialect, DialectChoice, Input, Output, SlashCommands, Update};

/// Wait for the server's side of a goodbye; a user who leaves at once waits no longer, whatever
/// happens.
const GOODBYE_MS: u64 = 2_000;
/// Part of that wait that may pass before the goodbye, for the last acknowledgements.
const LAST_ANSWERS_MS: u64 = 1_500;
/// Bytes that may wait to be written; past it messages wait in the outbox.
const WINDOW_BYTES: usize = 64 * 1024;
/// Writes handed to the driver and not yet done. Two keep the link busy.
const WRITES_MAX: usize = 2;
/// Characters of the user's name in the session's texts.
const NAME_SHOWN_CHARS: usize = 64;
/// Characters of a cause that holds the server's words.
const CAUSE_SHOWN_CHARS: usize = 200;
/// Longest frame taken from a server. Above [`glassline_wire::limits::EVENT_BYTES_MAX`]: a list of members or of stored messages is
/// longer than one message, and tutorial servers relay what they like.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Settings of a session.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the server, for texts.
    pub address: String,
    /// The name wished for.
    pub name: String,
    /// Which dialect to speak.
    pub dialect: DialectChoice,
    /// Time that a lost link may stay lost before the session ends; `None`: until the user leaves.
    pub gives_up_after_ms: Option<u64>,
    /// Set to ask who is in each room, for somebody who wants to see or to complete names.
    pub follows_people: bool,
    /// Messages of the past that are shown to a person on coming into a room, at most.
    pub context_messages_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting {
        deadline_ms: u64,
    },
    /// `hello` is out, `welcome` is not in.
    Greeting {
        deadline_ms: u64,
    },
    Up,
    /// The tutorial dialect is left for the event dialect: what was said goes out first, and the
    /// server closes.
    Changing {
        deadline_ms: u64,
    },
    Waiting {
        until_ms: u64,
    },
    /// The goodbye is out. Without a deadline as long as bytes before it are still being written.
    Leaving {
        deadline_ms: Option<u64>,
    },
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stay,
    Finish,
    Leave { deadline_ms: u64 },
}

#[derive(Debug)]
enum Link {
    Event(EventLink),
    Tutorial(TutorialLink),
}

/// Role of the user at the server, for the lifetime of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Member,
    Operator,
}

/// See the module.
pub struct Session {
    config: Config,
    entropy: Box<dyn Entropy + Send>,
    phase: Phase,
    wish: Wish,
    dialect: Dialect,
    /// The dialect is the server's, and no longer a guess.
    dialect_settled: bool,
    /// State of the search for the event dialect (D3).
    event_trial: EventTrial,
    /// Bytes from the server, as far as they tell its kind.
    answer: Answer,
    /// A connection has stood at least once.
    connected_before: bool,
    /// The name the user goes by.
    name: String,
    /// The names before that, the latest of them.
    former_names: VecDeque<String>,
    /// Of the last `welcome`: takes the name back (E2).
    token: Option<String>,
    limits: Limits,
    roster: Roster,
    outbox: Outbox,
    missed: Missed,
    past: Past,
    backoff: Backoff,
    /// Why the user is away: told again after a reconnect.
    away: Option<String>,
    role: Role,
    link: Option<Link>,
    decoder: Decoder,
    up_since_ms: u64,
    lost_since_ms: Option<u64>,
    /// The last change of name that was shown: who, and as what.
    last_rename: Option<LastRename>,
    /// The user asked to go to another room and may hold the next words back for it until then.
    moving_until_ms: Option<u64>,
    /// The user's own `join`s and `leave`s that the server has not answered.
    moves: usize,
    /// The current room before a reconnect that has to be entered again.
    going_back: Option<String>,
    /// The `ref` of a program's `bye`.
    bye_ref: Option<String>,
    /// A program drives the session.
    program: Option<Program>,
    out: Vec<u8>,
    writes: usize,
    half_close_due: bool,
    outputs: VecDeque<Output>,
}

/// A name as a text holds it: no server can make one endless.
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
    /// A session that wants its first connection at once.
    pub fn new(config: Config, entropy: Box<dyn Entropy + Send>, now_ms: u64) -> Self {
        let dialect = if config.dialect == DialectChoice::Tutorial { Dialect::Tutorial } else { Dialect::Event };
        let mut session = Self {
            name: config.name.clone(),
            dialect_settled: config.dialect != DialectChoice::Auto,
            config,
            entropy,
            phase: Phase::Ended,
            wish: Wish::Stay,
            dialect,
            event_trial: EventTrial::First,
            answer: Answer::default(),
            connected_before: false,
            former_names: VecDeque::new(),
            token: None,
            last_rename: None,
            limits: Limits::default(),
            roster: Roster::new(),
            outbox: Outbox::default(),
            missed: Missed::default(),
            past: Past::default(),
            backoff: Backoff::default(),
            away: None,
            role: Role::Member,
            link: None,
            decoder: Decoder::event(FRAME_BYTES_MAX),
            up_since_ms: now_ms,
            lost_since_ms: None,
            moving_until_ms: None,
            moves: 0,
            going_back: None,
            bye_ref: None,
            program: None,
            out: Vec::new(),
            writes: 0,
            half_close_due: false,
            outputs: VecDeque::new(),
        };
        session.connect(now_ms);
        session
    }

    /// Takes in what happened to the link.
    pub fn handle(&mut self, input: Input<'_>, now_ms: u64) {
        match (input, self.phase) {
            (_, Phase::Ended) => return,
            (Input::Connected, Phase::Connecting { .. }) => self.greet(now_ms),
            (Input::ConnectFailed(why), Phase::Connecting { .. }) => self.connect_failed(why, now_ms),
            (
                Input::Bytes(bytes),
                Phase::Greeting { .. } | Phase::Up | Phase::Changing { .. } | Phase::Leaving { .. },
            ) => {
                self.answer.take(bytes);
                self.read(bytes, now_ms);
            }
            (Input::Written, _) => self.writes = self.writes.saturating_sub(1),
            (
                Input::Closed(why),
                Phase::Greeting { .. } | Phase::Up | Phase::Changing { .. } | Phase::Leaving { .. },
            ) => {
                self.closed(why, now_ms);
            }
            _ => {}
        }
        self.keep_time(now_ms);
        self.pump(now_ms);
    }

    /// The next thing the driver must do; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns whether [`Session::poll_output`] has something to give.
    pub fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// When to call [`Session::handle`] with a [`Input::Tick`] at the latest.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Connecting { deadline_ms } | Phase::Greeting { deadline_ms } | Phase::Changing { deadline_ms } => {
                Some(deadline_ms)
            }
            Phase::Waiting { until_ms } => Some(until_ms),
            Phase::Leaving { deadline_ms } => deadline_ms,
            Phase::Up => self.link.as_ref().and_then(|link| match link {
                Link::Event(link) => Some(link.next_deadline_ms()),
                Link::Tutorial(link) => link.next_deadline_ms(),
            }),
            Phase::Ended => return None,
        };
        let wish = match self.wish {
            Wish::Leave { deadline_ms } if !matches!(self.phase, Phase::Leaving { .. }) => Some(deadline_ms),
            _ => None,
        };
        [phase, wish, self.moving_until_ms, self.past.awaited_until_ms(), self.gives_up_at_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns whether the user has asked to go to another room and the server has not answered:
    /// what is said now may be meant for it.
    pub fn is_moving(&self) -> bool {
        self.moving_until_ms.is_some()
    }

    /// Returns whether a command given now would go out soon; else the user's further input should
    /// wait.
    pub fn takes_commands(&self) -> bool {
        let is_awaiting = self.moving_until_ms.is_some() || self.past.awaited_until_ms().is_some();
        let has_gone_out = !self.outbox.has_unsent() && self.out.len() < WINDOW_BYTES;
        // A server that was only late may still take everything as events.
        let is_late = self.event_trial == EventTrial::OnGreeting && self.slash_commands() == SlashCommands::Undecided;
        self.phase == Phase::Up && !is_late && !is_awaiting && self.has_room() && has_gone_out
    }

    /// Returns whether another message of any length may wait for the link.
    pub fn has_room(&self) -> bool {
        self.outbox.takes(self.limits.text_bytes)
    }

    /// Longest text of one message, in bytes.
    pub fn text_bytes_max(&self) -> usize {
        self.limits.text_bytes
    }

    /// Messages that the server has not acknowledged (tutorial dialect: that are not sent).
    pub fn unacknowledged(&self) -> usize {
        self.outbox.len()
    }

    /// Returns whether the user has asked to leave: nothing more is taken then.
    pub fn is_leaving(&self) -> bool {
        self.check_staying().is_err()
    }

    /// Returns whether [`Output::Ended`] has been given.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    fn read(&mut self, bytes: &[u8], now_ms: u64) {
        // The decoder is taken out, so that what a frame says can change the session it came to.
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::event(0));
        let mut rest = bytes;
        let broken = loop {
            match decoder.next(&mut rest) {
                Ok(Some(Frame::Payload(payload))) => self.heard(payload, now_ms),
                Ok(Some(Frame::Goodbye)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if self.link.is_none() {
                return;
            }
        };
        self.decoder = decoder;
        if let Some(error) = broken {
            self.not_frames(&error, now_ms);
        }
    }

    fn heard(&mut self, payload: &[u8], now_ms: u64) {
        match &self.link {
            Some(Link::Event(_)) => self.heard_event(payload, now_ms),
            Some(Link::Tutorial(_)) => self.heard_frame(payload, now_ms),
            None => {}
        }
    }

    fn not_frames(&mut self, error: &HeaderError, now_ms: u64) {
        let first_words = match &self.link {
            Some(Link::Tutorial(link)) => !link.has_heard(),
            _ => false,
        };
        match self.phase {
            Phase::Greeting { .. } => {
                self.answer.note_foreign();
                self.no_welcome(&error.to_string(), Silence::No, now_ms);
            }
            Phase::Up | Phase::Leaving { .. } if first_words && self.lost_since_ms.is_none() => {
                let kind = self.answer.foreign();
                self.end(Ending::Refused(no_chat_server(&self.config.address, kind, Some(error))));
            }
            _ => self.closed(&format!("its bytes cannot be read: {error}"), now_ms),
        }
    }

    fn keep_time(&mut self, now_ms: u64) {
        if self.gives_up_at_ms().is_some_and(|at_ms| now_ms >= at_ms) && self.phase != Phase::Ended {
            let unsent = match self.outbox.len() {
                0 => String::new(),
                count => format!("; {} not acknowledged", of_your_messages(count)),
            };
            let text = format!("{} went away and did not come back{unsent}; try again later", self.config.address);
            self.end(Ending::ServerWentAway(text));
            return;
        }
        self.moving_until_ms = self.moving_until_ms.filter(|&until_ms| now_ms < until_ms);
        self.past.keep_time(now_ms);
        match self.phase {
            Phase::Connecting { deadline_ms } if now_ms >= deadline_ms => {
                self.drop_link();
                self.connect_failed("no answer within 10 s; check the address", now_ms);
            }
            Phase::Greeting { deadline_ms } if now_ms >= deadline_ms => {
                self.no_welcome("no welcome came", Silence::Yes, now_ms);
            }
            Phase::Changing { deadline_ms } if now_ms >= deadline_ms => self.change_dialect(now_ms),
            Phase::Waiting { until_ms } if now_ms >= until_ms => self.connect(now_ms),
            Phase::Leaving { deadline_ms: Some(deadline_ms) } if now_ms >= deadline_ms => {
                if !self.is_all_written() {
                    self.notice("the server does not read: your last words may not have arrived".to_owned());
                }
                self.end(Ending::Left);
            }
            Phase::Up => match &self.link {
                Some(Link::Event(_)) => {
                    self.keep_alive(now_ms);
                    self.count_crowds(now_ms);
                }
                Some(Link::Tutorial(_)) => self.keep_tutorial_time(now_ms),
                None => {}
            },
            _ => {}
        }
    }

    /// Moves on whatever can move: messages into the link, the goodbye behind them, bytes to the driver.
    fn pump(&mut self, now_ms: u64) {
        if self.phase == Phase::Up {
            match self.dialect {
                Dialect::Event => {
                    self.pay_pong();
                    self.send_events();
                }
                Dialect::Tutorial => self.send_texts(),
            }
        }
        self.pursue_wish(now_ms);
        if !self.out.is_empty() && self.writes < WRITES_MAX && self.link.is_some() {
            self.writes += 1;
            self.outputs.push_back(Output::Send(std::mem::take(&mut self.out)));
        }
        if self.half_close_due && self.out.is_empty() {
            self.half_close_due = false;
            self.outputs.push_back(Output::HalfClose);
        }
        if self.phase == (Phase::Leaving { deadline_ms: None }) && self.is_all_written() {
            self.phase = Phase::Leaving { deadline_ms: Some(now_ms + GOODBYE_MS) };
        }
    }

    fn is_all_written(&self) -> bool {
        self.out.is_empty() && self.writes == 0
    }

    fn drop_link(&mut self) {
        self.link = None;
        (self.moving_until_ms, self.moves, self.going_back) = (None, 0, None);
        self.past.link_lost();
        self.out = Vec::new();
        self.writes = 0;
        self.half_close_due = false;
        // A write for a connection that is going would only confuse the count of the next one.
        self.outputs.retain(|output| !matches!(output, Output::Send(_) | Output::HalfClose));
        self.outputs.push_back(Output::Disconnect);
    }

    fn end(&mut self, ending: Ending) {
        if ending == Ending::Left {
            self.tell_of_silence();
        }
        self.drop_link();
        self.answer_what_is_under_way();
        if ending == Ending::Left {
            self.dismiss_program();
        }
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Ended(ending));
    }

    /// Tells the user where what is said goes, if that is not where it went `before`.
    fn tell_of_move(&mut self, before: Option<&str>) {
        let now = self.current_room();
        if now.as_deref() != before {
            self.show(Update::Room(now));
        }
    }

    fn current_room(&self) -> Option<String> {
        self.roster.current().map(str::to_owned)
    }

    fn notice(&mut self, text: String) {
        self.show(Update::Notice(text));
    }

    fn show(&mut self, update: Update) {
        self.show_answer(update, None);
    }

    /// Shows what answers a request with this `ref`.
    fn show_answer(&mut self, update: Update, reference: Option<String>) {
        self.outputs.push_back(Output::Show(Envelope::new(update, reference)));
    }
}
