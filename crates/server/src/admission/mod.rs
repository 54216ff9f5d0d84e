//! Admission of connections: how many of an address, how fast, with what flood credit, and which
//! have no name yet (`decisions/008`).

mod address_count;
mod credit;
mod flood;
mod token_bucket;
mod unregistered;

use std::net::{IpAddr, SocketAddr};

use glassline_hub::subnet;

use crate::Limits;
use crate::connection_key::ConnectionKey;
use address_count::AddressCount;
use credit::SubnetCredits;
pub(crate) use credit::Terms;
pub(crate) use flood::Flood;
pub use flood::FloodLimit;
pub(crate) use unregistered::Unregistered;

/// Connections by address. A connection is counted by [`enter`](Self::enter), named by
/// [`register`](Self::register), and left out again by [`leave`](Self::leave).
#[derive(Debug)]
pub(crate) struct Admission {
    counts: AddressCount,
    credits: SubnetCredits,
    unregistered: Unregistered,
}

impl Admission {
    pub(crate) fn new(limit: FloodLimit) -> Self {
        Self {
            counts: AddressCount::default(),
            credits: SubnetCredits::new(limit),
            unregistered: Unregistered::default(),
        }
    }

    /// Returns whether one more connection from this address would be too many.
    pub(crate) fn is_full(&self, address: IpAddr, limits: &Limits) -> bool {
        self.counts.is_full(address, limits)
    }

    pub(crate) fn enter(&mut self, peer: SocketAddr, now_ms: u64) -> Terms {
        self.counts.enter(peer.ip());
        self.credits.enter(peer, now_ms)
    }

    pub(crate) fn await_name(&mut self, peer: SocketAddr, key: ConnectionKey) {
        self.unregistered.insert(subnet(peer.ip()), key);
    }

    /// Notes that the name of a connection was accepted. False if it was before.
    pub(crate) fn register(&mut self, peer: SocketAddr, key: ConnectionKey) -> bool {
        self.unregistered.remove(subnet(peer.ip()), key)
    }

    /// Takes over the flood credit of a session that ends. A connection that was never served
    /// (`unserved`) does not count as new.
    pub(crate) fn return_credit(&mut self, peer: SocketAddr, flood: Flood, unserved: bool, now_ms: u64) {
        self.credits.leave(peer, flood, unserved, now_ms);
    }

    pub(crate) fn leave(&mut self, peer: SocketAddr, key: ConnectionKey) {
        self.unregistered.remove(subnet(peer.ip()), key);
        self.counts.leave(peer.ip());
    }

    pub(crate) fn unregistered(&self) -> &Unregistered {
        &self.unregistered
    }
}
