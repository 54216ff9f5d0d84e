//! The 128-bit id by which a client knows its own message (E4).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A client's own id for a message: sent again, it yields the same `seq` and no second copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u128);

impl MessageId {
    /// Reads 32 hexadecimal digits, with or without the hyphens of a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        let hyphens_fit = match text.len() {
            32 => !text.contains('-'),
            36 => text.bytes().enumerate().all(|(at, byte)| matches!(at, 8 | 13 | 18 | 23) == (byte == b'-')),
            _ => false,
        };
        if !hyphens_fit {
            return None;
        }
        let mut value = 0_u128;
        for c in text.chars().filter(|&c| c != '-') {
            value = value << 4 | u128::from(c.to_digit(16)?);
        }
        Some(Self(value))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("an id is 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn hexadecimal_and_uuid_forms_are_read() {
        let id = MessageId(0x550e_8400_e29b_41d4_a716_4466_5544_0000);
        assert_eq!(MessageId::parse("550e8400e29b41d4a716446655440000"), Some(id));
        assert_eq!(MessageId::parse("550E8400-e29b-41d4-a716-446655440000"), Some(id));
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        assert_eq!(MessageId(7).to_string().len(), 32);
    }

    #[test]
    fn other_forms_are_not() {
        for wrong in [
            "",
            "7",
            "550e8400e29b41d4a71644665544000g",
            "550e8400-e29b41d4-a716-446655440000",
            "+50e8400e29b41d4a716446655440000",
        ] {
            assert_eq!(MessageId::parse(wrong), None, "{wrong}");
        }
        assert_eq!(MessageId::parse("ééééééééééééééééaaaa"), None);
    }
}
