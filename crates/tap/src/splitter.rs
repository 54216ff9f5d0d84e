//! Bytes of a connection as frames, those of a TLS link as records, those of HTTP as heads and what
//! follows them, whatever their slicing. Frames are found within a WebSocket too. Bytes that are none
//! of these are reported as raw, and reading continues at the next plausible header.

mod http;
mod web;

use std::collections::VecDeque;

use glassline_wire::frame::{RAW_GOODBYE, is_start_of_header, parse_header};
use glassline_wire::limits::{EVENT_BYTES_MAX, HEADER_BYTES};
use glassline_wire::opening::{EVENT_OPENING, Opening, Sniffed, sniff};

use crate::frame::{Dialect, Direction, Frame, FrameKind, RawReason};
use crate::per_direction::PerDirection;
use crate::tls_record;
use crate::websocket::{Piece, WebSocketReader};
use http::Request;

/// Splits both directions of one connection into frames or records. Holds at most one incomplete
/// one of each direction, which the limits of the protocol, of HTTP heads and of TLS bound.
#[derive(Debug)]
pub struct Splitter {
    connection: u64,
    dialect: Option<Dialect>,
    streams: PerDirection<Stream>,
    /// Requests without a response, the oldest first.
    requests: VecDeque<Request>,
}

/// One direction.
#[derive(Debug, Default)]
struct Stream {
    carrier: Carrier,
    /// Bytes of the incomplete frame.
    held: Vec<u8>,
    /// Bytes before `held`.
    offset: u64,
    /// Number of the last frame.
    number: u64,
    /// The last frame was a piece of raw bytes; more of them has the same number.
    is_raw: bool,
    /// No byte of a dialect has passed the opening.
    has_begun: bool,
}

/// Carrier of the frames of a direction.
#[derive(Debug, Default)]
enum Carrier {
    /// The stream itself.
    #[default]
    Bytes,
    /// Nothing: it consists of heads and bodies, and so many bytes of a body are left.
    Http { body_bytes: u64 },
    /// The messages of a WebSocket.
    WebSocket(Box<WebSocketReader>),
    /// A WebSocket whose frames cannot be read any more.
    Broken,
}

/// Result of reading the start of some bytes.
enum Found {
    /// A frame of so many bytes.
    Whole(FrameKind, usize),
    /// More bytes are needed to decide.
    Incomplete,
}

impl Splitter {
    /// Reads the connection with this number from its first byte.
    pub fn new(connection: u64) -> Self {
        Self { connection, dialect: None, streams: PerDirection::default(), requests: VecDeque::new() }
    }

    /// Returns the dialect, as far as it is known.
    pub fn dialect(&self) -> Dialect {
        self.dialect.unwrap_or(Dialect::Unknown)
    }

    /// Returns the bytes of the frame that is not complete yet; within a WebSocket its content, as
    /// far as it has arrived.
    pub fn held(&self, direction: Direction) -> &[u8] {
        &self.streams[direction].held
    }

    /// Returns whether the frames of a direction pass within a WebSocket.
    pub fn is_websocket(&self, direction: Direction) -> bool {
        matches!(self.streams[direction].carrier, Carrier::WebSocket(_) | Carrier::Broken)
    }

    /// Returns whether the next byte belongs to a message of a WebSocket that has begun, or never to
    /// another one.
    pub fn is_within_message(&self, direction: Direction) -> bool {
        match &self.streams[direction].carrier {
            Carrier::WebSocket(reader) => reader.is_within_message(),
            Carrier::Broken => true,
            Carrier::Bytes | Carrier::Http { .. } => false,
        }
    }

