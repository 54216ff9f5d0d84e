//! State of one connection in the event dialect (E).

use alloc::collections::BTreeSet;

use crate::prelude::*;

/// With nothing received for this long, the client sends a `ping`.
const QUIET_MS: u64 = 30_000;
/// With nothing received for this long, the link is lost.
const DEAD_MS: u64 = 75_000;
/// Shortest interval of requests for names where crowds come and go.
const COUNT_EVERY_MS: u64 = 30_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    Ping,
    Dead,
}

#[derive(Debug, Default)]
pub(crate) struct EventLink {
    received_ms: u64,
    pinged: bool,
    /// When names were last asked for because the server had sent only their number.
    counted_ms: Option<u64>,
    /// Rooms whose names are to be requested again.
    uncounted: BTreeSet<String>,
    /// The server's `ping` waits for its answer until there is room for it.
    pong_due: bool,
    /// Rooms of the lost link are being entered again: until the server has answered, their newest
    /// numbers are not known, which messages have to name (E4).
    rejoining: bool,
}

impl EventLink {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { received_ms: now_ms, ..Self::default() }
    }

    pub(crate) fn note_received(&mut self, now_ms: u64) {
        (self.received_ms, self.pinged) = (now_ms, false);
    }

    pub(crate) fn take_silence(&mut self, now_ms: u64) -> Option<Silence> {
        let silent_ms = now_ms.saturating_sub(self.received_ms);
        if silent_ms >= DEAD_MS {
            Some(Silence::Dead)
        } else if silent_ms >= QUIET_MS && !core::mem::replace(&mut self.pinged, true) {
            Some(Silence::Ping)
        } else {
            None
        }
    }

    pub(crate) fn set_rejoining(&mut self, rejoining: bool) {
        self.rejoining = rejoining;
    }

    pub(crate) fn is_rejoining(&self) -> bool {
        self.rejoining
    }

    pub(crate) fn note_ping(&mut self) {
        self.pong_due = true;
    }

    /// Returns whether a `ping` has not been answered, which it is now.
    pub(crate) fn take_pong(&mut self) -> bool {
        core::mem::take(&mut self.pong_due)
    }

    pub(crate) fn note_uncounted(&mut self, room: &str) {
        self.uncounted.insert(room.into());
    }

    /// Takes the rooms whose names are to be requested now; deferred without a window.
    pub(crate) fn take_uncounted(&mut self, has_window: bool, now_ms: u64) -> BTreeSet<String> {
        if self.count_due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return BTreeSet::new();
        }
        self.counted_ms = Some(now_ms);
        if has_window { core::mem::take(&mut self.uncounted) } else { BTreeSet::new() }
    }

    fn count_due_ms(&self) -> Option<u64> {
        let due_ms = self.counted_ms.map_or(0, |counted_ms| counted_ms + COUNT_EVERY_MS);
        (!self.uncounted.is_empty()).then_some(due_ms)
    }

    pub(super) fn next_deadline_ms(&self) -> u64 {
        let silence_ms = self.received_ms + if self.pinged { DEAD_MS } else { QUIET_MS };
        self.count_due_ms().map_or(silence_ms, |due_ms| due_ms.min(silence_ms))
    }
}
