//! Links that do not come up: whether another attempt makes sense, and the text for the user.

use glassline_keyring::{KeyringError, KnownServer};
use glassline_wire::layer::LayerError;

use super::SecureLink;

/// Cause for which a handshake has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandshakeFailure {
    /// The other side has failed the check of its key: text for the user.
    Untrusted(String),
    /// The other side has sent something else than the handshake: cause.
    Foreign(String),
    /// This side cannot take part in it: cause.
    Unavailable(String),
    /// The connection ended: cause.
    Closed(String),
    /// Nothing was received within the time that an answer takes at most.
    Silent,
}

/// Consequence for the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkFailure {
    /// The session ends: text for the user.
    Final(String),
    /// Another attempt may succeed: text for the user.
    Passing(String),
}

impl From<LayerError> for HandshakeFailure {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::Untrusted(text) => Self::Untrusted(text),
            LayerError::Unavailable(_) => Self::Unavailable(error.to_string()),
            other => Self::Foreign(other.to_string()),
        }
    }
}

impl HandshakeFailure {
    /// The cause, for a connection without a user's choice about its protection.
    pub(crate) fn cause(self) -> String {
        match self {
            Self::Untrusted(text) | Self::Foreign(text) | Self::Unavailable(text) | Self::Closed(text) => text,
            Self::Silent => "no answer in time".to_owned(),
        }
    }
}

impl SecureLink {
    /// Judges a failed handshake. `has_opened` says that one with this server has succeeded before
    /// in this session: a server that restarts ends connections, too.
    pub(crate) fn judge(&self, failure: HandshakeFailure, has_opened: bool) -> LinkFailure {
        let link = self.kind.title();
        match failure {
            HandshakeFailure::Untrusted(text) => LinkFailure::Final(text),
            HandshakeFailure::Foreign(why) => {
                LinkFailure::Final(self.refused(&format!("does not answer in {link} ({why})")))
            }
            HandshakeFailure::Unavailable(why) => {
                LinkFailure::Final(format!("{why}. Nothing was sent to {}; try again", self.server.address()))
            }
            HandshakeFailure::Closed(why) => {
                let what = format!("ends the connection instead of answering in {link} ({why})");
                if has_opened {
                    LinkFailure::Passing(self.held_up(&what))
                } else {
                    LinkFailure::Final(self.refused(&what))
                }
            }
            HandshakeFailure::Silent if has_opened => {
                LinkFailure::Passing(self.held_up(&format!("does not answer {link}")))
            }
            HandshakeFailure::Silent => LinkFailure::Final(
                self.refused(&format!("did not answer {link} within 2 s; it may be busy, or not know {link}")),
            ),
        }
    }

    /// Returns the text for a server that has answered before in this session, and is tried again.
    fn held_up(&self, what: &str) -> String {
        format!(
            "{} {what}: it may be restarting, or somebody on the way removes the protection. Nothing is sent without \
             {}; trying again",
            self.server.address(),
            self.kind.title()
        )
    }

    /// Returns the text for a server that did not answer as the link requires. A server that has
    /// done so before is not offered to be joined without.
    fn refused(&self, what: &str) -> String {
        let (address, link) = (self.server.address(), self.kind.title());
        let first = format!("{address} {what}. Nothing was sent to it.");
        match self.server.known() {
            Ok(known) => match (known.iter().find(|known| known.link == self.kind), known.first()) {
                (Some(known), _) => lost_protection(&first, known),
                (None, Some(other)) => format!(
                    "{first}\nIt is known over {} since {}: glassline join {address} --link {}",
                    other.link.title(),
                    other.since.in_words(),
                    other.link
                ),
                (None, None) => format!(
                    "{first}\nWithout {link}, anyone on the way between you and that machine can read and change what is \
                     said.\nIf you accept that: glassline join {address} --plain"
                ),
            },
            Err(error) => unknown(&first, &error),
        }
    }
}

fn lost_protection(first: &str, known: &KnownServer) -> String {
    let KnownServer { address, link, key, standing, since } = known;
    let link = link.title();
    format!(
        "{first}\nBut it has used {link} since {since}, with this key, {standing}: {key}\n\
         So it is not running as before, or somebody on the way removes the protection. Ask the owner of that machine, \
         in another way than through this link.\n\
         If it has no {link} any more: glassline keys forget {address}, then glassline join {address} --plain",
        since = since.in_words(),
        standing = standing.in_words(),
    )
}

