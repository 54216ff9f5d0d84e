//! Effects of a key, a paste or a command on the line, the session and the screen.

use std::io;
use std::time::{Duration, Instant};

use glassline_session::{Command, Session};
use glassline_wire::event::ErrorCode;
use glassline_wire::natural_order;

use super::Terminal;
use super::composer::PromptOutcome;
use super::editing::paste::PasteChoice;
use super::exit::Exit;
use super::external_editor::{ExternalEditor, chosen_editor};
use super::keymap::{self, Action, Motion};
use super::message_pane::MessagePane;
use super::pending_paste::PendingPaste;
use crate::commands::{ParsedLine, parse_line};
use crate::format::reply::ReplyError;
use crate::format::safe::name;
use crate::keyboard::event::NOT_UTF8;
use crate::system;
use crate::web_page::PageAnswer;

/// Longest time from the end of a stop to its SIGCONT; a later one belongs to another stop.
const RESUME_WITHIN: Duration = Duration::from_secs(2);

impl Terminal {
    pub(super) fn act(&mut self, action: Action, session: &mut Session, now_ms: u64) -> io::Result<()> {
        self.display.note_awaited();
        match action {
            Action::Resize { columns, rows } => self.display.resize(columns, rows),
            // After Ctrl-Z the terminal has been retaken already.
            Action::Resume if self.resumed_at.take().is_some_and(|at| at.elapsed() < RESUME_WITHIN) => {}
            Action::Resume => self.display.resume()?,
            Action::FocusLost => self.pane.user_has_gone(),
            Action::FocusGained => {
                self.pane.user_is_here(now_ms);
            }
            action => {
                self.pane.user_is_here(now_ms);
                self.composer.clear_hint();
                self.press(action, session, now_ms)?;
            }
        }
        self.composer.bind_reply(self.pane.formatter().reply_peer());
        Ok(())
    }

    fn press(&mut self, action: Action, session: &mut Session, now_ms: u64) -> io::Result<()> {
        let action = match self.composer.answer_prompt(action) {
            PromptOutcome::Pass(action) => action,
            PromptOutcome::Handled => {
                self.exit.reset();
                return Ok(());
            }
            PromptOutcome::Passphrase(room, typed) => {
                self.exit.reset();
                self.take_passphrase(&room, &typed);
                return Ok(());
            }
            PromptOutcome::Paste(choice, typed) => {
                self.exit.reset();
                self.apply_paste(choice, &typed, session, now_ms);
                return Ok(());
            }
        };
        let is_empty = self.composer.text().is_empty();
        let exit = match action {
            Action::Enter if is_empty => self.exit.enter(),
            Action::Interrupt if is_empty && self.pending_paste.is_none() => self.exit.interrupt(),
            Action::RemoveOrLeave if is_empty => self.exit.end_of_input(session.others()),
            Action::Suspend => {
                return match self.exit.suspend() {
                    None => self.suspend(),
                    Some(hint) => {
                        self.composer.set_hint(hint);
                        Ok(())
                    }
                };
            }
            action => {
                self.exit.reset();
                return self.perform(action, session, now_ms);
            }
        };
        match exit {
            Exit::Leave => {
                // Rejected only when leaving already.
                let _ = session.command(Command::Leave, now_ms);
            }
            Exit::NotYet(hint) => self.composer.set_hint(hint),
        }
        Ok(())
    }

    /// Executes an action that neither leaves nor stops the program.
    fn perform(&mut self, action: Action, session: &mut Session, now_ms: u64) -> io::Result<()> {
        match action {
            Action::Enter => self.enter(session, now_ms),
            Action::Interrupt => {
                if !self.stop_pasting() {
                    self.composer.clear();
                }
            }
            Action::RemoveOrLeave => self.composer.edit(Action::Remove(Motion::Right)),
            Action::Paste(paste) => self.composer.take_paste(&paste, session.text_bytes_max()),
            Action::Complete | Action::CompleteBack => {
                let sources = || completion_sources(&self.pane, session, now_ms);
                self.composer.complete(action == Action::CompleteBack, sources);
            }
            Action::ClearScreen => self.display.clear(),
            Action::GoRoom(number) => self.go_to_room(number.checked_sub(1), session, now_ms),
            Action::GoRoomBefore => self.go_to_neighbour(false, session, now_ms),
            Action::GoRoomAfter => self.go_to_neighbour(true, session, now_ms),
            Action::OpenEditor => self.open_editor()?,
            Action::NotUtf8 => self.composer.set_hint(NOT_UTF8),
            action => self.composer.edit(action),
        }
        Ok(())
    }

