//! The program's Noise link.

use std::sync::Arc;

use glassline_secure::Identity;
use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseServer};
use glassline_wire::layer::{LayerFactory, LayerStack};

use super::seeded::Seeded;
use super::trust::{MakeTrust, pinning};
use crate::scheme::{LinkScheme, MemberKeys, Memory, ServerKeys};
use crate::secret::Secret;

/// Name that clients dial.
const SERVER_NAME: &str = "lab.example";

/// Noise with the identities of both sides.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    trust: MakeTrust,
}

impl Default for Noise {
    fn default() -> Self {
        Self { trust: pinning }
    }
}

impl Noise {
    /// Noise whose clients decide like this.
    pub fn with_trust(trust: MakeTrust) -> Self {
        Self { trust }
    }
}

impl LinkScheme for Noise {
    fn public(&self, own: &Secret) -> Vec<u8> {
        Identity::from_seed(own).fingerprint().as_bytes().to_vec()
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        let options = NoiseClientOptions {
            server_name: SERVER_NAME.to_owned(),
            identity: Some(Arc::new(Identity::from_seed(&keys.own))),
            trust: (self.trust)(Arc::clone(memory)),
        };
        // A name of this length is never refused; without layers no honest message would pass.
        NoiseClient::with_random(&options, Seeded::new(&random))
            .map_or_else(|_| LayerStack::default(), |made| made.layers())
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        let identity = Identity::from_seed(&keys.own);
        NoiseServer::with_random(&identity, Seeded::new(&random))
            .map_or_else(|_| LayerStack::default(), |made| made.layers())
    }
}
