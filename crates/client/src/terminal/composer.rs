//! The input line and its state: drafts of other rooms, search, completion, pastes and the target
//! of a reply.

use std::borrow::Cow;
use std::path::Path;

use glassline_session::Update;

use zeroize::Zeroizing;

use super::drafts::Drafts;
use super::editing::completion::{Completion, Sources};
use super::editing::editor::Editor;
use super::editing::passphrase::{PassphrasePrompt, PassphraseStep};
use super::editing::paste::{self, PasteChoice, PasteHandling, PasteLimits, PasteQuestion};
use super::editing::search::{LineSearch, SearchStep};
use super::keymap::Action;
use crate::commands::{concealed, is_reply, is_secret};
use crate::format::reply::{DirectPeer, ReplyDraft, ReplyError, ReplyTarget};
use crate::format::safe::name;
use crate::format::{Span, StyledLine, TextRole};
use crate::input_history::InputHistory;
use crate::keyboard::event::Paste;
use crate::rows::columns::Edge;
use crate::rows::wrap::{self, ScreenRow};

#[derive(Debug, Default)]
pub(super) struct Composer {
    editor: Editor,
    drafts: Drafts,
    prompt: Prompt,
    /// Target of the `/reply` in the line.
    reply: Option<ReplyDraft>,
    history: InputHistory,
    hint: Option<String>,
}

#[derive(Debug, Default)]
enum Prompt {
    #[default]
    Input,
    Completing(Completion),
    Searching(LineSearch),
    Asking(PasteQuestion),
    AskingPassphrase(PassphrasePrompt),
}

#[derive(Debug)]
pub(super) enum PromptOutcome {
    /// It has its usual meaning.
    Pass(Action),
    Handled,
    /// A paste to be confirmed, and the characters typed in answer.
    Paste(PasteChoice, String),
    /// The passphrase of a room; empty for one to be made.
    Passphrase(String, Zeroizing<String>),
}

impl Composer {
    /// Loads the lines typed in earlier sessions. Errors: it cannot be read or kept, in words for
    /// the user.
    pub(super) fn load_history(&mut self, folder: &Path) -> Result<(), String> {
        let (history, lines) = InputHistory::open(folder)?;
        self.history = history;
        for line in lines {
            self.editor.add_sent(line);
        }
        Ok(())
    }

    pub(super) fn text(&self) -> &str {
        self.editor.text()
    }

