//! The session's side of a connection in the tutorial dialect (T).

use glassline_wire::event::{Direct, Event, Message, Notice};
use glassline_wire::frame::put_frame;
use glassline_wire::request::{Ask, LOBBY, Request};

use super::credible::NAME_BYTES_MAX;
use super::lifecycle::EventTrial;
use super::update::{SlashCommands, Update};
use super::whereabouts::Whereabouts;
use super::{Link, Phase, Session, WINDOW_BYTES, brief};

/// The name under which a server speaks for itself (T9).
const SERVER_NAME: &str = "*";
/// Behind the writer's name in a pair that is for the user alone (T10). No name holds its arrow
/// (T8).
const DIRECT_MARK: &str = "→you";
/// By then a server with words of its own has said some.
const FIRST_WORDS_MS: u64 = 500;
/// If the server's first words are a refusal, its close comes with them, or this much later at the most.
const CLOSE_BEHIND_WORDS_MS: u64 = 100;
/// A server with commands greets; what comes later as `*` may be a member of a server that has none and forbids no name.
const GREETING_MS: u64 = 3_000;

/// State of one connection.
#[derive(Debug)]
pub(super) struct TutorialLink {
    /// The first half of a pair whose second half has not come (T4).
    from: Option<String>,
    /// The server has greeted as `*`: it has commands, and it takes `//` for `/`.
    server_speaks: bool,
    /// Until then the first pair decides whether the server speaks; `None`: that pair has come.
    greeting_until_ms: Option<u64>,
    others_spoke: bool,
    last_words: Option<String>,
    undecided_until_ms: Option<u64>,
    /// Until then the server may be about to refuse the name; `None`: it has not.
    on_trial_until_ms: Option<u64>,
    /// Notices given about the connection.
    told: Told,
    /// Something was said over it.
    has_said: bool,
    whereabouts: Whereabouts,
    /// The name that the server gave in its first words, where it is not the one asked for.
    granted_name: Option<String>,
}

/// Notices given about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// That nothing has answered yet.
    Silent,
    /// That it stands.
    Connected,
}

impl TutorialLink {
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            from: None,
            server_speaks: false,
            greeting_until_ms: Some(now_ms + GREETING_MS),
            others_spoke: false,
            last_words: None,
            undecided_until_ms: Some(now_ms + FIRST_WORDS_MS),
            on_trial_until_ms: Some(now_ms + FIRST_WORDS_MS),
            told: Told::Nothing,
            has_said: false,
            whereabouts: Whereabouts::new(),
            granted_name: None,
        }
    }

    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        [self.undecided_until_ms, self.on_trial_until_ms].into_iter().flatten().min()
    }

    fn keep_time(&mut self, now_ms: u64) {
        for until in [&mut self.undecided_until_ms, &mut self.on_trial_until_ms] {
            *until = until.filter(|&until_ms| now_ms < until_ms);
        }
    }

    /// Returns whether the name may still be refused.
    pub(super) fn is_on_trial(&self) -> bool {
        self.on_trial_until_ms.is_some()
    }

    pub(super) fn has_heard(&self) -> bool {
        self.greeting_until_ms.is_none()
    }

    pub(super) fn slash_commands(&self) -> SlashCommands {
        if self.server_speaks {
            SlashCommands::Server
        } else if self.undecided_until_ms.is_some() {
            SlashCommands::Undecided
        } else {
            SlashCommands::Nobody
        }
    }

    /// The room that the user is in, where it is known.
    pub(super) fn room(&self) -> Option<&str> {
        self.whereabouts.room()
    }

    /// A line goes to the server as its command.
    pub(super) fn asks(&mut self, line: &str) {
        self.whereabouts.asks(line);
    }

    /// The server's last words, if nobody else said anything.
    pub(super) fn only_words(&self) -> Option<&str> {
        if self.others_spoke { None } else { self.last_words.as_deref() }
    }

    /// The pair that this frame completes.
    fn pair(&mut self, payload: &[u8], now_ms: u64) -> Option<(String, String)> {
        let text = String::from_utf8_lossy(payload).into_owned();
        let Some(from) = self.from.take() else {
            let mut from = text;
            from.truncate(from.floor_char_boundary(NAME_BYTES_MAX));
            self.from = Some(from);
            return None;
        };
        self.undecided_until_ms = None;
        let is_greeting = self.greeting_until_ms.take().is_some_and(|until_ms| now_ms < until_ms);
        if from == SERVER_NAME {
            self.server_speaks |= is_greeting;
            self.granted_name = granted_name(&text).filter(|_| is_greeting).map(str::to_owned);
            self.whereabouts.hears(&text);
            self.last_words = Some(text.clone());
            self.on_trial_until_ms =
                self.on_trial_until_ms.map(|until_ms| until_ms.min(now_ms + CLOSE_BEHIND_WORDS_MS));
        } else {
            self.others_spoke = true;
            self.on_trial_until_ms = None;
        }
        Some((from, text))
    }
}

