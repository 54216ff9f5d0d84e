//! Store of the small server: a file of one JSON object a line, and the same in memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::sabotage::Sabotage;

/// Messages by which an early acknowledgement is ahead of the file.
const EARLY_MESSAGES: usize = 16;

/// Messages that such a start loses.
const LOST_MESSAGES: usize = 3;

pub(super) struct Store {
    file: File,
    rooms: BTreeMap<String, Vec<Value>>,
    /// By sender and id: the room and the place in it.
    ids: HashMap<(String, String), (String, usize)>,
    unwritten: Vec<u8>,
    unwritten_messages: usize,
    sabotage: Option<Sabotage>,
}

/// A message without its number.
pub(super) struct NewMessage {
    pub(super) room: String,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) action: bool,
    pub(super) id: Option<String>,
}

impl Store {
    /// Opens a file; a line that a crash cut is dropped.
    pub(super) fn open(path: &Path, sabotage: Option<Sabotage>) -> Result<Self> {
        let mut messages = read(path)?;
        match sabotage {
            Some(Sabotage::LoseTail) => messages.truncate(messages.len().saturating_sub(LOST_MESSAGES)),
            Some(Sabotage::ChangeText) => {
                if let Some(newest) = messages.last_mut() {
                    newest["text"] = json!("changed");
                }
            }
            _ => {}
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let lines = messages.iter().fold(Vec::new(), |mut lines, message| {
            lines.extend_from_slice(line_of(message).as_bytes());
            lines
        });
        if sabotage.is_some() {
            file.set_len(0)?;
            file.write_all(&lines)?;
        } else {
            // Lines that were read stay: only a cut line is removed.
            file.set_len(lines.len() as u64)?;
            file.seek(SeekFrom::End(0))?;
        }
        let mut store = Self {
            file,
            rooms: BTreeMap::new(),
            ids: HashMap::new(),
            unwritten: Vec::new(),
            unwritten_messages: 0,
            sabotage,
        };
        for message in messages {
            store.insert(message);
        }
        if sabotage == Some(Sabotage::SkipNumber) {
            for messages in store.rooms.values_mut() {
                messages.push(Value::Null);
            }
        }
        Ok(store)
    }

    fn insert(&mut self, message: Value) {
        let word = |field: &str| message[field].as_str().map(str::to_owned);
        let (room, from) = (word("room").unwrap_or_default(), word("from").unwrap_or_default());
        let messages = self.rooms.entry(room.clone()).or_default();
        if let Some(id) = word("id") {
            self.ids.insert((from, id), (room, messages.len()));
        }
        messages.push(message);
    }

    /// Returns the message stored under an id.
    pub(super) fn find(&self, new_message: &NewMessage) -> Option<Value> {
        if self.sabotage == Some(Sabotage::IgnoreIds) {
            return None;
        }
        let (room, place) = self.ids.get(&(new_message.from.clone(), new_message.id.clone()?))?;
        self.rooms.get(room)?.get(*place).cloned()
    }

    /// A message as it would be stored next.
    pub(super) fn next(&self, new_message: &NewMessage) -> Value {
        let mut message = json!({"type": "message", "room": new_message.room, "seq": self.newest(&new_message.room) + 1,
            "at": now(), "from": new_message.from, "text": new_message.text});
        if new_message.action {
            message["action"] = json!(true);
        }
        if let Some(id) = &new_message.id {
            message["id"] = json!(id);
        }
        message
    }

    /// Stores a message: it survives a kill then.
    pub(super) fn append(&mut self, message: &Value) -> Result<()> {
        self.unwritten.extend_from_slice(line_of(message).as_bytes());
        self.unwritten_messages += 1;
        if self.sabotage != Some(Sabotage::AcknowledgeEarly) || self.unwritten_messages == EARLY_MESSAGES {
            self.file.write_all(&self.unwritten)?;
            self.unwritten.clear();
            self.unwritten_messages = 0;
        }
        self.insert(message.clone());
        Ok(())
    }

    pub(super) fn newest(&self, room: &str) -> u64 {
        self.rooms.get(room).map_or(0, Vec::len) as u64
    }

    /// The messages of a room after a number.
    pub(super) fn after(&self, room: &str, seq: u64) -> &[Value] {
        let messages = self.rooms.get(room).map(Vec::as_slice).unwrap_or_default();
        messages.get(usize::try_from(seq).unwrap_or(usize::MAX)..).unwrap_or_default()
    }
}

fn line_of(message: &Value) -> String {
    format!("{message}\n")
}

/// All whole lines of a file, which need not exist.
pub(super) fn read(path: &Path) -> Result<Vec<Value>> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).with_context(|| format!("not a message: {line}"))).collect()
}

/// A time of day on an arbitrary day: it is never read.
fn now() -> String {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let (s, minutes) = (ms / 1_000, ms / 60_000);
    format!("2026-01-01T{:02}:{:02}:{:02}.{:03}Z", minutes / 60 % 24, minutes % 60, s % 60, ms % 1_000)
}
