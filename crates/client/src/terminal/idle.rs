//! Detection of an idle user, for the mark before unseen messages.
//!
//! A terminal does not report scrolling. Some report a lost focus; a user who presses no key for a
//! while may read further up, or not at all.

use glassline_wire::timestamp::Timestamp;

/// Time without a key after which the user counts as idle.
const IDLE_MS: u64 = 5 * 60_000;

#[derive(Debug, Default)]
pub(super) struct IdleTracker {
    last_sign_ms: u64,
    /// The window has lost the focus, or the user is marked as away.
    gone: bool,
    /// One idle period has one mark.
    marked: bool,
    since: Option<Timestamp>,
}

impl IdleTracker {
    /// The user pressed a key or came back to the window.
    pub(super) fn is_here(&mut self, now_ms: u64, now: Timestamp) {
        *self = Self { last_sign_ms: now_ms, gone: false, marked: false, since: Some(now) };
    }

    /// The user went to another window, or is marked as away.
    pub(super) fn has_gone(&mut self, now: Timestamp) {
        if !self.gone {
            (self.gone, self.since) = (true, Some(now));
        }
    }

    /// Returns whether the user may miss a message now.
    pub(super) fn is_likely(&self, now_ms: u64) -> bool {
        self.gone || now_ms.saturating_sub(self.last_sign_ms) >= IDLE_MS
    }

    /// Notes a message, and returns the start of the idle period if a mark belongs before it.
    pub(super) fn mark_due(&mut self, now_ms: u64) -> Option<Timestamp> {
        if self.marked || !self.is_likely(now_ms) {
            return None;
        }
        self.marked = true;
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> (u64, Timestamp) {
        (minutes * 60_000, Timestamp::from_unix_ms(minutes * 60_000))
    }

    #[test]
    fn one_absence_has_one_mark() {
        let mut idle = IdleTracker::default();
        idle.is_here(0, at(0).1);
        assert_eq!(idle.mark_due(at(4).0), None);
        idle.has_gone(at(1).1);
        assert_eq!(idle.mark_due(at(2).0), Some(at(1).1));
        assert_eq!(idle.mark_due(at(2).0), None);
        idle.has_gone(at(3).1);
        assert_eq!(idle.mark_due(at(3).0), None, "gone is gone");
        idle.is_here(at(4).0, at(4).1);
        assert_eq!(idle.mark_due(at(8).0), None);
        assert_eq!(idle.mark_due(at(9).0), Some(at(4).1), "five minutes without a key");
    }
}
