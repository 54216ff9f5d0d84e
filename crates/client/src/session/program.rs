//! Output for a program that drives a session beyond that for a person: every event, and an answer
//! to every request.

use std::collections::VecDeque;

use glassline_wire::event::{Bye, ErrorCode, Event, Rejection};

use super::Session;
use super::update::Update;

/// Prefix of the `ref`s of the session's own requests, so that no program may take one.
pub const OWN_REF_PREFIX: &str = "glassline-";
/// Requests under way that are answered for the server if the link is lost: the latest of them.
const UNDER_WAY_MAX: usize = 256;

/// State of the program's requests.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// `ref`s of requests, other than messages, that the server has not answered.
    under_way: VecDeque<String>,
    /// The server has said goodbye to it.
    is_dismissed: bool,
}

impl Program {
    /// A request goes out.
    pub(super) fn asks(&mut self, reference: Option<&String>) {
        let Some(reference) = reference else { return };
        if self.under_way.len() == UNDER_WAY_MAX {
            self.under_way.pop_front();
        }
        self.under_way.push_back(reference.clone());
    }

    /// Something was heard, perhaps an answer.
    pub(super) fn hears(&mut self, event: &Event, reference: Option<&str>) {
        let Some(reference) = reference.filter(|_| !matches!(event, Event::Message(_) | Event::Direct(_))) else {
            return;
        };
        self.is_dismissed |= matches!(event, Event::Bye(_));
        if let Some(at) = self.under_way.iter().position(|waiting| waiting == reference) {
            self.under_way.remove(at);
        }
    }
}

impl Session {
    /// The same session for a program: what a person need not hear twice is shown as often as it comes, and what the server does
    /// not answer any more is answered.
    #[must_use]
    pub fn for_a_program(self) -> Self {
        Self { program: Some(Program::default()), ..self }
    }

    /// The server will not answer what it was asked on this link.
    pub(super) fn answer_what_is_under_way(&mut self) {
        let under_way = self.program.as_mut().map(|program| std::mem::take(&mut program.under_way));
        for reference in under_way.unwrap_or_default() {
            let text = "the link ended before the answer came; ask again once there is another `welcome`";
            let rejection = Rejection::new(ErrorCode::Busy, text);
            self.show_answer(Update::Refused { rejection, text: None }, Some(reference));
        }
    }

    /// Says goodbye to a program where the server has not: it has no word for it, or not the time.
    pub(super) fn dismiss_program(&mut self) {
        if self.program.as_ref().is_some_and(|program| !program.is_dismissed) {
            let bye = Bye { text: "the link is closed".to_owned() };
            let reference = self.bye_ref.take();
            self.show_answer(Update::Heard(Event::Bye(bye)), reference);
        }
    }
}
