//! Output for a program that drives a session beyond that for a person: every event, and an answer
//! to every request.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::String;

use glassline_wire::event::{Bye, ErrorCode, Event, Refusal};

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
    pub(super) fn hears(&mut self, event: &Event) {
        let Some(reference) = reference_of(event) else { return };
        self.is_dismissed |= matches!(event, Event::Bye(_));
        if let Some(at) = self.under_way.iter().position(|waiting| waiting == reference) {
            self.under_way.remove(at);
        }
    }
}

fn reference_of(event: &Event) -> Option<&str> {
    let reference = match event {
        Event::Joined(presence) | Event::Left(presence) => &presence.reference,
        Event::Renamed(renamed) => &renamed.reference,
        Event::Members(members) => &members.reference,
        Event::History(history) => &history.reference,
        Event::Whois(whois) => &whois.reference,
        Event::Rooms(rooms) => &rooms.reference,
        Event::Away(away) => &away.reference,
        Event::Act(act) => &act.reference,
        Event::Notice(notice) => &notice.reference,
        Event::Error(refusal) => &refusal.reference,
        Event::Pong(pong) => &pong.reference,
        Event::Bye(bye) => &bye.reference,
        Event::Welcome(_) | Event::Message(_) | Event::Direct(_) | Event::Ping(_) | Event::Gap(_) => return None,
    };
    reference.as_deref()
}

impl Session {
    /// The same session for a program: what a person need not hear twice is shown as often as it comes, and what the server does
    /// not answer any more is answered.
    #[must_use]
    pub fn for_program(self) -> Self {
        Self { program: Some(Program::default()), ..self }
    }

    /// The server will not answer what it was asked on this link.
    pub(super) fn answer_what_is_under_way(&mut self) {
        let under_way = self.program.as_mut().map(|program| core::mem::take(&mut program.under_way));
        for reference in under_way.unwrap_or_default() {
            let text = "the link ended before the answer came; ask again once there is another `welcome`".to_owned();
            let refusal = Refusal { code: ErrorCode::Busy, text, reference: Some(reference) };
            self.show(Update::Rejected { refusal, text: None });
        }
    }

    /// Says goodbye to a program where the server has not: it has no word for it, or not the time.
    pub(super) fn dismiss_program(&mut self) {
        if self.program.as_ref().is_some_and(|program| !program.is_dismissed) {
            let bye = Bye { text: "the link is closed".to_owned(), reference: self.bye_ref.take() };
            self.show(Update::Received(Event::Bye(bye)));
        }
    }
}
