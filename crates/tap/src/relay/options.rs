//! Settings of a relay.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::reach::Permission;
use crate::relay::interceptor::Interceptor;
use crate::relay::observer::Observer;
use crate::rules::RuleSet;

/// Settings of a relay: by default it passes bytes on and tells nobody.
pub struct RelayOptions {
    pub(crate) listen: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) permission: Permission,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    pub(crate) interceptor: Option<Arc<Interceptor>>,
}

impl RelayOptions {
    /// Listens on `listen` (port 0 takes a free one), and connects to `to`.
    pub fn new(listen: SocketAddr, to: SocketAddr) -> Self {
        Self { listen, to, permission: Permission::default(), rules: Arc::default(), observer: None, interceptor: None }
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

    /// Ends the secure links of clients at the tap, which reads them, and begins others to the server.
    #[must_use]
    pub fn intercept(mut self, interceptor: Interceptor) -> Self {
        self.interceptor = Some(Arc::new(interceptor));
        self
    }

    /// Applies these rules.
    #[must_use]
    pub fn apply(mut self, rules: Arc<RuleSet>) -> Self {
        self.rules = rules;
        self
    }
}
