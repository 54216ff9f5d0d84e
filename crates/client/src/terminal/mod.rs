//! The terminal mode: messages scroll above, the input line stays below.

mod actions;
mod bell;
mod composer;
mod display;
mod drafts;
mod drawing;
pub(crate) mod editing;
pub(crate) mod exit;
mod external_editor;
pub(crate) mod guard;
mod idle;
pub(crate) mod key_reader;
pub(crate) mod keymap;
mod message_pane;
mod pending_paste;
mod reflow;
mod sealing;
mod unread;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use glassline_wire::visible;

use crate::commands::concealed;
use crate::display_settings::DisplaySettings;
use crate::format::messages::Formatter;
use crate::format::{Span, TextRole};
use crate::inbox::{Inbox, UserInput};
use crate::link::{Confidentiality, OpenedLink};
use crate::options::JoinOptions;
use crate::room_log::RoomLog;
use crate::rows::columns;
use crate::rows::wrap::ScreenRow;
use crate::sealed::{RoomKeys, SealDialogue};
use crate::view::View;
use crate::web_page::WebPage;
use bell::BellLimiter;
use composer::Composer;
use display::Display;
use drawing::{layout, status};
use exit::ExitConfirmation;
use external_editor::ExternalEditor;
use glassline_session::{Ending, LinkState, Session, Status, Update};
use glassline_wire::envelope::Envelope;
use keymap::Keymap;
use message_pane::MessagePane;
use pending_paste::PendingPaste;

/// First notice of a session.
pub(crate) const FIRST_STEPS: &str = "/help lists the commands; /quit or three empty Enters leave";
/// Stored messages shown first on the smallest screen.
const CONTEXT_MESSAGES_MIN: usize = 3;

pub(crate) struct Terminal {
    pane: MessagePane,
    display: Display,
    composer: Composer,
    /// Lines of a paste that are still to be sent.
    pending_paste: Option<PendingPaste>,
    exit: ExitConfirmation,
    status: Option<Status>,
    bell: BellLimiter,
    keymap: Keymap,
    log: Option<RoomLog>,
    web_page: WebPage,
    confidentiality: Confidentiality,
    keys: RoomKeys,
    dialogue: SealDialogue,
    external_editor: Option<ExternalEditor>,
    /// Folder for the text that an editor opens, and the inbox that receives its end.
    editor_setup: Option<(PathBuf, Inbox)>,
    /// Time of the return from Ctrl-Z, until its SIGCONT has arrived.
    resumed_at: Option<Instant>,
}

/// Returns the number of stored messages that leave half of the screen to the first notices.
pub(crate) fn context_messages_max() -> usize {
    let (_, rows) = display::size();
    (usize::from(rows) / 2).max(CONTEXT_MESSAGES_MIN)
}

pub(crate) fn columns() -> usize {
    display::size().0.into()
}

/// Columns and rows of the terminal.
pub(crate) fn size() -> (u16, u16) {
    display::size()
}

impl Terminal {
    /// Takes the terminal over and starts to read its keys.
    pub(crate) fn open(options: &JoinOptions, inbox: Inbox, keys: RoomKeys) -> io::Result<Self> {
        let preferences = &options.preferences;
        let display = Display::open(preferences.colour, inbox.clone())?;
        let formatter = Formatter::new(&options.name).with_members(options.members.clone());
        let pane = MessagePane::new(formatter, DisplaySettings::new(preferences, true));
        let mut terminal = Self::new(pane, display, keys, WebPage::of(options));
        let draft_folder = preferences.state_folder.clone().unwrap_or_else(std::env::temp_dir);
        terminal.editor_setup = Some((draft_folder, inbox));
        terminal.print_notice(&options.greeting);
        terminal.print_notice(&[FIRST_STEPS.to_owned()]);
        if let Some(folder) = preferences.state_folder.as_deref().filter(|_| preferences.input_history) {
            let loaded = terminal.composer.load_history(folder);
            terminal.print_failure(loaded);
        }
        terminal.log = RoomLog::wished_for(options);
        terminal.print_notice(RoomLog::notice(&options.preferences).as_slice());
        terminal.confidentiality = options.link.confidentiality();
        terminal.exit = ExitConfirmation::new(options.hosts);
        Ok(terminal)
    }

    fn new(pane: MessagePane, display: Display, keys: RoomKeys, web_page: WebPage) -> Self {
        Self {
            pane: pane.with_colours(display.palette().name_colours()),
            display,
            composer: Composer::default(),
            pending_paste: None,
            exit: ExitConfirmation::default(),
            status: None,
            bell: BellLimiter::default(),
            keymap: Keymap::default(),
            log: None,
            web_page,
            confidentiality: Confidentiality::default(),
            dialogue: SealDialogue::new(keys.clone()),
            keys,
            external_editor: None,
            editor_setup: None,
            resumed_at: None,
        }
    }

    fn print_notice(&mut self, words: &[String]) {
        let lines = self.pane.notices(words);
        self.display.print(lines);
    }

    fn print_failure(&mut self, done: Result<(), String>) {
        if let Err(warning) = done {
            self.print_notice(&[warning]);
        }
    }

    /// Moves the drafts of rooms that the user has left into the input, or prints them.
    fn leave_rooms_but(&mut self, rooms: &[String]) {
        for unsent in self.composer.leave_rooms_but(rooms) {
            self.print_notice(&[format!("not sent: {unsent}")]);
        }
    }

