//! The loop between members and a scripted history.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use glassline_hub::OperatorToken;
use glassline_journal::{
    Done, Gauges, JournalBounds, QuestionClass, Reader, SearchProgress, Stepper, Store, StoreError,
};
use glassline_testkit::frame::frame;
use glassline_wire::event::{AuditEntry, Message};
use glassline_wire::history::{CommitOutcome, Entry, EntryContent, Head, NotAppended, Page, Record};
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::request::{HistoryRange, Search};
use glassline_wire::timestamp::Timestamp;

use super::*;
use crate::{FloodLimit, Limits};

mod admission;
mod foreign;
mod layers;
mod links;
mod queues;
mod web;
mod websocket;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };
/// As the journal's.
const WAITING_MAX: usize = 8_192;
/// Messages of one byte that one read may bring.
const READ_MESSAGES_MAX: usize = crate::net::connection::READ_BYTES_MAX / SHORTEST.len();
const SHORTEST: &[u8] = b"1         x";

/// Results of a [`ScriptedStore`] from now on.
#[derive(Debug, Default)]
struct Script {
    stored: u64,
    /// Newest number of a room that is asked for.
    newest: u64,
    page: Page,
    /// Cause of every failure, until it is taken back.
    failure: Option<fn() -> StoreError>,
}

impl Script {
    fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        self.failure.map_or(Ok(answer), |cause| Err(cause()))
    }
}

/// Stores and reads as scripted; all rooms are numbered as one.
#[derive(Debug, Clone, Default)]
struct ScriptedStore(Arc<Mutex<Script>>);

impl ScriptedStore {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no panic")
    }
}

impl Store for ScriptedStore {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<CommitOutcome>, StoreError> {
        let mut script = self.script();
        script.answer(())?;
        let first = script.stored + 1;
        script.stored += batch.len() as u64;
        Ok((first..=script.stored).map(|seq| CommitOutcome::Stored { seq }).collect())
    }

    fn find_duplicates(&mut self, batch: &[Record]) -> Result<Vec<Option<NotAppended>>, StoreError> {
        Ok(vec![None; batch.len()])
    }

