//! The typed confirmation of `--beyond-loopback`.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::bail;

/// Line that the user types.
const CONFIRMATION: &str = "these systems are mine";

/// Asks the user on the terminal, after this sentence. Errors: there is none, or something else is
/// typed.
pub(super) fn ask(sentence: &str) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        bail!(
            "--beyond-loopback asks for a confirmation, which needs a terminal; without it the tap stays on this machine"
        );
    }
    let mut stderr = io::stderr();
    let _ = write!(
        stderr,
        "{sentence}\nTap only systems and people who have agreed to it. To go on, type: {CONFIRMATION}\n> "
    );
    let _ = stderr.flush();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    if line.trim() != CONFIRMATION {
        bail!("not confirmed, so nothing was started");
    }
    Ok(())
}
