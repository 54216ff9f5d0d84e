//! The clients that are measured, and how each is started in a terminal.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use portable_pty::CommandBuilder;

use super::pty::Terminal;
use super::{metronome, naive};
use crate::systems::words;

/// Begins each drawing of the terminal client, and of the tap's view.
pub const GLASSLINE_REDRAW_MARK: &[u8] = b"\x1b[?2026h";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Client {
    Glassline,
    Naive,
    /// No client: it draws by the clock and receives nothing.
    Metronome,
}

impl Client {
    /// Starts it in a terminal; `home` is where it finds no files of a user.
    pub fn start(self, glassline: &Path, addr: SocketAddr, home: &Path) -> Result<Terminal> {
        let own_program = std::env::current_exe()?;
        let (program, arguments, mark) = match self {
            Self::Glassline => {
                (glassline, words(&["join", &addr.to_string(), "--name", "alice"]), GLASSLINE_REDRAW_MARK)
            }
            Self::Naive => (&*own_program, words(&["naive-client", &addr.to_string()]), naive::REDRAW_MARK),
            Self::Metronome => (&*own_program, words(&["metronome"]), metronome::REDRAW_MARK),
        };
        start_in_terminal(program, &arguments, home, mark)
    }
}

/// Starts a program in a terminal; `home` is where it finds no files of a user.
pub fn start_in_terminal(
    program: &Path,
    arguments: &[OsString],
    home: &Path,
    redraw_mark: &'static [u8],
) -> Result<Terminal> {
    let program = std::fs::canonicalize(program).with_context(|| format!("{} is not there", program.display()))?;
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.env("TERM", "xterm-256color");
    for name in ["COLORTERM", "NO_COLOR"] {
        command.env_remove(name);
    }
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        command.env(name, home);
    }
    Terminal::start(command, redraw_mark)
}
