//! Signals, on systems that have them.

#[cfg(unix)]
pub(crate) use unix::end_on_signal;

#[cfg(not(unix))]
pub(crate) use elsewhere::end_on_signal;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::thread;

    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    /// Exit code where a second signal ends the server at once: 128 and the number of SIGINT, as a shell reports it.
    const ENDED_AT_ONCE: i32 = 130;

    /// The first SIGINT or SIGTERM has `end` ask for an end in order, the second one ends the process.
    pub(crate) fn end_on_signal(end: impl FnOnce() + Send + 'static) -> io::Result<()> {
        // A file that may not grow further is the history's to tell, which gets an error as well.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGXFSZ])?;
        thread::spawn(move || {
            let mut arriving = signals.forever().filter(|signal| *signal != SIGXFSZ);
            if arriving.next().is_some() {
                end();
            }
            if arriving.next().is_some() {
                std::process::exit(ENDED_AT_ONCE);
            }
        });
        Ok(())
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    /// Nothing is watched: the system ends the process its own way, without a goodbye to those who are connected.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    pub(crate) fn end_on_signal(_: impl FnOnce() + Send + 'static) -> io::Result<()> {
        Ok(())
    }
}
