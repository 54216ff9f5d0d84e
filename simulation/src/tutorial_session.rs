//! A tutorial program: it sends its name and frames and reads pairs, and does nothing else.

use glassline_wire::frame::{Decoder, Frame, put_frame};

use crate::disk::Disk;
use crate::oracle::{CheckResult, find};

const FRAME_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
struct ConnectionLog {
    decoder: Decoder,
    from: Option<String>,
    texts: Vec<String>,
    missed: u64,
    is_in: bool,
}

#[derive(Debug, Default)]
pub(crate) struct TutorialSession {
    pub(crate) name: String,
    connections: Vec<ConnectionLog>,
    said: Vec<String>,
}

impl TutorialSession {
    pub(crate) fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// The first bytes to send on a new connection.
    pub(crate) fn connected(&mut self) -> Vec<u8> {
        let decoder = Decoder::event(FRAME_BYTES_MAX);
        self.connections.push(ConnectionLog { decoder, from: None, texts: Vec::new(), missed: 0, is_in: false });
        frame(&self.name)
    }

    pub(crate) fn say(&mut self, text: &str) -> Vec<u8> {
        self.said.push(text.to_owned());
        frame(text)
    }

    /// Returns whether the server has let it in.
    pub(crate) fn is_in(&self) -> bool {
        self.connections.last().is_some_and(|log| log.is_in)
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) -> CheckResult {
        let Some(log) = self.connections.last_mut() else { return Ok(()) };
        let mut input = bytes;
        loop {
            match log.decoder.next(&mut input) {
                Ok(Some(Frame::Payload(payload))) => {
                    let text = String::from_utf8_lossy(payload).into_owned();
                    match log.from.take() {
                        None => log.from = Some(text),
                        Some(from) => log.take(&from, text),
                    }
                }
                Ok(Some(Frame::Goodbye)) => {}
                Ok(None) => return Ok(()),
                Err(error) => return Err(format!("{} was sent no frame: {error}", self.name)),
            }
        }
    }

    /// Compares received messages with stored ones.
    pub(crate) fn check(&self, disk: &Disk) -> CheckResult {
        self.connections.iter().try_for_each(|log| log.check(disk, &self.said).map_err(|why| self.named(&why)))?;
        for text in &self.said {
            let copies = find(disk, text).count();
            if copies > 1 {
                return Err(self.named(&format!("{text:?} is stored {copies} times")));
            }
        }
        Ok(())
    }

    fn named(&self, why: &str) -> String {
        format!("{}: {why}", self.name)
    }
}

impl ConnectionLog {
    fn take(&mut self, from: &str, text: String) {
        if from == "*" {
            self.is_in = true;
            let missed = text.strip_prefix("you missed ").and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
            self.missed += missed.unwrap_or(0);
        } else if !text.starts_with('[') {
            // With the time in front it is of the past.
            self.texts.push(text);
        }
    }

    /// Received in the lobby's order, each once, and missing ones were reported.
    fn check(&self, disk: &Disk, said: &[String]) -> CheckResult {
        let mut before: Option<u64> = None;
        let mut holes = 0;
        for text in &self.texts {
            let Some(seq) = find(disk, text).next().and_then(|message| message.seq) else {
                return Err(format!("{text:?} was received and is not stored"));
            };
            if before.is_some_and(|before| seq <= before) {
                return Err(format!("number {seq} was received behind {before:?}"));
            }
            let from = before.map_or(seq, |before| before + 1);
            let lobby = disk.rooms.get("lobby").map_or(&[][..], |log| &log.messages);
            let between = lobby.iter().filter(|message| message.seq.is_some_and(|at| at >= from && at < seq));
            holes += between.filter(|message| !said.contains(&message.text)).count() as u64;
            before = Some(seq);
        }
        if holes > self.missed {
            return Err(format!("{holes} messages are missing, {} were said to be", self.missed));
        }
        Ok(())
    }
}

fn frame(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_frame(&mut bytes, text.as_bytes());
    bytes
}