    /// Takes bytes in, and passes each frame that they complete to `completed`.
    pub fn receive(&mut self, direction: Direction, bytes: &[u8], at_us: u64, mut completed: impl FnMut(Frame)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.take(direction, rest, at_us, &mut completed);
            rest = &rest[taken..];
        }
    }

    /// Takes bytes in up to the end of a message that has begun, and returns how many.
    pub fn receive_message_rest(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at_us: u64,
        mut completed: impl FnMut(Frame),
    ) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && self.is_within_message(direction) {
            taken += self.take(direction, &bytes[taken..], at_us, &mut completed);
        }
        taken
    }

    /// Takes bytes in: within a WebSocket up to the end of a message or a frame, else all, unless a
    /// WebSocket begins. Returns how many.
    fn take(&mut self, direction: Direction, bytes: &[u8], at_us: u64, completed: &mut impl FnMut(Frame)) -> usize {
        match &mut self.streams[direction].carrier {
            Carrier::Bytes | Carrier::Http { .. } => self.take_held(direction, bytes, at_us, completed),
            Carrier::Broken => {
                completed(self.frame(direction, FrameKind::Raw(RawReason::Malformed), bytes, at_us));
                bytes.len()
            }
            Carrier::WebSocket(reader) => {
                let (mut input, mut content) = (bytes, Vec::new());
                let piece = reader.next(&mut input, &mut content);
                if !content.is_empty() {
                    self.take_held(direction, &content, at_us, completed);
                }
                match piece {
                    Some(Piece::Control(control, control_bytes)) => {
                        completed(self.frame(direction, FrameKind::Control(control), &control_bytes, at_us));
                    }
                    Some(Piece::Malformed(malformed)) => {
                        self.streams[direction].carrier = Carrier::Broken;
                        completed(self.frame(direction, FrameKind::Raw(RawReason::Malformed), &malformed, at_us));
                    }
                    Some(Piece::Content) | None => {}
                }
                bytes.len() - input.len()
            }
        }
    }

    /// Takes bytes behind those that are held, and returns how many: all, unless a WebSocket begins
    /// behind some.
    fn take_held(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at_us: u64,
        completed: &mut impl FnMut(Frame),
    ) -> usize {
        let was_websocket = self.is_websocket(direction);
        let mut held = std::mem::take(&mut self.streams[direction].held);
        let before = held.len();
        let taken = if held.is_empty() {
            self.take_frames(direction, bytes, at_us, completed)
        } else {
            held.extend_from_slice(bytes);
            self.take_frames(direction, &held, at_us, completed)
        };
        if self.is_websocket(direction) && !was_websocket {
            return taken - before;
        }
        if before == 0 {
            held.extend_from_slice(&bytes[taken..]);
        } else {
            held.drain(..taken);
        }
        // An idle connection costs no buffer.
        self.streams[direction].held = if held.is_empty() { Vec::new() } else { held };
        bytes.len()
    }

    /// Passes the complete frames at the start of `bytes` on, and returns their bytes.
    fn take_frames(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at_us: u64,
        completed: &mut impl FnMut(Frame),
    ) -> usize {
        let was_websocket = self.is_websocket(direction);
        let mut taken = 0;
        while taken < bytes.len()
            && self.is_websocket(direction) == was_websocket
            && let Found::Whole(kind, length) = self.find(direction, &bytes[taken..])
        {
            completed(self.frame(direction, kind, &bytes[taken..taken + length], at_us));
            taken += length;
        }
        taken
    }

    /// Ends a direction, and returns the incomplete frame that was held, as raw bytes.
    pub fn end(&mut self, direction: Direction, at_us: u64) -> Option<Frame> {
        let held = std::mem::take(&mut self.streams[direction].held);
        let reason = match self.dialect() {
            Dialect::Tutorial | Dialect::Event | Dialect::Tls => RawReason::Truncated,
            Dialect::Noise | Dialect::Http | Dialect::Unknown => RawReason::Opaque,
        };
        (!held.is_empty()).then(|| self.frame(direction, FrameKind::Raw(reason), &held, at_us))
    }

    fn frame(&mut self, direction: Direction, kind: FrameKind, bytes: &[u8], at_us: u64) -> Frame {
        let is_head = kind == FrameKind::Http;
        let dialect = if is_head { Dialect::Http } else { self.dialect() };
        // The head that begins a WebSocket is not within it.
        let in_websocket = matches!(self.streams[direction].carrier, Carrier::WebSocket(_)) && !is_head;
        let stream = &mut self.streams[direction];
        let is_raw = matches!(kind, FrameKind::Raw(_));
        if !(is_raw && stream.is_raw) {
            stream.number += 1;
        }
        stream.is_raw = is_raw;
        stream.has_begun |= !matches!(kind, FrameKind::Http | FrameKind::Control(_));
        let (number, offset) = (stream.number, stream.offset);
        stream.offset += bytes.len() as u64;
        let connection = self.connection;
        Frame { connection, direction, number, offset, at_us, dialect, in_websocket, kind, bytes: bytes.to_vec() }
    }

    fn find(&mut self, direction: Direction, bytes: &[u8]) -> Found {
        if direction == Direction::ToServer && self.dialect.is_none() {
            self.dialect = match sniff(bytes) {
                Sniffed::NeedsMore => return Found::Incomplete,
                Sniffed::Unknown => Some(Dialect::Unknown),
                Sniffed::Is(Opening::Tutorial) => Some(Dialect::Tutorial),
                Sniffed::Is(Opening::Event) => Some(Dialect::Event),
                // No other link begins within a WebSocket.
                Sniffed::Is(_) if self.is_websocket(direction) => Some(Dialect::Unknown),
                Sniffed::Is(Opening::Tls) => Some(Dialect::Tls),
                Sniffed::Is(Opening::Noise) => Some(Dialect::Noise),
                Sniffed::Is(Opening::Http) => Some(self.begin_http()),
            };
        }
        if let Carrier::Http { .. } = self.streams[direction].carrier {
            return self.find_http(direction, bytes);
        }
        let dialect = self.dialect();
        match dialect {
            Dialect::Tutorial | Dialect::Event => {}
            Dialect::Tls => return find_record(bytes),
            Dialect::Noise | Dialect::Http | Dialect::Unknown => {
                return Found::Whole(FrameKind::Raw(RawReason::Opaque), bytes.len());
            }
        }
        let stream = &self.streams[direction];
        if direction == Direction::ToServer && dialect == Dialect::Event && !stream.has_begun {
            return Found::Whole(FrameKind::Opening, EVENT_OPENING.len());
        }
        let has_goodbye = direction == Direction::ToServer && dialect == Dialect::Tutorial;
        if stream.is_raw {
            return find_after_raw(bytes, dialect);
        }
        find_frame(bytes, has_goodbye).unwrap_or_else(|| find_after_raw(bytes, dialect))
    }
}

