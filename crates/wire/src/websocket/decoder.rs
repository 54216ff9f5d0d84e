//! Decoder of one direction of a WebSocket.

use alloc::vec::Vec;

use super::close::CloseNotice;
use super::header::{FrameHeader, HEADER_BYTES_MAX, Opcode, Sender};
use super::violation::Violation;

/// Payload of a message, as far as it has arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    masked: &'a [u8],
    /// Mask from the first of these bytes on; zero where there is none.
    mask: [u8; 4],
    /// The last bytes of their message.
    pub ends_message: bool,
}

impl Payload<'_> {
    /// Appends the payload without its mask.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(self.masked);
        apply_mask(&mut out[from..], self.mask);
    }
}

/// One thing read from the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Payload of a message, in order.
    Payload(Payload<'a>),
    /// A ping, with its payload.
    Ping(&'a [u8]),
    /// A pong, with its payload.
    Pong(&'a [u8]),
    /// The end of what the peer sends; everything behind it is dropped.
    Close(CloseNotice<'a>),
}

/// Frame whose payload is being read.
#[derive(Debug, Clone, Copy)]
struct OpenFrame {
    opcode: Opcode,
    is_final: bool,
    /// Mask from the next byte on.
    mask: [u8; 4],
    unread_bytes: u64,
}

/// Reads frames from a byte stream, however it is sliced. Only a header or a control frame that has
/// not arrived in full is held.
#[derive(Debug)]
pub struct Decoder {
    sender: Sender,
    message_bytes_max: u64,
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: u8,
    frame: Option<OpenFrame>,
    /// Bytes of the message that has begun and not ended, headers included.
    message_bytes: Option<u64>,
    control: Vec<u8>,
    is_closed: bool,
}

impl Decoder {
    /// Returns a decoder of what `sender` sends. A message has at most `message_bytes_max` bytes, the
    /// headers of its fragments included.
    pub fn new(sender: Sender, message_bytes_max: u64) -> Self {
        Self {
            sender,
            message_bytes_max,
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            frame: None,
            message_bytes: None,
            control: Vec::new(),
            is_closed: false,
        }
    }

    /// Returns whether the next byte begins a message or a control frame.
    pub fn is_between_messages(&self) -> bool {
        self.frame.is_none() && self.header_bytes == 0 && self.message_bytes.is_none()
    }

    /// Takes the next item from `input`, which is moved past what was read; `None` when the input is
    /// used up.
    ///
    /// # Errors
    /// After a [`Violation`] the decoder is not reusable.
    pub fn next<'item, 'input: 'item>(
        &'item mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Item<'item>>, Violation> {
        loop {
            if self.is_closed {
                *input = &[];
                return Ok(None);
            }
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.take_header(input)? {
                    Some(header) => self.open(header),
                    None => return Ok(None),
                },
            };
            if frame.opcode.is_control() {
                return self.take_control(frame, input);
            }
            let masked = take(input, frame.unread_bytes);
            let mask = frame.mask;
            frame.unread_bytes -= masked.len() as u64;
            frame.mask.rotate_left(masked.len() % 4);
            let ends_frame = frame.unread_bytes == 0;
            let ends_message = ends_frame && frame.is_final;
            if ends_message {
                self.message_bytes = None;
            }
            if !ends_frame {
                self.frame = Some(frame);
            }
            if !masked.is_empty() || ends_message {
                return Ok(Some(Item::Payload(Payload { masked, mask, ends_message })));
            }
            if !ends_frame {
                return Ok(None);
            }
        }
    }

    /// Reads a header, or what has arrived of it.
    fn take_header(&mut self, input: &mut &[u8]) -> Result<Option<FrameHeader>, Violation> {
        let held = usize::from(self.header_bytes);
        let fresh = &input[..input.len().min(HEADER_BYTES_MAX - held)];
        self.header[held..held + fresh.len()].copy_from_slice(fresh);
        let there = held + fresh.len();
        let Some((header, header_bytes)) = FrameHeader::decode(&self.header[..there], self.sender)? else {
            self.header_bytes = there as u8;
            *input = &input[fresh.len()..];
            return Ok(None);
        };
        self.header_bytes = 0;
        *input = &input[header_bytes - held..];
        self.count(&header, header_bytes)?;
        Ok(Some(header))
    }

    /// Counts a fragment of a message against the limit, before any of its payload.
    fn count(&mut self, header: &FrameHeader, header_bytes: usize) -> Result<(), Violation> {
        let before = match (header.opcode, self.message_bytes) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(()),
            (Opcode::Text, None) => return Err(Violation::Text),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::Interleaved),
            (Opcode::Continuation, None) => return Err(Violation::NothingToContinue),
            (Opcode::Binary, None) => 0,
            (Opcode::Continuation, Some(bytes)) => bytes,
        };
        let bytes = before.saturating_add(header.payload_bytes).saturating_add(header_bytes as u64);
        self.message_bytes = Some(bytes);
        if bytes > self.message_bytes_max { Err(Violation::TooLong(self.message_bytes_max)) } else { Ok(()) }
    }

    fn open(&mut self, header: FrameHeader) -> OpenFrame {
        self.control = Vec::new();
        OpenFrame {
            opcode: header.opcode,
            is_final: header.is_final,
            mask: header.mask.unwrap_or_default(),
            unread_bytes: header.payload_bytes,
        }
    }

    /// Collects a control frame, which is short.
    fn take_control(&mut self, frame: OpenFrame, input: &mut &[u8]) -> Result<Option<Item<'_>>, Violation> {
        let masked = take(input, frame.unread_bytes);
        self.control.extend_from_slice(masked);
        let unread_bytes = frame.unread_bytes - masked.len() as u64;
        if unread_bytes > 0 {
            self.frame = Some(OpenFrame { unread_bytes, ..frame });
            return Ok(None);
        }
        apply_mask(&mut self.control, frame.mask);
        Ok(Some(match frame.opcode {
            Opcode::Ping => Item::Ping(&self.control),
            Opcode::Close => {
                self.is_closed = true;
                Item::Close(CloseNotice::parse(&self.control)?)
            }
            _ => Item::Pong(&self.control),
        }))
    }
}

