//! The journal's threads: order, bounds, refusals, failures, closing. The store is a false one that does as it is told, but for the
//! first test.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use glassline_journal::{
    Answer, Done, Head, Journal, Outcome, Page, Question, Reader, Record, Store, StoreError, Ticket, WAITING_BYTES_MAX,
    WAITING_QUESTIONS_MAX, WAITING_RECORDS_MAX,
};
use glassline_wire::event::Act;
use glassline_wire::request::{HistoryRange, Search};

use crate::support::*;

/// Wakes the test as it would wake a server's loop.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().expect("no panic") = true;
        self.rings.notify_all();
    }

    fn wait(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut rung, waited) =
            self.rings.wait_timeout_while(self.rung.lock().expect("no panic"), left, |rung| !*rung).expect("no panic");
        assert!(!waited.timed_out(), "nobody rang");
        *rung = false;
    }
}

/// A journal and what it has said so far.
struct Watched {
    journal: Journal,
    bell: Arc<Bell>,
}

impl Watched {
    fn start(store: Box<dyn Store>) -> Self {
        let bell = Arc::new(Bell::default());
        let rung = Arc::clone(&bell);
        Self { journal: Journal::start(store, move || rung.ring()).expect("starts"), bell }
    }

    /// Fetches until there are as many.
    fn done(&self, count: usize) -> Vec<Done> {
        let deadline = soon();
        let mut done = self.journal.take_done();
        while done.len() < count {
            self.bell.wait(deadline);
            done.extend(self.journal.take_done());
        }
        done
    }
}

fn tickets_appended(done: &[Done]) -> Vec<(Ticket, u64)> {
    done.iter()
        .map(|done| match done {
            Done::Appended { ticket, outcome: Outcome::Stored { seq } } => (*ticket, *seq),
            other => panic!("stored, not {other:?}"),
        })
        .collect()
}

#[test]
fn what_is_handed_over_is_stored_in_that_order_and_can_be_asked_for() {
    let folder = Folder::new();
    let watched = Watched::start(open_kept(&folder.file()));
    let mut ticket = 0;
    for size in [1, 1, 50, 3_000, 1] {
        let records = (0..size)
            .map(|_| {
                ticket += 1;
                (ticket, entry("lobby", "alice", &format!("text {ticket}"), Some(u128::from(ticket)), 1))
            })
            .collect();
        watched.journal.append(records);
    }
    let done = watched.done(ticket as usize);
    assert_eq!(tickets_appended(&done), (1..=ticket).map(|n| (n, n)).collect::<Vec<_>>());
    assert!(watched.journal.ask(1, Question::Head("lobby".into())));
    assert!(watched.journal.ask(
        2,
        Question::Range(HistoryRange { room: "lobby".into(), after: Some(ticket - 2), ..HistoryRange::default() })
    ));
    assert!(watched.journal.ask(
        3,
        Question::Search(Search { room: "lobby".into(), query: "TEXT 77".into(), before: Some(100), limit: None })
    ));
    let mut answers: Vec<_> = watched
        .done(3)
        .into_iter()
        .map(|done| match done {
            Done::Answered { ticket, answer } => (ticket, answer.expect("answered")),
            other => panic!("an answer, not {other:?}"),
        })
        .collect();
    // A search may be overtaken, and overtake.
    answers.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(answers[0], (1, Answer::Head(Head { oldest: 1, newest: ticket })));
    for (at, wanted) in [(1, vec![ticket - 1, ticket]), (2, vec![77])] {
        let Answer::Page(page) = &answers[at].1 else { panic!("a page") };
        assert_eq!(seqs(page), wanted);
    }
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.stored, gauges.waiting_records, gauges.waiting_bytes, gauges.answered), (ticket, 0, 0, 3));
    assert_eq!(gauges.commit_times.counts.iter().sum::<u64>(), gauges.commits);
    watched.journal.append(vec![(1, entry("lobby", "alice", "last", None, 1))]);
    watched.journal.close(Duration::from_secs(20)).expect("closes");
    let head = open_kept(&folder.file()).reader().expect("a reader").head("lobby", soon()).expect("a head");
    assert_eq!(head.newest, ticket + 1, "closing commits what waits");
}

/// What the false store does with the next batch.
enum Order {
    Store,
    Refuse,
    Fail,
    Panic,
}

/// Does with each batch what it is told, and says how many records it was handed. Without orders it stores.
struct Told {
    orders: Receiver<Order>,
    batches: Sender<usize>,
    obeying: bool,
    newest: u64,
    reader_panics: bool,
    /// Tending ends when the other side of this does.
    tending: Option<Receiver<()>>,
    /// How often tending fails before it goes well, and then again.
    tend_failures: Vec<usize>,
    /// A search says that it has begun, and ends when the other side of this does.
    searching: Option<Held>,
}

