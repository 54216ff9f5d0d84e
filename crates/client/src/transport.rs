//! The connection of a session, owned by the deciding thread.
//!
//! Received bytes pass the layers to the session, and what the session sends passes them to the
//! socket, all on that thread. One thread connects, then one reads and one writes, each with a
//! deadline or an end: they only move bytes. Without layers (plain TCP) bytes are handed over as
//! they are.

mod connect;
mod layered;

use std::io::{self, ErrorKind, Read, Write};
use std::mem::replace;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use connect::{connect_to_any, describe};
use glassline_session::Input;
use layered::Layered;

use crate::inbox::{DriverEvent, Inbox, LinkEvent, StreamEvent};
use crate::link::{HandshakeFailure, Link, LinkFailure, OpenedLink};
use crate::system::enable_keepalive;

/// A server that takes no byte for this long is gone (L, "no progress").
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time within which a server begins to answer a handshake that the user relies on.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;
/// Time for which bytes in quick succession are gathered where a person reads: nothing of them is
/// drawn sooner, and two threads need not wake for each.
const GATHER: Duration = Duration::from_millis(4);
/// Bytes of a read that are passed on at once.
const GATHERED_BYTES: usize = 4 * 1024;
/// Steps of the writer that may wait: there are never more than two writes and a close under way.
const WRITER_STEPS_MAX: usize = 4;
/// Cause of an ordinary end.
const CLOSED_BY_PEER: &str = "it closed the connection";

#[derive(Debug)]
enum WriterStep {
    Write(Vec<u8>),
    HalfClose,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    steps: SyncSender<WriterStep>,
    /// Layers between the socket and the session; none on plain TCP.
    layered: Option<Layered>,
}

impl Connection {
    /// Queues a step of the writer; returns `false` if the connection can no longer take it: it
    /// reports its end itself.
    fn queue(&self, step: WriterStep) -> bool {
        self.steps.try_send(step).is_ok()
    }

    /// Writes the layers' output, once the write before it is done.
    fn flush(&mut self) {
        while let Some(step) = self.layered.as_mut().and_then(Layered::next_step) {
            if !self.queue(step) {
                return;
            }
        }
    }
}

/// Facts about the link for its user.
#[derive(Debug)]
pub(crate) enum LinkReport {
    /// It has come up, for the first time or with another key than before.
    Opened(OpenedLink),
    /// A handshake has failed, the first one since a connection came up, and the session tries
    /// again: text.
    HeldUp(String),
}

/// Makes connections, one at a time.
#[derive(Debug)]
pub(crate) struct Transport {
    address: String,
    link: Link,
    /// The link as it was reported last; `None` before a connection has come up.
    reported: Option<OpenedLink>,
    /// A failed handshake was reported since a connection came up.
    is_held_up: bool,
    inbox: Inbox,
    /// `true` if bytes in quick succession may wait a moment for those that come next.
    gathers: bool,
    generation: u64,
    connection: Option<Connection>,
}

impl Transport {
    pub(crate) fn new(address: String, link: Link, inbox: Inbox, gathers: bool) -> Self {
        Self { address, link, reported: None, is_held_up: false, inbox, gathers, generation: 0, connection: None }
    }

