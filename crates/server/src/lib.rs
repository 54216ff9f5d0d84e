//! The server: listeners, connections with their protocols, and one loop that reads and writes.
//!
//! One thread, one loop: read what arrived, let the session turn it into calls on the hub, then
//! write to each member all that waits for it, in one system call. `ARCHITECTURE.md` follows one
//! message through these files.

mod admission;
mod close_reason;
mod connection_key;
mod history;
mod http_head;
mod limits;
mod links;
mod metrics;
mod net;
mod protocol;
mod shutdown;
mod web;

pub use admission::FloodLimit;
pub use glassline_hub::{OperatorToken, TokenError};
pub use limits::Limits;
pub use links::Links;
pub use metrics::{ANSWER_TIMEOUT, Watch, serve_http};
#[cfg(any(test, feature = "test-server"))]
pub use net::{Pipe, TestServer};
pub use net::{listen, listen_ipv6_only, run, takes_ipv4};
#[cfg(any(test, feature = "test-server"))]
pub use protocol::tests::TestSession;
pub use shutdown::Shutdown;
pub use web::Web;

use std::sync::Arc;

use glassline_wire::layer::LayerFactory;

/// Settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Exactly the tutorial's behaviour (T9).
    pub pure: bool,
    /// Limit of a connection's sends.
    pub flood: FloodLimit,
    /// With a store: number of stored messages sent to a new member in the event dialect.
    pub replay: usize,
    /// … and in the tutorial dialect, as ordinary pairs with the time in front.
    pub replay_tutorial: usize,
    /// Token that makes a member an operator; `None`: no operators.
    pub operator_token: Option<OperatorToken>,
    /// Layers of each connection, below its link; `None`: plain TCP.
    pub layers: Option<Arc<dyn LayerFactory>>,
    /// Links that a connection may begin with.
    pub links: Links,
    /// The chat's page; `None`: HTTP is refused.
    pub web: Option<Web>,
    /// Bounds and deadlines of connections and queues.
    pub limits: Limits,
    /// Observer of the running server.
    pub watch: Watch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pure: false,
            flood: FloodLimit::default(),
            replay: 50,
            replay_tutorial: 0,
            operator_token: None,
            #[cfg(feature = "test-layer")]
            layers: glassline_testkit::test_layers(glassline_testkit::TestLayer::server),
            #[cfg(not(feature = "test-layer"))]
            layers: None,
            links: Links::default(),
            web: Some(Web::default()),
            limits: Limits::default(),
            watch: Watch::default(),
        }
    }
}
