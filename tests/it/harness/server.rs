//! A server in a thread of the test.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use glassline_journal::{Keep, Store, StoreError};
use glassline_server::{Config, Limits, Shutdown, Watch, listen, run, serve_http};

use super::{PATIENCE, assert_clean_log};

/// Opens a history that a server of this process may have had before: a process that another test
/// starts holds a copy of its lock until it runs its own program.
#[track_caller]
pub(crate) fn reopened(open: impl Fn() -> Result<Box<dyn Store>, StoreError>) -> Box<dyn Store> {
    let until = Instant::now() + PATIENCE;
    loop {
        match open() {
            Err(StoreError::Locked(_)) if Instant::now() < until => thread::yield_now(),
            opened => return opened.expect("a history"),
        }
    }
}

/// Log of a server.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ended and joined when it goes; a panic in its thread, or a log line with an escape in it, fails the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shutdown: Shutdown,
    watch: Watch,
    thread: Option<JoinHandle<io::Result<()>>>,
    log: Log,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::with(Config { limits, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::over(config, None)
    }

    /// One that keeps its history in `folder`.
    #[track_caller]
    pub(crate) fn keeping(folder: &Path, config: Config) -> Self {
        let store = reopened(|| glassline_journal::open(&folder.join("history.db"), Keep::default()));
        Self::over(config, Some(store))
    }

    /// One over this store.
    pub(crate) fn over(config: Config, store: Option<Box<dyn Store>>) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, log) = (Shutdown::new(), Log::default());
        let (for_server, written, watch) = (shutdown.clone(), log.clone(), config.watch.clone());
        let thread = thread::spawn(move || {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::DEBUG)
                .with_ansi(false)
                .with_writer(move || written.clone())
                .finish();
            tracing::subscriber::with_default(subscriber, || run(vec![listener], config, store, &for_server))
        });
        Self { address, shutdown, watch, thread: Some(thread), log }
    }

    /// Returns the address of its metrics.
    pub(crate) fn metrics(&self) -> SocketAddr {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        serve_http(&listener, &self.watch, &self.shutdown).expect("threads");
        listener.local_addr().expect("an address")
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).expect("the log is UTF-8")
    }

    /// Ends it and waits until it has ended.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.end();
    }

    #[track_caller]
    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shutdown.request();
        let ended = thread.join();
        if !thread::panicking() {
            ended.expect("the server does not panic").expect("the server ends in order");
            assert_clean_log(&self.log());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
