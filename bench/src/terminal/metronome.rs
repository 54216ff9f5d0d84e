//! Draws every 16 ms and never sooner: what the reader then sees of that is its own jitter.

use std::fs::File;
use std::io::{Write, stdout};
use std::os::fd::AsFd;
use std::thread;
use std::time::Instant;

use anyhow::Result;

use super::redraws::FRAME;

pub const REDRAW_MARK: &[u8] = b"\x1b[?2026h";

/// Draws until the terminal is gone.
pub fn run() -> Result<()> {
    // Without the standard library's buffer: one drawing is one write.
    let mut out = File::from(stdout().as_fd().try_clone_to_owned()?);
    loop {
        let drawn = Instant::now();
        out.write_all(b"\x1b[?2026h\r\x1b[J> \r\nonline\x1b[1A\r> \x1b[?2026l")?;
        while drawn.elapsed() < FRAME {
            thread::sleep(FRAME.saturating_sub(drawn.elapsed()));
        }
    }
}
