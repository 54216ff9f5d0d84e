//! A small server with a history, a thread for each connection and one lock: just enough of the
//! protocol to test the harness on, and able to break each of its promises.
#![forbid(unsafe_code)]

mod sabotage;
mod store;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use glassline_testkit::frame::{self, HEADER_BYTES, PAYLOAD_BYTES_MAX};
use serde_json::{Value, json};

use sabotage::Sabotage;
use store::{NewMessage, Store};

const EVENT_OPENING: &[u8] = b"GLASSLINE2";
/// Bytes that a page's messages may take, so that the page keeps to the longest payload.
const PAGE_BYTES_MAX: usize = 100_000;
const PAGE_MESSAGES_MAX: u64 = 200;
/// The harness always reads.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// Messages per fault, for the faults that occur at times.
const ONCE_IN: u64 = 50;

/// The commands of the program that the harness starts.
#[derive(Debug, Parser)]
enum Command {
    /// Serve until killed
    Serve {
        /// Address, which is always this one
        #[arg(long, value_parser = ["127.0.0.1:0"])]
        listen: Option<String>,
        /// File of its messages
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
        /// Promise that it breaks
        #[arg(long, value_name = "WORD")]
        sabotage: Option<Sabotage>,
    },
    /// Report what was stored
    #[command(subcommand)]
    History(HistoryCommand),
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Check that a file is sound
    Check {
        /// The file
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
    },
    /// Write the messages of a file
    Export {
        /// The file
        #[arg(long, value_name = "FILE")]
        history: PathBuf,
    },
}

struct Model {
    store: Store,
    members: Vec<Member>,
    next_member: u64,
    said: u64,
    swapped: Option<Value>,
    sabotage: Option<Sabotage>,
}

struct Member {
    number: u64,
    name: String,
    uses_events: bool,
    rooms: Vec<String>,
    stream: TcpStream,
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Serve { history, sabotage, .. } => serve(&history, sabotage),
        Command::History(HistoryCommand::Check { history }) => check(&history),
        Command::History(HistoryCommand::Export { history }) => export(&history),
    }
}

fn serve(history: &Path, sabotage: Option<Sabotage>) -> Result<()> {
    let store = Store::open(history, sabotage)?;
    let model = Model { store, members: Vec::new(), next_member: 0, said: 0, swapped: None, sabotage };
    let model = Arc::new(Mutex::new(model));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, model) = (stream?, Arc::clone(&model));
        thread::spawn(move || {
            // A client that disconnects, in any way, is only one member less.
            let _ = converse(stream, &model);
        });
    }
    Ok(())
}

fn check(history: &Path) -> Result<()> {
    let mut next = std::collections::BTreeMap::new();
    for message in store::read(history)? {
        let due = next.entry(message["room"].to_string()).or_insert(1);
        if message["seq"] != *due {
            bail!("{} has {} where {due} is due", message["room"], message["seq"]);
        }
        *due += 1;
    }
    Ok(())
}

fn export(history: &Path) -> Result<()> {
    println!("{}", json!({"type": "schema", "version": 1}));
    for message in store::read(history)? {
        println!("{message}");
    }
    Ok(())
}

fn converse(mut stream: TcpStream, model: &Mutex<Model>) -> Result<()> {
    stream.set_write_timeout(Some(WRITE_LIMIT))?;
    stream.set_nodelay(true)?;
    let mut opening = [0; EVENT_OPENING.len()];
    stream.read_exact(&mut opening)?;
    let uses_events = opening == EVENT_OPENING;
    let first = if uses_events { payload(&mut stream)? } else { payload_of(&opening, &mut stream)? };
    let (number, name) = lock(model).enter(&first, uses_events, &stream)?;
    let conversed = loop {
        let Ok(payload) = payload(&mut stream) else { break Ok(()) };
        let taken = lock(model).take(number, &name, uses_events, &payload);
        if taken.is_err() {
            break taken;
        }
    };
    lock(model).members.retain(|member| member.number != number);
    conversed
}

fn lock(model: &Mutex<Model>) -> MutexGuard<'_, Model> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}

