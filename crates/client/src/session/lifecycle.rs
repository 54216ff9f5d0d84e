//! Lifecycle of a session: connect, loss, reconnect and end.

use glassline_wire::event::Rejection;
use glassline_wire::frame::Decoder;

use super::event_link::EventLink;
use super::foreign::no_chat_server;
use super::tutorial_link::TutorialLink;
use super::update::{Dialect, Output, Update};
use super::{FRAME_BYTES_MAX, GOODBYE_MS, LAST_ANSWERS_MS, Link, Phase, Session, Wish, brief};
use crate::ending::Ending;

/// Time that one try to connect may take.
const CONNECT_MS: u64 = 10_000;
/// D3: without a `welcome` by then, the server is taken for a tutorial server.
const WELCOME_OR_TUTORIAL_MS: u64 = 1_000;
/// Wait for `welcome` where there is nothing to fall back to.
const WELCOME_MS: u64 = 3_000;
/// The same on a reconnect, to a server that is known to speak the event dialect and may be met by all its clients at once.
const WELCOME_AGAIN_MS: u64 = 10_000;

/// Texts shown of those that came to nothing.
const LOST_SHOWN_MAX: usize = 20;

/// State of the search for the event dialect (D3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventTrial {
    /// Events are tried, or have been answered.
    First,
    /// Nothing answered `hello` in time: silence is no dialect, so they are tried again once the
    /// server speaks for itself.
    OnGreeting,
    /// They are tried again.
    Again,
    /// It has had its time twice, or has said no.
    Over,
}

/// Absence of any answer, or an answer that is no `welcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    Yes,
    No,
}

pub(super) fn of_your_messages(count: usize) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{count} of your messages {were}")
}

impl Session {
    pub(super) fn connect(&mut self, now_ms: u64) {
        self.phase = Phase::Connecting { deadline_ms: now_ms + CONNECT_MS };
        self.outputs.push_back(Output::Connect);
    }

    pub(super) fn greet(&mut self, now_ms: u64) {
        self.connected_before = true;
        self.decoder = Decoder::event(FRAME_BYTES_MAX);
        self.answer.begin();
        match self.dialect {
            Dialect::Event => {
                let wait_ms = match (self.dialect_settled, &self.token) {
                    (false, _) if self.event_trial == EventTrial::First => WELCOME_OR_TUTORIAL_MS,
                    (false, _) | (true, None) => WELCOME_MS,
                    (true, Some(_)) => WELCOME_AGAIN_MS,
                };
                self.phase = Phase::Greeting { deadline_ms: now_ms + wait_ms };
                self.link = Some(Link::Event(EventLink::new(now_ms)));
                self.say_hello();
            }
            Dialect::Tutorial => {
                self.link = Some(Link::Tutorial(TutorialLink::new(now_ms)));
                self.give_name();
                self.is_up(now_ms);
            }
        }
    }

    pub(super) fn is_up(&mut self, now_ms: u64) {
        self.phase = Phase::Up;
        self.up_since_ms = now_ms;
    }

    pub(super) fn connect_failed(&mut self, why: &str, now_ms: u64) {
        if self.connected_before {
            self.wait(now_ms);
        } else {
            self.end(Ending::CannotConnect(format!("cannot connect to {}: {why}", self.config.address)));
        }
    }

    pub(super) fn closed(&mut self, why: &str, now_ms: u64) {
        match self.phase {
            Phase::Greeting { .. } => self.no_welcome(why, Silence::No, now_ms),
            Phase::Changing { .. } => self.change_dialect(now_ms),
            Phase::Up if self.answer.is_silent() && self.answer.foreign().is_some() => self.end_at_foreign(),
            Phase::Up if self.is_goodbye_held_back() && self.refusal_of_a_tutorial_server(now_ms).is_none() => {
                self.left_by_server(why);
            }
            Phase::Up if self.is_closed_to_strangers(now_ms) => self.end(Ending::Refused(format!(
                "what answers at {} closes each connection without a word: it is no chat server, lets nobody in from \
                 here, or has as many connections from your address as it takes; check the address and the port, or try \
                 again later",
                self.config.address
            ))),
            Phase::Leaving { .. } => self.left_by_server(why),
            _ => self.link_lost(why, now_ms),
        }
    }

    /// The connection is closed, as was to be expected.
    fn left_by_server(&mut self, why: &str) {
        if self.wish == Wish::Finish && !self.is_all_written() {
            self.end(Ending::ServerWentAway(format!(
                "{} went away before everything was sent ({why}); send the last lines again",
                self.config.address
            )));
        } else {
            self.end(Ending::Left);
        }
    }

