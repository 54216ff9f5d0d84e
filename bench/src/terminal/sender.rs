//! Sender of numbered tutorial messages into the lobby, at a steady pace or without any.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::tally::marked;
use crate::peers::{Peer, Role, Tutorial};

/// A server that takes nothing, or answers nothing, for this long is broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// Written at once where there is no pace.
const BATCH_MESSAGES: usize = 64;
/// Most messages under way where there is no pace. Without a bound the server would tell a client
/// that falls behind what it missed (E7), and rightly.
pub const UNDER_WAY_MAX: usize = 4_096;
/// Interval of the check for fewer messages under way.
const LOOK_EVERY: Duration = Duration::from_micros(200);
/// Lengths of texts as people write them; on 80 columns the longest three take a second row.
const TEXT_BYTES: [usize; 10] = [12, 30, 45, 64, 80, 25, 140, 55, 38, 100];
const WORDS: &str = "the next train leaves at nine and I think we should be on it, because the one after that is slow \
                     and stops at every village with a name, says the plan";

pub struct Sender {
    stream: TcpStream,
    peer: Tutorial,
    sent: usize,
    buffer: Vec<u8>,
}

impl Sender {
    pub fn join(addr: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let peer = Tutorial::member();
        let mut hello = Vec::new();
        peer.hello(0, Role::Sender, &mut hello);
        stream.write_all(&hello)?;
        // A client that is sent the list of members is logged in.
        ensure!(stream.read(&mut [0; 1024])? > 0, "the server does not let the sender in");
        Ok(Self { stream, peer, sent: 0, buffer: Vec::new() })
    }

    /// Sends so many messages a second. Where the clock was missed, those that are due go out together.
    pub fn send_steadily(&mut self, per_second: u32, duration: Duration) -> Result<usize> {
        let started = Instant::now();
        let every = Duration::from_secs(1) / per_second;
        for number in 0..messages(per_second, duration) {
            let due = started + every * number;
            let now = Instant::now();
            if now < due {
                self.flush()?;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            self.put();
        }
        self.flush()?;
        Ok(self.sent)
    }

    /// Sends as much as is shown.
    pub fn send_all_it_takes(&mut self, duration: Duration, shown: &AtomicUsize) -> Result<usize> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            if self.sent + BATCH_MESSAGES > shown.load(Ordering::Relaxed) + UNDER_WAY_MAX {
                thread::sleep(LOOK_EVERY);
                continue;
            }
            for _ in 0..BATCH_MESSAGES {
                self.put();
            }
            self.flush()?;
        }
        Ok(self.sent)
    }

    fn put(&mut self) {
        let filler = TEXT_BYTES[self.sent % TEXT_BYTES.len()];
        let text = format!("{} {}", marked(self.sent), &WORDS[..filler]);
        self.peer.message(0, text.as_bytes(), &mut self.buffer);
        self.sent += 1;
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.write_all(&self.buffer).context("the server takes no more messages")?;
        self.buffer.clear();
        Ok(())
    }
}

fn messages(per_second: u32, duration: Duration) -> u32 {
    (duration.as_secs_f64() * f64::from(per_second)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_last_for_the_longest_text() {
        assert!(WORDS.is_ascii() && TEXT_BYTES.iter().all(|bytes| *bytes <= WORDS.len()));
        assert_eq!(messages(2_000, Duration::from_millis(1_500)), 3_000);
    }
}
