//! `glassline man`: the manual's pages, from the same texts as `--help`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{Arguments, JOIN_BEHAVIOUR};
use crate::environment::VARIABLES;
use crate::folders;

/// Row of a list on a page: a word, and its meaning.
type ManualRow = (&'static str, &'static str);

const SEE_JOIN: &[ManualRow] =
    &[("glassline-join(1)", "tells the exit status, the environment and the files; they are the same")];
const SEE_HISTORY: &[ManualRow] =
    &[("glassline-history(1)", "tells the exit status and the files; they are the same for each of its commands")];
const SEE_TAP: &[ManualRow] =
    &[("glassline-tap(1)", "tells the exit status and the environment; they are the same for each of its commands")];
const SERVE_EXIT: &[ManualRow] = &[
    (
        "0",
        "ended by SIGINT, SIGTERM or SIGQUIT, or by SIGHUP where it was started at a terminal, with a goodbye to everybody",
    ),
    ("1", "cannot listen, cannot use its history, or cannot go on"),
    ("2", "wrong usage"),
    ("130", "a second SIGINT, SIGTERM or SIGQUIT ended it at once"),
];
const SERVE_ENVIRONMENT: &[ManualRow] = &[
    ("GLASSLINE_DEBUG", "if set, the log tells more"),
    ("LISTEN_FDS, LISTEN_PID", "set by systemd: the sockets to listen on, unless --listen names others"),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "set by systemd: where to tell that the server is ready, stops, and is alive"),
];
const SERVE_FILES: &[ManualRow] = &[(
    "~/.local/state/glassline/history.db",
    "what is said, with history.db-wal and history.db-shm beside it; --history names another file. \
     $XDG_STATE_HOME/glassline/history.db if that is set",
)];
const HISTORY_EXIT: &[ManualRow] = &[
    ("0", "done, and nothing is wrong"),
    ("1", "the history is damaged, is in use, or cannot be read or written; the words say which, and what to do"),
    ("1", "export: some messages are missing, each of which is reported on stderr"),
    ("2", "wrong usage"),
    ("129, 130, 131, 143", "ended by SIGHUP, SIGINT (Ctrl-C), SIGQUIT, SIGTERM; the history is as it was"),
    ("141", "export: whoever read stdout closed it, so not all was written"),
];
const TAP_EXIT: &[ManualRow] = &[
    ("0", "ended by the user, by a signal, or by whoever read its lines; the recording is complete"),
    ("1", "an address is refused or cannot be used, or a file cannot be written; the words say which, and what to do"),
    ("2", "wrong usage"),
    ("130", "a second SIGINT, SIGTERM or SIGQUIT ended it at once; the end of the recording may be missing"),
];
const TAP_ENVIRONMENT: &[ManualRow] =
    &[("NO_COLOR", "if set to anything, no colours"), ("TERM", "where it is dumb, lines are shown, as with --linear")];
const JOIN_EXIT: &[ManualRow] = &[
    ("0", "left, or the input ended and everything was acknowledged"),
    ("1", "input or output failed, or some of the input could not be sent"),
    ("2", "wrong usage, or a configuration that cannot be read"),
    ("3", "cannot connect"),
    ("4", "refused by the server, or not the protected link that was asked for: another key, or no TLS"),
    ("5", "the server went away"),
];
const JOIN_VARIABLES: &[ManualRow] = &[
    ("NO_COLOR", "if set to anything, no colours, unless the command line asks for them"),
    ("TERM", "where it is dumb, plain lines are shown, as with --linear"),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "where the files below are, instead of ~/.config and ~/.local/state"),
];
const JOIN_FILES: &[ManualRow] = &[
    ("~/.config/glassline/config.toml", "your settings; --config names another file"),
    (
        "~/.local/state/glassline/keys/",
        "your key, and those of servers and members that were seen before; glassline keys shows them",
    ),
    ("~/.local/state/glassline/", "what you asked to be kept: the rooms' logs and the lines you typed"),
];

/// Writes one page for the program and one for each command, those of `history` among them.
pub(crate) fn write(folder: &Path) -> anyhow::Result<()> {
    let folder = &folders::expanded(folder).map_err(anyhow::Error::msg)?;
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}; name another folder"))?;
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    write_page(folder, &program)
}

fn write_page(folder: &Path, command: &clap::Command) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_string();
    let file = folder.join(format!("{name}.1"));
    let page = page(command.clone(), &name).context("cannot render a page")?;
    fs::write(&file, page).with_context(|| format!("cannot write {}; name another folder", file.display()))?;
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write_page(folder, below))
}

fn page(command: clap::Command, name: &str) -> io::Result<Vec<u8>> {
    let manual = format!("Glassline {}", env!("CARGO_PKG_VERSION"));
    // Here the exit codes have a section of their own, and the behaviour is the description.
    let command =
        if name == "glassline-join" { command.after_help(None::<&str>).long_about(JOIN_BEHAVIOUR) } else { command };
    let has_subcommands = command.has_subcommands();
    let has_after_help = command.get_after_help().is_some();
    let man = Man::new(command).source(manual);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    if has_after_help {
        man.render_extra_section(&mut page)?;
    }
    match name {
        "glassline" => section(&mut page, "SEE ALSO", SEE_JOIN)?,
        "glassline-serve" => {
            section(&mut page, "EXIT STATUS", SERVE_EXIT)?;
            section(&mut page, "ENVIRONMENT", SERVE_ENVIRONMENT)?;
            section(&mut page, "FILES", SERVE_FILES)?;
        }
        "glassline-history" => {
            section(&mut page, "EXIT STATUS", HISTORY_EXIT)?;
            section(&mut page, "FILES", SERVE_FILES)?;
        }
        "glassline-tap" => {
            section(&mut page, "EXIT STATUS", TAP_EXIT)?;
            section(&mut page, "ENVIRONMENT", TAP_ENVIRONMENT)?;
        }
        below if below.starts_with("glassline-tap-") => section(&mut page, "SEE ALSO", SEE_TAP)?,
        below if below.starts_with("glassline-history-") => section(&mut page, "SEE ALSO", SEE_HISTORY)?,
        "glassline-join" => {
            section(&mut page, "EXIT STATUS", JOIN_EXIT)?;
            section(&mut page, "ENVIRONMENT", &[VARIABLES, JOIN_VARIABLES].concat())?;
            section(&mut page, "FILES", JOIN_FILES)?;
        }
        _ => {}
    }
    Ok(page)
}

fn section(page: &mut dyn Write, title: &str, rows: &[ManualRow]) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for (word, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(*word)]);
        roff.text([roman(*meaning)]);
    }
    roff.to_writer(page)
}
