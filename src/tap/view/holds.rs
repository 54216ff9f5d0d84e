//! Frames that wait for the user before they are forwarded.

use std::collections::VecDeque;

use glassline_tap::rules::{Action, Edit};

use crate::tap::line_control::Ticket;
use glassline_tap::{Ask, Decision, Dialect, Direction, Frame, FrameKind, Rule};
use glassline_wire::frame::{parse_header, put_frame};
use serde_json::Value;

use super::filter::Filter;

/// Time for which a frame waits for the user at most; then it passes unchanged.
const HOLD_US: u64 = 60_000_000;
/// Label of the rule that holds frames.
const HOLD_LABEL: &str = "by-hand";
/// Time without a byte after which either side of the event dialect closes (L).
const SILENCE_US: u64 = 75_000_000;
/// Time that this project's client waits for the `welcome` before it tries the tutorial dialect.
const WELCOME_US: u64 = 1_000_000;

/// Returns what names this frame.
pub(super) fn ticket(frame: &Frame) -> Ticket {
    (frame.connection, frame.direction, frame.number)
}

/// A change of what the line is to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HoldChange {
    /// The frames of this rule.
    Start(Box<Rule>),
    /// Nothing.
    Stop,
}

/// The frames that wait, oldest first, and which are to wait.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// Condition of the frames that are held, as it was typed.
    filter_line: Option<String>,
    waiting: VecDeque<Ask>,
    decided: Vec<(Ticket, Decision)>,
    change: Option<HoldChange>,
}

impl Holds {
    /// Holds what matches from now on.
    pub(super) fn start(&mut self, line: &str, filter: &Filter) -> Result<(), String> {
        let rule = Rule::new(filter.matcher()?, Action::Hold { timeout_us: HOLD_US });
        self.change = Some(HoldChange::Start(Box::new(rule.labelled(HOLD_LABEL))));
        self.filter_line = Some(line.trim().to_owned());
        Ok(())
    }

    /// Holds nothing any more, and forwards everything that waits.
    pub(super) fn stop(&mut self) {
        self.decided.extend(self.waiting.drain(..).map(|ask| (ticket(&ask.frame), Decision::Pass)));
        self.change = Some(HoldChange::Stop);
        self.filter_line = None;
    }

    /// Returns what is held, as it was typed.
    pub(super) fn filter_line(&self) -> Option<&str> {
        self.filter_line.as_deref()
    }

    /// Adds a frame that waits.
    pub(super) fn push(&mut self, ask: Ask) {
        self.waiting.push_back(ask);
    }

    /// Removes the frames that wait no more: their connection is closed, or their time is over.
    pub(super) fn retain(&mut self, waits: impl Fn(&Ask) -> bool) {
        self.waiting.retain(waits);
    }

    /// Returns the frame that is decided next.
    pub(super) fn first(&self) -> Option<&Ask> {
        self.waiting.front()
    }

    /// Returns whether this frame waits.
    pub(super) fn has(&self, wanted: Ticket) -> bool {
        self.waiting.iter().any(|ask| ticket(&ask.frame) == wanted)
    }

    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Decides about a frame. Returns whether it still waited.
    pub(super) fn decide(&mut self, decided: Ticket, decision: Decision) -> bool {
        let waited = self.has(decided);
        if waited {
            self.waiting.retain(|ask| ticket(&ask.frame) != decided);
            self.decided.push((decided, decision));
        }
        waited
    }

    /// Takes the decisions since the last call.
    pub(super) fn take_decisions(&mut self) -> Vec<(Ticket, Decision)> {
        std::mem::take(&mut self.decided)
    }

    /// Takes the change since the last call.
    pub(super) fn take_change(&mut self) -> Option<HoldChange> {
        self.change.take()
    }
}

/// Returns the words that can be edited.
pub(super) fn text(ask: &Ask) -> Option<&str> {
    ask.meaning.text.as_deref()
}

/// Returns the payload, if it is text and the only one: a tutorial pair has two.
pub(super) fn payload(ask: &Ask) -> Option<&str> {
    let payload = ask.frame.payload();
    let length = parse_header(*ask.frame.bytes.first_chunk()?).ok()?;
    let is_one_frame = ask.frame.kind == FrameKind::Payload && length == payload.len() as u64;
    std::str::from_utf8(payload).ok().filter(|_| is_one_frame)
}

/// Forwards the frame with these words.
pub(super) fn with_text(text: &str) -> Decision {
    Decision::Edit(vec![Edit::Set { field: "text".into(), value: Value::String(text.to_owned()) }])
}

/// Forwards a frame of this payload.
pub(super) fn with_payload(payload: &str) -> Decision {
    let mut bytes = Vec::new();
    put_frame(&mut bytes, payload.as_bytes());
    Decision::Replace(bytes)
}

/// Returns who gives the connection up first while the frame waits, and when, in microseconds since
/// 1970: the earliest time, as far as the specification and this project's client tell. `heard_us`
/// is when the last bytes before it went in this direction.
pub(super) fn gives_up(frame: &Frame, heard_us: u64) -> Option<(&'static str, u64)> {
    let is_login = match frame.direction {
        Direction::ToServer => frame.number <= 2,
        Direction::ToClient => frame.number == 1,
    };
    match (frame.dialect, frame.direction) {
        (Dialect::Event, _) if is_login => Some(("client", heard_us + WELCOME_US)),
        (Dialect::Event, Direction::ToServer) => Some(("server", heard_us + SILENCE_US)),
        (Dialect::Event, Direction::ToClient) => Some(("client", heard_us + SILENCE_US)),
        (Dialect::Tutorial | Dialect::Tls | Dialect::Noise | Dialect::Http | Dialect::Unknown, _) => None,
    }
}
