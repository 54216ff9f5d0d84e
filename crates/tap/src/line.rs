//! One tapped connection, without sockets and without a clock: bytes in, outputs out.

mod apply;
mod arrivals;
mod carry_out;
mod direction_state;
mod evaluation;
mod fields;
mod plan;
mod unit;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::applied::Applied;
use crate::faults::Shape;
use crate::frame::{Dialect, Direction, Frame, FrameKind};
use crate::meaning::{Meaning, Reader};
use crate::per_direction::PerDirection;
use crate::rules::{Edit, RuleSet};
use crate::splitter::Splitter;
use crate::websocket;
use arrivals::{Arrival, Arrivals};
use direction_state::{DirectionState, Note};
use evaluation::{RuleEvaluation, Tally};
use plan::Work;
use unit::Unit;

/// Bytes held in one direction from which its sender is not to be read, and no further frame of it
/// is subject to the rules. What they make of one frame may exceed it, and what was read with it.
pub const DIRECTION_BYTES_MAX: usize = 512 * 1024;

/// End of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The sender has sent everything (FIN).
    Finished,
    /// The sender gave the connection up (RST).
    Reset,
    /// The stream of a secure link that the tap intercepts was cut off: nothing has announced its end.
    Truncated,
}

/// Something to do or to report, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum LineOutput {
    /// A frame arrived from its sender.
    Arrived(Frame, Box<Meaning>),
    /// A rule was applied, or could not be.
    Applied(Applied),
    /// A frame waits for [`Line::answer`].
    Ask(Box<Ask>),
    /// Bytes for the receiver of this direction.
    Forward {
        /// Direction in which they go.
        direction: Direction,
        /// The bytes, in one write if the socket takes them: slices are not joined. Empty where
        /// rules left nothing of a frame, which a recording notes and a socket is not given.
        bytes: Vec<u8>,
        /// Rules that made or changed them, for the recording.
        comment: Option<String>,
    },
    /// The receiver of this direction is to see this end, after everything forwarded before.
    End(Direction, End),
}

/// A frame that waits for a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The frame as earlier rules have left it; both frames of a tutorial pair, with the number of
    /// the second.
    pub frame: Frame,
    /// Content of the frame as it was sent.
    pub meaning: Meaning,
    /// Label of the rule that asks.
    pub rule: String,
    /// The one that is asked.
    pub decider: Decider,
    /// Time at which it passes without an answer, in microseconds since 1970 (UTC).
    pub deadline_us: u64,
}

/// Source of a decision about a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// The user of the tap.
    Hand,
    /// This program.
    Hook(Vec<String>),
}

/// Decision about a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It passes.
    Pass,
    /// It does not pass.
    Drop,
    /// These bytes pass in its place.
    Replace(Vec<u8>),
    /// It passes with other fields.
    Edit(Vec<Edit>),
    /// The connection ends here.
    Cut(End),
}

/// One connection between client and server.
///
/// Without rules every byte is forwarded at once. With rules a frame is forwarded when it is
/// whole, a pair of the tutorial dialect when both its frames are. Within a WebSocket each then has
/// a message of its own, but a message of which a part had passed without rules passes to its end as
/// it came. Call [`Line::next`] until it returns `None` after each call that takes something in, and
/// at [`Line::due_us`].
#[derive(Debug)]
pub struct Line {
    splitter: Splitter,
    reader: Reader,
    rules: Arc<RuleSet>,
    tally: Tally,
    arrivals: PerDirection<Arrivals>,
    states: PerDirection<DirectionState>,
    outputs: VecDeque<LineOutput>,
    /// Earliest time at which something passes that waits for a decision or for later frames.
    deadline_us: Option<u64>,
}

impl Line {
    /// A connection with this number, on which nothing has passed, without rules.
    pub fn new(number: u64) -> Self {
        Self {
            splitter: Splitter::new(number),
            reader: Reader::default(),
            rules: Arc::default(),
            tally: Tally::default(),
            arrivals: PerDirection::default(),
            states: PerDirection::default(),
            outputs: VecDeque::new(),
            deadline_us: None,
        }
    }

