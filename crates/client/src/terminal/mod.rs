//! The terminal mode: messages scroll by above, what is typed stays below, and neither disturbs the other.

mod absence;
mod acting;
mod action;
mod drafts;
mod drawing;
mod editing;
pub(crate) mod exits;
pub(crate) mod guard;
mod handover;
mod key_help;
pub(crate) mod key_reader;
mod keys;
mod page;
mod prompt;
mod replying;
mod rewrapping;
mod ringing;
mod unread;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use glassline_wire::envelope::Envelope;
use glassline_wire::visible;

use crate::commands::concealed;
use crate::ending::Ending;
use crate::inbox::{Inbox, UserInput};
use crate::input_history::InputHistory;
use crate::options::JoinOptions;
use crate::preferences::Preferences;
use crate::room_log::RoomLog;
use crate::rows::columns::{self, Edge};
use crate::rows::wrap::{self, Row};
use crate::session::Session;
use crate::session::update::{LinkState, Status, Update};
use crate::system;
use crate::telling::correspondent::Reply;
use crate::telling::settings::Settings;
use crate::telling::wording::Reader;
use crate::telling::{Line, Role, Span};
use crate::view::View;
use drafts::Drafts;
use drawing::palette::Palette;
use drawing::screen::Screen;
use drawing::{draw, layout, status};
use editing::editor::Editor;
use exits::{Exits, Stop};
use guard::Guard;
use handover::Handover;
use key_reader::Keyboard;
use keys::Keys;
use page::Page;
use prompt::{Pasting, Prompt};
use ringing::Ringing;

/// Shortest interval between drawings for the user's own input: more often than a screen shows
/// helps nobody. On a clock of whole milliseconds, 16 of them have passed for sure.
const ANSWER_EVERY_MS: u64 = 17;
/// Shortest interval between drawings for messages of others: a key in between is answered sooner,
/// and half as many drawings are made.
const DRAW_EVERY_MS: u64 = 33;
/// The first drawing waits this long for the server, so that it need not be drawn again at once.
const FIRST_DRAWING_MS: u64 = 50;
/// Lines that may wait for the next drawing; past it they are drawn at once.
const LINES_WAITING_MAX: usize = 10_000;
/// For terminals that do not say.
const SIZE_UNKNOWN: (u16, u16) = (80, 24);
/// First words to a newcomer.
pub(crate) const FIRST_STEPS: &str = "/help lists the commands; /quit or three empty Enters leave";
/// Messages of the past that the smallest screen begins with.
const CONTEXT_MESSAGES_MIN: usize = 3;

/// The mode.
pub(crate) struct Terminal {
    page: Page,
    screen: Screen,
    editor: Editor,
    /// Drafts of other rooms.
    drafts: Drafts,
    exits: Exits,
    /// Whoever hosts has been told for whom `/quit` closes the line.
    quit_asked: bool,
    prompt: Prompt,
    /// Target of the `/reply` in the line.
    reply: Option<Reply>,
    /// Lines of a paste that are still to be sent.
    pasting: Option<Pasting>,
    hint: Option<String>,
    status: Option<Status>,
    out: Box<dyn Write>,
    palette: Palette,
    columns: u16,
    rows: u16,
    /// The terminal wraps anew what it shows when its window gets another size.
    rewraps: bool,
    staleness: Staleness,
    ringing: Ringing,
    drawn_ms: Option<u64>,
    keys: Keys,
    typed: InputHistory,
    log: Option<RoomLog>,
    /// Folder for the text that an editor opens.
    draft_folder: PathBuf,
    handover: Option<Handover>,
    /// When Ctrl-Z was over, until it is told that the process goes on.
    went_on: Option<Instant>,
    stop: Stop,
    /// Parts that a real terminal needs and a test's does not.
    device: Option<Device>,
}

/// State of the screen against the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Staleness {
    Fresh,
    /// Something is not on the screen yet.
    Stale,
    /// And the user waits for it.
    Awaited,
}

/// The real terminal, given back when dropped.
struct Device {
    keyboard: Keyboard,
    guard: Guard,
    inbox: Inbox,
}

/// Returns the number of messages of the past that leave half of the screen to the client's first
/// lines.
pub(crate) fn context_messages_max() -> usize {
    let (_, rows) = size().unwrap_or(SIZE_UNKNOWN);
    (usize::from(rows) / 2).max(CONTEXT_MESSAGES_MIN)
}

/// The columns of the terminal.
pub(crate) fn columns() -> usize {
    size().unwrap_or(SIZE_UNKNOWN).0.into()
}

fn size() -> Option<(u16, u16)> {
    crossterm::terminal::size().ok().filter(|&(columns, rows)| columns > 0 && rows > 0)
}

