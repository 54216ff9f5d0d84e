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

/// The places of clients: the checker has the last one.
const EVENTS_MAX: usize = 64;

/// After the server was killed, what it sent is still on its way through the kernel; then the connection ends.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The clients, which live as long as the run.
#[derive(Debug)]
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    /// Everybody but the checker.
    slots: Vec<Slot>,
    checker: Option<Slot>,
}

/// A client and its connection, if it has one.
#[derive(Debug)]
struct Slot {
    peer: Box<dyn Peer>,
    connection: Option<Connection>,
    token: Token,
}

impl Slot {
    fn new(peer: impl Peer + 'static, place: usize) -> Self {
        Self { peer: Box::new(peer), connection: None, token: Token(place) }
    }

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

    fn ended(&self) -> Option<Fault> {
        let detail = self.connection.as_ref()?.ended()?.to_owned();
        Some(Fault::Closed { by: self.peer.name().to_owned(), detail })
    }

    fn overdue(&self, limit: Duration) -> Option<Fault> {
        self.connection.as_ref()?;
        let (what, since) = self.peer.waits_for()?;
        (since.elapsed() > limit).then(|| Fault::hang(self.peer.name(), what, limit))
    }
}

impl Clients {
    /// Everybody, not connected yet.
    pub(crate) fn new(ledger: &Ledger, rng: &Rng) -> io::Result<Self> {
        let mut slots: Vec<Slot> = Vec::new();
        for author in 0..TUTORIAL_AUTHOR {
            slots.push(Slot::new(Sender::new(author, ledger, rng.labelled(author as u64)), slots.len()));
        }
        for (room, name) in ROOMS.iter().enumerate() {
            slots.push(Slot::new(Receiver::staying(&format!("listener-{name}"), room), slots.len()));
        }
        let returner = Receiver::reconnecting("returner", rng.labelled(TUTORIAL_AUTHOR as u64));
        slots.push(Slot::new(returner, slots.len()));
        slots.push(Slot::new(TutorialClient::new(ledger), slots.len()));
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(EVENTS_MAX), slots, checker: None })
    }

    /// Sets the number of messages that each may send in the next run of the server.
    pub(crate) fn prepare(&mut self, budget: u32) {
        for slot in &mut self.slots {
            slot.peer.prepare(budget);
        }
    }

    pub(crate) fn check(&mut self, checker: Checker, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let mut slot = Slot::new(checker, self.slots.len());
        slot.connect(address, &self.poll, ledger)?;
        self.checker = Some(slot);
        Ok(())
    }

    /// Returns whether no check is under way.
    pub(crate) fn is_checked(&self) -> bool {
        self.checker.as_ref().is_none_or(|slot| slot.peer.is_done())
    }

    /// Connects everybody who is not; the checker apart.
    pub(crate) fn connect(&mut self, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let mut absent = self.slots.iter_mut().filter(|slot| slot.connection.is_none());
        absent.try_for_each(|slot| slot.connect(address, &self.poll, ledger))
    }

    /// Waits for at most `limit`, receives, then sends what is due.
    pub(crate) fn turn(
        &mut self,
        limit: Duration,
        patience: Duration,
        puts_load: bool,
        address: SocketAddr,
        ledger: &mut Ledger,
    ) -> Result<(), Fault> {
        wait(&mut self.poll, &mut self.events, limit)?;
        if self.is_checked() {
            self.checker = None;
        }
        for slot in self.slots.iter_mut().chain(&mut self.checker) {
            slot.read(ledger)?;
            if let Some(fault) = slot.ended().or_else(|| slot.overdue(patience)) {
                return Err(fault);
            }
            if puts_load {
                slot.work(ledger);
            }
            if let Some(connection) = &mut slot.connection {
                connection.flush();
                if slot.peer.wants_to_reconnect() {
                    slot.connection = None;
                    slot.connect(address, &self.poll, ledger)?;
                }
            }
        }
        Ok(())
    }

    /// The server is dead: takes what it had sent, until every connection has ended.
    pub(crate) fn drain(&mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        let until = Instant::now() + DRAIN_LIMIT;
        loop {
            let mut is_open = false;
            for slot in self.slots.iter_mut().chain(&mut self.checker) {
                slot.read(ledger)?;
                if slot.ended().is_some() {
                    slot.connection = None;
                }
                is_open |= slot.connection.is_some();
            }
            if !is_open {
                self.checker = None;
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Fault::hang("somebody", "the end of a connection to a killed server", DRAIN_LIMIT));
            }
            wait(&mut self.poll, &mut self.events, Duration::from_millis(100))?;
        }
    }

    /// Returns whether nothing is in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.slots.iter().all(|slot| slot.peer.is_done()) && self.is_checked()
    }

    /// Returns whether everybody has all that was read back.
    pub(crate) fn has_all(&self, ledger: &Ledger) -> bool {
        self.slots.iter().all(|slot| slot.connection.is_some() && slot.peer.has_all(ledger))
    }
}

fn wait(poll: &mut Poll, events: &mut Events, limit: Duration) -> Result<(), Fault> {
    // Every turn looks at every connection: which of them woke it need not be known.
    match poll.poll(events, Some(limit)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error.into()),
        _ => Ok(()),
    }
}
