//! The ids of a room's latest messages, so that one sent again is no second copy (E4).

use alloc::collections::{BTreeMap, VecDeque};

use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// Tells another message under the same id from the same one; the message itself is not kept.
    pub(crate) digest: u64,
}

/// Whose ids these are: a person, across renames.
pub(crate) type Scope = u64;

/// A bounded memory of ids, by sender.
#[derive(Debug, Default)]
pub(crate) struct RecentIds {
    outcomes: BTreeMap<(MessageId, Scope), Outcome>,
    order: VecDeque<(MessageId, Scope)>,
}

impl RecentIds {
    pub(crate) fn find(&self, id: MessageId, scope: Scope) -> Option<Outcome> {
        self.outcomes.get(&(id, scope)).copied()
    }

    /// Remembers an id, and forgets the oldest ones beyond `ids_max`.
    pub(crate) fn note(&mut self, id: MessageId, scope: Scope, outcome: Outcome, ids_max: usize) {
        while self.order.len() >= ids_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        self.order.push_back((id, scope));
        self.outcomes.insert((id, scope), outcome);
    }
}

/// The scope of somebody who comes in under this name for the first time.
pub(crate) fn scope_of(name: &str) -> Scope {
    digest(name, false)
}

/// What a message says and how: FNV-1a, 64 bits, not for secrets.
pub(crate) fn digest(text: &str, action: bool) -> u64 {
    let bytes = text.bytes().chain([u8::from(action)]);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_latest_are_known() {
        let mut recent = RecentIds::default();
        let (alice, bob) = (scope_of("alice"), scope_of("bob"));
        let outcome = |seq| Outcome { seq, at: Timestamp::from_unix_ms(0), digest: 0 };
        for n in 0..110_u64 {
            recent.note(MessageId(n.into()), alice, outcome(n), 100);
        }
        assert_eq!(recent.outcomes.len(), 100);
        assert_eq!(recent.find(MessageId(9), alice), None);
        assert_eq!(recent.find(MessageId(10), alice), Some(outcome(10)));
        assert_eq!(recent.find(MessageId(10), bob), None, "ids are each sender's own");
    }
}
