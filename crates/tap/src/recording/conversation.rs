//! The TCP connection of one side: sequence numbers, acknowledgements and its end.

use std::net::SocketAddr;

use etherparse::{TcpHeader, TcpOptionElement};

use super::Side;
use super::packet::{Chunk, Route, SEGMENT_BYTES_MAX};
use super::pcapng::{Bound, Output, PacketInfo};
use crate::frame::Direction;
use crate::line::End;
use crate::per_direction::PerDirection;

/// Segments after which the receiver acknowledges them, if it sends nothing itself. Readers keep
/// what is not acknowledged.
const UNACKNOWLEDGED_SEGMENTS_MAX: u32 = 16;
/// With the scale, a window of a gigabyte: it is never full.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 14;

/// Properties that all packets of one call have in common.
#[derive(Clone, Copy)]
pub(super) struct Passed<'a> {
    pub(super) direction: Direction,
    pub(super) at_us: u64,
    pub(super) comment: Option<&'a str>,
}

/// One TCP connection, between client and tap or between tap and server.
#[derive(Debug)]
pub(super) struct Conversation {
    side: Side,
    flows: PerDirection<Flow>,
    is_reset: bool,
}

/// One direction.
#[derive(Debug)]
struct Flow {
    route: Route,
    source_port: u16,
    /// Sequence number of the next byte.
    sequence: u32,
    unacknowledged_segments: u32,
    is_finished: bool,
}

/// Flag of a packet beside ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Syn,
    SynAck,
    Ack,
    Push,
    Fin,
    Reset,
}

impl Conversation {
    /// A connection of which nothing has passed; `sequence` is the number before the first byte.
    pub(super) fn new(side: Side, client: SocketAddr, server: SocketAddr, sequence: u32) -> Self {
        let flow = |source: SocketAddr, destination| Flow {
            route: Route::new(source, destination),
            source_port: source.port(),
            sequence,
            unacknowledged_segments: 0,
            is_finished: false,
        };
        Self { side, flows: PerDirection::new(flow(client, server), flow(server, client)), is_reset: false }
    }

    /// Records the handshake.
    pub(super) fn open(&mut self, output: &mut Output, at_us: u64) {
        let to_server = Passed { direction: Direction::ToServer, at_us, comment: None };
        let to_client = Passed { direction: Direction::ToClient, ..to_server };
        self.packet(output, to_server, Flag::Syn, &Chunk::NONE);
        self.packet(output, to_client, Flag::SynAck, &Chunk::NONE);
        self.packet(output, to_server, Flag::Ack, &Chunk::NONE);
    }

    /// Records bytes, unless this direction has ended.
    pub(super) fn data(&mut self, output: &mut Output, passed: Passed<'_>, chunk: &Chunk<'_>) {
        if self.has_ended(passed.direction) {
            return;
        }
        self.packet(output, passed, Flag::Push, chunk);
        let flow = &mut self.flows[passed.direction];
        flow.unacknowledged_segments += 1;
        if flow.unacknowledged_segments >= UNACKNOWLEDGED_SEGMENTS_MAX {
            self.acknowledge(output, passed);
        }
    }

    /// Records a comment where no bytes passed.
    pub(super) fn note(&mut self, output: &mut Output, passed: Passed<'_>) {
        if !self.has_ended(passed.direction) {
            self.packet(output, passed, Flag::Ack, &Chunk::NONE);
        }
    }

    /// Records the end of a direction, unless it has ended; a reset may follow its FIN.
    pub(super) fn end(&mut self, output: &mut Output, passed: Passed<'_>, end: End) {
        match end {
            _ if self.is_reset => {}
            End::Finished | End::Truncated if self.flows[passed.direction].is_finished => {}
            // What a link announces is not TCP's.
            End::Finished | End::Truncated => {
                self.packet(output, passed, Flag::Fin, &Chunk::NONE);
                self.flows[passed.direction].is_finished = true;
                self.acknowledge(output, passed);
            }
            End::Reset => {
                self.packet(output, passed, Flag::Reset, &Chunk::NONE);
                self.is_reset = true;
            }
        }
    }

    /// Returns whether nothing more can pass.
    pub(super) fn is_over(&self) -> bool {
        self.is_reset || self.flows.both().into_iter().all(|flow| flow.is_finished)
    }

    fn has_ended(&self, direction: Direction) -> bool {
        self.is_reset || self.flows[direction].is_finished
    }

    /// Records that the receiver of a direction has everything.
    fn acknowledge(&mut self, output: &mut Output, passed: Passed<'_>) {
        let back = Passed { direction: passed.direction.opposite(), comment: None, ..passed };
        self.packet(output, back, Flag::Ack, &Chunk::NONE);
    }

    fn packet(&mut self, output: &mut Output, passed: Passed<'_>, flag: Flag, chunk: &Chunk<'_>) {
        let (flow, back) = self.flows.split_mut(passed.direction);
        let mut tcp = TcpHeader::new(flow.source_port, back.source_port, flow.sequence, WINDOW);
        tcp.syn = matches!(flag, Flag::Syn | Flag::SynAck);
        tcp.fin = flag == Flag::Fin;
        tcp.rst = flag == Flag::Reset;
        tcp.psh = flag == Flag::Push;
        if flag != Flag::Syn {
            tcp.ack = true;
            tcp.acknowledgment_number = back.sequence;
            back.unacknowledged_segments = 0;
        }
        if tcp.syn {
            let segment_bytes = TcpOptionElement::MaximumSegmentSize(SEGMENT_BYTES_MAX as u16);
            // Eight bytes of options always fit.
            let _ = tcp.set_options(&[segment_bytes, TcpOptionElement::WindowScale(WINDOW_SCALE)]);
        }
        let is_arrival = Side::of_arrival(passed.direction) == self.side;
        let bound = if is_arrival { Bound::In } else { Bound::Out };
        let info = PacketInfo { interface: self.side, bound, at_us: passed.at_us, comment: passed.comment };
        // SYN and FIN take a number as a byte does (RFC 9293, 3.4).
        let length = u32::from(chunk.length()) + u32::from(tcp.syn || tcp.fin);
        flow.route.write(output, &info, tcp, chunk);
        flow.sequence = flow.sequence.wrapping_add(length);
    }
}
