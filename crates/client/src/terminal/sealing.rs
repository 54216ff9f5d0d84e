//! `/seal` and `/unseal` at the terminal.

use glassline_secure::SystemRandom;
use glassline_secure::seal::Passphrase;
use glassline_session::Session;

use super::Terminal;
use crate::format::safe::name;

impl Terminal {
    /// Asks for the passphrase of the current room.
    pub(super) fn ask_passphrase(&mut self, session: &Session, now_ms: u64) {
        let Some(room) = session.status(now_ms).room else {
            return self.print_notice(&["you are in no room; enter one with /join ROOM".to_owned()]);
        };
        match self.keys.check(&room) {
            Ok(()) => self.composer.ask_passphrase(&room),
            Err(why) => self.print_notice(&[why]),
        }
    }

    /// Seals a room with what was typed, or with a passphrase of its own.
    pub(super) fn take_passphrase(&mut self, room: &str, typed: &str) {
        let passphrase = if typed.trim().is_empty() {
            let Ok(made) = Passphrase::generate(&mut SystemRandom) else {
                return self.print_notice(&["the system gives no random numbers; enter a passphrase".to_owned()]);
            };
            self.print_notice(&[format!(
                "the passphrase of {} is {}: tell it to the members in another way, such as by voice; it is kept \
                 nowhere",
                name(room),
                made.expose()
            )]);
            Ok(made)
        } else {
            let given = Passphrase::new(typed).map_err(|error| error.to_string());
            if given.as_ref().is_ok_and(Passphrase::is_weak) {
                self.print_notice(&["this passphrase is weak: whoever records the messages can guess it with a \
                                     program. /seal and Enter alone make one of six random words"
                    .to_owned()]);
            }
            given
        };
        let report = passphrase.and_then(|passphrase| self.keys.seal(room, passphrase));
        self.print_notice(&[report.unwrap_or_else(|why| why)]);
    }

    /// Ends the sealing of the current room at the second time in a row.
    pub(super) fn unseal(&mut self, session: &Session, now_ms: u64) {
        let Some(room) = session.status(now_ms).room.filter(|room| self.keys.is_sealed(room)) else {
            return self.print_notice(&["the room you are in is not sealed here".to_owned()]);
        };
        if self.unsealing.as_ref() != Some(&room) {
            let asked = format!(
                "after this the server, and everybody on the way to it, can read what you send to {}; your keys of it \
                 are forgotten. /unseal again does it",
                name(&room)
            );
            self.unsealing = Some(room);
            return self.print_notice(&[asked]);
        }
        self.unsealing = None;
        let report = match self.keys.unseal(&room) {
            Ok(()) => format!("{} is not sealed here any more: what you send there is readable", name(&room)),
            Err(why) => format!("{} stays sealed: {why}", name(&room)),
        };
        self.print_notice(&[report]);
    }
}