/// What a held search says, and what it waits for.
type Held = Arc<Mutex<(Sender<()>, Receiver<()>)>>;

/// What it says of its index.
const LAG: u64 = 7;

fn told(obeying: bool, reader_panics: bool) -> (Box<Told>, Sender<Order>, Receiver<usize>) {
    let (order, orders) = channel();
    let (batches, seen) = channel();
    (
        Box::new(Told {
            orders,
            batches,
            obeying,
            newest: 0,
            reader_panics,
            tending: None,
            tend_failures: Vec::new(),
            searching: None,
        }),
        order,
        seen,
    )
}

impl Store for Told {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<Outcome>, StoreError> {
        let _ = self.batches.send(batch.len());
        let order = if self.obeying {
            self.orders.recv_timeout(Duration::from_secs(20)).expect("an order in time")
        } else {
            Order::Store
        };
        match order {
            Order::Store => {
                let from = self.newest + 1;
                self.newest += batch.len() as u64;
                Ok(stored(from..=self.newest))
            }
            Order::Refuse => Err(StoreError::Full),
            Order::Fail => Err(StoreError::WriteFailed("as told".into())),
            Order::Panic => panic!("as told"),
        }
    }

    fn repeats(&mut self, batch: &[Record]) -> Result<Vec<Option<Outcome>>, StoreError> {
        let is_old = |record: &Record| matches!(record, Record::Message(entry) if entry.message.text == "old");
        Ok(batch.iter().map(|record| is_old(record).then_some(Outcome::IdReused)).collect())
    }

    fn tend(&mut self, _: Duration) -> Result<bool, StoreError> {
        if let Some(tending) = &self.tending {
            let _ = tending.recv_timeout(Duration::from_secs(20));
        }
        if let Some(left) = self.tend_failures.last_mut() {
            if *left > 0 {
                *left -= 1;
                return Err(StoreError::Full);
            }
            self.tend_failures.pop();
            return Ok(true);
        }
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(Silent { panics: self.reader_panics, searching: self.searching.clone() }))
    }

    fn index_lag(&self) -> u64 {
        LAG
    }

    fn acts(&mut self, _: &mut dyn FnMut(Act)) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Silent {
    panics: bool,
    searching: Option<Held>,
}

impl Reader for Silent {
    fn head(&mut self, _: &str, _: Instant) -> Result<Head, StoreError> {
        assert!(!self.panics, "as told");
        Ok(Head::default())
    }

    fn range(&mut self, _: &HistoryRange, _: Instant) -> Result<Page, StoreError> {
        Ok(Page::default())
    }

    fn search(&mut self, _: &Search, _: Instant) -> Result<Page, StoreError> {
        if let Some(held) = &self.searching {
            let held = held.lock().expect("no panic");
            let _ = held.0.send(());
            let _ = held.1.recv_timeout(Duration::from_secs(20));
        }
        Ok(Page::default())
    }
}

fn records(tickets: impl IntoIterator<Item = Ticket>) -> Vec<(Ticket, Record)> {
    tickets.into_iter().map(|ticket| (ticket, entry("lobby", "alice", "hi", None, 1))).collect()
}

fn next(seen: &Receiver<usize>) -> usize {
    seen.recv_timeout(Duration::from_secs(20)).expect("a batch in time")
}

#[test]
fn what_an_earlier_server_left_to_be_indexed_is_told_before_anything_is_done() {
    let (mut store, _orders, _seen) = told(false, false);
    let (_until_the_end, tending) = channel();
    store.tending = Some(tending);
    let journal = Journal::start(store, || {}).expect("starts");
    assert_eq!(journal.gauges().index_lag, LAG);
}

