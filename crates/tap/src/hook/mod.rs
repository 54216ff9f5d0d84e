//! Hooks: programs in any language that decide about frames. A hook is given one JSON line for
//! each frame (an [`Observation::Asked`]) and answers with one, in any order:
//!
//! ```json
//! {"connection":1,"direction":"to_server","frame":5,"action":"pass"}
//! {"connection":1,"direction":"to_server","frame":5,"action":"replace","raw":"3520"}
//! {"connection":1,"direction":"to_server","frame":5,"set":{"text":"other words"}}
//! ```
//!
//! The other actions are `drop`, `finish` and `reset`; the last two end the connection. A frame
//! passes unchanged at its deadline. A hook that has missed one is not asked until it has answered
//! everything; one that has ended is not asked again.

mod answer;
mod program;

use std::collections::HashMap;
use std::io;
use std::thread;

use crate::cause::cause;
use crate::frame::FrameId;
use crate::line::{Ask, Decision};
use crate::observation::Observation;
use program::Program;

pub use program::Said;

/// Frames that a hook may have to answer at a time.
const OPEN_QUESTIONS_MAX: usize = 256;
/// Time until the first answer of a hook, if its rule gives less: an interpreter takes a second to
/// start, and several on a busy machine.
const FIRST_ANSWER_US: u64 = 10_000_000;

/// Passes on what a hook says, with its command; returns whether anybody listens still.
pub(crate) type Listener = Box<dyn Fn(&[String], Said) -> bool + Send>;

/// The hooks of a relay, by their commands.
pub(crate) struct Hooks {
    hooks: HashMap<Vec<String>, Hook>,
    new_listener: Box<dyn Fn() -> Listener + Send>,
}

/// Results of something that happened: decisions, and what the user must know.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Consequences {
    pub(crate) decisions: Vec<(FrameId, Decision)>,
    pub(crate) problems: Vec<String>,
    /// The hook was not asked about the frame, which is to pass.
    pub(crate) is_unasked: bool,
}

struct Hook {
    name: String,
    state: State,
    open: Vec<Question>,
    /// It runs: it has answered something.
    has_answered: bool,
    /// It wrote something else since its last answer, and the user knows.
    has_written_malformed: bool,
}

enum State {
    /// It is asked.
    Asked(Program),
    /// It has missed a deadline, or too much waits for it.
    Bypassed(Program),
    /// It could not be started, or has ended.
    Ended,
}

/// A frame that was not answered yet.
struct Question {
    frame: FrameId,
    /// Its deadline, unless that has passed.
    deadline_us: Option<u64>,
}

impl Hooks {
    /// No hooks; each that is started later has a listener of its own.
    pub(crate) fn new(new_listener: impl Fn() -> Listener + Send + 'static) -> Self {
        Self { hooks: HashMap::new(), new_listener: Box::new(new_listener) }
    }

    /// Keeps the hooks of these commands, ends the others, and starts those that are new.
    ///
    /// # Errors
    /// One cannot be started; its frames pass.
    pub(crate) fn set<'a>(&mut self, commands: impl Iterator<Item = &'a Vec<String>> + Clone) -> Result<(), HookError> {
        let is_unwanted = |command: &Vec<String>, _: &mut Hook| commands.clone().all(|wanted| wanted != command);
        let unwanted: Vec<(Vec<String>, Hook)> = self.hooks.extract_if(is_unwanted).collect();
        if !unwanted.is_empty() {
            // A process that hangs takes a moment to end, for which the loop does not wait.
            thread::spawn(move || drop(unwanted));
        }
        let mut outcome = Ok(());
        for command in commands {
            if self.hooks.contains_key(command) {
                continue;
            }
            let (listener, said_by) = ((self.new_listener)(), command.clone());
            let name = command.first().cloned().unwrap_or_default();
            let state = match Program::start(command, move |said| listener(&said_by, said)) {
                Ok(program) => State::Asked(program),
                Err(source) => {
                    outcome = Err(HookError { name: name.clone(), source });
                    State::Ended
                }
            };
            self.hooks.insert(
                command.clone(),
                Hook { name, state, open: Vec::new(), has_answered: false, has_written_malformed: false },
            );
        }
        outcome
    }

    /// Asks the hook of this command about a frame. Its deadline becomes later if the hook has never
    /// answered.
    pub(crate) fn ask(&mut self, command: &[String], ask: &mut Ask, now_us: u64) -> Consequences {
        match self.hooks.get_mut(command) {
            Some(hook) => hook.ask(ask, now_us),
            // Its rule has just been removed.
            None => Consequences::unasked(),
        }
    }

    /// Takes in what the hook of this command says.
    pub(crate) fn said(&mut self, command: &[String], said: Said) -> Consequences {
        self.hooks.get_mut(command).map_or_else(Consequences::default, |hook| hook.said(said))
    }

    /// Returns when to call [`Self::pass_deadlines`].
    pub(crate) fn due_us(&self) -> Option<u64> {
        let questions = self.hooks.values().flat_map(|hook| &hook.open);
        questions.filter_map(|question| question.deadline_us).min()
    }

    /// Bypasses the hooks that have missed a deadline.
    pub(crate) fn pass_deadlines(&mut self, now_us: u64) -> Consequences {
        let mut consequences = Consequences::default();
        for hook in self.hooks.values_mut() {
            hook.pass_deadlines(now_us, &mut consequences);
        }
        consequences
    }
}