impl Session {
    pub(super) fn give_name(&mut self) {
        put_frame(&mut self.out, self.name.as_bytes());
    }

    pub(super) fn keep_tutorial_time(&mut self, now_ms: u64) {
        let Some(Link::Tutorial(link)) = &mut self.link else { return };
        link.keep_time(now_ms);
        if link.undecided_until_ms.is_some() || link.told != Told::Nothing {
            return;
        }
        // A server that keeps quiet may be one of the tutorial's, or none.
        link.told = Told::Silent;
        if self.answer.foreign().is_some() {
            self.end_at_foreign();
            return;
        }
        let (address, me) = (&self.config.address, brief(&self.name));
        self.notice(format!(
            "nothing has answered yet at {address}; what you say is sent as {me}, in the tutorial dialect"
        ));
    }

    /// Says that the connection stands, once what answers has spoken like a chat server.
    fn tell_of_tutorial(&mut self) {
        let Some(Link::Tutorial(link)) = &mut self.link else { return };
        if std::mem::replace(&mut link.told, Told::Connected) != Told::Connected {
            let (address, me) = (&self.config.address, brief(&self.name));
            self.notice(format!("connected to {address} as {me}, in the tutorial dialect"));
        }
    }

    pub(super) fn heard_frame(&mut self, payload: &[u8], now_ms: u64) {
        let Some(Link::Tutorial(link)) = &mut self.link else { return };
        let is_first = !link.has_heard();
        let Some((from, text)) = link.pair(payload, now_ms) else { return };
        if is_first && from == SERVER_NAME && self.event_trial == EventTrial::OnGreeting && self.phase == Phase::Up {
            let has_said = link.has_said;
            self.return_to_events(has_said, now_ms);
            return;
        }
        if let Some(name) = link.granted_name.take() {
            self.goes_by(&name);
        }
        let Some(Link::Tutorial(link)) = &mut self.link else { return };
        // A program is told what it was sent.
        let writer = from.strip_suffix(DIRECT_MARK).filter(|_| link.server_speaks && self.program.is_none());
        let event = match writer {
            _ if from == SERVER_NAME => Event::Notice(Notice { text }),
            Some(writer) if !writer.is_empty() => {
                Event::Direct(Direct { from: writer.to_owned(), to: self.name.clone(), at: None, text, id: None })
            }
            _ => Event::Message(words(from, text)),
        };
        self.tell_of_tutorial();
        self.show(Update::Heard(event));
    }

    /// Writes what waits in the outbox, as far as the window allows. What is written counts as sent: nothing more can be known.
    pub(super) fn send_texts(&mut self) {
        while self.out.len() < WINDOW_BYTES
            && !self.is_next_undecided()
            && let Some(request) = self.outbox.take_next()
        {
            let Request { reference, content: Ask::Send(send) } = request else { continue };
            let escapes = self.slash_commands() == SlashCommands::Server;
            let wire_text = match (send.action, send.text.starts_with('/')) {
                (true, _) => format!("/me {}", send.text),
                (false, true) if escapes => format!("/{}", send.text),
                (false, _) => send.text.clone(),
            };
            put_frame(&mut self.out, wire_text.as_bytes());
            if let Some(Link::Tutorial(link)) = &mut self.link {
                link.has_said = true;
            }
            let message = Message { action: send.action, id: Some(send.id), ..words(self.name.clone(), send.text) };
            self.show_answer(Update::Said { event: Event::Message(message), acknowledged: false }, reference);
        }
    }

    /// Returns whether the next text may or may not need a second slash: that is known in a moment.
    fn is_next_undecided(&self) -> bool {
        self.slash_commands() == SlashCommands::Undecided
            && self.outbox.first_text().is_some_and(|text| text.starts_with('/'))
    }
}

/// The name in `root is taken; you are root-2; /nick changes it` (T10). Another server may say it
/// in other words; then it is not known.
fn granted_name(words: &str) -> Option<&str> {
    let (_, name) = words.strip_suffix("; /nick changes it")?.rsplit_once("; you are ")?;
    (!name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_whitespace)).then_some(name)
}

/// A message as the tutorial dialect knows it: without number, time or id.
fn words(from: String, text: String) -> Message {
    Message { room: LOBBY.to_owned(), seq: None, at: None, from, text, action: false, id: None }
}
