//! Headers of frames (RFC 6455, 5.2).

use alloc::vec::Vec;

use super::CONTROL_BYTES_MAX;
use super::violation::Violation;

/// Longest header in bytes: two, an extended length of eight, and a mask of four.
pub const HEADER_BYTES_MAX: usize = 14;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_IN_2_BYTES: u8 = 126;
const LENGTH_IN_8_BYTES: u8 = 127;

/// Role of the side that sends a frame: only a client's frames are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The side that opened the connection.
    Client,
    /// The other side.
    Server,
}

/// Kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0x0,
    /// First fragment of a text message.
    Text = 0x1,
    /// First fragment of a binary message.
    Binary = 0x2,
    /// End of what its sender sends.
    Close = 0x8,
    /// Request for a pong with the same payload.
    Ping = 0x9,
    /// Answer to a ping.
    Pong = 0xa,
}

impl Opcode {
    const ALL: [Self; 6] = [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];

    /// Returns whether the frame stands alone and may come between fragments.
    pub fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// Header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Last fragment of its message.
    pub is_final: bool,
    /// Kind of the frame.
    pub opcode: Opcode,
    /// Mask of the payload; `None` for a server's frame.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload.
    pub payload_bytes: u64,
}

impl FrameHeader {
    /// Returns the header of a server's frame that is a whole message or a control frame.
    pub fn of_server(opcode: Opcode, payload_bytes: usize) -> Self {
        Self { is_final: true, opcode, mask: None, payload_bytes: payload_bytes as u64 }
    }

    /// Reads the header at the start of `bytes`. Returns it with its length in bytes; `None` where
    /// more bytes are needed.
    ///
    /// # Errors
    /// A [`Violation`], as soon as the bytes that are there show it.
    pub fn decode(bytes: &[u8], sender: Sender) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Violation::ReservedBits);
        }
        let (is_final, code) = (first & FINAL != 0, first & 0x0f);
        let known = Opcode::ALL.into_iter().find(|opcode| *opcode as u8 == code);
        let opcode = known.ok_or(Violation::UnknownOpcode(code))?;
        if opcode.is_control() && !is_final {
            return Err(Violation::FragmentedControl);
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        match (sender, second & MASKED != 0) {
            (Sender::Client, false) => return Err(Violation::Unmasked),
            (Sender::Server, true) => return Err(Violation::Masked),
            _ => {}
        }
        let short = second & LENGTH;
        if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
            return Err(Violation::LongControl);
        }
        let length_bytes = match short {
            LENGTH_IN_2_BYTES => 2,
            LENGTH_IN_8_BYTES => 8,
            _ => 0,
        };
        let (mask_at, mask_bytes) = (2 + length_bytes, if sender == Sender::Client { 4 } else { 0 });
        let Some(extended) = bytes.get(2..mask_at) else { return Ok(None) };
        let payload_bytes = match length_bytes {
            0 => u64::from(short),
            _ => extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        // The shortest form is the only one, and the first bit of the longest is zero.
        let is_shortest = match length_bytes {
            0 => true,
            2 => payload_bytes >= u64::from(LENGTH_IN_2_BYTES),
            _ => payload_bytes > u64::from(u16::MAX) && payload_bytes >> 63 == 0,
        };
        if !is_shortest {
            return Err(Violation::BadLength);
        }
        let Some(mask) = bytes.get(mask_at..mask_at + mask_bytes) else { return Ok(None) };
        let header = Self { is_final, opcode, mask: mask.try_into().ok(), payload_bytes };
        Ok(Some((header, mask_at + mask_bytes)))
    }

    /// Returns the bytes of the header.
    pub fn encode(&self) -> EncodedHeader {
        let mut encoded = EncodedHeader::default();
        encoded.push(&[if self.is_final { FINAL } else { 0 } | self.opcode as u8]);
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        match self.payload_bytes {
            bytes @ ..=0x7d => encoded.push(&[masked | bytes as u8]),
            bytes @ ..=0xffff => {
                encoded.push(&[masked | LENGTH_IN_2_BYTES]);
                encoded.push(&(bytes as u16).to_be_bytes());
            }
            bytes => {
                encoded.push(&[masked | LENGTH_IN_8_BYTES]);
                encoded.push(&bytes.to_be_bytes());
            }
        }
        encoded.push(self.mask.as_ref().map_or(&[], |mask| mask.as_slice()));
        encoded
    }
}

/// Bytes of a header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncodedHeader {
    bytes: [u8; HEADER_BYTES_MAX],
    len: usize,
}

impl EncodedHeader {
    fn push(&mut self, bytes: &[u8]) {
        let to = self.len + bytes.len();
        self.bytes[self.len..to].copy_from_slice(bytes);
        self.len = to;
    }
}

impl AsRef<[u8]> for EncodedHeader {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Appends a control frame of a server. A payload above [`CONTROL_BYTES_MAX`] is cut.
pub fn put_control(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    out.extend_from_slice(FrameHeader::of_server(opcode, payload.len()).encode().as_ref());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn header(sender: Sender, opcode: Opcode, payload_bytes: u64) -> FrameHeader {
        let mask = (sender == Sender::Client).then_some([1, 2, 3, 4]);
        FrameHeader { is_final: true, opcode, mask, payload_bytes }
    }

    #[test]
    fn lengths_have_their_shortest_form() {
        for (payload_bytes, expected) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (127, vec![0x82, 126, 0, 127]),
            (65_535, vec![0x82, 126, 0xff, 0xff]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let encoded = header(Sender::Server, Opcode::Binary, payload_bytes).encode();
            assert_eq!(encoded.as_ref(), expected, "{payload_bytes}");
        }
    }

    #[test]
    fn other_forms_of_a_length_are_refused() {
        for bytes in [
            &[0x82, 126, 0, 125][..],
            &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            &[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0],
        ] {
            assert_eq!(FrameHeader::decode(bytes, Sender::Server), Err(Violation::BadLength), "{bytes:?}");
        }
    }

    #[test]
    fn a_violation_shows_with_its_first_byte() {
        for (bytes, sender, violation) in [
            (&[0xc2][..], Sender::Client, Violation::ReservedBits),
            (&[0xa2], Sender::Client, Violation::ReservedBits),
            (&[0x92], Sender::Client, Violation::ReservedBits),
            (&[0x83], Sender::Client, Violation::UnknownOpcode(3)),
            (&[0x8b], Sender::Client, Violation::UnknownOpcode(11)),
            (&[0x09], Sender::Client, Violation::FragmentedControl),
            (&[0x82, 0x05], Sender::Client, Violation::Unmasked),
            (&[0x82, 0x85], Sender::Server, Violation::Masked),
            (&[0x89, 0xfe], Sender::Client, Violation::LongControl),
            (&[0x88, 0xff], Sender::Client, Violation::LongControl),
        ] {
            assert_eq!(FrameHeader::decode(bytes, sender), Err(violation), "{bytes:02x?}");
            assert_eq!(FrameHeader::decode(&bytes[..bytes.len() - 1], sender), Ok(None), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(payload_bytes: u32, is_client: bool, is_final: bool, kind in 0..3_usize) {
            let sender = if is_client { Sender::Client } else { Sender::Server };
            let written = FrameHeader { is_final, ..header(sender, Opcode::ALL[kind], payload_bytes.into()) };
            let encoded = written.encode();
            let bytes = encoded.as_ref();
            prop_assert_eq!(FrameHeader::decode(bytes, sender), Ok(Some((written, bytes.len()))));
            for end in 0..bytes.len() {
                prop_assert_eq!(FrameHeader::decode(&bytes[..end], sender), Ok(None));
            }
        }
    }
}