    /// Applies these rules to what arrives from now on. A frame that waits for a decision goes on
    /// waiting if its rule is in this set too; everything else that is held passes now. A frame of
    /// which a part has passed already is not subject to any rule.
    pub fn set_rules(&mut self, rules: Arc<RuleSet>, now_us: u64) {
        self.tally.change_rules(&self.rules, &rules);
        let old = std::mem::replace(&mut self.rules, rules);
        for direction in Direction::BOTH {
            let new = Arc::clone(&self.rules);
            let place = |label: &str| new.rules().iter().position(|rule| rule.label == label);
            let state = &mut self.states[direction];
            state.release(|pending| old.get(&pending.rule) == new.get(&pending.rule));
            for pending in state.pending_mut() {
                pending.next_rule = place(&pending.rule).map_or(pending.next_rule, |place| place + 1);
            }
            self.settle(direction, now_us);
            self.pass_incomplete(direction, now_us);
        }
        self.note_deadline();
    }

    /// Decides about the frame of this number that waits, and of raw pieces that share it about the
    /// first. Returns false if none waits: its deadline has passed, or its rule was removed.
    pub fn answer(&mut self, direction: Direction, frame_number: u64, decision: Decision, now_us: u64) -> bool {
        self.change_waiting(direction, frame_number, now_us, |evaluation, work| evaluation.decide(work, decision))
    }

    /// Lets the frame of this number pass that waits: nobody can be asked about it.
    pub(crate) fn pass_unasked(&mut self, direction: Direction, frame_number: u64, now_us: u64) {
        let reason = "too much waits to be shown, and nobody was asked";
        self.change_waiting(direction, frame_number, now_us, |evaluation, work| evaluation.pass_on(work, reason));
    }

    /// Lets the frame of this number pass that waits: its hook is not asked.
    pub(crate) fn pass_hook(&mut self, direction: Direction, frame_number: u64, now_us: u64) {
        let reason = "its hook has ended, or has not answered in time; frames pass without it";
        self.change_waiting(direction, frame_number, now_us, |evaluation, work| evaluation.pass_hook(work, reason));
    }

    /// Lets the frame of this number wait until then.
    pub(crate) fn wait_until(&mut self, direction: Direction, frame_number: u64, deadline_us: u64, now_us: u64) {
        self.change_waiting(direction, frame_number, now_us, |_, work| {
            if let Some(pending) = &mut work.pending {
                pending.deadline_us = deadline_us;
            }
        });
    }

