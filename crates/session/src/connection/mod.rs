//! Connection of a session to the server: its phase, its dialect and the bytes on their way.

mod backoff;
mod current_room;
mod event_link;
mod first_bytes;
mod negotiation;
mod tutorial_link;

use alloc::collections::VecDeque;

use glassline_wire::frame::{Decoder, put_frame};

use crate::entropy::Entropy;
use crate::prelude::*;
use crate::update::{Dialect, DialectChoice, Output};
use backoff::Backoff;
pub(crate) use event_link::{EventLink, Silence};
pub(crate) use first_bytes::{FirstBytes, no_chat_server};
use negotiation::Negotiation;
pub(crate) use tutorial_link::{SERVER_NAME, TutorialLink};

/// Wait for the server's side of a goodbye; a user who leaves at once never waits longer.
pub(crate) const GOODBYE_MS: u64 = 2_000;
/// Longest frame taken from a server. Above [`glassline_wire::limits::EVENT_BYTES_MAX`]: a list of
/// members or of stored messages is longer than one message, and tutorial servers relay what they
/// like.
pub(crate) const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that may wait to be written; past it messages wait in the outbox.
const WINDOW_BYTES: usize = 64 * 1024;
/// Writes handed to the driver and not yet done. Two keep the link busy.
const WRITES_MAX: usize = 2;
/// Time that one try to connect may take.
const CONNECT_MS: u64 = 10_000;
/// D3: without a `welcome` by then, the server is taken for a tutorial server.
const WELCOME_OR_TUTORIAL_MS: u64 = 1_000;
/// Wait for `welcome` where there is nothing to fall back to.
const WELCOME_MS: u64 = 3_000;
/// The same on a reconnect, to a server that is known to support the event dialect and to which all
/// clients may reconnect at once.
const WELCOME_AGAIN_MS: u64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting {
        deadline_ms: u64,
        /// The host has accepted the connection.
        is_reached: bool,
    },
    /// `hello` is out, `welcome` is not in.
    Greeting {
        deadline_ms: u64,
    },
    Up {
        since_ms: u64,
    },
    /// The tutorial dialect is left for the event dialect: queued messages are sent first, and the
    /// server closes.
    ChangingDialect {
        deadline_ms: u64,
    },
    /// The link is lost, and the next try is due at this instant.
    Waiting {
        until_ms: u64,
    },
    /// The goodbye is out. Without a deadline as long as bytes before it are still being written.
    Leaving {
        deadline_ms: Option<u64>,
    },
    Ended,
}

#[derive(Debug)]
enum Protocol {
    Event(EventLink),
    Tutorial(TutorialLink),
}

#[derive(Debug)]
struct Link {
    protocol: Protocol,
    decoder: Decoder,
    /// Bytes not handed to the driver.
    out: Vec<u8>,
    /// Writes handed to the driver and not done.
    writes: usize,
    half_close_due: bool,
}

#[derive(Debug)]
pub(crate) struct Connection {
    phase: Phase,
    negotiation: Negotiation,
    link: Option<Link>,
    first_bytes: FirstBytes,
    connected_before: bool,
    backoff: Backoff,
    lost_since_ms: Option<u64>,
}

impl Connection {
    pub(crate) fn new(choice: DialectChoice) -> Self {
        Self {
            phase: Phase::Ended,
            negotiation: Negotiation::new(choice),
            link: None,
            first_bytes: FirstBytes::default(),
            connected_before: false,
            backoff: Backoff::default(),
            lost_since_ms: None,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up { .. })
    }

    pub(crate) fn has_link(&self) -> bool {
        self.link.is_some()
    }

    pub(crate) fn was_up_before(&self) -> bool {
        self.connected_before
    }

    /// Returns whether no connection was lost so far.
    pub(crate) fn is_first(&self) -> bool {
        self.lost_since_ms.is_none()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.negotiation.dialect()
    }

    /// Returns whether the dialect is the server's or the user's choice, and no longer a guess.
    pub(crate) fn is_dialect_settled(&self) -> bool {
        self.negotiation.is_settled()
    }

    /// Returns whether the event dialect is tried again once the server greets.
    pub(crate) fn awaits_greeting(&self) -> bool {
        self.negotiation == Negotiation::TutorialUntilGreeting
    }

    pub(crate) fn first_bytes(&self) -> &FirstBytes {
        &self.first_bytes
    }

    pub(crate) fn event_mut(&mut self) -> Option<&mut EventLink> {
        if let Protocol::Event(link) = &mut self.link.as_mut()?.protocol { Some(link) } else { None }
    }

