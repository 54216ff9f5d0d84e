//! All clients and the one loop that drives them.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::checker::Checker;
use crate::draws::Draws;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::peer::Peer;
use crate::receiver::Receiver;
use crate::script::{ROOMS, TUTORIAL_AUTHOR};
use crate::sender::Sender;
use crate::tutor::Tutor;

/// The places of clients: the checker has one behind the others.
const EVENTS_MAX: usize = 64;

/// After the server was killed, what it sent is still on its way through the kernel; then the connection ends.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The clients, which live as long as the run.
#[derive(Debug)]
pub(crate) struct Crew {
    poll: Poll,
    events: Events,
    senders: Vec<Seat<Sender>>,
    receivers: Vec<Seat<Receiver>>,
    tutor: Seat<Tutor>,
    checker: Option<Seat<Checker>>,
}

/// A client and its connection, if it has one.
#[derive(Debug)]
struct Seat<P> {
    peer: P,
    link: Option<Link>,
    token: Token,
}

impl<P: Peer> Seat<P> {
    fn new(peer: P, place: usize) -> Self {
        Self { peer, link: None, token: Token(place) }
    }
}

/// A seat whose client need not be known.
trait AnySeat {
    fn connect(&mut self, address: SocketAddr, poll: &Poll, ledger: &mut Ledger) -> Result<(), Fault>;
    fn read(&mut self, ledger: &mut Ledger) -> Result<(), Fault>;
    fn work(&mut self, ledger: &mut Ledger);
    fn flush(&mut self);
    fn drop_link(&mut self);
    fn wants_to_reconnect(&mut self) -> bool;
    fn has_link(&self) -> bool;
    fn ended(&self) -> Option<Fault>;
    fn overdue(&self, limit: Duration) -> Option<Fault>;
    fn has_all(&self, ledger: &Ledger) -> bool;
}

impl<P: Peer> AnySeat for Seat<P> {
    fn connect(&mut self, address: SocketAddr, poll: &Poll, ledger: &mut Ledger) -> Result<(), Fault> {
        let mut link = Link::open(address, poll.registry(), self.token)
            .map_err(|error| Fault::Closed { by: self.peer.name().to_owned(), detail: error.to_string() })?;
        self.peer.open(ledger, link.out());
        link.flush();
        self.link = Some(link);
        Ok(())
    }

