//! Ids of a room's latest messages, so that one sent again is not stored twice (E4).

use alloc::collections::{BTreeMap, VecDeque};

use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;

/// Outcome of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// Distinguishes another message with the same id; the message itself is not kept.
    pub(crate) digest: u64,
}

/// Owner of ids: the client that shows the same token, or has the same name.
pub(crate) type Scope = u64;

/// A bounded memory of ids, by sender.
#[derive(Debug, Default)]
pub(crate) struct RecentIds {
    outcomes: BTreeMap<(MessageId, Scope), Outcome>,
    oldest_first: VecDeque<(MessageId, [Scope; 2])>,
    /// The ids of all messages with a higher number are remembered.
    edge: u64,
}

impl RecentIds {
    pub(crate) fn find(&self, id: MessageId, scope: Scope) -> Option<Outcome> {
        self.outcomes.get(&(id, scope)).copied()
    }

    /// Returns whether the id of each message with a number above `after` is remembered.
    pub(crate) fn covers(&self, after: u64) -> bool {
        after >= self.edge
    }

    /// Remembers an id in both its sender's scopes, and forgets the oldest ones beyond `ids_max`.
    pub(crate) fn note(&mut self, id: MessageId, scopes: [Scope; 2], outcome: Outcome, ids_max: usize) {
        while self.oldest_first.len() >= ids_max
            && let Some((oldest, scopes)) = self.oldest_first.pop_front()
        {
            for scope in scopes {
                if let Some(forgotten) = self.outcomes.remove(&(oldest, scope)) {
                    self.edge = self.edge.max(forgotten.seq);
                }
            }
        }
        self.oldest_first.push_back((id, scopes));
        for scope in scopes {
            self.outcomes.insert((id, scope), outcome);
        }
    }
}

pub(crate) fn scope_of(name: &str) -> Scope {
    digest(name, false)
}

/// Returns the scope of a token; 0 without one.
pub(crate) fn author_of(token: u128) -> Scope {
    if token == 0 { 0 } else { fnv(token.to_be_bytes().into_iter()) }
}

/// Returns a digest of a message and its kind: FNV-1a, 64 bits, not for secrets.
pub(crate) fn digest(text: &str, action: bool) -> u64 {
    fnv(text.bytes().chain([u8::from(action)]))
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
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
            recent.note(MessageId(n.into()), [alice, author_of(7)], outcome(n), 100);
        }
        assert_eq!(recent.outcomes.len(), 200);
        assert_eq!(recent.find(MessageId(109), author_of(7)), Some(outcome(109)));
        assert_eq!(recent.find(MessageId(9), alice), None);
        assert_eq!(recent.find(MessageId(10), alice), Some(outcome(10)));
        assert_eq!(recent.find(MessageId(10), bob), None, "ids are each sender's own");
        assert!(recent.covers(9) && recent.covers(u64::MAX) && !recent.covers(8), "the first ten are forgotten");
    }
}
