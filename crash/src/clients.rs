//! All clients and the one loop that drives them.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use glassline_testkit::Rng;
use mio::{Events, Poll, Token};

use crate::checker::Checker;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::peer::Peer;
use crate::receiver::Receiver;
use crate::script::{ROOMS, TUTORIAL_AUTHOR};
use crate::sender::Sender;
use crate::tutorial_client::TutorialClient;

/// The places of clients: the checker has one behind the others.
const EVENTS_MAX: usize = 64;

/// After the server was killed, what it sent is still on its way through the kernel; then the connection ends.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The clients, which live as long as the run.
#[derive(Debug)]
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    senders: Vec<Slot<Sender>>,
    receivers: Vec<Slot<Receiver>>,
    tutorial: Slot<TutorialClient>,
    checker: Option<Slot<Checker>>,
}

/// A client and its connection, if it has one.
#[derive(Debug)]
struct Slot<P> {
    peer: P,
    connection: Option<Connection>,
    token: Token,
}

impl<P: Peer> Slot<P> {
    fn new(peer: P, place: usize) -> Self {
        Self { peer, connection: None, token: Token(place) }
    }
}

/// A seat whose client need not be known.
trait AnySlot {
    fn connect(&mut self, address: SocketAddr, poll: &Poll, ledger: &mut Ledger) -> Result<(), Fault>;
    fn read(&mut self, ledger: &mut Ledger) -> Result<(), Fault>;
    fn work(&mut self, ledger: &mut Ledger);
    fn flush(&mut self);
    fn disconnect(&mut self);
    fn wants_to_reconnect(&mut self) -> bool;
    fn is_connected(&self) -> bool;
    fn ended(&self) -> Option<Fault>;
    fn overdue(&self, limit: Duration) -> Option<Fault>;
    fn has_all(&self, ledger: &Ledger) -> bool;
}

impl<P: Peer> AnySlot for Slot<P> {
    fn connect(&mut self, address: SocketAddr, poll: &Poll, ledger: &mut Ledger) -> Result<(), Fault> {
        let mut connection = Connection::open(address, poll.registry(), self.token)
            .map_err(|error| Fault::Closed { by: self.peer.name().to_owned(), detail: error.to_string() })?;
        self.peer.open(ledger, connection.out());
        connection.flush();
        self.connection = Some(connection);
        Ok(())
    }

    fn read(&mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        loop {
            let more = connection.fill();
            while let Some(payload) = connection.payload(self.peer.name())? {
                self.peer.take(&payload, ledger, connection.out())?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn work(&mut self, ledger: &mut Ledger) {
        if let Some(connection) = &mut self.connection {
            self.peer.work(ledger, connection.out());
        }
    }

    fn flush(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.flush();
        }
    }

    fn disconnect(&mut self) {
        self.connection = None;
    }

    fn wants_to_reconnect(&mut self) -> bool {
        self.connection.is_some() && self.peer.wants_to_reconnect()
    }

    fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    fn ended(&self) -> Option<Fault> {
        let detail = self.connection.as_ref()?.ended()?.to_owned();
        Some(Fault::Closed { by: self.peer.name().to_owned(), detail })
    }

    fn overdue(&self, limit: Duration) -> Option<Fault> {
        self.connection.as_ref()?;
        let (what, since) = self.peer.waits_for()?;
        (since.elapsed() > limit).then(|| Fault::Hang {
            who: self.peer.name().to_owned(),
            what: what.to_owned(),
            limit_s: limit.as_secs(),
        })
    }

    fn has_all(&self, ledger: &Ledger) -> bool {
        self.connection.is_some() && self.peer.has_all(ledger)
    }
}

impl Clients {
    /// Everybody, not connected yet.
    ///
    /// # Errors
    /// The system has nothing to wait with.
    pub(crate) fn new(ledger: &Ledger, rng: &Rng) -> io::Result<Self> {
        let mut place = 0..;
        let mut next = || place.next().unwrap_or_default();
        let senders = (0..TUTORIAL_AUTHOR)
            .map(|author| Sender::new(author, ledger, rng.labelled(author as u64)))
            .collect::<Vec<_>>();
        let stays = ROOMS.iter().enumerate().map(|(room, name)| Receiver::staying(&format!("listener-{name}"), room));
        let returns = Receiver::reconnecting("returner", rng.labelled(TUTORIAL_AUTHOR as u64));
        let receivers = stays.chain([returns]).collect::<Vec<_>>();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            senders: senders.into_iter().map(|peer| Slot::new(peer, next())).collect(),
            receivers: receivers.into_iter().map(|peer| Slot::new(peer, next())).collect(),
            tutorial: Slot::new(TutorialClient::new(ledger), next()),
            checker: None,
        })
    }

