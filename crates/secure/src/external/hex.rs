//! Bytes as hexadecimal digits, which every language reads.

use glassline_wire::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hex(pub Vec<u8>);

impl From<&[u8]> for Hex {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        hex::decode(&text).map(Self).ok_or_else(|| D::Error::custom("bytes are written as pairs of hexadecimal digits"))
    }
}
