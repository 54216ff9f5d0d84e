//! Packets of TCP over IPv4 and IPv6, with their checksums.

use std::net::{IpAddr, SocketAddr};

use etherparse::checksum::Sum16BitWords;
use etherparse::{Ipv4Header, Ipv6Header, TcpHeader, ip_number};

use super::pcapng::{Output, PacketInfo, Payload};

/// Most bytes of a connection in one packet: the length of an IP packet has 16 bits.
pub(crate) const SEGMENT_BYTES_MAX: usize = 65_535 - Ipv4Header::MIN_LEN - TcpHeader::MIN_LEN;

const HOPS: u8 = 64;

/// Payload of a packet, with the sum that goes into the checksum.
pub(super) struct Chunk<'a> {
    payload: Payload<'a>,
    length: u16,
    /// Sum of its 16-bit words, in the order of the bytes in memory.
    sum: [u8; 2],
}

impl<'a> Chunk<'a> {
    /// No payload.
    pub(super) const NONE: Chunk<'static> = Chunk { payload: Payload::Bytes(&[]), length: 0, sum: [0; 2] };

    /// Takes at most [`SEGMENT_BYTES_MAX`] bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { payload: Payload::Bytes(bytes), length: bytes.len() as u16, sum: sum(bytes) }
    }

    /// Takes at most [`SEGMENT_BYTES_MAX`] bytes for several packets, which are all written to the
    /// output before it is flushed.
    pub(super) fn shared(output: &mut Output, bytes: &'a [u8]) -> Self {
        Self { payload: output.store(bytes), ..Self::new(bytes) }
    }

    /// Returns its bytes.
    pub(super) fn length(&self) -> u16 {
        self.length
    }
}

/// Returns the sum of 16-bit words, the last one filled up with zero. As the order of bytes does not
/// matter (RFC 1071, 2), words of 32 bits are added, which compilers do several at a time.
fn sum(bytes: &[u8]) -> [u8; 2] {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    // Fewer than 2^32 words do not overflow.
    let total = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>()
        + u64::from(u32::from_ne_bytes(last));
    let total = (total >> 32) + (total & 0xffff_ffff);
    let total = (total >> 32) + (total & 0xffff_ffff);
    let total = (total >> 16) + (total & 0xffff);
    let total = (total >> 16) + (total & 0xffff);
    (total as u16).to_ne_bytes()
}

/// Addresses of the packets in one direction.
#[derive(Debug)]
pub(super) enum Route {
    V4 { source: [u8; 4], destination: [u8; 4] },
    V6 { source: [u8; 16], destination: [u8; 16] },
}

impl Route {
    /// The way from one address to another. An IPv4 address in the form of IPv6 is the former,
    /// unless the other is of IPv6.
    pub(super) fn new(source: SocketAddr, destination: SocketAddr) -> Self {
        match (source.ip().to_canonical(), destination.ip().to_canonical()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                Self::V4 { source: source.octets(), destination: destination.octets() }
            }
            (source, destination) => Self::V6 { source: mapped(source), destination: mapped(destination) },
        }
    }

    /// Writes one packet; completes the TCP header with its checksum.
    pub(super) fn write(&self, output: &mut Output, info: &PacketInfo<'_>, mut tcp: TcpHeader, chunk: &Chunk<'_>) {
        let segment_bytes = tcp.header_len_u16() + chunk.length();
        let sum = match self {
            Self::V4 { source, destination } => Sum16BitWords::new().add_4bytes(*source).add_4bytes(*destination),
            Self::V6 { source, destination } => Sum16BitWords::new().add_16bytes(*source).add_16bytes(*destination),
        };
        let sum = sum.add_2bytes([0, ip_number::TCP.0]).add_2bytes(segment_bytes.to_be_bytes());
        tcp.checksum = sum.add_slice(&tcp.to_bytes()).add_2bytes(chunk.sum).ones_complement().to_be();
        match *self {
            Self::V4 { source, destination } => {
                let mut ip = Ipv4Header {
                    total_len: Ipv4Header::MIN_LEN as u16 + segment_bytes,
                    dont_fragment: true,
                    time_to_live: HOPS,
                    protocol: ip_number::TCP,
                    source,
                    destination,
                    ..Ipv4Header::default()
                };
                let length = u32::from(ip.total_len);
                ip.header_checksum = ip.calc_header_checksum();
                output.packet(info, length, [&ip.to_bytes(), &tcp.to_bytes()], &chunk.payload);
            }
            Self::V6 { source, destination } => {
                let ip = Ipv6Header {
                    payload_length: segment_bytes,
                    next_header: ip_number::TCP,
                    hop_limit: HOPS,
                    source,
                    destination,
                    ..Ipv6Header::default()
                };
                let length = Ipv6Header::LEN as u32 + u32::from(segment_bytes);
                output.packet(info, length, [&ip.to_bytes(), &tcp.to_bytes()], &chunk.payload);
            }
        }
    }
}

fn mapped(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
