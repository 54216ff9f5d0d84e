//! Index of the names in use by what they are compared by.

use alloc::collections::BTreeSet;
use core::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::name::Looks;

/// Index of a name in use; a later name may have it again.
pub(super) type NameId = u32;

/// Names by their looks. Looks are stored as hashes, 16 bytes for each that differs from a name's
/// others, so a match must be compared itself.
#[derive(Debug, Default)]
pub(super) struct LookIndex {
    entries: BTreeSet<Entry>,
}

/// A look of a name in use. Of names that have one look and are written in the same manner, the
/// first stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    look: u64,
    manner: Manner,
    name: NameId,
}

/// The lower bits tell which of [`Looks::texts`] are this look; above them is a hash of the scripts
/// and the mixing of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Manner(u32);

const KINDS: u32 = 5;
const FOLDED: u32 = 0;

impl Manner {
    fn of(scripts_and_case: u32, kinds: u32) -> Self {
        Self(scripts_and_case << KINDS | kinds)
    }

    fn has_kind(self, kind: u32) -> bool {
        self.0 & (1 << kind) != 0
    }
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = SipHasher13::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The looks that differ, each with its manner.
fn looks_of(looks: &Looks) -> impl Iterator<Item = (u64, Manner)> {
    let texts = looks.texts();
    let scripts_and_case = hash_of((looks.scripts(), looks.is_mixed_case())) as u32;
    let kinds_of = move |text: &str| {
        (0..KINDS).zip(texts).filter(|(_, other)| *other == text).fold(0, |kinds, (kind, _)| kinds | 1 << kind)
    };
    (0..KINDS).zip(texts).filter_map(move |(kind, text)| {
        let kinds: u32 = kinds_of(text);
        // Once for each text: at the first kind that has it.
        (kinds.trailing_zeros() == kind).then(|| (hash_of(text), Manner::of(scripts_and_case, kinds)))
    })
}

impl LookIndex {
    /// Names whose folded form may be this.
    pub(super) fn with_folded(&self, folded: &str) -> impl Iterator<Item = NameId> {
        self.groups(hash_of(folded), None).filter(|entry| entry.manner.has_kind(FOLDED)).map(|entry| entry.name)
    }

    /// Names that may look like `wished`, without `own`: one of those alike in the same manner.
    pub(super) fn candidates(&self, wished: &Looks, own: Option<NameId>) -> impl Iterator<Item = NameId> {
        let looks: alloc::vec::Vec<_> = looks_of(wished).map(|(look, _)| look).collect();
        looks.into_iter().flat_map(move |look| self.groups(look, own)).map(|entry| entry.name)
    }

    /// The first name of each manner that has this look, leaving out `own`.
    fn groups(&self, look: u64, own: Option<NameId>) -> impl Iterator<Item = &Entry> {
        let mut from = Some(Entry { look, manner: Manner(0), name: 0 });
        core::iter::from_fn(move || {
            loop {
                let entry = self.entries.range(from?..).next().filter(|entry| entry.look == look)?;
                if Some(entry.name) == own {
                    from = Some(Entry { name: entry.name + 1, ..*entry });
                    continue;
                }
                from = entry.manner.0.checked_add(1).map(|manner| Entry { look, manner: Manner(manner), name: 0 });
                return Some(entry);
            }
        })
    }

    pub(super) fn add(&mut self, looks: &Looks, name: NameId) {
        self.entries.extend(looks_of(looks).map(|(look, manner)| Entry { look, manner, name }));
    }

    pub(super) fn remove(&mut self, looks: &Looks, name: NameId) {
        for (look, manner) in looks_of(looks) {
            self.entries.remove(&Entry { look, manner, name });
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
