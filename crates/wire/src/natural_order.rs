//! The order in which people look for names: numbers by their value, letters without regard to
//! case.

use core::cmp::Ordering;
use core::iter::Peekable;
use core::str::Chars;

/// Compares two names: `student-2` sorts before `student-10`. Equal only if they are the same.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.chars().peekable(), other.chars().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return one.cmp(other),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(l), Some(r)) if l.is_ascii_digit() && r.is_ascii_digit() => compare_numbers(&mut left, &mut right),
            _ => {
                let (l, r) = (left.next(), right.next());
                l.into_iter().flat_map(char::to_lowercase).cmp(r.into_iter().flat_map(char::to_lowercase))
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Compares two runs of digits by their value, however long, and takes them.
fn compare_numbers<'a>(left: &mut Peekable<Chars<'a>>, right: &mut Peekable<Chars<'a>>) -> Ordering {
    for digits in [&mut *left, &mut *right] {
        while digits.next_if_eq(&'0').is_some() {}
    }
    let mut first_difference = Ordering::Equal;
    loop {
        let digits = (left.next_if(char::is_ascii_digit), right.next_if(char::is_ascii_digit));
        match digits {
            (None, None) => return first_difference,
            (Some(_), None) => return Ordering::Greater,
            (None, Some(_)) => return Ordering::Less,
            (Some(l), Some(r)) => first_difference = first_difference.then(l.cmp(&r)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn numbers_stand_by_their_value() {
        let sorted = [
            "2",
            "10",
            "Alice",
            "alice",
            "alice-2",
            "Bob",
            "student",
            "student-",
            "student-2",
            "student-02",
            "student-10",
            "student-10b",
            "student-99999999999999999999999",
            "student-100000000000000000000000",
            "x1y2",
            "x1y10",
            "x01y11",
            "äa",
            "漢字2",
            "漢字11",
        ];
        let mut names: Vec<&str> = sorted.into_iter().rev().collect();
        names.sort_by(|one, other| compare(one, other));
        // Names that differ in case or zeros alone have an order, whichever it is.
        let fold =
            |names: &[&str]| names.iter().map(|name| name.to_lowercase().replace('0', "")).collect::<Vec<String>>();
        assert_eq!(fold(&names), fold(&sorted));
    }

    proptest::proptest! {
        #[test]
        fn it_is_an_order(names in proptest::collection::vec("[aB0-9]{0,5}", 3)) {
            let [a, b, c] = [&names[0], &names[1], &names[2]];
            proptest::prop_assert_eq!(compare(a, b), compare(b, a).reverse());
            proptest::prop_assert_eq!(compare(a, b) == Ordering::Equal, a == b);
            if compare(a, b).is_le() && compare(b, c).is_le() {
                proptest::prop_assert!(compare(a, c).is_le());
            }
        }
    }
}
