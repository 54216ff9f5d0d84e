//! `/seal` and `/unseal` at the terminal.

use glassline_session::Session;

use super::Terminal;

impl Terminal {
    /// Asks for the passphrase of the current room.
    pub(super) fn ask_passphrase(&mut self, session: &Session, now_ms: u64) {
        match self.dialogue.room_to_seal(session, now_ms) {
            Ok(room) => self.composer.ask_passphrase(&room),
            Err(why) => self.print_notice(&[why]),
        }
    }

    /// Seals a room with what was typed.
    pub(super) fn take_passphrase(&mut self, room: &str, typed: &str) {
        let notices = self.dialogue.take_passphrase(room, typed);
        self.print_notice(&notices);
    }

    /// Ends the sealing of the current room, once it is confirmed.
    pub(super) fn unseal(&mut self, session: &Session, now_ms: u64) {
        let notice = self.dialogue.unseal(session, now_ms);
        self.print_notice(&[notice]);
    }
}
