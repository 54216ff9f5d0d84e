//! Frames that wait for the user before they are forwarded.

use std::collections::VecDeque;

use glassline_tap::rules::{Action, Edit, HOLD_US};
use glassline_tap::{Ask, Decision, Dialect, Direction, Frame, FrameId, FrameKind, Rule};
use glassline_wire::frame::{frame, parse_header};
use serde_json::Value;

use super::filter::Filter;

/// Label of the rule that holds frames.
const HOLD_LABEL: &str = "by-hand";
/// Time without a byte after which either side of the event dialect closes (L).
const SILENCE_US: u64 = 75_000_000;
/// Time that this project's client waits for the `welcome` before it tries the tutorial dialect.
const WELCOME_US: u64 = 1_000_000;
/// Time from the accepted connection after which the server closes one without a name (D2).
const NAME_US: u64 = 10_000_000;

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
    decided: Vec<(FrameId, Decision)>,
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
        self.decided.extend(self.waiting.drain(..).map(|ask| (ask.frame.id(), Decision::Pass)));
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

    /// Returns this frame, if it waits.
    pub(super) fn get(&self, wanted: FrameId) -> Option<&Ask> {
        self.waiting.iter().find(|ask| ask.frame.id() == wanted)
    }

    /// Returns whether this frame waits.
    pub(super) fn has(&self, wanted: FrameId) -> bool {
        self.get(wanted).is_some()
    }

    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Decides about a frame. Returns whether it still waited.
    pub(super) fn decide(&mut self, decided: FrameId, decision: Decision) -> bool {
        let waited = self.has(decided);
        if waited {
            self.waiting.retain(|ask| ask.frame.id() != decided);
            self.decided.push((decided, decision));
        }
        waited
    }

    /// Takes the decisions since the last call.
    pub(super) fn take_decisions(&mut self) -> Vec<(FrameId, Decision)> {
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
    Decision::Replace(frame(payload.as_bytes()))
}

/// Earliest time at which a side gives the connection up while a frame waits, as far as the
/// specification and this project's client tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUpTime {
    /// This side, at this time in microseconds since 1970.
    At(&'static str, u64),
    /// Neither side closes for want of this frame.
    Never,
    /// The link carries no frames that can be read, so that its times are unknown.
    Unknown,
}

/// Returns when a side gives the connection up while the frame waits. `opened_us` is the time at
/// which the connection opened, `heard_us` that of the last bytes before the frame in its
/// direction.
pub(super) fn gives_up(frame: &Frame, opened_us: u64, heard_us: u64) -> GiveUpTime {
    // A head of HTTP precedes a WebSocket.
    let number = frame.number.saturating_sub(u64::from(frame.in_websocket));
    let is_login = match (frame.dialect, frame.direction) {
        (Dialect::Event, Direction::ToServer) => number <= 2,
        (_, Direction::ToServer | Direction::ToClient) => number <= 1,
    };
    match (frame.dialect, frame.direction) {
        (Dialect::Event, _) if is_login => GiveUpTime::At("client", heard_us + WELCOME_US),
        (Dialect::Event, Direction::ToServer) => GiveUpTime::At("server", heard_us + SILENCE_US),
        (Dialect::Event, Direction::ToClient) => GiveUpTime::At("client", heard_us + SILENCE_US),
        (Dialect::Tutorial, Direction::ToServer) if is_login => GiveUpTime::At("server", opened_us + NAME_US),
        // Without a message a member of the tutorial dialect stays: TCP tells whether its peer is
        // there.
        (Dialect::Tutorial, _) => GiveUpTime::Never,
        (Dialect::Tls | Dialect::Noise | Dialect::Http | Dialect::Unknown, _) => GiveUpTime::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_up_depends_on_dialect_and_login() {
        use Dialect::{Event, Http, Noise, Tls, Tutorial, Unknown};
        use Direction::{ToClient, ToServer};
        let (opened_us, heard_us) = (1_000_000, 100_000_000);
        let at = GiveUpTime::At;
        for (dialect, direction, number, expected) in [
            (Event, ToServer, 2, at("client", 101_000_000)),
            (Event, ToClient, 1, at("client", 101_000_000)),
            (Event, ToServer, 3, at("server", 175_000_000)),
            (Event, ToClient, 2, at("client", 175_000_000)),
            // The name, and what follows it.
            (Tutorial, ToServer, 1, at("server", 11_000_000)),
            (Tutorial, ToServer, 2, GiveUpTime::Never),
            (Tutorial, ToClient, 1, GiveUpTime::Never),
            (Tls, ToServer, 1, GiveUpTime::Unknown),
            (Noise, ToClient, 3, GiveUpTime::Unknown),
            (Http, ToServer, 1, GiveUpTime::Unknown),
            (Unknown, ToClient, 1, GiveUpTime::Unknown),
        ] {
            let (kind, bytes) = (FrameKind::Payload, Vec::new());
            let (at_us, in_websocket) = (heard_us, false);
            let frame =
                Frame { connection: 1, direction, number, offset: 0, at_us, dialect, in_websocket, kind, bytes };
            assert_eq!(gives_up(&frame, opened_us, heard_us), expected, "{dialect:?} {direction:?} {number}");
        }
    }
}
