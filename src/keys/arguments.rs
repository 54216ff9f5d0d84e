//! The command line of `glassline keys`.

use clap::{Args, Subcommand};
use glassline_keyring::ServerAddress;
use glassline_wire::link::LinkKind;

use crate::address::parse_join;
use crate::words;

/// Look after keys: yours, and those of servers and members
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  glassline keys show                                  your fingerprint, and that of the server here
  glassline keys list                                  the keys seen so far
  glassline keys verify example.org abandon-ability-…  compare what its owner reads out
  glassline keys trust example.org 5f1c…               accept another key
  glassline keys forget example.org                    the next key is taken as the first one was

A fingerprint is eight words, 64 digits, or both, as displayed.

Exit codes: 0 done, 1 a file cannot be used, or the fingerprint is not that of the known key, 2 wrong usage.")]
pub(crate) struct KeysArguments {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys of servers and members that were seen so far
    List,
    /// Show your own fingerprint, and those of the server of this machine
    Show,
    /// Compare a fingerprint with the known key; an equal one is verified from now on
    Verify(NamedKey),
    /// Forget the keys of a server, or of one of its members
    Forget(KeyOwner),
    /// Accept the key with this fingerprint, in place of the known one
    Trust {
        #[command(flatten)]
        key: NamedKey,
        /// Link of a server's key that was never seen; the link of others is known
        #[arg(long, value_name = "tls|noise", default_value = "tls", value_parser = words::parse_secure_link)]
        link: LinkKind,
    },
}

/// Owner of a key.
#[derive(Debug, Args)]
pub(crate) struct KeyOwner {
    /// The server, as you join it
    #[arg(value_name = "HOST[:PORT]", value_parser = parse_server)]
    pub(crate) server: ServerAddress,
    /// A member of that server, instead of the server
    #[arg(long, value_name = "NAME")]
    pub(crate) member: Option<String>,
}

/// A key by its owner and its fingerprint.
#[derive(Debug, Args)]
pub(crate) struct NamedKey {
    #[command(flatten)]
    pub(crate) owner: KeyOwner,
    /// Its fingerprint: the words, the digits, or both
    #[arg(value_name = "FINGERPRINT", required = true, num_args = 1..)]
    fingerprint: Vec<String>,
}

impl NamedKey {
    /// The fingerprint as one text.
    pub(crate) fn fingerprint(&self) -> String {
        self.fingerprint.join(" ")
    }
}

fn parse_server(text: &str) -> Result<ServerAddress, String> {
    ServerAddress::parse(&parse_join(text)?).map_err(|error| error.to_string())
}
