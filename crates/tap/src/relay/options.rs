//! Settings of a relay.

use std::net::SocketAddr;

use crate::reach::Permission;
use crate::relay::observer::Observer;
use crate::relay::recorder::Recorder;

/// Settings of a relay: by default it passes bytes on and tells nobody.
pub struct RelayOptions {
    pub(crate) listen: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) permission: Permission,
    pub(crate) observer: Option<Box<dyn Observer>>,
    pub(crate) recorder: Option<Box<dyn Recorder>>,
}

impl RelayOptions {
    /// Listens on `listen` (port 0 takes a free one), and connects to `to`.
    pub fn new(listen: SocketAddr, to: SocketAddr) -> Self {
        Self { listen, to, permission: Permission::default(), observer: None, recorder: None }
    }

    /// Sets how far the relay may reach. Ask the user before you go beyond the default.
    #[must_use]
    pub fn permit(mut self, permission: Permission) -> Self {
        self.permission = permission;
        self
    }

    /// Reports to this observer.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Records with this recorder.
    #[must_use]
    pub fn record(mut self, recorder: impl Recorder + 'static) -> Self {
        self.recorder = Some(Box::new(recorder));
        self
    }
}