    pub(crate) fn tutorial(&self) -> Option<&TutorialLink> {
        if let Protocol::Tutorial(link) = &self.link.as_ref()?.protocol { Some(link) } else { None }
    }

    pub(crate) fn tutorial_mut(&mut self) -> Option<&mut TutorialLink> {
        if let Protocol::Tutorial(link) = &mut self.link.as_mut()?.protocol { Some(link) } else { None }
    }

    pub(crate) fn connect(&mut self, now_ms: u64, outputs: &mut VecDeque<Output>) {
        self.phase = Phase::Connecting { deadline_ms: now_ms + CONNECT_MS, is_reached: false };
        outputs.push_back(Output::Connect);
    }

    /// Notes that the host has accepted the connection.
    pub(crate) fn note_reached(&mut self) {
        if let Phase::Connecting { is_reached, .. } = &mut self.phase {
            *is_reached = true;
        }
    }

    /// Starts the dialect on an open connection. `is_known` says that this server has welcomed
    /// the user before.
    pub(crate) fn open(&mut self, is_known: bool, now_ms: u64) {
        self.connected_before = true;
        self.first_bytes.begin();
        let (phase, protocol) = match self.dialect() {
            Dialect::Event => {
                let wait_ms = match self.negotiation {
                    Negotiation::TryEvents => WELCOME_OR_TUTORIAL_MS,
                    Negotiation::Events if is_known => WELCOME_AGAIN_MS,
                    _ => WELCOME_MS,
                };
                (Phase::Greeting { deadline_ms: now_ms + wait_ms }, Protocol::Event(EventLink::new(now_ms)))
            }
            Dialect::Tutorial => (Phase::Up { since_ms: now_ms }, Protocol::Tutorial(TutorialLink::new(now_ms))),
        };
        self.phase = phase;
        let decoder = Decoder::event(FRAME_BYTES_MAX);
        self.link = Some(Link { protocol, decoder, out: Vec::new(), writes: 0, half_close_due: false });
    }

    pub(crate) fn welcome(&mut self, now_ms: u64) {
        self.negotiation = Negotiation::Events;
        self.phase = Phase::Up { since_ms: now_ms };
    }

    /// Falls back to the tutorial dialect, for which a new connection is opened.
    pub(crate) fn fall_back(&mut self, is_silent: bool) {
        self.negotiation = if is_silent && self.negotiation == Negotiation::TryEvents {
            Negotiation::TutorialUntilGreeting
        } else {
            Negotiation::TutorialFallback
        };
    }

    /// Lets the server receive messages of the tutorial dialect, before the event dialect is
    /// tried again.
    pub(crate) fn finish_tutorial(&mut self, now_ms: u64) {
        self.half_close();
        self.phase = Phase::ChangingDialect { deadline_ms: now_ms + GOODBYE_MS };
    }

    pub(crate) fn retry_events(&mut self) {
        self.negotiation = Negotiation::RetryEvents;
    }

    pub(crate) fn wait(&mut self, entropy: &mut dyn Entropy, now_ms: u64) {
        self.lost_since_ms.get_or_insert(now_ms);
        self.phase = Phase::Waiting { until_ms: now_ms + self.backoff.next_delay_ms(entropy) };
    }

    /// Records that the link is lost; returns whether a notice for the user is due.
    pub(crate) fn note_loss(&mut self, now_ms: u64) -> bool {
        let stood_ms = self.stood_ms(now_ms);
        let was_good = match self.tutorial() {
            Some(link) => link.has_received() || stood_ms >= CONNECT_MS,
            None => self.is_up(),
        };
        self.backoff.link_stood(stood_ms);
        let is_first = self.lost_since_ms.is_none();
        // A link that breaks at once, again and again, is not back: its time limit keeps running.
        if is_first || stood_ms >= CONNECT_MS {
            self.lost_since_ms = Some(now_ms);
        }
        if self.awaits_greeting() && self.first_bytes.is_silent() {
            // It never was known what there is: events first, as in the beginning.
            self.negotiation = Negotiation::TryEvents;
        }
        is_first || was_good
    }

    /// Drops the link, with everything that waits for it.
    pub(crate) fn drop_link(&mut self, outputs: &mut VecDeque<Output>) {
        self.link = None;
        // A pending write of this connection must not count for the next one.
        outputs.retain(|output| !matches!(output, Output::Send(_) | Output::HalfClose));
        outputs.push_back(Output::Disconnect);
    }

    pub(crate) fn leave(&mut self, deadline_ms: Option<u64>) {
        self.phase = Phase::Leaving { deadline_ms };
    }

