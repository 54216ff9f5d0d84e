//! The connection of a session: one thread connects, then one reads and one writes, each with a deadline or an end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::inbox::{Arrival, Inbox, LinkEvent};
use crate::system::notice_silence;

/// All addresses of a host together get this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One address gets this long, so that a dead first one leaves time for the second.
const CONNECT_ONE_TIMEOUT: Duration = Duration::from_secs(4);
/// A server that takes no byte for this long is gone (L, "no progress").
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;
/// Time for which bytes in quick succession are gathered where a person reads: nothing of them is
/// drawn sooner, and two threads need not wake for each.
const GATHER: Duration = Duration::from_millis(4);
/// A read that brings this much is worth its waking.
const GATHERED_BYTES: usize = 4 * 1024;
/// Orders to the writer that may wait: the session never has more than two writes and a close under way.
const ORDERS_MAX: usize = 4;

#[derive(Debug)]
enum Order {
    Write(Vec<u8>),
    HalfClose,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    orders: SyncSender<Order>,
}

/// Makes connections, one at a time.
#[derive(Debug)]
pub(crate) struct Transport {
    address: String,
    inbox: Inbox,
    /// `true` if bytes in quick succession may wait a moment for those that come next.
    gathers: bool,
    generation: u64,
    connection: Option<Connection>,
}

impl Transport {
    pub(crate) fn new(address: String, inbox: Inbox, gathers: bool) -> Self {
        Self { address, inbox, gathers, generation: 0, connection: None }
    }

    /// Returns whether an event belongs to the connection of now.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        generation == self.generation
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

    /// Takes over a connection that stands and starts to read it.
    pub(crate) fn adopt(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        notice_silence(&stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let (orders, orders_in) = sync_channel(ORDERS_MAX);
        let (to_read, to_write) = (stream.try_clone()?, stream.try_clone()?);
        let (reader, writer, gathers) = (self.reporter(), self.reporter(), self.gathers);
        self.connection = Some(Connection { stream, orders });
        thread::Builder::new().name("glassline-read".to_owned()).spawn(move || read(to_read, &reader, gathers))?;
        thread::Builder::new()
            .name("glassline-write".to_owned())
            .spawn(move || write(to_write, &orders_in, &writer))?;
        Ok(())
    }

    /// Writes behind everything before it; false if the connection is not able to any more (it will be reported closed).
    pub(crate) fn send(&self, bytes: Vec<u8>) -> bool {
        self.order(Order::Write(bytes))
    }

    /// Closes the sending side behind everything before it.
    pub(crate) fn half_close(&self) -> bool {
        self.order(Order::HalfClose)
    }

    /// Ends the connection and its threads; whatever they still report is of an older generation.
    pub(crate) fn disconnect(&mut self) {
        self.generation += 1;
        if let Some(connection) = self.connection.take() {
            // An error means that the other side was faster.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    }

    fn order(&self, order: Order) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.orders.try_send(order).is_ok())
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
    /// False when nobody listens any more.
    fn report(&self, event: LinkEvent) -> bool {
        self.inbox.send(Arrival::Link { generation: self.generation, event }).is_ok()
    }
}

/// Connects, or says what is in the way and what to do.
fn connect_to_any(address: &str) -> Result<TcpStream, String> {
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    let candidates = address.to_socket_addrs().map_err(|error| unknown_host(&error))?;
    let mut last_error = io::Error::new(ErrorKind::NotFound, "the host has no address");
    let mut refusing = None;
    for candidate in candidates {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&candidate, left.min(CONNECT_ONE_TIMEOUT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                if error.kind() == ErrorKind::ConnectionRefused {
                    refusing = Some(candidate);
                }
                last_error = error;
            }
        }
    }
    Err(format!("{}; {}", plain_words(&last_error), advice(&last_error, refusing)))
}

fn unknown_host(error: &io::Error) -> String {
    // The system's words begin with what it tried, which the user has not asked for.
    let words = error.to_string();
    let cause = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words);
    format!(
        "the name of the host cannot be looked up ({cause}); check the name, and that this machine is on the network"
    )
}

/// Advice for an error. `refusing` is an address at which a machine answered that nothing listens.
fn advice(error: &io::Error, refusing: Option<SocketAddr>) -> String {
    match refusing.filter(|_| error.kind() == ErrorKind::ConnectionRefused) {
        Some(address) if is_here(address.ip()) => {
            "start a server with `glassline serve`, or just run `glassline`".to_owned()
        }
        Some(address) => {
            let any = if address.is_ipv6() { "[::]" } else { "0.0.0.0" };
            let port = address.port();
            format!(
                "if a chat runs on that machine, it may be open to that machine only: there, `glassline --listen {any}:{port}` \
                 (or `glassline serve --listen {any}:{port}`) opens it to others; if it runs already, check the address and the port"
            )
        }
        None => "check the address, and that this machine is on the network".to_owned(),
    }
}

/// Returns whether an address is this machine's own for sure, on which a server of any kind of
/// listening would have answered.
fn is_here(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

fn read(mut stream: TcpStream, reporter: &Reporter, gathers: bool) {
    let mut buffer = vec![0; READ_BYTES];
    let mut read_before: Option<Instant> = None;
    let why = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break "it closed the connection".to_owned(),
            Ok(bytes) => {
                if !reporter.report(LinkEvent::Bytes(buffer[..bytes].to_vec())) {
                    return;
                }
                let is_brisk = read_before.is_some_and(|before| before.elapsed() < GATHER * 2);
                if gathers && is_brisk && bytes < GATHERED_BYTES {
                    thread::sleep(GATHER);
                }
                read_before = Some(Instant::now());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break plain_words(&error),
        }
    };
    reporter.report(LinkEvent::Closed(why));
}

fn write(mut stream: TcpStream, orders: &Receiver<Order>, reporter: &Reporter) {
    while let Ok(order) = orders.recv() {
        let done = match order {
            Order::Write(bytes) => stream.write_all(&bytes).map(|()| reporter.report(LinkEvent::Written)),
            Order::HalfClose => stream.shutdown(Shutdown::Write).map(|()| true),
        };
        match done {
            Ok(true) => {}
            Ok(false) => return,
            // The reader still has what the server said before it closed, and reports the end itself.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected
                ) =>
            {
                return;
            }
            Err(error) => {
                reporter.report(LinkEvent::Closed(plain_words(&error)));
                return;
            }
        }
    }
}

/// The system's error in words that need no manual.
fn plain_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer in time".to_owned(),
        ErrorKind::ConnectionReset => "it reset the connection".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
