//! Keys of members, by the names under which they were first seen on one server.

use std::path::PathBuf;

use glassline_secure::{Fingerprint, Identity};
use glassline_wire::link::IdentityKey;
use glassline_wire::timestamp::Timestamp;

use crate::pin::{Pin, Standing};
use crate::pin_file::{Comparison, PinFile};
use crate::{KeyringError, ServerAddress};

const HEADING: &str = "\
# Keys of members: fingerprint, why it counts, since when, name.
# `glassline keys` shows and changes them.
";
/// Longest name, as a session takes it from a server.
const NAME_BYTES_MAX: usize = 256;

/// A member's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMember {
    /// Address of the server, as it was dialled.
    pub address: ServerAddress,
    /// Name under which it was seen.
    pub name: String,
    /// The key.
    pub key: Fingerprint,
    /// Reason why it counts.
    pub standing: Standing,
    /// Time at which it was first seen.
    pub since: Timestamp,
}

/// Relation of a key to the one known under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberCheck {
    /// No key was known, and this one is from now on.
    New(KnownMember),
    /// It is the known one.
    Known(KnownMember),
    /// Another one is known.
    Changed(ChangedMember),
}

/// The key known under a name, for which another one was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedMember {
    /// The key that counts.
    pub known: KnownMember,
    /// The other one was not refused before.
    pub is_new: bool,
}

/// The file of the members' keys of one server.
#[derive(Debug, Clone)]
pub struct KnownMembers {
    address: ServerAddress,
    file: PinFile,
}

impl KnownMembers {
    pub(crate) fn new(address: ServerAddress, path: PathBuf) -> Self {
        Self { address, file: PinFile::new(path, HEADING, check_line) }
    }

    /// Compares a key with the one known under a name, and keeps the first one seen. A changed one
    /// is kept as refused, so that it can be accepted by its words.
    ///
    /// # Errors
    /// The name has control characters, the bytes are no key, or the file cannot be used: whether
    /// the key is the right one cannot be told.
    pub fn check(&self, name: &str, key: &IdentityKey) -> Result<MemberCheck, KeyringError> {
        let name = checked(name)?;
        let key = Identity::fingerprint_of(key).ok_or(KeyringError::NotAPublicKey)?;
        let first = Pin::now(name, key, Standing::FirstUse);
        let mut known = self.file.find(name)?;
        if known.is_none() {
            if self.file.put_after(None, first.clone())? {
                return Ok(MemberCheck::New(self.member(first)));
            }
            known = self.file.find(name)?;
        }
        match known {
            // Another process has forgotten it just now.
            None => Ok(MemberCheck::New(self.member(first))),
            Some(pin) if pin.key == key => Ok(MemberCheck::Known(self.member(pin))),
            Some(pin) => {
                let is_new = self.file.read()?.iter().all(|seen| seen.subject != name || seen.key != key);
                self.file.put_refused(name, key)?;
                Ok(MemberCheck::Changed(ChangedMember { known: self.member(pin), is_new }))
            }
        }
    }

    /// Returns whether a key counts under some name; `false` if the file cannot be read.
    pub fn knows(&self, key: &IdentityKey) -> bool {
        let (Some(key), Ok(pins)) = (Identity::fingerprint_of(key), self.file.read()) else { return false };
        pins.iter().any(|pin| pin.key == key && pin.standing.is_trusted())
    }

    /// Returns all keys, refused ones among them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<KnownMember>, KeyringError> {
        Ok(self.file.read()?.iter().cloned().map(|pin| self.member(pin)).collect())
    }

    /// Compares a fingerprint, in any form, with the key known under a name. An equal one is
    /// verified from now on.
    ///
    /// # Errors
    /// The text is no fingerprint, or the file cannot be used.
    pub fn verify(&self, name: &str, fingerprint: &str) -> Result<Comparison<KnownMember>, KeyringError> {
        Ok(self.file.verify(name, fingerprint)?.map(|pin| self.member(pin)))
    }

    /// Accepts the key with this fingerprint, in any form, in place of the one known under a name.
    ///
    /// # Errors
    /// The text names no key, or the file cannot be used.
    pub fn accept(&self, name: &str, fingerprint: &str) -> Result<KnownMember, KeyringError> {
        Ok(self.member(self.file.accept(checked(name)?, fingerprint)?))
    }

    /// Forgets the key of a name; returns whether there was one.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn forget(&self, name: &str) -> Result<bool, KeyringError> {
        Ok(self.file.forget(|subject| subject == name)? > 0)
    }

    fn member(&self, Pin { key, standing, since, subject }: Pin) -> KnownMember {
        KnownMember { address: self.address.clone(), name: subject, key, standing, since }
    }
}

