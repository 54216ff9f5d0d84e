//! Packets of a capture file, whatever its form: pcapng, or pcap in either byte order.

use std::collections::BTreeMap;
use std::io::Read;

use pcap_parser::{
    Block, EnhancedPacketBlock, InterfaceDescriptionBlock, LegacyPcapBlock, Linktype, PcapBlockOwned, PcapError,
    PcapHeader, create_reader,
};

use super::segment::Segment;
use super::{CaptureEnd, CaptureError};
use crate::recording::Side;

const BUFFER_BYTES: usize = 256 * 1024;
/// Largest block that is read. Tools capture packets of at most 256 KiB.
const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most interfaces of a section; the packets of others are not read.
const INTERFACES_MAX: usize = 4_096;

/// A packet that could be read, and where it stands.
pub(super) struct Packet<'a> {
    /// Number in the file, from 1, as Wireshark counts.
    pub(super) number: u64,
    /// Time, in microseconds since 1970 (UTC).
    pub(super) at_us: u64,
    /// Side of the tap, in its own recordings.
    pub(super) side: Option<Side>,
    pub(super) segment: Segment<'a>,
}

/// Content of a capture beside the segments.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) packets: u64,
    pub(super) end: CaptureEnd,
    /// Packets of each link type that is not known.
    pub(super) unknown_links: BTreeMap<i32, u64>,
}

/// One interface: how its packets begin and how its times are counted.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: Linktype,
    side: Option<Side>,
    clock: Clock,
}

/// Unit and origin of times.
#[derive(Debug, Clone, Copy)]
struct Clock {
    units_per_s: u64,
    offset_s: i64,
}

impl Clock {
    const MICROSECONDS: Self = Self { units_per_s: 1_000_000, offset_s: 0 };

    /// The option `if_tsresol`: a power of ten, or of two if its highest bit is set.
    fn new(resolution: u8, offset_s: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let units_per_s =
            if resolution & 0x80 == 0 { 10_u64.checked_pow(exponent) } else { 1_u64.checked_shl(exponent) };
        // Finer units do not fit 64 bits, and no tool uses them.
        Self { units_per_s: units_per_s.unwrap_or(Self::MICROSECONDS.units_per_s), offset_s }
    }

    fn to_us(self, units: u64) -> u64 {
        let us = i128::from(units) * 1_000_000 / i128::from(self.units_per_s) + i128::from(self.offset_s) * 1_000_000;
        u64::try_from(us.max(0)).unwrap_or(u64::MAX)
    }
}

/// Reads a whole capture and passes each segment of TCP to `take`.
pub(super) fn read(source: impl Read + Send, mut take: impl FnMut(&Packet<'_>)) -> Result<Totals, CaptureError> {
    let mut reader = create_reader(BUFFER_BYTES, source).map_err(|error| match error {
        PcapError::ReadError => CaptureError::Unreadable,
        _ => CaptureError::NotACapture,
    })?;
    let mut blocks = BlockReader::default();
    let mut capacity = BUFFER_BYTES;
    let end = loop {
        match reader.next() {
            Ok((length, block)) => {
                blocks.block(&block, &mut take);
                reader.consume(length);
            }
            Err(PcapError::Eof) => break CaptureEnd::Whole,
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    return Err(CaptureError::Unreadable);
                }
            }
            Err(PcapError::BufferTooSmall) if capacity < BLOCK_BYTES_MAX => {
                capacity = (2 * capacity).min(BLOCK_BYTES_MAX);
                if !reader.grow(capacity) || reader.refill().is_err() {
                    return Err(CaptureError::Unreadable);
                }
            }
            Err(PcapError::UnexpectedEof) => break blocks.cut_at(reader.data()),
            Err(_) => break CaptureEnd::Damaged { packets: blocks.packets },
        }
    };
    Ok(Totals { packets: blocks.packets, end, unknown_links: blocks.unknown_links })
}

/// State of the reading: what applies to the next block.
#[derive(Default)]
struct BlockReader {
    interfaces: Vec<Interface>,
    /// Byte order of the section; `None` in a classic pcap file.
    is_big_endian: Option<bool>,
    packets: u64,
    unknown_links: BTreeMap<i32, u64>,
    last_at_us: u64,
}

