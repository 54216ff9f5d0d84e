//! No protection on the way.

use std::sync::Arc;

use glassline_wire::layer::LayerStack;

use crate::scheme::{LinkScheme, MemberKeys, Memory, ServerKeys};
use crate::secret::Secret;

/// Link without layers.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl LinkScheme for Plain {
    fn client(&self, _: &MemberKeys, _: &Arc<Memory>, _: Secret) -> LayerStack {
        LayerStack::default()
    }

    fn server(&self, _: &ServerKeys, _: Secret) -> LayerStack {
        LayerStack::default()
    }
}
