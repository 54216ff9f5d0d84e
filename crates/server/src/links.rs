//! Links that a server takes beside, or instead of, plaintext (D).

use std::sync::Arc;

use glassline_wire::layer::LayerFactory;
use glassline_wire::link::LinkKind;

/// Secure links of a server. A connection chooses one by its first bytes.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Maker of TLS layers; `None`: TLS is refused.
    pub tls: Option<Arc<dyn LayerFactory>>,
    /// Maker of Noise layers; `None`: Noise is refused.
    pub noise: Option<Arc<dyn LayerFactory>>,
    /// The only link that is taken; `None`: plaintext and all that have a maker.
    pub required: Option<LinkKind>,
}

impl Links {
    /// Returns the maker of a link's layers, if the server takes this link. Plaintext has none.
    pub(crate) fn factory(&self, kind: LinkKind) -> Option<&Arc<dyn LayerFactory>> {
        match kind {
            LinkKind::Plaintext => None,
            LinkKind::Tls => self.tls.as_ref(),
            LinkKind::Noise => self.noise.as_ref(),
        }
        .filter(|_| self.admits(kind))
    }

    /// Returns whether members may use this link, as far as a requirement goes.
    pub(crate) fn admits(&self, kind: LinkKind) -> bool {
        self.required.is_none_or(|required| required == kind)
    }

    /// The secure link to be recommended, if there is one.
    pub(crate) fn recommended(&self) -> Option<LinkKind> {
        LinkKind::ALL.into_iter().find(|kind| self.factory(*kind).is_some())
    }
}
