//! The colour of a name: the same one everywhere, unless somebody who is present has it already.

/// Names whose colours are kept; past it the first that has gone gives way, or the first of all.
const KEPT_MAX: usize = 256;

/// Colours there are for names.
pub(crate) const HUES: usize = 12;

/// The place of a name's colour among the [`HUES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hue(pub(crate) u8);

/// The colour of a name, whatever the case of its letters.
pub(crate) fn of(name: &str) -> Hue {
    // FNV-1a: spreads short names well, and is the same on every machine and in every version.
    let folded = name.chars().flat_map(char::to_lowercase);
    let mut buffer = [0; 4];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for c in folded {
        for byte in c.encode_utf8(&mut buffer).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // The low bits alone mix badly.
    Hue(((hash ^ (hash >> 32)) % HUES as u64) as u8)
}

/// The colours of people who are or were there. They are this client's own matter: another one may
/// show others.
#[derive(Debug)]
pub(crate) struct Hues {
    /// Colours that the screen can tell apart, at most [`HUES`].
    distinct: usize,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// In lower case.
    name: String,
    hue: Hue,
    is_present: bool,
}

impl Default for Hues {
    fn default() -> Self {
        Self::of_screen(HUES)
    }
}

impl Hues {
    /// Nobody's colours yet, on a screen that tells so many apart.
    pub(crate) fn of_screen(distinct: usize) -> Self {
        Self { distinct: distinct.clamp(1, HUES), kept: Vec::new() }
    }

    /// The colour of a name.
    pub(crate) fn of(&self, name: &str) -> Hue {
        let folded = name.to_lowercase();
        self.kept.iter().find(|kept| kept.name == folded).map_or_else(|| of(name), |kept| kept.hue)
    }

    /// Somebody is there: the colour of its name is its own, or a free one if somebody else has
    /// that.
    pub(crate) fn comes(&mut self, name: &str) {
        let folded = name.to_lowercase();
        let before = self.kept.iter().position(|kept| kept.name == folded).map(|at| self.kept.remove(at));
        let wished = before.as_ref().map_or_else(|| of(name), |before| before.hue);
        let hue = if before.as_ref().is_some_and(|before| before.is_present) { wished } else { self.free(wished) };
        if self.kept.len() == KEPT_MAX {
            let first = self.kept.iter().position(|kept| !kept.is_present).unwrap_or(0);
            self.kept.remove(first);
        }
        self.kept.push(Kept { name: folded, hue, is_present: true });
    }

    /// Somebody is not there any more: others may have its colour.
    pub(crate) fn goes(&mut self, name: &str) {
        let folded = name.to_lowercase();
        for kept in self.kept.iter_mut().filter(|kept| kept.name == folded) {
            kept.is_present = false;
        }
    }

    /// The wished colour, or the next one that nobody present has; the wished one if there is none.
    fn free(&self, Hue(wished): Hue) -> Hue {
        let is_taken = |hue: &Hue| {
            let looks = |hue: Hue| usize::from(hue.0) % self.distinct;
            self.kept.iter().any(|kept| kept.is_present && looks(kept.hue) == looks(*hue))
        };
        let from_wished = (0..HUES).map(|step| (usize::from(wished) + step) % HUES);
        let mut hues = from_wished.filter_map(|hue| u8::try_from(hue).ok()).map(Hue);
        hues.find(|hue| !is_taken(hue)).unwrap_or(Hue(wished))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_name_keeps_its_colour_and_names_spread_over_all() {
        assert_eq!(of("Alice"), of("alice"));
        assert_eq!(of("alice"), of("alice"));
        let hues: BTreeSet<u8> = (0..100).map(|number| of(&format!("student{number}")).0).collect();
        assert_eq!(hues.len(), HUES);
        assert!(hues.iter().all(|&hue| usize::from(hue) < HUES));
    }

    /// Two names of one colour.
    fn namesakes() -> (String, String) {
        let names = |number: u32| format!("student{number}");
        let other = (1..1_000).find(|&number| of(&names(number)) == of(&names(0))).expect("colours are few");
        (names(0), names(other))
    }

    #[test]
    fn of_two_with_one_colour_the_later_takes_a_free_one() {
        let (first, second) = namesakes();
        let mut hues = Hues::default();
        hues.comes(&first);
        hues.comes(&second);
        assert_eq!(hues.of(&first.to_uppercase()), of(&first), "hash first");
        assert_ne!(hues.of(&second), of(&second));
        let taken = hues.of(&second);
        hues.goes(&first);
        hues.comes(&second);
        assert_eq!(hues.of(&second), taken, "whoever is here keeps a colour");
        hues.goes(&second);
        hues.comes(&first);
        assert_eq!((hues.of(&first), hues.of("nobody")), (of(&first), of("nobody")));
    }

    #[test]
    fn as_many_as_there_are_colours_differ() {
        let names: Vec<String> = (0..1_000).map(|number| format!("n{number}")).collect();
        for distinct in [HUES, 4] {
            let mut hues = Hues::of_screen(distinct);
            names[..distinct].iter().for_each(|name| hues.comes(name));
            let shown: BTreeSet<usize> =
                names[..distinct].iter().map(|name| usize::from(hues.of(name).0) % distinct).collect();
            assert_eq!(shown.len(), distinct);
            for name in &names {
                hues.comes(name);
            }
            assert_eq!(hues.kept.len(), KEPT_MAX);
        }
    }
}
