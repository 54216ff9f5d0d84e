//! The view's state: observations and keys in, what is to be drawn and decided out. It draws
//! nothing and reads no clock.

use glassline_tap::{Decider, Decision, Frame, FrameId, Observation};

use super::connections::Connections;
use super::cursor::Cursor;
use super::entries::Entries;
use super::fields::{Field, fields};
use super::filter::Filter;
use super::holds::{self, Holds};
use super::input_line::{Edit, InputLine};
use super::keys::Action;
use super::rate::Rate;
use crate::tap::columns::{Clock, Columns, safe};

const WAITS_NO_MORE: &str = "the frame waits no more: its connection has ended, or its time is over";

/// Word that holds every frame.
pub(super) const HOLDS_ALL: &str = "all";

/// Part of the view that has the keyboard.
#[derive(Debug)]
pub(super) enum Mode {
    /// The list of observations.
    List,
    /// A frame, from this row of its fields on.
    Detail { frame: Box<Frame>, fields: Vec<Field>, scroll: usize },
    /// An observation that is no frame, from this row of its text on.
    Note { columns: Box<Columns>, scroll: usize },
    /// The help, from this row on.
    Help { scroll: usize },
    /// A line that is typed.
    Typing { purpose: Purpose, line: InputLine },
}

/// Purpose of a typed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Filter,
    Search,
    Jump,
    /// Filter of the frames to be held.
    Hold,
    /// The text of this held frame.
    Text(FrameId),
    /// Its payload.
    Payload(FrameId),
}

/// A problem that is shown until the user removes it.
#[derive(Debug)]
struct ViewProblem {
    text: String,
    /// It concerns one connection: the server was not reached. The next one that opens ends it.
    is_of_connection: bool,
}

/// Everything that the view shows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) entries: Entries,
    pub(super) connections: Connections,
    pub(super) cursor: Cursor,
    pub(super) holds: Holds,
    pub(super) mode: Mode,
    pub(super) rate: Rate,
    pub(super) clock: Clock,
    filter_line: String,
    search: Option<Filter>,
    search_line: String,
    /// Frames that passed while the view was paused; `None` where it is not.
    paused: Option<u64>,
    /// Answer to the last key.
    message: Option<String>,
    last_problem: Option<ViewProblem>,
    omitted: u64,
    applied: u64,
    shows_more_connections: bool,
    is_over: bool,
}

