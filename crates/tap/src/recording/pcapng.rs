//! Blocks of a pcapng file, buffered until they are written as whole blocks.

use std::fs::File;
use std::io::{self, Write};

use glassline_wire::visible;

use super::Side;
use super::writer::Writer;

/// Bytes that are buffered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
/// Room in the buffer for the blocks that fill it: a large packet on both sides, and what
/// acknowledges it.
const LAST_BLOCKS_BYTES_MAX: usize = 2 * 68 * 1024;
/// Time after which buffered bytes are written.
const FLUSH_INTERVAL_US: u64 = 1_000_000;
/// Longest comment; the rest is left out.
const COMMENT_BYTES_MAX: usize = 1_024;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// A packet begins with its IP header.
const LINKTYPE_RAW: u16 = 101;

/// Codes of options.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SHB_USERAPPL: u16 = 4;
    pub(super) const IF_NAME: u16 = 2;
    pub(super) const EPB_FLAGS: u16 = 2;
}

/// Direction of a packet as the tap sees it: bits 0 and 1 of `epb_flags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Received by the tap.
    In = 1,
    /// Sent by the tap.
    Out = 2,
}

/// Properties of a packet beside its bytes.
pub(super) struct PacketInfo<'a> {
    pub(super) interface: Side,
    pub(super) bound: Bound,
    pub(super) at_us: u64,
    pub(super) comment: Option<&'a str>,
}

/// The file and what is to be written to it. After an error it takes nothing more.
#[derive(Debug)]
pub(super) struct Output {
    /// `None` after an error.
    writer: Option<Writer>,
    /// Whole blocks that are not handed to the writer yet.
    buffer: Vec<u8>,
    flushed_at_us: u64,
    packets: u64,
}

impl Output {
    /// Begins a section in an empty file.
    pub(super) fn new(mut file: File, now_us: u64) -> io::Result<Self> {
        let mut output = Self { writer: None, buffer: Vec::new(), flushed_at_us: now_us, packets: 0 };
        output.section_header();
        for side in Side::BOTH {
            output.interface_description(side);
        }
        // A file that cannot be written is noticed at once.
        file.write_all(&output.buffer)?;
        let buffer_bytes = BUFFER_BYTES + LAST_BLOCKS_BYTES_MAX;
        output.writer = Some(Writer::new(file, output.buffer.len() as u64, buffer_bytes)?);
        output.buffer = Vec::with_capacity(buffer_bytes);
        Ok(output)
    }

    /// Returns the packets so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    #[cfg(test)]
    pub(super) fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    #[cfg(test)]
    pub(super) fn is_writing(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_busy)
    }

    /// Writes on to another file.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, file: File) {
        self.writer = Some(Writer::new(file, 0, BUFFER_BYTES).expect("a thread"));
    }

    /// Returns when the writer is to be looked after; `None` while everything is in the file.
    pub(super) fn due_us(&self) -> Option<u64> {
        let is_busy = !self.buffer.is_empty() || self.writer.as_ref().is_some_and(Writer::is_busy);
        is_busy.then_some(self.flushed_at_us + FLUSH_INTERVAL_US)
    }

    /// Adds an Enhanced Packet Block for a packet, which comes as the headers of IP and TCP, and
    /// the payload.
    pub(super) fn packet(&mut self, packet: &PacketInfo<'_>, pieces: [&[u8]; 3]) {
        if self.writer.is_none() {
            return;
        }
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let start = self.begin(ENHANCED_PACKET);
        self.u32(packet.interface as u32);
        self.u32((packet.at_us >> 32) as u32);
        self.u32(packet.at_us as u32);
        self.u32(length as u32);
        self.u32(length as u32);
        for piece in pieces {
            self.buffer.extend_from_slice(piece);
        }
        self.pad();
        if let Some(comment) = packet.comment {
            // Wireshark prints comments as they are, and rules quote what peers sent.
            let comment = visible::lines(comment);
            let end = comment.floor_char_boundary(COMMENT_BYTES_MAX);
            self.option(option::COMMENT, &comment.as_bytes()[..end]);
        }
        self.option(option::EPB_FLAGS, &(packet.bound as u32).to_le_bytes());
        self.option(option::END, &[]);
        self.end(start);
        self.packets += 1;
    }

    /// Hands the buffer to the writer if it is full, and waits for one; or if it was last handed
    /// over long ago.
    pub(super) fn write_if_full(&mut self, now_us: u64) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.flushed_at_us = now_us;
            return self.with_writer(hand_over);
        }
        let is_due = now_us.saturating_sub(self.flushed_at_us) >= FLUSH_INTERVAL_US;
        if is_due { self.flush(now_us) } else { Ok(()) }
    }

    /// Hands the buffer to the writer, unless it is busy.
    ///
    /// # Errors
    /// The file cannot be written. It is cut at the end of a block and written no more.
    pub(super) fn flush(&mut self, now_us: u64) -> io::Result<()> {
        self.flushed_at_us = now_us;
        self.with_writer(|writer, buffer| {
            writer.check()?;
            if writer.is_busy() || buffer.is_empty() { Ok(()) } else { hand_over(writer, buffer) }
        })
    }

    /// Completes the file.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let result = self.with_writer(|writer, buffer| writer.finish(std::mem::take(buffer)));
        self.writer = None;
        result
    }

    /// Lets the writer do something, which is the last thing it does if it fails.
    fn with_writer(&mut self, act: impl FnOnce(&mut Writer, &mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = act(writer, &mut self.buffer);
        if result.is_err() {
            self.writer = None;
            self.buffer = Vec::new();
        }
        result
    }

    fn section_header(&mut self) {
        let start = self.begin(SECTION_HEADER);
        self.u32(BYTE_ORDER_MAGIC);
        // Version 1.0.
        self.u16(1);
        self.u16(0);
        // The length of the section is not known.
        self.buffer.extend_from_slice(&u64::MAX.to_le_bytes());
        self.option(option::SHB_USERAPPL, concat!("glassline tap ", env!("CARGO_PKG_VERSION")).as_bytes());
        self.option(option::END, &[]);
        self.end(start);
    }

    fn interface_description(&mut self, side: Side) {
        let start = self.begin(INTERFACE_DESCRIPTION);
        self.u16(LINKTYPE_RAW);
        self.u16(0);
        // Packets are whole, whatever their length.
        self.u32(0);
        self.option(option::IF_NAME, side.interface_name().as_bytes());
        self.option(option::END, &[]);
        self.end(start);
    }

    /// Begins a block, and returns where.
    fn begin(&mut self, kind: u32) -> usize {
        let start = self.buffer.len();
        self.u32(kind);
        self.u32(0);
        start
    }

    /// Ends the block that began at `start`: its length stands before and after its content.
    fn end(&mut self, start: usize) {
        let length = ((self.buffer.len() - start + 4) as u32).to_le_bytes();
        self.buffer[start + 4..start + 8].copy_from_slice(&length);
        self.buffer.extend_from_slice(&length);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.u16(code);
        self.u16(value.len() as u16);
        self.buffer.extend_from_slice(value);
        self.pad();
    }

    fn u16(&mut self, value: u16) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    /// Fills up to a multiple of four bytes. Blocks begin at one.
    fn pad(&mut self) {
        let padded = self.buffer.len().next_multiple_of(4);
        self.buffer.resize(padded, 0);
    }
}

fn hand_over(writer: &mut Writer, buffer: &mut Vec<u8>) -> io::Result<()> {
    *buffer = writer.exchange(std::mem::take(buffer))?;
    Ok(())
}

impl Drop for Output {
    /// Writes what is left, as far as possible; who wants to know calls `finish`.
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
