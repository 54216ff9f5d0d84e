//! Keys of servers that were joined before, for each address and scheme.

use std::path::PathBuf;

use glassline_secure::Fingerprint;
use glassline_wire::link::LinkKind;
use glassline_wire::timestamp::Timestamp;

use crate::dialled_server::DialledServer;
use crate::pin::{Pin, Standing, now};
use crate::pin_file::{Comparison, PinFile};
use crate::{KeyringError, ServerAddress};

const HEADING: &str = "\
# Keys of servers: fingerprint, why it counts, since when, scheme and address.
# `glassline keys` shows and changes them.
";
/// Schemes with keys.
const SECURE_LINKS: [LinkKind; 2] = [LinkKind::Tls, LinkKind::Noise];

/// A server's key in one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// Address as it was dialled.
    pub address: ServerAddress,
    /// The scheme.
    pub link: LinkKind,
    /// The key.
    pub key: Fingerprint,
    /// Reason why it counts.
    pub standing: Standing,
    /// Time at which it was first seen.
    pub since: Timestamp,
}

impl KnownServer {
    /// Returns a key that is seen now.
    pub(crate) fn now(address: &ServerAddress, link: LinkKind, key: Fingerprint, standing: Standing) -> Self {
        Self { address: address.clone(), link, key, standing, since: now() }
    }
}

/// The file of servers' keys.
#[derive(Debug, Clone)]
pub struct KnownServers {
    file: PinFile,
}

impl KnownServers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { file: PinFile::new(path, HEADING, check_line) }
    }

    /// Returns the trust in the server at one address, for its links.
    pub fn at(&self, address: ServerAddress) -> DialledServer {
        DialledServer::new(self.clone(), address)
    }

    /// Returns all keys, refused ones among them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<KnownServer>, KeyringError> {
        Ok(self.file.read()?.iter().filter_map(known_server).collect())
    }

    /// Returns the keys that count for an address, one for each scheme at most.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn known_at(&self, address: &ServerAddress) -> Result<Vec<KnownServer>, KeyringError> {
        let mut all = self.list()?;
        all.retain(|known| known.address == *address && known.standing.is_trusted());
        Ok(all)
    }

    /// Compares a fingerprint, in any form, with the keys known of a server. An equal one is
    /// verified from now on.
    ///
    /// # Errors
    /// The text is no fingerprint, or the file cannot be used.
    pub fn verify(&self, address: &ServerAddress, fingerprint: &str) -> Result<Comparison<KnownServer>, KeyringError> {
        let mut compared = Comparison::Unknown;
        for link in SECURE_LINKS {
            match self.file.verify(&subject(address, link), fingerprint)? {
                Comparison::Equal(pin) => return Ok(known_server(&pin).map_or(compared, Comparison::Equal)),
                Comparison::Different(pin) => compared = known_server(&pin).map_or(compared, Comparison::Different),
                Comparison::Unknown => {}
            }
        }
        Ok(compared)
    }

    /// Accepts the key with this fingerprint in any form, in place of a known one. Of a key that was
    /// refused or is known the scheme is known too; for another one, given with its digits, it is
    /// `link`.
    ///
    /// # Errors
    /// The text names no key, or the file cannot be used.
    pub fn accept(
        &self,
        address: &ServerAddress,
        fingerprint: &str,
        link: LinkKind,
    ) -> Result<KnownServer, KeyringError> {
        let mut link = link;
        for seen in self.list()?.into_iter().filter(|seen| seen.address == *address) {
            if seen.key.matches(fingerprint)? {
                link = seen.link;
            }
        }
        let Pin { key, standing, since, .. } = self.file.accept(&subject(address, link), fingerprint)?;
        Ok(KnownServer { address: address.clone(), link, key, standing, since })
    }

    /// Forgets all keys of a server, in all schemes; returns their number.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn forget(&self, address: &ServerAddress) -> Result<usize, KeyringError> {
        let subjects = SECURE_LINKS.map(|link| subject(address, link));
        self.file.forget(|meant| subjects.iter().any(|subject| subject == meant))
    }

    pub(crate) fn find(&self, address: &ServerAddress, link: LinkKind) -> Result<Option<KnownServer>, KeyringError> {
        Ok(self.file.find(&subject(address, link))?.as_ref().and_then(known_server))
    }

    /// Makes a key the one that counts, if that is still `known`. Returns `false` where another
    /// process has changed it since.
    pub(crate) fn put_after(&self, known: Option<&KnownServer>, server: &KnownServer) -> Result<bool, KeyringError> {
        self.file.put_after(known.map(pin).as_ref(), pin(server))
    }

    pub(crate) fn put_refused(
        &self,
        address: &ServerAddress,
        link: LinkKind,
        key: Fingerprint,
    ) -> Result<(), KeyringError> {
        self.file.put_refused(&subject(address, link), key)
    }
}