    /// Sends the line. A line that cannot be sent now stays in the input; a wrong command goes to
    /// the history.
    fn enter(&mut self, session: &mut Session, now_ms: u64) {
        if self.composer.text().trim().is_empty() {
            self.composer.clear();
            return;
        }
        // A paste ends with a newline that is not to be sent.
        let parsed = parse_line(self.composer.text().trim_end_matches('\n'), session.slash_executor());
        let is_accepted = match parsed {
            Ok(parsed) => {
                let is_quit = parsed == ParsedLine::Session(Command::Leave);
                match self.exit.command(is_quit, session.others()) {
                    Some(warning) => {
                        self.print_notice(&[warning]);
                        true
                    }
                    None => self.execute(parsed, session, now_ms),
                }
            }
            Err(wrong) => {
                self.print_notice(&[wrong]);
                true
            }
        };
        if is_accepted {
            let is_sealed = self.pane.room().is_some_and(|room| self.keys.is_private(room));
            let kept = self.composer.accept(is_sealed);
            self.print_failure(kept);
        }
    }

    /// Executes a parsed line; false if it is to stay in the input.
    fn execute(&mut self, parsed: ParsedLine, session: &mut Session, now_ms: u64) -> bool {
        if parsed != ParsedLine::Unseal {
            self.dialogue.cancel_unseal();
        }
        if let Some(notice) = self.pane.settings().change(&parsed) {
            self.print_notice(&[notice]);
            return true;
        }
        match parsed {
            ParsedLine::Session(Command::Say(_) | Command::Action(_)) if session.is_changing_room() => {
                self.composer.set_hint("entering the room; Enter again in a moment");
                return false;
            }
            ParsedLine::Session(command) => return self.order(command, session, now_ms),
            ParsedLine::Reply(text) => return self.send_reply(text, session, now_ms),
            ParsedLine::Help(blocks) => self.print_notice(&blocks),
            ParsedLine::Keys => self.print_notice(&[keymap::help().join("\n")]),
            ParsedLine::Clear => self.display.clear(),
            ParsedLine::Qr(number) => self.show_page_address(number),
            ParsedLine::More(number) => {
                let printed = self.display.print_rest(number);
                self.print_failure(printed);
            }
            ParsedLine::Seal => self.ask_passphrase(session, now_ms),
            ParsedLine::Unseal => self.unseal(session, now_ms),
            ParsedLine::Timestamps(_) | ParsedLine::Bell(_) | ParsedLine::Ignore(_) | ParsedLine::Unignore(_) => {}
        }
        true
    }

    /// Shows the address of the server's web page, with its code.
    fn show_page_address(&mut self, number: Option<usize>) {
        let PageAnswer { words, code, url } = self.web_page.answer(number, Some(self.display.canvas()));
        self.print_notice(&words);
        if !code.is_empty() {
            self.display.print_code(code);
        }
        self.print_notice(url.as_slice());
    }

    /// Passes a command to the session; false if it holds a text that is to stay in the input.
    fn order(&mut self, command: Command, session: &mut Session, now_ms: u64) -> bool {
        let goes_away = matches!(command, Command::Away(_));
        let room_before = matches!(command, Command::Join(_)).then(|| session.status(now_ms).room).flatten();
        let has_text = matches!(
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
            // It does not stay where the next command, or a passphrase, is typed.
            Err(error) if has_text && error.code() == ErrorCode::RoomSealed => {
                self.print_notice(&[format!("not sent: {error}; Up brings your text back")]);
            }
            Err(error) if has_text => {
                self.print_notice(&[format!("not sent: {error}")]);
                return false;
            }
            Err(error) => self.print_notice(&[error.to_string()]),
        }
        true
    }

    /// Sends a reply to the person it was begun for; false if it stays in the input until the user
    /// confirms.
    fn send_reply(&mut self, text: String, session: &mut Session, now_ms: u64) -> bool {
        match self.composer.decide_reply(self.pane.formatter().reply_peer()) {
            Ok(recipient) => self.order(recipient.command(text), session, now_ms),
            Err(ReplyError::NoRecipient(words)) => {
                self.print_notice(&[words]);
                true
            }
            Err(ReplyError::Confirm(_)) => false,
        }
    }

