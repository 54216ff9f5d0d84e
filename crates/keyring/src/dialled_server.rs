//! Trust in the server at one address: the first key is taken, another one later is not.

use std::sync::{Mutex, PoisonError};

use glassline_secure::{Authority, ServerOffer, ServerTrust, Untrusted};

use crate::pin::Standing;
use crate::{KeyringError, KnownServer, KnownServers, ServerAddress};

/// The server at one address, as far as its keys are known.
#[derive(Debug)]
pub struct DialledServer {
    servers: KnownServers,
    address: ServerAddress,
    /// The key that was accepted last, and whether that was the first time.
    accepted: Mutex<Option<(KnownServer, bool)>>,
}

/// Consequence of an offered key.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It is the known one.
    Pass(KnownServer),
    /// It is the one that counts from now on.
    Put(KnownServer),
    /// It is not the known one.
    Stop(KnownServer),
}

fn decide(known: Option<KnownServer>, address: &ServerAddress, offer: &ServerOffer) -> Decision {
    let is_vouched_for = offer.authority == Authority::Valid;
    let offered = |standing| KnownServer::now(address, offer.link, offer.key, standing);
    match known {
        None => Decision::Put(offered(if is_vouched_for { Standing::Authority } else { Standing::FirstUse })),
        Some(known) if known.key == offer.key => match known.standing {
            Standing::FirstUse if is_vouched_for => {
                Decision::Put(KnownServer { standing: Standing::Authority, ..known })
            }
            _ => Decision::Pass(known),
        },
        // Programs that renew certificates change keys.
        Some(known) if known.standing == Standing::Authority && is_vouched_for => {
            Decision::Put(offered(Standing::Authority))
        }
        Some(known) => Decision::Stop(known),
    }
}

impl DialledServer {
    pub(crate) fn new(servers: KnownServers, address: ServerAddress) -> Self {
        Self { servers, address, accepted: Mutex::new(None) }
    }

    /// The address.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Returns the key that the last handshake has proven; `true` with it if it was the first one
    /// ever seen of this server.
    pub fn accepted(&self) -> Option<(KnownServer, bool)> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the keys that count for this server, one for each scheme at most.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn known(&self) -> Result<Vec<KnownServer>, KeyringError> {
        self.servers.known_at(&self.address)
    }

    fn unknowable(&self, error: &KeyringError) -> Untrusted {
        Untrusted(format!("cannot tell whether the key of {} is the right one: {error}", self.address))
    }

    /// Decides once; `None` where another process has changed what is known meanwhile.
    fn try_check(&self, offer: &ServerOffer) -> Result<Option<Result<(), Untrusted>>, KeyringError> {
        let known = self.servers.find(&self.address, offer.link)?;
        let accepted = match decide(known.clone(), &self.address, offer) {
            Decision::Pass(known) => known,
            Decision::Put(server) if self.servers.put_after(known.as_ref(), &server)? => server,
            Decision::Put(_) => return Ok(None),
            Decision::Stop(known) => {
                // Kept for the user's convenience only: the digits name it as well.
                let _ = self.servers.put_refused(&self.address, offer.link, offer.key);
                return Ok(Some(Err(changed_key(&known, offer))));
            }
        };
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some((accepted, known.is_none()));
        Ok(Some(Ok(())))
    }
}

impl ServerTrust for DialledServer {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        loop {
            match self.try_check(offer) {
                Ok(Some(decided)) => return decided,
                // The other process has made progress, so this ends.
                Ok(None) => {}
                Err(error) => return Err(self.unknowable(&error)),
            }
        }
    }
}