fn subject(address: &ServerAddress, link: LinkKind) -> String {
    format!("{link} {address}")
}

fn pin(server: &KnownServer) -> Pin {
    let &KnownServer { key, standing, since, .. } = server;
    Pin { key, standing, since, subject: subject(&server.address, server.link) }
}

/// Checks that the subject of a line is one that was written here: a pin for another spelling would
/// count for no server. The schemes of later versions are words, too.
fn check_line(line: &str) -> Result<(), &'static str> {
    let why = "the fourth field is no scheme and address such as `tls example.org:1234`";
    let (scheme, address) = line.splitn(4, ' ').nth(3).and_then(|subject| subject.split_once(' ')).ok_or(why)?;
    let is_word = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_written = ServerAddress::parse(address).is_ok_and(|parsed| parsed.to_string() == address);
    if is_word && is_written { Ok(()) } else { Err(why) }
}

/// Returns nothing for the subject of a later version, which the file keeps.
fn known_server(pin: &Pin) -> Option<KnownServer> {
    let (link, address) = pin.subject.split_once(' ')?;
    let link = SECURE_LINKS.into_iter().find(|known| known.as_str() == link)?;
    let address = ServerAddress::parse(address).ok()?;
    Some(KnownServer { address, link, key: pin.key, standing: pin.standing, since: pin.since })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keyring;
    use glassline_testkit::Folder;

    fn key(seed: u8) -> Fingerprint {
        Fingerprint::of_spki(&[seed])
    }

    #[test]
    fn each_scheme_of_an_address_has_its_key() {
        let folder = Folder::new();
        let servers = Keyring::open(folder.join("keys")).known_servers();
        let here = ServerAddress::parse("here:1").expect("an address");
        let there = ServerAddress::parse("there:1").expect("an address");
        for (address, link, seed) in
            [(&here, LinkKind::Tls, 1), (&here, LinkKind::Noise, 2), (&there, LinkKind::Tls, 3)]
        {
            let server = KnownServer::now(address, link, key(seed), Standing::FirstUse);
            assert!(servers.put_after(None, &server).expect("written"));
        }
        servers.put_refused(&here, LinkKind::Noise, key(4)).expect("written");
        assert_eq!(servers.known_at(&here).expect("read").len(), 2);
        assert!(
            matches!(servers.verify(&here, &key(2).words()), Ok(Comparison::Equal(known)) if known.link == LinkKind::Noise)
        );
        assert!(matches!(servers.verify(&here, &key(3).words()), Ok(Comparison::Different(_))));
        // The words name the refused key, and with it the scheme.
        let accepted = servers.accept(&here, &key(4).words(), LinkKind::Tls).expect("refused before");
        assert_eq!((accepted.link, accepted.key, accepted.standing), (LinkKind::Noise, key(4), Standing::Accepted));
        assert_eq!(servers.find(&here, LinkKind::Tls).expect("read").map(|known| known.key), Some(key(1)));
        assert_eq!(servers.forget(&here).expect("written"), 2);
        assert_eq!(servers.list().expect("read").len(), 1);
    }

    #[test]
    fn a_pin_that_would_count_for_nobody_is_an_error() {
        let folder = Folder::new();
        let servers = Keyring::open(folder.join("keys")).known_servers();
        let here = ServerAddress::parse("here:1").expect("an address");
        let server = KnownServer::now(&here, LinkKind::Tls, key(1), Standing::FirstUse);
        servers.put_after(None, &server).expect("written");
        let path = folder.join("keys/known_servers");
        let text = std::fs::read_to_string(&path).expect("a file");
        let change = |from: &str, to: &str| {
            std::fs::write(&path, text.replace(from, to)).expect("written");
            Keyring::open(folder.join("keys")).known_servers().find(&here, LinkKind::Tls)
        };
        // As an editor of another system saves it.
        assert_eq!(change("\n", "\r\n").expect("read").map(|known| known.key), Some(key(1)));
        for subject in
            ["tls \u{1b}[31mhere:1", "tls Here:1", "tls here:1 ", "tls here", "here:1", "Tls here:1", " here:1"]
        {
            assert!(matches!(change("tls here:1", subject), Err(KeyringError::Damaged { .. })), "{subject:?}");
        }
        assert_eq!(change("tls here:1", "mls here:1").expect("of a later version"), None);
    }
}
