//! A client in its own pseudo-terminal, with a screen observer and a typist.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::thread::{Pid, gettid};

use super::watch::Watch;
use crate::pinning::{MEASURED_CORE, pin_thread};
use crate::process;

const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();
/// The kernel hands over no more than 4 KiB at a time.
const READ_BYTES: usize = 16 * 1024;

pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    watched: Arc<Watched>,
    pub started: Instant,
    /// The terminal lives as long as this.
    _master: Box<dyn MasterPty + Send>,
}

struct Watched {
    watch: Mutex<Watch>,
    changed: Condvar,
    /// Number of different messages shown, for threads that must not wait for the watch.
    shown: Arc<AtomicUsize>,
    reader: OnceLock<Pid>,
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut output: Box<dyn Read + Send>) {
        self.reader.get_or_init(gettid);
        let mut buffer = vec![0; READ_BYTES];
        // Ends with the terminal.
        while let Ok(bytes @ 1..) = output.read(&mut buffer) {
            let now = Instant::now();
            let mut watch = self.lock();
            watch.take(&buffer[..bytes], now);
            self.shown.store(watch.tally.shown, Ordering::Relaxed);
            drop(watch);
            self.changed.notify_all();
        }
        self.lock().is_over = true;
        self.changed.notify_all();
    }
}

impl Terminal {
    /// Starts a client on the core of the measured process.
    pub fn start(command: CommandBuilder, redraw_mark: &'static [u8]) -> Result<Self> {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let output = pair.master.try_clone_reader()?;
        let keyboard = pair.master.take_writer()?;
        let watched = Arc::new(Watched {
            watch: Mutex::new(Watch::new(ROWS, COLUMNS, redraw_mark)),
            changed: Condvar::new(),
            shown: Arc::default(),
            reader: OnceLock::new(),
        });
        let reader = Arc::clone(&watched);
        thread::Builder::new().name("watch".to_owned()).spawn(move || reader.read(output))?;
        let (child, started) = spawn_measured(pair.slave, command)?;
        Ok(Self { child, keyboard, watched, started, _master: pair.master })
    }

    /// CPU time so far, in nanoseconds: of the client, and of the emulator with the counting.
    pub fn cpu_ns(&self) -> Result<(u64, u64)> {
        let client = self.child.process_id().context("the client has no process id")?;
        let reader = self.watched.reader.get().context("nobody reads the terminal")?;
        Ok((process::cpu_ns(client)?, process::thread_cpu_ns(*reader)?))
    }

    /// Returns the number of different messages shown so far.
    pub fn shown(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.watched.shown)
    }

    /// Looks at the screen; nothing more is read during this.
    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watched.lock()
    }

    /// Waits until something is seen.
    pub fn wait(&self, what: &str, limit: Duration, seen: impl Fn(&Watch) -> bool) -> Result<()> {
        let until = Instant::now() + limit;
        let mut watch = self.watched.lock();
        while !seen(&watch) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || watch.is_over {
                let how = if watch.is_over { "the client ended before" } else { "waited in vain for" };
                bail!("{how} {what}; the screen is: {}", watch.screen());
            }
            watch = self.watched.changed.wait_timeout(watch, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Presses the typist's next key, if there is one.
    pub fn press_a_key(&mut self) -> Result<()> {
        // The clock starts before the key is written, and the watch is free again by then.
        let key = self.watched.lock().typing.press(Instant::now());
        if let Some(key) = key {
            self.press(key)?;
        }
        Ok(())
    }

    /// Presses a key that the typist knows nothing of.
    pub fn press(&mut self, key: &str) -> Result<()> {
        self.keyboard.write_all(key.as_bytes())?;
        Ok(self.keyboard.flush()?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only when the child has ended already. It is asked to end first, and made to if it does not.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process stays on the core that the thread which started it was on; this thread is there for nothing else.
fn spawn_measured(
    slave: Box<dyn SlavePty + Send>,
    command: CommandBuilder,
) -> Result<(Box<dyn Child + Send + Sync>, Instant)> {
    let spawning = thread::spawn(move || {
        pin_thread(MEASURED_CORE)?;
        let started = Instant::now();
        Ok((slave.spawn_command(command)?, started))
    });
    spawning.join().map_err(|_| anyhow!("the thread that starts clients has panicked"))?
}
