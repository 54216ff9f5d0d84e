//! The typed confirmation of `--beyond-loopback`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;

use anyhow::bail;

/// What the user types.
const CONFIRMATION: &str = "these systems are mine";

/// Asks the user on the terminal. Errors: there is none, or something else is typed.
pub(super) fn ask(listen: SocketAddr, to: SocketAddr) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        bail!(
            "--beyond-loopback asks for a confirmation, which needs a terminal; without it the tap stays on this machine"
        );
    }
    let mut stderr = io::stderr();
    let _ = write!(
        stderr,
        "The tap will listen on {listen} and relay to {to}. Whoever connects through it is read and can be changed.\n\
         Tap only systems and people who have agreed to it. To go on, type: {CONFIRMATION}\n> "
    );
    let _ = stderr.flush();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    if line.trim() != CONFIRMATION {
        bail!("not confirmed, so nothing was started");
    }
    Ok(())
}