fn changed_key(known: &KnownServer, offer: &ServerOffer) -> Untrusted {
    let KnownServer { address, link, key, standing, since } = known;
    let authority = match (&offer.authority, standing) {
        (Authority::Valid, _) => "\nA certificate authority vouches for the offered one.".to_owned(),
        (Authority::None(why), Standing::Authority) => {
            format!("\nA certificate authority vouched for the known one, and none vouches for the offered one: {why}.")
        }
        (Authority::None(_), _) => String::new(),
    };
    Untrusted(format!(
        "{address} shows another key than before ({link}): it has a new one, or somebody on the way answers in its \
         place. Nothing was sent to it.\n\
         known since {since}, {standing}: {key}\n\
         offered now: {offered}{authority}\n\
         Ask the owner of that machine, in another way than through this link, which one is right: there, `glassline \
         keys show` shows the server's key, as `glassline serve` does when it starts.\n\
         If it is the offered one: glassline keys trust {address} {hex}",
        since = since.in_words(),
        standing = standing.in_words(),
        offered = offer.key,
        hex = offer.key.hex(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keyring;
    use glassline_secure::Fingerprint;
    use glassline_testkit::Folder;
    use glassline_wire::link::LinkKind;

    struct Case {
        folder: Folder,
        server: DialledServer,
    }

    impl Case {
        fn new() -> Self {
            let folder = Folder::new();
            let servers = Keyring::open(folder.join("keys")).known_servers();
            let address = ServerAddress::parse("example.org:1234").expect("an address");
            Self { folder, server: servers.at(address) }
        }

        fn offer(&self, key: u8, authority: Authority) -> Result<(Standing, bool), String> {
            let offer = ServerOffer { link: LinkKind::Tls, key: Fingerprint::of_spki(&[key]), authority };
            self.server.check(&offer).map_err(|untrusted| untrusted.0)?;
            let (known, is_first) = self.server.accepted().expect("accepted");
            assert_eq!(known.key, offer.key);
            Ok((known.standing, is_first))
        }
    }

    fn unsigned() -> Authority {
        Authority::None("it is self-signed".to_owned())
    }

    #[test]
    fn the_first_key_is_taken_and_another_stops_with_all_facts() {
        let case = Case::new();
        assert_eq!(case.offer(1, unsigned()), Ok((Standing::FirstUse, true)));
        assert_eq!(case.offer(1, unsigned()), Ok((Standing::FirstUse, false)));
        let known = case.server.known().expect("read").remove(0);
        for _ in 0..2 {
            let text = case.offer(2, unsigned()).expect_err("another key");
            let offered = Fingerprint::of_spki(&[2]);
            for fact in [
                known.key.to_string(),
                offered.to_string(),
                format!("known since {}", known.since.in_words()),
                format!("glassline keys trust example.org:1234 {}", offered.hex()),
                "glassline keys show".to_owned(),
            ] {
                assert!(text.contains(&fact), "{fact}: {text}");
            }
        }
        assert_eq!(case.offer(1, unsigned()), Ok((Standing::FirstUse, false)), "the known key stays the right one");
        case.server.servers.accept(&known.address, &Fingerprint::of_spki(&[2]).words(), LinkKind::Noise).expect("seen");
        assert_eq!(case.offer(2, unsigned()), Ok((Standing::Accepted, false)));
        assert!(case.offer(1, unsigned()).is_err());
    }

    #[test]
    fn an_authority_allows_other_keys_until_none_vouches() {
        let case = Case::new();
        assert_eq!(case.offer(1, Authority::Valid), Ok((Standing::Authority, true)));
        assert_eq!(case.offer(2, Authority::Valid), Ok((Standing::Authority, false)));
        let text = case.offer(3, unsigned()).expect_err("no authority");
        assert!(text.contains("none vouches for the offered one: it is self-signed"), "{text}");
        assert_eq!(case.offer(2, unsigned()), Ok((Standing::Authority, false)), "the same key");
        assert_eq!(case.offer(4, Authority::Valid), Ok((Standing::Authority, false)));
    }

    #[test]
    fn an_authority_does_not_replace_a_pinned_key() {
        let case = Case::new();
        assert_eq!(case.offer(1, unsigned()), Ok((Standing::FirstUse, true)));
        let text = case.offer(2, Authority::Valid).expect_err("another key");
        assert!(text.contains("vouches for the offered one"), "{text}");
        assert_eq!(case.offer(1, Authority::Valid), Ok((Standing::Authority, false)), "the same key gets a reason");
        assert_eq!(case.offer(2, Authority::Valid), Ok((Standing::Authority, false)));
    }

    #[test]
    fn a_verified_key_stays_the_users_decision() {
        let case = Case::new();
        assert!(case.offer(1, unsigned()).is_ok());
        let words = Fingerprint::of_spki(&[1]).words();
        case.server.servers.verify(case.server.address(), &words).expect("equal");
        assert_eq!(case.offer(1, Authority::Valid), Ok((Standing::Verified, false)));
        assert!(case.offer(2, Authority::Valid).is_err());
    }

    #[test]
    fn without_readable_keys_no_key_is_taken() {
        let case = Case::new();
        assert!(case.offer(1, unsigned()).is_ok());
        std::fs::write(case.folder.join("keys/known_servers"), "garbage").expect("written");
        let text = case.offer(1, unsigned()).expect_err("unreadable");
        assert!(text.contains("cannot tell") && text.contains("line 1"), "{text}");
    }
}