impl State {
    /// A view to which nothing has been reported.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            entries: Entries::default(),
            connections: Connections::default(),
            cursor: Cursor::default(),
            holds: Holds::default(),
            mode: Mode::List,
            rate: Rate::default(),
            clock,
            filter_line: String::new(),
            search: None,
            search_line: String::new(),
            paused: None,
            message: None,
            last_problem: None,
            omitted: 0,
            applied: 0,
            shows_more_connections: false,
            is_over: false,
        }
    }

    /// Takes an observation in.
    pub(super) fn observe(&mut self, observation: Observation) {
        self.connections.observe(&observation);
        match &observation {
            Observation::Asked(ask) if ask.decider == Decider::Hand => return self.holds.push((**ask).clone()),
            Observation::Arrived(frame, _) => self.rate.count(frame.at_us, 1),
            Observation::Omitted { observations, frames } => {
                self.omitted += observations;
                self.rate.count_untimed(*frames);
            }
            Observation::Applied(applied) if applied.has_effect => self.applied += 1,
            Observation::Applied(applied) => {
                let text = format!("{}: {}", applied.rule, applied.effect);
                self.last_problem = Some(ViewProblem { text, is_of_connection: false });
            }
            Observation::Problem { text, connection, .. } => {
                let (text, is_of_connection) = (text.clone(), connection.is_some());
                self.last_problem = Some(ViewProblem { text, is_of_connection });
            }
            Observation::Opened { .. } => {
                self.last_problem.take_if(|problem| problem.is_of_connection);
            }
            Observation::Asked(_)
            | Observation::Intercepted { .. }
            | Observation::Ended { .. }
            | Observation::Closed { .. } => {}
        }
        match (&mut self.paused, &observation) {
            (Some(passed), Observation::Arrived(..)) => *passed += 1,
            (Some(passed), Observation::Omitted { frames, .. }) => *passed += frames,
            _ => {}
        }
        self.entries.push(observation);
    }

    /// Releases the frames whose time is over.
    pub(super) fn advance(&mut self, now_us: u64) {
        let connections = &self.connections;
        self.holds.retain(|ask| ask.deadline_us > now_us && !connections.is_closed(ask.frame.connection));
        if let Mode::Typing { purpose: Purpose::Text(edited) | Purpose::Payload(edited), .. } = self.mode
            && !self.holds.has(edited)
        {
            self.mode = Mode::List;
            self.message = Some(WAITS_NO_MORE.into());
        }
    }

    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action) {
        // What is wrong with a line is shown while it is mended.
        if !matches!(action, Action::Type(_)) {
            self.message = None;
        }
        match (&mut self.mode, action) {
            (_, Action::Quit) => self.is_over = true,
            (Mode::Typing { line, .. }, Action::Type(edit)) => line.edit(&edit),
            (Mode::Typing { .. }, Action::Enter) => self.take_line(),
            (Mode::Typing { .. }, Action::Escape) => self.mode = Mode::List,
            (Mode::Typing { .. }, _) | (_, Action::Type(_)) => {}
            (Mode::Detail { scroll, .. } | Mode::Note { scroll, .. } | Mode::Help { scroll }, action) => {
                match scrolled(*scroll, &action) {
                    Some(rows) => *scroll = rows,
                    None => self.leave_page(&action),
                }
            }
            (Mode::List, action) => self.act_in_list(&action),
        }
    }

    /// Tells the user something until the next key.
    pub(super) fn tell(&mut self, message: String) {
        self.message = Some(message);
    }

    /// Takes pasted text in where a line is typed.
    pub(super) fn paste(&mut self, text: &str) {
        if let Mode::Typing { line, .. } = &mut self.mode {
            line.edit(&Edit::Insert(text.replace("\r\n", "\n").replace('\r', "\n")));
        }
    }

    fn leave_page(&mut self, action: &Action) {
        let was_help = matches!(self.mode, Mode::Help { .. });
        self.mode = Mode::List;
        let is_toggle = matches!((was_help, action), (true, Action::Help) | (false, Action::Enter));
        if !matches!(action, Action::Escape | Action::Enter) && !is_toggle {
            self.act_in_list(action);
        }
    }

    fn act_in_list(&mut self, action: &Action) {
        match action {
            Action::Up => self.cursor.step(&self.entries, -1),
            Action::Down => self.cursor.step(&self.entries, 1),
            Action::PageUp => self.cursor.step_pages(&self.entries, -1),
            Action::PageDown => self.cursor.step_pages(&self.entries, 1),
            Action::First => self.cursor.select(&self.entries, 0),
            Action::Last => self.cursor.select(&self.entries, usize::MAX - 1),
            Action::Enter => self.open_selected(),
            Action::Escape => {
                self.last_problem = None;
                self.set_filter("", Filter::default());
            }
            Action::Filter => self.type_line(Purpose::Filter, self.filter_line.clone()),
            Action::Search => self.type_line(Purpose::Search, String::new()),
            Action::SearchNext => self.search_on(false),
            Action::SearchPrevious => self.search_on(true),
            Action::Jump => self.type_line(Purpose::Jump, String::new()),
            Action::Pause => self.toggle_pause(),
            Action::Connections => self.shows_more_connections = !self.shows_more_connections,
            Action::Hold if self.holds.filter_line().is_some() => {
                self.holds.stop();
                self.message = Some("no frame is held any more".into());
            }
            Action::Hold => self.type_line(Purpose::Hold, self.filter_line.clone()),
            Action::EditText | Action::EditPayload | Action::Pass | Action::Drop => self.act_on_held(action),
            Action::Help => self.mode = Mode::Help { scroll: 0 },
            Action::Quit | Action::Type(_) => {}
        }
    }

    fn act_on_held(&mut self, action: &Action) {
        let Some(ask) = self.holds.first() else {
            self.message = Some("no frame is held; h holds those that match a filter".into());
            return;
        };
        let held = ask.frame.id();
        let editable = match action {
            Action::Drop => return self.decide(held, Decision::Drop),
            Action::EditText => (Purpose::Text(held), holds::text(ask)),
            Action::EditPayload => (Purpose::Payload(held), holds::payload(ask)),
            _ => return self.decide(held, Decision::Pass),
        };
        match editable {
            (purpose, Some(text)) => self.type_line(purpose, text.to_owned()),
            (Purpose::Text(_), None) => self.message = Some("this frame has no text; E edits its payload".into()),
            (_, None) => {
                self.message = Some("this frame has no payload that is text; p forwards it, d drops it".into());
            }
        }
    }

    fn decide(&mut self, decided: FrameId, decision: Decision) {
        let done = match decision {
            Decision::Pass => "forwarded unchanged",
            Decision::Drop => "dropped",
            Decision::Replace(_) | Decision::Edit(_) | Decision::Cut(_) => "forwarded as edited",
        };
        let waited = self.holds.decide(decided, decision);
        self.message = Some(if waited { done } else { WAITS_NO_MORE }.into());
    }

    fn type_line(&mut self, purpose: Purpose, text: String) {
        self.mode = Mode::Typing { purpose, line: InputLine::new(text) };
    }

    /// Uses the typed line. A filter that cannot be read stays open.
    fn take_line(&mut self) {
        let Mode::Typing { purpose, line } = &self.mode else { return };
        let (purpose, text) = (*purpose, line.text().to_owned());
        let taken = match purpose {
            Purpose::Filter => Filter::parse(&text).map(|filter| self.set_filter(&text, filter)),
            Purpose::Search => Filter::parse(&text).map(|filter| {
                self.search_line.clone_from(&text);
                self.search = Some(filter);
            }),
            Purpose::Hold => self.start_holding(text.trim()),
            Purpose::Jump => self.jump(text.trim()),
            Purpose::Text(edited) => {
                let is_same = self.holds.get(edited).and_then(holds::text) == Some(&text);
                self.decide(edited, if is_same { Decision::Pass } else { holds::with_text(&text) });
                Ok(())
            }
            Purpose::Payload(edited) => {
                let is_same = self.holds.get(edited).and_then(holds::payload) == Some(&text);
                self.decide(edited, if is_same { Decision::Pass } else { holds::with_payload(&text) });
                Ok(())
            }
        };
        match taken {
            Ok(()) => self.mode = Mode::List,
            Err(error) => self.message = Some(error),
        }
        if purpose == Purpose::Search && matches!(self.mode, Mode::List) {
            self.search_on(true);
        }
    }

    /// Holds what matches. Nothing typed changes nothing, so that no Enter too many stops everybody.
    fn start_holding(&mut self, line: &str) -> Result<(), String> {
        let filter = match line {
            "" => return Ok(()),
            HOLDS_ALL => Filter::default(),
            _ => Filter::parse(line)?,
        };
        self.holds.start(line, &filter)
    }

    fn set_filter(&mut self, line: &str, filter: Filter) {
        let selected = self.entries.number(self.cursor.place(&self.entries)).filter(|_| !self.cursor.follows());
        line.trim().clone_into(&mut self.filter_line);
        self.entries.set_filter(filter);
        if let Some(number) = selected {
            let place = self.entries.place(number).min(self.entries.len().saturating_sub(1));
            self.cursor.select(&self.entries, place);
        }
    }

    fn search_on(&mut self, is_backwards: bool) {
        let Some(search) = &self.search else {
            self.message = Some("nothing was searched for; / searches".into());
            return;
        };
        let place = self.cursor.place(&self.entries);
        let start = if is_backwards { place } else { place + 1 };
        if let Some(found) = self.entries.find(start, is_backwards, |observation| search.finds(observation)) {
            self.cursor.stay(&self.entries, found);
        } else {
            let towards = if is_backwards { "older" } else { "newer" };
            self.message = Some(format!("nothing {towards} matches {}", self.search_line));
        }
    }

    fn jump(&mut self, to: &str) -> Result<(), String> {
        let advice = "write a frame as 3>12 or 3<12, or a time as 14:02:03";
        let found =
            if let Ok(id) = to.parse::<FrameId>() {
                self.entries.find(
                    0,
                    false,
                    |observation| matches!(observation, Observation::Arrived(frame, _) if frame.id() == id),
                )
            } else if to.len() >= 5 && to.contains(':') && to.chars().all(|c| c.is_ascii_digit() || ".:".contains(c)) {
                let clock = self.clock.clone();
                self.entries.find(0, false, |observation| {
                matches!(observation, Observation::Arrived(frame, _) if *clock.time(frame.at_us) >= *to)
            })
            } else {
                return Err(format!("{to:?} is no place; {advice}"));
            };
        let place =
            found.ok_or_else(|| format!("{to} is not among the observations that are kept and shown; {advice}"))?;
        self.cursor.stay(&self.entries, place);
        Ok(())
    }

    fn open_selected(&mut self) {
        let place = self.cursor.place(&self.entries);
        let selected = self.entries.number(place).and_then(|number| self.entries.get(number));
        match selected {
            Some(Observation::Arrived(frame, meaning)) => {
                let mut fields = fields(frame, meaning);
                let end = frame.bytes.len();
                // What became of it stands below what was sent.
                fields.extend(self.entries.applied_to(frame).map(|applied| Field {
                    name: safe(&applied.rule).into_owned(),
                    value: safe(&applied.effect).into_owned(),
                    bytes: end..end,
                }));
                let frame = Box::new(frame.clone());
                // What was opened stays selected.
                self.cursor.stay(&self.entries, place);
                self.mode = Mode::Detail { frame, fields, scroll: 0 };
            }
            Some(note) => {
                let columns = Box::new(self.clock.columns(note));
                self.cursor.stay(&self.entries, place);
                self.mode = Mode::Note { columns, scroll: 0 };
            }
            None => self.message = Some("there is no frame yet".into()),
        }
    }

    fn toggle_pause(&mut self) {
        if let Some(passed) = self.paused.take() {
            let selected = self.entries.number(self.cursor.place(&self.entries)).filter(|_| !self.cursor.follows());
            self.entries.resume();
            if let Some(number) = selected {
                self.cursor.stay(&self.entries, self.entries.place(number));
            }
            self.message = Some(format!("{passed} frames passed during the pause"));
        } else {
            self.paused = Some(0);
            self.entries.pause();
        }
    }
}

