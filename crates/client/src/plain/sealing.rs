//! `/seal` and `/unseal` in lines at a terminal: a question whose answer is not echoed.

use std::io;

use glassline_session::Session;

use super::Plain;
use crate::keyboard::event::{Code, Key, TerminalEvent};
use crate::terminal::editing::passphrase::{PassphrasePrompt, PassphraseStep};
use crate::terminal::keymap::{Action, Keymap};

const NO_TERMINAL: &str = "/seal and /unseal ask for something that must not be shown, which is possible at a \
                           terminal only; here start with `glassline join --seal ROOM=FILE`, a file with the passphrase";

impl Plain {
    /// Asks for the passphrase of the current room.
    pub(super) fn ask_passphrase(&mut self, session: &Session, now_ms: u64) -> io::Result<()> {
        if self.terminal.is_none() {
            return self.not_sent(NO_TERMINAL);
        }
        match self.dialogue.room_to_seal(session, now_ms) {
            Ok(room) => {
                let prompt = PassphrasePrompt::new(&room);
                self.print_notice(&prompt.question())?;
                self.asking = Some(prompt);
                Ok(())
            }
            Err(why) => self.print_notice(&why),
        }
    }

    /// Ends the sealing of the current room, once it is confirmed.
    pub(super) fn unseal(&mut self, session: &Session, now_ms: u64) -> io::Result<()> {
        if self.terminal.is_none() {
            return self.not_sent(NO_TERMINAL);
        }
        let notice = self.dialogue.unseal(session, now_ms);
        self.print_notice(&notice)
    }

    /// Takes a key of the answer; nothing of it is shown.
    pub(super) fn answer(&mut self, mut prompt: PassphrasePrompt, event: TerminalEvent) -> io::Result<()> {
        let Some(action) = action(event) else {
            self.asking = Some(prompt);
            return Ok(());
        };
        if action == Action::Suspend {
            self.asking = Some(prompt);
            return self.suspend();
        }
        match prompt.act(&action) {
            PassphraseStep::Continue => {
                self.asking = Some(prompt);
                Ok(())
            }
            PassphraseStep::Cancelled => self.print_notice("nothing was sealed"),
            PassphraseStep::Given => {
                let (room, typed) = prompt.into_parts();
                let notices = self.dialogue.take_passphrase(&room, &typed);
                notices.iter().try_for_each(|notice| self.print_notice(notice))
            }
        }
    }
}

/// Returns the meaning of a key, which differs from that in the terminal mode in two ways: Enter
/// comes as a line feed, and Ctrl-D ends the question.
fn action(event: TerminalEvent) -> Option<Action> {
    match event {
        TerminalEvent::Key(Key { code: Code::Char('j' | 'm'), control: true, .. }) => Some(Action::Enter),
        TerminalEvent::Key(Key { code: Code::Char('d'), control: true, .. }) => Some(Action::Cancel),
        event => Keymap::default().action(event),
    }
}
