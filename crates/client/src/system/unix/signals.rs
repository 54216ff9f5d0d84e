//! Signals as events.

use std::fs;
use std::io;
use std::sync::mpsc::TrySendError;
use std::thread;

use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::signal::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::inbox::{DriverEvent, Inbox, UserInput};
use crate::keyboard::event::TerminalEvent;

/// Reports whether the process was started with SIGHUP ignored, as by `nohup`.
///
/// To be called before SIGHUP is watched. Read from `/proc`, so false on systems without it.
pub(crate) fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit N-1 is signal N (proc_pid_status(5)).
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// Watches SIGTERM, SIGINT, SIGQUIT and SIGHUP: the first asks to leave, a second one ends the
/// process as if nobody had watched. SIGUSR1 and SIGUSR2 do nothing, since their default leaves the
/// terminal in raw mode.
///
/// A hangup never counts as the second signal: the kernel and the shell each send one when a window
/// is closed, and a host still has its goodbyes to say. It is not watched where it was ignored from
/// the start.
///
/// `restore` puts the terminal back before the process ends that way.
pub(crate) fn watch_interrupts(inbox: Inbox, restore: fn(), is_paused: fn() -> bool) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2])?;
    if !is_hangup_ignored() {
        signals.add_signal(SIGHUP)?;
    }
    thread::Builder::new().name("glassline-signals".to_owned()).spawn(move || {
        let mut has_asked = false;
        for signal in signals.forever() {
            match signal {
                SIGUSR1 | SIGUSR2 => {}
                // Ctrl-C while another program has the terminal is for that program.
                SIGINT if is_paused() => {}
                SIGHUP if has_asked => {}
                _ if has_asked => {
                    restore();
                    let _ = emulate_default_handler(signal);
                }
                _ => {
                    has_asked = true;
                    ask_to_leave(&inbox);
                }
            }
        }
    })?;
    Ok(())
}

/// Puts the request into the inbox without waiting on the calling thread, which has a second signal
/// to watch for.
fn ask_to_leave(inbox: &Inbox) {
    // A closed inbox belongs to a session that ends already.
    if let Err(TrySendError::Full(request)) = inbox.try_send(DriverEvent::Interrupted) {
        let inbox = inbox.clone();
        thread::spawn(move || inbox.send(request));
    }
}

/// Stops the process until it is continued, as the shell's Ctrl-Z does: with all that the
/// shell started with it (`cargo run`), as it waits for them too. To be called from the main
/// thread, which then does nothing more before it is stopped.
pub(crate) fn suspend() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// SIGWINCH and SIGCONT: the terminal's size changed, the process continues.
///
/// Apart from the interrupts, as this waits for room in the inbox: no size must be missed.
pub(crate) fn watch_terminal(inbox: Inbox) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT])?;
    thread::Builder::new().name("glassline-size".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // The size may have changed while the process was stopped, without a signal.
            let resized =
                crossterm::terminal::size().ok().map(|(columns, rows)| TerminalEvent::Resized { columns, rows });
            let resumed = (signal == SIGCONT).then_some(TerminalEvent::Resumed);
            for event in resized.into_iter().chain(resumed) {
                if inbox.send(DriverEvent::User(UserInput::Terminal(event))).is_err() {
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
    fn continuing_after_a_stop_is_reported() {
        let (inbox, events) = sync_channel(4);
        watch_terminal(inbox).expect("watches");
        // A running process ignores it.
        signal_hook::low_level::raise(SIGCONT).expect("raised");
        let is_resumed = |event| matches!(event, DriverEvent::User(UserInput::Terminal(TerminalEvent::Resumed)));
        // A size may come first, where the tests have a terminal.
        let next = || events.recv_timeout(Duration::from_secs(20)).expect("an event");
        assert!(is_resumed(next()) || is_resumed(next()));
    }
}
