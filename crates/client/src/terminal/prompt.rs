//! Substitutes for the plain input for a while: a completion, a search, a question.

use glassline_wire::natural_order;

use super::editing::completion::{Completion, Sources};
use super::editing::paste::{self, PasteChoice, PasteHandling, PasteLimits, PasteQuestion, PastedLines};
use super::editing::search::{LineSearch, SearchStep};
use super::keymap::Action;
use super::{Staleness, Terminal};
use crate::format::safe::name;
use crate::keyboard::event::Paste;
use crate::session::Session;
use crate::session::update::{Command, Declined};

/// Purpose of the next key.
#[derive(Debug, Default)]
pub(super) enum Prompt {
    /// The input.
    #[default]
    Input,
    /// Tab has begun something.
    Completing(Completion),
    /// Ctrl-R has.
    Searching(LineSearch),
    /// Question on what is to become of a paste.
    Asking(PasteQuestion),
}

/// Lines of a paste on their way, one by one.
#[derive(Debug)]
pub(super) struct PendingPaste {
    lines: PastedLines,
    /// Room of the user on sending them; being elsewhere since changes nothing.
    room: String,
}

impl Terminal {
    /// Lets the prompt have an action first; gives it back if it still has its usual meaning.
    pub(super) fn answer_prompt(&mut self, action: Action, session: &mut Session, now_ms: u64) -> Option<Action> {
        match std::mem::take(&mut self.prompt) {
            Prompt::Input => Some(action),
            Prompt::Completing(completion) => match action {
                Action::Complete | Action::CompleteBack => {
                    self.prompt = Prompt::Completing(completion);
                    Some(action)
                }
                Action::Cancel => {
                    let (text, cursor) = completion.original();
                    self.editor.offer(text, cursor);
                    None
                }
                action => Some(action),
            },
            Prompt::Searching(search) => self.search_on(search, action),
            Prompt::Asking(mut question) => {
                if let Action::Paste(paste) = &action {
                    question.append(paste);
                }
                match question.answer(&action) {
                    Some(answer) => self.take_answer(answer, question.typed(), session, now_ms),
                    None => self.prompt = Prompt::Asking(question),
                }
                None
            }
        }
    }

    pub(super) fn start_search(&mut self) {
        self.prompt = Prompt::Searching(LineSearch::start(self.editor.text(), self.editor.cursor()));
    }

    fn search_on(&mut self, mut search: LineSearch, action: Action) -> Option<Action> {
        let step = search.act(&action, self.editor.sent());
        let (text, cursor) = match step {
            SearchStep::Continue => {
                self.prompt = Prompt::Searching(search);
                return matches!(action, Action::Clear).then_some(action);
            }
            SearchStep::Take | SearchStep::TakeAndAct => search.found(),
            SearchStep::PutBack | SearchStep::PutBackAndAct => search.draft(),
        };
        let fits = self.editor.offer(text, cursor);
        self.hint_unless(fits);
        matches!(step, SearchStep::TakeAndAct | SearchStep::PutBackAndAct).then_some(action)
    }

    /// Shows a candidate for the word before the cursor.
    pub(super) fn complete(&mut self, session: &Session, now_ms: u64, next: fn(&mut Completion) -> (String, usize)) {
        let begun = match std::mem::take(&mut self.prompt) {
            Prompt::Completing(completion) => Some(completion),
            _ => self.completion(session, now_ms),
        };
        let Some(mut completion) = begun else {
            self.hint = Some("nothing completes this".to_owned());
            return;
        };
        let (text, cursor) = next(&mut completion);
        self.hint = completion.hint();
        let fits = self.editor.offer(&text, cursor);
        self.hint_unless(fits);
        self.prompt = Prompt::Completing(completion);
    }