fn unknown(first: &str, error: &KeyringError) -> String {
    format!("{first}\nWhether it was protected before cannot be told: {error}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glassline_keyring::{Keyring, ServerAddress};
    use glassline_secure::{Authority, Fingerprint, ServerOffer, ServerTrust};
    use glassline_testkit::Folder;
    use glassline_wire::layer::{LayerFactory, LayerStack};
    use glassline_wire::link::LinkKind;

    use super::*;

    #[derive(Debug)]
    struct NoLayers;

    impl LayerFactory for NoLayers {
        fn layers(&self) -> LayerStack {
            LayerStack::default()
        }
    }

    fn link(folder: &Folder) -> SecureLink {
        let address = ServerAddress::parse("far:1234").expect("an address");
        let server = Keyring::open(folder.join("keys")).known_servers().at(address);
        SecureLink::new(LinkKind::Tls, Arc::new(NoLayers), Arc::new(server))
    }

    fn offer(link: LinkKind) -> ServerOffer {
        ServerOffer { link, key: Fingerprint::of_spki(b"key"), authority: Authority::None(String::new()) }
    }

    #[track_caller]
    fn text(failure: LinkFailure) -> String {
        let LinkFailure::Final(text) = failure else { panic!("it goes on: {failure:?}") };
        text
    }

    #[test]
    fn a_server_without_tls_is_offered_in_plaintext_once_known() {
        let folder = Folder::new();
        let link = link(&folder);
        for (failure, words) in [
            (HandshakeFailure::Foreign("it is HTTP".to_owned()), "does not answer in TLS (it is HTTP)"),
            (HandshakeFailure::Closed("reset".to_owned()), "ends the connection instead of answering in TLS (reset)"),
            (HandshakeFailure::Silent, "did not answer TLS within 2 s"),
        ] {
            let text = text(link.judge(failure, false));
            for fact in [words, "Nothing was sent", "anyone on the way", "glassline join far:1234 --plain"] {
                assert!(text.contains(fact), "{fact}: {text}");
            }
        }
        link.server.check(&offer(LinkKind::Noise)).expect("the first key");
        let text = text(link.judge(HandshakeFailure::Silent, false));
        assert!(text.contains("It is known over Noise since 20") && text.ends_with("--link noise"), "{text}");
        assert!(!text.contains("--plain"), "{text}");
    }

    #[test]
    fn a_server_that_had_tls_is_not_joined_without() {
        let folder = Folder::new();
        let link = link(&folder);
        link.server.check(&offer(LinkKind::Tls)).expect("the first key");
        for failure in [HandshakeFailure::Foreign("it is HTTP".to_owned()), HandshakeFailure::Silent] {
            let text = text(link.judge(failure, false));
            let known = link.server.known().expect("read").remove(0);
            let since = format!("has used TLS since {}", known.since.in_words());
            for fact in [since.as_str(), &known.key.to_string(), "glassline keys forget far:1234", "Nothing was sent"] {
                assert!(text.contains(fact), "{fact}: {text}");
            }
        }
    }

    #[test]
    fn a_reconnect_survives_an_end_and_not_foreign_bytes() {
        let folder = Folder::new();
        let link = link(&folder);
        for failure in [HandshakeFailure::Silent, HandshakeFailure::Closed("reset".to_owned())] {
            let LinkFailure::Passing(text) = link.judge(failure, true) else { panic!("it ends") };
            for fact in ["far:1234 ", "may be restarting", "removes the protection", "Nothing is sent without TLS"] {
                assert!(text.contains(fact), "{fact}: {text}");
            }
        }
        text(link.judge(HandshakeFailure::Foreign("it is HTTP".to_owned()), true));
        assert_eq!(text(link.judge(HandshakeFailure::Untrusted("another key".to_owned()), true)), "another key");
    }

    #[test]
    fn unreadable_keys_promise_nothing() {
        let folder = Folder::new();
        let link = link(&folder);
        folder.write("keys/known_servers", "garbage");
        let text = text(link.judge(HandshakeFailure::Silent, false));
        assert!(text.contains("cannot be told") && !text.contains("--plain"), "{text}");
    }
}
