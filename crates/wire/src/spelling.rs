//! Spellings of names: what different ways of writing one name have in common (E2, T8).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use unicode_normalization::UnicodeNormalization as _;

/// The mappings of the PRECIS nickname profile (RFC 8266, 2.1): any spaces become one, none at the
/// ends, compatible forms become one form. The one space that is left is written `_` (T8), so that
/// a name is one word in every command.
pub fn nickname(wished: &str) -> String {
    let normal: String = wished.nfkc().collect();
    normal.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// Returns a room's name as a server has it: whatever the spelling, it is the same room.
pub fn room(spelling: &str) -> Cow<'_, str> {
    // Each message is looked up, and servers send most names so already.
    if spelling.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) {
        return Cow::Borrowed(spelling);
    }
    Cow::Owned(nickname(spelling.strip_prefix('#').unwrap_or(spelling)).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_room_are_one_and_look_alikes_are_not() {
        for spelling in ["my_den", "#my_den", "My_Den", " my  den ", "\u{ff2d}y_den"] {
            assert_eq!(room(spelling), "my_den", "{spelling}");
        }
        for other in ["my_d\u{435}n", "myden", "my-den", "##my_den"] {
            assert_ne!(room(other), "my_den", "{other}");
        }
    }
}
