//! Statements of a server about sealed rooms: which are sealed, and what it refuses.

use glassline_secure::seal::Envelope;
use glassline_wire::event::{ErrorCode, Rejection};

use super::State;

impl State {
    /// Takes what the server tells when the user enters a room: the beginning of the newest sealed
    /// message where the room is sealed. Returns what to tell the user.
    pub(super) fn enter(&mut self, name: &str, sealed: Option<&str>) -> Option<String> {
        let Some(beginning) = sealed else {
            let room = self.rooms.get_mut(name)?;
            room.note_others(false);
            return room.first_key().is_some().then(|| {
                format!("nobody has sealed {name} yet, as far as the server tells: the first key is yours to begin")
            });
        };
        let room = self.room(name).ok()?;
        room.note_others(true);
        let is_by_others = room.is_sealed_by_others();
        if let Ok(record) = Envelope::record_at_beginning(beginning) {
            self.note_record(name, &record);
        }
        if self.rooms.get(name).is_some_and(|room| room.is_sealed() && room.lacks_record()) {
            return Some(format!(
                "{name} is sealed under a key of which the server does not tell; nothing is sent there until the next \
                 sealed message shows it"
            ));
        }
        is_by_others.then(|| {
            format!(
                "{name} is sealed by its members: /seal with its passphrase lets you read and write; until then \
                 nothing you type is sent there"
            )
        })
    }

    /// Notes that the server has relayed a sealed message. Returns what to tell of a new key.
    pub(super) fn take_relayed(&mut self, name: &str) -> Option<String> {
        let room = self.rooms.get_mut(name)?;
        let report = room.confirm()?;
        // A refusal before may have taken it out of the file.
        let record = room.current().cloned();
        Some(report + &record.map_or_else(String::new, |record| self.keep(&record)))
    }

    /// Takes the refusal of a message. Returns what to tell a person instead: a sealing that the
    /// server has refused is undone.
    pub(super) fn take_refusal(&mut self, name: &str, rejection: &Rejection) -> Option<String> {
        match rejection.code {
            ErrorCode::RoomSealed => {
                self.room(name).ok()?.note_others(true);
                None
            }
            ErrorCode::NotSealed => {
                let room = self.rooms.get(name).filter(|room| room.is_first_key_refused())?;
                let forgotten = self.files.as_ref().map_or(Ok(()), |files| files.rooms.forget(name));
                if room.is_bound() {
                    // What is sent there stays for members only; only the user ends that.
                    return None;
                }
                self.rooms.remove(name);
                let kept = forgotten.err().map_or_else(String::new, |error| {
                    format!("; the next start takes it as sealed all the same, since this failed: {error}")
                });
                Some(format!(
                    "your key of {name} is given up, and what you write there is readable. The server: {}{kept}",
                    rejection.text
                ))
            }
            _ => None,
        }
    }
}
