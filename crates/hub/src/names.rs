//! Names in use: no two that are equal in another case, and none that looks like another.

mod look_index;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};

use glassline_wire::event::{ErrorCode, Rejection};
use slab::Slab;

use self::look_index::{LookIndex, NameId};
use crate::id::MemberId;
use crate::name::{Looks, Name, fold};

/// Numbers in a row that are tried after a taken name.
const SUFFIX_TRIES_MAX: u32 = 64;

#[derive(Debug)]
struct NameInUse {
    written: Box<str>,
    member: MemberId,
    /// The number that no namesake has had yet, so that a crowd of them costs no search.
    next_suffix: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Names {
    in_use: Slab<NameInUse>,
    looks: LookIndex,
    /// Numbers below a name's next whose owners have left.
    freed_suffixes: BTreeSet<(NameId, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrantedName {
    pub(crate) name: Name,
    pub(crate) looks: Looks,
    pub(crate) suffix_reason: Option<SuffixReason>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SuffixReason {
    /// The name is taken, in any case.
    Taken,
    /// This name, which looks the same, is taken.
    LooksLike(String),
}

/// A name in use that another one looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LookAlike {
    /// Both are of one script; this is the one in use.
    WithinScript(NameId),
    /// They are not, or mix scripts.
    AcrossScripts,
}

impl Names {
    pub(crate) fn find(&self, name: &str) -> Option<MemberId> {
        self.named(&fold(name)).map(|id| self.in_use[id as usize].member)
    }

    fn named(&self, folded: &str) -> Option<NameId> {
        self.looks.with_folded(folded).find(|&id| fold(&self.in_use[id as usize].written) == folded)
    }

    /// The name in use that `wished` looks like, leaving out `own`.
    fn look_alike(&self, wished: &Looks, own: Option<NameId>) -> Option<LookAlike> {
        let mut first = None;
        for id in self.looks.candidates(wished, own) {
            let held = Looks::of(&self.in_use[id as usize].written);
            if !held.is_like(wished) {
                continue;
            }
            if !wished.is_of_one_script_with(held.scripts()) {
                return Some(LookAlike::AcrossScripts);
            }
            first.get_or_insert(LookAlike::WithinScript(id));
        }
        first
    }

    /// Returns the name itself, or the name with the next number (T10) that is free and not barred.
    ///
    /// # Errors
    /// The name looks like one of another script, or all numbers are taken.
    pub(crate) fn free_name(
        &mut self,
        name: Name,
        is_barred: impl Fn(&Looks) -> bool,
    ) -> Result<GrantedName, Rejection> {
        let looks = name.looks();
        let Some((base, suffix_reason)) = self.namesake(&looks)? else {
            return Ok(GrantedName { name, looks, suffix_reason: None });
        };
        let freed = self.freed_suffixes.range((base, 0)..=(base, u32::MAX)).map(|&(_, number)| number);
        let next = self.in_use[base as usize].next_suffix;
        // The base name's owner may have changed while its namesakes stayed: then the next numbers
        // are taken, and leaps find the end.
        let leaps = (0..24).map(|power| next.saturating_add(SUFFIX_TRIES_MAX << power));
        let mut numbers = freed.chain(next..next.saturating_add(SUFFIX_TRIES_MAX)).chain(leaps);
        // They are free again when what bars them has ended.
        let mut barred = BTreeSet::new();
        let found = numbers.find_map(|number| {
            let candidate = name.with_suffix(number);
            let looks = candidate.looks();
            if self.named(looks.folded()).is_some() || self.look_alike(&looks, None).is_some() {
                return None;
            }
            if is_barred(&looks) {
                barred.insert(number);
                return None;
            }
            Some((number, candidate, looks))
        });
        let Some((number, name, looks)) = found else {
            let text = format!("{} is taken, and so are its numbers; choose another", name.as_str());
            return Err(Rejection::new(ErrorCode::NameTaken, text));
        };
        self.in_use[base as usize].next_suffix = next.max(number + 1);
        self.forget_freed(base, number);
        self.freed_suffixes.extend(barred.into_iter().map(|number| (base, number)));
        Ok(GrantedName { name, looks, suffix_reason: Some(suffix_reason) })
    }

    fn forget_freed(&mut self, base: NameId, last: u32) {
        while let Some(&freed) = self.freed_suffixes.range((base, 0)..=(base, last)).next() {
            self.freed_suffixes.remove(&freed);
        }
    }

    /// The name in use that `wished` extends by a number.
    fn namesake(&self, wished: &Looks) -> Result<Option<(NameId, SuffixReason)>, Rejection> {
        if let Some(id) = self.named(wished.folded()) {
            return Ok(Some((id, SuffixReason::Taken)));
        }
        match self.look_alike(wished, None) {
            None => Ok(None),
            Some(LookAlike::WithinScript(id)) => {
                Ok(Some((id, SuffixReason::LooksLike(self.in_use[id as usize].written.to_string()))))
            }
            Some(LookAlike::AcrossScripts) => Err(looks_like_another()),
        }
    }

    /// Checks that `member` may take exactly this name, and returns its looks; it may be one that
    /// only looks like the name it has.
    ///
    /// # Errors
    /// It, or one that looks like it, is taken.
    pub(crate) fn check_rename(&self, current: &str, member: MemberId, name: &Name) -> Result<Looks, Rejection> {
        let wished = name.looks();
        if self.named(wished.folded()).is_some_and(|id| self.in_use[id as usize].member != member) {
            return Err(Rejection::new(ErrorCode::NameTaken, format!("{} is taken; choose another", name.as_str())));
        }
        match self.look_alike(&wished, self.named(&fold(current))) {
            Some(_) => Err(looks_like_another()),
            None => Ok(wished),
        }
    }

    /// Notes that `member` has `name`, which was checked before, and has these looks.
    pub(crate) fn claim(&mut self, name: &str, looks: &Looks, member: MemberId) {
        let held = NameInUse { written: name.into(), member, next_suffix: 2 };
        let id = self.in_use.insert(held) as NameId;
        self.looks.add(looks, id);
    }

    pub(crate) fn release(&mut self, name: &str) {
        let looks_gone = Looks::of(name);
        let Some(id) = self.named(looks_gone.folded()) else { return };
        self.looks.remove(&looks_gone, id);
        self.in_use.remove(id as usize);
        self.forget_freed(id, u32::MAX);
        if let Some((base, number)) = name.rsplit_once('-')
            && let Ok(number) = number.parse()
            && let Ok(Some((base, _))) = self.namesake(&Looks::of(base))
            && (2..self.in_use[base as usize].next_suffix).contains(&number)
        {
            self.freed_suffixes.insert((base, number));
        }
    }
}

fn looks_like_another() -> Rejection {
    Rejection::new(ErrorCode::NameTaken, "this name looks like one that is in use; choose another")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::member_id;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).expect("a name")
    }

    fn enter(names: &mut Names, text: &str, member: u64) -> Result<String, Rejection> {
        let free = names.free_name(name(text), |_| false)?.name;
        names.claim(free.as_str(), &free.looks(), member_id(member));
        Ok(free.as_str().to_string())
    }

    #[test]
    fn a_namesake_gets_the_next_number() {
        let mut names = Names::default();
        assert_eq!(enter(&mut names, "alice", 0).as_deref(), Ok("alice"));
        assert_eq!(enter(&mut names, "Alice", 1).as_deref(), Ok("Alice-2"));
        assert_eq!(enter(&mut names, "alice", 2).as_deref(), Ok("alice-3"));
        assert_eq!(names.find("ALICE-3"), Some(member_id(2)));
        names.release("Alice-2");
        assert_eq!(enter(&mut names, "alice", 1).as_deref(), Ok("alice-2"));
        assert_eq!(enter(&mut names, "alice", 4).as_deref(), Ok("alice-4"));
        names.release("alice");
        assert_eq!(enter(&mut names, "alice", 3).as_deref(), Ok("alice"));
    }

    #[test]
    fn a_barred_number_is_passed_over_until_it_is_free_again() {
        let mut names = Names::default();
        enter(&mut names, "bot", 0).expect("free");
        let numbered = |names: &mut Names, member: u64, barred: &[&str]| {
            let free =
                names.free_name(name("bot"), |looks| barred.contains(&looks.folded())).expect("a number is left").name;
            names.claim(free.as_str(), &free.looks(), member_id(member));
            free.as_str().to_string()
        };
        assert_eq!(numbered(&mut names, 1, &["bot-2", "bot-3"]), "bot-4");
        assert_eq!(numbered(&mut names, 2, &["bot-2"]), "bot-3");
        let all = names.free_name(name("bot"), |_| true);
        assert_eq!(all.expect_err("none is left").code, ErrorCode::NameTaken);
        assert_eq!(numbered(&mut names, 3, &[]), "bot-2");
        assert_eq!(numbered(&mut names, 4, &[]), "bot-5");
    }

    #[test]
    fn a_look_alike_is_refused_until_the_other_has_gone() {
        let mut names = Names::default();
        enter(&mut names, "admin", 0).expect("free");
        assert_eq!(enter(&mut names, "аdmin", 1).expect_err("looks alike").code, ErrorCode::NameTaken);
        assert_eq!(enter(&mut names, "АDMIN", 1).expect_err("looks alike").code, ErrorCode::NameTaken);
        names.release("admin");
        assert!(enter(&mut names, "аdmin", 1).is_ok());
        names.release("аdmin");
        assert!(names.in_use.is_empty());
        assert!(names.looks.is_empty(), "nothing is left: {:?}", names.looks);
    }

    #[test]
    fn a_rename_may_keep_its_own_look() {
        let mut names = Names::default();
        enter(&mut names, "lan", 0).expect("free");
        enter(&mut names, "bob", 1).expect("free");
        assert!(names.check_rename("lan", member_id(0), &name("Lan")).is_ok());
        assert!(names.check_rename("lan", member_id(0), &name("1an")).is_ok());
        assert!(names.check_rename("lan", member_id(0), &name("BOB")).is_err());
        assert!(names.check_rename("bob", member_id(1), &name("1an")).is_err());
        assert_eq!(names.find("lan"), Some(member_id(0)));
    }

    #[test]
    fn a_crowd_of_namesakes_is_no_search() {
        let mut names = Names::default();
        for member in 0..3_000 {
            enter(&mut names, "bot", member).expect("numbered");
        }
        assert_eq!(names.in_use.len(), 3_000);
        names.release("bot");
        assert_eq!(enter(&mut names, "bot", 0).as_deref(), Ok("bot"));
        assert!(enter(&mut names, "bot", 3_001).is_ok(), "the numbers that stayed do not use up the tries");
    }

    #[test]
    fn a_look_alike_of_one_script_gets_a_number_too() {
        let mut names = Names::default();
        for (wished, given, member) in [
            ("Erna", "Erna", 0),
            ("Ema", "Ema-2", 1),
            ("Erna", "Erna-3", 2),
            ("ema", "ema-4", 3),
            ("lan", "lan", 4),
            ("Ian", "Ian-2", 5),
            ("Bill", "Bill", 10),
            ("BiIl", "BiIl-2", 11),
            ("❤\u{fe0f}", "❤\u{fe0f}", 6),
            ("❤", "❤-2", 7),
            ("علیرضا", "علیرضا", 8),
            ("علی\u{200c}رضا", "علی\u{200c}رضا-2", 9),
            ("Иван_Smith", "Иван_Smith", 10),
            ("иван_smith", "иван_smith-2", 11),
        ] {
            assert_eq!(enter(&mut names, wished, member).as_deref(), Ok(given));
        }
        assert_eq!(
            names.free_name(name("Ema"), |_| false).expect("numbered").suffix_reason,
            Some(SuffixReason::LooksLike("Erna".into()))
        );
        assert_eq!(names.find("علیرضا-2"), Some(member_id(9)), "a name is found without its joiner");
        assert_eq!((names.find("❤"), names.find("Ema")), (Some(member_id(6)), None), "and not by a look-alike");
        names.release("Ema-2");
        assert_eq!(enter(&mut names, "Erna", 1).as_deref(), Ok("Erna-2"), "the number is free again, for either");
        names.release("Erna");
        assert_eq!(enter(&mut names, "Ema", 12).as_deref(), Ok("Ema"));
    }

    #[test]
    fn a_number_that_would_look_like_another_name_is_passed_over() {
        let mut names = Names::default();
        for (wished, given, member) in [
            ("Ema-2", "Ema-2", 0),
            ("Erna", "Erna", 1),
            ("Erna", "Erna-3", 2),
            ("ERNA-4", "ERNA-4", 3),
            ("Ema", "Ema-5", 4),
        ] {
            assert_eq!(enter(&mut names, wished, member).as_deref(), Ok(given));
        }
    }

    #[test]
    fn a_rename_takes_exactly_the_name_or_is_refused() {
        let mut names = Names::default();
        enter(&mut names, "Erna", 0).expect("free");
        enter(&mut names, "bob", 1).expect("free");
        for wished in ["Ema", "erna", "Еrna", "ERNА"] {
            let refused = names.check_rename("bob", member_id(1), &name(wished)).expect_err("in use");
            assert_eq!(refused.code, ErrorCode::NameTaken, "{wished}");
        }
        assert!(names.check_rename("Erna", member_id(0), &name("Ema")).is_ok());
        assert!(names.check_rename("Erna", member_id(0), &name("Еrnа")).is_ok());
        assert!(names.check_rename("bob", member_id(1), &name("bob")).is_ok());
    }

    /// Letters that look like each other, in one case or another, in one script or several.
    const LETTERS: &str = "[aаαcсeеiіIlІ1o2о0ОmмMМrnNТtTbВB❤\u{fe0f}_-]{1,6}";

    proptest! {
        #[test]
        fn no_two_who_are_here_look_alike(
            steps in proptest::collection::vec((LETTERS, 0_u64..12, 0_u8..4), 1..60)
        ) {
            let mut names = Names::default();
            let mut here: BTreeMap<u64, (String, Looks)> = BTreeMap::new();
            for (wished, member, act) in steps {
                let Ok(wished) = Name::parse(wished.as_bytes()) else { continue };
                match (here.get(&member).map(|(name, _)| name.clone()), act) {
                    (None, _) => {
                        let Ok(granted) = names.free_name(wished, |_| false) else { continue };
                        names.claim(granted.name.as_str(), &granted.looks, member_id(member));
                        here.insert(member, (granted.name.as_str().to_string(), granted.name.looks()));
                    }
                    (Some(current), 0) => {
                        names.release(&current);
                        here.remove(&member);
                    }
                    (Some(current), _) => {
                        if names.check_rename(&current, member_id(member), &wished).is_ok() {
                            names.release(&current);
                            names.claim(wished.as_str(), &wished.looks(), member_id(member));
                            here.insert(member, (wished.as_str().to_string(), wished.looks()));
                        }
                    }
                }
                for (one, (name, look)) in &here {
                    prop_assert_eq!(names.find(name), Some(member_id(*one)));
                    for (other, other_look) in here.range(one + 1..).map(|(_, other)| other) {
                        prop_assert!(!look.is_like(other_look), "{} {}", name, other);
                    }
                }
            }
            for (name, _) in here.values() {
                names.release(name);
            }
            prop_assert!(names.in_use.is_empty());
            prop_assert!(names.looks.is_empty() && names.freed_suffixes.is_empty());
        }
    }
}
