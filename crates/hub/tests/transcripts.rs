//! Whatever the order of messages, writes, half-sent writes, arrivals and departures: every member
//! gets exactly what the others sent while it was there, once and in order, or a notice of exactly
//! what it missed (invariants 4 and 5).

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use glassline_hub::{ConnectInfo, Dialect, Hub, LoginOutcome, MemberId, NameHolder, Now, Rules};
use glassline_testkit::frame::texts;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Hello, Send};
use glassline_wire::timestamp::Timestamp;
use proptest::prelude::*;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };

/// Message that a member is due next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    number: u64,
    own: bool,
}

/// A member and the bytes its simulated socket took.
struct Peer {
    id: MemberId,
    dialect: Dialect,
    received: Vec<u8>,
    due: VecDeque<Said>,
    name: String,
    /// Its socket took less than it was offered, and has not been written to since.
    blocked: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Enter(bool),
    Say { who: usize, bytes: usize, with_ref: bool },
    Ping { who: usize },
    Write { who: usize, bytes: usize },
    FullRound { visits: usize },
    Leave { who: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => any::<bool>().prop_map(Step::Enter),
        12 => (0..8_usize, 1..9_000_usize, any::<bool>()).prop_map(|(who, bytes, with_ref)| Step::Say { who, bytes, with_ref }),
        2 => (0..8_usize).prop_map(|who| Step::Ping { who }),
        6 => (0..8_usize, 0..40_000_usize).prop_map(|(who, bytes)| Step::Write { who, bytes }),
        6 => (0..20_usize).prop_map(|visits| Step::FullRound { visits }),
        1 => (0..8_usize).prop_map(|who| Step::Leave { who }),
    ];
    proptest::collection::vec(step, 1..120)
}

struct World {
    hub: Hub,
    peers: Vec<Peer>,
    entered: usize,
    said: u64,
}

impl World {
    fn new(log_bytes_max: usize) -> Self {
        let rules = Rules { log_bytes_max, send_queue_bytes_max: 1 << 30, ..Rules::default() };
        let mut world = Self { hub: Hub::new(rules), peers: Vec::new(), entered: 0, said: 0 };
        world.enter(true);
        world.enter(false);
        world
    }

    fn enter(&mut self, tutorial: bool) {
        if self.peers.len() == 8 {
            return;
        }
        self.entered += 1;
        let name = format!("member{}", self.entered);
        let address = Ipv4Addr::LOCALHOST.into();
        let login = ConnectInfo { connection: self.entered, token: 1, address, link: LinkFacts::PLAINTEXT, now: NOW };
        let id = if tutorial {
            self.hub.enter_tutorial(name.as_bytes(), login).expect("enters")
        } else {
            let hello = Hello { name: name.clone(), ..Hello::default() };
            match self.hub.enter_event(&hello, None, NameHolder::Unasked, login).expect("enters") {
                LoginOutcome::As(id) => id,
                LoginOutcome::NameHolder(_) | LoginOutcome::Awaits => panic!("nobody holds the name"),
            }
        };
        let dialect = if tutorial { Dialect::Tutorial } else { Dialect::Event };
        self.peers.push(Peer { id, dialect, received: Vec::new(), due: VecDeque::new(), name, blocked: false });
    }

    fn say(&mut self, who: usize, bytes: usize, with_ref: bool) {
        // The server reads no more while a fan-out round is due.
        while self.hub.is_flooded() && self.step() {}
        self.said += 1;
        let number = self.said;
        let who = who % self.peers.len();
        let text = format!("{number} {}", "x".repeat(bytes));
        let (id, dialect) = (self.peers[who].id, self.peers[who].dialect);
        match dialect {
            Dialect::Tutorial => drop(self.hub.say_text(id, &text, false, NOW).expect("says")),
            Dialect::Event => {
                let send = Send {
                    room: "lobby".into(),
                    text,
                    id: MessageId(number.into()),
                    after: None,
                    action: false,
                    sealed: None,
                };
                self.hub.say(id, &send, with_ref.then(|| number.to_string()), NOW).expect("says");
            }
        }
        for (index, peer) in self.peers.iter_mut().enumerate() {
            if index != who || dialect == Dialect::Event {
                peer.due.push_back(Said { number, own: index == who });
            } else {
                // Numbered, but never sent to its own sender (T5).
                peer.due.push_back(Said { number, own: true });
            }
        }
    }

    /// One write of the next member in a round, by a socket that takes everything. False when no
    /// round is under way.
    fn step(&mut self) -> bool {
        let Some(id) = self.hub.next_in_round() else { return false };
        let who = self.peers.iter().position(|peer| peer.id == id).expect("a member");
        if !self.peers[who].blocked {
            self.write(who, usize::MAX);
        }
        true
    }

    /// A write to one member by a socket that takes at most so many bytes.
    fn write(&mut self, who: usize, bytes: usize) {
        let who = who % self.peers.len();
        let peer = &mut self.peers[who];
        self.hub.skip_lost(peer.id);
        let gathered = self.hub.gather(peer.id).slices().concat();
        let sent = gathered.len().min(bytes);
        peer.received.extend_from_slice(&gathered[..sent]);
        self.hub.advance(peer.id, sent);
        peer.blocked = sent < gathered.len();
    }

