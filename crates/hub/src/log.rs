//! One dialect's bytes of a room: entries encoded once, kept while a member may still have to be
//! sent them.

use alloc::{collections::VecDeque, vec::Vec};

use crate::write_slices::{WRITE_BYTES_MAX, WriteSlices};

/// First allocation of a segment: a quiet room stays small.
const SEGMENT_BYTES_MIN: usize = 1024;

/// A stretch of the log; an entry never straddles two.
#[derive(Debug)]
struct Segment {
    start: u64,
    bytes: Vec<u8>,
}

impl Segment {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// End of an entry, and the room's newest message number there.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) end: u64,
    pub(crate) seq: u64,
}

/// An append-only byte log with a bounded past. Positions count bytes since the room was opened.
#[derive(Debug, Default)]
pub(crate) struct Log {
    segments: VecDeque<Segment>,
    marks: VecDeque<Mark>,
    /// Position just before the oldest byte kept.
    tail: Mark,
    end: u64,
}

impl Log {
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn tail(&self) -> u64 {
        self.tail.end
    }

    pub(crate) fn tail_mark(&self) -> Mark {
        self.tail
    }

    pub(crate) fn newest(&self) -> Mark {
        self.marks.back().copied().unwrap_or(self.tail)
    }

    pub(crate) fn newest_seq(&self) -> u64 {
        self.newest().seq
    }

    pub(crate) fn kept_bytes(&self) -> usize {
        (self.end - self.tail.end) as usize
    }

    /// Appends one entry made of `parts`; `seq` is the room's newest message number with it. Drops
    /// what is kept beyond `bytes_max`, oldest first. Returns where the entry starts.
    pub(crate) fn append(&mut self, seq: u64, parts: &[&[u8]], bytes_max: usize) -> u64 {
        let entry_bytes: usize = parts.iter().map(|part| part.len()).sum();
        let start = self.end;
        let fits = |segment: &Segment| segment.bytes.len() + entry_bytes <= WRITE_BYTES_MAX;
        if !self.segments.back().is_some_and(fits) {
            let capacity = entry_bytes.max(SEGMENT_BYTES_MIN);
            self.segments.push_back(Segment { start, bytes: Vec::with_capacity(capacity) });
        }
        if let Some(segment) = self.segments.back_mut() {
            for part in parts {
                segment.bytes.extend_from_slice(part);
            }
        }
        self.end += entry_bytes as u64;
        self.marks.push_back(Mark { end: self.end, seq });
        self.trim(bytes_max);
        start
    }

    /// Drops the oldest segments beyond the bound; the newest one always stays.
    fn trim(&mut self, bytes_max: usize) {
        while self.kept_bytes() > bytes_max && self.segments.len() > 1 {
            self.segments.pop_front();
            let kept_from = self.segments.front().map_or(self.end, |segment| segment.start);
            while let Some(&mark) = self.marks.front()
                && mark.end <= kept_from
            {
                self.tail = mark;
                self.marks.pop_front();
            }
        }
    }

    /// Drops everything, as no reader needs it. The newest segment's memory is kept for
    /// later entries.
    pub(crate) fn release(&mut self) {
        if let Some(&newest) = self.marks.back() {
            self.tail = newest;
        }
        self.marks.clear();
        self.segments.drain(..self.segments.len().saturating_sub(1));
        if let Some(segment) = self.segments.back_mut() {
            segment.start = self.end;
            segment.bytes.clear();
        }
    }

    /// Gives back memory that a quiet room does not need.
    pub(crate) fn shrink(&mut self) {
        if self.kept_bytes() == 0 {
            self.segments.clear();
            self.marks.shrink_to(16);
        }
    }

