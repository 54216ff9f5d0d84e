//! The colour of a name: the same one everywhere, unless another present member has it.

/// Names whose colours are kept; past it the first absent one is dropped, or the first of all.
const ASSIGNED_MAX: usize = 256;
/// Colours there are for names.
pub(crate) const NAME_COLOURS: usize = 12;

/// The place of a name's colour among the [`NAME_COLOURS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameColour(pub(crate) u8);

/// The colour of a name, in any case.
pub(crate) fn of(name: &str) -> NameColour {
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
    NameColour(((hash ^ (hash >> 32)) % NAME_COLOURS as u64) as u8)
}

/// Colours of the names that are or were present. Other clients may choose others.
#[derive(Debug)]
pub(crate) struct NameColours {
    /// Colours that the screen can distinguish, at most [`NAME_COLOURS`].
    distinct: usize,
    assigned: Vec<Assigned>,
}

#[derive(Debug)]
struct Assigned {
    /// In lower case.
    name: String,
    colour: NameColour,
    is_present: bool,
}

impl Default for NameColours {
    fn default() -> Self {
        Self::of_screen(NAME_COLOURS)
    }
}

impl NameColours {
    /// Creates an empty assignment for a screen with this number of distinct colours.
    pub(crate) fn of_screen(distinct: usize) -> Self {
        Self { distinct: distinct.clamp(1, NAME_COLOURS), assigned: Vec::new() }
    }

    pub(crate) fn of(&self, name: &str) -> NameColour {
        let folded = name.to_lowercase();
        self.assigned
            .iter()
            .find(|assigned| assigned.name == folded)
            .map_or_else(|| of(name), |assigned| assigned.colour)
    }

    /// Assigns a colour to a present name: its own, or a free one if that is taken.
    pub(crate) fn assign(&mut self, name: &str) {
        let folded = name.to_lowercase();
        let before =
            self.assigned.iter().position(|assigned| assigned.name == folded).map(|at| self.assigned.remove(at));
        let wished = before.as_ref().map_or_else(|| of(name), |before| before.colour);
        let colour = if before.as_ref().is_some_and(|before| before.is_present) { wished } else { self.free(wished) };
        if self.assigned.len() == ASSIGNED_MAX {
            let first = self.assigned.iter().position(|assigned| !assigned.is_present).unwrap_or(0);
            self.assigned.remove(first);
        }
        self.assigned.push(Assigned { name: folded, colour, is_present: true });
    }

    /// Releases the colour of a name that has left.
    pub(crate) fn release(&mut self, name: &str) {
        let folded = name.to_lowercase();
        for assigned in self.assigned.iter_mut().filter(|assigned| assigned.name == folded) {
            assigned.is_present = false;
        }
    }

    /// Returns the preferred colour, or the next free one; the preferred one if none is free.
    fn free(&self, NameColour(wished): NameColour) -> NameColour {
        let is_taken = |colour: &NameColour| {
            let looks = |colour: NameColour| usize::from(colour.0) % self.distinct;
            self.assigned.iter().any(|assigned| assigned.is_present && looks(assigned.colour) == looks(*colour))
        };
        let from_wished = (0..NAME_COLOURS).map(|step| (usize::from(wished) + step) % NAME_COLOURS);
        let mut colours = from_wished.filter_map(|colour| u8::try_from(colour).ok()).map(NameColour);
        colours.find(|colour| !is_taken(colour)).unwrap_or(NameColour(wished))
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
        let colours: BTreeSet<u8> = (0..100).map(|number| of(&format!("student{number}")).0).collect();
        assert_eq!(colours.len(), NAME_COLOURS);
        assert!(colours.iter().all(|&colour| usize::from(colour) < NAME_COLOURS));
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
        let mut colours = NameColours::default();
        colours.assign(&first);
        colours.assign(&second);
        assert_eq!(colours.of(&first.to_uppercase()), of(&first), "hash first");
        assert_ne!(colours.of(&second), of(&second));
        let taken = colours.of(&second);
        colours.release(&first);
        colours.assign(&second);
        assert_eq!(colours.of(&second), taken, "whoever is here keeps a colour");
        colours.release(&second);
        colours.assign(&first);
        assert_eq!((colours.of(&first), colours.of("nobody")), (of(&first), of("nobody")));
    }

    #[test]
    fn as_many_as_there_are_colours_differ() {
        let names: Vec<String> = (0..1_000).map(|number| format!("n{number}")).collect();
        for distinct in [NAME_COLOURS, 4] {
            let mut colours = NameColours::of_screen(distinct);
            names[..distinct].iter().for_each(|name| colours.assign(name));
            let shown: BTreeSet<usize> =
                names[..distinct].iter().map(|name| usize::from(colours.of(name).0) % distinct).collect();
            assert_eq!(shown.len(), distinct);
            for name in &names {
                colours.assign(name);
            }
            assert_eq!(colours.assigned.len(), ASSIGNED_MAX);
        }
    }
}
