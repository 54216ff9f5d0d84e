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
        let possible = session.check_sealing().map_err(|error| error.to_string());
        match possible.and_then(|()| self.keys.check(&room)) {
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
            Passphrase::new(typed).map_err(|error| error.to_string())
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
                "after this your program no longer takes {} as sealed and forgets its key: what you send there may be \
                 readable for the server and everybody on the way. While others keep it sealed, nothing readable is \
                 sent there. /unseal again does it",
                name(&room)
            );
            self.unsealing = Some(room);
            return self.print_notice(&[asked]);
        }
        self.unsealing = None;
        let report = match self.keys.unseal(&room) {
            Ok(()) => format!(
                "{} is not sealed here any more. While others keep it sealed the server relays sealed messages \
                 only, and nothing readable is sent there; once they do not, what you send is readable",
                name(&room)
            ),
            Err(why) => format!("{} stays sealed: {why}", name(&room)),
        };
        self.print_notice(&[report]);
    }
}