/// Values that the drawing needs.
impl State {
    /// Returns whether keys are letters of a line.
    pub(super) fn is_typing(&self) -> bool {
        matches!(self.mode, Mode::Typing { .. })
    }

    /// Returns whether the user has ended the tap.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns the filter as it was typed.
    pub(super) fn filter_line(&self) -> &str {
        &self.filter_line
    }

    /// Returns the answer to the last key.
    pub(super) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the last problem.
    pub(super) fn last_problem(&self) -> Option<&str> {
        self.last_problem.as_ref().map(|problem| problem.text.as_str())
    }

    /// Returns how many frames passed during the pause; `None` if there is none.
    pub(super) fn paused(&self) -> Option<u64> {
        self.paused
    }

    /// Returns how many observations were left out since the start.
    pub(super) fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns how often rules were applied.
    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    /// Returns whether the user wants to see more connections.
    pub(super) fn shows_more_connections(&self) -> bool {
        self.shows_more_connections
    }
}

/// Returns the row to which an action scrolls a page, if it scrolls.
fn scrolled(scroll: usize, action: &Action) -> Option<usize> {
    Some(match action {
        Action::Up => scroll.saturating_sub(1),
        Action::Down => scroll + 1,
        Action::PageUp => scroll.saturating_sub(10),
        Action::PageDown => scroll + 10,
        Action::First => 0,
        Action::Last => usize::MAX / 2,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
