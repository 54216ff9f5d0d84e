//! The 128-bit id by which a client knows its own message (E4).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A client's own id for a message: sent again, it yields the same `seq` and no second copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u128);

impl MessageId {
    /// Reads exactly the form that is written, so that an id is never returned in another form:
    /// 32 lowercase hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !fits {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Self)
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
        Self::parse(&text).ok_or_else(|| de::Error::custom("an id is 32 lowercase hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn only_the_form_that_is_written_is_read() {
        let id = MessageId(0x050e_8400_e29b_41d4_a716_4466_5544_0000);
        assert_eq!(id.to_string(), "050e8400e29b41d4a716446655440000");
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        for wrong in [
            "",
            "7",
            "050E8400E29B41D4A716446655440000",
            "050e8400-e29b-41d4-a716-446655440000",
            "050e8400e29b41d4a71644665544000g",
            "+50e8400e29b41d4a716446655440000",
            "éééééééééééééééé",
        ] {
            assert_eq!(MessageId::parse(wrong), None, "{wrong}");
        }
    }
}