impl Terminal {
    /// Takes the terminal over and starts to read its keys.
    pub(crate) fn open(options: &JoinOptions, inbox: Inbox) -> io::Result<Self> {
        let preferences = &options.preferences;
        let guard = Guard::enter()?;
        // Before the size is asked for, so that none is missed.
        system::watch_terminal(inbox.clone())?;
        let size = size();
        let environment = |name: &str| std::env::var(name).unwrap_or_default();
        let palette = if preferences.colour {
            Palette::of_terminal(&environment("TERM"), !environment("COLORTERM").is_empty())
        } else {
            Palette::Monochrome
        };
        let reader = Reader::new(&options.name);
        let page = Page::new(reader, Settings::new(preferences, true));
        let mut terminal = Self::new(page, system::unbuffered_stdout()?, size.unwrap_or(SIZE_UNKNOWN), palette);
        terminal.rewraps = rewrapping::is_known(environment);
        terminal.draft_folder = preferences.state_folder.clone().unwrap_or_else(std::env::temp_dir);
        terminal.device = Some(Device { keyboard: Keyboard::start(inbox.clone())?, guard, inbox });
        terminal.tell(&options.greeting);
        terminal.tell(&[FIRST_STEPS.to_owned()]);
        terminal.recall(preferences);
        terminal.log = RoomLog::wished_for(options);
        terminal.stop = if options.hosts { Stop::Everybody } else { Stop::OneProgram };
        Ok(terminal)
    }

    fn new(page: Page, out: Box<dyn Write>, (columns, rows): (u16, u16), palette: Palette) -> Self {
        Self {
            page: page.with_colours(palette.name_colours()),
            screen: Screen::default(),
            editor: Editor::default(),
            drafts: Drafts::default(),
            exits: Exits::default(),
            quit_asked: false,
            prompt: Prompt::default(),
            reply: None,
            pasting: None,
            hint: None,
            status: None,
            out,
            palette,
            columns,
            rows,
            rewraps: false,
            staleness: Staleness::Stale,
            ringing: Ringing::default(),
            drawn_ms: None,
            keys: Keys::default(),
            typed: InputHistory::off(),
            log: None,
            draft_folder: PathBuf::new(),
            handover: None,
            went_on: None,
            stop: Stop::default(),
            device: None,
        }
    }

    /// Finds again what was typed in earlier sessions, if that is wished for.
    fn recall(&mut self, preferences: &Preferences) {
        let Some(folder) = preferences.state_folder.as_deref().filter(|_| preferences.input_history) else { return };
        match InputHistory::open(folder) {
            Ok((typed, lines)) => {
                self.typed = typed;
                for line in lines {
                    self.editor.remember(line);
                }
            }
            Err(trouble) => self.tell(&[trouble]),
        }
    }

    /// Something is not on the screen yet.
    fn note_stale(&mut self) {
        self.staleness = self.staleness.max(Staleness::Stale);
    }

    /// Prints the client's own words.
    fn tell(&mut self, words: &[String]) {
        let lines = self.page.tell(words);
        self.print(lines);
    }

    fn print(&mut self, lines: Vec<Line>) {
        for line in lines {
            self.note_stale();
            self.screen.print(line);
        }
    }

    /// Puts the draft of a room that the user has left into the line, or shows it.
    fn keep_drafts_of(&mut self, rooms: &[String]) {
        for begun in self.drafts.leave_all_but(rooms) {
            if self.editor.text().is_empty() {
                self.editor.set_text(&begun);
            } else {
                self.tell(&[format!("not sent: {}", concealed(&begun, 0).0)]);
            }
        }
    }

    /// Another room is on the screen now: what was begun here waits here, what was begun there is in the line again.
    fn change_drafts(&mut self, room: Option<&str>) {
        self.prompt = Prompt::default();
        let begun = self.editor.take();
        // Nobody knows who will have written last when it is in the line again.
        let begun = self.reply.take().and_then(|reply| reply.spelled_out(&begun)).unwrap_or(begun);
        let there = self.drafts.change(self.page.room(), begun, room);
        self.editor.set_text(&there);
        self.bind_reply();
    }

    fn draw(&mut self, now_ms: u64) -> io::Result<()> {
        let Some(status) = &self.status else { return Ok(()) };
        let columns = usize::from(self.columns);
        let waiting = self.page.waiting(&status.rooms);
        let hint = self.hint.clone().or_else(|| self.pasting_hint());
        let beside = status::Beside { hint: hint.as_deref(), waiting: &waiting, mentions: self.page.mentions() };
        let (text, cursor) = match &self.prompt {
            Prompt::Input | Prompt::Completing(_) => concealed(self.editor.text(), self.editor.cursor()),
            Prompt::Searching(search) => {
                let prompt = search.prompt();
                let end = prompt.len();
                (Cow::Owned(prompt), end)
            }
            Prompt::Asking(question) => (Cow::Borrowed(question.typed()), question.typed().len()),
        };
        let mut above = late_rows(status, columns);
        if let Prompt::Asking(question) = &self.prompt {
            above.extend(wrap::rows(&asked(question.prompt()), columns, Edge::Cuts).into_iter().map(|row| row.spans));
        }
        if let Some(target) = self.reply_target() {
            above.extend(wrap::rows(&target, columns, Edge::Cuts).into_iter().map(|row| row.spans));
        }
        let status = status::row(status, &beside, columns);
        let contents = layout::Contents { above, text: &text, cursor, status };
        let block = layout::block(contents, columns, usize::from(self.rows));
        self.staleness = Staleness::Fresh;
        self.drawn_ms = Some(now_ms);
        draw::draw(&mut self.out, &self.screen.draw(&block, columns), self.palette)
    }

