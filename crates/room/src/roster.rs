//! Which names are in use: no two that are the same in another case, and none that looks like another.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString,
};

use glassline_wire::event::ErrorCode;

use crate::id::MemberId;
use crate::name::{Name, NameKeys, fold, keys};
use crate::refusal::Refused;

/// How many numbers in a row are tried behind a taken name.
const SUFFIX_TRIES_MAX: u32 = 64;

#[derive(Debug)]
struct Held {
    member: MemberId,
    /// The number that no namesake has had yet, so that a crowd of them costs no search.
    next_suffix: u32,
    /// Smaller numbers whose owners have gone.
    freed_suffixes: BTreeSet<u32>,
}

/// The names in use and who has them.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    by_folded: BTreeMap<Box<str>, Held>,
    /// Looks in use; a name has one or two of them. The number counts how many names share it (never more than two forms of one).
    looks: BTreeMap<Box<str>, usize>,
}

impl Roster {
    /// Who has this name, in whatever case.
    pub(crate) fn find(&self, name: &str) -> Option<MemberId> {
        self.by_folded.get(fold(name).as_str()).map(|held| held.member)
    }

    /// The name itself, or the next free one with a number behind it (T10) that nobody is kept from having.
    pub(crate) fn free_name(&mut self, name: Name, is_barred: impl Fn(&NameKeys) -> bool) -> Result<Name, Refused> {
        let wished = name.keys();
        let Some(held) = self.by_folded.get_mut(&wished.folded) else {
            self.refuse_look_alike(&wished)?;
            return Ok(name);
        };
        let freed = core::mem::take(&mut held.freed_suffixes);
        let next = held.next_suffix;
        // The base name's owner may have changed while its namesakes stayed: then the next numbers are taken, and leaps find the end.
        let leaps = (0..24).map(|power| next.saturating_add(SUFFIX_TRIES_MAX << power));
        let mut numbers = freed.iter().copied().chain(next..next.saturating_add(SUFFIX_TRIES_MAX)).chain(leaps);
        // They are free again when what bars them has ended.
        let mut barred = BTreeSet::new();
        let found = numbers.find(|&number| {
            let candidate = name.with_suffix(number).keys();
            if self.by_folded.contains_key(&candidate.folded) || self.refuse_look_alike(&candidate).is_err() {
                return false;
            }
            let is_barred = is_barred(&candidate);
            if is_barred {
                barred.insert(number);
            }
            !is_barred
        });
        if let (Some(number), Some(held)) = (found, self.by_folded.get_mut(&wished.folded)) {
            held.next_suffix = next.max(number + 1);
            held.freed_suffixes = freed.into_iter().filter(|&freed| freed > number).chain(barred).collect();
            return Ok(name.with_suffix(number));
        }
        if let Some(held) = self.by_folded.get_mut(&wished.folded) {
            held.freed_suffixes = freed;
        }
        Err(Refused::new(
            ErrorCode::NameTaken,
            format!("{} is taken, and so are its numbers; choose another", name.as_str()),
        ))
    }

    /// Whether `member` may take exactly this name; it may be one that only looks like the name it has.
    pub(crate) fn check_rename(&mut self, current: &str, member: MemberId, name: &Name) -> Result<(), Refused> {
        let wished = name.keys();
        match self.by_folded.get(&wished.folded) {
            Some(held) if held.member != member => {
                return Err(Refused::new(ErrorCode::NameTaken, format!("{} is taken; choose another", name.as_str())));
            }
            _ => {}
        }
        self.release(current);
        let checked = self.refuse_look_alike(&wished);
        self.claim(current, member);
        checked
    }

    fn refuse_look_alike(&self, wished: &NameKeys) -> Result<(), Refused> {
        if self.looks.contains_key(&wished.skeleton) || self.looks.contains_key(&wished.folded_skeleton) {
            let text = "this name looks like one that is in use; choose another".to_string();
            return Err(Refused::new(ErrorCode::NameTaken, text));
        }
        Ok(())
    }

    /// Notes that `member` has `name`, which was checked before.
    pub(crate) fn claim(&mut self, name: &str, member: MemberId) {
        let NameKeys { folded, skeleton, folded_skeleton } = keys(name);
        self.by_folded.insert(folded, Held { member, next_suffix: 2, freed_suffixes: BTreeSet::new() });
        if skeleton != folded_skeleton {
            *self.looks.entry(folded_skeleton).or_default() += 1;
        }
        *self.looks.entry(skeleton).or_default() += 1;
    }

