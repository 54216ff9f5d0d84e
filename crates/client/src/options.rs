//! Options of a join: the server, the name, and the presentation.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::Arc;

use glassline_keyring::KnownMembers;
use glassline_session::DialectChoice;
use glassline_wire::layer::LayerFactory;

use crate::link::Link;
use crate::preferences::Preferences;
use crate::sealed::Sealing;

/// Presentation of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// [`Mode::Terminal`] between a keyboard and a screen, [`Mode::Linear`] if `TERM` is `dumb`,
    /// else [`Mode::Plain`].
    #[default]
    Auto,
    /// Lines for pipes: the conversation on stdout, the client's notices on stderr.
    Plain,
    /// JSON Lines.
    Json,
    /// Lines for people: everything on stdout, nothing is ever redrawn.
    Linear,
    /// Messages scroll by above an input line.
    Terminal,
}

impl Mode {
    /// The mode that `Auto` selects with these standard streams.
    pub(crate) fn resolved(self) -> Self {
        if self != Self::Auto {
            return self;
        }
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Self::Plain;
        }
        if is_terminal_dumb() { Self::Linear } else { Self::Terminal }
    }
}

/// Server, name and presentation of a join.
#[derive(Debug, Clone, Default)]
pub struct JoinOptions {
    /// `host:port`.
    pub address: String,
    /// Protection of each connection.
    pub link: Link,
    /// Keys of members, to compare with those that the server reports; `None` on plaintext, where
    /// everybody on the way can report keys.
    pub members: Option<KnownMembers>,
    /// Files and passphrases of sealed rooms; `None` where nothing is kept, so that none is sealed.
    pub sealing: Option<Sealing>,
    /// The requested name.
    pub name: String,
    /// Choice of the dialect.
    pub dialect: DialectChoice,
    /// Presentation of the conversation.
    pub mode: Mode,
    /// `true` if this process is the server, too: stopping it ends the chat.
    pub hosts: bool,
    /// Addresses at which other devices reach the server, if this process is the server; the best one
    /// first.
    pub reachable_at: Vec<SocketAddr>,
    /// Lines to show first, such as how others join.
    pub greeting: Vec<String>,
    /// Choices about showing and keeping the conversation.
    pub preferences: Preferences,
}

/// Returns whether the terminal says of itself that it takes no sequences.
pub(crate) fn is_terminal_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb" || term.is_empty())
}

/// Returns the layers of a client without settings for any: none, unless a test asks for its own.
pub fn default_layers() -> Option<Arc<dyn LayerFactory>> {
    #[cfg(feature = "test-layer")]
    return glassline_testkit::test_layers(glassline_testkit::TestLayer::client);
    #[cfg(not(feature = "test-layer"))]
    None
}