    fn draw_due_ms(&self) -> Option<u64> {
        if self.staleness == Staleness::Fresh || self.handover.is_some() {
            return None;
        }
        let is_connecting = self.status.as_ref().is_none_or(|status| status.link == LinkState::Connecting);
        Some(match self.drawn_ms {
            None if is_connecting => FIRST_DRAWING_MS,
            None => 0,
            Some(drawn_ms) => {
                drawn_ms + if self.staleness == Staleness::Awaited { ANSWER_EVERY_MS } else { DRAW_EVERY_MS }
            }
        })
    }
}

/// A question, as it stands above the input.
fn asked(question: String) -> Line {
    Line { body: vec![Span::new(Role::Mention, question)], ..Line::default() }
}

/// Returns the rows of messages that are not acknowledged after a while, which stand above the
/// input until they are.
fn late_rows(status: &Status, columns: usize) -> Vec<Row> {
    let more = status.unsent.saturating_sub(status.late.len());
    let more = (status.late.len() == Status::LATE_MAX && more > 0).then(|| format!("… and {more} more"));
    let texts = status.late.iter().map(|text| format!("… {}", text.replace('\n', " ")));
    let cut = |text: String| columns::cut(&visible::one_line(&text), columns.saturating_sub(1));
    texts.chain(more).map(|text| vec![Span::new(Role::Faint, cut(text))]).collect()
}

impl View for Terminal {
    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Terminal(event) => {
                let typed = event.is_typed();
                if let Some(action) = self.keys.action(event) {
                    self.act(action, session, now_ms)?;
                }
                if typed && self.handover.is_none() {
                    self.read_on();
                }
                Ok(())
            }
            UserInput::EditorClosed => self.editor_closed(),
            UserInput::Lines(_) | UserInput::End | UserInput::Failed(_) => Ok(()),
        }
    }

    fn show(&mut self, Envelope { content: update, .. }: Envelope<Update>, now_ms: u64) -> io::Result<()> {
        self.follow_people(&update);
        let Some(update) = self.page.settings.filter(update) else { return Ok(()) };
        if let Some(Err(trouble)) = self.log.as_mut().map(|log| log.note(&update, self.page.reader())) {
            self.tell(&[trouble]);
        }
        if matches!(update, Update::Said { .. } | Update::Past { .. } | Update::Room(_)) {
            self.staleness = Staleness::Awaited;
        }
        if let Update::Room(room) = &update {
            self.change_drafts(room.as_deref());
        }
        let heard = self.page.hear(update, now_ms);
        self.print(heard.lines);
        // A room other than the one on the screen may have something new for the status line.
        self.note_stale();
        if heard.rings && self.ringing.may_ring(now_ms) {
            self.screen.ring();
        }
        Ok(())
    }

    fn settle(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        self.send_pasted(session, now_ms);
        let due = self.page.take_due(now_ms);
        self.print(due);
        if let Some(Err(trouble)) = self.log.as_mut().map(RoomLog::flush) {
            self.tell(&[trouble]);
        }
        let status = session.status(now_ms);
        self.keep_drafts_of(&status.rooms);
        if self.status.as_ref() != Some(&status) {
            if self.status.as_ref().is_some_and(|before| before.link != status.link) {
                self.staleness = Staleness::Awaited;
            }
            self.status = Some(status);
            self.note_stale();
        }
        let is_due = self.draw_due_ms().is_some_and(|due_ms| now_ms >= due_ms);
        let is_full = self.screen.waiting() > LINES_WAITING_MAX && self.handover.is_none();
        if is_due || is_full { self.draw(now_ms) } else { Ok(()) }
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        let late_ms = self.status.as_ref().and_then(|status| status.next_late_ms);
        [self.draw_due_ms(), self.page.next_due_ms(), late_ms].into_iter().flatten().min()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        if let Some(handover) = self.handover.take() {
            let told = handover.abandon(&mut self.out);
            self.tell(told.as_slice());
        }
        self.stop_pasting();
        self.keep_drafts_of(&[]);
        if !self.editor.text().trim().is_empty() {
            self.tell(&[format!("not sent: {}", concealed(self.editor.text(), 0).0)]);
        }
        let (rooms, unsent) = self.status.take().map(|status| (status.rooms, status.unsent)).unwrap_or_default();
        let last = self.page.leave(&rooms);
        self.print(last);
        let strokes = self.screen.leave(usize::from(self.columns));
        let drawn = draw::draw(&mut self.out, &strokes, self.palette);
        drop(self.device.take());
        match drawn {
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
