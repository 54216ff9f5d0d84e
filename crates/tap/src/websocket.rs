//! One direction of a WebSocket: the content of its messages without masks and its control frames,
//! and both in frames again.

use glassline_wire::websocket::{CloseNotice, Decoder, FrameHeader, Item, Opcode, Sender, apply_mask};

use crate::frame::{Control, Direction, Frame, FrameKind};

/// Longest message that is read, in bytes: a server sends everything that waits as one.
const MESSAGE_BYTES_MAX: u64 = 1 << 40;
/// Bytes of a header and a control frame that are kept until they are whole. Only empty fragments in
/// a row have more; those past it are left out of what is reported as malformed.
const PENDING_BYTES_MAX: usize = 256;

/// Reader of one direction.
#[derive(Debug)]
pub(crate) struct WebSocketReader {
    decoder: Decoder,
    /// Bytes that the decoder has taken, and of which nothing was passed on.
    pending: Vec<u8>,
    is_closed: bool,
}

/// Something that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Content of messages was appended.
    Content,
    /// A control frame, as [`unmasked`] bytes.
    Control(Control, Vec<u8>),
    /// Bytes that are no WebSocket frame, or behind its end: nothing after them is.
    Malformed(Vec<u8>),
}

impl WebSocketReader {
    pub(crate) fn new(direction: Direction) -> Self {
        let sender = match direction {
            Direction::ToServer => Sender::Client,
            Direction::ToClient => Sender::Server,
        };
        let decoder = Decoder::new(sender, MESSAGE_BYTES_MAX);
        Self { decoder, pending: Vec::new(), is_closed: false }
    }

    /// Returns whether the next byte belongs to a message or a frame that has begun.
    pub(crate) fn is_within_message(&self) -> bool {
        !self.decoder.is_between_messages()
    }

    /// Reads the next piece of `input`, which is moved past it. Content is appended to `content`.
    /// `None` where the input is used up.
    pub(crate) fn next(&mut self, input: &mut &[u8], content: &mut Vec<u8>) -> Option<Piece> {
        let before = *input;
        if before.is_empty() {
            return None;
        }
        if self.is_closed {
            *input = &[];
            return Some(Piece::Malformed(before.to_vec()));
        }
        let piece = match self.decoder.next(input) {
            Ok(Some(Item::Payload(payload))) => {
                payload.append_to(content);
                Piece::Content
            }
            Ok(Some(Item::Ping(payload))) => Piece::Control(Control::Ping, unmasked(Opcode::Ping, payload)),
            Ok(Some(Item::Pong(payload))) => Piece::Control(Control::Pong, unmasked(Opcode::Pong, payload)),
            Ok(Some(Item::Close(notice))) => {
                self.is_closed = true;
                Piece::Control(Control::Close, unmasked_close(notice))
            }
            Ok(None) => {
                let taken = &before[..before.len() - input.len()];
                let room = PENDING_BYTES_MAX.saturating_sub(self.pending.len());
                self.pending.extend_from_slice(&taken[..taken.len().min(room)]);
                return None;
            }
            Err(_) => {
                *input = &[];
                Piece::Malformed([&self.pending[..], before].concat())
            }
        };
        self.pending = Vec::new();
        Some(piece)
    }
}

/// Returns the bytes of a control frame without a mask, as a server sends it.
fn unmasked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    framed(opcode, payload, None)
}

fn unmasked_close(notice: CloseNotice<'_>) -> Vec<u8> {
    let code = notice.code.map(u16::to_be_bytes);
    let payload = [code.as_ref().map_or(&[][..], |code| &code[..]), notice.reason.as_bytes()].concat();
    unmasked(Opcode::Close, &payload)
}

/// Returns a frame that is a whole message or a control frame.
fn framed(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let header = FrameHeader { is_final: true, opcode, mask, payload_bytes: payload.len() as u64 }.encode();
    let mut bytes = [header.as_ref(), payload].concat();
    apply_mask(&mut bytes[header.as_ref().len()..], mask.unwrap_or_default());
    bytes
}

/// Returns content as a message for the receiver of this direction; nothing for no content.
pub(crate) fn message(direction: Direction, content: &[u8]) -> Vec<u8> {
    if content.is_empty() { Vec::new() } else { framed(Opcode::Binary, content, mask(direction, content)) }
}

