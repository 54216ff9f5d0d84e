//! An author of the event dialect: a window of messages in flight, and after each restart again what was not acknowledged.

use std::collections::VecDeque;
use std::time::Instant;

use glassline_testkit::Rng;
use serde_json::json;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::membership::{Membership, Received, put};
use crate::message::Message;
use crate::peer::Peer;
use crate::script::{ROOMS, count_in};

/// Most messages in flight: several of them in one commit, and none waits long.
const WINDOW_MAX: u64 = 64;

/// Messages per repetition of one that was acknowledged long ago.
const REPEAT_ONCE_IN: u64 = 64;

/// Messages whose ids a server keeps at least (L).
const REMEMBERED: u64 = 262_144;

/// Prefix of the `ref` of a request that was made before.
const AGAIN: &str = "again";

#[derive(Debug)]
pub(crate) struct Sender {
    membership: Membership,
    author: usize,
    rng: Rng,
    window: usize,
    /// Messages that may still be sent in this run of the server.
    budget: u32,
    /// `true` if a message sent for the first time has a `ref` (E5).
    names_its_requests: bool,
    in_flight: VecDeque<Request>,
    /// Since when the oldest of them was waited for.
    waiting_since: Instant,
}

/// A `send` that was not answered yet.
#[derive(Debug)]
struct Request {
    count: u32,
    /// The newest number of its room that was known when it was first sent (E4).
    after: u64,
    reference: Option<String>,
}

impl Sender {
    pub(crate) fn new(author: usize, ledger: &Ledger, rng: Rng) -> Self {
        let script = &ledger.script().authors()[author];
        Self {
            membership: Membership::new(&script.name, vec![script.room], true),
            author,
            rng,
            window: 1,
            budget: 0,
            names_its_requests: author.is_multiple_of(2),
            in_flight: VecDeque::new(),
            waiting_since: Instant::now(),
        }
    }

    fn send(&self, request: &Request, ledger: &Ledger, out: &mut Vec<u8>) {
        let script = ledger.script();
        let mut send = json!({
            "type": "send",
            "room": ROOMS[script.authors()[self.author].room],
            "text": script.text(self.author, request.count),
            "id": script.id(self.author, request.count),
            "after": request.after,
        });
        if script.is_action(self.author, request.count) {
            send["action"] = json!(true);
        }
        if let Some(reference) = &request.reference {
            send["ref"] = json!(reference);
        }
        put(out, &send);
    }

    /// Resends unacknowledged messages, in order; acknowledged ones that were repeated are dropped.
    fn resend(&mut self, ledger: &Ledger, out: &mut Vec<u8>) {
        self.in_flight.retain(|request| !ledger.is_acknowledged(self.author, request.count));
        for request in &mut self.in_flight {
            request.reference = Some(format!("{AGAIN} {}", request.count));
        }
        for request in &self.in_flight {
            self.send(request, ledger, out);
        }
        self.waiting_since = Instant::now();
    }

    /// The next thing to ask for: something new, or at times something old.
    fn next_request(&mut self, ledger: &mut Ledger) -> Request {
        if self.rng.once_in(REPEAT_ONCE_IN) {
            let count = self.rng.below(u64::from(ledger.sent_by(self.author))) as u32;
            let is_asked = self.in_flight.iter().any(|request| request.count == count);
            if !is_asked && ledger.is_acknowledged(self.author, count) {
                // When it was sent, the number before its own was not known yet, or just.
                let after = ledger.seq(self.author, count).saturating_sub(1);
                return Request { count, after, reference: Some(format!("{AGAIN} {count}")) };
            }
        }
        let count = ledger.say(self.author);
        let after = self.membership.newest_known(ledger.script().authors()[self.author].room);
        Request { count, after, reference: self.names_its_requests.then(|| format!("first {count}")) }
    }

    /// Only the id of an acknowledged message may be too old: such a message is resent at random.
    fn too_late(&mut self, reference: &str, answer: String, ledger: &Ledger) -> Result<(), Fault> {
        let by = self.membership.name().to_owned();
        let asked = self.in_flight.iter().position(|request| request.reference.as_deref() == Some(reference));
        let Some(request) = asked.and_then(|at| self.in_flight.remove(at)) else {
            return Err(Fault::Stray { by, answer });
        };
        self.waiting_since = Instant::now();
        if !ledger.is_acknowledged(self.author, request.count) {
            return Err(Fault::Refused { by, answer });
        }
        let behind = ledger.behind(self.author, request.count);
        if behind < REMEMBERED {
            return Err(Fault::TooLate { by, what: format!("#{}", request.count), behind });
        }
        Ok(())
    }

    fn message(&mut self, message: &Message, ledger: &mut Ledger) -> Result<(), Fault> {
        let own = message.from == self.membership.name();
        let stray = || Fault::Stray { by: message.from.clone(), answer: format!("{message:?}") };
        let is_again = message.reference.as_deref().is_some_and(|reference| reference.starts_with(AGAIN));
        let room = ROOMS.iter().position(|room| *room == message.room).ok_or_else(stray)?;
        let name = self.membership.name().to_owned();
        self.membership.stream(room).take(&name, &message.room, message.seq, is_again)?;
        if !own {
            // What others get never has a `ref` (E5).
            return if message.reference.is_some() { Err(stray()) } else { Ok(()) };
        }
        let count = count_in(&message.text).ok_or_else(stray)?;
        let answered =
            self.in_flight.iter().position(|request| request.count == count && request.reference == message.reference);
        if let Some(answered) = answered {
            self.in_flight.remove(answered);
            self.waiting_since = Instant::now();
        } else if message.reference.is_some() {
            return Err(stray());
        }
        if self.membership.is_older(room, message.seq) && !ledger.is_acknowledged(self.author, count) {
            ledger.answer_again();
        }
        // Without a `ref` it may be an own message that comes after a reconnect: that is as good an acknowledgement.
        ledger.acknowledge(self.author, count);
        Ok(())
    }
}

impl Peer for Sender {
    fn name(&self) -> &str {
        self.membership.name()
    }

    fn open(&mut self, _ledger: &mut Ledger, out: &mut Vec<u8>) {
        self.membership.open(out);
    }

    fn take(&mut self, payload: &[u8], ledger: &mut Ledger, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.membership.take(payload, ledger, out)? {
            Received::Welcome => self.resend(ledger, out),
            Received::Message(message) => self.message(&message, ledger)?,
            Received::TooLate { reference, answer } => self.too_late(&reference, answer, ledger)?,
            Received::Other => {}
        }
        Ok(())
    }

    fn prepare(&mut self, budget: u32) {
        self.budget = budget;
        self.window = self.rng.magnitude(WINDOW_MAX) as usize;
    }

    fn is_done(&self) -> bool {
        self.membership.is_in() && self.in_flight.is_empty()
    }

    fn work(&mut self, ledger: &mut Ledger, out: &mut Vec<u8>) {
        while self.membership.is_in() && self.budget > 0 && self.in_flight.len() < self.window {
            if self.in_flight.is_empty() {
                self.waiting_since = Instant::now();
            }
            let request = self.next_request(ledger);
            self.send(&request, ledger, out);
            self.in_flight.push_back(request);
            self.budget -= 1;
        }
    }

    fn waits_for(&self) -> Option<(&'static str, Instant)> {
        let acknowledgement = || (!self.in_flight.is_empty()).then_some(("an acknowledgement", self.waiting_since));
        self.membership.waits_for().or_else(acknowledgement)
    }

    fn has_all(&self, ledger: &Ledger) -> bool {
        self.membership.has_all(ledger)
    }
}
