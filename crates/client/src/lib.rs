//! The Glassline client: one session type, shown on a terminal, as plain lines or as JSON Lines.
//!
//! [`join`] runs it to its end. What happens between a server and a user is decided in
//! [`glassline_session`], without I/O.

mod commands;
mod derived_key;
mod display_settings;
mod drive;
mod entropy;
mod file_lock;
mod format;
mod inbox;
mod input_history;
mod json;
mod keyboard;
mod line_input;
mod line_output;
mod line_splitter;
mod link;
mod options;
mod plain;
mod preferences;
mod room_log;
mod rows;
mod sealed;
mod system;
mod terminal;
mod transport;
mod typing;
mod undelivered;
mod view;
mod web_page;

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use display_settings::DisplaySettings;
use drive::Driver;
use entropy::SystemEntropy;
use format::StyledLine;
use format::messages::Formatter;
use glassline_session::{Config, Session};
pub use glassline_session::{DialectChoice, Ending};
use glassline_wire::limits::{EVENT_BYTES_MAX, TEXT_BYTES_MAX};
use inbox::{EVENTS_MAX, Inbox};
use json::Json;
use line_input::LineInput;
use line_output::{CodeScreen, LineOutput, LineScreen};
pub use link::{Link, SecureLink};
pub use options::{JoinOptions, Mode, default_layers};
use plain::{Plain, PlainMode};
pub use preferences::{Bell, LogScope, Preferences};
use room_log::RoomLog;
use sealed::RoomKeys;
pub use sealed::Sealing;
use terminal::Terminal;
use transport::Transport;
use typing::line::TypedLine;
use typing::terminal::EchoTerminal;
use view::View;
use web_page::WebPage;

/// Time after which a program's session reports a lost server.
const PROGRAM_GIVES_UP_AFTER_MS: u64 = 60_000;
/// Stored messages shown first in the linear mode, which is read out.
const CONTEXT_READ_OUT_MAX: usize = 10;

/// Joins a server and runs until the user leaves, the input ends or the server is lost for good.
///
/// Prints nothing after the end: [`Ending::text`] is the caller's to show. A thread that waits for
/// the standard input, and one that waits for signals, may remain until the process ends; so
/// this is for once in a process.
pub fn join(options: &JoinOptions) -> Ending {
    let mode = options.mode.resolved();
    let typed = io::stdin().is_terminal();
    let (inbox, events) = sync_channel(EVENTS_MAX);
    let keys = match RoomKeys::open(options.sealing.clone(), inbox.clone()) {
        Ok(keys) => keys,
        Err(why) => return Ending::InputOutput(why),
    };
    let mut view = match open_view(mode, typed, options, &inbox, &keys) {
        Ok(view) => view,
        Err(error) => return Ending::InputOutput(format!("cannot use the standard input and output: {error}")),
    };
    // Without it the signals have their default effect.
    let _ = system::watch_interrupts(inbox.clone(), give_terminal_back, terminal::guard::is_paused);
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
    let session = Session::new(config, Box::new(SystemEntropy), 0).with_seal(Box::new(keys.clone()));
    let driver = Driver {
        session: if mode == Mode::Json { session.for_program() } else { session },
        transport: Transport::new(options.address.clone(), options.link.clone(), inbox, mode == Mode::Terminal),
        view: &mut *view,
        keys,
        started: Instant::now(),
        shows: true,
        interrupted: false,
    };
    driver.run(&events)
}

/// Reports whether the process was started with SIGHUP ignored, as by `nohup`: a hangup is then no
/// reason to end.
///
/// To be called before anything watches that signal.
pub fn is_hangup_ignored() -> bool {
    system::is_hangup_ignored()
}

fn open_view(
    mode: Mode,
    typed: bool,
    options: &JoinOptions,
    inbox: &Inbox,
    keys: &RoomKeys,
) -> io::Result<Box<dyn View>> {
    if mode == Mode::Terminal {
        return Ok(Box::new(Terminal::open(options, inbox.clone(), keys.clone())?));
    }
    let out: Box<dyn Write> = Box::new(io::BufWriter::new(io::stdout()));
    let err: Box<dyn Write> = Box::new(io::stderr());
    if mode == Mode::Json {
        let line_input = LineInput::start(io::stdin(), EVENT_BYTES_MAX, inbox.clone())?;
        let mut json = Json::new(line_input, Box::new(SystemEntropy), out, err, keys.clone())?;
        json.print_notice(&notice_lines(&options.greeting))?;
        return Ok(Box::new(json));
    }
    let plain_mode = PlainMode { typed, notices_on_stdout: mode == Mode::Linear, hosts: options.hosts };
    let has_screen = io::stdout().is_terminal();
    let for_a_person = typed && has_screen && mode == Mode::Linear;
    // Without single keys, or on a pipe, the system's line editing is used.
    let terminal = for_a_person.then(|| EchoTerminal::open(inbox.clone()));
    let terminal = terminal.and_then(Result::ok);
    let line_input = match &terminal {
        Some(_) => LineInput::added(),
        None => LineInput::start(io::stdin(), TEXT_BYTES_MAX, inbox.clone())?,
    };
    let screen = has_screen.then_some(LineScreen { columns: terminal::columns, shortens: typed });
    let output = LineOutput::new(out, err, plain_mode.notices_on_stdout, screen, TypedLine::new(TEXT_BYTES_MAX))
        .drawing_codes(code_screen(plain_mode.notices_on_stdout, options));
    let formatter = Formatter::new(&options.name).with_members(options.members.clone());
    let settings = DisplaySettings::new(&options.preferences, false);
    let web_page = WebPage::of(options);
    let plain = Plain::new(plain_mode, formatter, settings, line_input, output, keys.clone(), web_page);
    let mut plain = plain.logging_to(RoomLog::wished_for(options));
    for words in options.greeting.iter().chain(&RoomLog::notice(&options.preferences)) {
        plain.print_notice(words)?;
    }
    if for_a_person {
        plain.print_notice(terminal::FIRST_STEPS)?;
    }
    Ok(Box::new(match terminal {
        Some(terminal) => plain.typed_at(terminal),
        None => plain,
    }))
}

/// Returns the terminal that shows the notices of a mode that writes lines. A terminal that calls
/// itself dumb takes no colours.
fn code_screen(notices_on_stdout: bool, options: &JoinOptions) -> Option<CodeScreen> {
    let is_terminal = if notices_on_stdout { io::stdout().is_terminal() } else { io::stderr().is_terminal() };
    let has_colour = options.preferences.colour && !options::is_terminal_dumb();
    is_terminal.then_some(CodeScreen { size: terminal::size, has_colour })
}

/// Restores the terminal, for a thread that ends the process.
fn give_terminal_back() {
    terminal::guard::restore_if_taken();
    typing::terminal::give_back();
}

/// Returns notices as the modes that write lines mark them.
fn notice_lines(lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|words| StyledLine::notice(words).plain()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_greeting_is_marked_as_a_notice_of_the_client() {
        assert_eq!(super::notice_lines(&["open".to_owned(), "a\nb".to_owned()]), ["* open", "* a", "  b"]);
    }
}
