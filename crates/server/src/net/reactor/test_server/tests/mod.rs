//! The loop between members and a history that does what the test says.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use glassline_hub::OperatorToken;
use glassline_journal::{Done, Gauges, Requester, StoreError};
use glassline_testkit::frame::frame;
use glassline_wire::history::{Entry, EntryContent, Page, PendingRecord, Question, Ticket};
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::timestamp::Timestamp;

use super::*;
use crate::{FloodLimit, Limits};

mod admission;
mod foreign;
mod layers;
mod queues;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };
/// As the journal's.
const WAITING_MAX: usize = 8_192;
/// Messages of one byte that one read may bring.
const READ_MESSAGES_MAX: usize = crate::net::reactor::READ_BYTES_MAX / SHORTEST.len();
const SHORTEST: &[u8] = b"1         x";

#[derive(Debug, Default)]
struct Shelf {
    waiting: Vec<PendingRecord>,
    waiting_most: usize,
    questions: Vec<(Ticket, Question)>,
    done: Vec<Done>,
    stored: u64,
}

#[derive(Debug, Clone, Default)]
struct Shelves(Rc<RefCell<Shelf>>);

impl Shelves {
    /// Everything that waits is stored.
    fn store(&self) {
        self.store_first(usize::MAX);
    }

    /// The first so many records that wait are stored.
    fn store_first(&self, count: usize) {
        let mut kept = self.0.borrow_mut();
        let count = count.min(kept.waiting.len());
        for PendingRecord { ticket, record } in kept.waiting.drain(..count).collect::<Vec<_>>() {
            kept.stored += 1;
            let entry = record.committed(ticket, kept.stored);
            kept.done.push(Done::Committed(entry));
        }
    }

    /// Another server has stored this.
    fn store_foreign(&self, content: EntryContent) {
        let mut kept = self.0.borrow_mut();
        kept.stored += u64::from(matches!(content, EntryContent::Message(_)));
        kept.done.push(Done::Committed(Entry { ticket: None, content }));
    }

    /// Nothing that waits can be stored, and no question answered.
    fn fail(&self, cause: impl Fn() -> StoreError) {
        let mut kept = self.0.borrow_mut();
        for PendingRecord { ticket, .. } in std::mem::take(&mut kept.waiting) {
            kept.done.push(Done::NotStored { ticket, error: Arc::new(cause()) });
        }
        for (ticket, _) in std::mem::take(&mut kept.questions) {
            kept.done.push(Done::Answered { ticket, answer: Err(cause()) });
        }
    }
}

impl Archive for Shelves {
    fn append(&mut self, records: Vec<PendingRecord>) {
        let mut kept = self.0.borrow_mut();
        kept.waiting.extend(records);
        kept.waiting_most = kept.waiting_most.max(kept.waiting.len());
    }

    fn is_full(&self) -> bool {
        self.0.borrow().waiting.len() >= WAITING_MAX
    }

    fn ask(&mut self, ticket: Ticket, _: Requester, question: Question) -> bool {
        self.0.borrow_mut().questions.push((ticket, question));
        true
    }

    fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.0.borrow_mut().done)
    }

    fn gauges(&self) -> Option<Gauges> {
        None
    }

    fn close(self: Box<Self>, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
}

fn open(config: Config, newest: u64) -> (TestServer, Shelves) {
    let shelves = Shelves::default();
    (TestServer::open(config, Some((Box::new(shelves.clone()), newest)), NOW), shelves)
}

fn unlimited() -> Config {
    Config { flood: FloodLimit::Off, replay: 0, ..Config::default() }
}

fn connect(server: &mut TestServer, number: u8) -> Pipe {
    server.connect((Ipv4Addr::new(192, 0, 2, number), 1).into(), 1 << 20)
}

fn turn(server: &mut TestServer) {
    server.turn(NOW).expect("goes on");
}

/// Turns for as long as the loop says that it has something to do.
fn turn_until_it_waits(server: &mut TestServer) {
    for _ in 0..10_000 {
        turn(server);
        if server.wait_ms() != Some(0) {
            return;
        }
    }
    panic!("it never waits");
}

/// The start of a stream in the event dialect.
fn opened(hello: &str) -> Vec<u8> {
    [&EVENT_OPENING[..], &frame(hello)].concat()
}