/// Returns bytes that replace a frame in the form in which the frame passes: within a WebSocket as a
/// message or as a control frame.
pub(crate) fn carried(frame: &Frame, bytes: Vec<u8>) -> Vec<u8> {
    match (frame.in_websocket, frame.kind) {
        (true, FrameKind::Control(_)) => control(frame.direction, bytes),
        (true, _) => message(frame.direction, &bytes),
        (false, _) => bytes,
    }
}

/// Returns the answer to a ping, in the direction opposite to its own.
pub(crate) fn pong(ping: &Frame) -> Vec<u8> {
    control(ping.direction.opposite(), unmasked(Opcode::Pong, ping.payload()))
}

/// Returns a control frame of [`unmasked`] bytes for the receiver of this direction. What a rule has
/// made unreadable stays as it is.
fn control(direction: Direction, bytes: Vec<u8>) -> Vec<u8> {
    match FrameHeader::decode(&bytes, Sender::Server) {
        Ok(Some((header, header_bytes))) if direction == Direction::ToServer => {
            framed(header.opcode, &bytes[header_bytes..], mask(direction, &bytes))
        }
        _ => bytes,
    }
}

/// Returns the mask that such a frame has. It follows from the content, so that a run can be
/// repeated: it hides nothing from the tap's user, who knows the content.
fn mask(direction: Direction, content: &[u8]) -> Option<[u8; 4]> {
    let hash = content.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (direction == Direction::ToServer).then(|| hash.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads some bytes of this direction: their content, and the other pieces.
    fn read(direction: Direction, slices: &[&[u8]]) -> (Vec<u8>, Vec<Piece>) {
        let mut reader = WebSocketReader::new(direction);
        let (mut content, mut others) = (Vec::new(), Vec::new());
        for mut slice in slices.iter().copied() {
            while let Some(piece) = reader.next(&mut slice, &mut content) {
                others.extend(Some(piece).filter(|piece| *piece != Piece::Content));
            }
        }
        (content, others)
    }

    #[test]
    fn messages_and_control_frames_are_read_back_in_any_slicing() {
        for direction in Direction::BOTH {
            let ping = unmasked(Opcode::Ping, b"hi");
            let close = unmasked(Opcode::Close, b"\x03\xe8bye");
            let bytes = [
                message(direction, b"GLASSLINE2"),
                control(direction, ping.clone()),
                message(direction, &[b'x'; 300]),
                control(direction, close.clone()),
            ]
            .concat();
            let expected = [&b"GLASSLINE2"[..], &[b'x'; 300]].concat();
            let controls =
                || vec![Piece::Control(Control::Ping, ping.clone()), Piece::Control(Control::Close, close.clone())];
            for size in [1, 2, 7, bytes.len()] {
                let slices: Vec<&[u8]> = bytes.chunks(size).collect();
                assert_eq!(read(direction, &slices), (expected.clone(), controls()), "{size}");
            }
            let is_masked = bytes[1] & 0x80 != 0;
            assert_eq!(is_masked, direction == Direction::ToServer);
        }
    }

    #[test]
    fn bytes_that_are_no_frame_are_kept_whole() {
        let good = message(Direction::ToServer, b"x");
        for bad in [&b"\x83\x80\0\0\0\0"[..], b"\x81\x85\0\0\0\0hello", b"\x02\x01x"] {
            let bytes = [&good[..], bad, b"more"].concat();
            for size in [1, 3, bytes.len()] {
                let slices: Vec<&[u8]> = bytes.chunks(size).collect();
                let mut reader = WebSocketReader::new(Direction::ToServer);
                let mut rest = Vec::new();
                for mut slice in slices {
                    if !rest.is_empty() {
                        rest.extend(slice);
                        continue;
                    }
                    while let Some(piece) = reader.next(&mut slice, &mut Vec::new()) {
                        if let Piece::Malformed(bytes) = piece {
                            rest.extend(bytes);
                        }
                    }
                }
                assert_eq!(rest, [bad, b"more"].concat(), "{size}");
            }
        }
    }

    #[test]
    fn a_message_that_has_begun_is_known() {
        let mut reader = WebSocketReader::new(Direction::ToServer);
        let bytes = message(Direction::ToServer, b"hello");
        for (taken, byte) in bytes.iter().enumerate() {
            assert_eq!(reader.is_within_message(), taken > 0, "{taken}");
            let _ = reader.next(&mut &[*byte][..], &mut Vec::new());
        }
        assert!(!reader.is_within_message());
    }
}
