//! Protocols: the first bytes select one, then its session turns bytes into calls on the hub. They
//! never touch a socket.

mod context;
mod event;
mod http;
mod refusals;
mod sniff;
mod step;
#[cfg(any(test, feature = "test-server"))]
pub(crate) mod tests;
mod tutorial;

pub(crate) use context::{Carrier, SessionContext};
use glassline_hub::{Dialect, NameHolder};
use glassline_wire::event::Event;
use glassline_wire::link::LinkKind;
pub(crate) use step::{Pause, Step};

use crate::close_reason::CloseReason;
use event::EventSession;
pub(crate) use http::{ANSWER_TIMEOUT_MS, HttpSession, HttpTimeout};
use sniff::{Sniffer, Spoken};
use tutorial::TutorialSession;

#[derive(Debug)]
pub(crate) enum Protocol {
    /// Its protocol is not known yet.
    Sniffing(Sniffer),
    Tutorial(TutorialSession),
    Event(EventSession),
    Http(HttpSession),
}

impl Default for Protocol {
    fn default() -> Self {
        Self::Sniffing(Sniffer::inside(LinkKind::Plaintext))
    }
}

impl Protocol {
    /// Consumes bytes. Moves `input` past what was consumed.
    pub(crate) fn take(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        if let Self::Sniffing(sniffer) = self {
            let session = match sniffer.look(input, context.pure, context.links, context.web, context.carrier) {
                Spoken::Unclear => return Step::Continue,
                Spoken::Link(link) => {
                    let opening = [sniffer.seen(), input].concat();
                    *input = &[];
                    *self = Self::Sniffing(Sniffer::inside(link));
                    return Step::StartLink { link, opening };
                }
                Spoken::Nothing { reason, output } => {
                    return Step::Close { reason, detail: String::new(), output };
                }
                Spoken::Http(service) => {
                    let now_ms = context.now.monotonic_ms;
                    *self = Self::Http(HttpSession::new(sniffer.seen(), service, now_ms));
                    return self.take(input, context);
                }
                Spoken::Event => Self::Event(EventSession::new()),
                Spoken::Tutorial => Self::Tutorial(TutorialSession::new()),
            };
            // A banned address is refused now that the dialect of the refusal is known.
            if let Err(rejection) = context.hub.check_address(context.address, context.now) {
                let detail = rejection.text.clone();
                let dialect = if matches!(session, Self::Event(_)) { Dialect::Event } else { Dialect::Tutorial };
                let output = dialect.encode(&Event::Error(rejection).into());
                return Step::Close { reason: CloseReason::Banned, detail, output };
            }
            *self = session;
        }
        match self {
            Self::Sniffing(_) => Step::Continue,
            Self::Tutorial(session) => session.take(input, context),
            Self::Event(session) => session.take(input, context),
            Self::Http(session) => {
                let step = session.take(input, context);
                if matches!(step, Step::StartWebSocket { .. }) {
                    *self = Self::Sniffing(Sniffer::inside_websocket(context.carrier.link_facts().kind));
                }
                step
            }
        }
    }

    /// Resumes a claim on a name, now that its holder is known to be alive or dead.
    pub(crate) fn resume_claim(&mut self, holder: NameHolder, context: &mut SessionContext<'_>) -> Step {
        match self {
            Self::Event(session) => session.resume_claim(holder, context),
            Self::Sniffing(_) | Self::Tutorial(_) | Self::Http(_) => Step::Continue,
        }
    }

    /// Returns the reason for which a connection ends whose input ends here. A frame cut off is
    /// dropped (T7), and the rest is an orderly departure (T6).
    pub(crate) fn end_of_input(&self) -> CloseReason {
        match self {
            Self::Sniffing(_) => CloseReason::ClosedAtDoor,
            Self::Tutorial(session) if session.is_at_boundary() => CloseReason::Closed,
            Self::Event(session) if session.is_at_boundary() => CloseReason::Closed,
            Self::Tutorial(_) | Self::Event(_) => CloseReason::ClosedInsideFrame,
            Self::Http(_) => CloseReason::HttpDone,
        }
    }
}
