//! Reports of the program itself about the file that is left: `glassline history check` and
//! `glassline history export`.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::message::Message;
use crate::script::{ROOM_COUNT, ROOMS};
use crate::server::Program;

/// Hundreds of thousands of messages are read in seconds.
const LIMIT: Duration = Duration::from_mins(2);

const POLL: Duration = Duration::from_millis(10);

const EXPORT: &str = "export";

/// The file is sound, and what is exported is what was read back.
pub(crate) fn check(program: &Program, ledger: &mut Ledger) -> Result<(), Fault> {
    run(program, "check", &program.folder.join("check.txt"))?;
    let exported = program.folder.join("export.jsonl");
    run(program, EXPORT, &exported)?;
    let mut next = [1; ROOM_COUNT];
    for (number, line) in BufReader::new(File::open(exported)?).lines().enumerate() {
        let line = line?;
        let value: Value =
            serde_json::from_str(&line).map_err(|error| differs(&format!("line {}: {error}", number + 1)))?;
        let is_first = number == 0;
        match value["type"].as_str() {
            Some("schema") if is_first => {}
            Some("message") if !is_first => {
                let message = Message::read(EXPORT, &value)?;
                let room = ROOMS.iter().position(|room| *room == message.room);
                let room = room.ok_or_else(|| differs(&format!("a room {} that nobody was in", message.room)))?;
                if message.seq != next[room] || message.seq > ledger.newest_stored(room) {
                    let what = format!("number {} of {}, where {} was due", message.seq, message.room, next[room]);
                    return Err(differs(&what));
                }
                next[room] += 1;
                ledger.read_back(EXPORT, &message)?;
            }
            _ => return Err(differs(&format!("line {} is {line}", number + 1))),
        }
    }
    for (room, next) in next.into_iter().enumerate() {
        let stored = ledger.newest_stored(room);
        if next != stored + 1 {
            return Err(differs(&format!("{} ends at {} and not at {stored}", ROOMS[room], next - 1)));
        }
    }
    Ok(())
}

fn differs(detail: &str) -> Fault {
    Fault::History { command: EXPORT, detail: detail.to_owned() }
}

/// Runs one of the commands, with its output in a file.
fn run(program: &Program, word: &'static str, out: &Path) -> Result<(), Fault> {
    let mut command = program.command();
    command.args(["history", word, "--history"]).arg(program.history());
    let mut child = command.stdout(File::create(out)?).stderr(File::create(out.with_extension("stderr"))?).spawn()?;
    let until = Instant::now() + LIMIT;
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            return Err(Fault::hang("the harness", format!("`history {word}` to end"), LIMIT));
        }
        thread::sleep(POLL);
    };
    if ended.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(out.with_extension("stderr")).unwrap_or_default();
    Err(Fault::History { command: word, detail: format!("{ended}; see {}; {}", out.display(), said.trim_end()) })
}