#[test]
fn what_comes_during_a_commit_is_the_next_group() {
    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    for ticket in 2..=300 {
        watched.journal.append(records([ticket]));
    }
    order.send(Order::Store).expect("taken");
    assert_eq!(next(&seen), 299);
    order.send(Order::Store).expect("taken");
    assert_eq!(tickets_appended(&watched.done(300)), (1..=300).map(|n| (n, n)).collect::<Vec<_>>());
    assert_eq!(watched.journal.gauges().commits, 2);
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_refused_group_is_refused_to_each_that_was_not_stored_before_and_the_next_is_stored() {
    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    let mut group = records(1..=3);
    group[1].1 = entry("lobby", "alice", "old", None, 1);
    watched.journal.append(group);
    assert_eq!(next(&seen), 3);
    order.send(Order::Refuse).expect("taken");
    let done = watched.done(3);
    let is_refused = |done: &Done, of: Ticket| matches!(done, Done::NotStored { ticket, error } if *ticket == of && matches!(**error, StoreError::Full));
    assert!(is_refused(&done[0], 1) && is_refused(&done[2], 3), "{done:?}");
    assert!(matches!(done[1], Done::Appended { ticket: 2, outcome: Outcome::IdReused }), "{done:?}");
    watched.journal.append(records([4]));
    order.send(Order::Store).expect("taken");
    assert_eq!(tickets_appended(&watched.done(1)), [(4, 1)]);
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.not_stored, gauges.repeated), (2, 1));
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_failure_is_said_once_and_nothing_is_stored_behind_it() {
    for order_of_failing in [Order::Fail, Order::Panic] {
        let panics = matches!(order_of_failing, Order::Panic);
        let (store, order, seen) = told(true, false);
        let watched = Watched::start(store);
        watched.journal.append(records([1]));
        assert_eq!(next(&seen), 1);
        watched.journal.append(records(2..=5));
        order.send(order_of_failing).expect("taken");
        let done = watched.done(1);
        match &done[..] {
            [Done::Failed(StoreError::WriteFailed(_))] => assert!(!panics),
            [Done::Failed(StoreError::Panicked(_))] => assert!(panics),
            other => panic!("one failure, not {other:?}"),
        }
        watched.journal.append(records([6]));
        assert!(watched.journal.close(Duration::from_secs(20)).is_err(), "closing tells it too");
        assert!(seen.try_recv().is_err(), "the store is not used any more");
    }
}

#[test]
fn a_panic_of_the_reader_is_a_failure() {
    let (store, _order, _seen) = told(false, true);
    let watched = Watched::start(store);
    assert!(watched.journal.ask(1, Question::Head("lobby".into())));
    let done = watched.done(1);
    assert!(matches!(&done[..], [Done::Failed(StoreError::Panicked(_))]), "{done:?}");
    assert!(watched.journal.close(Duration::from_secs(20)).is_err());
}