    fn drain(&mut self, who: usize) {
        for _ in 0..10_000 {
            self.hub.skip_lost(self.peers[who].id);
            let before = self.peers[who].received.len();
            self.write(who, usize::MAX);
            if self.peers[who].received.len() == before {
                return;
            }
        }
        panic!("a member is never drained");
    }

    fn leave(&mut self, who: usize) {
        if self.peers.len() > 1 {
            let who = who % self.peers.len();
            self.drain(who);
            let peer = self.peers.remove(who);
            self.hub.depart(peer.id, NOW);
            check(peer);
        }
    }
}

/// Reads all a member received and holds it against what it was due.
fn check(mut peer: Peer) {
    let payloads = texts(&peer.received);
    match peer.dialect {
        Dialect::Tutorial => check_pairs(&payloads, &mut peer.due),
        Dialect::Event => check_events(&payloads, &mut peer.due),
    }
    peer.due.retain(|said| peer.dialect == Dialect::Event || !said.own);
    assert!(peer.due.is_empty(), "{} never got {:?}", peer.name, peer.due);
}

fn number_of(text: &str) -> u64 {
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("texts start with their number")
}

fn check_pairs(payloads: &[String], due: &mut VecDeque<Said>) {
    assert!(payloads.len().is_multiple_of(2), "pairs");
    for pair in payloads.chunks(2) {
        let missed = pair[1].strip_prefix("you missed ").and_then(|rest| rest.split(' ').next());
        match (pair[0].as_str(), missed) {
            ("*", Some(missed)) => {
                let mut missed: u64 = missed.parse().expect("a number");
                while missed > 0 {
                    let said = due.pop_front().expect("no more was missed than was said");
                    missed -= u64::from(!said.own);
                }
            }
            ("*", None) => {}
            _ => {
                let number = number_of(&pair[1]);
                while due.front().is_some_and(|said| said.own) {
                    due.pop_front();
                }
                assert_eq!(due.pop_front(), Some(Said { number, own: false }), "the next message of another");
            }
        }
    }
}

fn check_events(payloads: &[String], due: &mut VecDeque<Said>) {
    let mut seq_expected = None;
    for payload in payloads {
        let Envelope { content, reference } = Envelope::<Event>::from_json(payload.as_bytes()).expect("an event");
        match content {
            Event::Welcome(welcome) => seq_expected = Some(welcome.rooms[0].seq + 1),
            Event::Message(message) => {
                assert_eq!(message.seq, seq_expected, "numbers have no holes");
                seq_expected = message.seq.map(|seq| seq + 1);
                let said = due.pop_front().expect("no more is received than was sent");
                assert_eq!(number_of(&message.text), said.number);
                assert!(said.own || reference.is_none(), "a ref is its sender's alone");
            }
            Event::Gap(gap) => {
                assert_eq!(Some(gap.from), seq_expected, "a gap starts where hearing stopped");
                seq_expected = Some(gap.to + 1);
                due.drain(..(gap.to - gap.from + 1) as usize);
            }
            _ => {}
        }
    }
}

fn run(steps: &[Step], log_bytes_max: usize) {
    let mut world = World::new(log_bytes_max);
    for step in steps {
        match *step {
            Step::Enter(tutorial) => world.enter(tutorial),
            Step::Say { who, bytes, with_ref } => world.say(who, bytes, with_ref),
            Step::Ping { who } => {
                let id = world.peers[who % world.peers.len()].id;
                world.hub.send(id, Event::notice("pong"));
            }
            Step::Write { who, bytes } => world.write(who, bytes),
            Step::FullRound { visits } => {
                for _ in 0..visits {
                    world.step();
                }
            }
            Step::Leave { who } => world.leave(who),
        }
        assert!(world.hub.log_bytes() <= 2 * (log_bytes_max + 70_000), "memory is bounded by the room's logs");
    }
    for who in 0..world.peers.len() {
        world.drain(who);
    }
    while world.step() {}
    assert_eq!(world.hub.log_bytes(), 0, "with everybody drained nothing is kept");
    world.peers.into_iter().for_each(check);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everyone_receives_everything_once_in_order(steps in steps()) {
        run(&steps, 8 << 20);
    }

    #[test]
    fn what_the_log_let_go_is_announced(steps in steps()) {
        run(&steps, 70_000);
    }
}

#[test]
fn a_reader_that_stops_gets_a_gap_of_exactly_what_it_missed() {
    let mut world = World::new(70_000);
    for round in 0..100 {
        world.say(0, 4_000, false);
        world.say(1, 4_000, false);
        if round == 0 {
            world.write(0, 10);
            world.write(1, 10);
        }
    }
    let missed: Vec<u64> = (0..2)
        .map(|who| {
            let id = world.peers[who].id;
            world.hub.skip_lost(id)
        })
        .collect();
    assert!(missed.iter().all(|&missed| missed > 100), "{missed:?}");
    for who in 0..2 {
        world.drain(who);
    }
    world.peers.into_iter().for_each(check);
}