    /// The server has not answered `hello` as a server of the event dialect would (D3).
    pub(super) fn no_welcome(&mut self, why: &str, silence: Silence, now_ms: u64) {
        if self.token.is_some() {
            self.link_lost(why, now_ms);
        } else if self.dialect_settled {
            let address = &self.config.address;
            let what_to_do = match self.answer.foreign() {
                Some(kind) => no_chat_server(address, Some(kind), None),
                None => "try `--dialect tutorial`".to_owned(),
            };
            let text = format!("{address} does not answer in the event dialect ({why}); {what_to_do}");
            self.end(Ending::Refused(text));
        } else {
            self.event_trial = match (self.event_trial, silence) {
                (EventTrial::First, Silence::Yes) => EventTrial::OnGreeting,
                _ => EventTrial::Over,
            };
            self.notice(match silence {
                Silence::Yes => "nothing has answered yet; trying the plain tutorial dialect".to_owned(),
                Silence::No => {
                    "the server does not answer in the event dialect; trying the plain tutorial dialect".to_owned()
                }
            });
            self.dialect = Dialect::Tutorial;
            self.dialect_settled = true;
            self.drop_link();
            self.connect(now_ms);
        }
    }

    /// A server that spoke late speaks for itself, so it may speak events as well: they are tried
    /// once more. What was said goes out first, and nothing of it is said again.
    pub(super) fn return_to_events(&mut self, has_said: bool, now_ms: u64) {
        self.event_trial = EventTrial::Again;
        self.notice("the server has answered late; trying the event dialect again".to_owned());
        if has_said {
            self.half_close_due = true;
            self.phase = Phase::Changing { deadline_ms: now_ms + GOODBYE_MS };
        } else {
            self.change_dialect(now_ms);
        }
    }

    /// Connects anew, for events.
    pub(super) fn change_dialect(&mut self, now_ms: u64) {
        self.expect_events();
        self.drop_link();
        self.connect(now_ms);
    }

    fn expect_events(&mut self) {
        (self.dialect, self.dialect_settled) = (Dialect::Event, false);
    }

    /// Ends the session: an earlier connection was answered by another protocol, and this one is
    /// silent.
    pub(super) fn end_at_foreign(&mut self) {
        self.end(Ending::Refused(no_chat_server(&self.config.address, self.answer.foreign(), None)));
    }

    /// Says at the end that nothing ever came, so that nobody takes what was said for heard.
    pub(super) fn tell_of_silence(&mut self) {
        if self.link.is_some() && !self.answer.has_come() {
            self.notice(format!(
                "nothing has ever answered at {}: what you said may have reached nobody; check the address",
                self.config.address
            ));
        }
    }

    pub(super) fn link_lost(&mut self, why: &str, now_ms: u64) {
        let stood_ms = self.stood_ms(now_ms);
        if let Some(words) = self.refusal_of_a_tutorial_server(now_ms) {
            self.end(Ending::Refused(format!("{} refused: {words}", self.config.address)));
            return;
        }
        let was_good = match &self.link {
            Some(Link::Tutorial(link)) => link.has_heard() || stood_ms >= CONNECT_MS,
            _ => self.phase == Phase::Up,
        };
        self.backoff.link_stood(stood_ms);
        let is_first = self.lost_since_ms.is_none();
        // A link that comes and breaks at once, again and again, is not back: the patience with it goes on running out.
        if is_first || stood_ms >= CONNECT_MS {
            self.lost_since_ms = Some(now_ms);
        }
        if is_first || was_good {
            let doubt = match self.dialect {
                Dialect::Tutorial => "; what was said in the last moments may not have arrived",
                Dialect::Event => "",
            };
            self.notice(format!("the link to {} is lost ({why}){doubt}; trying again", self.config.address));
        }
        self.answer_what_is_under_way();
        self.outbox.link_lost();
        if self.event_trial == EventTrial::OnGreeting && self.answer.is_silent() {
            // It never was known what there is: events first, as in the beginning.
            self.event_trial = EventTrial::First;
            self.expect_events();
        }
        self.drop_link();
        self.wait(now_ms);
    }

    /// The last words of a tutorial server that closed at once, the first time: it did not like the name.
    fn refusal_of_a_tutorial_server(&self, now_ms: u64) -> Option<&str> {
        match &self.link {
            Some(Link::Tutorial(link)) if self.lost_since_ms.is_none() && self.stood_ms(now_ms) < GOODBYE_MS => {
                link.only_words()
            }
            _ => None,
        }
    }

