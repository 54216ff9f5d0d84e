//! One member that asks the history and waits for each answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use glassline_testkit::frame::{self, Frames};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);
const READ_BYTES: usize = 128 * 1024;

pub struct HistoryClient {
    stream: TcpStream,
    buffer: Vec<u8>,
    frames: Frames,
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

impl HistoryClient {
    /// Comes in and waits for the context of its room, from `hello` on. A room without messages has none: then `welcome` is the end.
    pub fn join(addr: SocketAddr, name: &str, room: &str) -> Result<(Self, Answered)> {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { stream, buffer: vec![0; READ_BYTES], frames: Frames::default(), asked: 0 };
        let mut hello = b"GLASSLINE2".to_vec();
        frame::put(&mut hello, format!(r#"{{"type":"hello","name":"{name}","rooms":["{room}"]}}"#).as_bytes());
        let started = Instant::now();
        client.stream.write_all(&hello)?;
        loop {
            let event = client.next_event()?;
            let took = started.elapsed();
            let event: Value = serde_json::from_slice(&event)?;
            match event["type"].as_str() {
                Some("welcome") if event["rooms"][0]["seq"] == 0 => return Ok((client, Answered::none(took))),
                Some("history") => return Ok((client, Answered::page(took, &event)?)),
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
        frame::put(&mut frame, format!(r#"{request},"ref":"q{}"}}"#, self.asked).as_bytes());
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
            if let Some(event) = self.frames.next_payload()? {
                return Ok(event.to_vec());
            }
            let read = self.stream.read(&mut self.buffer).context("no answer")?;
            ensure!(read > 0, "the server closed the connection");
            self.frames.push(&self.buffer[..read]);
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