    /// Changes the frame of this number that waits. Returns whether one did.
    fn change_waiting(
        &mut self,
        direction: Direction,
        frame_number: u64,
        now_us: u64,
        change: impl FnOnce(&mut RuleEvaluation<'_>, &mut Work),
    ) -> bool {
        let is_meant = |work: &Work| (work.unit.first_number..=work.unit.frame.number).contains(&frame_number);
        let (state, mut evaluation) = self.parts(direction, now_us);
        let was_waiting = state.change_pending(is_meant, |work| change(&mut evaluation, work));
        self.settle(direction, now_us);
        self.note_deadline();
        was_waiting
    }

    /// Takes bytes in that arrived at `now_us`.
    pub fn receive(&mut self, direction: Direction, bytes: &[u8], now_us: u64) {
        if self.passes_at_once(direction) {
            let arrivals = &mut self.arrivals[direction];
            self.splitter.receive(direction, bytes, now_us, |frame| arrivals.push(Arrival::Frame(frame)));
            self.pass_as_it_came(direction, bytes);
        } else {
            let rest = &bytes[self.pass_message_rest(direction, bytes, now_us)..];
            let arrivals = &mut self.arrivals[direction];
            self.splitter.receive(direction, rest, now_us, |frame| arrivals.push(Arrival::Frame(frame)));
            if !rest.is_empty() && self.splitter.is_websocket(direction) {
                self.states[direction].reframe();
            }
            self.pass_incomplete(direction, now_us);
        }
        self.release_if_full(now_us);
        self.note_deadline();
    }

    /// Passes bytes that have arrived, with the frames that they complete.
    fn pass_as_it_came(&mut self, direction: Direction, bytes: &[u8]) {
        while let Some(Arrival::Frame(frame)) = self.arrivals[direction].pop() {
            self.note_arrived(frame);
        }
        self.forward_now(direction, bytes.to_vec());
        let held = self.splitter.held(direction).len();
        self.states[direction].note_passed(held);
        let is_within_message = self.splitter.is_within_message(direction);
        self.states[direction].note_within_message(is_within_message);
    }

    /// Passes the rest of a WebSocket message of which a part has passed as it came, so that its
    /// receiver finds the next one. Returns its bytes.
    fn pass_message_rest(&mut self, direction: Direction, bytes: &[u8], now_us: u64) -> usize {
        if !self.states[direction].is_within_message() {
            return 0;
        }
        let arrivals = &mut self.arrivals[direction];
        let note = |frame| arrivals.push(Arrival::Frame(frame));
        let taken = self.splitter.receive_message_rest(direction, bytes, now_us, note);
        self.pass_as_it_came(direction, &bytes[..taken]);
        self.states[direction].flush_additions();
        taken
    }

    /// Notes that the sender of this direction has ended it.
    pub fn end(&mut self, direction: Direction, end: End, now_us: u64) {
        let arrivals = &mut self.arrivals[direction];
        if let Some(frame) = self.splitter.end(direction, now_us) {
            arrivals.push(Arrival::Frame(frame));
        }
        arrivals.push(Arrival::End(end));
    }

    /// Notes the memory of what this direction has put out and its receiver has not taken, in bytes.
    /// Rules are applied to no further frame while it is [`DIRECTION_BYTES_MAX`] or more.
    pub fn note_unsent(&mut self, direction: Direction, bytes: usize) {
        self.states[direction].note_unsent(bytes);
    }

    /// Returns the next output that is due at `now_us`.
    pub fn next(&mut self, now_us: u64) -> Option<LineOutput> {
        loop {
            if self.outputs.is_empty() && self.deadline_us.is_some_and(|deadline_us| deadline_us <= now_us) {
                self.pass_overdue(now_us);
            }
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            // What is decided leaves before rules are applied to more.
            if let Some(output) = self.next_forwarded(now_us) {
                return Some(output);
            }
            let direction = Direction::BOTH.into_iter().find(|direction| self.can_admit(*direction))?;
            self.admit_next(direction, now_us);
        }
    }

    /// Returns what leaves the line at `now_us`.
    fn next_forwarded(&mut self, now_us: u64) -> Option<LineOutput> {
        Direction::BOTH.into_iter().find_map(|direction| {
            let (bytes, note) = self.states[direction].next(now_us)?;
            Some(match note {
                Note::Comment(comment) => {
                    LineOutput::Forward { direction, bytes, comment: comment.map(|comment| comment.to_string()) }
                }
                Note::End { end, ends_both } => {
                    if ends_both && self.states[direction.opposite()].abort() {
                        self.outputs.push_back(LineOutput::End(direction.opposite(), end));
                        self.note_deadline();
                    }
                    LineOutput::End(direction, end)
                }
            })
        })
    }

    /// Returns when the next output is due, which may be in the past; `None` if nothing waits for
    /// time.
    pub fn due_us(&self) -> Option<u64> {
        let is_ready =
            !self.outputs.is_empty() || Direction::BOTH.into_iter().any(|direction| self.can_admit(direction));
        let ready = is_ready.then_some(0);
        let due = self.states.both().map(DirectionState::due_us);
        [ready, self.deadline_us].into_iter().chain(due).flatten().min()
    }

    /// Returns the memory that this direction holds, in bytes, with an allowance for each item.
    /// From [`DIRECTION_BYTES_MAX`] on its sender is not to be read until less is held: it becomes
    /// less as time passes, without anything being read.
    pub fn held_bytes(&self, direction: Direction) -> usize {
        self.splitter.held(direction).len()
            + self.arrivals[direction].held_bytes()
            + self.states[direction].held_bytes()
    }

    /// Returns one side, and what evaluates rules for it.
    fn parts(&mut self, direction: Direction, now_us: u64) -> (&mut DirectionState, RuleEvaluation<'_>) {
        let evaluation =
            RuleEvaluation { rules: &self.rules, tally: &mut self.tally, outputs: &mut self.outputs, now_us };
        (&mut self.states[direction], evaluation)
    }

    fn note_deadline(&mut self) {
        self.deadline_us = self.states.both().into_iter().filter_map(DirectionState::deadline_us).min();
    }

    /// Returns whether bytes that arrive pass before their frames are looked at.
    fn passes_at_once(&self, direction: Direction) -> bool {
        let state = &self.states[direction];
        let has_work = state.has_additions() || state.is_reframed() || !self.arrivals[direction].is_empty();
        self.rules.is_empty() && !has_work
    }

    /// Returns whether the rules are to be applied to the next arrival now.
    fn can_admit(&self, direction: Direction) -> bool {
        let (state, back) = (&self.states[direction], &self.states[direction.opposite()]);
        // A rule may answer each frame with one to its sender, who may not read.
        let has_room = state.is_closed() || !(state.is_blocked() || back.is_unsent());
        has_room && !self.arrivals[direction].is_empty()
    }

    /// Takes the next arrival in: a frame to which the rules are applied, or the end.
    fn admit_next(&mut self, direction: Direction, now_us: u64) {
        match self.arrivals[direction].pop() {
            Some(Arrival::Frame(frame)) if self.states[direction].is_closed() => self.note_arrived(frame),
            Some(Arrival::Frame(frame)) => self.arrive_and_admit(frame, now_us),
            Some(Arrival::End(end)) => {
                if let Some(name) = self.states[direction].take_name() {
                    self.evaluate(name, now_us);
                }
                self.states[direction].end(end);
                self.settle(direction, now_us);
            }
            None => {}
        }
        self.pass_incomplete(direction, now_us);
        self.release_if_full(now_us);
        self.note_deadline();
    }

    /// Reports a frame that the rules do not concern.
    fn note_arrived(&mut self, frame: Frame) {
        let meaning = self.reader.read(&frame);
        if !frame.is_control() {
            self.states[frame.direction].note_within_pair(is_name_of_pair(&frame, &meaning));
        }
        self.outputs.push_back(LineOutput::Arrived(frame, Box::new(meaning)));
    }

    /// Forwards what waits for later frames where none come: their sender is not read, or too much
    /// waits for rules to be applied to more.
    fn release_if_full(&mut self, now_us: u64) {
        for direction in Direction::BOTH {
            let state = &mut self.states[direction];
            if self.splitter.held(direction).len() + state.held_bytes() >= DIRECTION_BYTES_MAX {
                state.forward_postponed(now_us, |_| true);
            }
        }
    }

    /// Forwards bytes without the shaper where nothing is in it.
    fn forward_now(&mut self, direction: Direction, bytes: Vec<u8>) {
        let state = &mut self.states[direction];
        if state.is_closed() || bytes.is_empty() {
            return;
        }
        if state.is_idle() {
            self.outputs.push_back(LineOutput::Forward { direction, bytes, comment: None });
        } else {
            state.forward(bytes, None, Shape::default());
        }
    }

    /// Without rules, forwards the incomplete frame behind those that are complete, and a name whose
    /// text has not arrived.
    fn pass_incomplete(&mut self, direction: Direction, now_us: u64) {
        if !self.rules.is_empty() || !self.arrivals[direction].is_empty() {
            return;
        }
        if let Some(name) = self.states[direction].take_name() {
            self.evaluate(name, now_us);
        }
        let held = self.splitter.held(direction);
        let passed = self.states[direction].passed_bytes().min(held.len());
        let (rest, held) = (held[passed..].to_vec(), held.len());
        let rest = if self.states[direction].is_reframed() { websocket::message(direction, &rest) } else { rest };
        self.forward_now(direction, rest);
        self.states[direction].note_passed(held);
    }

    fn arrive_and_admit(&mut self, frame: Frame, now_us: u64) {
        let meaning = self.reader.read(&frame);
        // The content is needed by those who are asked; as a tree it takes several times its bytes.
        let content = if self.rules.asks() { meaning.content.clone() } else { None };
        let (kind, speaker) = (meaning.kind.clone(), meaning.speaker.clone());
        let (to, room, text) = (meaning.to.clone(), meaning.room.clone(), meaning.text.clone());
        self.outputs.push_back(LineOutput::Arrived(frame.clone(), Box::new(meaning)));
        self.admit(frame, Meaning { kind, speaker, to, room, text, content }, now_us);
    }

    /// Takes a frame in: its pair is waited for, or the rules are evaluated.
    fn admit(&mut self, frame: Frame, meaning: Meaning, now_us: u64) {
        let direction = frame.direction;
        let unit = Unit::new(frame, meaning);
        if unit.frame.is_control() {
            return self.evaluate(unit, now_us);
        }
        let state = &mut self.states[direction];
        let passed = state.take_passed();
        if passed > 0 || (state.is_within_pair() && unit.ends_pair()) {
            let (begins_pair, frame) = (unit.begins_pair(), unit.frame);
            state.note_within_pair(begins_pair);
            let rest = frame.bytes[passed.min(frame.bytes.len())..].to_vec();
            state.forward(websocket::carried(&frame, rest), None, Shape::default());
            return state.flush_additions();
        }
        let unit = match state.take_name() {
            Some(name) if unit.ends_pair() => unit.paired_with(name),
            Some(name) => {
                self.evaluate(name, now_us);
                unit
            }
            None => unit,
        };
        if unit.begins_pair() {
            self.states[direction].hold_name(unit);
        } else {
            self.evaluate(unit, now_us);
        }
    }

    fn evaluate(&mut self, unit: Unit, now_us: u64) {
        let direction = unit.frame.direction;
        let (state, mut evaluation) = self.parts(direction, now_us);
        if state.is_closed() {
            return;
        }
        let mut work = Work::new(unit);
        evaluation.run(&mut work, 0);
        state.queue(work);
        self.settle(direction, now_us);
    }

    /// Carries out what is decided, up to the first unit that is not.
    fn settle(&mut self, direction: Direction, now_us: u64) {
        while let Some(work) = self.states[direction].take_decided() {
            self.carry_out(work, now_us);
        }
        let state = &mut self.states[direction];
        state.forward_overdue(now_us);
        state.flush_additions();
        state.finish(now_us);
    }

    /// Lets everything pass whose longest time of waiting is over.
    fn pass_overdue(&mut self, now_us: u64) {
        for direction in Direction::BOTH {
            let (state, mut evaluation) = self.parts(direction, now_us);
            let is_overdue = |work: &Work| work.pending.as_ref().is_some_and(|pending| pending.deadline_us <= now_us);
            while state.change_pending(is_overdue, |work| evaluation.pass_on(work, "no decision came in time")) {}
            self.settle(direction, now_us);
        }
        self.note_deadline();
    }
}

fn is_name_of_pair(frame: &Frame, meaning: &Meaning) -> bool {
    let is_to_client = frame.direction == Direction::ToClient && frame.dialect == Dialect::Tutorial;
    is_to_client && frame.kind == FrameKind::Payload && meaning.kind == "name"
}