    fn draw(&mut self, now_ms: u64) -> io::Result<()> {
        let Some(status) = &self.status else { return Ok(()) };
        let columns = self.display.columns();
        let waiting = self.pane.waiting(&status.rooms);
        let pasting = self.pending_paste.as_ref().map(PendingPaste::hint);
        let hint = self.composer.hint().or(pasting.as_deref());
        let context = status::StatusContext {
            hint,
            waiting: &waiting,
            mentions: self.pane.mentions(),
            confidentiality: Confidentiality {
                is_sealed: self.pane.room().is_some_and(|room| self.keys.is_sealed(room)),
                ..self.confidentiality
            },
        };
        let (text, cursor) = self.composer.shown();
        let mut above = late_rows(status, columns);
        above.extend(self.composer.rows_above(self.pane.formatter().reply_peer(), columns));
        let status = status::row(status, &context, columns);
        self.display.draw(layout::Contents { above, text: &text, cursor, status }, now_ms)
    }

    fn is_connecting(&self) -> bool {
        self.status.as_ref().is_none_or(|status| status.link == LinkState::Connecting)
    }
}

/// Returns the rows of messages that are still unacknowledged after a while.
fn late_rows(status: &Status, columns: usize) -> Vec<ScreenRow> {
    let more = status.unsent.saturating_sub(status.late.len());
    let more = (status.late.len() == Status::LATE_MAX && more > 0).then(|| format!("… and {more} more"));
    let texts = status.late.iter().map(|text| format!("… {}", text.replace('\n', " ")));
    let cut = |text: String| columns::cut(&visible::one_line(&text), columns.saturating_sub(1));
    texts.chain(more).map(|text| vec![Span::new(TextRole::Faint, cut(text))]).collect()
}

impl View for Terminal {
    fn link_opened(&mut self, link: &OpenedLink) -> io::Result<()> {
        self.print_notice(link.notice().as_slice());
        Ok(())
    }

    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Terminal(event) => {
                let typed = event.is_typed();
                if let Some(action) = self.keymap.action(event) {
                    self.act(action, session, now_ms)?;
                }
                if typed {
                    self.display.read_key();
                }
                Ok(())
            }
            UserInput::EditorClosed => self.editor_closed(),
            UserInput::Lines(_) | UserInput::End | UserInput::Failed(_) => Ok(()),
        }
    }

    fn show(&mut self, Envelope { content: update, .. }: Envelope<Update>, now_ms: u64) -> io::Result<()> {
        self.pane.follow_people(&update);
        if self.composer.follow_people(&update) {
            self.display.note_stale();
        }
        let Some(update) = self.pane.settings().filter(update) else { return Ok(()) };
        if let Some(Err(warning)) = self.log.as_mut().map(|log| log.note(&update, self.pane.formatter())) {
            self.print_notice(&[warning]);
        }
        if matches!(update, Update::Sent { .. } | Update::HistoryPage { .. } | Update::CurrentRoom(_)) {
            self.display.note_awaited();
        }
        if let Update::CurrentRoom(room) = &update {
            self.composer.switch_room(self.pane.room(), room.as_deref(), self.pane.formatter().reply_peer());
        }
        let shown = self.pane.receive(update, now_ms);
        self.display.print(shown.lines);
        // A room other than the one on the screen may have something new for the status line.
        self.display.note_stale();
        if shown.rings && self.bell.may_ring(now_ms) {
            self.display.ring();
        }
        Ok(())
    }

    fn refresh(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        self.send_pasted(session, now_ms);
        let due = self.pane.take_due(now_ms);
        self.display.print(due);
        if let Some(Err(warning)) = self.log.as_mut().map(RoomLog::flush) {
            self.print_notice(&[warning]);
        }
        let status = session.status(now_ms);
        self.leave_rooms_but(&status.rooms);
        if self.status.as_ref() != Some(&status) {
            if self.status.as_ref().is_some_and(|before| before.link != status.link) {
                self.display.note_awaited();
            }
            self.status = Some(status);
            self.display.note_stale();
        }
        if self.display.is_due(self.is_connecting(), now_ms) { self.draw(now_ms) } else { Ok(()) }
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        let late_ms = self.status.as_ref().and_then(|status| status.next_late_ms);
        [self.display.due_ms(self.is_connecting()), self.pane.next_due_ms(), late_ms].into_iter().flatten().min()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        if let Some(external_editor) = self.external_editor.take() {
            let notice = external_editor.abandon(self.display.out());
            self.print_notice(notice.as_slice());
        }
        self.stop_pasting();
        self.leave_rooms_but(&[]);
        if !self.composer.text().trim().is_empty() {
            let unsent = format!("not sent: {}", concealed(self.composer.text(), 0).0);
            self.print_notice(&[unsent]);
        }
        let (rooms, unsent) = self.status.take().map(|status| (status.rooms, status.unsent)).unwrap_or_default();
        let last = self.pane.leave(&rooms);
        self.display.print(last);
        match self.display.close() {
            Err(error) if ending == Ending::Left && error.kind() != io::ErrorKind::BrokenPipe => {
                Ending::InputOutput(format!("cannot write to the terminal: {error}"))
            }
            Ok(()) if ending == Ending::Left && unsent > 0 => {
                Ending::InputOutput("not all of what you said was delivered; see above".to_owned())
            }
            _ => ending,
        }
    }
}

#[cfg(test)]
mod tests;