    /// Returns whether both dialects were answered by a close at once, and nothing has ever come.
    fn is_closed_to_strangers(&self, now_ms: u64) -> bool {
        self.event_trial == EventTrial::Over && !self.answer.has_come() && self.stood_ms(now_ms) < GOODBYE_MS
    }

    fn stood_ms(&self, now_ms: u64) -> u64 {
        if self.phase == Phase::Up { now_ms.saturating_sub(self.up_since_ms) } else { 0 }
    }

    /// Returns whether everything is said and only the goodbye is not, because its answer would
    /// look like a refusal of the name.
    fn is_goodbye_held_back(&self) -> bool {
        let is_on_trial = matches!(&self.link, Some(Link::Tutorial(link)) if link.is_on_trial());
        is_on_trial && self.wish == Wish::Finish && self.outbox.len() == 0
    }

    pub(super) fn wait(&mut self, now_ms: u64) {
        self.lost_since_ms.get_or_insert(now_ms);
        let until_ms = now_ms + self.backoff.next_delay_ms(&mut *self.entropy);
        self.phase = Phase::Waiting { until_ms };
    }

    /// An operator has thrown the user out: coming back is for the user to decide, and not for a program that reconnects by itself.
    pub(super) fn thrown_out(&mut self, rejection: Rejection) {
        let text = format!("{} threw you out: {}", self.config.address, rejection.text);
        self.tell_of_lost("not acknowledged");
        if self.program.is_some() {
            self.show(Update::Refused { rejection, text: None });
        }
        self.end(Ending::Refused(text));
    }

    pub(super) fn gives_up_at_ms(&self) -> Option<u64> {
        if matches!(self.phase, Phase::Up | Phase::Leaving { .. }) {
            return None;
        }
        Some(self.lost_since_ms?.saturating_add(self.config.gives_up_after_ms?))
    }

    pub(super) fn pursue_wish(&mut self, now_ms: u64) {
        let waited_enough = match self.wish {
            Wish::Stay => return,
            Wish::Finish => false,
            Wish::Leave { deadline_ms } => now_ms >= deadline_ms,
        };
        let is_settled = self.outbox.len() == 0;
        match self.phase {
            Phase::Up if self.is_goodbye_held_back() => {}
            Phase::Up if is_settled || waited_enough => {
                // In the tutorial dialect nothing is acknowledged, and what waits has not gone out.
                self.tell_of_lost(if self.dialect == Dialect::Event { "not acknowledged" } else { "not sent" });
                self.say_goodbye(now_ms);
            }
            Phase::Waiting { .. } if is_settled => self.end(Ending::Left),
            Phase::Changing { .. } if !waited_enough => {}
            Phase::Connecting { .. } | Phase::Greeting { .. } | Phase::Waiting { .. } | Phase::Changing { .. }
                if waited_enough || (is_settled && self.wish != Wish::Finish) =>
            {
                self.tell_of_lost("not sent");
                self.end(Ending::Left);
            }
            _ => {}
        }
    }

    /// Says what of the user's words came to nothing: nobody else keeps them.
    fn tell_of_lost(&mut self, what: &str) {
        let count = self.outbox.len();
        if count == 0 {
            return;
        }
        self.notice(format!("{} {what}", of_your_messages(count)));
        let shown = self.outbox.texts().take(LOST_SHOWN_MAX).map(|(to, text)| match to {
            Some(to) => format!("{what}, to {}: {text}", brief(to)),
            None => format!("{what}: {text}"),
        });
        for text in shown.collect::<Vec<_>>() {
            self.notice(text);
        }
        if count > LOST_SHOWN_MAX {
            self.notice(format!("and {} more", count - LOST_SHOWN_MAX));
        }
    }

    fn say_goodbye(&mut self, now_ms: u64) {
        let patience_ms = match self.wish {
            Wish::Leave { deadline_ms } => {
                GOODBYE_MS.min(deadline_ms.saturating_sub(now_ms) + GOODBYE_MS - LAST_ANSWERS_MS)
            }
            Wish::Stay | Wish::Finish => GOODBYE_MS,
        };
        let deadline_ms = match self.dialect {
            Dialect::Event => {
                self.say_bye();
                Some(now_ms + patience_ms)
            }
            Dialect::Tutorial => {
                self.half_close_due = true;
                // Whoever only finishes waits for the last byte to be written.
                (self.wish != Wish::Finish).then_some(now_ms + patience_ms)
            }
        };
        self.phase = Phase::Leaving { deadline_ms };
    }
}
