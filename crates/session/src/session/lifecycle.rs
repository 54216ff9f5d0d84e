//! Lifecycle of a session: connect, loss, reconnect and end.

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Bye, Event, Rejection};
use glassline_wire::opening::EVENT_OPENING;

use super::{ExitIntent, LAST_ANSWERS_MS, Session, brief};
use crate::connection::{GOODBYE_MS, Phase, TutorialLink, no_chat_server};
use crate::ending::Ending;
use crate::hello::hello;
use crate::prelude::*;
use crate::program::Program;
use crate::update::{Dialect, Output, Update};

/// Texts shown of those that were not delivered.
const LOST_SHOWN_MAX: usize = 20;

fn of_your_messages(count: usize) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{count} of your messages {were}")
}

impl Session {
    pub(super) fn open(&mut self, now_ms: u64) {
        self.connection.open(self.identity.token().is_some(), now_ms);
        match self.connection.dialect() {
            Dialect::Event => {
                self.connection.put_bytes(EVENT_OPENING);
                self.put_request(&hello(&self.identity, &self.rooms));
            }
            Dialect::Tutorial => self.connection.put_frame(self.identity.name().as_bytes()),
        }
    }

    pub(super) fn connect_failed(&mut self, why: &str, now_ms: u64) {
        self.attempt_failed(format!("cannot connect to {}: {why}", self.config.address), now_ms);
    }

    pub(super) fn handshake_stalled(&mut self, now_ms: u64) {
        let text = format!(
            "{} has accepted the connection and did not finish the handshake of its protection within 10 s; it may be \
             busy, or something else than a chat server answers there. Nothing of yours was sent to it",
            self.config.address
        );
        self.attempt_failed(text, now_ms);
    }

    fn attempt_failed(&mut self, text: String, now_ms: u64) {
        if self.connection.was_up_before() {
            self.connection.wait(&mut *self.entropy, now_ms);
        } else {
            self.end(Ending::CannotConnect(text));
        }
    }

    /// Ends, after a reconnect as well as at first.
    pub(super) fn refuse_link(&mut self, why: &str) {
        self.report_undelivered("not acknowledged");
        self.end(Ending::LinkRefused(why.to_owned()));
    }

    pub(super) fn closed(&mut self, why: &str, now_ms: u64) {
        let first_bytes = self.connection.first_bytes();
        match self.connection.phase() {
            Phase::Greeting { .. } => self.no_welcome(why, false, now_ms),
            Phase::ChangingDialect { .. } => self.retry_events(now_ms),
            Phase::Up { .. } if first_bytes.is_silent() && first_bytes.foreign().is_some() => self.end_at_foreign(),
            Phase::Up { .. } if self.is_goodbye_held_back() && self.connection.tutorial_refusal(now_ms).is_none() => {
                self.left_by_server(why);
            }
            Phase::Up { .. } if self.connection.was_closed_in_both_dialects(now_ms) => self.end(Ending::Rejected(format!(
                "what answers at {} closes each connection without a word: it is no chat server, lets nobody in from \
                 here, or has as many connections from your address as it takes; check the address and the port, or try \
                 again later",
                self.config.address
            ))),
            Phase::Leaving { .. } => self.left_by_server(why),
            _ => self.link_lost(why, now_ms),
        }
    }

    /// Ends after a close that was to be expected.
    fn left_by_server(&mut self, why: &str) {
        if self.exit == ExitIntent::Finish && !self.connection.is_all_written() {
            self.end(Ending::ServerWentAway(format!(
                "{} went away before everything was sent ({why}); send the last lines again",
                self.config.address
            )));
        } else {
            self.end(Ending::Left);
        }
    }

    /// Records that the server has not answered `hello` as a server of the event dialect would
    /// (D3).
    pub(super) fn no_welcome(&mut self, why: &str, is_silent: bool, now_ms: u64) {
        if self.identity.token().is_some() {
            self.link_lost(why, now_ms);
        } else if self.connection.is_dialect_settled() {
            let address = &self.config.address;
            let what_to_do = match self.connection.first_bytes().foreign() {
                Some(kind) => no_chat_server(address, Some(kind), None),
                None => "try `--dialect tutorial`".to_owned(),
            };
            let text = format!("{address} does not answer in the event dialect ({why}); {what_to_do}");
            self.end(Ending::Rejected(text));
        } else {
            let cause =
                if is_silent { "nothing has answered yet" } else { "the server does not answer in the event dialect" };
            self.notice(format!("{cause}; trying the plain tutorial dialect"));
            self.connection.fall_back(is_silent);
            self.drop_link();
            self.connection.connect(now_ms, &mut self.outputs);
        }
    }

    /// Tries the event dialect once more with a server that greeted late. Queued messages are sent
    /// first, and none is sent again.
    pub(super) fn return_to_events(&mut self, has_sent: bool, now_ms: u64) {
        self.notice("the server has answered late; trying the event dialect again".to_owned());
        if has_sent {
            self.connection.finish_tutorial(now_ms);
        } else {
            self.retry_events(now_ms);
        }
    }

    pub(super) fn retry_events(&mut self, now_ms: u64) {
        self.connection.retry_events();
        self.drop_link();
        self.connection.connect(now_ms, &mut self.outputs);
    }

    /// Ends the session: an earlier connection was answered by another protocol, and this one is
    /// silent.
    pub(super) fn end_at_foreign(&mut self) {
        self.end(Ending::Rejected(no_chat_server(&self.config.address, self.connection.first_bytes().foreign(), None)));
    }

