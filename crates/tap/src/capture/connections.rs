//! Connections of a capture: segments sorted by their addresses, reassembled and split into
//! frames.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::packets::Packet;
use super::segment::Segment;
use super::stream::Stream;
use super::{CapturedConnection, CapturedFrame, RejectedConnection, Rejection};
use crate::frame::Direction;
use crate::line::End;
use crate::per_direction::PerDirection;
use crate::recording::Side;
use crate::splitter::Splitter;

/// Memory of a connection and of a frame, beside their bytes.
const CONNECTION_OVERHEAD_BYTES: usize = 1_024;
const FRAME_OVERHEAD_BYTES: usize = 128;

/// Key of a connection: the side, and its addresses, the lower one first.
type Key = (Option<Side>, SocketAddr, SocketAddr);

/// All connections of a capture.
pub(super) struct Connections {
    /// Index of the latest connection between two addresses.
    latest: HashMap<Key, usize>,
    tracked: Vec<Tracked>,
    /// Connections so far of no side, of the client's and of the server's.
    counts: HashMap<Option<Side>, u64>,
    held_bytes: usize,
    held_bytes_max: usize,
    omitted: u64,
}

/// One connection.
struct Tracked {
    number: u64,
    side: Option<Side>,
    client: SocketAddr,
    server: SocketAddr,
    state: State,
}

enum State {
    Read(Box<Reading>),
    Rejected(Rejection),
}

struct Reading {
    streams: PerDirection<Stream>,
    splitter: Splitter,
    frames: Vec<CapturedFrame>,
    ends: PerDirection<Option<End>>,
    /// Time and number of the latest packet.
    last: (u64, u64),
    /// Memory of the frames.
    frame_bytes: usize,
}

impl Connections {
    /// No connections; those of a capture may take so many bytes of memory.
    pub(super) fn new(held_bytes_max: usize) -> Self {
        Self {
            latest: HashMap::new(),
            tracked: Vec::new(),
            counts: HashMap::new(),
            held_bytes: 0,
            held_bytes_max,
            omitted: 0,
        }
    }

    /// Takes the next packet of the file in.
    pub(super) fn take(&mut self, packet: &Packet<'_>) {
        let segment = &packet.segment;
        let (low, high) = (segment.source.min(segment.destination), segment.source.max(segment.destination));
        let key = (packet.side, low, high);
        let known = self.latest.get(&key).copied();
        let is_opening = segment.is_syn && segment.acknowledgement.is_none();
        let index = match known {
            Some(index) if !(is_opening && self.tracked[index].is_another(segment)) => Some(index),
            _ if is_opening => self.begin(key, packet, None),
            None if !segment.payload.is_empty() => self.begin(key, packet, Some(Rejection::NoBeginning)),
            _ => None,
        };
        let Some(tracked) = index.and_then(|index| self.tracked.get_mut(index)) else { return };
        let before = tracked.held_bytes();
        tracked.take(packet);
        self.held_bytes = self.held_bytes + tracked.held_bytes() - before;
        if self.held_bytes > self.held_bytes_max {
            self.held_bytes -= tracked.held_bytes();
            tracked.state = State::Rejected(Rejection::TooLarge { held_bytes_max: self.held_bytes_max });
        }
    }

    /// Adds a connection, and returns its index, unless there is no room for it.
    fn begin(&mut self, key: Key, packet: &Packet<'_>, rejection: Option<Rejection>) -> Option<usize> {
        if self.held_bytes + CONNECTION_OVERHEAD_BYTES > self.held_bytes_max {
            self.omitted += 1;
            return None;
        }
        self.held_bytes += CONNECTION_OVERHEAD_BYTES;
        let count = self.counts.entry(packet.side).or_default();
        *count += 1;
        let state = rejection.map_or_else(|| State::Read(Box::new(Reading::new(*count))), State::Rejected);
        let index = self.tracked.len();
        self.tracked.push(Tracked {
            number: *count,
            side: packet.side,
            client: packet.segment.source,
            server: packet.segment.destination,
            state,
        });
        self.latest.insert(key, index);
        Some(index)
    }

    /// Returns the connections that are complete, those that are not, and how many were left out.
    pub(super) fn finish(self) -> (Vec<CapturedConnection>, Vec<RejectedConnection>, u64) {
        let (mut complete, mut rejected) = (Vec::new(), Vec::new());
        for tracked in self.tracked {
            match tracked.finish() {
                Ok(connection) => complete.push(connection),
                Err(connection) => rejected.push(connection),
            }
        }
        (complete, rejected, self.omitted)
    }
}