/// A hook that cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("the hook {name} cannot be started: {}; name a program that exists and can be run", cause(source))]
pub struct HookError {
    name: String,
    source: io::Error,
}

impl Consequences {
    fn unasked() -> Self {
        Self { is_unasked: true, ..Self::default() }
    }
}

impl Hook {
    fn ask(&mut self, ask: &mut Ask, now_us: u64) -> Consequences {
        let State::Asked(program) = &self.state else { return Consequences::unasked() };
        let frame = ask.frame.id();
        if !self.has_answered {
            ask.deadline_us = ask.deadline_us.max(now_us.saturating_add(FIRST_ANSWER_US));
        }
        let question = Observation::Asked(Box::new(ask.clone())).to_json().to_string();
        if self.open.len() < OPEN_QUESTIONS_MAX && program.ask(question) {
            self.open.push(Question { frame, deadline_us: Some(ask.deadline_us) });
            return Consequences::default();
        }
        let problem = self.bypass("more frames wait for its answers than it keeps up with");
        Consequences { problems: problem.into_iter().collect(), ..Consequences::unasked() }
    }

    /// Stops asking until everything is answered. Returns what the user must know.
    fn bypass(&mut self, reason: &str) -> Option<String> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Asked(program) => {
                self.state = State::Bypassed(program);
                let name = &self.name;
                Some(format!("the hook {name} is bypassed until it has answered everything: {reason}"))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    fn said(&mut self, said: Said) -> Consequences {
        match said {
            Said::Answer(frame, decision) => self.answered(frame, decision),
            Said::Malformed(_) if std::mem::replace(&mut self.has_written_malformed, true) => Consequences::default(),
            Said::Malformed(reason) => {
                let problem = format!("the hook {} wrote a line that is no answer: {reason}", self.name);
                Consequences { problems: vec![problem], ..Consequences::default() }
            }
            Said::End => self.ended(),
        }
    }

    fn answered(&mut self, frame: FrameId, decision: Decision) -> Consequences {
        let mut consequences = Consequences::default();
        (self.has_answered, self.has_written_malformed) = (true, false);
        // An answer to what was not asked decides nothing: another hook, or the user, may be asked.
        if let Some(index) = self.open.iter().position(|question| question.frame == frame) {
            let question = self.open.swap_remove(index);
            if question.deadline_us.is_some() {
                consequences.decisions.push((frame, decision));
            }
        }
        if self.open.is_empty() {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Bypassed(program) => {
                    self.state = State::Asked(program);
                    consequences.problems.push(format!("the hook {} answers again, and is asked again", self.name));
                }
                other => self.state = other,
            }
        }
        consequences
    }

    fn ended(&mut self) -> Consequences {
        let (State::Asked(program) | State::Bypassed(program)) = std::mem::replace(&mut self.state, State::Ended)
        else {
            return Consequences::default();
        };
        let problem =
            format!("the hook {} is not asked any more: {}; frames pass without it", self.name, program.ending());
        let waiting = self.open.drain(..).filter(|question| question.deadline_us.is_some());
        Consequences {
            decisions: waiting.map(|question| (question.frame, Decision::Pass)).collect(),
            problems: vec![problem],
            is_unasked: false,
        }
    }

    fn pass_deadlines(&mut self, now_us: u64, consequences: &mut Consequences) {
        let mut missed = None;
        for question in &mut self.open {
            if question.deadline_us.is_some_and(|deadline_us| deadline_us <= now_us) {
                question.deadline_us = None;
                missed.get_or_insert(question.frame);
            }
        }
        if let Some(FrameId { connection, number, .. }) = missed {
            let reason = format!("frame {number} of connection {connection} has passed at its deadline");
            consequences.problems.extend(self.bypass(&reason));
        }
    }
}

#[cfg(test)]
mod tests;
