//! The ids of a room's latest messages, so that one sent again is no second copy (E4).

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
};

use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;

/// How many ids a room remembers: a client that reconnects after a minute of a busy room is still recognised.
const IDS_MAX: usize = 16 * 1024;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// Tells another message under the same id from the same one; the message itself is not kept.
    pub(crate) digest: u64,
}

type Key = (MessageId, Box<str>);

/// A bounded memory of ids, by sender.
#[derive(Debug, Default)]
pub(crate) struct RecentIds {
    outcomes: BTreeMap<Key, Outcome>,
    order: VecDeque<Key>,
}

impl RecentIds {
    pub(crate) fn find(&self, id: MessageId, sender: &str) -> Option<Outcome> {
        if self.order.is_empty() {
            return None;
        }
        self.outcomes.get(&(id, sender.into())).copied()
    }

    pub(crate) fn note(&mut self, id: MessageId, sender: &str, outcome: Outcome) {
        if self.order.len() == IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        self.order.push_back((id, sender.into()));
        self.outcomes.insert((id, sender.into()), outcome);
    }

    /// A sender keeps its ids under its new name. Rare, so all are looked through.
    pub(crate) fn renamed(&mut self, from: &str, to: &str) {
        for key in self.order.iter_mut().filter(|(_, sender)| &**sender == from) {
            if let Some(outcome) = self.outcomes.remove(key) {
                key.1 = to.into();
                self.outcomes.insert(key.clone(), outcome);
            }
        }
    }
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
        let outcome = |seq| Outcome { seq, at: Timestamp::from_unix_ms(0), digest: 0 };
        for n in 0..IDS_MAX as u64 + 10 {
            recent.note(MessageId(n.into()), "alice", outcome(n));
        }
        assert_eq!(recent.outcomes.len(), IDS_MAX);
        assert_eq!(recent.find(MessageId(9), "alice"), None);
        assert_eq!(recent.find(MessageId(10), "alice"), Some(outcome(10)));
        assert_eq!(recent.find(MessageId(10), "bob"), None, "ids are each sender's own");
        recent.renamed("alice", "bob");
        assert_eq!(recent.find(MessageId(10), "alice"), None);
        assert_eq!(recent.find(MessageId(10), "bob"), Some(outcome(10)));
    }
}
