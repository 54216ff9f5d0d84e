//! The Glassline client: one session type, shown on a terminal, as plain lines or as JSON Lines.
//!
//! [`join`] runs it to its end. What happens between a server and a user is decided in [`session`], without I/O.

mod commands;
mod diagnostics;
mod drive;
pub mod ending;
pub mod entropy;
mod file_lock;
mod inbox;
mod input_history;
mod json;
mod keyboard;
mod lines;
mod lines_in;
mod options;
mod plain;
pub mod preferences;
mod room_log;
pub mod session;
mod system;
mod telling;
mod terminal;
mod transport;
mod undelivered;
mod view;

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use drive::Driver;
pub use ending::Ending;
use entropy::SystemEntropy;
use glassline_wire::limits::{EVENT_BYTES_MAX, TEXT_BYTES_MAX};
use inbox::{ARRIVALS_MAX, Inbox};
use json::Json;
use lines_in::LinesIn;
pub use options::{JoinOptions, Mode};
use plain::{Manner, Plain};
pub use preferences::{Bell, Preferences};
use room_log::RoomLog;
pub use session::update::DialectChoice;
use session::{Config, Session};
use telling::Line as Told;
use telling::settings::Settings;
use telling::wording::Reader;
use terminal::Terminal;
use transport::Transport;
use view::View;

/// A program that lost its server waits this long for it before it reports the loss.
const PROGRAM_GIVES_UP_AFTER_MS: u64 = 60_000;

/// Of what was said before, whoever listens to lines as they are read out hears so many messages at first.
const CONTEXT_READ_OUT_MAX: usize = 10;

/// Joins a server and talks until the user leaves, the input ends or the server is gone for good.
///
/// Prints nothing after the end: [`Ending::text`] is the caller's to show. A thread that waits for the standard input, and one that
/// waits for signals, may stay behind until the process ends; so this is for once in a process.
pub fn join(options: &JoinOptions) -> Ending {
    let mode = options.mode.resolved();
    let typed = io::stdin().is_terminal();
    let (inbox, arrivals) = sync_channel(ARRIVALS_MAX);
    let mut view = match open_view(mode, typed, options, &inbox) {
        Ok(view) => view,
        Err(error) => return Ending::InputOutput(format!("cannot use the standard input and output: {error}")),
    };
    // Without it the signals do what they always do.
    let _ = system::watch_interrupts(inbox.clone(), terminal::guard::restore_if_taken, terminal::guard::is_paused);
    let for_a_person = mode == Mode::Terminal || (mode == Mode::Linear && typed);
    let config = Config {
        address: options.address.clone(),
        name: options.name.clone(),
        dialect: options.dialect,
        gives_up_after_ms: (!for_a_person).then_some(PROGRAM_GIVES_UP_AFTER_MS),
        follows_people: mode == Mode::Terminal,
        context_messages_max: match mode {
            Mode::Terminal => terminal::context_messages_max(),
            Mode::Linear if typed => CONTEXT_READ_OUT_MAX,
            _ => usize::MAX,
        },
    };
    let session = Session::new(config, Box::new(SystemEntropy), 0);
    let driver = Driver {
        session: if mode == Mode::Json { session.for_a_program() } else { session },
        transport: Transport::new(options.address.clone(), inbox, mode == Mode::Terminal),
        view: &mut *view,
        started: Instant::now(),
        shows: true,
        interrupted: false,
    };
    driver.run(&arrivals)
}

/// Reports whether the process was started with SIGHUP ignored, as by `nohup`: a hangup is then no reason to end.
///
/// To be called before anything watches that signal.
pub fn is_hangup_ignored() -> bool {
    system::is_hangup_ignored()
}

fn open_view(mode: Mode, typed: bool, options: &JoinOptions, inbox: &Inbox) -> io::Result<Box<dyn View>> {
    if mode == Mode::Terminal {
        return Ok(Box::new(Terminal::open(options, inbox.clone())?));
    }
    let greeting = own_words(&options.greeting);
    let out: Box<dyn Write> = Box::new(io::BufWriter::new(io::stdout()));
    let err: Box<dyn Write> = Box::new(io::stderr());
    if mode == Mode::Json {
        let lines_in = LinesIn::start(io::stdin(), EVENT_BYTES_MAX, inbox.clone())?;
        let mut json = Json::new(lines_in, Box::new(SystemEntropy), out, err)?;
        json.tell(&greeting)?;
        return Ok(Box::new(json));
    }
    let lines_in = LinesIn::start(io::stdin(), TEXT_BYTES_MAX, inbox.clone())?;
    let manner = Manner { typed, words_on_stdout: mode == Mode::Linear };
    let reader = Reader::new(&options.name);
    let settings = Settings::new(&options.preferences, false);
    let log = RoomLog::wished_for(options);
    let mut plain = Plain::new(manner, reader, settings, log, lines_in, out, err);
    plain.tell(&greeting)?;
    Ok(Box::new(plain))
}

/// Words of the client's, as every mode that writes lines marks them.
fn own_words(lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|words| Told::notice(words).plain()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_greeting_is_marked_as_the_clients_own_words() {
        assert_eq!(super::own_words(&["open".to_owned(), "a\nb".to_owned()]), ["* open", "* a", "  b"]);
    }
}
