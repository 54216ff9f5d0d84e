//! Reader of captures: the tap's own recordings and those of other tools, as connections and
//! frames.
//!
//! It reads pcapng and pcap; link types RAW, Ethernet (with VLAN tags), Linux cooked (SLL and
//! SLL2), NULL and LOOP; IPv4 and IPv6. Segments may be out of order, repeated and overlapping; of
//! bytes that were captured twice the first ones count. A connection of which bytes are missing is
//! refused with the reason, since nothing behind a gap can be read for certain. Fragments of IP
//! packets are not put together, so they are such a gap.
//!
//! Memory is bounded by [`HELD_BYTES_MAX`], whatever the file holds: frames with an overhead of 128
//! bytes each, connections with one of 1 KiB, and what waits for a missing segment (16 MiB for each
//! direction).

mod connections;
mod packets;
mod segment;
mod stream;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::cause::cause;
use crate::frame::{Direction, Frame};
use crate::line::End;
use crate::recording::Side;
use connections::Connections;

/// Most memory that the connections of one capture take.
pub const HELD_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Error for a capture that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("cannot open {}: {}; name a capture that this user can read", path.display(), cause(source))]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("the capture cannot be read from its disk or pipe; copy it to another place, then try again")]
    Unreadable,
    /// The file is not a capture.
    #[error("this is no capture; it must be pcapng or pcap, as the tap, Wireshark and tcpdump write them")]
    NotACapture,
}

/// End of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureEnd {
    /// After a whole packet.
    Whole,
    /// Within a packet, behind so many whole ones, which were read.
    Truncated {
        /// Whole packets.
        packets: u64,
    },
    /// At something that is no packet, behind so many whole ones, which were read.
    Damaged {
        /// Whole packets.
        packets: u64,
    },
}

/// Cause for which the frames of a connection are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The connection is older than the capture.
    #[error("its beginning was not captured; start the capture before the client connects")]
    NoBeginning,
    /// No SYN/ACK was captured: the server did not accept it, or was not heard.
    #[error("the server's answer to it was not captured")]
    NotOpened,
    /// Bytes are missing.
    #[error(
        "bytes {} from {offset} on were not captured; capture whole packets without losses \
         (`tcpdump -s 0 -B 65536`), or record with the tap",
        match direction { Direction::ToServer => "to the server", Direction::ToClient => "to the client" }
    )]
    Gap {
        /// Direction in which they were sent.
        direction: Direction,
        /// Bytes of this direction before the first one that is missing.
        offset: u64,
    },
    /// The capture holds more than fits the limit.
    #[error("the capture holds more than {held_bytes_max} bytes of frames; cut it up with `editcap`")]
    TooLarge {
        /// The limit.
        held_bytes_max: usize,
    },
}

/// A frame, and where it is in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedFrame {
    /// The frame; its time is that of the packet.
    pub frame: Frame,
    /// Number of the packet that completed it, from 1, as Wireshark counts.
    pub packet: u64,
}

/// A connection that was captured whole, or whole up to the end of the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedConnection {
    /// Number, from 1, in the order in which the connections of its side began.
    pub number: u64,
    /// Side of the tap, in its own recordings.
    pub side: Option<Side>,
    /// Address of the end that connected.
    pub client: SocketAddr,
    /// Address of the other end.
    pub server: SocketAddr,
    /// Frames of both directions, in the order in which they became complete.
    pub frames: Vec<CapturedFrame>,
    /// Ends of the directions to the server and to the client, if they were captured.
    pub ends: [Option<End>; 2],
}

/// A connection whose frames are not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedConnection {
    /// Number, as in [`CapturedConnection`].
    pub number: u64,
    /// Side of the tap, in its own recordings.
    pub side: Option<Side>,
    /// Address of the end that connected; of the one that was heard first, if that is not known.
    pub client: SocketAddr,
    /// Address of the other end.
    pub server: SocketAddr,
    /// Reason.
    pub reason: Rejection,
}

/// Content of a capture.
#[derive(Debug)]
pub struct Capture {
    connections: Vec<CapturedConnection>,
    rejected: Vec<RejectedConnection>,
    omitted: u64,
    packets: u64,
    end: CaptureEnd,
    unknown_links: BTreeMap<i32, u64>,
}

impl CaptureEnd {
    /// Returns what is missing because of this end, in words; `None` if nothing is.
    pub fn loss(self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Truncated { packets } => {
                Some(format!("the file is cut off after packet {packets}: what followed is not in it"))
            }
            Self::Damaged { packets } => {
                Some(format!("the file is damaged after packet {packets}: what follows was not read"))
            }
        }
    }
}

impl Capture {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|source| CaptureError::Open { path: path.to_owned(), source })?;
        Self::read(file)
    }

    /// Reads a capture to its end.
    pub fn read(source: impl Read + Send) -> Result<Self, CaptureError> {
        Self::read_within(HELD_BYTES_MAX, source)
    }

    fn read_within(held_bytes_max: usize, source: impl Read + Send) -> Result<Self, CaptureError> {
        let mut connections = Connections::new(held_bytes_max);
        let totals = packets::read(source, |packet| connections.take(packet))?;
        let (connections, rejected, omitted) = connections.finish();
        Ok(Self {
            connections,
            rejected,
            omitted,
            packets: totals.packets,
            end: totals.end,
            unknown_links: totals.unknown_links,
        })
    }

    /// Returns the connections of one side in the order of their beginning; those of captures by
    /// other tools, which have no sides, are on both.
    pub fn connections(&self, side: Side) -> impl Iterator<Item = &CapturedConnection> {
        self.connections.iter().filter(move |connection| connection.side.is_none_or(|of| of == side))
    }

    /// Returns the connections that are refused, of all sides.
    pub fn rejected(&self) -> &[RejectedConnection] {
        &self.rejected
    }

    /// Returns the number of connections that were not looked at, since there were too many.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns the number of packets.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Returns how the file ends.
    pub fn end(&self) -> CaptureEnd {
        self.end
    }

    /// Returns the numbers of the link types that cannot be read, each with its packets.
    pub fn unknown_links(&self) -> &BTreeMap<i32, u64> {
        &self.unknown_links
    }
}

#[cfg(test)]
mod tests;
