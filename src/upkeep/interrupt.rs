//! The request to end an operation: Ctrl-C, another signal, or the end of the terminal.

use std::io;

#[derive(Clone)]
pub(super) struct Interrupt(imp::Flag);

impl Interrupt {
    /// Watches for signals from now on. The first is noted, the second ends the process at once.
    pub(super) fn watch() -> io::Result<Self> {
        imp::watch().map(Self)
    }

    /// Exit code of a process that a signal ended, as a shell reports it; nothing before the first.
    pub(super) fn exit_code(&self) -> Option<u8> {
        imp::exit_code(&self.0)
    }
}

#[cfg(unix)]
mod imp {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use glassline_client::is_hangup_ignored;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;

    /// A shell adds this to the number of a signal.
    const SIGNAL_CODE: i32 = 128;

    /// The signal that came, or 0.
    pub(super) type Flag = Arc<AtomicUsize>;

    pub(super) fn watch() -> io::Result<Flag> {
        let (came, signal) = (Arc::new(AtomicBool::new(false)), Flag::default());
        for watched in [SIGINT, SIGTERM, SIGQUIT] {
            // In this order: the first signal finds that none came before.
            flag::register_conditional_shutdown(watched, SIGNAL_CODE + watched, Arc::clone(&came))?;
            flag::register(watched, Arc::clone(&came))?;
            flag::register_usize(watched, Arc::clone(&signal), watched.unsigned_abs() as usize)?;
        }
        // The kernel and the shell each send one, so a second hangup adds nothing.
        if !is_hangup_ignored() {
            flag::register_usize(SIGHUP, Arc::clone(&signal), SIGHUP.unsigned_abs() as usize)?;
        }
        // A file that may not grow further gives an error as well, which is reported.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(signal)
    }

    pub(super) fn exit_code(signal: &Flag) -> Option<u8> {
        match signal.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(SIGNAL_CODE.unsigned_abs() as usize + signal).ok(),
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io;

    pub(super) type Flag = ();

    /// Nothing is watched: the system ends the process, and the history is as it was.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    pub(super) fn watch() -> io::Result<Flag> {
        Ok(())
    }

    pub(super) fn exit_code((): &Flag) -> Option<u8> {
        None
    }
}
