//! The folder of keys.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::identity_file::IdentityFile;
use crate::known_members::KnownMembers;
use crate::known_servers::KnownServers;
use crate::sealed_rooms::SealedRooms;
use crate::server_keys::ServerKeys;
use crate::{KeyringError, ServerAddress};

/// Servers that are listed; a person joins fewer.
const SERVERS_MAX: usize = 10_000;

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
        KnownMembers::new(address.clone(), self.members_folder().join(address.file_name()))
    }

    /// Returns the servers of whose members keys are known, in order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn servers_of_members(&self) -> Result<Vec<ServerAddress>, KeyringError> {
        let folder = self.members_folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(KeyringError::Read { path: folder, error }),
        };
        let names = entries.take(SERVERS_MAX).flatten().map(|entry| entry.file_name());
        let mut servers: Vec<_> = names.filter_map(|name| ServerAddress::of_file_name(name.to_str()?)).collect();
        servers.sort_unstable();
        Ok(servers)
    }

    fn members_folder(&self) -> PathBuf {
        self.folder.join("members")
    }

    /// Rooms that are sealed on one server.
    pub fn sealed_rooms(&self, address: &ServerAddress) -> SealedRooms {
        SealedRooms::new(self.folder.join("sealed").join(address.file_name()))
    }

    /// Keys of the server that this machine hosts.
    pub fn server_keys(&self) -> ServerKeys {
        ServerKeys::new(&self.folder)
    }
}