    /// Completes the word before the cursor: who spoke last comes first, the others in natural order.
    fn completion(&self, session: &Session, now_ms: u64) -> Option<Completion> {
        let mut rooms = session.status(now_ms).rooms;
        for room in self.pane.listed_rooms() {
            if !rooms.contains(room) {
                rooms.push(room.clone());
            }
        }
        let mut names: Vec<String> = self.pane.speakers().map(str::to_owned).collect();
        let spoke = names.len();
        let mut silent: Vec<&str> = session.people_names().filter(|name| *name != self.pane.me()).collect();
        silent.sort_by(|one, other| natural_order::compare(one, other));
        for name in silent {
            if !names[..spoke].iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let sources = Sources { names: &names, rooms: &rooms };
        Completion::start(self.editor.text(), self.editor.cursor(), sources)
    }

    /// A short paste goes into the line, a long one is asked about.
    pub(super) fn take_paste(&mut self, paste: &Paste, session: &Session) {
        let limits = PasteLimits { message_bytes_max: session.text_bytes_max(), input_bytes: self.editor.text().len() };
        match paste::classify(paste, limits) {
            PasteHandling::Insert(text, told) => {
                let fits = self.editor.insert(&text);
                self.hint = told.map(str::to_owned);
                self.hint_unless(fits);
            }
            PasteHandling::Ask(question) => self.prompt = Prompt::Asking(question),
        }
    }

    fn take_answer(&mut self, answer: PasteChoice, typed: &str, session: &mut Session, now_ms: u64) {
        match answer {
            PasteChoice::Send(text) => {
                if let Err(declined) = session.command(Command::Say(text.clone()), now_ms) {
                    self.print_notice(&[format!("the paste was not sent: {declined}")]);
                    let fits = self.editor.insert(&text);
                    self.hint_unless(fits);
                }
            }
            PasteChoice::SendLines(lines) => match (&mut self.pending_paste, session.status(now_ms).room) {
                // They wait for those of an earlier paste, and go where those go.
                (Some(pending_paste), _) => pending_paste.lines.append(lines),
                (None, Some(room)) => self.pending_paste = Some(PendingPaste { lines, room }),
                (None, None) => {
                    self.print_notice(&["nothing was sent: you are in no room; enter one with /join ROOM".to_owned()]);
                }
            },
            PasteChoice::Edit(text) => {
                let fits = self.editor.insert(&text);
                self.hint_unless(fits);
            }
            PasteChoice::Drop => {
                // What was typed was no answer, so it was meant for the line.
                self.editor.insert(typed);
                self.hint = Some("the paste is dropped".to_owned());
            }
        }
    }

    /// Sends pasted lines as far as there is room for them. What is refused stays, and stops the rest.
    pub(super) fn send_pasted(&mut self, session: &mut Session, now_ms: u64) {
        let Some(PendingPaste { lines, room }) = &mut self.pending_paste else { return };
        let mut refused: Option<Declined> = None;
        while session.has_room()
            && let Some(line) = lines.take_first()
        {
            let command = Command::SayIn { room: room.clone(), text: line.clone() };
            if let Err(declined) = session.command(command, now_ms) {
                lines.put_back(line);
                refused = Some(declined);
                break;
            }
            self.staleness = self.staleness.max(Staleness::Stale);
        }
        match refused {
            Some(declined) => {
                self.print_notice(&[format!("a pasted line cannot be sent: {declined}")]);
                self.stop_pasting();
            }
            None if lines.remaining() == 0 => self.pending_paste = None,
            None => {}
        }
    }

    /// Returns the status line's text while pasted lines are being sent.
    pub(super) fn pasting_hint(&self) -> Option<String> {
        let PendingPaste { lines, room } = self.pending_paste.as_ref()?;
        Some(format!("{} pasted lines still to send to {}, Ctrl-C stops", lines.remaining(), name(room)))
    }

    /// Stops sending pasted lines; false if none were being sent.
    pub(super) fn stop_pasting(&mut self) -> bool {
        let Some(mut pending_paste) = self.pending_paste.take() else { return false };
        self.print_notice(&[format!("{} pasted lines were not sent", pending_paste.lines.cancel())]);
        true
    }
}