/// Comes in in the event dialect.
fn enter(server: &mut TestServer, number: u8, hello: &str) -> Pipe {
    let pipe = connect(server, number);
    pipe.send(&opened(hello));
    turn_until_it_waits(server);
    pipe
}

fn heard(pipe: &Pipe) -> String {
    String::from_utf8(pipe.take(usize::MAX)).expect("text")
}

fn send(text: &str, id: u32) -> Vec<u8> {
    frame(format!(r#"{{"type":"send","room":"lobby","text":"{text}","id":"{id:032x}"}}"#))
}

#[test]
fn waiting_records_exceed_the_bound_only_by_single_reads() {
    for first in [&b""[..], b"1         x6         /names"] {
        let (mut server, shelves) = open(unlimited(), 0);
        let mut expected = 0;
        let ends: Vec<Pipe> = (0..12)
            .map(|number| {
                let pipe = connect(&mut server, number);
                pipe.send(&[&frame(format!("tom{number}")), first, &SHORTEST.repeat(READ_MESSAGES_MAX)].concat());
                expected += READ_MESSAGES_MAX + usize::from(!first.is_empty());
                pipe
            })
            .collect();
        for _ in 0..1_000 {
            turn_until_it_waits(&mut server);
            let unstored = server.unstored();
            assert!(unstored <= WAITING_MAX + 2 * READ_MESSAGES_MAX, "{unstored} wait in the server");
            if shelves.0.borrow().waiting.is_empty() {
                break;
            }
            // They are stored all at once, so that all who wait for that go on in one turn.
            shelves.store();
        }
        let kept = shelves.0.borrow();
        assert_eq!((kept.stored, kept.waiting.len()), (expected as u64, 0), "everything is stored, nobody is stuck");
        let most = kept.waiting_most;
        assert!(most <= WAITING_MAX + 2 * READ_MESSAGES_MAX, "{most} wait in the history");
        drop(ends);
    }
}

#[test]
fn whoever_waited_goes_on_once_the_others_have_been_written_to() {
    let limits = Limits { log_bytes_max: 4_096, ..Limits::default() };
    let (mut server, shelves) = open(Config { limits, ..unlimited() }, 0);
    // Few enough for all of them to be written to in the turn in which too much is announced.
    let ends: Vec<Pipe> = (0..24)
        .map(|number| {
            let pipe = connect(&mut server, number);
            let (name, command) = (format!("tom{number:_>28}"), format!("/nick max{number:_>28}"));
            pipe.send(&[&frame(&name), SHORTEST, &frame(&command)].concat());
            pipe
        })
        .collect();
    turn_until_it_waits(&mut server);
    shelves.store();
    turn_until_it_waits(&mut server);
    let members = server.reactor.connections.iter().filter_map(|(_, connection)| connection.member());
    let names: Vec<&str> = members.map(|member| server.reactor.hub.name(member)).collect();
    assert!(names.len() == 24 && names.iter().all(|name| name.starts_with("max")), "{names:?}");
    drop(ends);
}

#[test]
fn history_results_stay_queued_until_members_are_written_to() {
    for first in 1..=60 {
        let limits = Limits { log_bytes_max: 4_096, ..Limits::default() };
        let (mut server, shelves) = open(Config { limits, ..unlimited() }, 0);
        let (bob, eve) = (
            enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#),
            enter(&mut server, 2, r#"{"type":"hello","name":"eve"}"#),
        );
        for id in 0..100 {
            bob.send(&send("something to be said", id));
        }
        turn_until_it_waits(&mut server);
        shelves.store();
        let later = shelves.0.borrow_mut().done.split_off(first);
        server.reactor.take_in_done().expect("goes on");
        let is_flooded = server.reactor.hub.is_flooded();
        shelves.0.borrow_mut().done = later;
        server.reactor.take_in_done().expect("goes on");
        if is_flooded {
            assert_eq!(shelves.0.borrow().done.len(), 100 - first, "nothing more is fetched");
        }
        turn_until_it_waits(&mut server);
        assert_eq!((server.unstored(), shelves.0.borrow().done.len()), (0, 0), "nothing is left lying there");
        assert_eq!(heard(&eve).matches("something to be said").count(), 100);
        assert!(is_flooded || first < 50, "{first}");
    }
}

#[test]
fn members_are_told_what_to_do_and_nothing_of_the_hosts_files() {
    let (mut server, shelves) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    let damaged =
        || StoreError::Corrupt { path: PathBuf::from("/srv/secret.db"), detail: "glassline history export".into() };
    let ask = frame(r#"{"type":"search","room":"lobby","query":"x"}"#);
    bob.send(&send("hi", 1));
    turn(&mut server);
    shelves.fail(damaged);
    turn_until_it_waits(&mut server);
    bob.send(&ask);
    turn(&mut server);
    shelves.fail(damaged);
    turn_until_it_waits(&mut server);
    bob.send(&ask);
    turn(&mut server);
    shelves.fail(|| StoreError::TooSlow);
    turn_until_it_waits(&mut server);
    bob.send(&frame(r#"{"type":"join","room":"den"}"#));
    turn(&mut server);
    shelves.fail(damaged);
    turn_until_it_waits(&mut server);
    let told = heard(&bob);
    for words in [
        r#""not_stored","text":"this could not be stored, so it did not happen; try again later""#,
        r#""busy","text":"the history cannot be read just now; try again later""#,
        r#""busy","text":"this took too long; ask for less""#,
        r#""busy","text":"the history of den cannot be read; try again""#,
    ] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    assert!(!told.contains("secret") && !told.contains("export"), "{told}");
}

#[test]
fn a_report_out_of_order_stops_the_server() {
    let (mut server, shelves) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    bob.send(&[send("one", 1), send("two", 2)].concat());
    turn(&mut server);
    shelves.store();
    shelves.0.borrow_mut().done.remove(0);
    let error = server.turn(NOW).expect_err("stops").to_string();
    assert!(error.contains("record 1 out of order") && error.contains("start it again"), "{error}");
}

#[test]
fn who_is_still_sent_the_past_hears_goodbye_as_well() {
    let (mut server, shelves) = open(Config { replay: 50, replay_tutorial: 50, ..unlimited() }, 9);
    let eve = enter(&mut server, 1, r#"{"type":"hello","name":"eve","since":{"lobby":3}}"#);
    let tom = connect(&mut server, 2);
    tom.send(&frame("tom"));
    turn_until_it_waits(&mut server);
    let reads = enter(&mut server, 3, r#"{"type":"hello","name":"ann","since":{"lobby":9}}"#);
    assert_eq!(shelves.0.borrow().questions.len(), 2, "two wait for their replay");
    // Half of a page is on its way to one more, and nothing may come in between.
    let slow = server.connect((Ipv4Addr::new(192, 0, 2, 4), 1).into(), 700);
    slow.send(&opened(r#"{"type":"hello","name":"slow","since":{"lobby":3}}"#));
    turn_until_it_waits(&mut server);
    let welcome = slow.take(usize::MAX).len();
    turn_until_it_waits(&mut server);
    let (ticket, _) = shelves.0.borrow_mut().questions.pop().expect("a question");
    let messages = (4..=6)
        .map(|seq| glassline_wire::event::Message {
            room: "lobby".into(),
            seq: Some(seq),
            at: Some(NOW.at),
            from: "bob".into(),
            text: "long ".repeat(100),
            action: false,
            id: None,
        })
        .collect();
    let answer = Ok(glassline_wire::history::Answer::Page(Page { messages, more: true }));
    shelves.0.borrow_mut().done.push(Done::Answered { ticket, answer });
    turn_until_it_waits(&mut server);
    let half = slow.take(350).len();
    assert!(welcome > 0 && half > 0);

    server.reactor.begin_closing(false);
    server.reactor.settle_turn().expect("goes on");
    let unsaid = server.reactor.say_goodbye("until tomorrow");
    while server.reactor.hub.has_writes() {
        server.reactor.write_turn();
    }
    server.reactor.drain_all(unsaid);
    for (pipe, bye) in [(&eve, r#""type":"bye""#), (&tom, "until tomorrow"), (&reads, r#""type":"bye""#)] {
        let told = heard(pipe);
        assert_eq!(told.matches("until tomorrow").count(), 1, "{told}");
        assert!(told.contains(bye) && pipe.is_finished(), "{told}");
    }
    // Its socket takes something again, but nothing may come inside a frame.
    let mut told = String::new();
    for _ in 0..10 {
        told += &heard(&slow);
        turn(&mut server);
    }
    assert!(slow.is_finished() && !told.contains("bye"), "{told}");
}

#[test]
fn an_act_that_is_stored_while_the_server_closes_is_in_force() {
    let token = OperatorToken::parse("sixteen bytes or more").expect("a token");
    let (mut server, shelves) = open(Config { operator_token: Some(token), ..unlimited() }, 0);
    let teacher = enter(&mut server, 1, r#"{"type":"hello","name":"teacher"}"#);
    let eve = enter(&mut server, 2, r#"{"type":"hello","name":"eve"}"#);
    for line in ["op sixteen bytes or more", "ban eve 1h"] {
        shelves.store();
        turn_until_it_waits(&mut server);
        teacher.send(&frame(format!(r#"{{"type":"operate","line":"{line}"}}"#)));
        turn_until_it_waits(&mut server);
    }
    server.reactor.begin_closing(false);
    assert!(server.reactor.is_unsettled());
    shelves.store();
    server.reactor.settle_turn().expect("goes on");
    assert!(!server.reactor.is_unsettled());
    let told = heard(&eve);
    assert!(told.contains(r#""code":"banned""#) && eve.is_finished(), "{told}");
}

/// So many connect from one address, then each says its name.
fn arrive(server: &mut TestServer, address: [u8; 4], count: usize) -> Vec<Pipe> {
    let peer = SocketAddr::from((address, 4_000));
    let arrived: Vec<Pipe> = (0..count).map(|_| server.connect(peer, 1 << 20)).collect();
    for (number, pipe) in arrived.iter().enumerate() {
        pipe.send(&frame(format!("p{number}")));
    }
    turn(server);
    arrived
}

#[test]
fn a_class_behind_one_address_comes_in_at_once() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    let class = arrive(&mut server, [192, 0, 2, 1], 64);
    assert!(class.iter().all(|pipe| !pipe.is_finished()), "{}", server.counts());
    assert!(server.counts().contains("joined=64"), "{}", server.counts());
    let one_more = server.connect(SocketAddr::from(([192, 0, 2, 1], 4_000)), 1 << 20);
    assert!(one_more.is_closed() && server.counts().contains("too_many_from_address=1"), "{}", server.counts());
    let neighbour = server.connect(SocketAddr::from(([192, 0, 2, 2], 4_000)), 1 << 20);
    assert!(!neighbour.is_closed());
}

#[test]
fn a_client_that_the_server_keeps_waiting_is_not_evicted() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let connect = |server: &mut TestServer| server.connect(peer, 1 << 20);
    let enter = |server: &mut TestServer, hello: &str| {
        let pipe = connect(server);
        pipe.send(&opened(hello));
        server.turn(NOW).expect("a turn");
        pipe
    };
    // All but one of the places are members' whose links are dead and not noticed yet; one of them comes back.
    let members: Vec<Pipe> =
        (0..63).map(|n| enter(&mut server, &format!(r#"{{"type":"hello","name":"m{n}"}}"#))).collect();
    let welcome = heard(&members[0]);
    let (_, token) = welcome.split_once(r#""token":""#).expect("a token");
    let token = &token[..32];
    let back = enter(&mut server, &format!(r#"{{"type":"hello","name":"m0","token":"{token}"}}"#));
    let refused = connect(&mut server);
    assert!(refused.is_closed() && !back.is_closed(), "{}", server.counts());
    server.turn(Now { monotonic_ms: 1_000, ..NOW }).expect("a turn");
    assert!(!back.is_finished() && server.counts().contains("taken_over=1 joined=64"), "{}", server.counts());
}

#[test]
fn a_client_without_a_name_is_evicted_for_one_of_its_address() {
    let mut server = TestServer::open(Config::default(), None, NOW);
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let elsewhere = server.connect(SocketAddr::from(([192, 0, 2, 2], 4_000)), 1 << 20);
    let silent: Vec<Pipe> = (0..64).map(|_| server.connect(peer, 1 << 20)).collect();
    let class = arrive(&mut server, [192, 0, 2, 1], 30);
    assert!(class.iter().all(|pipe| !pipe.is_finished()), "{}", server.counts());
    let closed = silent.iter().map(Pipe::is_closed);
    assert_eq!(closed.collect::<Vec<_>>(), [[true; 30].as_slice(), &[false; 34]].concat(), "the oldest first");
    assert!(!elsewhere.is_closed(), "and nobody of another address");
}
