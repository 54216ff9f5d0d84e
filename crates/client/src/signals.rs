//! SIGTERM, SIGHUP and SIGINT: the first asks to leave, the second ends the process as if nobody had listened.

use std::io;
use std::thread;

use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::inbox::{Arrival, Inbox};

/// Starts to listen, until the process ends: once the inbox is closed, a signal ends the process too.
pub(crate) fn watch(inbox: Inbox) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::Builder::new().name("glassline-signals".to_owned()).spawn(move || {
        for (count, signal) in signals.forever().enumerate() {
            // The driver may be stuck in a write to a reader that stalls; the inbox may be full. So neither is waited for.
            if count > 0 || inbox.try_send(Arrival::Interrupted).is_err() {
                // Without a terminal in raw mode there is nothing to restore.
                if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) {
                    crate::terminal::guard::restore();
                }
                let _ = emulate_default_handler(signal);
            }
        }
    })?;
    Ok(())
}
