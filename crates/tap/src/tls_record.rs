//! Headers of TLS records: the boundaries that an encrypted stream shows to everybody (RFC 8446,
//! 5.1). A header is a content type, a version and a length; the content is opaque here.

/// Length of a header in bytes.
pub const RECORD_HEADER_BYTES: usize = 5;
/// Longest content in bytes: 2^14 and an expansion by encryption of 2,048 (RFC 5246, 6.2.3), of which
/// TLS 1.3 permits 256.
const CONTENT_BYTES_MAX: usize = 16 * 1024 + 2_048;

/// Content type of a record, which is not encrypted. From TLS 1.3 on, encrypted records of every
/// type say that they are application data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    /// Change of the cipher; in TLS 1.3 without meaning.
    ChangeCipherSpec,
    /// Warning or error, or the end of the stream.
    Alert,
    /// Messages of the handshake.
    Handshake,
    /// Anything that is encrypted.
    ApplicationData,
}

impl RecordType {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x14 => Some(Self::ChangeCipherSpec),
            0x15 => Some(Self::Alert),
            0x16 => Some(Self::Handshake),
            0x17 => Some(Self::ApplicationData),
            _ => None,
        }
    }

    /// Returns its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangeCipherSpec => "change of cipher",
            Self::Alert => "alert",
            Self::Handshake => "handshake",
            Self::ApplicationData => "application data",
        }
    }
}

/// Returns whether a record can begin with these bytes.
pub(crate) fn may_begin(bytes: &[u8]) -> bool {
    let has_type = bytes.first().is_none_or(|byte| RecordType::of(*byte).is_some());
    let has_version = bytes.get(1).is_none_or(|major| *major == 3) && bytes.get(2).is_none_or(|minor| *minor <= 4);
    has_type && has_version && content_bytes(bytes).is_none_or(|length| length <= CONTENT_BYTES_MAX)
}

/// Returns type and length of the record at the start of some bytes, header included; `None` if
/// its header is incomplete or malformed.
pub(crate) fn record(bytes: &[u8]) -> Option<(RecordType, usize)> {
    let record_type = RecordType::of(*bytes.first()?).filter(|_| may_begin(bytes))?;
    Some((record_type, RECORD_HEADER_BYTES + content_bytes(bytes)?))
}

/// Returns the length that a whole header states.
fn content_bytes(bytes: &[u8]) -> Option<usize> {
    let [_, _, _, high, low] = *bytes.first_chunk::<RECORD_HEADER_BYTES>()?;
    Some(usize::from(u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_by_type_version_and_length() {
        assert_eq!(record(&[0x16, 3, 1, 0, 200]), Some((RecordType::Handshake, 205)));
        assert_eq!(record(&[0x17, 3, 3, 0x48, 0, 9]), Some((RecordType::ApplicationData, 5 + 0x4800)));
        for malformed in
            [[0x13, 3, 3, 0, 1], [0x18, 3, 3, 0, 1], [0x17, 2, 3, 0, 1], [0x17, 3, 5, 0, 1], [0x17, 3, 3, 0x48, 1]]
        {
            assert_eq!((record(&malformed), may_begin(&malformed)), (None, false), "{malformed:?}");
        }
        for incomplete in [&[][..], &[0x14], &[0x15, 3], &[0x16, 3, 4], &[0x17, 3, 3, 0xff]] {
            assert_eq!((record(incomplete), may_begin(incomplete)), (None, true), "{incomplete:?}");
        }
    }
}
