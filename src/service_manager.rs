//! Interface to a service manager (systemd): inherited sockets, readiness, watchdog. Without one,
//! nothing.

#[cfg(unix)]
pub(crate) use unix::{inherited_listeners, notify_stopping, report};

#[cfg(not(unix))]
pub(crate) use elsewhere::{inherited_listeners, notify_stopping, report};

#[cfg(unix)]
mod unix {
    use std::env;
    use std::net::TcpListener;
    use std::slice;
    use std::sync::mpsc::sync_channel;
    use std::thread;
    use std::time::Duration;

    use anyhow::Context;
    use glassline_server::{ANSWER_TIMEOUT, Shutdown, Watch};
    use listenfd::ListenFd;
    use sd_notify::NotifyState;
    use tracing::warn;

    /// Longest wait for the service manager at the end.
    const NOTIFY_TIMEOUT: Duration = Duration::from_secs(1);

    /// The sockets that were handed over, if any. To be called before there is a second thread: it
    /// takes them out of the environment. Errors: one is no listener of TCP.
    pub(crate) fn inherited_listeners() -> anyhow::Result<Vec<TcpListener>> {
        let mut handed_over = ListenFd::from_env();
        let taken = (0..handed_over.len()).filter_map(|index| handed_over.take_tcp_listener(index).transpose());
        taken
            .collect::<Result<_, _>>()
            .context("cannot listen on what was handed over; write ListenStream=ADDRESS:PORT in the socket's unit")
    }

    /// Starts a thread that reports readiness after the first turn of the loop, and then, if a
    /// watchdog asks for it, that the loop is alive.
    pub(crate) fn report(watch: Watch, shutdown: Shutdown) {
        if env::var_os("NOTIFY_SOCKET").is_none() {
            return;
        }
        thread::spawn(move || {
            // A long history may take a while to open.
            while !watch.is_alive(&shutdown, ANSWER_TIMEOUT) {}
            notify(&NotifyState::Ready);
            if let Some(timeout) = sd_notify::watchdog_enabled().filter(|timeout| !timeout.is_zero()) {
                feed_watchdog(&watch, &shutdown, timeout);
            }
        });
    }

    fn feed_watchdog(watch: &Watch, shutdown: &Shutdown, timeout: Duration) {
        // Twice in the watchdog's interval, with time for the loop to answer.
        let (pause, patience) = (timeout / 3, ANSWER_TIMEOUT.min(timeout / 6));
        loop {
            if watch.is_alive(shutdown, patience) {
                notify(&NotifyState::Watchdog);
            } else {
                warn!("the loop does not answer; the watchdog is not notified");
            }
            thread::sleep(pause);
        }
    }

    /// Reports the beginning of the shutdown, and waits for a bounded time: a manager that does not
    /// read must not delay the stop.
    pub(crate) fn notify_stopping() {
        let (done, finished) = sync_channel(1);
        thread::spawn(move || {
            notify(&NotifyState::Stopping);
            // The thread may outlive the wait.
            let _ = done.try_send(());
        });
        if finished.recv_timeout(NOTIFY_TIMEOUT).is_err() {
            warn!("the service manager does not read what it is told; going on");
        }
    }

    fn notify(state: &NotifyState<'_>) {
        if let Err(error) = sd_notify::notify(slice::from_ref(state)) {
            warn!(%error, "cannot tell the service manager; look where NOTIFY_SOCKET points");
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::net::TcpListener;

    use glassline_server::{Shutdown, Watch};

    /// Nothing is handed over.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    pub(crate) fn inherited_listeners() -> anyhow::Result<Vec<TcpListener>> {
        Ok(Vec::new())
    }

    /// Does nothing without a service manager.
    pub(crate) fn notify_stopping() {}

    /// Does nothing without a service manager.
    pub(crate) fn report(_: Watch, _: Shutdown) {}
}
