//! Admission of connections: how many of an address, how fast, with what flood credit
//! (`decisions/008`).

mod address_count;
mod credit;
mod flood;
mod token_bucket;
mod unregistered;

pub(crate) use address_count::AddressCount;
pub(crate) use credit::{SubnetCredits, Terms};
pub(crate) use flood::Flood;
pub use flood::FloodLimit;
pub(crate) use unregistered::Unregistered;
