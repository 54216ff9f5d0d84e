//! A large history, made by `glassline history import` from lines that are written on the way, and kept for the next run.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::corpus::Corpus;
use super::folder::{kept_folder, start};
use super::metrics::wait_until_indexed;
use crate::pinning::{MEASURED_CORE, on_core};
use crate::results::{Figures, Measure};

pub const LARGEST_ROOM: &str = "lobby";
pub const SMALL_ROOM: &str = "nook-1";
/// Messages per room, of a thousand; the rest is shared by [`SMALL_ROOMS`] small ones.
const SHARES: [(&str, u64); 3] = [(LARGEST_ROOM, 600), ("den", 250), ("attic", 100)];
const SMALL_ROOMS: u64 = 50;
const SEED: u64 = 10_000_000;
/// One message of so many comes from a tutorial client, and has no id.
const WITHOUT_ID_EVERY: u64 = 10;
const SENDERS: u64 = 300;
/// Changes when what is written changes, so that an older file is not taken for it.
const EDITION: u32 = 3;

/// A history that is not open.
pub struct Stored {
    pub history: PathBuf,
    /// Figures of its making.
    pub made: Figures,
}

impl Stored {
    /// The one kept by an earlier run, or a new one.
    pub fn ready(glassline: &Path, messages: u64) -> Result<Self> {
        let history = kept_folder()?.join(format!("stored-{messages}-{EDITION}.db"));
        let notes = history.with_extension("txt");
        if let (true, Ok(text)) = (history.exists(), fs::read_to_string(&notes)) {
            let made = read_notes(&text).context("the notes beside the large history cannot be read; delete both")?;
            return Ok(Self { history, made });
        }
        let made = make(glassline, &history, messages)?;
        fs::write(&notes, notes_of(&made))?;
        Ok(Self { history, made })
    }
}

fn make(glassline: &Path, history: &Path, messages: u64) -> Result<Figures> {
    for ending in ["", "-wal", "-shm", ".lock"] {
        // What an earlier run left halfway may be there or not.
        let _ = fs::remove_file(beside(history, ending));
    }
    let started = Instant::now();
    import(glassline, history, messages).context("cannot make a large history")?;
    let imported_s = started.elapsed().as_secs_f64();
    eprintln!("{messages} messages imported in {imported_s:.1} s");

    let server = start(glassline, Some(history))?;
    let (behind, took) = wait_until_indexed(&server)?;
    let indexed_s = took.as_secs_f64();
    eprintln!("{behind:.0} of them indexed behind it in {indexed_s:.1} s");
    server.end()?;
    let left = fs::metadata(beside(history, "-wal")).map_or(0, |log| log.len());
    ensure!(left == 0, "the server left {left} bytes outside the file: a copy would be old");

    let file_bytes = fs::metadata(history)?.len() as f64;
    let mut made = Figures::default();
    made.put(Measure::ImportPerSecond, messages as f64 / imported_s);
    made.put(Measure::IndexPerSecond, (behind > 0.0).then_some(behind / indexed_s));
    made.put(Measure::FileMib, file_bytes / 1024.0 / 1024.0);
    made.put(Measure::BytesPerMessage, file_bytes / messages as f64);
    Ok(made)
}

