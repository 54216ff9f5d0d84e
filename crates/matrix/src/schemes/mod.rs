//! The program's own schemes.

mod plain;
mod unsealed;

use std::sync::Arc;

pub use plain::Plain;
pub use unsealed::Unsealed;

use crate::scheme::Scheme;

/// Returns the program's own schemes, each link without and with a seal.
pub fn all() -> Vec<Scheme> {
    vec![Scheme::new("plain", Arc::new(Plain), Arc::new(Unsealed))]
}
