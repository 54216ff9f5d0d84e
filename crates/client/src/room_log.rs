//! Optional log of each room's conversation in a plain text file.
//!
//! `logs/SERVER/ROOM.log` in the state folder; only the user can read it. What is said to one
//! person only is never written, and what is said in a sealed room only if the user asks for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use glassline_keyring::create_private_folder;
use glassline_session::Update;
use glassline_wire::event::Event;

use crate::file_lock::wait_for;
use crate::format::messages::Formatter;
use crate::options::JoinOptions;
use crate::preferences::{LogScope, Preferences};
use crate::system::{append_private_file, edit_private_file, is_at};

/// A file that has become this long is put aside as `ROOM.log.1`, in place of the one before.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Files open at a time; for one more, the one that was written to least recently is closed.
const ROOMS_MAX: usize = 64;
/// Held in the folder while a file is put aside. No room's file has this name.
const LOCK_NAME: &str = "rotation.lock";
/// Of a room's name in a file's name.
const NAME_BYTES_MAX: usize = 64;

#[derive(Debug)]
struct RoomFile {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    /// Of all lines that were written, the last one that was for this room.
    last_line: u64,
}

fn is_sealed(update: &Update) -> bool {
    let (Update::Received(event) | Update::Sent { event, .. }) = update else { return false };
    matches!(event, Event::Message(message) if message.sealed.is_some())
}

/// The files of one server.
#[derive(Debug)]
pub(crate) struct RoomLog {
    folder: PathBuf,
    rooms: BTreeMap<String, RoomFile>,
    lines: u64,
    /// Sealed messages are written, too.
    logs_sealed: bool,
    /// A write failed: it was reported, and nothing more is written.
    failed: bool,
}

impl RoomLog {
    /// Returns the log of a session, if it is enabled and there is a folder for it.
    pub(crate) fn wished_for(options: &JoinOptions) -> Option<Self> {
        let folder = options.preferences.state_folder.as_deref()?;
        let log = Self::new(folder, &options.address);
        match options.preferences.log {
            LogScope::Nothing => None,
            LogScope::Unsealed => Some(log),
            LogScope::All => Some(Self { logs_sealed: true, ..log }),
        }
    }

    /// Returns a notice on the log of sealed rooms, for a user who has asked for one.
    pub(crate) fn notice(preferences: &Preferences) -> Option<String> {
        let folder = preferences.state_folder.as_deref().filter(|_| preferences.log == LogScope::All)?;
        Some(format!(
            "log_sealed is on: what is said in sealed rooms is written, readable, to files in {}",
            folder.join("logs").display()
        ))
    }

    /// Logs for the server at `address`, below the state folder; a file is created with its first
    /// line.
    fn new(state_folder: &Path, address: &str) -> Self {
        let folder = state_folder.join("logs").join(file_name(address));
        Self { folder, rooms: BTreeMap::new(), lines: 0, logs_sealed: false, failed: false }
    }

    /// Writes the part of an update that concerns a room. Errors: user text; nothing more is
    /// written then.
    pub(crate) fn note(&mut self, update: &Update, formatter: &Formatter) -> Result<(), String> {
        // Earlier messages were written before, or were not for this log; sealed ones are for nobody
        // who finds a file.
        if self.failed
            || (is_sealed(update) && !self.logs_sealed)
            || matches!(update, Update::Received(Event::History(_)) | Update::HistoryPage { .. })
        {
            return Ok(());
        }
        for line in formatter.lines(update) {
            let Some(room) = line.room.clone() else { continue };
            let at = formatter.clock().moment(line.at.unwrap_or_else(|| formatter.clock().now()));
            let mut rows = crate::format::StyledLine { room: None, ..line }.plain().into_iter();
            let mut text = format!("{at} {}\n", rows.next().unwrap_or_default());
            for row in rows {
                // Writing to memory has no way to fail.
                let _ = writeln!(text, "{row}");
            }
            let written = self.append(&room, text.as_bytes());
            self.held(written)?;
        }
        Ok(())
    }