    /// Adds the bytes from `from` to `to` to `slices`. Returns whether they fit. Adds nothing for a
    /// position before the tail: callers deal with those first.
    pub(crate) fn gather<'log>(&'log self, from: u64, to: u64, slices: &mut WriteSlices<'log>) -> bool {
        if from >= to || from < self.tail.end {
            return true;
        }
        // Nearly every reader is in the newest segment.
        let first = match self.segments.back() {
            Some(newest) if newest.start <= from => self.segments.len() - 1,
            _ => self.segments.partition_point(|segment| segment.end() <= from),
        };
        for segment in self.segments.range(first..) {
            if segment.start >= to {
                break;
            }
            let start = from.saturating_sub(segment.start) as usize;
            let end = (to.min(segment.end()) - segment.start) as usize;
            if start < end && !slices.push(&segment.bytes[start..end]) {
                return false;
            }
        }
        true
    }

    /// Returns the number of the newest message whose bytes end at or before `position`.
    pub(crate) fn seq_at(&self, position: u64) -> u64 {
        let behind = self.marks.partition_point(|mark| mark.end <= position);
        if behind == 0 { self.tail.seq } else { self.marks[behind - 1].seq }
    }

    /// Returns the end of the entry around `position`, or `position` if it is between two.
    pub(crate) fn entry_end(&self, position: u64) -> u64 {
        if position <= self.tail.end || position >= self.end {
            return position;
        }
        let behind = self.marks.partition_point(|mark| mark.end < position);
        self.marks.get(behind).map_or(position, |mark| mark.end)
    }

    pub(crate) fn copy(&self, from: u64, to: u64) -> Vec<u8> {
        let mut copied = Vec::with_capacity(to.saturating_sub(from) as usize);
        let first = self.segments.partition_point(|segment| segment.end() <= from);
        for segment in self.segments.range(first..).take_while(|segment| segment.start < to) {
            let start = from.saturating_sub(segment.start) as usize;
            let end = (to.min(segment.end()) - segment.start) as usize;
            copied.extend_from_slice(segment.bytes.get(start..end).unwrap_or_default());
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1 << 20;

    fn read(log: &Log, from: u64, to: u64) -> Vec<u8> {
        let mut slices = WriteSlices::default();
        log.gather(from, to, &mut slices);
        slices.slices().concat()
    }

    #[test]
    fn positions_and_numbers_are_found_again() {
        let mut log = Log::default();
        assert_eq!(log.append(1, &[b"abc", b"de"], MAX), 0);
        assert_eq!(log.append(1, &[b"notice"], MAX), 5);
        assert_eq!(log.append(2, &[b"xyz"], MAX), 11);
        assert_eq!(read(&log, 0, 14), b"abcdenoticexyz");
        assert_eq!(read(&log, 5, 11), b"notice");
        assert_eq!([0, 4, 5, 11, 13, 14].map(|at| log.seq_at(at)), [0, 0, 1, 1, 1, 2]);
        assert_eq!([0, 1, 5, 6, 14].map(|at| log.entry_end(at)), [0, 5, 5, 11, 14]);
        assert_eq!(log.copy(7, 11), b"tice");
    }

    #[test]
    fn the_past_is_bounded() {
        let mut log = Log::default();
        let entry = [7_u8; 1_000];
        for seq in 1..=1_000 {
            log.append(seq, &[&entry], 3 * WRITE_BYTES_MAX);
            assert!(log.kept_bytes() <= 3 * WRITE_BYTES_MAX + entry.len());
        }
        assert_eq!(log.end(), 1_000_000);
        assert_eq!(log.tail_mark().seq, log.tail() / 1_000);
        assert_eq!(log.seq_at(log.tail()), log.tail_mark().seq);
    }

    #[test]
    fn a_released_log_goes_on_where_it_was() {
        let mut log = Log::default();
        log.append(1, &[b"abc"], MAX);
        log.release();
        assert_eq!((log.tail(), log.end(), log.kept_bytes(), log.tail_mark().seq), (3, 3, 0, 1));
        log.shrink();
        log.append(2, &[b"de"], MAX);
        assert_eq!(read(&log, 3, 5), b"de");
        assert_eq!(log.seq_at(3), 1);
    }

    #[test]
    fn an_entry_longer_than_a_segment_stays_whole() {
        let mut log = Log::default();
        log.append(1, &[b"a"], MAX);
        let entry = alloc::vec![9_u8; 2 * WRITE_BYTES_MAX];
        let start = log.append(2, &[&entry], MAX);
        let mut slices = WriteSlices::default();
        log.gather(start, log.end(), &mut slices);
        assert_eq!(slices.slices().len(), 1);
        assert_eq!(slices.bytes(), entry.len());
    }
}
