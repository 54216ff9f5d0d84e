//! A client of the tutorial dialect.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::frame;
use super::wire::{End, Wire};

/// Author and text of a message that a client is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) from: String,
    pub(crate) text: String,
}

impl Pair {
    pub(crate) fn is_word(&self) -> bool {
        self.from == "*"
    }

    /// Arrivals and departures come in batches, whenever there is time for them.
    pub(crate) fn is_presence(&self) -> bool {
        self.is_word() && (self.text.ends_with(" joined") || self.text.ends_with(" left"))
    }
}

/// The texts of the server's own words among `pairs`, without arrivals and departures.
pub(crate) fn words_in(pairs: &[Pair]) -> Vec<&str> {
    pairs.iter().filter(|pair| pair.is_word() && !pair.is_presence()).map(|pair| pair.text.as_str()).collect()
}

pub(crate) struct Tutorial {
    wire: Wire,
    inbox: VecDeque<Pair>,
    barriers: usize,
}

impl Tutorial {
    /// A connection that has sent nothing yet.
    pub(crate) fn over(wire: Wire) -> Self {
        Self { wire, inbox: VecDeque::new(), barriers: 0 }
    }

    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(Wire::connect(address))
    }

    /// A member: the server has greeted it.
    #[track_caller]
    pub(crate) fn join(address: SocketAddr, name: &str) -> Self {
        Self::join_over(Wire::connect(address), name)
    }

    #[track_caller]
    pub(crate) fn join_over(wire: Wire, name: &str) -> Self {
        let mut client = Self::over(wire);
        client.say(name);
        client.expect_word("/help lists commands");
        client
    }

    /// Sends its name; whether it was let in, and not turned away without a word.
    #[track_caller]
    pub(crate) fn enters_as(&mut self, name: &str) -> bool {
        if self.wire.try_send(frame(name)).is_err() {
            return false;
        }
        loop {
            match self.receive() {
                Ok(pair) if pair.is_word() && pair.text.contains("/help lists commands") => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Sends one frame: the name, or a text.
    #[track_caller]
    pub(crate) fn say(&mut self, payload: impl AsRef<[u8]>) {
        self.wire.send(frame(payload));
    }

    #[track_caller]
    pub(crate) fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.send(bytes);
    }

    /// Sends to a server that may have closed already.
    pub(crate) fn send_bytes_unless_closed(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.wire.try_send(bytes);
    }

    #[track_caller]
    fn receive(&mut self) -> Result<Pair, End> {
        let text = |payload| String::from_utf8(payload).expect("what a server relays is UTF-8");
        let from = text(self.wire.payload()?);
        match self.wire.payload() {
            Ok(payload) => Ok(Pair { from, text: text(payload) }),
            Err(end) => panic!("the pair from {from:?} has no second half: {end:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn pair(&mut self) -> Pair {
        self.inbox.pop_front().unwrap_or_else(|| self.receive().expect("another pair"))
    }

    /// The next message of another member; notices before it stay for [`Tutorial::expect_word`].
    #[track_caller]
    pub(crate) fn said(&mut self) -> Pair {
        if let Some(at) = self.inbox.iter().position(|pair| !pair.is_word()) {
            return self.inbox.remove(at).expect("found");
        }
        loop {
            let pair = self.receive().expect("another pair");
            if !pair.is_word() {
                return pair;
            }
            self.inbox.push_back(pair);
        }
    }

    #[track_caller]
    pub(crate) fn expect_message(&mut self, from: &str, text: &str) {
        assert_eq!(self.said(), Pair { from: from.to_string(), text: text.to_string() });
    }

    /// The server's next notice that holds `part`; earlier notices are dropped, messages of others
    /// are kept.
    #[track_caller]
    pub(crate) fn expect_word(&mut self, part: &str) -> String {
        let fits = |pair: &Pair| pair.is_word() && pair.text.contains(part);
        let mut said = VecDeque::new();
        let mut passed_over = Vec::new();
        loop {
            let pair = match self.inbox.pop_front() {
                Some(pair) => pair,
                None => match self.receive() {
                    Ok(pair) => pair,
                    Err(end) => panic!("{end:?} before the word {part:?}; other words were {passed_over:?}"),
                },
            };
            if fits(&pair) {
                said.append(&mut self.inbox);
                self.inbox = said;
                return pair.text;
            }
            if pair.is_word() {
                passed_over.push(pair.text);
            } else {
                said.push_back(pair);
            }
        }
    }

    /// Waits until everything sent before is dealt with; returns all that came until then.
    #[track_caller]
    pub(crate) fn barrier(&mut self) -> Vec<Pair> {
        self.barriers += 1;
        let unknown = format!("/barrier{};", self.barriers);
        self.say(unknown.trim_end_matches(';'));
        let mut before = Vec::new();
        loop {
            let pair = self.pair();
            if pair.is_word() && pair.text.contains(&unknown) {
                return before;
            }
            before.push(pair);
        }
    }

    /// Puts what a barrier returned back in front of what is still to be read.
    pub(crate) fn put_back(&mut self, pairs: Vec<Pair>) {
        self.inbox = pairs.into_iter().chain(self.inbox.drain(..)).collect();
    }

    /// Everything until the server closes, which it must do in order.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) -> Vec<Pair> {
        let mut rest = Vec::from(std::mem::take(&mut self.inbox));
        loop {
            match self.receive() {
                Ok(pair) => rest.push(pair),
                Err(end) => {
                    assert_eq!(end, End::Closed, "after {rest:?}");
                    return rest;
                }
            }
        }
    }

    /// Closes the sending side.
    pub(crate) fn finish(&mut self) {
        self.wire.finish();
    }

    pub(crate) fn into_wire(self) -> Wire {
        self.wire
    }
}