impl BlockReader {
    fn block(&mut self, block: &PcapBlockOwned<'_>, take: &mut impl FnMut(&Packet<'_>)) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => self.interfaces = vec![interface_of(header)],
            PcapBlockOwned::Legacy(packet) => self.legacy_packet(packet, take),
            PcapBlockOwned::NG(Block::SectionHeader(header)) => {
                self.interfaces.clear();
                self.is_big_endian = Some(header.big_endian());
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                if self.interfaces.len() < INTERFACES_MAX {
                    self.interfaces.push(described(description));
                }
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => self.enhanced_packet(packet, take),
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let data = &packet.data[..packet.data.len().min(packet.origlen as usize)];
                self.packet(0, None, data, take);
            }
            PcapBlockOwned::NG(_) => {}
        }
    }

    /// Returns how a file ends whose last bytes are these and are no block. The parser wants more
    /// bytes too where a length within a whole block leads out of it.
    fn cut_at(&self, rest: &[u8]) -> CaptureEnd {
        let length = rest.get(4..8).and_then(|field| <[u8; 4]>::try_from(field).ok());
        let is_whole = self.is_big_endian.zip(length).is_some_and(|(is_big_endian, length)| {
            let length = if is_big_endian { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
            length as usize <= rest.len()
        });
        let packets = self.packets;
        if is_whole { CaptureEnd::Damaged { packets } } else { CaptureEnd::Truncated { packets } }
    }

    fn legacy_packet(&mut self, packet: &LegacyPcapBlock<'_>, take: &mut impl FnMut(&Packet<'_>)) {
        let Some(clock) = self.interfaces.first().map(|interface| interface.clock) else { return };
        let units = u64::from(packet.ts_sec) * clock.units_per_s + u64::from(packet.ts_usec);
        self.packet(0, Some(units), packet.data, take);
    }

    fn enhanced_packet(&mut self, packet: &EnhancedPacketBlock<'_>, take: &mut impl FnMut(&Packet<'_>)) {
        let units = (u64::from(packet.ts_high) << 32) | u64::from(packet.ts_low);
        let data = &packet.data[..packet.data.len().min(packet.caplen as usize)];
        self.packet(packet.if_id as usize, Some(units), data, take);
    }

    /// Counts a packet, and passes it on if it is a segment. One without a time has that of the
    /// packet before it.
    fn packet(&mut self, interface: usize, units: Option<u64>, data: &[u8], take: &mut impl FnMut(&Packet<'_>)) {
        self.packets += 1;
        let Some(Interface { link, side, clock }) = self.interfaces.get(interface).copied() else { return };
        self.last_at_us = units.map_or(self.last_at_us, |units| clock.to_us(units));
        match Segment::parse(link, data) {
            Ok(Some(segment)) => take(&Packet { number: self.packets, at_us: self.last_at_us, side, segment }),
            Ok(None) => {}
            Err(unknown) => *self.unknown_links.entry(unknown.0).or_default() += 1,
        }
    }
}

fn interface_of(header: &PcapHeader) -> Interface {
    let units_per_s = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
    Interface { link: header.network, side: None, clock: Clock { units_per_s, offset_s: 0 } }
}

fn described(description: &InterfaceDescriptionBlock<'_>) -> Interface {
    let name = description.if_name().and_then(Result::ok);
    let side = Side::BOTH.into_iter().find(|side| name == Some(side.interface_name()));
    let clock = Clock::new(description.if_tsresol, description.if_tsoffset);
    Interface { link: description.linktype, side, clock }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_resolution_become_microseconds() {
        assert_eq!(Clock::new(6, 0).to_us(1_764_429_300_123_456), 1_764_429_300_123_456);
        assert_eq!(Clock::new(9, 0).to_us(1_764_429_300_123_456_789), 1_764_429_300_123_456);
        assert_eq!(Clock::new(3, 1_000).to_us(5), 1_000_005_000);
        assert_eq!(Clock::new(0x94, 0).to_us(3 << 19), 1_500_000);
        assert_eq!(Clock::new(6, -1).to_us(5), 0);
        for resolution in 0..=u8::MAX {
            Clock::new(resolution, i64::MAX).to_us(u64::MAX);
        }
    }
}
