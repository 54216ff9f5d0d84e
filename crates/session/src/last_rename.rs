//! The last change of name that was shown: a server tells it once for each room that two people share.

use alloc::string::String;

use glassline_wire::event::Renamed;

/// A change of name told again later than this is another one.
const TOLD_AGAIN_MS: u64 = 2_000;

/// See the module.
#[derive(Debug)]
pub(super) struct LastRename {
    from: String,
    to: String,
    at_ms: u64,
}

impl LastRename {
    pub(super) fn new(renamed: &Renamed, at_ms: u64) -> Self {
        Self { from: renamed.from.clone(), to: renamed.to.clone(), at_ms }
    }

    pub(super) fn is_about(&self, name: &str) -> bool {
        self.from == name || self.to == name
    }

    /// Returns whether this is the same change, told by another room.
    pub(super) fn is_again(&self, renamed: &Renamed, now_ms: u64) -> bool {
        self.from == renamed.from && self.to == renamed.to && now_ms < self.at_ms.saturating_add(TOLD_AGAIN_MS)
    }
}
