//! The terminal mode: messages scroll by above, what is typed stays below, and neither disturbs the other.

mod draw;
mod editor;
pub(crate) mod guard;
pub(crate) mod keyboard;
mod keys;
mod layout;
mod screen;

use std::io::{self, Write};

use crate::commands::{Meaning, interpret};
use crate::ending::Ending;
use crate::inbox::{Inbox, UserInput};
use crate::session::Session;
use crate::session::update::{Command, Status, Update};
use crate::system;
use crate::view::View;
use crate::wording;
use editor::{Editor, Motion};
use guard::Guard;
use keyboard::Keyboard;
use keyboard::event::Paste;
use keys::{Action, Keys};
use screen::Screen;

/// The original's way out.
const EMPTY_ENTERS_TO_LEAVE: u8 = 3;
/// Drawing more often than a screen shows helps nobody.
const DRAW_EVERY_MS: u64 = 16;
/// Lines that may wait for the next drawing; past it they are drawn at once.
const LINES_WAITING_MAX: usize = 1_000;
/// For terminals that do not say.
const SIZE_UNKNOWN: (u16, u16) = (80, 24);

/// The mode.
pub(crate) struct Terminal {
    screen: Screen,
    editor: Editor,
    out: Box<dyn Write>,
    styled: bool,
    columns: u16,
    rows: u16,
    empty_enters: u8,
    asked_to_leave: bool,
    hint: Option<String>,
    status: Option<Status>,
    stale: bool,
    drawn_ms: Option<u64>,
    keys: Keys,
    keyboard: Option<Keyboard>,
    guard: Option<Guard>,
}

impl Terminal {
    /// Takes the terminal over and starts to read its keys.
    pub(crate) fn open(greeting: &[String], inbox: Inbox) -> io::Result<Self> {
        let guard = Guard::enter()?;
        let styled = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        // Before the size is asked for, so that none is missed.
        system::watch_terminal(inbox.clone())?;
        let size = crossterm::terminal::size().ok().filter(|&(columns, rows)| columns > 0 && rows > 0);
        let mut terminal = Self::new(Box::new(io::stdout()), size.unwrap_or(SIZE_UNKNOWN), styled);
        terminal.guard = Some(guard);
        terminal.tell(greeting);
        terminal.keyboard = Some(Keyboard::start(inbox)?);
        Ok(terminal)
    }

    fn new(out: Box<dyn Write>, (columns, rows): (u16, u16), styled: bool) -> Self {
        Self {
            screen: Screen::default(),
            editor: Editor::default(),
            out,
            styled,
            columns,
            rows,
            empty_enters: 0,
            asked_to_leave: false,
            hint: None,
            status: None,
            stale: true,
            drawn_ms: None,
            keys: Keys::default(),
            keyboard: None,
            guard: None,
        }
    }

    fn tell(&mut self, lines: &[String]) {
        for line in lines {
            for safe in wording::lines(&Update::Notice(line.clone())) {
                self.screen.print(safe);
            }
        }
    }

    fn act(&mut self, action: Action, session: &mut Session, now_ms: u64) {
        self.stale = true;
        if let Action::Resize { columns, rows } = action {
            (self.columns, self.rows) = (columns.max(1), rows.max(1));
            return;
        }
        if let Action::FocusGained | Action::FocusLost | Action::Resume = action {
            return;
        }
        self.hint = None;
        let asked_to_leave = std::mem::take(&mut self.asked_to_leave);
        let empty_enters = std::mem::take(&mut self.empty_enters);
        match action {
            Action::Enter if self.editor.text().is_empty() => self.enter_nothing(empty_enters + 1, session, now_ms),
            Action::Enter => self.enter(session, now_ms),
            Action::Insert(text) | Action::Paste(Paste { text, .. }) => {
                let fits = self.editor.insert(&text);
                self.hint_unless(fits);
            }
            Action::PasteCut => {
                let fits = self.editor.paste_cut();
                self.hint_unless(fits);
            }
            Action::Go(motion) => self.editor.go(motion),
            Action::Remove(motion) => self.editor.remove(motion),
            Action::Cut(motion) => self.editor.cut(motion),
            Action::Up => self.editor.up(),
            Action::Down => self.editor.down(),
            Action::RemoveOrLeave if self.editor.text().is_empty() => leave(session, now_ms),
            Action::RemoveOrLeave => self.editor.remove(Motion::Right),
            Action::Interrupt if !self.editor.text().is_empty() => self.editor.clear(),
            Action::Interrupt if asked_to_leave => leave(session, now_ms),
            Action::Interrupt => {
                self.asked_to_leave = true;
                self.hint = Some("Ctrl-C again leaves".to_owned());
            }
            Action::Clear => self.screen.clear(),
            _ => {}
        }
    }