impl Tracked {
    /// Returns whether this SYN of a client begins another connection between the same addresses.
    fn is_another(&self, syn: &Segment<'_>) -> bool {
        match &self.state {
            State::Read(reading) => {
                let is_repeated =
                    syn.source == self.client && reading.streams[Direction::ToServer].is_begun_by(syn.sequence);
                !is_repeated || reading.is_over()
            }
            State::Rejected(_) => true,
        }
    }

    fn held_bytes(&self) -> usize {
        match &self.state {
            State::Read(reading) => {
                let held = |direction| reading.splitter.held(direction).len();
                let pending = |direction| reading.streams[direction].held_bytes() + held(direction);
                reading.frame_bytes + Direction::BOTH.map(pending).iter().sum::<usize>()
            }
            State::Rejected(_) => 0,
        }
    }

    fn take(&mut self, packet: &Packet<'_>) {
        let State::Read(reading) = &mut self.state else { return };
        let direction = if packet.segment.source == self.client { Direction::ToServer } else { Direction::ToClient };
        if let Err(rejection) = reading.take(direction, packet) {
            self.state = State::Rejected(rejection);
        }
    }

    fn finish(self) -> Result<CapturedConnection, RejectedConnection> {
        let Self { number, side, client, server, state } = self;
        let finished = match state {
            State::Read(reading) => reading.finish(),
            State::Rejected(rejection) => Err(rejection),
        };
        match finished {
            Ok((frames, ends)) => Ok(CapturedConnection { number, side, client, server, frames, ends }),
            Err(reason) => Err(RejectedConnection { number, side, client, server, reason }),
        }
    }
}

impl Reading {
    fn new(number: u64) -> Self {
        Self {
            streams: PerDirection::default(),
            splitter: Splitter::new(number),
            frames: Vec::new(),
            ends: PerDirection::default(),
            last: (0, 0),
            frame_bytes: 0,
        }
    }

    fn is_over(&self) -> bool {
        self.ends.both().into_iter().all(Option::is_some)
    }

    fn take(&mut self, direction: Direction, packet: &Packet<'_>) -> Result<(), Rejection> {
        let Segment { sequence, acknowledgement, is_syn, is_fin, is_reset, payload, .. } = packet.segment;
        if self.is_over() {
            return Ok(());
        }
        self.last = (packet.at_us, packet.number);
        let (stream, back) = self.streams.split_mut(direction);
        if is_syn {
            stream.begin(sequence);
        }
        if let Some(sequence) = acknowledgement.filter(|_| !is_reset) {
            back.acknowledge(sequence);
        }
        if !stream.has_begun() && !payload.is_empty() {
            return Err(Rejection::NoBeginning);
        }
        let (splitter, frames, frame_bytes) = (&mut self.splitter, &mut self.frames, &mut self.frame_bytes);
        let first = sequence.wrapping_add(u32::from(is_syn));
        let taken = stream.take(first, payload, is_fin, |bytes| {
            splitter.receive(direction, bytes, packet.at_us, |frame| {
                *frame_bytes += frame.bytes.len() + FRAME_OVERHEAD_BYTES;
                frames.push(CapturedFrame { frame, packet: packet.number });
            });
        });
        if taken.is_err() {
            return Err(Rejection::Gap { direction, offset: stream.gap().unwrap_or_default() });
        }
        let is_complete = stream.is_complete();
        if is_reset {
            // Both ends are gone; only one of them said so.
            self.end(direction, End::Reset);
            self.end(direction.opposite(), End::Reset);
        } else if is_complete {
            self.end(direction, End::Finished);
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, end: End) {
        if self.ends[direction].replace(end).is_none() {
            self.take_rest(direction);
        }
    }

    /// Takes what is no whole frame out of the splitter.
    fn take_rest(&mut self, direction: Direction) {
        let (at_us, packet) = self.last;
        if let Some(frame) = self.splitter.end(direction, at_us) {
            self.frame_bytes += FRAME_OVERHEAD_BYTES + frame.bytes.len();
            self.frames.push(CapturedFrame { frame, packet });
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(Vec<CapturedFrame>, [Option<End>; 2]), Rejection> {
        if !self.streams[Direction::ToClient].has_begun() {
            return Err(Rejection::NotOpened);
        }
        for direction in Direction::BOTH {
            if let Some(offset) = self.streams[direction].gap() {
                return Err(Rejection::Gap { direction, offset });
            }
        }
        for direction in Direction::BOTH {
            self.take_rest(direction);
        }
        Ok((self.frames, Direction::BOTH.map(|direction| self.ends[direction])))
    }
}