/// A name is the end of a line.
fn checked(name: &str) -> Result<&str, KeyringError> {
    let is_kept = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control);
    if is_kept { Ok(name) } else { Err(KeyringError::NotAName) }
}

/// Checks that the name in a line is one that [`checked`] lets be kept: another would count for nobody.
fn check_line(line: &str) -> Result<(), &'static str> {
    let name = line.splitn(4, ' ').nth(3).unwrap_or_default();
    checked(name).map(|_| ()).map_err(|_| "the fourth field is no name of a member")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keyring, ServerAddress};
    use glassline_testkit::Folder;

    fn members(folder: &Folder, address: &str) -> KnownMembers {
        Keyring::open(folder.join("keys")).known_members(&ServerAddress::parse(address).expect(address))
    }

    #[test]
    fn a_name_keeps_its_first_key_on_each_server() {
        let folder = Folder::new();
        let here = members(&folder, "here:1");
        let key = |seed| Identity::from_seed(&[seed; 32]);
        assert!(matches!(here.check("bob b", &key(1).public()), Ok(MemberCheck::New(_))));
        assert!(matches!(here.check("bob b", &key(1).public()), Ok(MemberCheck::Known(_))));
        let changed = here.check("bob b", &key(2).public()).expect("written");
        assert!(matches!(&changed, MemberCheck::Changed(changed) if changed.known.key == key(1).fingerprint()));
        assert!(matches!(changed, MemberCheck::Changed(changed) if changed.is_new));
        let again = here.check("bob b", &key(2).public()).expect("written");
        assert!(matches!(again, MemberCheck::Changed(changed) if !changed.is_new));
        assert!(matches!(members(&folder, "there:1").check("bob b", &key(2).public()), Ok(MemberCheck::New(_))));
        here.accept("bob b", &key(2).fingerprint().words()).expect("seen");
        assert!(matches!(here.check("bob b", &key(2).public()), Ok(MemberCheck::Known(_))));
        assert!(matches!(here.verify("bob b", &key(2).fingerprint().words()), Ok(Comparison::Equal(_))));
        assert_eq!(here.list().expect("read")[0].standing, Standing::Verified);
        assert!(here.forget("bob b").expect("written") && !here.forget("bob b").expect("written"));
    }

    #[test]
    fn a_name_cannot_add_a_line() {
        let folder = Folder::new();
        let here = members(&folder, "here:1");
        let key = Identity::from_seed(&[1; 32]).public();
        for name in ["", "a\nb", "a\rb", "a\u{85}b", &"x".repeat(257)] {
            assert!(here.check(name, &key).is_err(), "{name:?}");
        }
        assert!(matches!(here.check("# no comment", &key), Ok(MemberCheck::New(_))));
        assert_eq!(here.list().expect("read").len(), 1);
    }

    #[test]
    fn a_name_that_nobody_can_have_is_an_error() {
        let folder = Folder::new();
        let address = ServerAddress::parse("here:1").expect("an address");
        let members = || Keyring::open(folder.join("keys")).known_members(&address);
        members().check("eve", &Identity::from_seed(&[1; 32]).public()).expect("kept");
        assert!(members().knows(&Identity::from_seed(&[1; 32]).public()));
        assert!(!members().knows(&Identity::from_seed(&[2; 32]).public()));
        let path = folder.join("keys/members").join(address.file_name());
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(&path, text.replace("eve", "e\u{1b}ve")).expect("written");
        assert!(matches!(members().list(), Err(KeyringError::Damaged { .. })));
    }
}