    fn maintain(&mut self, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn index_lag(&self) -> u64 {
        0
    }

    fn acts(&mut self, _: &mut dyn FnMut(AuditEntry)) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Reader for ScriptedStore {
    fn head(&mut self, _: &str, _: Instant) -> Result<Head, StoreError> {
        let script = self.script();
        script.answer(Head { oldest: 1, newest: script.newest, newest_is_sealed: Some(false) })
    }

    fn range(&mut self, _: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
        let script = self.script();
        script.answer(script.page.clone())
    }

    fn search_slice(
        &mut self,
        _: &Search,
        _: &mut SearchProgress,
        _: Instant,
        _: Instant,
    ) -> Result<Option<Page>, StoreError> {
        self.script().answer(Some(Page::default()))
    }
}

/// The work of a journal over a [`ScriptedStore`].
struct ScriptedHistory {
    stepper: Stepper,
    store: ScriptedStore,
}

impl ScriptedHistory {
    /// Everything that waits is stored.
    fn store(&mut self) {
        while self.store_first(usize::MAX) {}
    }

    /// The first so many records that wait are stored. Returns whether one was.
    fn store_first(&mut self, count: usize) -> bool {
        let is_one = self.stepper.take_group(count);
        self.stepper.commit();
        self.stepper.report_commit();
        is_one
    }

    /// Another server has stored this.
    fn store_foreign(&mut self, content: EntryContent) {
        self.store.script().stored += u64::from(matches!(content, EntryContent::Message(_)));
        self.stepper.report(Done::Committed(Entry { ticket: None, content }));
    }

    /// Every question that waits is answered.
    fn answer(&mut self) {
        for class in [QuestionClass::Lookup, QuestionClass::Search] {
            while self.stepper.take_question(class).is_some() {
                self.stepper.answer(class);
            }
        }
    }

    /// Nothing that waits can be stored, and no question answered.
    fn fail(&mut self, cause: fn() -> StoreError) {
        self.store.script().failure = Some(cause);
        self.store();
        self.answer();
        self.store.script().failure = None;
    }
}

/// A message that another server stored.
fn message(room: &str, seq: u64, text: &str) -> Message {
    Message {
        room: room.into(),
        seq: Some(seq),
        at: Some(NOW.at),
        from: "afar".into(),
        text: text.into(),
        action: false,
        id: None,
        sealed: None,
    }
}

fn gauges(server: &TestServer) -> Gauges {
    server.reactor.history.as_ref().expect("a history").gauges()
}

fn open(config: Config, newest: u64) -> (TestServer, ScriptedHistory) {
    let store = ScriptedStore::default();
    let (bounds, start) = (JournalBounds::default(), Instant::now());
    let opened = Journal::stepped(Box::new(store.clone()), bounds, move || start, || ());
    let (journal, stepper) = opened.expect("opens");
    (TestServer::open(config, Some((journal, newest)), NOW), ScriptedHistory { stepper, store })
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

/// Turns for as long as the loop has something to do.
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

fn received(pipe: &Pipe) -> String {
    String::from_utf8(pipe.take(usize::MAX)).expect("text")
}

fn send(text: &str, id: u32) -> Vec<u8> {
    frame(format!(r#"{{"type":"send","room":"lobby","text":"{text}","id":"{id:032x}"}}"#))
}

#[test]
fn waiting_records_exceed_the_bound_only_by_single_reads() {
    for first in [&b""[..], b"1         x6         /names"] {
        let (mut server, mut history) = open(unlimited(), 0);
        let (mut expected, mut most) = (0, 0);
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
            let waiting = gauges(&server).waiting_records;
            most = most.max(waiting as usize);
            if waiting == 0 {
                break;
            }
            // They are stored all at once, so that all who wait for that go on in one turn.
            history.store();
        }
        let (stored, waiting) = (history.store.script().stored, gauges(&server).waiting_records);
        assert_eq!((stored, waiting), (expected as u64, 0), "everything is stored, nobody is stuck");
        assert!(most <= WAITING_MAX + 2 * READ_MESSAGES_MAX, "{most} wait in the history");
        drop(ends);
    }
}

#[test]
fn whoever_waited_goes_on_once_the_others_have_been_written_to() {
    let limits = Limits { log_bytes_max: 4_096, ..Limits::default() };
    let (mut server, mut history) = open(Config { limits, ..unlimited() }, 0);
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
    history.store();
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
        let (mut server, mut history) = open(Config { limits, ..unlimited() }, 0);
        let (bob, eve) = (
            enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#),
            enter(&mut server, 2, r#"{"type":"hello","name":"eve"}"#),
        );
        for id in 0..100 {
            bob.send(&send("something to be said", id));
        }
        turn_until_it_waits(&mut server);
        history.store_first(first);
        server.reactor.take_in_done().expect("goes on");
        let is_flooded = server.reactor.hub.is_flooded();
        history.store();
        server.reactor.take_in_done().expect("goes on");
        if is_flooded {
            assert_eq!(history.stepper.unfetched(), 100 - first, "nothing more is fetched");
        }
        turn_until_it_waits(&mut server);
        assert_eq!((server.unstored(), history.stepper.unfetched()), (0, 0), "nothing is left lying there");
        assert_eq!(received(&eve).matches("something to be said").count(), 100);
        assert!(is_flooded || first < 50, "{first}");
    }
}

#[test]
fn errors_for_members_do_not_name_the_hosts_files() {
    let (mut server, mut history) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    let damaged =
        || StoreError::Corrupt { path: PathBuf::from("/srv/secret.db"), detail: "glassline history export".into() };
    let ask = frame(r#"{"type":"search","room":"lobby","query":"x"}"#);
    bob.send(&send("hi", 1));
    turn(&mut server);
    history.fail(|| StoreError::ReadOnly(PathBuf::from("/srv/secret.db")));
    turn_until_it_waits(&mut server);
    bob.send(&ask);
    turn(&mut server);
    history.fail(damaged);
    turn_until_it_waits(&mut server);
    bob.send(&ask);
    turn(&mut server);
    history.fail(|| StoreError::TooSlow);
    turn_until_it_waits(&mut server);
    bob.send(&frame(r#"{"type":"join","room":"den"}"#));
    turn(&mut server);
    history.fail(damaged);
    turn_until_it_waits(&mut server);
    let output = received(&bob);
    for words in [
        r#""not_stored","text":"this could not be stored, so it did not happen; try again later""#,
        r#""busy","text":"the history cannot be read just now; try again later""#,
        r#""busy","text":"this took too long; ask for less""#,
        r#""busy","text":"the history of den cannot be read; try again""#,
    ] {
        assert!(output.contains(words), "no {words} in {output}");
    }
    assert!(!output.contains("secret") && !output.contains("export"), "{output}");
}

#[test]
fn a_report_out_of_order_stops_the_server() {
    let (mut server, mut history) = open(unlimited(), 0);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    bob.send(&[send("one", 1), send("two", 2)].concat());
    turn(&mut server);
    history.stepper.take_group(usize::MAX);
    history
        .stepper
        .report(Done::Committed(Entry { ticket: Some(1), content: EntryContent::Message(message("lobby", 2, "two")) }));
    let error = server.turn(NOW).expect_err("stops").to_string();
    assert!(error.contains("record 1 out of order") && error.contains("start it again"), "{error}");
}

#[test]
fn a_member_in_a_replay_gets_the_goodbye_as_well() {
    let (mut server, mut history) = open(Config { replay: 50, replay_tutorial: 50, ..unlimited() }, 9);
    let eve = enter(&mut server, 1, r#"{"type":"hello","name":"eve","since":{"lobby":3}}"#);
    let tom = connect(&mut server, 2);
    tom.send(&frame("tom"));
    turn_until_it_waits(&mut server);
    let reads = enter(&mut server, 3, r#"{"type":"hello","name":"ann","since":{"lobby":9}}"#);
    assert_eq!(gauges(&server).waiting_questions, 2, "two wait for their replay");
    // Half of a page is on its way to one more, and nothing may come in between.
    let slow = server.connect((Ipv4Addr::new(192, 0, 2, 4), 1).into(), 700);
    slow.send(&opened(r#"{"type":"hello","name":"slow","since":{"lobby":3}}"#));
    turn_until_it_waits(&mut server);
    let welcome = slow.take(usize::MAX).len();
    turn_until_it_waits(&mut server);
    let messages =
        (4..=6).map(|seq| Message { from: "bob".into(), ..message("lobby", seq, &"long ".repeat(100)) }).collect();
    history.store.script().page = Page { messages, more: true };
    for is_answered in [false, false, true] {
        assert!(history.stepper.take_question(QuestionClass::Lookup).is_some());
        if is_answered {
            history.stepper.answer(QuestionClass::Lookup);
        } else {
            history.stepper.drop_question(QuestionClass::Lookup);
        }
    }
    turn_until_it_waits(&mut server);
    let half = slow.take(350).len();
    assert!(welcome > 0 && half > 0);

    server.reactor.begin_closing(false);
    server.reactor.settle_turn(1_000).expect("goes on");
    let unsaid = server.reactor.say_goodbye("until tomorrow");
    while server.reactor.hub.has_writes() {
        server.reactor.write_turn();
    }
    server.reactor.drain_all(unsaid);
    for (pipe, bye) in [(&eve, r#""type":"bye""#), (&tom, "until tomorrow"), (&reads, r#""type":"bye""#)] {
        let output = received(pipe);
        assert_eq!(output.matches("until tomorrow").count(), 1, "{output}");
        assert!(output.contains(bye) && pipe.is_finished(), "{output}");
    }
    // Its socket takes something again, but nothing may come inside a frame.
    let mut output = String::new();
    for _ in 0..10 {
        output += &received(&slow);
        turn(&mut server);
    }
    assert!(slow.is_finished() && !output.contains("bye"), "{output}");
}

#[test]
fn input_of_the_last_moment_is_read_before_the_close() {
    let mut server = TestServer::open(unlimited(), None, NOW);
    let bob = enter(&mut server, 1, r#"{"type":"hello","name":"bob"}"#);
    server.reactor.begin_closing(false);
    let unsaid = server.reactor.say_goodbye("until tomorrow");
    server.reactor.drain_all(unsaid);
    assert!(server.reactor.drain_turn(1).is_some(), "bob has not closed");
    bob.send(&send("late", 1));
    server.note_events();
    assert_eq!(server.reactor.drain_turn(0), None);
    assert_eq!(bob.unread_bytes(), 0, "a close would be a reset");
}

#[test]
fn an_act_that_is_stored_while_the_server_closes_is_in_force() {
    let token = OperatorToken::parse("sixteen bytes or more").expect("a token");
    let (mut server, mut history) = open(Config { operator_token: Some(token), ..unlimited() }, 0);
    let teacher = enter(&mut server, 1, r#"{"type":"hello","name":"teacher"}"#);
    let eve = enter(&mut server, 2, r#"{"type":"hello","name":"eve"}"#);
    for line in ["op sixteen bytes or more", "ban eve 1h"] {
        history.store();
        turn_until_it_waits(&mut server);
        teacher.send(&frame(format!(r#"{{"type":"operate","line":"{line}"}}"#)));
        turn_until_it_waits(&mut server);
    }
    server.reactor.begin_closing(false);
    assert!(server.reactor.settle_turn(1_000).expect("goes on").is_some(), "unsettled");
    history.store();
    assert_eq!(server.reactor.settle_turn(1_000).expect("goes on"), None, "settled");
    let output = received(&eve);
    assert!(output.contains(r#""code":"banned""#) && eve.is_finished(), "{output}");
}

/// So many connect from one address, then each sends its name.
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
    // All are there before the first of them sends its name.
    let class = arrive(&mut server, [192, 0, 2, 1], 70);
    assert_eq!(class.iter().filter(|pipe| pipe.is_finished()).count(), 6, "{}", server.counts());
    assert_eq!(server.counts(), "too_many_from_address=6 joined=64");
    let events = enter(&mut server, 1, r#"{"type":"hello","name":"one more"}"#);
    assert!(events.is_finished() && received(&events).is_empty(), "{}", server.counts());
    let neighbour = enter(&mut server, 2, r#"{"type":"hello","name":"neighbour"}"#);
    assert!(received(&neighbour).contains(r#""type":"welcome""#), "{}", server.counts());
    class[0].reset();
    let later = enter(&mut server, 1, r#"{"type":"hello","name":"later"}"#);
    assert!(received(&later).contains(r#""type":"welcome""#), "{}", server.counts());
}

#[test]
fn a_client_that_the_server_keeps_waiting_is_not_evicted() {
    let limits = Limits { unregistered_per_address_max: 1, ..Limits::default() };
    let mut server = TestServer::open(Config { limits, ..Config::default() }, None, NOW);
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let connect = |server: &mut TestServer| server.connect(peer, 1 << 20);
    let enter = |server: &mut TestServer, hello: &str| {
        let pipe = connect(server);
        pipe.send(&opened(hello));
        server.turn(NOW).expect("a turn");
        pipe
    };
    // All but one of the places of members are held by dead links that are not noticed yet; one of
    // them comes back.
    let members: Vec<Pipe> =
        (0..63).map(|n| enter(&mut server, &format!(r#"{{"type":"hello","name":"m{n}"}}"#))).collect();
    let welcome = received(&members[0]);
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
    // Once all serials are higher than before, and once they wrap around at the sixteenth.
    for first_serial in [0, u32::MAX - 15] {
        let limits = Limits { unregistered_per_address_max: 64, ..Limits::default() };
        let mut server = TestServer::open(Config { limits, ..Config::default() }, None, NOW);
        server.reactor.connections.set_next_serial(first_serial);
        let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
        let elsewhere = server.connect(SocketAddr::from(([192, 0, 2, 2], 4_000)), 1 << 20);
        let silent: Vec<Pipe> = (0..64).map(|_| server.connect(peer, 1 << 20)).collect();
        let class = arrive(&mut server, [192, 0, 2, 1], 30);
        assert!(class.iter().all(|pipe| !pipe.is_finished()), "{}", server.counts());
        let closed = silent.iter().map(Pipe::is_closed);
        assert_eq!(closed.collect::<Vec<_>>(), [[true; 30].as_slice(), &[false; 34]].concat(), "the oldest first");
        assert!(!elsewhere.is_closed(), "and nobody of another address");
    }
}
