//! Signals, on systems that have them.

#[cfg(unix)]
pub(crate) use unix::end_on_signal;

#[cfg(not(unix))]
pub(crate) use elsewhere::end_on_signal;

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal};
    use std::thread;

    use glassline_client::is_hangup_ignored;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use tracing::info;

    /// Exit code where a second signal ends the server at once: 128 and the number of SIGINT, as a
    /// shell reports it.
    const ENDED_AT_ONCE: i32 = 130;

    /// Watches signals: the first SIGINT, SIGTERM or SIGQUIT calls `end`, which asks for an orderly
    /// end; the second calls `at_once`, which must not wait for anything, and ends the process.
    ///
    /// A hangup calls `end` too where the server was started at a terminal, which is then gone.
    /// Elsewhere it calls `reload`. It never counts as the second signal, because the kernel and
    /// the shell each send one.
    pub(crate) fn end_on_signal(
        end: impl FnOnce() + Send + 'static,
        at_once: impl Fn() + Send + 'static,
        reload: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        let ends_on_hangup = !is_hangup_ignored() && is_at_terminal();
        // The history reports a file that may not grow further; SIGXFSZ is watched so that it does
        // not end the process.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGXFSZ])?;
        thread::spawn(move || {
            let mut end = Some(end);
            for signal in signals.forever() {
                match signal {
                    SIGINT | SIGTERM | SIGQUIT if end.is_none() => {
                        at_once();
                        std::process::exit(ENDED_AT_ONCE);
                    }
                    SIGINT | SIGTERM | SIGQUIT => end.take().into_iter().for_each(|end| end()),
                    SIGHUP if ends_on_hangup => end.take().into_iter().for_each(|end| end()),
                    SIGHUP => reload(),
                    SIGUSR1 | SIGUSR2 => info!("SIGUSR1 and SIGUSR2 mean nothing to this server; it continues"),
                    _ => {}
                }
            }
        });
        Ok(())
    }

    fn is_at_terminal() -> bool {
        io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    /// Nothing is watched: the system ends the process its own way, without a goodbye to those who
    /// are connected.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    pub(crate) fn end_on_signal(
        _: impl FnOnce() + Send + 'static,
        _: impl Fn() + Send + 'static,
        _: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        Ok(())
    }
}
