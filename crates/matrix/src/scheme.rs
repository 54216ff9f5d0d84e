//! Security schemes as the lab uses them: a link, and a seal or none.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use glassline_wire::layer::LayerStack;

use crate::adversary::Adversary;
use crate::seal::RoomSeal;
use crate::secret::Secret;
use crate::stolen::{Compromised, Rerun, Thief};

/// Long-term keys of a server. Whoever has a copy has stolen them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerKeys {
    /// The server's own key, which nobody else has.
    pub own: Secret,
    /// Key that server and member have agreed upon beforehand, for schemes that need one.
    pub shared: Secret,
}

/// Long-term keys of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberKeys {
    /// The member's own key.
    pub own: Secret,
    /// Key that server and member have agreed upon beforehand, for schemes that need one.
    pub shared: Secret,
}

/// Knowledge of a client about its server, kept between connections.
#[derive(Debug, Default)]
pub struct Memory {
    known: Mutex<Option<Vec<u8>>>,
}

impl Memory {
    /// Knowledge of somebody who has never been there.
    pub fn first_contact() -> Arc<Self> {
        Arc::default()
    }

    /// Knowledge of somebody who has compared the server's public key with that which its owner
    /// displays.
    pub fn verified(public: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { known: Mutex::new(Some(public)) })
    }

    /// The server's public key; `None` before the first contact.
    pub fn known(&self) -> Option<Vec<u8>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the key where none is known. Returns whether the known one is this.
    pub fn is_or_becomes(&self, public: &[u8]) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| public.to_vec()) == public
    }
}

/// Protection of the bytes between a member and the server.
pub trait LinkScheme: Debug + Send + Sync {
    /// Returns the public key that belongs to a server's own key, as its owner displays it; nothing
    /// where the scheme has none.
    fn public(&self, own: &Secret) -> Vec<u8> {
        let _ = own;
        Vec::new()
    }

    /// Returns the layers of a member's new connection.
    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack;

    /// Returns the layers of a connection that the server accepts.
    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack;

    /// Returns the layers of a connection that the server accepts and whose secrets are stolen. These
    /// are its random numbers, unless the scheme says otherwise.
    fn compromised<'a>(&'a self, keys: &ServerKeys, random: Secret) -> Compromised<'a> {
        let keys = *keys;
        let thief = move || -> Box<dyn Thief> { Box::new(Rerun::new(self.server(&keys, random))) };
        Compromised { server: self.server(&keys, random), thief: Box::new(thief) }
    }
}

/// A row of links and seal under one name.
#[derive(Debug, Clone)]
pub struct Scheme {
    name: String,
    link: Arc<dyn LinkScheme>,
    seal: Arc<dyn RoomSeal>,
    /// The only adversary that it is about.
    only: Option<Adversary>,
}

impl Scheme {
    /// A scheme of this name, such as `sealed over tls`.
    pub fn new(name: impl Into<String>, link: Arc<dyn LinkScheme>, seal: Arc<dyn RoomSeal>) -> Self {
        Self { name: name.into(), link, seal, only: None }
    }

    /// The same scheme, of which only attacks by this adversary are run.
    #[must_use]
    pub fn only(self, adversary: Adversary) -> Self {
        Self { only: Some(adversary), ..self }
    }

    /// Returns whether attacks by this adversary are run.
    pub(crate) fn is_about(&self, adversary: Adversary) -> bool {
        self.only.is_none_or(|only| only == adversary)
    }

    /// Name in tables and in `--cell`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Protection of the bytes on the way.
    pub fn link(&self) -> &dyn LinkScheme {
        &*self.link
    }

    /// Protection of the texts between members.
    pub fn seal(&self) -> &dyn RoomSeal {
        &*self.seal
    }
}
