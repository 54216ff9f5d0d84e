//! The process of a hook, and the threads that write to it and read from it. All queues are
//! bounded, and nothing here waits for the process in the loop of the relay.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use glassline_wire::visible;

use crate::frame::FrameId;
use crate::hook::answer;
use crate::line::Decision;

/// Questions that wait to be written. With the frames as hexadecimal digits, 16 MiB at most.
const QUESTIONS_MAX: usize = 32;
/// Longest line that is read: an answer with a frame of the greatest length, and room.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Bytes of stderr that are kept to explain the end.
const STDERR_TAIL_BYTES_MAX: usize = 500;
/// Time that a process has to end after its stdin has ended.
const END_WAIT: Duration = Duration::from_millis(500);

/// Message of a process.
#[derive(Debug)]
pub enum Said {
    /// An answer.
    Answer(FrameId, Decision),
    /// A line that is no answer, and why.
    Malformed(String),
    /// Nothing more: it has ended, or has closed its stdout.
    End,
}

/// Pause between two looks whether a process whose stdout has ended has ended too.
const END_POLL: Duration = Duration::from_millis(5);

/// A running process. It is ended with this value, which takes [`END_WAIT`] if it does not end by
/// itself.
#[derive(Debug)]
pub(crate) struct Program {
    child: Arc<Mutex<Child>>,
    /// Absent after the end.
    questions: Option<SyncSender<String>>,
    stderr_tail: Arc<Mutex<String>>,
    /// Disconnected when the reader has ended.
    reader_ended: Receiver<()>,
}

impl Program {
    /// Starts a process. `said` is called by a thread of its own and may wait; it returns whether
    /// anybody listens still.
    pub(crate) fn start(command: &[String], said: impl Fn(Said) -> bool + Send + 'static) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for the tap, which ends the whole group.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let (questions, waiting) = sync_channel(QUESTIONS_MAX);
        let (ended, reader_ended) = sync_channel(0);
        let stderr_tail = Arc::default();
        let child = Arc::new(Mutex::new(child));
        let started = Self {
            child: Arc::clone(&child),
            questions: Some(questions),
            stderr_tail: Arc::clone(&stderr_tail),
            reader_ended,
        };
        let thread = || thread::Builder::new().name("hook".to_owned());
        thread().spawn(move || write(stdin, &waiting))?;
        let (words_ended, are_words_complete) = sync_channel::<()>(0);
        thread().spawn(move || {
            keep_stderr_tail(stderr, &stderr_tail);
            drop(words_ended);
        })?;
        thread().spawn(move || {
            read(stdout, &said);
            await_end(&child);
            // Nothing is sent: the channel is disconnected when the last words are known.
            let _ = are_words_complete.recv_timeout(END_WAIT);
            said(Said::End);
            drop(ended);
        })?;
        Ok(started)
    }

    /// Gives it a line, unless too many wait.
    pub(crate) fn ask(&self, question: String) -> bool {
        self.questions.as_ref().is_some_and(|questions| questions.try_send(question).is_ok())
    }

    /// Returns how it ended, for its user.
    pub(crate) fn ending(&self) -> String {
        let status = match lock(&self.child).try_wait() {
            Ok(Some(status)) => format!("it has ended ({status})"),
            _ => "it has closed its output".to_owned(),
        };
        let words = lock(&self.stderr_tail);
        if words.trim().is_empty() { status } else { format!("{status}: {}", visible::one_line(words.trim())) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.questions = None;
        // A process that reads its stdin to the end does so now.
        let has_ended = self.reader_ended.recv_timeout(END_WAIT) != Err(RecvTimeoutError::Timeout);
        let mut child = lock(&self.child);
        if !has_ended {
            #[cfg(unix)]
            if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
        }
        // It may have closed its stdout only.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(mut stdin: ChildStdin, questions: &Receiver<String>) {
    for question in questions {
        if stdin.write_all(question.as_bytes()).and_then(|()| stdin.write_all(b"\n")).is_err() {
            // Its stdout says that it has ended.
            return;
        }
    }
}

fn read(stdout: ChildStdout, said: &impl Fn(Said) -> bool) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stdout.by_ref().take(ANSWER_BYTES_MAX).read_until(b'\n', &mut line);
        if !read.is_ok_and(|length| length > 0) {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let what = match answer::parse(&line) {
            Ok((frame, decision)) => Said::Answer(frame, decision),
            Err(error) => Said::Malformed(visible::one_line(&error.to_string()).into_owned()),
        };
        if !said(what) {
            return;
        }
    }
}

/// Waits a moment for the end of a process whose stdout has ended, so that its status is known.
fn await_end(child: &Mutex<Child>) {
    let looks = END_WAIT.as_millis() / END_POLL.as_millis();
    for _ in 0..looks {
        if !matches!(lock(child).try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(END_POLL);
    }
}

fn keep_stderr_tail(mut stderr: ChildStderr, words: &Mutex<String>) {
    let mut chunk = [0; 4 * 1024];
    let mut tail = Vec::new();
    while let Ok(length @ 1..) = stderr.read(&mut chunk) {
        tail.extend_from_slice(&chunk[..length]);
        tail.drain(..tail.len().saturating_sub(STDERR_TAIL_BYTES_MAX));
        *lock(words) = String::from_utf8_lossy(&tail).into_owned();
    }
}