    /// Processes an event of the connection and passes to `handle` what the session gets of it.
    /// Events of an older connection are dropped. Returns what the user has not been told.
    pub(crate) fn take(
        &mut self,
        generation: u64,
        event: LinkEvent,
        mut handle: impl FnMut(Input<'_>),
    ) -> Option<LinkReport> {
        if generation != self.generation {
            return None;
        }
        match event {
            LinkEvent::Connected(stream) => match self.adopt(stream) {
                Ok(true) => {
                    handle(Input::Connected);
                    return self.opened();
                }
                Ok(false) => handle(Input::Reached),
                Err(error) => handle(Input::ConnectFailed(&error.to_string())),
            },
            LinkEvent::ConnectFailed(why) => handle(Input::ConnectFailed(&why)),
            LinkEvent::Stream(event) => return self.take_stream(event, handle),
        }
        None
    }

    fn take_stream(&mut self, event: StreamEvent, mut handle: impl FnMut(Input<'_>)) -> Option<LinkReport> {
        let connection = self.connection.as_mut()?;
        if let Some(layered) = &mut connection.layered {
            let was_connected = layered.is_connected();
            let taken = layered.take(event, &mut handle);
            let is_new = !was_connected && layered.is_connected();
            connection.flush();
            return match taken {
                Ok(()) if is_new => self.opened(),
                Ok(()) => None,
                Err(failure) => self.fail(failure, handle),
            };
        }
        match &event {
            StreamEvent::Bytes(bytes) => handle(Input::Bytes(bytes)),
            StreamEvent::Written => handle(Input::Written),
            StreamEvent::Closed(why) => handle(Input::Closed(why)),
            // There is no handshake to be answered.
            StreamEvent::Silent => {}
        }
        None
    }

    /// Notes that a connection has come up.
    fn opened(&mut self) -> Option<LinkReport> {
        self.is_held_up = false;
        let opened = self.link.opened();
        let key = |link: &OpenedLink| link.server.as_ref().map(|server| server.key);
        if self.reported.as_ref().is_some_and(|reported| key(reported) == key(&opened)) {
            return None;
        }
        self.reported = Some(opened.clone());
        Some(LinkReport::Opened(opened))
    }

    /// Notes that a handshake has failed.
    fn fail(&mut self, failure: HandshakeFailure, mut handle: impl FnMut(Input<'_>)) -> Option<LinkReport> {
        let Link::Secure(link) = &self.link else {
            handle(Input::ConnectFailed(&failure.cause()));
            return None;
        };
        match link.judge(failure, self.reported.is_some()) {
            LinkFailure::Final(text) => {
                handle(Input::LinkRefused(&text));
                None
            }
            LinkFailure::Passing(text) => {
                handle(Input::ConnectFailed(&text));
                (!replace(&mut self.is_held_up, true)).then_some(LinkReport::HeldUp(text))
            }
        }
    }

    /// Begins to connect; the inbox gets the outcome.
    pub(crate) fn connect(&mut self) -> io::Result<()> {
        self.disconnect();
        let reporter = self.reporter();
        let address = self.address.clone();
        thread::Builder::new().name("glassline-connect".to_owned()).spawn(move || {
            reporter.report(match connect_to_any(&address) {
                Ok(stream) => LinkEvent::Connected(stream),
                Err(trouble) => LinkEvent::ConnectFailed(trouble),
            });
        })?;
        Ok(())
    }

    /// Takes over an open connection and starts to read it; returns whether it can be used at
    /// once, before any handshake.
    fn adopt(&mut self, stream: TcpStream) -> io::Result<bool> {
        stream.set_nodelay(true)?;
        enable_keepalive(&stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let (steps, steps_in) = sync_channel(WRITER_STEPS_MAX);
        let (to_read, to_write) = (stream.try_clone()?, stream.try_clone()?);
        let (reader, writer, gathers) = (self.reporter(), self.reporter(), self.gathers);
        let layered = self.link.factory().and_then(|factory| Layered::new(factory.layers()));
        if matches!(self.link, Link::Secure(_)) {
            stream.set_read_timeout(Some(FIRST_ANSWER_TIMEOUT))?;
        }
        let connection = self.connection.insert(Connection { stream, steps, layered });
        connection.flush();
        let is_plain = connection.layered.is_none();
        thread::Builder::new().name("glassline-read".to_owned()).spawn(move || read(to_read, &reader, gathers))?;
        thread::Builder::new().name("glassline-write".to_owned()).spawn(move || write(to_write, &steps_in, &writer))?;
        Ok(is_plain)
    }

    /// Writes after everything before it. A connection that can no longer do so reports its end
    /// itself.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        self.put(WriterStep::Write(bytes));
    }

    /// Closes the sending side after everything before it.
    pub(crate) fn half_close(&mut self) {
        self.put(WriterStep::HalfClose);
    }

    fn put(&mut self, step: WriterStep) {
        let Some(connection) = &mut self.connection else { return };
        match &mut connection.layered {
            Some(layered) => {
                layered.put(step);
                connection.flush();
            }
            None => drop(connection.queue(step)),
        }
    }

    /// Ends the connection and its threads; whatever they still report is of an older generation.
    /// The layers announce the end, unless a write is under way or the socket takes nothing: what
    /// was sent before may then be incomplete, and a cut says so.
    pub(crate) fn disconnect(&mut self) {
        self.generation += 1;
        if let Some(mut connection) = self.connection.take() {
            if let Some(farewell) = connection.layered.as_mut().and_then(Layered::end_now) {
                let stream = &mut connection.stream;
                // The deciding thread writes it, as the writer's own thread is idle and may not run
                // before the process ends. An error means that the other side was faster.
                let _ = stream.set_nonblocking(true).and_then(|()| stream.write(&farewell));
            }
            // An error means that the other side was faster.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    }

    fn reporter(&self) -> Reporter {
        Reporter { generation: self.generation, inbox: self.inbox.clone() }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.disconnect();
    }
}

struct Reporter {
    generation: u64,
    inbox: Inbox,
}

impl Reporter {
    /// Returns `false` when the receiver is gone.
    fn report(&self, event: LinkEvent) -> bool {
        self.inbox.send(DriverEvent::Link { generation: self.generation, event }).is_ok()
    }
}

fn read(mut stream: TcpStream, reporter: &Reporter, gathers: bool) {
    let mut buffer = vec![0; READ_BYTES];
    let mut read_before: Option<Instant> = None;
    let has_deadline = stream.read_timeout().is_ok_and(|timeout| timeout.is_some());
    let why = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break CLOSED_BY_PEER.to_owned(),
            Ok(bytes) => {
                if !reporter.report(LinkEvent::Stream(StreamEvent::Bytes(buffer[..bytes].to_vec()))) {
                    return;
                }
                let is_brisk = read_before.is_some_and(|before| before.elapsed() < GATHER * 2);
                if has_deadline && read_before.is_none() {
                    // An error means that the connection is over, which the next read reports.
                    let _ = stream.set_read_timeout(None);
                }
                if gathers && is_brisk && bytes < GATHERED_BYTES {
                    thread::sleep(GATHER);
                }
                read_before = Some(Instant::now());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if has_deadline && read_before.is_none() && is_timeout(&error) => {
                reporter.report(LinkEvent::Stream(StreamEvent::Silent));
                return;
            }
            Err(error) => break describe(&error),
        }
    };
    reporter.report(LinkEvent::Stream(StreamEvent::Closed(why)));
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn write(mut stream: TcpStream, steps: &Receiver<WriterStep>, reporter: &Reporter) {
    while let Ok(step) = steps.recv() {
        let done = match step {
            WriterStep::Write(bytes) => {
                stream.write_all(&bytes).map(|()| reporter.report(LinkEvent::Stream(StreamEvent::Written)))
            }
            WriterStep::HalfClose => stream.shutdown(Shutdown::Write).map(|()| true),
        };
        match done {
            Ok(true) => {}
            Ok(false) => return,
            // The reader still has the server's bytes from before the close, and reports the end
            // itself.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected
                ) =>
            {
                return;
            }
            Err(error) => {
                reporter.report(LinkEvent::Stream(StreamEvent::Closed(describe(&error))));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
