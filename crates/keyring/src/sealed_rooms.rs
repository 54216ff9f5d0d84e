//! Rooms that a person has sealed on one server, each with the newest record of its key. Nothing
//! that a server says changes them.

use std::path::PathBuf;

use glassline_secure::seal::EpochRecord;
use glassline_wire::hex;

use crate::KeyringError;
use crate::line_file::{Line, LineFile, LineFormat};

const HEADING: &str = "\
# Rooms that are sealed, as the records of their keys in hexadecimal digits; no passphrase is here.
# /seal and /unseal change them.
";
/// Above that many of the longest records.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;
const FORMAT: LineFormat =
    LineFormat { heading: HEADING, bytes_max: FILE_BYTES_MAX, entries_max: SealedRooms::ROOMS_MAX, check: |_| Ok(()) };

/// The file of the sealed rooms of one server.
#[derive(Debug, Clone)]
pub struct SealedRooms {
    file: LineFile,
}

impl SealedRooms {
    /// Rooms in one file.
    pub const ROOMS_MAX: usize = 1_024;

    pub(crate) fn new(path: PathBuf) -> Self {
        Self { file: LineFile::new(path, FORMAT) }
    }

    /// Returns the newest record of each room.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no record: which rooms are sealed cannot be told.
    pub fn read(&self) -> Result<Vec<EpochRecord>, KeyringError> {
        self.file.read()
    }

    /// Keeps a record as the newest of its room, unless the one that is kept is newer.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn put(&self, record: &EpochRecord) -> Result<(), KeyringError> {
        self.file.edit(|records: &mut Vec<EpochRecord>| {
            let is_newest = !records.iter().any(|kept| kept.room() == record.room() && kept.number() > record.number());
            if is_newest {
                records.retain(|kept| kept.room() != record.room());
                records.push(record.clone());
            }
        })
    }

    /// Forgets that a room is sealed.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn forget(&self, room: &str) -> Result<(), KeyringError> {
        self.file.edit(|records: &mut Vec<EpochRecord>| records.retain(|kept| kept.room() != room))
    }
}

impl Line for EpochRecord {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let record = hex::decode(line).and_then(|bytes| Self::read(&bytes).ok());
        record.ok_or("it is no record of a sealed room")
    }

    fn line(&self) -> String {
        hex::encode(self.as_bytes()) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use glassline_secure::seal::Passphrase;
    use glassline_secure::{Identity, SystemRandom};
    use glassline_testkit::Folder;

    use super::*;
    use crate::{Keyring, ServerAddress};

    fn record(room: &str, previous: Option<&EpochRecord>) -> EpochRecord {
        let passphrase = Passphrase::new("words").expect("a passphrase");
        let begun = EpochRecord::begin(room, previous, &passphrase, &Identity::from_seed(&[1; 32]), &mut SystemRandom);
        begun.expect("begins").0
    }

    #[test]
    fn a_sealed_room_is_remembered_with_its_newest_record() {
        let folder = Folder::new();
        let rooms = || {
            let address = ServerAddress::parse("here:1").expect("an address");
            Keyring::open(folder.join("keys")).sealed_rooms(&address)
        };
        assert_eq!(rooms().read().expect("no file"), []);
        let (den, attic) = (record("den", None), record("attic", None));
        let next = record("den", Some(&den));
        for record in [&den, &attic, &next, &den] {
            rooms().put(record).expect("written");
        }
        assert_eq!(rooms().read().expect("read"), [attic.clone(), next]);
        rooms().forget("den").expect("written");
        assert_eq!(rooms().read().expect("read"), [attic]);
    }

    #[test]
    fn a_damaged_line_is_an_error() {
        let folder = Folder::new();
        let rooms = SealedRooms::new(folder.join("keys/sealed"));
        rooms.put(&record("den", None)).expect("written");
        let text = std::fs::read_to_string(folder.join("keys/sealed")).expect("a file");
        for broken in [text.replacen("\n01", "\n02", 1), text.trim_end().to_owned() + "0", "x".into()] {
            std::fs::write(folder.join("keys/sealed"), broken).expect("written");
            assert!(matches!(rooms.read(), Err(KeyringError::Damaged { .. })));
        }
    }
}
