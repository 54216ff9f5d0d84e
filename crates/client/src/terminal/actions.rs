//! Effects of a key, a paste or a command on the line, the session and the screen.

use std::io;
use std::time::{Duration, Instant};

use super::editing::completion::Completion;
use super::exit_keys::{Exit, Stop, closes_for};
use super::external_editor::{ExternalEditor, chosen_editor};
use super::keymap::Action;
use super::keymap::Motion;
use super::{Staleness, Terminal};
use crate::commands::{ParsedLine, is_secret, parse_line};
use crate::format::safe::name;
use crate::keyboard::event::NOT_UTF8;
use crate::session::Session;
use crate::session::update::Command;
use crate::system;

/// That the process goes on after Ctrl-Z is told within this, if it was stopped at all.
const RESUME_WITHIN: Duration = Duration::from_secs(2);

impl Terminal {
    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action, session: &mut Session, now_ms: u64) -> io::Result<()> {
        self.staleness = Staleness::Awaited;
        match action {
            Action::Resize { columns, rows } => {
                (self.columns, self.rows) = (columns.max(1), rows.max(1));
                if self.reflows {
                    self.screen.reflow(self.columns.into());
                }
            }
            // After Ctrl-Z it has been taken again already.
            Action::Resume if self.went_on.take().is_some_and(|went_on| went_on.elapsed() < RESUME_WITHIN) => {}
            Action::Resume => self.take_terminal_again()?,
            Action::FocusLost => self.pane.user_has_gone(),
            Action::FocusGained => {
                self.pane.user_is_here(now_ms);
            }
            action => {
                self.pane.user_is_here(now_ms);
                self.hint = None;
                self.press(action, session, now_ms)?;
            }
        }
        self.bind_reply();
        Ok(())
    }

    fn press(&mut self, action: Action, session: &mut Session, now_ms: u64) -> io::Result<()> {
        let Some(action) = self.answer_prompt(action, session, now_ms) else {
            self.exit_keys.forget();
            return Ok(());
        };
        if action != Action::Suspend {
            self.stop.forget();
        }
        let is_empty = self.editor.text().is_empty();
        if !(is_empty && matches!(action, Action::Enter | Action::Interrupt | Action::RemoveOrLeave)) {
            self.exit_keys.forget();
        }
        match action {
            Action::Enter if is_empty => {
                let exit = self.exit_keys.enter();
                self.leave_or_say(exit, session, now_ms);
            }
            Action::Enter => self.enter(session, now_ms),
            Action::Interrupt if self.stop_pasting() => {}
            Action::Interrupt if is_empty => {
                let exit = self.exit_keys.interrupt();
                self.leave_or_say(exit, session, now_ms);
            }
            Action::Interrupt => self.editor.clear(),
            Action::RemoveOrLeave if is_empty => {
                if self.exit_keys.tell_of_others(self.hosted_others(session)) {
                    self.hint = Some(closes_for(session.others(), "Ctrl-D again"));
                } else {
                    leave(session, now_ms);
                }
            }
            Action::RemoveOrLeave => self.editor.remove(Motion::Right),
            Action::Paste(paste) => self.take_paste(&paste, session),
            Action::Insert(text) => {
                let fits = self.editor.insert(&text);
                self.hint_unless(fits);
            }
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
            Action::Complete => self.complete(session, now_ms, Completion::forward),
            Action::CompleteBack => self.complete(session, now_ms, Completion::back),
            Action::Go(motion) => self.editor.go(motion),
            Action::Remove(motion) => self.editor.remove(motion),
            Action::Cut(motion) => self.editor.cut(motion),
            Action::Up => self.editor.up(),
            Action::Down => self.editor.down(),
            Action::Clear => self.screen.clear(),
            Action::GoRoom(number) => self.go_to_room(number.checked_sub(1), session, now_ms),
            Action::GoRoomBefore => self.go_to_neighbour(false, session, now_ms),
            Action::GoRoomAfter => self.go_to_neighbour(true, session, now_ms),
            Action::OpenEditor => self.open_editor()?,
            Action::Suspend => match self.stop.press() {
                Some(hint) => self.hint = Some(hint.to_owned()),
                None => self.suspend()?,
            },
            Action::Search => self.start_search(),
            Action::NotUtf8 => self.hint = Some(NOT_UTF8.to_owned()),
            // Nothing is going on, or it is dealt with where it comes in.
            Action::Cancel | Action::Resize { .. } | Action::Resume | Action::FocusGained | Action::FocusLost => {}
        }
        Ok(())
    }

    /// Number of others whose chat ends with this process.
    fn hosted_others(&self, session: &Session) -> usize {
        if self.stop == Stop::OneProgram { 0 } else { session.others() }
    }

    pub(super) fn hint_unless(&mut self, fits: bool) {
        if !fits {
            self.hint = Some("too long to fit in; nothing was inserted".to_owned());
        }
    }

    fn leave_or_say(&mut self, exit: Exit, session: &mut Session, now_ms: u64) {
        match exit {
            Exit::Leave => leave(session, now_ms),
            Exit::NotYet(hint) if self.stop != Stop::OneProgram => {
                self.hint = Some(format!("{hint}; that closes the line for all"));
            }
            Exit::NotYet(hint) => self.hint = Some(hint.to_owned()),
        }
    }

    /// Sends the line. What cannot be sent now stays in it; what never can, a wrong command, is one line up in the history.
    fn enter(&mut self, session: &mut Session, now_ms: u64) {
        if self.editor.text().trim().is_empty() {
            self.editor.clear();
            return;
        }
        // A paste ends with a newline that nobody wants to send.
        let line = self.editor.text().trim_end_matches('\n').to_owned();
        match parse_line(&line, session.slash_commands()) {
            Ok(ParsedLine::Session(Command::Leave)) if !self.quit_asked && self.hosted_others(session) > 0 => {
                self.quit_asked = true;
                self.print_notice(&[closes_for(session.others(), "/quit again")]);
                self.accept();
            }
            Ok(meaning) => {
                self.quit_asked = false;
                if self.carry_out(meaning, session, now_ms) {
                    self.accept();
                }
            }
            Err(wrong) => {
                self.print_notice(&[wrong]);
                self.accept();
            }
        }
    }

    /// Empties the line and remembers it, unless it holds a secret.
    fn accept(&mut self) {
        if is_secret(self.editor.text()) {
            self.editor.forget();
            return;
        }
        if let Err(warning) = self.typed.add(self.editor.text()) {
            self.print_notice(&[warning]);
        }
        self.editor.accept();
    }

    /// Carries out what a line means; false if it is to stay in the input.
    fn carry_out(&mut self, meaning: ParsedLine, session: &mut Session, now_ms: u64) -> bool {
        if let Some(told) = self.pane.settings.change(&meaning) {
            self.print_notice(&[told]);
            return true;
        }
        match meaning {
            ParsedLine::Session(Command::Say(_) | Command::Action(_)) if session.is_moving() => {
                self.hint = Some("entering the room; Enter again in a moment".to_owned());
                return false;
            }
            ParsedLine::Session(command) => return self.order(command, session, now_ms),
            ParsedLine::Reply(text) => return self.send_reply(text, session, now_ms),
            ParsedLine::Help(blocks) => self.print_notice(&blocks),
            ParsedLine::Keys => self.print_notice(&[keymap::help().join("\n")]),
            ParsedLine::Clear => self.screen.clear(),
            ParsedLine::More(number) => {
                if let Err(wrong) = self.screen.print_rest(number, self.columns.into()) {
                    self.print_notice(&[wrong]);
                }
            }
            ParsedLine::Timestamps(_) | ParsedLine::Bell(_) | ParsedLine::Ignore(_) | ParsedLine::Unignore(_) => {}
        }
        true
    }

    /// Hands a command to the session; false if it holds words that are to stay in the input.
    pub(super) fn order(&mut self, command: Command, session: &mut Session, now_ms: u64) -> bool {
        let goes_away = matches!(command, Command::Away(_));
        let room_before = matches!(command, Command::Join(_)).then(|| session.status(now_ms).room).flatten();
        let has_words = matches!(
            command,
            Command::Say(_)
                | Command::Action(_)
                | Command::Direct { .. }
                | Command::Reply { .. }
                | Command::ServerLine(_)
        );
        match session.command(command, now_ms) {
            Ok(()) if goes_away => self.pane.user_has_gone(),
            Ok(()) => self.hint_unless_moved(room_before, session, now_ms),
            Err(declined) if has_words => {
                self.print_notice(&[format!("not sent: {declined}")]);
                return false;
            }
            Err(declined) => self.print_notice(&[declined.to_string()]),
        }
        true
    }

    /// Tells whoever goes to the room on the screen that nothing changes.
    fn hint_unless_moved(&mut self, before: Option<String>, session: &Session, now_ms: u64) {
        if let Some(room) = before.filter(|_| !session.is_moving())
            && session.status(now_ms).room.as_ref() == Some(&room)
        {
            self.hint = Some(format!("you are in {} already", name(&room)));
        }
    }

    fn go_to_neighbour(&mut self, after: bool, session: &mut Session, now_ms: u64) {
        let status = session.status(now_ms);
        let Some(at) = status.rooms.iter().position(|room| Some(room) == status.room.as_ref()) else { return };
        let count = status.rooms.len();
        let step = if after { 1 } else { count - 1 };
        self.go_to_room(Some((at + step) % count), session, now_ms);
    }

    fn go_to_room(&mut self, at: Option<usize>, session: &mut Session, now_ms: u64) {
        let rooms = session.status(now_ms).rooms;
        let room = at.and_then(|at| rooms.get(at));
        let Some(room) = room else {
            self.hint = Some(match rooms.len() {
                1 => "you are in one room; /join ROOM enters another".to_owned(),
                count => format!("you are in {count} rooms"),
            });
            return;
        };
        let room_before = session.status(now_ms).room;
        match session.command(Command::Join(room.clone()), now_ms) {
            Ok(()) => self.hint_unless_moved(room_before, session, now_ms),
            Err(declined) => self.hint = Some(declined.to_string()),
        }
    }

    /// Hands the terminal to the user's editor, with what stands in the line.
    fn open_editor(&mut self) -> io::Result<()> {
        let Some(editor) = chosen_editor(|name| std::env::var(name).ok()) else {
            self.hint = Some("no editor is chosen; set EDITOR, as in EDITOR=nano".to_owned());
            return Ok(());
        };
        let Some(device) = &self.device else { return Ok(()) };
        let ops = self.screen.leave(usize::from(self.columns));
        super::drawing::draw::draw(&mut self.out, &ops, self.palette)?;
        device.guard.pause();
        match ExternalEditor::start(&editor, self.editor.text(), &self.draft_folder, device.inbox.clone()) {
            Ok(external_editor) => self.external_editor = Some(external_editor),
            Err(told) => {
                self.print_notice(&[told]);
                self.take_terminal_again()?;
            }
        }
        Ok(())
    }

    /// The editor has ended: what it left is the line now.
    pub(super) fn editor_closed(&mut self) -> io::Result<()> {
        let Some(external_editor) = self.external_editor.take() else { return Ok(()) };
        let left = external_editor.finish(&mut self.out);
        self.take_terminal_again()?;
        match left {
            Ok(text) => {
                let fits = self.editor.set_text(&text);
                self.hint_unless(fits);
            }
            Err(told) => self.print_notice(&[told]),
        }
        self.bind_reply();
        self.read_on();
        Ok(())
    }

    /// Stops the process until the shell lets it go on.
    fn suspend(&mut self) -> io::Result<()> {
        let Some(device) = &self.device else { return Ok(()) };
        let ops = self.screen.leave(usize::from(self.columns));
        super::drawing::draw::draw(&mut self.out, &ops, self.palette)?;
        device.guard.pause();
        system::suspend()?;
        self.went_on = Some(Instant::now());
        self.take_terminal_again()
    }

    /// Takes the terminal again, whatever another program did to it.
    fn take_terminal_again(&mut self) -> io::Result<()> {
        self.note_stale();
        if self.external_editor.is_some() {
            return Ok(());
        }
        self.screen.forget();
        self.device.as_ref().map_or(Ok(()), |device| device.guard.resume())
    }

    /// Lets the next key be read.
    pub(super) fn read_on(&self) {
        if let Some(device) = &self.device {
            device.keyboard.read_more();
        }
    }
}

fn leave(session: &mut Session, now_ms: u64) {
    // Declined only when leaving already.
    let _ = session.command(Command::Leave, now_ms);
}