    /// Hands everything written so far to the system. Errors: as [`RoomLog::note`].
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        if self.failed {
            return Ok(());
        }
        let flushed = self.rooms.values_mut().try_for_each(|room| room.file.flush());
        self.held(flushed)
    }

    fn held(&mut self, done: io::Result<()>) -> Result<(), String> {
        done.map_err(|error| {
            self.failed = true;
            let folder = self.folder.display();
            format!("cannot write the logs in {folder}: {error}; make room there or set log = false, and join again")
        })
    }

    fn append(&mut self, room: &str, text: &[u8]) -> io::Result<()> {
        if !self.rooms.contains_key(room) {
            if self.rooms.len() == ROOMS_MAX {
                self.close_one()?;
            }
            self.rooms.insert(room.to_owned(), RoomFile::open(self.folder.join(file_name(room) + ".log"))?);
        }
        self.lines += 1;
        let Some(file) = self.rooms.get_mut(room) else { return Ok(()) };
        file.last_line = self.lines;
        file.append(text)
    }

    fn close_one(&mut self) -> io::Result<()> {
        let least_recent = self.rooms.iter().min_by_key(|(_, file)| file.last_line).map(|(room, _)| room.clone());
        let closed = least_recent.and_then(|room| self.rooms.remove(&room));
        closed.map_or(Ok(()), |mut closed| closed.file.flush())
    }
}

impl RoomFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        create_private_folder(path.parent().unwrap_or(&path))?;
        let file = append_private_file(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file: BufWriter::new(file), bytes, last_line: 0 })
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        // Another client of the same user may have written, or put the file aside. Asked once for
        // all that is written together.
        if self.file.buffer().is_empty() {
            if is_at(self.file.get_ref(), &self.path)? {
                self.bytes = self.file.get_ref().metadata()?.len();
            } else {
                self.open_again()?;
            }
        }
        if self.bytes + text.len() as u64 > FILE_BYTES_MAX && self.bytes > 0 {
            self.file.flush()?;
            self.put_aside(text.len() as u64)?;
        }
        self.bytes += text.len() as u64;
        self.file.write_all(text)
    }

    /// Puts the file aside, unless another client has done it already or is at it now: twice would
    /// be one log too few.
    fn put_aside(&mut self, more_bytes: u64) -> io::Result<()> {
        let lock = edit_private_file(&self.path.with_file_name(LOCK_NAME))?;
        if !wait_for(|| lock.try_lock())? {
            return Ok(());
        }
        // What others wrote counts too.
        self.open_again()?;
        if self.bytes + more_bytes > FILE_BYTES_MAX && self.bytes > 0 {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.open_again()?;
        }
        Ok(())
    }

    /// To be called when everything is flushed.
    fn open_again(&mut self) -> io::Result<()> {
        let last_line = self.last_line;
        *self = Self { last_line, ..Self::open(self.path.clone())? };
        Ok(())
    }
}