    fn read(&mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        let Some(link) = &mut self.link else { return Ok(()) };
        loop {
            let more = link.fill();
            while let Some(payload) = link.payload(self.peer.name())? {
                self.peer.take(&payload, ledger, link.out())?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn work(&mut self, ledger: &mut Ledger) {
        if let Some(link) = &mut self.link {
            self.peer.work(ledger, link.out());
        }
    }

    fn flush(&mut self) {
        if let Some(link) = &mut self.link {
            link.flush();
        }
    }

    fn drop_link(&mut self) {
        self.link = None;
    }

    fn wants_to_reconnect(&mut self) -> bool {
        self.link.is_some() && self.peer.wants_to_reconnect()
    }

    fn has_link(&self) -> bool {
        self.link.is_some()
    }

    fn ended(&self) -> Option<Fault> {
        let detail = self.link.as_ref()?.ended()?.to_owned();
        Some(Fault::Closed { by: self.peer.name().to_owned(), detail })
    }

    fn overdue(&self, limit: Duration) -> Option<Fault> {
        self.link.as_ref()?;
        let (what, since) = self.peer.waits_for()?;
        (since.elapsed() > limit).then(|| Fault::Hang {
            who: self.peer.name().to_owned(),
            what: what.to_owned(),
            limit_s: limit.as_secs(),
        })
    }

    fn has_all(&self, ledger: &Ledger) -> bool {
        self.link.is_some() && self.peer.has_all(ledger)
    }
}

impl Crew {
    /// Everybody, not connected yet.
    ///
    /// # Errors
    /// The system has nothing to wait with.
    pub(crate) fn new(ledger: &Ledger, draws: &Draws) -> io::Result<Self> {
        let mut place = 0..;
        let mut next = || place.next().unwrap_or_default();
        let senders = (0..TUTORIAL_AUTHOR)
            .map(|author| Sender::new(author, ledger, draws.fork(author as u64)))
            .collect::<Vec<_>>();
        let stays = ROOMS.iter().enumerate().map(|(room, name)| Receiver::staying(&format!("listener-{name}"), room));
        let returns = Receiver::reconnecting("returner", draws.fork(TUTORIAL_AUTHOR as u64));
        let receivers = stays.chain([returns]).collect::<Vec<_>>();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            senders: senders.into_iter().map(|peer| Seat::new(peer, next())).collect(),
            receivers: receivers.into_iter().map(|peer| Seat::new(peer, next())).collect(),
            tutor: Seat::new(Tutor::new(ledger), next()),
            checker: None,
        })
    }

    /// Sets the number of messages that each may send in the next life of the server.
    pub(crate) fn prepare(&mut self, sender_budget: u32, tutor_budget: u32) {
        for seat in &mut self.senders {
            seat.peer.prepare(sender_budget);
        }
        self.tutor.peer.prepare(tutor_budget);
    }

    /// Sends a checker.
    ///
    /// # Errors
    /// The server takes no connection.
    pub(crate) fn check(&mut self, checker: Checker, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let place = self.senders.len() + self.receivers.len() + 1;
        let mut seat = Seat::new(checker, place);
        seat.connect(address, &self.poll, ledger)?;
        self.checker = Some(seat);
        Ok(())
    }

    /// Returns whether no check is under way.
    pub(crate) fn is_checked(&self) -> bool {
        self.checker.as_ref().is_none_or(|seat| seat.peer.is_done())
    }

    /// Connects everybody who is not; the checker apart.
    ///
    /// # Errors
    /// The server takes no connection.
    pub(crate) fn connect(&mut self, address: SocketAddr, ledger: &mut Ledger) -> Result<(), Fault> {
        let Self { poll, senders, receivers, tutor, .. } = self;
        for seat in all(senders, receivers, tutor) {
            if !seat.has_link() {
                seat.connect(address, poll, ledger)?;
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
        let Self { poll, senders, receivers, tutor, checker, .. } = self;
        if checker.as_ref().is_some_and(|seat| seat.peer.is_done()) {
            *checker = None;
        }
        for seat in all(senders, receivers, tutor).chain(checker.iter_mut().map(|seat| seat as &mut dyn AnySeat)) {
            seat.read(ledger)?;
            if let Some(fault) = seat.ended().or_else(|| seat.overdue(patience)) {
                return Err(fault);
            }
            if puts_load {
                seat.work(ledger);
            }
            seat.flush();
            if seat.wants_to_reconnect() {
                seat.drop_link();
                seat.connect(address, poll, ledger)?;
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
        let Self { poll, events, senders, receivers, tutor, checker } = self;
        loop {
            let mut is_open = false;
            for seat in all(senders, receivers, tutor).chain(checker.iter_mut().map(|seat| seat as &mut dyn AnySeat)) {
                seat.read(ledger)?;
                if seat.ended().is_some() {
                    seat.drop_link();
                }
                is_open |= seat.has_link();
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
        self.senders.iter().all(|seat| seat.peer.is_done())
            && self.tutor.peer.waits_for().is_none()
            && self.is_checked()
    }

    /// Returns whether everybody has all that was read back.
    pub(crate) fn has_all(&mut self, ledger: &Ledger) -> bool {
        let Self { senders, receivers, tutor, .. } = self;
        all(senders, receivers, tutor).all(|seat| seat.has_all(ledger))
    }
}

fn all<'a>(
    senders: &'a mut [Seat<Sender>],
    receivers: &'a mut [Seat<Receiver>],
    tutor: &'a mut Seat<Tutor>,
) -> impl Iterator<Item = &'a mut dyn AnySeat> {
    let senders = senders.iter_mut().map(|seat| seat as &mut dyn AnySeat);
    let receivers = receivers.iter_mut().map(|seat| seat as &mut dyn AnySeat);
    senders.chain(receivers).chain([tutor as &mut dyn AnySeat])
}

fn wait(poll: &mut Poll, events: &mut Events, limit: Duration) -> Result<(), Fault> {
    // Every turn looks at every connection: which of them woke it need not be known.
    match poll.poll(events, Some(limit)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error.into()),
        _ => Ok(()),
    }
}