fn payload(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header)?;
    payload_of(&header, stream)
}

fn payload_of(header: &[u8], stream: &mut TcpStream) -> Result<Vec<u8>> {
    let length: usize = std::str::from_utf8(header)?.trim().parse()?;
    if length > PAYLOAD_BYTES_MAX {
        bail!("{length} bytes are too many");
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(payload)
}

impl Model {
    fn enter(&mut self, first: &[u8], uses_events: bool, stream: &TcpStream) -> Result<(u64, String)> {
        let hello = if uses_events { serde_json::from_slice(first)? } else { json!({"rooms": ["lobby"]}) };
        let name = if uses_events {
            hello["name"].as_str().context("no name")?.to_owned()
        } else {
            String::from_utf8(first.to_vec())?
        };
        let rooms = hello["rooms"].as_array().into_iter().flatten();
        let rooms: Vec<String> = rooms.filter_map(|room| room.as_str().map(str::to_owned)).collect();
        let number = self.next_member;
        self.next_member += 1;
        let mut out = Vec::new();
        if uses_events {
            let states: Vec<_> =
                rooms.iter().map(|room| json!({"room": room, "seq": self.store.newest(room), "count": 1})).collect();
            let token = format!("{number:032x}");
            put(
                &mut out,
                &json!({"type": "welcome", "name": name, "token": token, "server": "model", "limits": {}, "rooms": states}),
            );
            self.replay(&rooms, &hello["since"], &mut out);
        } else {
            frame::put(&mut out, b"*");
            frame::put(&mut out, b"you are in");
        }
        let mut stream = stream.try_clone()?;
        stream.write_all(&out)?;
        self.members.push(Member { number, name: name.clone(), uses_events, rooms, stream });
        Ok((number, name))
    }

    /// Sends the messages since a reconnect, or a few messages for a new client.
    fn replay(&self, rooms: &[String], since: &Value, out: &mut Vec<u8>) {
        for room in rooms {
            let newest = self.store.newest(room);
            let Some(since) = since[room].as_u64() else {
                let messages = self.store.after(room, newest.saturating_sub(5)).iter();
                // A number that was left out has no message.
                let messages: Vec<_> = messages.filter(|message| !message.is_null()).collect();
                put(out, &json!({"type": "history", "room": room, "messages": messages}));
                continue;
            };
            let since = match self.sabotage {
                Some(Sabotage::ReplayAgain) => since.saturating_sub(1),
                Some(Sabotage::ReplayLate) if newest > since => since + 1,
                _ => since,
            };
            if self.sabotage == Some(Sabotage::AnnounceGap) && newest > since {
                put(out, &json!({"type": "gap", "room": room, "from": since + 1, "to": newest}));
                continue;
            }
            for message in self.store.after(room, since).iter().filter(|message| !message.is_null()) {
                put(out, message);
            }
        }
    }

    fn take(&mut self, number: u64, name: &str, uses_events: bool, payload: &[u8]) -> Result<()> {
        if self.sabotage == Some(Sabotage::StaySilent) && self.said > ONCE_IN {
            return Ok(());
        }
        if !uses_events {
            let text = String::from_utf8(payload.to_vec())?;
            let (room, from) = ("lobby".to_owned(), name.to_owned());
            return self.say(number, &NewMessage { room, from, text, action: false, id: None }, &Value::Null);
        }
        let request: Value = serde_json::from_slice(payload)?;
        match request["type"].as_str() {
            Some("send") => {
                let word = |field: &str| request[field].as_str().map(str::to_owned).context("a field is missing");
                let new_message = NewMessage {
                    room: word("room")?,
                    from: name.to_owned(),
                    text: word("text")?,
                    action: request["action"] == true,
                    id: Some(word("id")?),
                };
                self.say(number, &new_message, &request["ref"])
            }
            Some("history") => {
                let page = self.page(&request);
                self.answer(number, &page);
                Ok(())
            }
            Some("ping") => {
                self.answer(number, &json!({"type": "pong", "ref": request["ref"]}));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn say(&mut self, number: u64, new_message: &NewMessage, reference: &Value) -> Result<()> {
        if let Some(mut stored) = self.store.find(new_message) {
            if self.sabotage == Some(Sabotage::SayTooLate) {
                self.answer(number, &json!({"type": "error", "code": "too_late", "text": "", "ref": reference}));
                return Ok(());
            }
            if self.sabotage == Some(Sabotage::OtherNumber) {
                stored["seq"] = json!(self.store.newest(&new_message.room) + 1);
            }
            stored["ref"] = reference.clone();
            self.answer(number, &stored);
            return Ok(());
        }
        self.said += 1;
        let is_time = self.said.is_multiple_of(ONCE_IN);
        let message = self.store.next(new_message);
        if self.sabotage == Some(Sabotage::ShowUnstored) && is_time {
            self.deliver(&message, None, &Value::Null);
            return Ok(());
        }
        self.store.append(&message)?;
        if self.sabotage == Some(Sabotage::Swap) && is_time {
            self.swapped = Some(message);
            return Ok(());
        }
        self.deliver(&message, Some(number), reference);
        if let Some(swapped) = self.swapped.take() {
            self.deliver(&swapped, None, &Value::Null);
        }
        Ok(())
    }

    /// To everybody in the room, with the `ref` to the one who asked.
    fn deliver(&mut self, message: &Value, asker: Option<u64>, reference: &Value) {
        let from = message["from"].as_str().unwrap_or_default();
        let text = message["text"].as_str().unwrap_or_default();
        let mark = if message["action"] == true { "* " } else { "" };
        let (mut event, mut answer, mut pair) = (Vec::new(), Vec::new(), Vec::new());
        put(&mut event, message);
        let mut with_reference = message.clone();
        if !reference.is_null() {
            with_reference["ref"] = reference.clone();
        }
        put(&mut answer, &with_reference);
        frame::put(&mut pair, from);
        frame::put(&mut pair, format!("{mark}{text}"));
        for member in &mut self.members {
            if !member.rooms.iter().any(|room| message["room"] == room.as_str()) {
                continue;
            }
            let bytes = match (member.uses_events, Some(member.number) == asker) {
                (true, true) => &answer,
                (true, false) => &event,
                (false, _) if member.name == from => continue,
                (false, _) => &pair,
            };
            // A closed client is noticed when it is read from.
            let _ = member.stream.write_all(bytes);
        }
    }

    fn page(&self, request: &Value) -> Value {
        let room = request["room"].as_str().unwrap_or_default();
        let limit = request["limit"].as_u64().unwrap_or(PAGE_MESSAGES_MAX) as usize;
        let mut bytes = 0;
        let mut fits = |message: &&Value| {
            bytes += message.to_string().len() + 1;
            bytes <= PAGE_BYTES_MAX
        };
        let (mut messages, there): (Vec<_>, _) = if let Some(before) = request["before"].as_u64() {
            let all = self.store.after(room, 0);
            let all = &all[..all.len().min(usize::try_from(before).unwrap_or(usize::MAX).saturating_sub(1))];
            let mut messages: Vec<_> = all.iter().rev().take(limit).take_while(&mut fits).collect();
            messages.reverse();
            (messages, all.len())
        } else {
            let all = self.store.after(room, request["after"].as_u64().unwrap_or_default());
            (all.iter().take(limit).take_while(&mut fits).collect(), all.len())
        };
        let more = messages.len() < there;
        if self.sabotage == Some(Sabotage::ShortPage) && !more {
            messages.pop();
        }
        messages.retain(|message| !message.is_null());
        let mut page = json!({"type": "history", "room": room, "messages": messages, "ref": request["ref"]});
        if more {
            page["more"] = json!(true);
        }
        page
    }

    fn answer(&mut self, number: u64, event: &Value) {
        let mut out = Vec::new();
        put(&mut out, event);
        if let Some(member) = self.members.iter_mut().find(|member| member.number == number) {
            // A closed client is noticed when it is read from.
            let _ = member.stream.write_all(&out);
        }
    }
}

fn put(out: &mut Vec<u8>, event: &Value) {
    frame::put(out, event.to_string());
}
