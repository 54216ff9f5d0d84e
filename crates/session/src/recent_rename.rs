//! Last change of name that was shown: a server reports it once for each room that two people
//! share.

use glassline_wire::event::Renamed;

/// A change of name reported again later than this is another one.
const AGAIN_MS: u64 = 2_000;

#[derive(Debug, Default)]
pub(crate) struct RecentRename(Option<(Renamed, u64)>);

impl RecentRename {
    pub(crate) fn is_new(&mut self, renamed: &Renamed, now_ms: u64) -> bool {
        let is_again = self.0.as_ref().is_some_and(|(last, at_ms)| {
            last.from == renamed.from && last.to == renamed.to && now_ms < at_ms.saturating_add(AGAIN_MS)
        });
        if !is_again {
            self.0 = Some((renamed.clone(), now_ms));
        }
        !is_again
    }

    /// Records that a client of this name joined, left or sent a message, perhaps another person: a
    /// change of name is shown again then.
    pub(crate) fn note_activity(&mut self, name: &str) {
        self.0.take_if(|(last, _)| last.from == name || last.to == name);
    }
}