/// A name that any file system takes and that leads nowhere else: letters and digits of any script
/// as they are, the rest in percent.
fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for c in name.chars() {
        if safe.len() + c.len_utf8() * 3 > NAME_BYTES_MAX * 3 {
            break;
        }
        let is_plain = c.is_alphanumeric() || matches!(c, '-' | '_') || (c == '.' && !safe.is_empty());
        if is_plain {
            safe.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to memory has no way to fail.
                let _ = write!(safe, "%{byte:02X}");
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::clock::LocalClock;
    use glassline_wire::timestamp::Timestamp;

    /// A folder that does not exist yet, in one that is removed with the test.
    struct Folder(PathBuf, #[expect(dead_code, reason = "it removes the folder")] glassline_testkit::Folder);

    impl Folder {
        fn new() -> Self {
            let folder = glassline_testkit::Folder::new();
            Self(folder.join("state"), folder)
        }
    }

    fn formatter() -> Formatter {
        let clock = LocalClock::fixed(|| Timestamp::parse("2026-11-22T14:02:03.000Z").expect("an instant"));
        Formatter::with_clock("me", clock)
    }

    fn received(json: &str) -> Update {
        Update::Received(Event::from_json(json.as_bytes()).expect(json))
    }

    #[test]
    fn each_room_has_its_file_and_what_is_for_one_person_has_none() {
        let folder = Folder::new();
        let mut log = RoomLog::new(&folder.0, "here:1234");
        for json in [
            r#"{"type":"message","room":"den","from":"bob","text":"a\nb","at":"2026-11-22T09:00:00.000Z"}"#,
            r#"{"type":"joined","room":"den","names":["eve"],"count":1}"#,
            r#"{"type":"direct","from":"bob","to":"me","text":"secret"}"#,
            r#"{"type":"message","room":"../../x","from":"bob","text":"out"}"#,
        ] {
            log.note(&received(json), &formatter()).expect("written");
        }
        log.flush().expect("written");
        let logs = folder.0.join("logs").join("here%3A1234");
        let den = fs::read_to_string(logs.join("den.log")).expect("a file");
        assert_eq!(den, "2026-11-22 09:00:00 bob > a\n  b\n2026-11-22 14:02:03 * eve joined\n");
        let mut names: Vec<String> = fs::read_dir(&logs)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        assert_eq!(names, ["%2E.%2F..%2Fx.log", "den.log"]);
    }

    #[test]
    fn a_sealed_room_is_logged_only_if_the_user_asks_for_it() {
        let folder = Folder::new();
        let options = |log| JoinOptions {
            address: "here".into(),
            preferences: Preferences { log, state_folder: Some(folder.0.clone()), ..Preferences::default() },
            ..JoinOptions::default()
        };
        assert!(RoomLog::wished_for(&options(LogScope::Nothing)).is_none());
        let message = received(r#"{"type":"message","room":"den","from":"bob","text":"secret","sealed":"AQ"}"#);
        for (scope, expected) in [(LogScope::Unsealed, None), (LogScope::All, Some("bob > secret\n"))] {
            let mut log = RoomLog::wished_for(&options(scope)).expect("a log");
            log.note(&message, &formatter()).expect("written");
            log.flush().expect("written");
            let den = fs::read_to_string(folder.0.join("logs").join("here").join("den.log")).ok();
            assert_eq!(den.as_deref().map(|den| &den[20..]), expected, "{scope:?}");
            let notice = RoomLog::notice(&options(scope).preferences);
            assert_eq!(notice.is_some_and(|notice| notice.contains("readable")), scope == LogScope::All);
        }
    }

    #[test]
    fn a_long_file_is_put_aside() {
        let folder = Folder::new();
        let mut log = RoomLog::new(&folder.0, "here");
        let text = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            log.append("den", &text).expect("written");
        }
        log.flush().expect("written");
        let logs = folder.0.join("logs").join("here");
        let bytes = |name: &str| fs::metadata(logs.join(name)).expect("a file").len();
        assert_eq!((bytes("den.log.1"), bytes("den.log")), (16 << 20, 4 << 20));
    }

    #[test]
    fn a_failure_is_reported_once_and_open_files_are_bounded() {
        let folder = Folder::new();
        fs::write(&folder.0, "a file where the folder should be").expect("written");
        let mut log = RoomLog::new(&folder.0, "here");
        let message = received(r#"{"type":"message","room":"den","from":"bob","text":"x"}"#);
        assert!(log.note(&message, &formatter()).is_err_and(|notice| notice.contains("log = false")));
        assert_eq!(log.note(&message, &formatter()), Ok(()));
        fs::remove_file(&folder.0).expect("removed");
        let mut log = RoomLog::new(&folder.0, "here");
        for room in 0..200 {
            let json = format!(r#"{{"type":"message","room":"r{room}","from":"bob","text":"x"}}"#);
            log.note(&received(&json), &formatter()).expect("written");
            log.note(&received(&json.replace(&format!("r{room}"), "den")), &formatter()).expect("written");
        }
        assert_eq!(log.rooms.len(), ROOMS_MAX);
        assert!(log.rooms.contains_key("den"), "who is written to all the time stays open");
        log.flush().expect("written");
        for room in 0..200 {
            let path = folder.0.join("logs").join("here").join(format!("r{room}.log"));
            assert_eq!(fs::read_to_string(path).expect("a file").lines().count(), 1, "room {room}");
        }
    }

    #[test]
    fn two_clients_lose_nothing_when_the_file_is_put_aside() {
        let folder = Folder::new();
        let mut logs = [RoomLog::new(&folder.0, "here"), RoomLog::new(&folder.0, "here")];
        let line = |client: usize, number: usize| format!("{client}:{number:03} {}\n", "x".repeat(512 * 1024));
        // One and a half files in all: rotated once, by either process.
        for number in 0..24 {
            for (client, log) in logs.iter_mut().enumerate() {
                log.append("den", line(client, number).as_bytes()).expect("written");
                log.flush().expect("written");
            }
        }
        let kept = |name: &str| fs::read_to_string(folder.0.join("logs").join("here").join(name)).expect("a file");
        let kept = kept("den.log.1") + &kept("den.log");
        for (client, number) in (0..2).flat_map(|client| (0..24).map(move |number| (client, number))) {
            assert!(kept.contains(&line(client, number)[..6]), "{client}:{number} is lost");
        }
    }

    #[test]
    fn a_file_that_was_put_aside_by_another_client_is_left() {
        let folder = Folder::new();
        let mut log = RoomLog::new(&folder.0, "here");
        let path = folder.0.join("logs").join("here").join("den.log");
        log.append("den", b"one\n").expect("written");
        log.flush().expect("written");
        fs::rename(&path, path.with_extension("log.1")).expect("put aside");
        log.append("den", b"two\n").expect("written");
        log.flush().expect("written");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "two\n");
    }
}
