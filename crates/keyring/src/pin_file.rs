//! File of keys that were seen: for each subject the key that counts, and the one refused last.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use glassline_secure::Fingerprint;

use crate::KeyringError;
use crate::line_file::{LineFile, LineFormat};
use crate::pin::{Pin, Standing};
use crate::private_file::FileStamp;

/// Longest file: above [`ENTRIES_MAX`] lines of servers and of members.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Keys in one file. A server decides how many names it shows, so the file of its members is full
/// at some point; nothing is put out for a new one.
const ENTRIES_MAX: usize = 8_192;

/// Outcome of comparing a fingerprint with the key that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison<T> {
    /// It is this key, which is verified from now on.
    Equal(T),
    /// Another key is known.
    Different(T),
    /// None is known.
    Unknown,
}

impl<T> Comparison<T> {
    /// Returns the outcome with another description of the known key.
    pub fn map<U>(self, describe: impl FnOnce(T) -> U) -> Comparison<U> {
        match self {
            Self::Equal(known) => Comparison::Equal(describe(known)),
            Self::Different(known) => Comparison::Different(describe(known)),
            Self::Unknown => Comparison::Unknown,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct PinFile {
    file: LineFile,
    /// Pins as they were read last: the key of each sealed message is looked up.
    last_read: Arc<Mutex<Option<LastRead>>>,
}

#[derive(Debug)]
struct LastRead {
    stamp: FileStamp,
    pins: Arc<[Pin]>,
}

impl PinFile {
    /// Returns the file whose subjects pass `check`, which gets each line.
    pub(crate) fn new(path: PathBuf, heading: &'static str, check: fn(&str) -> Result<(), &'static str>) -> Self {
        let format = LineFormat { heading, bytes_max: FILE_BYTES_MAX, entries_max: ENTRIES_MAX, check };
        Self { file: LineFile::new(path, format), last_read: Arc::default() }
    }

    /// Returns all pins, those of one subject together.
    pub(crate) fn read(&self) -> Result<Arc<[Pin]>, KeyringError> {
        let mut last_read = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken before the reading, so that a later writing is noticed.
        let stamp = self.file.stamp();
        if let Some(last) = last_read.as_ref().filter(|last| Some(last.stamp) == stamp) {
            return Ok(Arc::clone(&last.pins));
        }
        let pins: Arc<[Pin]> = self.file.read()?.into();
        *last_read = stamp.map(|stamp| LastRead { stamp, pins: Arc::clone(&pins) });
        Ok(pins)
    }

    /// Returns the pin that counts for a subject.
    pub(crate) fn find(&self, subject: &str) -> Result<Option<Pin>, KeyringError> {
        Ok(self.read()?.iter().find(|pin| counts_for(pin, subject)).cloned())
    }

    /// Makes a key the one that counts for its subject; the one before is gone.
    pub(crate) fn put(&self, pin: Pin) -> Result<(), KeyringError> {
        self.edit(|pins| replace(pins, pin))
    }

    /// As [`put`](Self::put), if the key that counts is still `known`. Returns `false` where another
    /// process has changed it since.
    pub(crate) fn put_after(&self, known: Option<&Pin>, pin: Pin) -> Result<bool, KeyringError> {
        self.edit(|pins| {
            let is_unchanged = pins.iter().find(|other| counts_for(other, &pin.subject)) == known;
            if is_unchanged {
                replace(pins, pin);
            }
            is_unchanged
        })
    }

    /// Keeps a key that was refused in place of the known one, so that it can be named by its words.
    pub(crate) fn put_refused(&self, subject: &str, key: Fingerprint) -> Result<(), KeyringError> {
        self.edit(|pins| {
            pins.retain(|known| known.subject != subject || known.standing.is_trusted());
            pins.push(Pin::now(subject, key, Standing::Refused));
        })
    }

    /// Removes what is known of the subjects; returns the number of keys that counted.
    pub(crate) fn forget(&self, is_meant: impl Fn(&str) -> bool) -> Result<usize, KeyringError> {
        self.edit(|pins| {
            let forgotten = pins.iter().filter(|pin| is_meant(&pin.subject) && pin.standing.is_trusted()).count();
            pins.retain(|pin| !is_meant(&pin.subject));
            forgotten
        })
    }

    /// Compares a fingerprint, in any form, with the key that counts; an equal one is verified.
    pub(crate) fn verify(&self, subject: &str, fingerprint: &str) -> Result<Comparison<Pin>, KeyringError> {
        let Some(known) = self.find(subject)? else { return Ok(Comparison::Unknown) };
        if !known.key.matches(fingerprint)? {
            return Ok(Comparison::Different(known));
        }
        let verified = Pin { standing: Standing::Verified, ..known };
        self.put(verified.clone())?;
        Ok(Comparison::Equal(verified))
    }

    /// Makes the key with this fingerprint, in any form, the one that counts for the subject.
    pub(crate) fn accept(&self, subject: &str, fingerprint: &str) -> Result<Pin, KeyringError> {
        let mut seen = None;
        for pin in self.read()?.iter().filter(|pin| pin.subject == subject) {
            if pin.key.matches(fingerprint)? {
                seen = Some(pin.key);
            }
        }
        let key = match seen {
            Some(key) => key,
            None => named_by(fingerprint)?,
        };
        let pin = Pin::now(subject, key, Standing::Accepted);
        self.put(pin.clone())?;
        Ok(pin)
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Vec<Pin>) -> T) -> Result<T, KeyringError> {
        self.file.edit(|pins| {
            let changed = change(pins);
            // The key that counts stands before the refused one.
            pins.sort_by_cached_key(|pin| (pin.subject.clone(), !pin.standing.is_trusted()));
            changed
        })
    }
}

fn replace(pins: &mut Vec<Pin>, pin: Pin) {
    pins.retain(|known| known.subject != pin.subject || (!known.standing.is_trusted() && known.key != pin.key));
    pins.push(pin);
}

fn counts_for(pin: &Pin, subject: &str) -> bool {
    pin.subject == subject && pin.standing.is_trusted()
}

/// Returns the key of a fingerprint with its digits.
fn named_by(fingerprint: &str) -> Result<Fingerprint, KeyringError> {
    fingerprint.parse().map_err(|error| {
        // The words alone are a fingerprint as it is shown, too.
        let is_words = Fingerprint::from_bytes([0; 32]).matches(fingerprint).is_ok();
        if is_words { KeyringError::UnknownWords } else { KeyringError::Fingerprint(error) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_file::Line;
    use glassline_testkit::Folder;

    fn file(folder: &Folder) -> PinFile {
        PinFile::new(folder.join("keys/known"), "# Keys.\n", |_| Ok(()))
    }

    fn key(seed: u8) -> Fingerprint {
        Fingerprint::of_spki(&[seed])
    }

    #[test]
    fn a_subject_has_one_key_that_counts() {
        let folder = Folder::new();
        let file = file(&folder);
        assert_eq!(file.find("a").expect("no file"), None);
        file.put(Pin::now("b", key(2), Standing::FirstUse)).expect("written");
        file.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
        file.put_refused("a", key(3)).expect("written");
        file.put_refused("a", key(4)).expect("written");
        assert_eq!(file.find("a").expect("read").map(|pin| pin.key), Some(key(1)));
        assert_eq!(file.read().expect("read").len(), 3, "one refused key for each subject");
        file.put(Pin::now("a", key(5), Standing::Authority)).expect("written");
        assert_eq!(file.find("a").expect("read").map(|pin| pin.key), Some(key(5)));
        assert_eq!(file.forget(|subject| subject == "a").expect("written"), 1);
        assert_eq!((file.find("a").expect("read"), file.read().expect("read").len()), (None, 1));
    }

    #[test]
    fn of_two_first_keys_one_counts() {
        let folder = Folder::new();
        let file = file(&folder);
        let (one, other) = (Pin::now("a", key(1), Standing::FirstUse), Pin::now("a", key(2), Standing::FirstUse));
        assert!(file.put_after(None, one.clone()).expect("written"));
        assert!(!file.put_after(None, other.clone()).expect("read"));
        assert_eq!(file.find("a").expect("read"), Some(one.clone()));
        assert!(file.put_after(Some(&one), other).expect("written"));
    }

    #[test]
    fn each_form_of_a_fingerprint_verifies_its_key_only() {
        let folder = Folder::new();
        let file = file(&folder);
        file.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
        assert_eq!(file.verify("b", &key(1).words()).expect("read"), Comparison::Unknown);
        assert!(matches!(file.verify("a", &key(2).words()), Ok(Comparison::Different(_))));
        assert_eq!(file.find("a").expect("read").map(|pin| pin.standing), Some(Standing::FirstUse));
        assert!(matches!(file.verify("a", "abandn"), Err(KeyringError::Fingerprint(_))));
        for form in [key(1).words(), key(1).hex(), key(1).to_string()] {
            file.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
            assert!(matches!(file.verify("a", &form), Ok(Comparison::Equal(_))), "{form}");
            assert_eq!(file.find("a").expect("read").map(|pin| pin.standing), Some(Standing::Verified));
        }
    }

    #[test]
    fn words_name_a_key_that_was_refused_before() {
        let folder = Folder::new();
        let file = file(&folder);
        file.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
        assert!(matches!(file.accept("a", &key(2).words()), Err(KeyringError::UnknownWords)));
        assert!(matches!(file.accept("a", "two words"), Err(KeyringError::Fingerprint(_))));
        file.put_refused("a", key(2)).expect("written");
        assert_eq!(file.accept("a", &key(2).words()).expect("seen").key, key(2));
        assert_eq!(
            file.find("a").expect("read").map(|pin| (pin.key, pin.standing)),
            Some((key(2), Standing::Accepted))
        );
        assert_eq!(file.read().expect("read").len(), 1, "the old one and the refused one are gone");
        assert_eq!(file.accept("a", &key(9).to_string()).expect("named").key, key(9));
    }

    #[test]
    fn a_damaged_line_is_reported_and_nothing_is_lost() {
        let folder = Folder::new();
        let file = file(&folder);
        file.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
        let text = std::fs::read_to_string(file.file.path()).expect("a file");
        assert!(text.starts_with("# Keys.\n"), "{text}");
        let broken = text.replace("first-use", "fisrt-use");
        std::fs::write(file.file.path(), &broken).expect("written");
        for error in [file.find("a").expect_err("damaged"), file.put_refused("a", key(2)).expect_err("damaged")] {
            assert!(error.to_string().contains("known, line 2: the second field"), "{error}");
        }
        assert_eq!(std::fs::read_to_string(file.file.path()).expect("a file"), broken);
    }

    #[test]
    fn a_file_that_another_process_replaced_is_read_again() {
        let folder = Folder::new();
        let (here, there) = (file(&folder), file(&folder));
        here.put(Pin::now("a", key(1), Standing::FirstUse)).expect("written");
        for seed in 2..50 {
            assert_eq!(here.find("a").expect("read").map(|pin| pin.key), Some(key(seed - 1)));
            // As long as the one before, and at the same instant for a coarse clock.
            there.put(Pin::now("a", key(seed), Standing::FirstUse)).expect("written");
        }
    }

    #[test]
    fn a_full_file_puts_nothing_out() {
        let folder = Folder::new();
        let file = file(&folder);
        file.put(Pin::now("0", key(1), Standing::FirstUse)).expect("written");
        let lines: String =
            (0..ENTRIES_MAX).map(|at| Pin::now(&at.to_string(), key(1), Standing::FirstUse).line()).collect();
        std::fs::write(file.file.path(), lines).expect("written");
        assert!(matches!(file.put(Pin::now("new", key(2), Standing::FirstUse)), Err(KeyringError::Full { .. })));
        file.put(Pin::now("7", key(2), Standing::FirstUse)).expect("known before");
        assert_eq!(file.find("7").expect("read").map(|pin| pin.key), Some(key(2)));
    }
}