fn beside(history: &Path, ending: &str) -> PathBuf {
    let mut name = history.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn import(glassline: &Path, history: &Path, messages: u64) -> Result<()> {
    let mut importing = on_core(MEASURED_CORE, glassline.as_os_str())
        .args(["history", "import", "--history"])
        .arg(history)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start the import")?;
    let stdin = importing.stdin.take().context("the import reads nothing")?;
    let written = write_lines(&mut BufWriter::with_capacity(1 << 20, stdin), messages);
    let status = importing.wait()?;
    ensure!(status.success(), "the import ended with {status}");
    written.context("the import stopped reading")
}

fn write_lines(out: &mut impl Write, messages: u64) -> std::io::Result<()> {
    writeln!(out, r#"{{"type":"schema","version":1}}"#)?;
    let (mut corpus, mut text) = (Corpus::new(SEED), String::new());
    for (room, count) in rooms(messages) {
        for seq in 1..=count {
            corpus.text(&mut text);
            let (id, sender) = (corpus.id(), corpus.id() % u128::from(SENDERS));
            let at = Instant10Years { at: seq, of: count };
            write!(
                out,
                r#"{{"type":"message","room":"{room}","seq":{seq},"at":"{at}","from":"someone-{sender}","text":"{text}""#
            )?;
            if !seq.is_multiple_of(WITHOUT_ID_EVERY) {
                write!(out, r#","id":"{id:032x}""#)?;
            }
            out.write_all(b"}\n")?;
        }
    }
    out.flush()
}

/// The rooms and how many messages each has: `messages` in all.
fn rooms(messages: u64) -> Vec<(String, u64)> {
    let mut rooms: Vec<(String, u64)> =
        SHARES.iter().map(|(room, share)| ((*room).to_owned(), messages * share / 1_000)).collect();
    let left = messages - rooms.iter().map(|(_, count)| count).sum::<u64>();
    for number in 1..=SMALL_ROOMS {
        let count = left / SMALL_ROOMS + u64::from(number <= left % SMALL_ROOMS);
        rooms.push((format!("nook-{number}"), count));
    }
    rooms
}

/// Instants spread over the first 28 days of the months of ten years: in order, and without a calendar.
struct Instant10Years {
    at: u64,
    of: u64,
}

impl std::fmt::Display for Instant10Years {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SECONDS: u64 = 10 * 12 * 28 * 86_400;
        let seconds = (SECONDS - 1) * self.at / self.of.max(1);
        let (second, minute, hour) = (seconds % 60, seconds / 60 % 60, seconds / 3_600 % 24);
        let days = seconds / 86_400;
        let (day, month, year) = (days % 28 + 1, days / 28 % 12 + 1, 2016 + days / 28 / 12);
        write!(f, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }
}

const NOTED: [Measure; 4] =
    [Measure::ImportPerSecond, Measure::IndexPerSecond, Measure::FileMib, Measure::BytesPerMessage];

fn notes_of(made: &Figures) -> String {
    let noted = NOTED.iter().map(|measure| made.of(*measure).map_or_else(|| "-".to_owned(), |value| value.to_string()));
    noted.collect::<Vec<String>>().join(" ")
}

fn read_notes(text: &str) -> Option<Figures> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut made = Figures::default();
    for (word, measure) in words.iter().zip(NOTED) {
        if *word != "-" {
            made.put(measure, word.parse::<f64>().ok()?);
        }
    }
    (words.len() == NOTED.len()).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_room_and_every_room_its_messages() {
        for messages in [1, 999, 10_000, 1_234_567] {
            let rooms = rooms(messages);
            assert_eq!(rooms.iter().map(|(_, count)| count).sum::<u64>(), messages);
            assert_eq!((rooms[0].0.as_str(), rooms[3].0.as_str()), (LARGEST_ROOM, SMALL_ROOM));
        }
    }

    #[test]
    fn lines_are_events_numbered_from_one_with_ordered_instants() {
        let mut lines = Vec::new();
        write_lines(&mut lines, 2_000).unwrap();
        let text = String::from_utf8(lines).unwrap();
        let mut before = (String::new(), 0, String::new());
        for line in text.lines().skip(1) {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = |field: &str| event[field].as_str().unwrap().to_owned();
            let now = (of("room"), event["seq"].as_u64().unwrap(), of("at"));
            if now.0 == before.0 {
                assert!(now.1 == before.1 + 1 && now.2 > before.2, "{line}");
            } else {
                assert_eq!(now.1, 1);
            }
            before = now;
        }
        assert_eq!(text.lines().count(), 2_001);
        assert_eq!(Instant10Years { at: 5, of: 5 }.to_string(), "2025-12-28T23:59:59.000Z");
    }

    #[test]
    fn notes_are_read_as_they_were_written() {
        let mut made = Figures::default();
        made.put(Measure::ImportPerSecond, 12.5);
        made.put(Measure::FileMib, 3.0);
        made.put(Measure::BytesPerMessage, 1.0);
        assert_eq!(read_notes(&notes_of(&made)), Some(made));
        assert_eq!(read_notes("1 2"), None);
    }
}
