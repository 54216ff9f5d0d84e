//! An exchange of fresh keys that does not say whose they are.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::reference::{Part, Reference};

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) is_fixed: bool,
}

impl Exchange {
    fn scheme(&self) -> Reference {
        // The fix: the server proves its own key, which the client knows (`reference.rs`: the own
        // key goes into that of the session, and the client verifies the proof).
        Reference { without: if self.is_fixed { None } else { Some(Part::Proof) } }
    }
}

impl LinkScheme for Exchange {
    fn public(&self, own: &Secret) -> Vec<u8> {
        self.scheme().public(own)
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        self.scheme().client(keys, memory, random)
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        self.scheme().server(keys, random)
    }
}