#[test]
fn it_is_full_at_its_bounds_and_a_group_has_bounds_too() {
    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..WAITING_RECORDS_MAX as u64));
    assert!(!watched.journal.is_full());
    watched.journal.append(records([WAITING_RECORDS_MAX as u64]));
    assert!(watched.journal.is_full(), "what is being committed counts");
    order.send(Order::Store).expect("taken");
    assert_eq!(next(&seen), 4_096);
    assert!(!watched.journal.is_full());
    order.send(Order::Store).expect("taken");
    assert_eq!(next(&seen), WAITING_RECORDS_MAX - 1 - 4_096);
    order.send(Order::Store).expect("taken");
    watched.done(WAITING_RECORDS_MAX);
    // Now by bytes: each waits for the one before.
    let long = "x".repeat(16 * 1024);
    let count = WAITING_BYTES_MAX / long.len();
    watched.journal.append((0..count as u64).map(|ticket| (ticket, entry("lobby", "alice", &long, None, 1))).collect());
    assert!(watched.journal.is_full());
    let mut left = count;
    while left > 0 {
        let group = next(&seen);
        assert!(group * long.len() <= 4 * 1024 * 1024, "{group} in a group");
        left -= group;
        order.send(Order::Store).expect("taken");
    }
    watched.done(count);
    assert!(!watched.journal.is_full());
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn questions_have_a_bound_and_answers_nobody_fetches_stop_the_answering() {
    let (store, _order, _seen) = told(false, false);
    let watched = Watched::start(store);
    let mut asked = 0;
    let deadline = soon();
    // Answering stops when nobody fetches, so that the queue fills.
    while watched.journal.ask(asked, Question::Head("lobby".into())) {
        asked += 1;
        assert!(asked < 100_000 && Instant::now() < deadline, "no bound");
    }
    assert!(asked >= WAITING_QUESTIONS_MAX as u64);
    let answered = watched.done(asked as usize);
    for (ticket, done) in (0_u64..).zip(&answered) {
        assert!(matches!(done, Done::Answered { ticket: found, .. } if *found == ticket), "{done:?}");
    }
    assert!(watched.journal.ask(asked, Question::Head("lobby".into())), "there is room again");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

fn a_search() -> Question {
    Question::Search(Search { room: "lobby".into(), query: "words".into(), before: None, limit: None })
}

#[test]
fn heads_and_pages_are_answered_while_searches_take_their_time() {
    let (mut store, _orders, _seen) = told(false, false);
    let ((begun, has_begun), (end, held)) = (channel(), channel());
    store.searching = Some(Arc::new(Mutex::new((begun, held))));
    let watched = Watched::start(store);
    assert!(watched.journal.ask(0, a_search()));
    has_begun.recv_timeout(Duration::from_secs(20)).expect("a search begins");
    // The queue of searches fills, and what finds no place in it is told so.
    let count = WAITING_QUESTIONS_MAX as u64;
    for ticket in 1..=count {
        assert!(watched.journal.ask(ticket, a_search()));
    }
    assert_eq!(watched.journal.gauges().waiting_questions, count);
    assert!(watched.journal.ask(count + 1, a_search()));
    let done = watched.done(1);
    assert!(
        matches!(&done[..], [Done::Answered { ticket, answer: Err(StoreError::TooSlow) }] if *ticket == count + 1),
        "{done:?}"
    );
    // All the while rooms can be entered and read.
    assert!(watched.journal.ask(5_000, Question::Head("lobby".into())));
    assert!(
        watched.journal.ask(5_001, Question::Range(HistoryRange { room: "lobby".into(), ..HistoryRange::default() }))
    );
    let done = watched.done(2);
    for (done, wanted) in done.iter().zip([5_000, 5_001]) {
        assert!(matches!(done, Done::Answered { ticket, answer: Ok(_) } if *ticket == wanted), "{done:?}");
    }
    drop(end);
    let done = watched.done(count as usize + 1);
    assert!(done.iter().all(|done| matches!(done, Done::Answered { answer: Ok(_), .. })), "each gets its turn");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn that_tending_fails_is_said_once_until_it_goes_well_and_counted_each_time() {
    let (mut store, _orders, _seen) = told(false, false);
    // Taken from the end: it fails twice, goes well, and fails once more.
    store.tend_failures = vec![1, 2];
    let watched = Watched::start(store);
    let done = watched.done(2);
    for done in &done {
        assert!(matches!(done, Done::Untended(StoreError::Full)), "{done:?}");
    }
    assert_eq!((done.len(), watched.journal.gauges().tend_failures), (2, 3));
    watched.journal.append(records([1]));
    assert_eq!(tickets_appended(&watched.done(1)), [(1, 1)], "it goes on");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

/// Has no number left for records that say so.
struct Picky {
    newest: u64,
}

impl Store for Picky {
    fn append(&mut self, batch: &[Record]) -> Result<Vec<Outcome>, StoreError> {
        if batch.iter().any(|record| matches!(record, Record::Message(entry) if entry.message.room == "new")) {
            return Err(StoreError::UsedUp("no more rooms".into()));
        }
        let from = self.newest + 1;
        self.newest += batch.len() as u64;
        Ok(stored(from..=self.newest))
    }

    fn repeats(&mut self, _: &[Record]) -> Result<Vec<Option<Outcome>>, StoreError> {
        Err(StoreError::TooSlow)
    }

    fn tend(&mut self, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(Silent { panics: false, searching: None }))
    }

    fn index_lag(&self) -> u64 {
        0
    }

    fn acts(&mut self, _: &mut dyn FnMut(Act)) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn whoever_finds_no_number_left_is_refused_alone_and_all_in_their_order() {
    let watched = Watched::start(Box::new(Picky { newest: 0 }));
    let is_new = |ticket: Ticket| [0, 7, 8, 99].contains(&ticket);
    let group =
        (0..100).map(|ticket| (ticket, entry(if is_new(ticket) { "new" } else { "lobby" }, "alice", "hi", None, 1)));
    watched.journal.append(group.collect());
    let done = watched.done(100);
    let mut newest = 0;
    for (wanted, done) in (0..).zip(&done) {
        match done {
            Done::NotStored { ticket, error } => {
                assert!(matches!(**error, StoreError::UsedUp(_)));
                assert!(*ticket == wanted && is_new(wanted));
            }
            Done::Appended { ticket, outcome: Outcome::Stored { seq } } => {
                newest += 1;
                assert_eq!((*ticket, *seq, is_new(wanted)), (wanted, newest, false));
            }
            other => panic!("stored or refused, not {other:?}"),
        }
    }
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.stored, gauges.not_stored, gauges.waiting_records, gauges.waiting_bytes), (96, 4, 0, 0));
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_journal_that_is_dropped_commits_what_waits() {
    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..=3));
    drop(watched.journal);
    order.send(Order::Store).expect("taken");
    assert_eq!(next(&seen), 2);
    order.send(Order::Store).expect("taken");
}

#[test]
fn closing_commits_what_waits_and_gives_up_in_time() {
    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..=3));
    order.send(Order::Store).expect("taken");
    order.send(Order::Store).expect("taken");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
    assert_eq!(seen.try_iter().sum::<usize>(), 2);

    let (store, order, seen) = told(true, false);
    let watched = Watched::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    assert!(watched.journal.close(Duration::from_millis(10)).is_err(), "the commit does not end");
    order.send(Order::Store).expect("taken");
}
