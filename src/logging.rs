//! The log on stderr: one writer thread behind a bounded queue, so that a stuck terminal never
//! stops the server.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::args::LogFormat;

/// Lines that may wait; past it new ones are dropped and counted.
const LINES_MAX: usize = 4_096;
/// Longest wait at the end of the program for the log to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

static LOG: OnceLock<StderrLog> = OnceLock::new();

#[derive(Clone)]
struct StderrLog {
    lines: SyncSender<Vec<u8>>,
    pending: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Write for StderrLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.pending.fetch_add(1, Ordering::SeqCst);
        if self.lines.try_send(line.to_vec()).is_err() {
            self.pending.fetch_sub(1, Ordering::SeqCst);
            self.dropped.fetch_add(1, Ordering::SeqCst);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for StderrLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

pub(crate) fn start(format: LogFormat) -> JoinHandle<()> {
    let (lines, queue) = sync_channel(LINES_MAX);
    let log = StderrLog { lines, pending: Arc::default(), dropped: Arc::default() };
    let (pending, dropped) = (Arc::clone(&log.pending), Arc::clone(&log.dropped));
    let writer = thread::spawn(move || write_lines(&queue, &pending, &dropped));
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_target(false);
    let level =
        if std::env::var_os("GLASSLINE_DEBUG").is_some() { tracing::Level::DEBUG } else { tracing::Level::INFO };
    // Starting twice would keep the first, which writes to the same place.
    let _ = match format {
        LogFormat::Human => subscriber.with_max_level(level).with_ansi(false).try_init(),
        LogFormat::Json => subscriber.with_max_level(level).json().try_init(),
    };
    let _ = LOG.set(log);
    writer
}

fn write_lines(queue: &Receiver<Vec<u8>>, pending: &AtomicU64, dropped: &AtomicU64) {
    for line in queue {
        let mut stderr = io::stderr().lock();
        // Without a reader of the log there is no place to report it.
        let _ = stderr.write_all(&line);
        let lost = dropped.swap(0, Ordering::SeqCst);
        if lost > 0 {
            let _ = writeln!(stderr, "{lost} log lines were dropped: stderr is too slow");
        }
        pending.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until what was logged is written, for a moment at most.
pub(crate) fn flush() {
    let Some(log) = LOG.get() else { return };
    let until = Instant::now() + FLUSH_TIMEOUT;
    while log.pending.load(Ordering::SeqCst) > 0 && Instant::now() < until {
        thread::yield_now();
    }
}