    /// Sets the number of messages that each may send in the next run of the server.
    pub(crate) fn prepare(&mut self, sender_budget: u32, tutorial_budget: u32) {
        for slot in &mut self.senders {
            slot.peer.prepare(sender_budget);
        }
        self.tutorial.peer.prepare(tutorial_budget);
    }

    /// Sends a checker.
    ///
    /// # Errors
    /// The server takes no connection.
    pub(crate) fn check(&mut self, checker: Checker, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let place = self.senders.len() + self.receivers.len() + 1;
        let mut slot = Slot::new(checker, place);
        slot.connect(address, &self.poll, ledger)?;
        self.checker = Some(slot);
        Ok(())
    }

    /// Returns whether no check is under way.
    pub(crate) fn is_checked(&self) -> bool {
        self.checker.as_ref().is_none_or(|slot| slot.peer.is_done())
    }

    /// Connects everybody who is not; the checker apart.
    ///
    /// # Errors
    /// The server takes no connection.
    pub(crate) fn connect(&mut self, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let Self { poll, senders, receivers, tutorial, .. } = self;
        for slot in all(senders, receivers, tutorial) {
            if !slot.is_connected() {
                slot.connect(address, poll, ledger)?;
            }
        }
        Ok(())
    }

    /// Waits for at most `limit`, takes what came, says what is to be said.
    ///
    /// # Errors
    /// A broken promise, among them an answer that is overdue by `patience`.
    pub(crate) fn turn(
        &mut self,
        limit: Duration,
        patience: Duration,
        puts_load: bool,
        address: SocketAddr,
        ledger: &mut Ledger,
    ) -> Result<(), Fault> {
        wait(&mut self.poll, &mut self.events, limit)?;
        let Self { poll, senders, receivers, tutorial, checker, .. } = self;
        if checker.as_ref().is_some_and(|slot| slot.peer.is_done()) {
            *checker = None;
        }
        for slot in all(senders, receivers, tutorial).chain(checker.iter_mut().map(|slot| slot as &mut dyn AnySlot)) {
            slot.read(ledger)?;
            if let Some(fault) = slot.ended().or_else(|| slot.overdue(patience)) {
                return Err(fault);
            }
            if puts_load {
                slot.work(ledger);
            }
            slot.flush();
            if slot.wants_to_reconnect() {
                slot.disconnect();
                slot.connect(address, poll, ledger)?;
            }
        }
        Ok(())
    }

    /// The server is dead: takes what it had sent, until every connection has ended.
    ///
    /// # Errors
    /// A broken promise, or a connection that does not end.
    pub(crate) fn drain(&mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        let until = Instant::now() + DRAIN_LIMIT;
        let Self { poll, events, senders, receivers, tutorial, checker } = self;
        loop {
            let mut is_open = false;
            for slot in all(senders, receivers, tutorial).chain(checker.iter_mut().map(|slot| slot as &mut dyn AnySlot))
            {
                slot.read(ledger)?;
                if slot.ended().is_some() {
                    slot.disconnect();
                }
                is_open |= slot.is_connected();
            }
            if !is_open {
                *checker = None;
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Fault::Hang {
                    who: "somebody".to_owned(),
                    what: "the end of a connection to a killed server".to_owned(),
                    limit_s: DRAIN_LIMIT.as_secs(),
                });
            }
            wait(poll, events, Duration::from_millis(100))?;
        }
    }

    /// Returns whether nothing is in flight any more.
    pub(crate) fn is_quiet(&self) -> bool {
        self.senders.iter().all(|slot| slot.peer.is_done())
            && self.tutorial.peer.waits_for().is_none()
            && self.is_checked()
    }

    /// Returns whether everybody has all that was read back.
    pub(crate) fn has_all(&mut self, ledger: &Ledger) -> bool {
        let Self { senders, receivers, tutorial, .. } = self;
        all(senders, receivers, tutorial).all(|slot| slot.has_all(ledger))
    }
}

fn all<'a>(
    senders: &'a mut [Slot<Sender>],
    receivers: &'a mut [Slot<Receiver>],
    tutorial: &'a mut Slot<TutorialClient>,
) -> impl Iterator<Item = &'a mut dyn AnySlot> {
    let senders = senders.iter_mut().map(|slot| slot as &mut dyn AnySlot);
    let receivers = receivers.iter_mut().map(|slot| slot as &mut dyn AnySlot);
    senders.chain(receivers).chain([tutorial as &mut dyn AnySlot])
}

fn wait(poll: &mut Poll, events: &mut Events, limit: Duration) -> Result<(), Fault> {
    // Every turn looks at every connection: which of them woke it need not be known.
    match poll.poll(events, Some(limit)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error.into()),
        _ => Ok(()),
    }
}