    /// Shows a hint if the user joins the room that is on the screen already.
    fn hint_unless_moved(&mut self, before: Option<String>, session: &Session, now_ms: u64) {
        if let Some(room) = before.filter(|_| !session.is_changing_room())
            && session.status(now_ms).room.as_ref() == Some(&room)
        {
            self.composer.set_hint(format!("you are in {} already", name(&room)));
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
        let status = session.status(now_ms);
        let Some(room) = at.and_then(|at| status.rooms.get(at)) else {
            self.composer.set_hint(match status.rooms.len() {
                1 => "you are in one room; /join ROOM enters another".to_owned(),
                count => format!("you are in {count} rooms"),
            });
            return;
        };
        match session.command(Command::Join(room.clone()), now_ms) {
            Ok(()) => self.hint_unless_moved(status.room, session, now_ms),
            Err(error) => self.composer.set_hint(error.to_string()),
        }
    }

    /// Applies the user's choice to a paste; `typed` are the characters typed in answer.
    fn apply_paste(&mut self, choice: PasteChoice, typed: &str, session: &mut Session, now_ms: u64) {
        match choice {
            PasteChoice::Send(text) => {
                if let Err(error) = session.command(Command::Say(text.clone()), now_ms) {
                    self.composer.insert(&text);
                    let is_about_sealing = error.code() == ErrorCode::RoomSealed;
                    let back = if is_about_sealing { "; Up brings it back" } else { "" };
                    self.print_notice(&[format!("the paste was not sent: {error}{back}")]);
                    if is_about_sealing {
                        let kept = self.composer.accept(true);
                        self.print_failure(kept);
                    }
                }
            }
            PasteChoice::SendLines(lines) => match (&mut self.pending_paste, session.status(now_ms).room) {
                // They are sent after those of an earlier paste, to the same room.
                (Some(pending_paste), _) => pending_paste.append(lines),
                (None, Some(room)) => self.pending_paste = Some(PendingPaste::new(lines, room)),
                (None, None) => {
                    self.print_notice(&["nothing was sent: you are in no room; enter one with /join ROOM".to_owned()]);
                }
            },
            PasteChoice::Edit(text) => self.composer.insert(&text),
            PasteChoice::Drop => {
                // What was typed was no answer, so it was meant for the line.
                self.composer.insert(typed);
                self.composer.set_hint("the paste is dropped");
            }
        }
    }

    /// Sends pasted lines as far as the session has capacity. A rejected line stops the rest.
    pub(super) fn send_pasted(&mut self, session: &mut Session, now_ms: u64) {
        let Some(pending_paste) = &mut self.pending_paste else { return };
        match pending_paste.send(session, now_ms) {
            Ok(has_sent) => {
                if has_sent {
                    self.display.note_stale();
                }
                self.pending_paste.take_if(|pending_paste| pending_paste.is_sent());
            }
            Err(error) => {
                self.print_notice(&[format!("a pasted line cannot be sent: {error}")]);
                self.stop_pasting();
            }
        }
    }

    /// Stops sending pasted lines; false if none were being sent.
    pub(super) fn stop_pasting(&mut self) -> bool {
        let Some(pending_paste) = self.pending_paste.take() else { return false };
        self.print_notice(&[pending_paste.cancel()]);
        true
    }

    fn open_editor(&mut self) -> io::Result<()> {
        let Some(editor) = chosen_editor(|name| std::env::var(name).ok()) else {
            self.composer.set_hint("no editor is chosen; set EDITOR, as in EDITOR=nano");
            return Ok(());
        };
        let Some((folder, inbox)) = &self.editor_setup else { return Ok(()) };
        self.display.release()?;
        match ExternalEditor::start(&editor, self.composer.text(), folder, inbox.clone()) {
            Ok(external_editor) => self.external_editor = Some(external_editor),
            Err(notice) => {
                self.print_notice(&[notice]);
                self.display.retake()?;
            }
        }
        Ok(())
    }

    /// Replaces the input by the text that the editor has left.
    pub(super) fn editor_closed(&mut self) -> io::Result<()> {
        let Some(external_editor) = self.external_editor.take() else { return Ok(()) };
        let left = external_editor.finish(self.display.out());
        self.display.retake()?;
        match left {
            Ok(text) => self.composer.set_text(&text),
            Err(notice) => self.print_notice(&[notice]),
        }
        self.composer.bind_reply(self.pane.formatter().reply_peer());
        self.display.read_key();
        Ok(())
    }

    /// Stops the process until the shell continues it.
    fn suspend(&mut self) -> io::Result<()> {
        if !self.display.has_device() {
            return Ok(());
        }
        self.display.release()?;
        system::suspend()?;
        self.resumed_at = Some(Instant::now());
        self.display.retake()
    }
}

/// Returns the names and the rooms for completion: recent speakers first, the others in natural
/// order.
fn completion_sources(pane: &MessagePane, session: &Session, now_ms: u64) -> (Vec<String>, Vec<String>) {
    let mut rooms = session.status(now_ms).rooms;
    for room in pane.listed_rooms() {
        if !rooms.contains(room) {
            rooms.push(room.clone());
        }
    }
    let mut names: Vec<String> = pane.speakers().map(str::to_owned).collect();
    let speaker_count = names.len();
    let mut silent: Vec<&str> = session.people_names().filter(|name| *name != pane.formatter().me()).collect();
    silent.sort_by(|one, other| natural_order::compare(one, other));
    for name in silent {
        if !names[..speaker_count].iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    (names, rooms)
}
