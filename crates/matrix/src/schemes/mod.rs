//! The program's own schemes.

mod key_log;
mod noise;
mod plain;
mod sealed;
mod seeded;
mod tls;
mod trust;
mod unsealed;

use std::sync::Arc;

pub use noise::Noise;
pub use plain::Plain;
pub use sealed::{MemberRule, Sealed};
pub use tls::Tls;
pub use trust::{MakeTrust, pinning};
pub use unsealed::Unsealed;

use crate::scheme::{LinkScheme, Scheme};
use crate::seal::RoomSeal;

/// Returns the program's own schemes: each link without and with a seal.
pub fn all() -> Vec<Scheme> {
    let links: [(&str, Arc<dyn LinkScheme>); 3] =
        [("plain", Arc::new(Plain)), ("tls", Arc::new(Tls::default())), ("noise", Arc::new(Noise::default()))];
    let sealed: Arc<dyn RoomSeal> = Arc::new(Sealed::default());
    let unsealed: Arc<dyn RoomSeal> = Arc::new(Unsealed);
    let bare = links.iter().map(|(name, link)| Scheme::new(*name, Arc::clone(link), Arc::clone(&unsealed)));
    let sealed = links.iter().map(|(name, link)| {
        let name = if *name == "plain" { "sealed".to_owned() } else { format!("sealed over {name}") };
        Scheme::new(name, Arc::clone(link), Arc::clone(&sealed))
    });
    bare.chain(sealed).collect()
}