    /// Notes that nobody has `name` any more.
    pub(crate) fn release(&mut self, name: &str) {
        let NameKeys { folded, skeleton, folded_skeleton } = keys(name);
        if self.by_folded.remove(&folded).is_none() {
            return;
        }
        if let Some((base, number)) = folded.rsplit_once('-')
            && let Some(held) = self.by_folded.get_mut(base)
            && let Ok(number) = number.parse()
            && (2..held.next_suffix).contains(&number)
        {
            held.freed_suffixes.insert(number);
        }
        if skeleton != folded_skeleton {
            self.drop_look(&folded_skeleton);
        }
        self.drop_look(&skeleton);
    }

    fn drop_look(&mut self, look: &str) {
        if let Some(count) = self.looks.get_mut(look) {
            *count -= 1;
            if *count == 0 {
                self.looks.remove(look);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).expect("a name")
    }

    fn enter(roster: &mut Roster, text: &str, member: usize) -> Result<String, Refused> {
        let free = roster.free_name(name(text), |_| false)?;
        roster.claim(free.as_str(), MemberId(member));
        Ok(free.as_str().to_string())
    }

    #[test]
    fn a_namesake_gets_the_next_number() {
        let mut roster = Roster::default();
        assert_eq!(enter(&mut roster, "alice", 0).as_deref(), Ok("alice"));
        assert_eq!(enter(&mut roster, "Alice", 1).as_deref(), Ok("Alice-2"));
        assert_eq!(enter(&mut roster, "alice", 2).as_deref(), Ok("alice-3"));
        assert_eq!(roster.find("ALICE-3"), Some(MemberId(2)));
        roster.release("Alice-2");
        assert_eq!(enter(&mut roster, "alice", 1).as_deref(), Ok("alice-2"));
        assert_eq!(enter(&mut roster, "alice", 4).as_deref(), Ok("alice-4"));
        roster.release("alice");
        assert_eq!(enter(&mut roster, "alice", 3).as_deref(), Ok("alice"));
    }

    #[test]
    fn a_barred_number_is_passed_over_until_it_is_free_again() {
        let mut roster = Roster::default();
        enter(&mut roster, "bot", 0).expect("free");
        let numbered = |roster: &mut Roster, member: usize, barred: &[&str]| {
            let free = roster.free_name(name("bot"), |keys| barred.contains(&&*keys.folded)).expect("a number is left");
            roster.claim(free.as_str(), MemberId(member));
            free.as_str().to_string()
        };
        assert_eq!(numbered(&mut roster, 1, &["bot-2", "bot-3"]), "bot-4");
        assert_eq!(numbered(&mut roster, 2, &["bot-2"]), "bot-3");
        let all = roster.free_name(name("bot"), |_| true);
        assert_eq!(all.expect_err("none is left").code, ErrorCode::NameTaken);
        assert_eq!(numbered(&mut roster, 3, &[]), "bot-2");
        assert_eq!(numbered(&mut roster, 4, &[]), "bot-5");
    }

    #[test]
    fn a_look_alike_is_refused_until_the_other_has_gone() {
        let mut roster = Roster::default();
        enter(&mut roster, "admin", 0).expect("free");
        assert_eq!(enter(&mut roster, "аdmin", 1).expect_err("looks alike").code, ErrorCode::NameTaken);
        assert_eq!(enter(&mut roster, "АDMIN", 1).expect_err("looks alike").code, ErrorCode::NameTaken);
        roster.release("admin");
        assert!(enter(&mut roster, "аdmin", 1).is_ok());
        assert!(roster.looks.len() <= 2, "nothing of the old name is left: {:?}", roster.looks);
    }

    #[test]
    fn a_rename_may_keep_its_own_look() {
        let mut roster = Roster::default();
        enter(&mut roster, "lan", 0).expect("free");
        enter(&mut roster, "bob", 1).expect("free");
        assert!(roster.check_rename("lan", MemberId(0), &name("Lan")).is_ok());
        assert!(roster.check_rename("lan", MemberId(0), &name("1an")).is_ok());
        assert!(roster.check_rename("lan", MemberId(0), &name("BOB")).is_err());
        assert!(roster.check_rename("bob", MemberId(1), &name("1an")).is_err());
        assert_eq!(roster.find("lan"), Some(MemberId(0)));
    }

    #[test]
    fn a_crowd_of_namesakes_is_no_search() {
        let mut roster = Roster::default();
        for member in 0..3_000 {
            enter(&mut roster, "bot", member).expect("numbered");
        }
        assert_eq!(roster.by_folded.len(), 3_000);
        roster.release("bot");
        assert_eq!(enter(&mut roster, "bot", 0).as_deref(), Ok("bot"));
        assert!(enter(&mut roster, "bot", 3_001).is_ok(), "the numbers that stayed do not use up the tries");
    }
}
