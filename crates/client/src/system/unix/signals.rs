//! Signals as arrivals.

use std::io;
use std::thread;

use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::signal::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::inbox::{Arrival, Inbox, UserInput};
use crate::keyboard::event::TerminalEvent;

/// SIGTERM, SIGHUP and SIGINT: the first asks to leave, the second ends the process as if nobody had listened.
///
/// `restore` puts the terminal back before that. It listens until the process ends: once the inbox is closed, a signal ends the process too.
pub(crate) fn watch_interrupts(inbox: Inbox, restore: fn(), is_paused: fn() -> bool) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::Builder::new().name("glassline-signals".to_owned()).spawn(move || {
        // Ctrl-C while another program has the terminal is for that program.
        let meant = signals.forever().filter(|&signal| signal != SIGINT || !is_paused());
        for (count, signal) in meant.enumerate() {
            // The driver may be stuck in a write to a reader that stalls; the inbox may be full. So neither is waited for.
            if count > 0 || inbox.try_send(Arrival::Interrupted).is_err() {
                restore();
                let _ = emulate_default_handler(signal);
            }
        }
    })?;
    Ok(())
}

/// Stops the process until somebody lets it go on, as the shell's Ctrl-Z does: with all that the shell started with it (`cargo run`),
/// as it waits for them too. To be called from the main thread, which then does nothing more before it is stopped.
pub(crate) fn suspend() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// SIGWINCH and SIGCONT: the terminal's size, and that the process goes on.
///
/// Apart from the interrupts, as this waits for room in the inbox: no size must be missed.
pub(crate) fn watch_terminal(inbox: Inbox) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT])?;
    thread::Builder::new().name("glassline-size".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // The size may have changed while the process stood still too, and nobody told it.
            let resized =
                crossterm::terminal::size().ok().map(|(columns, rows)| TerminalEvent::Resized { columns, rows });
            let resumed = (signal == SIGCONT).then_some(TerminalEvent::Resumed);
            for event in resized.into_iter().chain(resumed) {
                if inbox.send(Arrival::User(UserInput::Terminal(event))).is_err() {
                    return;
                }
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    #[test]
    fn going_on_after_a_stop_is_told() {
        let (inbox, arrivals) = sync_channel(4);
        watch_terminal(inbox).expect("watches");
        // Whoever is not stopped is not changed by it.
        signal_hook::low_level::raise(SIGCONT).expect("raised");
        let is_resumed = |arrival| matches!(arrival, Arrival::User(UserInput::Terminal(TerminalEvent::Resumed)));
        // A size may come first, where the tests have a terminal.
        let next = || arrivals.recv_timeout(Duration::from_secs(20)).expect("told");
        assert!(is_resumed(next()) || is_resumed(next()));
    }
}
