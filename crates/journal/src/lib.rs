//! The durable history: messages are stored, numbered and found again, and operators' acts are kept.
//!
//! [`Store`] is what an engine does, and blocks; [`Journal`] lets one work on threads of its own behind bounded queues. Nothing
//! outside this crate knows which engine it is.

mod record;
mod store;

pub use record::{Entry, Outcome, Record};
pub use store::{Head, Page, Reader, Store, StoreError};
mod stub;
pub use stub::*;