    /// Message of the last key, for the status line.
    pub(super) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) fn set_hint(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }

    pub(super) fn clear_hint(&mut self) {
        self.hint = None;
    }

    /// Returns the text in place of the input, and the cursor in it.
    pub(super) fn shown(&self) -> (Cow<'_, str>, usize) {
        match &self.prompt {
            Prompt::Input | Prompt::Completing(_) => concealed(self.editor.text(), self.editor.cursor()),
            Prompt::Searching(search) => {
                let prompt = search.prompt();
                let end = prompt.len();
                (Cow::Owned(prompt), end)
            }
            Prompt::Asking(question) => (Cow::Borrowed(question.typed()), question.typed().len()),
            Prompt::AskingPassphrase(prompt) => {
                let dots = prompt.dots();
                let end = dots.len();
                (Cow::Owned(dots), end)
            }
        }
    }

    /// Returns the rows above the input: a question and the target of a reply. `latest` sent the
    /// last direct message.
    pub(super) fn rows_above(&self, latest: Option<&DirectPeer>, columns: usize) -> Vec<ScreenRow> {
        let question = match &self.prompt {
            Prompt::Asking(question) => Some((TextRole::Mention, question.prompt())),
            Prompt::AskingPassphrase(prompt) => Some((TextRole::Mention, prompt.question())),
            _ => None,
        };
        let lines = question.into_iter().chain(self.reply_target(latest));
        let rows = lines.flat_map(|(role, text)| {
            let line = StyledLine { body: vec![Span::new(role, text)], ..StyledLine::default() };
            wrap::rows(&line, columns, Edge::Cuts)
        });
        rows.map(|row| row.spans).collect()
    }

    fn reply_target(&self, latest: Option<&DirectPeer>) -> Option<(TextRole, String)> {
        let reply = self.reply.as_ref().filter(|_| self.editor.text().contains(char::is_whitespace))?;
        let to = reply.address().map_or_else(|| "nobody yet".into(), name);
        Some(match reply.concern(latest) {
            None => (TextRole::Faint, format!("reply to {to}")),
            Some(concern) => (TextRole::Mention, format!("reply to {to}: {concern}")),
        })
    }

    /// Replaces the input by the draft of the room that the user goes to. The input becomes the
    /// draft of the room before.
    pub(super) fn switch_room(&mut self, from: Option<&str>, to: Option<&str>, latest: Option<&DirectPeer>) {
        self.prompt = Prompt::default();
        let draft = self.editor.take();
        // The last sender may be another one when the draft is in the input again.
        let draft = self.reply.take().and_then(|reply| reply.spelled_out(&draft)).unwrap_or(draft);
        let there = self.drafts.change(from, draft, to);
        self.editor.set_text(&there);
        self.bind_reply(latest);
    }

    /// Removes the drafts of rooms other than these. One goes into an empty input; the others are
    /// returned, without secrets.
    pub(super) fn leave_rooms_but(&mut self, rooms: &[String]) -> Vec<String> {
        let mut unsent = Vec::new();
        for draft in self.drafts.leave_all_but(rooms) {
            if self.editor.text().is_empty() {
                self.editor.set_text(&draft);
            } else {
                unsent.push(concealed(&draft, 0).0.into_owned());
            }
        }
        unsent
    }

    /// Binds a new reply to the last sender, and drops the target where the input is no reply.
    pub(super) fn bind_reply(&mut self, latest: Option<&DirectPeer>) {
        if !is_reply(self.editor.text()) {
            self.reply = None;
        } else if self.reply.is_none() {
            self.reply = Some(ReplyDraft::to(latest));
        }
    }

    /// Updates the target of the reply, and returns whether there is one.
    pub(super) fn follow_people(&mut self, update: &Update) -> bool {
        self.reply.as_mut().map(|reply| reply.follow(update)).is_some()
    }

    /// Returns the recipient of the reply in the line. Errors: there is none, or the user is asked
    /// first.
    pub(super) fn decide_reply(&mut self, latest: Option<&DirectPeer>) -> Result<ReplyTarget, ReplyError> {
        let reply = self.reply.get_or_insert_with(|| ReplyDraft::to(latest));
        let decided = reply.decide(latest);
        if let Err(ReplyError::Confirm(_)) = decided {
            let to = name(reply.address().or(latest.map(DirectPeer::name)).unwrap_or_default());
            self.hint = Some(format!("not sent yet: Enter again sends it to {to}, Ctrl-C drops it"));
        }
        decided
    }

    pub(super) fn answer_prompt(&mut self, action: Action) -> PromptOutcome {
        match std::mem::take(&mut self.prompt) {
            Prompt::Input => PromptOutcome::Pass(action),
            Prompt::Completing(completion) => match action {
                Action::Complete | Action::CompleteBack => {
                    self.prompt = Prompt::Completing(completion);
                    PromptOutcome::Pass(action)
                }
                Action::Cancel => {
                    let (text, cursor) = completion.original();
                    self.editor.offer(text, cursor);
                    PromptOutcome::Handled
                }
                action => PromptOutcome::Pass(action),
            },
            Prompt::Searching(search) => self.search_on(search, action),
            Prompt::AskingPassphrase(mut prompt) => match prompt.act(&action) {
                PassphraseStep::Continue => {
                    self.prompt = Prompt::AskingPassphrase(prompt);
                    PromptOutcome::Handled
                }
                PassphraseStep::Given => {
                    let (room, typed) = prompt.into_parts();
                    PromptOutcome::Passphrase(room, typed)
                }
                PassphraseStep::Cancelled => {
                    self.set_hint("nothing was sealed");
                    PromptOutcome::Handled
                }
            },
            Prompt::Asking(mut question) => {
                if let Action::Paste(paste) = &action {
                    question.append(paste);
                }
                if let Some(choice) = question.answer(&action) {
                    return PromptOutcome::Paste(choice, question.typed().to_owned());
                }
                self.prompt = Prompt::Asking(question);
                PromptOutcome::Handled
            }
        }
    }

    pub(super) fn ask_passphrase(&mut self, room: &str) {
        self.prompt = Prompt::AskingPassphrase(PassphrasePrompt::new(room));
    }

    fn search_on(&mut self, mut search: LineSearch, action: Action) -> PromptOutcome {
        let step = search.act(&action, self.editor.sent());
        let (text, cursor) = match step {
            SearchStep::Continue => {
                self.prompt = Prompt::Searching(search);
                let is_clear = matches!(action, Action::ClearScreen);
                return if is_clear { PromptOutcome::Pass(action) } else { PromptOutcome::Handled };
            }
            SearchStep::Take | SearchStep::TakeAndAct => search.found(),
            SearchStep::PutBack | SearchStep::PutBackAndAct => search.draft(),
        };
        let fits = self.editor.offer(text, cursor);
        self.hint_unless(fits);
        let acts = matches!(step, SearchStep::TakeAndAct | SearchStep::PutBackAndAct);
        if acts { PromptOutcome::Pass(action) } else { PromptOutcome::Handled }
    }

    /// Shows the next candidate for the word before the cursor, or the one before; `sources` are
    /// the names and the rooms.
    pub(super) fn complete(&mut self, back: bool, sources: impl FnOnce() -> (Vec<String>, Vec<String>)) {
        let completion = if let Prompt::Completing(completion) = std::mem::take(&mut self.prompt) {
            Some(completion)
        } else {
            let (names, rooms) = sources();
            let sources = Sources { names: &names, rooms: &rooms };
            Completion::start(self.editor.text(), self.editor.cursor(), sources)
        };
        let Some(mut completion) = completion else {
            self.set_hint("nothing completes this");
            return;
        };
        let (text, cursor) = if back { completion.back() } else { completion.forward() };
        self.hint = completion.hint();
        let fits = self.editor.offer(&text, cursor);
        self.hint_unless(fits);
        self.prompt = Prompt::Completing(completion);
    }

    /// Inserts a short paste; asks about a long one.
    pub(super) fn take_paste(&mut self, paste: &Paste, message_bytes_max: usize) {
        let limits = PasteLimits { message_bytes_max, input_bytes: self.editor.text().len() };
        match paste::classify(paste, limits) {
            PasteHandling::Insert(text, notice) => {
                let fits = self.editor.insert(&text);
                self.hint = notice.map(str::to_owned);
                self.hint_unless(fits);
            }
            PasteHandling::Ask(question) => self.prompt = Prompt::Asking(question),
        }
    }

    pub(super) fn insert(&mut self, text: &str) {
        let fits = self.editor.insert(text);
        self.hint_unless(fits);
    }

    pub(super) fn set_text(&mut self, text: &str) {
        let fits = self.editor.set_text(text);
        self.hint_unless(fits);
    }

    pub(super) fn clear(&mut self) {
        self.editor.clear();
    }

    /// Empties the line and adds it to the history, unless it holds a secret; that of a sealed room
    /// is kept for this session only. Errors: it cannot be kept for the next session, in words for
    /// the user.
    pub(super) fn accept(&mut self, is_sealed: bool) -> Result<(), String> {
        if is_secret(self.editor.text()) {
            self.editor.discard();
            return Ok(());
        }
        let kept = if is_sealed { Ok(()) } else { self.history.add(self.editor.text()) };
        self.editor.accept();
        kept
    }

    /// Executes an editing action; ignores others.
    pub(super) fn edit(&mut self, action: Action) {
        match action {
            Action::Insert(text) => self.insert(&text),
            Action::PasteCut => {
                let fits = self.editor.paste_cut();
                self.hint_unless(fits);
            }
            Action::RotateCut => {
                let fits = self.editor.rotate_cut();
                self.hint_unless(fits);
            }
            Action::Undo => self.editor.undo(),
            Action::Redo => self.editor.redo(),
            Action::Go(motion) => self.editor.go(motion),
            Action::Remove(motion) => self.editor.remove(motion),
            Action::Cut(motion) => self.editor.cut(motion),
            Action::Up => self.editor.up(),
            Action::Down => self.editor.down(),
            Action::Search => {
                self.prompt = Prompt::Searching(LineSearch::start(self.editor.text(), self.editor.cursor()));
            }
            _ => {}
        }
    }

    fn hint_unless(&mut self, fits: bool) {
        if !fits {
            self.set_hint("too long to fit in; nothing was inserted");
        }
    }
}