    fn hint_unless(&mut self, fits: bool) {
        if !fits {
            self.hint = Some("too long to fit in; nothing was inserted".to_owned());
        }
    }

    fn enter_nothing(&mut self, empty_enters: u8, session: &mut Session, now_ms: u64) {
        self.empty_enters = empty_enters;
        match EMPTY_ENTERS_TO_LEAVE.saturating_sub(empty_enters) {
            0 => leave(session, now_ms),
            1 => self.hint = Some("Enter once more to leave".to_owned()),
            _ => self.hint = Some("Enter twice more to leave".to_owned()),
        }
    }

    /// Sends the line. What cannot be sent now stays in it; what never can, a wrong command, is one line up in the history.
    fn enter(&mut self, session: &mut Session, now_ms: u64) {
        if self.editor.text().trim().is_empty() {
            self.editor.clear();
            return;
        }
        match interpret(self.editor.text(), session.slash_commands()) {
            Ok(Meaning::Do(command)) => match session.command(command, now_ms) {
                Ok(()) => self.editor.accept(),
                Err(declined) => self.tell(&[format!("not sent: {declined}")]),
            },
            Ok(Meaning::Help(lines)) => {
                self.tell(&lines);
                self.editor.accept();
            }
            Ok(Meaning::Clear) => {
                self.screen.clear();
                self.editor.accept();
            }
            Ok(Meaning::Timestamps(_) | Meaning::Bell(_) | Meaning::Ignore(_) | Meaning::Unignore(_)) => {
                self.editor.accept();
            }
            Err(wrong) => {
                self.tell(&[wrong]);
                self.editor.accept();
            }
        }
    }

    fn draw(&mut self, now_ms: u64) -> io::Result<()> {
        let Some(status) = &self.status else { return Ok(()) };
        let columns = usize::from(self.columns);
        let status_line = layout::status_line(status, self.hint.as_deref(), columns);
        let block =
            layout::block(self.editor.text(), self.editor.cursor(), status_line, columns, usize::from(self.rows));
        self.stale = false;
        self.drawn_ms = Some(now_ms);
        draw::draw(&mut self.out, &self.screen.draw(&block), self.styled)
    }

    fn draw_due_ms(&self) -> Option<u64> {
        self.stale.then(|| self.drawn_ms.map_or(0, |drawn_ms| drawn_ms + DRAW_EVERY_MS))
    }
}

fn leave(session: &mut Session, now_ms: u64) {
    // Declined only when leaving already.
    let _ = session.command(Command::Leave, now_ms);
}

impl View for Terminal {
    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()> {
        if let UserInput::Terminal(event) = input {
            let typed = event.is_typed();
            if let Some(action) = self.keys.action(event) {
                self.act(action, session, now_ms);
            }
            if let Some(keyboard) = self.keyboard.as_ref().filter(|_| typed) {
                keyboard.read_more();
            }
        }
        Ok(())
    }

    fn show(&mut self, update: Update) -> io::Result<()> {
        for line in wording::lines(&update) {
            self.screen.print(line);
            self.stale = true;
        }
        Ok(())
    }

    fn settle(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        let status = session.status();
        if self.status.as_ref() != Some(&status) {
            self.status = Some(status);
            self.stale = true;
        }
        let due = self.draw_due_ms().is_some_and(|due_ms| now_ms >= due_ms);
        if due || self.screen.waiting() > LINES_WAITING_MAX { self.draw(now_ms) } else { Ok(()) }
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.draw_due_ms()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        drop(self.keyboard.take());
        let strokes = self.screen.leave();
        let drawn = draw::draw(&mut self.out, &strokes, self.styled);
        drop(self.guard.take());
        match drawn {
            Err(error) if ending == Ending::Left && error.kind() != io::ErrorKind::BrokenPipe => {
                Ending::InputOutput(format!("cannot write to the terminal: {error}"))
            }
            _ => ending,
        }
    }
}

#[cfg(test)]
mod tests;
