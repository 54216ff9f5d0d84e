//! Protection of a join's connections: its layers, the server's key, and the parties that can read
//! what is said.

mod refusal;

use std::sync::Arc;

use glassline_keyring::{DialledServer, KnownServer, Standing};
use glassline_wire::layer::LayerFactory;
use glassline_wire::link::LinkKind;

pub(crate) use refusal::{HandshakeFailure, LinkFailure};

/// Protection of each connection of a join.
#[derive(Debug, Clone)]
pub enum Link {
    /// Anyone on the way can read and change what is said. Layers of tests may be in between.
    Plaintext(Option<Arc<dyn LayerFactory>>),
    /// Only the server can read.
    Secure(SecureLink),
}

/// A link over which the server proves its key.
#[derive(Debug, Clone)]
pub struct SecureLink {
    kind: LinkKind,
    layers: Arc<dyn LayerFactory>,
    server: Arc<DialledServer>,
    is_key_logged: bool,
}

/// A link that has come up, for its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenedLink {
    pub(crate) confidentiality: Confidentiality,
    /// The key that the server has proven; `None` on plaintext.
    pub(crate) server: Option<KnownServer>,
    /// It was the first key ever seen of this server.
    pub(crate) is_first: bool,
}

/// Parties that can read what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confidentiality {
    pub(crate) kind: LinkKind,
    /// Secrets of the link are written to a file.
    pub(crate) is_key_logged: bool,
    /// The room on the screen is sealed.
    pub(crate) is_sealed: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self::Plaintext(None)
    }
}

impl Link {
    pub(crate) fn confidentiality(&self) -> Confidentiality {
        match self {
            Self::Plaintext(_) => Confidentiality::default(),
            Self::Secure(link) => {
                Confidentiality { kind: link.kind, is_key_logged: link.is_key_logged, is_sealed: false }
            }
        }
    }

    pub(crate) fn factory(&self) -> Option<&dyn LayerFactory> {
        match self {
            Self::Plaintext(layers) => layers.as_deref(),
            Self::Secure(link) => Some(&*link.layers),
        }
    }

    /// Returns the link as it has come up.
    pub(crate) fn opened(&self) -> OpenedLink {
        let accepted = match self {
            Self::Plaintext(_) => None,
            Self::Secure(link) => link.server.accepted(),
        };
        let (server, is_first) = accepted.map_or((None, false), |(server, is_first)| (Some(server), is_first));
        OpenedLink { confidentiality: self.confidentiality(), server, is_first }
    }
}

impl SecureLink {
    /// Returns the link to a server, whose key `layers` check with `server`.
    pub fn new(kind: LinkKind, layers: Arc<dyn LayerFactory>, server: Arc<DialledServer>) -> Self {
        Self { kind, layers, server, is_key_logged: false }
    }

    /// Returns the link with its secrets written to a file, of which the user is warned.
    #[must_use]
    pub fn with_key_log(self) -> Self {
        Self { is_key_logged: true, ..self }
    }
}

impl OpenedLink {
    /// Notice for a person; nothing on plaintext, of which the status line tells.
    pub(crate) fn notice(&self) -> Option<String> {
        let KnownServer { address, link, key, standing, since } = self.server.as_ref()?;
        let of_server = format!("the key of {address} over {}", link.title());
        Some(match standing {
            Standing::FirstUse if self.is_first => format!(
                "{of_server} was not known, and is trusted from now on: {key}. Its owner sees it there with `glassline \
                 keys show`; `glassline keys verify {address}` and the words that the owner reads out confirm it"
            ),
            Standing::Authority => format!("a certificate authority vouches for {of_server}: {key}"),
            _ => format!("{of_server} is the one known since {}, {}", since.in_words(), standing.in_words()),
        })
    }
}

impl Default for Confidentiality {
    fn default() -> Self {
        Self { kind: LinkKind::Plaintext, is_key_logged: false, is_sealed: false }
    }
}

impl Confidentiality {
    /// The parties, in words.
    pub(crate) fn readers(self) -> &'static str {
        if self.is_sealed {
            return "only the members";
        }
        match (self.kind, self.is_key_logged) {
            (LinkKind::Plaintext, _) => "anyone on the way",
            (LinkKind::Tls | LinkKind::Noise, false) => "the server",
            (LinkKind::Tls | LinkKind::Noise, true) => "the server and whoever has the key log",
        }
    }

    /// The parties, in as few words as are clear.
    pub(crate) fn readers_in_short(self) -> &'static str {
        if self.kind == LinkKind::Plaintext && !self.is_sealed { "anyone" } else { self.readers() }
    }

    /// Name of the link, for people.
    pub(crate) fn link_name(self) -> &'static str {
        self.kind.title()
    }
}
