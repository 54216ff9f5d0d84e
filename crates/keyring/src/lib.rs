//! Files of keys in one folder: a person's identity, the keys of servers and members that were seen
//! before, and a server's own keys.
//!
//! Each file is written whole, under a lock and in one step, and only its owner can read it. Every
//! operation reads its file again if that was written meanwhile, so that `glassline keys` takes
//! effect in running clients. What is read is bounded.

mod address;
mod dialled_server;
mod error;
mod identity_file;
mod keyring;
mod known_members;
mod known_servers;
mod line_file;
mod pin;
mod pin_file;
mod private_file;
mod sealed_rooms;
mod server_keys;

pub use address::ServerAddress;
pub use dialled_server::DialledServer;
pub use error::KeyringError;
pub use identity_file::IdentityFile;
pub use keyring::Keyring;
pub use known_members::{ChangedMember, KnownMember, KnownMembers, MemberCheck};
pub use known_servers::{KnownServer, KnownServers};
pub use pin::Standing;
pub use pin_file::Comparison;
pub use private_file::create_private_folder;
pub use sealed_rooms::SealedRooms;
pub use server_keys::ServerKeys;
