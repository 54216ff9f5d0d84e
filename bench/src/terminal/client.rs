//! The clients that are measured, and how each is started in a terminal.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use portable_pty::CommandBuilder;

use super::pty::Terminal;
use super::{metronome, naive};

const GLASSLINE_REDRAW_MARK: &[u8] = b"\x1b[?2026h";

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
                let program = std::fs::canonicalize(glassline)
                    .with_context(|| format!("{} is not there", glassline.display()))?;
                (
                    program,
                    vec!["join".to_owned(), addr.to_string(), "--name".into(), "alice".into()],
                    GLASSLINE_REDRAW_MARK,
                )
            }
            Self::Naive => (own_program, vec!["naive-client".to_owned(), addr.to_string()], naive::REDRAW_MARK),
            Self::Metronome => (own_program, vec!["metronome".to_owned()], metronome::REDRAW_MARK),
        };
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        for name in ["COLORTERM", "NO_COLOR"] {
            command.env_remove(name);
        }
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(name, home);
        }
        Terminal::start(command, mark)
    }
}
