//! The usual event client: for each message it clears its two rows, prints it, redraws and flushes.
//!
//! It does what one expects of a chat client written in an evening, without mistakes that would make it slow: what was read is worked
//! off before anything is waited for, a drawing is one write, keys are looked for between two reads. It cleans nothing of what it is sent.

use std::fs::File;
use std::io::{Read, Write, stdin, stdout};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use anyhow::Result;
use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::queue;
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size};
use glassline_testkit::frame::{self, Frames};
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

/// Every drawing clears what is below the cursor, and nothing else does.
pub const REDRAW_MARK: &[u8] = b"\x1b[J";
const READ_BYTES: usize = 4096;
const COLUMNS_UNKNOWN: (u16, u16) = (80, 24);
/// The first of twelve neighbouring colours for names.
const FIRST_COLOUR: u8 = 28;
const COLOURS: usize = 12;

pub fn run(addr: SocketAddr) -> Result<()> {
    enable_raw_mode()?;
    let done = talk(addr);
    disable_raw_mode()?;
    done
}

fn talk(addr: SocketAddr) -> Result<()> {
    let mut keyboard = File::from(stdin().as_fd().try_clone_to_owned()?);
    let mut screen = Screen {
        out: File::from(stdout().as_fd().try_clone_to_owned()?),
        columns: usize::from(size().unwrap_or(COLUMNS_UNKNOWN).0),
        draft: String::new(),
        status: "connecting".to_owned(),
    };
    screen.redraw(&[])?;
    let mut server = TcpStream::connect(addr)?;
    server.set_nodelay(true)?;
    let mut hello = b"GLASSLINE2".to_vec();
    frame::put(&mut hello, json!({"type": "hello", "name": "naive"}).to_string().as_bytes());
    server.write_all(&hello)?;
    let (mut frames, mut chunk) = (Frames::default(), [0; READ_BYTES]);
    loop {
        let mut ready = [PollFd::new(&keyboard, PollFlags::IN), PollFd::new(&server, PollFlags::IN)];
        poll(&mut ready, None)?;
        let [has_keys, has_frames] = ready.map(|ready| !ready.revents().is_empty());
        if has_keys {
            let read = keyboard.read(&mut chunk)?;
            if read == 0 || !screen.press(&chunk[..read], &mut server)? {
                return Ok(());
            }
        }
        if has_frames {
            let read = server.read(&mut chunk)?;
            if read == 0 {
                return Ok(());
            }
            frames.push(&chunk[..read]);
            while let Some(event) = frames.next_payload()? {
                screen.receive(&serde_json::from_slice(event)?)?;
            }
        }
    }
}

struct Screen {
    out: File,
    columns: usize,
    draft: String,
    status: String,
}

impl Screen {
    fn receive(&mut self, event: &Value) -> Result<()> {
        let field = |name: &str| event[name].as_str().unwrap_or_default();
        let mut said = Vec::new();
        match field("type") {
            "welcome" => {
                let name = field("name");
                self.status = format!("{name} in lobby · online · plaintext: anyone on the way can read this");
            }
            "message" => {
                let (time, from) = (field("at").get(11..16).unwrap_or_default(), field("from"));
                faint(&mut said, &format!("{time} "))?;
                let colour = FIRST_COLOUR + (from.bytes().map(usize::from).sum::<usize>() % COLOURS) as u8;
                queue!(said, SetForegroundColor(Color::AnsiValue(colour)), Print(from), ResetColor)?;
                faint(&mut said, " > ")?;
                let head_columns = time.chars().count() + 1 + from.chars().count() + 3;
                for row in wrapped(field("text"), head_columns, self.columns) {
                    said.extend_from_slice(row.as_bytes());
                    said.extend_from_slice(b"\r\n");
                }
            }
            _ => return Ok(()),
        }
        self.redraw(&said)
    }

    /// False at the end: Ctrl-C or Ctrl-D.
    fn press(&mut self, keys: &[u8], server: &mut TcpStream) -> Result<bool> {
        for key in String::from_utf8_lossy(keys).chars() {
            match key {
                '\x03' | '\x04' => return Ok(false),
                '\x15' => self.draft.clear(),
                '\x7f' => drop(self.draft.pop()),
                '\r' => {
                    let text = std::mem::take(&mut self.draft);
                    let id = format!("{:032x}", std::process::id());
                    let mut frame = Vec::new();
                    let send = json!({"type": "send", "room": "lobby", "text": text, "id": id});
                    frame::put(&mut frame, send.to_string().as_bytes());
                    server.write_all(&frame)?;
                }
                key => self.draft.push(key),
            }
        }
        self.redraw(&[])?;
        Ok(true)
    }

    /// Writes the text over the input row; this and the status are drawn below it.
    fn redraw(&mut self, said: &[u8]) -> Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, MoveToColumn(0), Clear(ClearType::FromCursorDown))?;
        bytes.extend_from_slice(said);
        queue!(bytes, Print("> "), Print(&self.draft), Print("\r\n"))?;
        faint(&mut bytes, &self.status)?;
        let cursor_column = u16::try_from(2 + self.draft.chars().count()).unwrap_or(u16::MAX);
        queue!(bytes, MoveUp(1), MoveToColumn(cursor_column))?;
        self.out.write_all(&bytes)?;
        Ok(self.out.flush()?)
    }
}

fn faint(out: &mut Vec<u8>, text: &str) -> Result<()> {
    Ok(queue!(out, SetAttribute(Attribute::Dim), Print(text), SetAttribute(Attribute::Reset))?)
}

/// Broken between words, every row but the first set in; a word longer than a row is left to the terminal.
fn wrapped(text: &str, indent: usize, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut at = indent;
    for word in text.split(' ') {
        let word_columns = word.chars().count();
        if at + 1 + word_columns > columns && at > indent {
            rows.push(" ".repeat(indent));
            at = indent;
        }
        if let Some(row) = rows.last_mut() {
            if at > indent {
                row.push(' ');
                at += 1;
            }
            row.push_str(word);
            at += word_columns;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_hang_under_the_text() {
        assert_eq!(wrapped("one two three four", 6, 20), ["one two three", "      four"]);
        assert_eq!(wrapped("one", 6, 20), ["one"]);
        assert_eq!(wrapped("onetwothreefourfive six", 6, 20), ["onetwothreefourfive", "      six"]);
    }
}
