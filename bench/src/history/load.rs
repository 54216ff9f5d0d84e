//! Members that say something else each time: what is always the same is searched, stored and packed too cheaply.

use std::io::Write as _;

use anyhow::Result;
use glassline_testkit::frame;

use super::corpus::Corpus;
use crate::peers::{Event, Peer, Role, Step, Tutorial};
use crate::workloads::TEXT_BYTES;

/// Another peer, with words of its own where it is given a text.
pub struct Varied<P> {
    peer: P,
    corpus: Corpus,
    text: String,
}

impl<P: Peer> Varied<P> {
    pub fn new(peer: P, seed: u64) -> Self {
        Self { peer, corpus: Corpus::new(seed), text: String::new() }
    }
}

impl<P: Peer> Peer for Varied<P> {
    fn hello(&self, member: usize, role: Role, out: &mut Vec<u8>) {
        self.peer.hello(member, role, out);
    }

    fn message(&mut self, member: usize, text: &[u8], out: &mut Vec<u8>) {
        self.corpus.text_of(text.len(), &mut self.text);
        self.peer.message(member, self.text.as_bytes(), out);
    }

    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        self.peer.scan(bytes)
    }

    fn own_messages_return(&self) -> bool {
        self.peer.own_messages_return()
    }
}

/// Speakers of the event dialect, each alone in a room.
pub struct Alone {
    events: Event,
    corpus: Corpus,
    text: String,
    payload: Vec<u8>,
}

impl Alone {
    pub fn new(seed: u64) -> Self {
        Self { events: Event::default(), corpus: Corpus::new(seed), text: String::new(), payload: Vec::new() }
    }
}

impl Peer for Alone {
    fn hello(&self, member: usize, _role: Role, out: &mut Vec<u8>) {
        out.extend_from_slice(b"GLASSLINE2");
        let hello = format!(r#"{{"type":"hello","name":"m{member}","rooms":["cell-{member}"]}}"#);
        frame::put(out, hello.as_bytes());
    }

    fn message(&mut self, member: usize, _text: &[u8], out: &mut Vec<u8>) {
        self.corpus.text_of(TEXT_BYTES, &mut self.text);
        self.payload.clear();
        let (text, id) = (&self.text, self.corpus.id());
        // Writing to a Vec cannot fail.
        let _ = write!(self.payload, r#"{{"type":"send","room":"cell-{member}","text":"{text}","id":"{id:032x}"}}"#);
        frame::put(out, &self.payload);
    }

    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        self.events.scan(bytes)
    }

    fn own_messages_return(&self) -> bool {
        true
    }
}

/// Dialects in which the members of a room speak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Tutorial,
    Event,
}

impl Dialect {
    pub fn peer(self, seed: u64) -> Box<dyn Peer> {
        match self {
            Self::Tutorial => Box::new(Varied::new(Tutorial::member(), seed)),
            Self::Event => Box::new(Varied::new(Event::default(), seed)),
        }
    }
}
