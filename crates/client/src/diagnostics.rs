//! The client's own words on stderr, beside what it writes to stdout.

use std::io::{self, Write};

/// Writes them behind what was told before: where both go to one place, they stand there in the order in which they were told.
///
/// # Errors
/// What was told before cannot be written. Nobody may be reading the diagnostics themselves; that is no reason to stop.
pub(crate) fn tell(out: &mut dyn Write, err: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    if !lines.is_empty() {
        out.flush()?;
    }
    for line in lines {
        let _ = writeln!(err, "{line}");
    }
    Ok(())
}
