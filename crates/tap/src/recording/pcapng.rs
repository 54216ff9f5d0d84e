//! Blocks of a pcapng file, and when they are written.

use std::fs::File;
use std::io;

use glassline_wire::visible;

use super::Side;
use super::batch::{Batch, Stored};
use super::writer::Writer;

/// Bytes that are buffered before they are written.
const BUFFER_BYTES: usize = 512 * 1024;
/// Payloads from this size on are written from where they are stored; smaller ones are copied.
const STORED_BYTES_MIN: usize = 4 * 1024;
/// Room in the buffer for the blocks that fill it: a large packet on both sides, and what
/// acknowledges it.
const LAST_BLOCKS_BYTES_MAX: usize = 2 * 68 * 1024;
/// Time after which buffered bytes are written.
const FLUSH_INTERVAL_US: u64 = 1_000_000;
/// Longest comment; the rest is left out.
pub(crate) const COMMENT_BYTES_MAX: usize = 1_024;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
/// Type of secrets: lines of a TLS key log ("TLSK").
const TLS_KEY_LOG: u32 = 0x544c_534b;
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

/// Bytes of a packet behind its headers.
pub(super) enum Payload<'a> {
    /// Copied into its block.
    Bytes(&'a [u8]),
    /// Stored by [`Output::store`] for several blocks.
    Stored(Stored),
}

/// The file and what is to be written to it. After an error it takes nothing more.
#[derive(Debug)]
pub(super) struct Output {
    /// `None` after an error.
    writer: Option<Writer>,
    /// Whole blocks that are not handed to the writer yet.
    buffer: Batch,
    flushed_at_us: u64,
    packets: u64,
}

impl Output {
    /// Begins a section in an empty file.
    pub(super) fn new(mut file: File, now_us: u64) -> io::Result<Self> {
        let mut output = Self { writer: None, buffer: Batch::default(), flushed_at_us: now_us, packets: 0 };
        output.section_header();
        for side in Side::BOTH {
            output.interface_description(side);
        }
        // A file that cannot be written is noticed at once.
        output.buffer.write_to(&mut file, 0)?;
        let buffer_bytes = BUFFER_BYTES + LAST_BLOCKS_BYTES_MAX;
        output.writer = Some(Writer::new(file, output.buffer.length() as u64, buffer_bytes)?);
        output.buffer = Batch::with_capacity(buffer_bytes);
        Ok(output)
    }

    /// Returns the packets so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    #[cfg(test)]
    pub(super) fn buffered_bytes(&self) -> usize {
        self.buffer.length()
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

    /// Stores a payload that several packets have, which are all added before the next write, unless
    /// copies cost less.
    pub(super) fn store<'a>(&mut self, bytes: &'a [u8]) -> Payload<'a> {
        if self.writer.is_none() || bytes.len() < STORED_BYTES_MIN {
            return Payload::Bytes(bytes);
        }
        Payload::Stored(self.buffer.store(bytes))
    }

    /// Adds an Enhanced Packet Block for a packet of so many bytes, which comes as the headers of IP
    /// and TCP, and the payload.
    pub(super) fn packet(&mut self, info: &PacketInfo<'_>, length: u32, headers: [&[u8]; 2], payload: &Payload<'_>) {
        if self.writer.is_none() {
            return;
        }
        let batch = &mut self.buffer;
        let start = batch.begin(ENHANCED_PACKET);
        batch.u32(info.interface as u32);
        batch.u32((info.at_us >> 32) as u32);
        batch.u32(info.at_us as u32);
        batch.u32(length);
        batch.u32(length);
        for header in headers {
            batch.extend(header);
        }
        match payload {
            Payload::Bytes(bytes) => batch.extend(bytes),
            Payload::Stored(stored) => batch.repeat(stored),
        }
        batch.pad();
        if let Some(comment) = info.comment {
            // Wireshark prints comments as they are, and rules quote what peers sent.
            let comment = visible::lines(comment);
            let end = comment.floor_char_boundary(COMMENT_BYTES_MAX);
            batch.option(option::COMMENT, &comment.as_bytes()[..end]);
        }
        batch.option(option::EPB_FLAGS, &(info.bound as u32).to_le_bytes());
        batch.option(option::END, &[]);
        batch.end(&start);
        self.packets += 1;
    }

    /// Adds a Decryption Secrets Block with these lines of a TLS key log.
    pub(super) fn secrets(&mut self, lines: &str) {
        if self.writer.is_none() {
            return;
        }
        let batch = &mut self.buffer;
        let start = batch.begin(DECRYPTION_SECRETS);
        batch.u32(TLS_KEY_LOG);
        batch.u32(lines.len() as u32);
        batch.extend(lines.as_bytes());
        batch.pad();
        batch.end(&start);
    }

    /// Hands the buffer to the writer if it is full, and waits for one; or if it was last handed
    /// over long ago.
    pub(super) fn write_if_full(&mut self, now_us: u64) -> io::Result<()> {
        if self.buffer.held_bytes() >= BUFFER_BYTES {
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
    fn with_writer(&mut self, act: impl FnOnce(&mut Writer, &mut Batch) -> io::Result<()>) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = act(writer, &mut self.buffer);
        if result.is_err() {
            self.writer = None;
            self.buffer = Batch::default();
        }
        result
    }

    fn section_header(&mut self) {
        let batch = &mut self.buffer;
        let start = batch.begin(SECTION_HEADER);
        batch.u32(BYTE_ORDER_MAGIC);
        // Version 1.0.
        batch.u16(1);
        batch.u16(0);
        // The length of the section is not known.
        batch.extend(&u64::MAX.to_le_bytes());
        batch.option(option::SHB_USERAPPL, concat!("glassline tap ", env!("CARGO_PKG_VERSION")).as_bytes());
        batch.option(option::END, &[]);
        batch.end(&start);
    }

    fn interface_description(&mut self, side: Side) {
        let batch = &mut self.buffer;
        let start = batch.begin(INTERFACE_DESCRIPTION);
        batch.u16(LINKTYPE_RAW);
        batch.u16(0);
        // Packets are whole, whatever their length.
        batch.u32(0);
        batch.option(option::IF_NAME, side.interface_name().as_bytes());
        batch.option(option::END, &[]);
        batch.end(&start);
    }
}

fn hand_over(writer: &mut Writer, buffer: &mut Batch) -> io::Result<()> {
    *buffer = writer.exchange(std::mem::take(buffer))?;
    Ok(())
}

impl Drop for Output {
    /// Writes what is left, as far as possible; who wants to know calls `finish`.
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