/// Finds the record at the start of `bytes`, or the raw bytes before the next plausible header.
fn find_record(bytes: &[u8]) -> Found {
    match (0..bytes.len()).find(|at| tls_record::may_begin(&bytes[*at..])) {
        Some(0) => match tls_record::record(bytes).filter(|(_, length)| *length <= bytes.len()) {
            Some((record_type, length)) => Found::Whole(FrameKind::Record(record_type), length),
            None => Found::Incomplete,
        },
        at => Found::Whole(FrameKind::Raw(RawReason::Malformed), at.unwrap_or(bytes.len())),
    }
}

/// Finds the frame at the start of `bytes`; `None` where there cannot be one.
fn find_frame(bytes: &[u8], has_goodbye: bool) -> Option<Found> {
    if has_goodbye && (bytes.starts_with(RAW_GOODBYE) || RAW_GOODBYE.starts_with(bytes)) {
        let is_whole = bytes.len() >= RAW_GOODBYE.len();
        return Some(if is_whole { Found::Whole(FrameKind::Goodbye, RAW_GOODBYE.len()) } else { Found::Incomplete });
    }
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return is_start_of_header(bytes).then_some(Found::Incomplete);
    };
    let length = usize::try_from(parse_header(*header).ok()?).ok().filter(|&length| length <= EVENT_BYTES_MAX)?;
    let whole = HEADER_BYTES + length;
    Some(if bytes.len() < whole { Found::Incomplete } else { Found::Whole(FrameKind::Payload, whole) })
}

