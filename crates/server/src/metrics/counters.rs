//! Counts of events: connections closed by reason, and others. Logged at the end, and shown in
//! `/metrics`.

use glassline_wire::link::LinkKind;
use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::close_reason::CloseReason;

/// Event of the loop that is counted and ends no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum Counted {
    ConnectionPauses,
    FloodPauses,
    #[strum(serialize = "outbox_pauses")]
    SendQueuePauses,
    AcceptFailed,
    Gaps,
    Joined,
    Missed,
    /// A connection was closed after its last output; the reason was counted when that began.
    Parted,
    WrongToken,
}

#[derive(Debug, Clone)]
pub(crate) struct LoopCounters {
    closed: [u64; CloseReason::VARIANTS.len()],
    failed_handshakes: [u64; CloseReason::VARIANTS.len()],
    links: [u64; LinkKind::ALL.len()],
    others: [u64; Counted::COUNT],
}

impl Default for LoopCounters {
    fn default() -> Self {
        let by_reason = [0; CloseReason::VARIANTS.len()];
        Self {
            closed: by_reason,
            failed_handshakes: by_reason,
            links: [0; LinkKind::ALL.len()],
            others: [0; Counted::COUNT],
        }
    }
}

impl LoopCounters {
    /// Counts the end of a connection, and of the handshake that it was in or that ended it.
    pub(crate) fn add_end(&mut self, reason: CloseReason, is_handshaking: bool) {
        self.closed[reason as usize] += 1;
        if is_handshaking || reason == CloseReason::HandshakeFailed {
            self.failed_handshakes[reason as usize] += 1;
        }
    }

    pub(crate) fn add_link(&mut self, kind: LinkKind) {
        self.links[kind as usize] += 1;
    }

    pub(crate) fn add(&mut self, event: Counted) {
        self.add_many(event, 1);
    }

    pub(crate) fn add_many(&mut self, event: Counted, count: u64) {
        self.others[event as usize] += count;
    }

    pub(crate) fn count(&self, event: Counted) -> u64 {
        self.others[event as usize]
    }

    /// Every reason, those that were never given included.
    pub(crate) fn closed(&self) -> impl Iterator<Item = (CloseReason, u64)> {
        CloseReason::VARIANTS.iter().copied().zip(self.closed)
    }

    /// Handshakes that did not complete, by every reason that can end one.
    pub(crate) fn failed_handshakes(&self) -> impl Iterator<Item = (CloseReason, u64)> {
        let all = CloseReason::VARIANTS.iter().copied().zip(self.failed_handshakes);
        all.filter(|(reason, _)| reason.can_end_handshake())
    }

    /// Handshakes that completed, by secure link.
    pub(crate) fn links(&self) -> impl Iterator<Item = (LinkKind, u64)> {
        LinkKind::ALL.into_iter().zip(self.links).filter(|(kind, _)| *kind != LinkKind::Plaintext)
    }

    /// Returns the counts that are not zero, as text.
    pub(crate) fn summary(&self) -> String {
        let others = Counted::VARIANTS.iter().zip(self.others).map(|(event, count)| (event.into_str(), count));
        let all = self.closed().map(|(reason, count)| (reason.into_str(), count)).chain(others);
        all.filter(|(_, count)| *count > 0).map(|(text, count)| format!("{text}={count}")).collect::<Vec<_>>().join(" ")
    }
}

/// Traffic of the sockets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    /// Writes that the system took bytes in.
    pub(crate) writes: u64,
}

impl Traffic {
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
        self.writes += u64::from(bytes > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_listed_by_reason_and_by_kind() {
        let mut counters = LoopCounters::default();
        counters.add_end(CloseReason::NameRefused, false);
        counters.add_end(CloseReason::NameRefused, false);
        counters.add_many(Counted::Missed, 7);
        let bye = counters.closed().find(|(reason, _)| *reason == CloseReason::Bye);
        assert_eq!((counters.count(Counted::Missed), bye), (7, Some((CloseReason::Bye, 0))));
        assert_eq!(counters.summary(), "name_refused=2 missed=7");
        let refusals: Vec<_> = counters.closed().filter(|(reason, _)| reason.is_refusal()).collect();
        assert!(refusals.contains(&(CloseReason::NameRefused, 2)), "{refusals:?}");
        assert!(refusals.contains(&(CloseReason::TlsNotSpoken, 0)), "{refusals:?}");
    }
}
