//! One member that asks the history and waits for each answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::peers::{FRAME_HEADER_BYTES, frame_payload_bytes, write_frame};

const PATIENCE: Duration = Duration::from_secs(20);
const READ_BYTES: usize = 128 * 1024;

pub struct Asker {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read and not taken.
    filled: usize,
    asked: u64,
}

/// Time and content of one answer.
pub struct Answered {
    pub took: Duration,
    pub messages: usize,
    /// The number of the newest message in it.
    pub newest: Option<u64>,
    /// The server gave up (`busy`).
    pub given_up: bool,
}

impl Asker {
    /// Comes in and waits for the context of its room, from `hello` on. A room without messages has none: then `welcome` is the end.
    pub fn join(addr: SocketAddr, name: &str, room: &str) -> Result<(Self, Answered)> {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut asker = Self { stream, buffer: vec![0; READ_BYTES], filled: 0, asked: 0 };
        let mut hello = b"GLASSLINE2".to_vec();
        write_frame(format!(r#"{{"type":"hello","name":"{name}","rooms":["{room}"]}}"#).as_bytes(), &mut hello);
        let started = Instant::now();
        asker.stream.write_all(&hello)?;
        loop {
            let event = asker.next_event()?;
            let took = started.elapsed();
            let event: Value = serde_json::from_slice(&event)?;
            match event["type"].as_str() {
                Some("welcome") if event["rooms"][0]["seq"] == 0 => return Ok((asker, Answered::none(took))),
                Some("history") => return Ok((asker, Answered::page(took, &event)?)),
                Some("error") => bail!("refused: {event}"),
                _ => {}
            }
        }
    }

    /// Asks and waits; `request` is a JSON object without its last brace.
    pub fn ask(&mut self, request: &str) -> Result<Answered> {
        let started = Instant::now();
        self.put(request)?;
        self.answer(started)
    }

    /// Asks, and does not wait.
    pub fn put(&mut self, request: &str) -> Result<()> {
        self.asked += 1;
        let mut frame = Vec::new();
        write_frame(format!(r#"{request},"ref":"q{}"}}"#, self.asked).as_bytes(), &mut frame);
        Ok(self.stream.write_all(&frame)?)
    }

    /// Waits for the answer to what was asked last.
    pub fn answer(&mut self, asked_at: Instant) -> Result<Answered> {
        loop {
            let event = self.next_event()?;
            let took = asked_at.elapsed();
            let event: Value = serde_json::from_slice(&event)?;
            if event["ref"] != format!("q{}", self.asked) {
                continue;
            }
            return match (event["type"].as_str(), event["code"].as_str()) {
                (Some("history"), _) => Answered::page(took, &event),
                (Some("error"), Some("busy")) => Ok(Answered { given_up: true, ..Answered::none(took) }),
                (Some("error"), _) => bail!("refused: {event}"),
                _ => Ok(Answered::none(took)),
            };
        }
    }

    fn next_event(&mut self) -> Result<Vec<u8>> {
        loop {
            let payload_bytes = frame_payload_bytes(&self.buffer[..self.filled])?;
            if let Some(end) = payload_bytes.map(|bytes| FRAME_HEADER_BYTES + bytes)
                && end <= self.filled
            {
                let event = self.buffer[FRAME_HEADER_BYTES..end].to_vec();
                self.buffer.copy_within(end..self.filled, 0);
                self.filled -= end;
                return Ok(event);
            }
            ensure!(self.filled < self.buffer.len(), "an event longer than {READ_BYTES} bytes");
            let read = self.stream.read(&mut self.buffer[self.filled..]).context("no answer")?;
            ensure!(read > 0, "the server closed the connection");
            self.filled += read;
        }
    }
}

impl Answered {
    fn none(took: Duration) -> Self {
        Self { took, messages: 0, newest: None, given_up: false }
    }

    fn page(took: Duration, event: &Value) -> Result<Self> {
        let messages = event["messages"].as_array().context("a history without messages")?;
        let newest = messages.last().and_then(|message| message["seq"].as_u64());
        Ok(Self { took, messages: messages.len(), newest, given_up: false })
    }
}
