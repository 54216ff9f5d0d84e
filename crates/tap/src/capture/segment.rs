//! Segments of TCP out of packets, for each link type that a chat is captured on.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

/// Values of link types (tcpdump.org/linktypes.html).
mod link {
    pub(super) const NULL: i32 = 0;
    pub(super) const ETHERNET: i32 = 1;
    /// RAW as the systems number it, which old files have.
    pub(super) const RAW_BSD: i32 = 12;
    pub(super) const RAW_OPENBSD: i32 = 14;
    pub(super) const RAW: i32 = 101;
    pub(super) const LOOP: i32 = 108;
    pub(super) const LINUX_SLL: i32 = 113;
    pub(super) const IPV4: i32 = 228;
    pub(super) const IPV6: i32 = 229;
    pub(super) const LINUX_SLL2: i32 = 276;
}

/// Bytes of the address family before a packet of NULL and LOOP.
const FAMILY_BYTES: usize = 4;
/// Bytes of the header of Linux cooked captures; the type is at the given offset.
const SLL_BYTES: usize = 16;
const SLL_TYPE_AT: usize = 14;
const SLL2_BYTES: usize = 20;
const SLL2_TYPE_AT: usize = 0;

/// One segment. Checksums are not verified: on the machine that sends, captures have the packets
/// before the network card computes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    /// Number of the next byte that the sender expects, if it says so.
    pub(super) acknowledgement: Option<u32>,
    pub(super) is_syn: bool,
    pub(super) is_fin: bool,
    pub(super) is_reset: bool,
    pub(super) payload: &'a [u8],
}

/// Link type that cannot be read.
pub(super) struct UnknownLink(pub(super) i32);

impl<'a> Segment<'a> {
    /// Reads a packet; `None` if there is no segment in it, or only a fragment of one.
    pub(super) fn parse(linktype: Linktype, data: &'a [u8]) -> Result<Option<Self>, UnknownLink> {
        let sliced = match linktype.0 {
            link::RAW | link::RAW_BSD | link::RAW_OPENBSD | link::IPV4 | link::IPV6 => from_ip(data),
            link::NULL | link::LOOP => data.get(FAMILY_BYTES..).and_then(from_ip),
            link::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
            link::LINUX_SLL => from_cooked(data, SLL_BYTES, SLL_TYPE_AT),
            link::LINUX_SLL2 => from_cooked(data, SLL2_BYTES, SLL2_TYPE_AT),
            unknown => return Err(UnknownLink(unknown)),
        };
        Ok(sliced.and_then(Self::of_packet))
    }

    fn of_packet(packet: LaxSlicedPacket<'a>) -> Option<Self> {
        let (source, destination): (IpAddr, IpAddr) = match &packet.net? {
            LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Arp(_) => return None,
        };
        let TransportSlice::Tcp(tcp) = packet.transport? else { return None };
        Some(Self {
            source: (source, tcp.source_port()).into(),
            destination: (destination, tcp.destination_port()).into(),
            sequence: tcp.sequence_number(),
            acknowledgement: tcp.ack().then(|| tcp.acknowledgment_number()),
            is_syn: tcp.syn(),
            is_fin: tcp.fin(),
            is_reset: tcp.rst(),
            payload: tcp.payload(),
        })
    }
}

fn from_ip(data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(data).ok()
}

fn from_cooked(data: &[u8], header_bytes: usize, type_at: usize) -> Option<LaxSlicedPacket<'_>> {
    let (header, packet) = data.split_at_checked(header_bytes)?;
    let ether_type = EtherType(u16::from_be_bytes([header[type_at], header[type_at + 1]]));
    Some(LaxSlicedPacket::from_ether_type(ether_type, packet))
}