/// Takes up to so many bytes from `input`.
fn take<'a>(input: &mut &'a [u8], bytes_max: u64) -> &'a [u8] {
    let bytes = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(input.len());
    let (taken, rest) = input.split_at(bytes);
    *input = rest;
    taken
}

/// Puts a mask on bytes from the start of a frame's payload on, or takes it off (RFC 6455, 5.3).
pub fn apply_mask(bytes: &mut [u8], mask: [u8; 4]) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte ^= mask[index % 4];
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CONTROL_BYTES_MAX, MESSAGE_BYTES_MAX, put_control};
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::{format, vec};

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    /// A frame of a client.
    fn frame(is_final: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader { is_final, opcode, mask: Some(MASK), payload_bytes: payload.len() as u64 };
        let mut out = header.encode().as_ref().to_vec();
        out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out
    }

    /// Decodes the slices of a client; control frames in brackets, `|` at the end of a message.
    fn decoded(slices: &[&[u8]]) -> Result<String, Violation> {
        let (mut decoder, mut out) = (Decoder::new(Sender::Client, MESSAGE_BYTES_MAX), Vec::new());
        for slice in slices {
            let mut input = *slice;
            while let Some(item) = decoder.next(&mut input)? {
                match item {
                    Item::Payload(payload) => {
                        payload.append_to(&mut out);
                        out.extend_from_slice(if payload.ends_message { b"|" } else { b"" });
                    }
                    Item::Ping(payload) => out.extend_from_slice(&[b"[ping ", payload, b"]"].concat()),
                    Item::Pong(payload) => out.extend_from_slice(&[b"[pong ", payload, b"]"].concat()),
                    Item::Close(CloseNotice { code, reason }) => {
                        out.extend_from_slice(format!("[close {} {reason}]", code.unwrap_or_default()).as_bytes());
                    }
                }
            }
            assert!(input.is_empty(), "everything is taken");
        }
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn a_message_is_the_same_in_any_slicing() {
        let bytes = [
            frame(false, Opcode::Binary, b"one "),
            frame(true, Opcode::Ping, b"still there?"),
            frame(false, Opcode::Continuation, b""),
            frame(true, Opcode::Continuation, b"message"),
            frame(true, Opcode::Binary, b""),
            frame(true, Opcode::Pong, b""),
            frame(true, Opcode::Binary, &[b'x'; 200]),
            frame(true, Opcode::Close, b"\x03\xe8bye"),
            b"rubbish behind the end".to_vec(),
        ]
        .concat();
        let expected = format!("one [ping still there?]message||[pong ]{}|[close 1000 bye]", "x".repeat(200));
        assert_eq!(decoded(&[&bytes]).as_deref(), Ok(expected.as_str()));
        for split in 0..bytes.len() {
            let (head, tail) = bytes.split_at(split);
            assert_eq!(decoded(&[head, tail]).as_deref(), Ok(expected.as_str()), "split at {split}");
        }
        let each_byte: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decoded(&each_byte).as_deref(), Ok(expected.as_str()));
    }

    #[test]
    fn fragments_have_their_order() {
        let whole = frame(true, Opcode::Binary, b"x");
        let first = frame(false, Opcode::Binary, b"x");
        let last = frame(true, Opcode::Continuation, b"x");
        for (frames, violation) in [
            (vec![&last], Violation::NothingToContinue),
            (vec![&whole, &last], Violation::NothingToContinue),
            (vec![&first, &last, &last], Violation::NothingToContinue),
            (vec![&first, &whole], Violation::Interleaved),
            (vec![&first, &first], Violation::Interleaved),
        ] {
            let bytes: Vec<u8> = frames.into_iter().flatten().copied().collect();
            assert_eq!(decoded(&[&bytes]), Err(violation));
        }
    }

    #[test]
    fn each_violation_has_its_close_code() {
        for (bytes, violation, code) in [
            (frame(true, Opcode::Text, b"hello"), Violation::Text, 1_003),
            (frame(true, Opcode::Close, b"\x03"), Violation::BadCloseCode, 1_002),
            (frame(true, Opcode::Close, b"\x03\xe8\xff"), Violation::CloseNotUtf8, 1_007),
            (frame(true, Opcode::Close, b"\x03\xed"), Violation::BadCloseCode, 1_002),
            (vec![0x82, 0], Violation::Unmasked, 1_002),
            (vec![0x89, 0xfe], Violation::LongControl, 1_002),
        ] {
            assert_eq!(decoded(&[&bytes]), Err(violation));
            assert_eq!(violation.close_code() as u16, code, "{violation}");
            assert!(!violation.to_string().is_empty());
        }
    }

    #[test]
    fn a_message_too_long_is_refused_by_its_header() {
        let limit = MESSAGE_BYTES_MAX;
        let header = |payload_bytes| {
            let header = FrameHeader { is_final: false, opcode: Opcode::Binary, mask: Some(MASK), payload_bytes };
            header.encode().as_ref().to_vec()
        };
        assert_eq!(decoded(&[&header(limit - 14)]).as_deref(), Ok(""));
        assert_eq!(decoded(&[&header(limit - 13)]), Err(Violation::TooLong(limit)));
        assert_eq!(decoded(&[&header(u64::MAX >> 1)]), Err(Violation::TooLong(limit)));
    }

    #[test]
    fn endless_fragments_reach_the_limit_without_payload() {
        let (mut decoder, mut input) = (Decoder::new(Sender::Client, 1_000), Vec::new());
        input.extend(frame(false, Opcode::Binary, b""));
        (0..1_000).for_each(|_| input.extend(frame(false, Opcode::Continuation, b"")));
        let mut rest = &input[..];
        assert_eq!(decoder.next(&mut rest), Err(Violation::TooLong(1_000)));
        assert_eq!(input.len() - rest.len(), 1_002, "a header has six bytes");
    }

    #[test]
    fn only_what_is_incomplete_is_held() {
        let mut decoder = Decoder::new(Sender::Client, MESSAGE_BYTES_MAX);
        let bytes = frame(true, Opcode::Binary, &vec![7; 60_000]);
        let mut payload = Vec::new();
        for mut slice in bytes.chunks(1_000) {
            while let Ok(Some(Item::Payload(part))) = decoder.next(&mut slice) {
                part.append_to(&mut payload);
            }
        }
        assert_eq!((payload, decoder.control.capacity()), (vec![7; 60_000], 0));
    }

    #[test]
    fn frames_of_a_server_are_not_masked() {
        let mut bytes = Vec::new();
        put_control(&mut bytes, Opcode::Pong, b"yes");
        let (mut decoder, mut input) = (Decoder::new(Sender::Server, MESSAGE_BYTES_MAX), &bytes[..]);
        assert_eq!(decoder.next(&mut input), Ok(Some(Item::Pong(b"yes"))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), split in 0..400_usize) {
            let (head, tail) = bytes.split_at(split.min(bytes.len()));
            let mut whole = Vec::new();
            let mut sliced = Vec::new();
            for (slices, out) in [(&[&bytes[..], b""], &mut whole), (&[head, tail], &mut sliced)] {
                let mut decoder = Decoder::new(Sender::Client, 200);
                'slices: for mut slice in *slices {
                    loop {
                        match decoder.next(&mut slice) {
                            Ok(Some(Item::Payload(payload))) => payload.append_to(out),
                            Ok(Some(item)) => out.extend(format!("{item:?}").into_bytes()),
                            Ok(None) => break,
                            Err(violation) => {
                                out.extend(format!("{violation:?}").into_bytes());
                                break 'slices;
                            }
                        }
                    }
                }
                prop_assert!(decoder.control.len() <= CONTROL_BYTES_MAX);
            }
            prop_assert_eq!(whole, sliced);
        }
    }
}
