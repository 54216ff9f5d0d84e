//! Which colour a name has: always the same one, everywhere.

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
}
