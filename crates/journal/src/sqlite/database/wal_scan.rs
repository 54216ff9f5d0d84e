//! State of a write-ahead log before `SQLite` opens it. `SQLite` takes the first damaged frame for
//! the log's end, as a killed process leaves one, and does not report it. Frames after it with the
//! same salts prove that it is not the end. The format is
//! <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::files::beside;
use crate::store::Damage;

const HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;
/// First four bytes; plus one, checksums are of big-endian words.
const MAGIC: u32 = 0x377F_0682;
const PAGE_BYTES_MIN: u32 = 512;
const PAGE_BYTES_MAX: u32 = 64 * 1024;
const PAGE_BYTES: u32 = 4_096;

/// Returns the bytes of a log with so many frames; 0 for none.
pub(super) fn bytes_of(frames: u64, page_bytes: u64) -> u64 {
    if frames == 0 { 0 } else { HEADER_BYTES + frames * (FRAME_HEADER_BYTES + page_bytes) }
}

/// Finds damage in the log of a history that is not open, as far as it can be proved: commits
/// that end at or after the first damaged frame, each followed by more of the same log. The last
/// commit may have been interrupted by a power loss, and proves nothing.
pub(in crate::sqlite) fn damage(history: &Path) -> io::Result<Option<Damage>> {
    let log = beside(history, "-wal")?;
    // Opening a pipe would wait for its other end.
    let log = match fs::metadata(&log) {
        Ok(found) if found.is_file() => File::open(log)?,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(LostCommits { frame, commits }) = lost(&mut BufReader::new(log))? else { return Ok(None) };
    let many = if commits == 1 { "1 commit" } else { &format!("{commits} commits") };
    Ok(Some(Damage::Log(format!(
        "the write-ahead log of {} is damaged at its frame {frame}, and {many} from there on cannot be read: messages that were \
         acknowledged may be missing, and numbers that they had are given again; look after the disk, and restore a copy if there is one",
        history.display()
    ))))
}

#[derive(Debug, PartialEq, Eq)]
struct LostCommits {
    /// First damaged frame, from 1; 0 for the header.
    frame: u64,
    commits: u64,
}

fn lost(log: &mut impl Read) -> io::Result<Option<LostCommits>> {
    let mut header = [0; HEADER_BYTES as usize];
    if !fills(log, &mut header)? {
        return Ok(None);
    }
    let is_big_endian = word(&header, 0) == MAGIC + 1;
    let checksum = Checksum { words: (0, 0), is_big_endian }.extended(&header[..24]);
    let is_header_sound =
        (word(&header, 0) | 1) == MAGIC + 1 && checksum.words == (word(&header, 24), word(&header, 28));
    let page_bytes = word(&header, 8);
    let is_size = page_bytes.is_power_of_two() && (PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes);
    let page_bytes = if is_size { page_bytes } else { PAGE_BYTES };
    // If the header is damaged, the first frame has the same salts.
    let mut salts = is_header_sound.then(|| salts_at(&header, 16));
    let mut frames = Frames { checksum, damaged: (!is_header_sound).then_some(0), is_commit_open: false, commits: 0 };
    let mut frame = vec![0; FRAME_HEADER_BYTES as usize + page_bytes as usize];
    let mut number = 0;
    while fills(log, &mut frame)? {
        number += 1;
        let salts = *salts.get_or_insert_with(|| salts_at(&frame, 8));
        frames.take(number, &frame, salts);
    }
    let commits = frames.commits;
    Ok(frames.damaged.filter(|_| commits > 0).map(|frame| LostCommits { frame, commits }))
}

struct Frames {
    /// Checksum up to the last sound frame.
    checksum: Checksum,
    damaged: Option<u64>,
    /// A commit ended after the damage; it counts if more of the same log follows.
    is_commit_open: bool,
    commits: u64,
}

impl Frames {
    fn take(&mut self, number: u64, frame: &[u8], salts: [u8; 8]) {
        let is_of_this_log = salts_at(frame, 8) == salts;
        if self.damaged.is_none() {
            let checksum = self.checksum.extended(&frame[..8]).extended(&frame[FRAME_HEADER_BYTES as usize..]);
            if is_of_this_log && word(frame, 0) != 0 && checksum.words == (word(frame, 16), word(frame, 20)) {
                self.checksum = checksum;
            } else {
                self.damaged = Some(number);
                self.is_commit_open = is_of_this_log && word(frame, 4) != 0;
            }
        } else if is_of_this_log {
            self.commits += u64::from(std::mem::take(&mut self.is_commit_open));
            self.is_commit_open = word(frame, 4) != 0;
        }
    }
}

/// Checksum of a log up to some position.
#[derive(Clone, Copy)]
struct Checksum {
    words: (u32, u32),
    is_big_endian: bool,
}

impl Checksum {
    /// Returns the checksum after further bytes, a multiple of eight.
    fn extended(self, bytes: &[u8]) -> Self {
        let word = |bytes: &[u8], at: usize| {
            let word = word(bytes, at);
            if self.is_big_endian { word } else { word.swap_bytes() }
        };
        let words = bytes.chunks_exact(8).fold(self.words, |(first, second), eight| {
            let first = first.wrapping_add(word(eight, 0)).wrapping_add(second);
            (first, second.wrapping_add(word(eight, 4)).wrapping_add(first))
        });
        Self { words, ..self }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn salts_at(bytes: &[u8], at: usize) -> [u8; 8] {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).unwrap_or_default()
}

/// Fills a buffer. Returns false at the end of the log.
fn fills(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
