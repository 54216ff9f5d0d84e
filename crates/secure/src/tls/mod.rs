//! TLS 1.3 as a layer of client and server ([decision 027](../../../../decisions/027-tls.md)).
//!
//! There is no earlier version, no resumption and no compression. Both sides prove their keys; the
//! server is known by its public key, which [`ServerTrust`](crate::ServerTrust) judges, and an
//! authority's word about it is one fact among others.

mod authority;
mod certificate;
mod client;
mod error;
mod key_log;
mod layer;
mod server;
mod traffic;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

pub use authority::Authorities;
pub use certificate::ServerCertificate;
pub use client::{TlsClient, TlsClientOptions};
pub use error::TlsError;
pub use key_log::KeyLogSink;
pub use server::TlsServer;
pub use traffic::{Sender, Traffic};

/// Returns the algorithms in use. They are named here, so that no other crate of the program can
/// replace them for the process. AES-128 comes first: it is as strong as the keys, and the fastest.
fn provider() -> Arc<CryptoProvider> {
    let cipher_suites = vec![
        ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
    ];
    Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() })
}

/// Error for signatures of earlier versions, which are not spoken.
fn not_tls13() -> rustls::Error {
    rustls::Error::General("only TLS 1.3 is in use".to_owned())
}
