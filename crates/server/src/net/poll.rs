//! The loop: waits for sockets and deadlines, accepts connections, then runs due work. One thread
//! does all of it.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use glassline_hub::Now;
use glassline_journal::Store;
use glassline_wire::layer::{LayerFactory, LayerStack};
use glassline_wire::timestamp::Timestamp;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use tracing::warn;

use crate::Config;
use crate::close_reason::CloseReason;
use crate::history::History;
use crate::net::listener::{Accepted, Listener};
use crate::net::reactor::Reactor;
use crate::net::socket::TcpSocket;
use crate::net::transport::{Readiness, Transport};
use crate::shutdown::Shutdown;

const WAKER: Token = Token(usize::MAX);
/// Listeners have the tokens just below the waker's; connections have those from 0 on.
const FIRST_LISTENER: usize = usize::MAX / 2;
/// Connections accepted in one turn of the loop, so that a rush of arrivals does not keep members
/// waiting.
const ACCEPTS_PER_TURN: usize = 64;

/// Serves until `shutdown` is requested. With a store, a message is stored before it is sent to
/// anybody.
///
/// # Errors
/// The operating system gives no event queue, or takes a listener away; or the store cannot be read
/// at the start or written later.
pub fn run(
    listeners: Vec<StdListener>,
    config: Config,
    store: Option<Box<dyn Store>>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut poller = Poller::new(listeners, config, store.is_some())?;
    let waker = Arc::new(Waker::new(poller.poll.registry(), WAKER)?);
    shutdown.wake_with(Arc::clone(&waker));
    if let Some(store) = store {
        // If waking fails, the loop processes the results with its next event.
        let wake = move || drop(waker.wake());
        poller.reactor.start_history(|hub| History::start(store, hub, wake)).map_err(io::Error::other)?;
    }
    while !shutdown.is_requested() {
        if let Err(error) = poller.turn() {
            let closed = poller.close_down("the server stops, because something failed; come back later", true);
            return closed.and(Err(error));
        }
    }
    poller.close_down("the server is closing down; goodbye", false)
}

/// The reactor with its sockets and its clock.
struct Poller {
    poll: Poll,
    /// Shared with each connection's socket, which deregisters itself.
    registry: Rc<Registry>,
    events: Events,
    listeners: Vec<Listening>,
    layers: Option<Arc<dyn LayerFactory>>,
    clock: Clock,
    reactor: Reactor<TcpSocket>,
}

struct Listening {
    listener: Listener,
    /// There may be a connection to accept.
    pending: bool,
    not_before_ms: u64,
}

impl Poller {
    fn new(listeners: Vec<StdListener>, config: Config, durable: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let limits = &config.limits;
        let mut listening = Vec::new();
        for (index, listener) in listeners.into_iter().enumerate() {
            let mut listener = Listener::new(listener, limits.accept_backoff_min_ms, limits.accept_backoff_max_ms)?;
            poll.registry().register(&mut listener.socket, Token(FIRST_LISTENER + index), Interest::READABLE)?;
            listening.push(Listening { listener, pending: true, not_before_ms: 0 });
        }
        let clock = Clock::start();
        Ok(Self {
            registry: Rc::new(poll.registry().try_clone()?),
            poll,
            events: Events::with_capacity(1_024),
            listeners: listening,
            layers: config.layers.clone(),
            reactor: Reactor::new(config, durable, clock.now()),
            clock,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        let accept_due = self.listeners.iter().filter(|l| l.pending).map(|l| l.not_before_ms).min();
        self.wait(self.reactor.wait_ms(accept_due))?;
        self.accept_turn();
        self.reactor.turn()
    }

    fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout_ms.map(Duration::from_millis)) {
            // A pause of the process ends the wait without an event; what is due is due all the
            // same.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            polled => polled?,
        }
        self.reactor.set_now(self.clock.now());
        for event in &self.events {
            let Token(index) = event.token();
            if event.token() == WAKER {
                continue;
            }
            if index >= FIRST_LISTENER {
                if let Some(listening) = self.listeners.get_mut(index - FIRST_LISTENER) {
                    listening.pending = true;
                }
                continue;
            }
            let ready = Readiness {
                readable: event.is_readable(),
                read_closed: event.is_read_closed() || event.is_error(),
                writable: event.is_writable(),
            };
            self.reactor.note_ready(index, ready);
        }
        Ok(())
    }

    fn accept_turn(&mut self) {
        let now_ms = self.reactor.now_ms();
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                let listening = &mut self.listeners[index];
                if !listening.pending || listening.not_before_ms > now_ms {
                    break;
                }
                match listening.listener.accept() {
                    Accepted::Peer(stream, peer) => self.admit(stream, peer),
                    Accepted::Nobody => listening.pending = false,
                    Accepted::Exhausted { retry_after_ms, error } => {
                        listening.not_before_ms = now_ms + retry_after_ms;
                        self.reactor.note_accept_failed();
                        warn!(%error, retry_after_ms, "cannot accept; raise the descriptor limit (ulimit -n) if this persists");
                    }
                }
            }
        }
    }

    fn admit(&mut self, stream: mio::net::TcpStream, peer: SocketAddr) {
        let dead_after = Duration::from_millis(self.reactor.limits().dead_after_ms);
        let layers = self.layers.as_ref().map_or_else(LayerStack::default, |factory| factory.layers());
        let open = || Transport::new(TcpSocket::new(stream, dead_after), layers);
        let Some(key) = self.reactor.admit(peer, open) else { return };
        let Some(socket) = self.reactor.socket_mut(key) else { return };
        if let Err(error) = socket.register(&self.registry, Token(key.index())) {
            warn!(%peer, %error, "cannot watch a connection");
            self.reactor.close(key, CloseReason::NotWatched);
        }
    }

    /// Sends goodbyes, writes queued output, and closes, all within the time limit.
    fn close_down(mut self, goodbye: &str, has_history_failed: bool) -> io::Result<()> {
        for mut listening in std::mem::take(&mut self.listeners) {
            let _ = self.registry.deregister(&mut listening.listener.socket);
        }
        self.reactor.begin_closing(has_history_failed);
        let started_ms = self.reactor.now_ms();
        let limits = self.reactor.limits();
        let (limit_ms, farewell_ms) = (limits.shutdown_timeout_ms, limits.farewell_timeout_ms);
        while let Some(wait_ms) = self.reactor.settle_turn(self.left_ms(started_ms + limit_ms / 2))? {
            self.wait(Some(wait_ms))?;
        }
        let unsaid = self.reactor.say_goodbye(goodbye);
        // Nothing more is read, so readable sockets do not shorten the wait.
        while let Some(wait_ms) = self.reactor.goodbye_turn(self.left_ms(started_ms + limit_ms - farewell_ms)) {
            self.wait(Some(wait_ms))?;
        }
        self.reactor.drain_all(unsaid);
        let close_at_ms = self.reactor.now_ms() + farewell_ms;
        while let Some(wait_ms) = self.reactor.drain_turn(self.left_ms(close_at_ms)) {
            self.wait(Some(wait_ms))?;
        }
        self.reactor.finish()
    }

    fn left_ms(&self, until_ms: u64) -> u64 {
        until_ms.saturating_sub(self.reactor.now_ms())
    }
}

/// The two clocks, read once for each turn of the loop.
#[derive(Debug)]
struct Clock {
    started: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now() }
    }

    fn now(&self) -> Now {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic_ms: self.started.elapsed().as_millis() as u64,
            at: Timestamp::from_unix_ms(since_epoch.as_millis() as u64),
        }
    }
}