    /// Bounds the goodbye in time, where it waits for bytes to go out.
    pub(crate) fn bound_leaving(&mut self, now_ms: u64) {
        if self.phase == (Phase::Leaving { deadline_ms: None }) {
            self.phase = Phase::Leaving { deadline_ms: Some(now_ms + GOODBYE_MS) };
        }
    }

    pub(crate) fn end(&mut self) {
        self.phase = Phase::Ended;
    }

    /// Takes bytes from the server; returns the decoder for them, to be given back.
    pub(crate) fn begin_read(&mut self, bytes: &[u8]) -> Option<Decoder> {
        let link = self.link.as_mut()?;
        self.first_bytes.take(bytes);
        Some(core::mem::replace(&mut link.decoder, Decoder::event(0)))
    }

    pub(crate) fn end_read(&mut self, decoder: Decoder) {
        self.change_link(|link| link.decoder = decoder);
    }

    /// Keeps the first bytes of this connection, which were no chat dialect.
    pub(crate) fn note_foreign(&mut self) {
        self.first_bytes.note_foreign();
    }

    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.change_link(|link| link.out.extend_from_slice(bytes));
    }

    pub(crate) fn put_frame(&mut self, payload: &[u8]) {
        self.change_link(|link| put_frame(&mut link.out, payload));
    }

    /// Returns whether more may be written now: what waits for a server that does not read is
    /// bounded.
    pub(crate) fn has_window(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.out.len() < WINDOW_BYTES)
    }

    /// Closes the sending side after pending writes.
    pub(crate) fn half_close(&mut self) {
        self.change_link(|link| link.half_close_due = true);
    }

    pub(crate) fn note_written(&mut self) {
        self.change_link(|link| link.writes = link.writes.saturating_sub(1));
    }

    fn change_link(&mut self, change: impl FnOnce(&mut Link)) {
        self.link.as_mut().map(change);
    }

    pub(crate) fn flush(&mut self, now_ms: u64, outputs: &mut VecDeque<Output>) {
        if let Some(link) = &mut self.link {
            if !link.out.is_empty() && link.writes < WRITES_MAX {
                link.writes += 1;
                outputs.push_back(Output::Send(core::mem::take(&mut link.out)));
            }
            if link.half_close_due && link.out.is_empty() {
                link.half_close_due = false;
                outputs.push_back(Output::HalfClose);
            }
        }
        if self.is_all_written() {
            self.bound_leaving(now_ms);
        }
    }

    #[cfg(test)]
    pub(crate) fn unsent_bytes(&self) -> usize {
        self.link.as_ref().map_or(0, |link| link.out.len())
    }

    pub(crate) fn is_all_written(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.out.is_empty() && link.writes == 0)
    }

    /// Milliseconds since the link went up; 0 unless it is up.
    pub(crate) fn stood_ms(&self, now_ms: u64) -> u64 {
        if let Phase::Up { since_ms } = self.phase { now_ms.saturating_sub(since_ms) } else { 0 }
    }

    /// Returns whether both dialects were answered by a close at once, without any bytes.
    pub(crate) fn was_closed_in_both_dialects(&self, now_ms: u64) -> bool {
        self.negotiation == Negotiation::TutorialFallback
            && !self.first_bytes.has_come()
            && self.stood_ms(now_ms) < GOODBYE_MS
    }

    /// Returns the last notice of a tutorial server that closed at once, the first time: it refused
    /// the name.
    pub(crate) fn tutorial_refusal(&self, now_ms: u64) -> Option<&str> {
        let link = self.tutorial().filter(|_| self.is_first() && self.stood_ms(now_ms) < GOODBYE_MS)?;
        link.only_notice()
    }

    /// Returns the time at which a lost link has been lost for this long.
    pub(crate) fn gives_up_at_ms(&self, after_ms: Option<u64>) -> Option<u64> {
        if matches!(self.phase, Phase::Up { .. } | Phase::Leaving { .. } | Phase::Ended) {
            return None;
        }
        Some(self.lost_since_ms?.saturating_add(after_ms?))
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Connecting { deadline_ms, .. }
            | Phase::Greeting { deadline_ms }
            | Phase::ChangingDialect { deadline_ms } => Some(deadline_ms),
            Phase::Waiting { until_ms } => Some(until_ms),
            Phase::Leaving { deadline_ms } => deadline_ms,
            Phase::Up { .. } => match &self.link.as_ref()?.protocol {
                Protocol::Event(link) => Some(link.next_deadline_ms()),
                Protocol::Tutorial(link) => link.next_deadline_ms(),
            },
            Phase::Ended => None,
        }
    }
}
