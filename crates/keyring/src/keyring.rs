//! The folder of keys.

use std::path::PathBuf;

use crate::ServerAddress;
use crate::identity_file::IdentityFile;
use crate::known_members::KnownMembers;
use crate::known_servers::KnownServers;
use crate::server_keys::ServerKeys;

/// Folder of keys. Nothing is created before something is kept.
#[derive(Debug, Clone)]
pub struct Keyring {
    folder: PathBuf,
}

impl Keyring {
    /// Returns the keys in a folder, which need not exist.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The person's identity.
    pub fn identity(&self) -> IdentityFile {
        IdentityFile::new(self.folder.join("identity.pem"))
    }

    /// Keys of servers that were joined before.
    pub fn known_servers(&self) -> KnownServers {
        KnownServers::new(self.folder.join("known_servers"))
    }

    /// Keys of the members of one server.
    pub fn known_members(&self, address: &ServerAddress) -> KnownMembers {
        KnownMembers::new(self.folder.join("members").join(address.file_name()))
    }

    /// Keys of the server that this machine hosts.
    pub fn server_keys(&self) -> ServerKeys {
        ServerKeys::new(&self.folder)
    }
}
