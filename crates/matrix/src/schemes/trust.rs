//! Decision about the server's key by what a client remembers.

use std::sync::Arc;

use glassline_secure::{ServerOffer, ServerTrust, Untrusted};

use crate::scheme::Memory;

/// Makes the decision of a client with this memory.
pub type MakeTrust = fn(Arc<Memory>) -> Arc<dyn ServerTrust>;

/// Trusts the first key, and then no other one.
pub fn pinning(memory: Arc<Memory>) -> Arc<dyn ServerTrust> {
    Arc::new(Pinning(memory))
}

#[derive(Debug)]
struct Pinning(Arc<Memory>);

impl ServerTrust for Pinning {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        if self.0.is_or_becomes(offer.key.as_bytes()) {
            return Ok(());
        }
        Err(Untrusted(format!("the server's key has changed to {}", offer.key.words())))
    }
}