/// Finds the end of raw bytes: the first place where a header is plausible. It is in the
/// canonical form, since spaces and digits are frequent in texts, and JSON follows it in the event
/// dialect.
fn find_after_raw(bytes: &[u8], dialect: Dialect) -> Found {
    let is_boundary = |at: &usize| {
        let header = &bytes[*at..bytes.len().min(at + HEADER_BYTES)];
        let is_canonical = header.first().is_some_and(u8::is_ascii_digit) && is_start_of_header(header);
        let is_within_limit = <[u8; HEADER_BYTES]>::try_from(header)
            .is_ok_and(|header| parse_header(header).is_ok_and(|length| length <= EVENT_BYTES_MAX as u64));
        let may_be_json = dialect != Dialect::Event || bytes.get(at + HEADER_BYTES).is_none_or(|first| *first == b'{');
        is_canonical && (header.len() < HEADER_BYTES || is_within_limit) && may_be_json
    };
    // The first byte is where the malformed bytes begin, unless earlier pieces were emitted.
    match (0..bytes.len()).find(is_boundary) {
        Some(0) => find_frame(bytes, false).unwrap_or(Found::Incomplete),
        Some(at) => Found::Whole(FrameKind::Raw(RawReason::Malformed), at),
        None => Found::Whole(FrameKind::Raw(RawReason::Malformed), bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tls_record::RecordType;

    const CONVERSATION: &[u8] = b"GLASSLINE227        {\"type\":\"hello\",\"name\":\"b\"}15        {\"type\":\"ping\"}";

    /// Frames of the client's side with pieces of raw bytes joined, as (number, offset, kind, bytes).
    fn split(slices: &[&[u8]]) -> Vec<(u64, u64, FrameKind, Vec<u8>)> {
        let mut splitter = Splitter::new(1);
        let mut frames: Vec<Frame> = Vec::new();
        for slice in slices {
            splitter.receive(Direction::ToServer, slice, 0, |frame| frames.push(frame));
        }
        frames.extend(splitter.end(Direction::ToServer, 0));
        let mut joined: Vec<(u64, u64, FrameKind, Vec<u8>)> = Vec::new();
        for frame in frames {
            match joined.last_mut() {
                Some(last) if last.0 == frame.number => last.3.extend_from_slice(&frame.bytes),
                _ => joined.push((frame.number, frame.offset, frame.kind, frame.bytes)),
            }
        }
        joined
    }

    #[test]
    fn frames_are_numbered_from_the_opening_on() {
        let frames = split(&[CONVERSATION]);
        let kinds: Vec<_> = frames.iter().map(|frame| (frame.0, frame.1, frame.2, frame.3.len())).collect();
        let payload = FrameKind::Payload;
        assert_eq!(kinds, [(1, 0, FrameKind::Opening, 10), (2, 10, payload, 37), (3, 47, payload, 25)]);
    }

    #[test]
    fn reading_resumes_after_malformed_bytes() {
        let frames = split(&[b"GLASSLINE2", b"what? 12 9999999999", b"15        {\"type\":\"ping\"}"]);
        assert_eq!(frames[1].2, FrameKind::Raw(RawReason::Malformed));
        assert_eq!(frames[1].3, b"what? 12 9999999999");
        assert_eq!((frames[2].2, frames[2].0), (FrameKind::Payload, 3));
    }

    #[test]
    fn a_cut_frame_is_raw_and_other_links_are_opaque() {
        let cut = split(&[b"5         hel"]);
        assert_eq!((cut[0].2, &cut[0].3[..]), (FrameKind::Raw(RawReason::Truncated), &b"5         hel"[..]));
        for opening in [b"GLASSNOISE".as_slice(), b"GET / HTTP/1.1", b"SSH-2.0"] {
            assert_eq!(split(&[opening])[0].2, FrameKind::Raw(RawReason::Opaque));
        }
        assert_eq!(split(&[&[0x16, 3, 1, 0]])[0].2, FrameKind::Raw(RawReason::Truncated));
        assert_eq!(split(&[b"1         b/exit"])[1].2, FrameKind::Goodbye);
    }

    /// A record with this content.
    fn record(record_type: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16).to_be_bytes();
        [&[record_type, 3, 3][..], &length, content].concat()
    }

    #[test]
    fn a_tls_link_is_split_at_its_records() {
        let hello = record(0x16, &[1; 40]);
        let stream = [&hello[..], b"junk", &record(0x17, &[2; 3]), &record(0x15, &[])].concat();
        let frames = split(&[&stream, &[0x17, 3, 3, 0, 9, 1]]);
        let kinds: Vec<_> = frames.iter().map(|frame| (frame.0, frame.1, frame.2, frame.3.len())).collect();
        let expected = [
            (1, 0, FrameKind::Record(RecordType::Handshake), 45),
            (2, 45, FrameKind::Raw(RawReason::Malformed), 4),
            (3, 49, FrameKind::Record(RecordType::ApplicationData), 8),
            (4, 57, FrameKind::Record(RecordType::Alert), 5),
            (5, 62, FrameKind::Raw(RawReason::Truncated), 6),
        ];
        assert_eq!(kinds, expected);
    }

    /// The bytes in slices of these lengths, in turn.
    fn sliced<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let (mut slices, mut rest) = (Vec::new(), bytes);
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (slice, after) = rest.split_at((*length).min(rest.len()));
            slices.push(slice);
            rest = after;
        }
        slices
    }

    /// Part of a TLS stream.
    #[derive(Debug, Clone)]
    enum Part {
        Record(u8, Vec<u8>),
        Junk(Vec<u8>),
    }

    impl Part {
        fn bytes(&self) -> Vec<u8> {
            match self {
                Self::Record(record_type, content) => record(*record_type, content),
                Self::Junk(junk) => junk.clone(),
            }
        }
    }

    fn tls_parts() -> impl Strategy<Value = Vec<Part>> {
        let content = proptest::collection::vec(prop_oneof![any::<u8>(), 0x14_u8..=0x17, 2_u8..=4], 0..40);
        // Few values, so that bytes look like headers and are none.
        let junk = proptest::collection::vec(prop_oneof![Just(0_u8), 2_u8..=5, 0x13_u8..=0x18], 0..12);
        let part = prop_oneof![4 => (0x14_u8..=0x17, content).prop_map(|(kind, content)| Part::Record(kind, content)), 1 => junk.prop_map(Part::Junk)];
        proptest::collection::vec(part, 0..12)
    }

    proptest! {
        #[test]
        fn any_slicing_of_tls_gives_the_same_records(
            parts in tls_parts(),
            lengths in proptest::collection::vec(1_usize..12, 1..60),
        ) {
            let parts: Vec<_> = std::iter::once(Part::Record(0x16, vec![1; 30])).chain(parts).collect();
            let bytes: Vec<u8> = parts.iter().flat_map(Part::bytes).collect();
            let whole = split(&[&bytes]);
            prop_assert_eq!(split(&sliced(&bytes, &lengths)), whole.clone());
            let passed: Vec<u8> = whole.iter().flat_map(|frame| frame.3.clone()).collect();
            prop_assert_eq!(&passed, &bytes, "nothing is lost or invented");
            if parts.iter().all(|part| matches!(part, Part::Record(..))) {
                let records: Vec<Vec<u8>> = whole.into_iter().map(|frame| frame.3).collect();
                prop_assert_eq!(records, parts.iter().map(Part::bytes).collect::<Vec<_>>(), "one frame for each record");
            }
        }

        #[test]
        fn any_slicing_gives_the_same_frames(
            bytes in prop_oneof![
                Just(CONVERSATION.to_vec()),
                "[0-9 ]{0,12}[/exit{}GLASIN2 0-9]{0,80}".prop_map(String::into_bytes),
                ("GLASSLINE2[x7 ]{0,20}", "[0-9]{1,2}        [{}x7 ]{0,40}").prop_map(|(a, b)| (a + &b).into_bytes()),
            ],
            cuts in proptest::collection::vec(1_usize..12, 1..60),
        ) {
            let whole = split(&[&bytes]);
            let slices = sliced(&bytes, &cuts);
            let passed: Vec<u8> = whole.iter().flat_map(|frame| frame.3.clone()).collect();
            prop_assert_eq!(&passed, &bytes, "nothing is lost or invented");
            if whole.iter().all(|frame| frame.2 != FrameKind::Raw(RawReason::Malformed)) {
                prop_assert_eq!(split(&slices), whole);
            } else {
                let passed: Vec<u8> = split(&slices).into_iter().flat_map(|frame| frame.3).collect();
                prop_assert_eq!(passed, bytes);
            }
        }
    }
}
