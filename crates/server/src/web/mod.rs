//! The chat's page over HTTP, and the WebSocket that it opens (W): a request becomes a reply.

mod files;
mod handshake;
mod host;
mod layer;
mod reply;
mod response;

pub(crate) use layer::WebSocketLayer;
pub(crate) use reply::{Scheme, Service, reply_to};
pub(crate) use response::{Reply, Response};

/// Longest head of a request in bytes: browsers send less than 1 KiB, but for cookies of other
/// programs on the same host.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Settings of the page.
#[derive(Debug, Clone, Default)]
pub struct Web {
    /// Names under which a browser may ask for it, besides `localhost` and every IP address.
    pub names: Vec<String>,
}