    /// Reports at the end that nothing was received, so that no message seems delivered.
    fn report_silence(&mut self) {
        if self.connection.has_link() && !self.connection.first_bytes().has_come() {
            self.notice(format!(
                "nothing has ever answered at {}: what you said may have reached nobody; check the address",
                self.config.address
            ));
        }
    }

    pub(super) fn link_lost(&mut self, why: &str, now_ms: u64) {
        if let Some(notice) = self.connection.tutorial_refusal(now_ms) {
            self.end(Ending::Rejected(format!("{} refused: {notice}", self.config.address)));
            return;
        }
        let doubt = match self.connection.dialect() {
            Dialect::Tutorial => "; what was said in the last moments may not have arrived",
            Dialect::Event => "",
        };
        if self.connection.note_loss(now_ms) {
            self.notice(format!("the link to {} is lost ({why}){doubt}; trying again", self.config.address));
        }
        self.reject_pending_requests();
        self.delivery.link_lost();
        self.drop_link();
        self.connection.wait(&mut *self.entropy, now_ms);
    }

    pub(super) fn drop_link(&mut self) {
        self.queries.link_lost();
        self.rooms.cancel_return();
        self.connection.drop_link(&mut self.outputs);
    }

    pub(super) fn give_up(&mut self) {
        let unsent = match self.delivery.len() {
            0 => String::new(),
            count => format!("; {} not acknowledged", of_your_messages(count)),
        };
        let text = format!("{} went away and did not come back{unsent}; try again later", self.config.address);
        self.end(Ending::ServerWentAway(text));
    }

    pub(super) fn end(&mut self, ending: Ending) {
        if ending == Ending::Left {
            self.report_silence();
        }
        self.drop_link();
        self.reject_pending_requests();
        if ending == Ending::Left {
            self.dismiss_program();
        }
        self.connection.end();
        self.outputs.push_back(Output::Ended(ending));
    }

    /// Answers the program's requests that the server will no longer answer.
    fn reject_pending_requests(&mut self) {
        let rejections = self.program.as_mut().map(Program::reject_pending);
        for Envelope { content: rejection, reference } in rejections.into_iter().flatten() {
            self.show_answer(Update::Rejected { rejection, text: None }, reference);
        }
    }

    /// Sends a program a `bye` if the server sent none: its dialect lacks it, or it had no time.
    fn dismiss_program(&mut self) {
        if self.program.as_ref().is_some_and(|program| !program.has_bye()) {
            let bye = Bye { text: "the link is closed".to_owned() };
            let reference = self.bye_ref.take();
            self.show_answer(Update::Received(Event::Bye(bye)), reference);
        }
    }

    /// Returns whether everything is sent but the goodbye, because its answer would
    /// look like a refusal of the name.
    fn is_goodbye_held_back(&self) -> bool {
        let is_on_trial = self.connection.tutorial().is_some_and(TutorialLink::is_on_trial);
        is_on_trial && self.exit == ExitIntent::Finish && self.delivery.len() == 0
    }

    /// Ends after an operator has removed the user: coming back is for the user to decide, and not
    /// for a program that reconnects by itself.
    pub(super) fn on_kicked(&mut self, rejection: Rejection) {
        let text = format!("{} threw you out: {}", self.config.address, rejection.text);
        self.report_undelivered("not acknowledged");
        if self.program.is_some() {
            self.show(Update::Rejected { rejection, text: None });
        }
        self.end(Ending::Rejected(text));
    }

    pub(super) fn pursue_exit(&mut self, now_ms: u64) {
        let waited_enough = match self.exit {
            ExitIntent::Stay => return,
            ExitIntent::Finish => false,
            ExitIntent::Leave { deadline_ms } => now_ms >= deadline_ms,
        };
        let is_settled = self.delivery.len() == 0;
        match self.connection.phase() {
            Phase::Up { .. } if self.is_goodbye_held_back() => {}
            Phase::Up { .. } if is_settled || waited_enough => {
                // The tutorial dialect has no acknowledgements; waiting messages are unsent.
                self.report_undelivered(if self.connection.dialect() == Dialect::Event {
                    "not acknowledged"
                } else {
                    "not sent"
                });
                self.say_goodbye(now_ms);
            }
            Phase::Waiting { .. } if is_settled => self.end(Ending::Left),
            Phase::ChangingDialect { .. } if !waited_enough => {}
            Phase::Connecting { .. }
            | Phase::Greeting { .. }
            | Phase::Waiting { .. }
            | Phase::ChangingDialect { .. }
                if waited_enough || (is_settled && self.exit != ExitIntent::Finish) =>
            {
                self.report_undelivered("not sent");
                self.end(Ending::Left);
            }
            _ => {}
        }
    }

    /// Shows the user's undelivered messages: they are stored nowhere else.
    fn report_undelivered(&mut self, what: &str) {
        let count = self.delivery.len();
        if count == 0 {
            return;
        }
        self.notice(format!("{} {what}", of_your_messages(count)));
        let shown = self.delivery.texts().take(LOST_SHOWN_MAX).map(|(to, text)| match to {
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
        let patience_ms = match self.exit {
            ExitIntent::Leave { deadline_ms } => {
                GOODBYE_MS.min(deadline_ms.saturating_sub(now_ms) + GOODBYE_MS - LAST_ANSWERS_MS)
            }
            ExitIntent::Stay | ExitIntent::Finish => GOODBYE_MS,
        };
        let deadline_ms = match self.connection.dialect() {
            Dialect::Event => {
                self.send_bye();
                Some(now_ms + patience_ms)
            }
            Dialect::Tutorial => {
                self.connection.half_close();
                // A session that finishes waits for the last byte to be written.
                (self.exit != ExitIntent::Finish).then_some(now_ms + patience_ms)
            }
        };
        self.connection.leave(deadline_ms);
    }
}
