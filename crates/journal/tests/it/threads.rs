//! The journal's threads: order, bounds, failures, closing. The store is scripted, except in the
//! first test.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use glassline_journal::{
    Done, Journal, Requester, StoreError, WAITING_BYTES_MAX, WAITING_QUESTIONS_MAX, WAITING_RECORDS_MAX,
    WAITING_SEARCHES_OF_REQUESTER_MAX,
};
use glassline_wire::history::{Answer, Question};
use glassline_wire::request::{HistoryRange, Search};

use crate::scripted_store::*;
use crate::support::*;

#[test]
fn records_are_stored_in_order_of_submission_and_can_be_read() {
    let folder = Folder::new();
    let watched = TestJournal::start(open_kept(&folder.file()));
    let mut ticket = 0;
    for size in [1, 1, 50, 3_000, 1] {
        let records = (0..size).map(|_| {
            ticket += 1;
            (ticket, entry("lobby", "alice", &format!("text {ticket}"), Some(u128::from(ticket)), 1))
        });
        watched.journal.append(pending(records));
    }
    let done = watched.done(ticket as usize);
    assert_eq!(tickets_appended(&done), (1..=ticket).map(|n| (n, n)).collect::<Vec<_>>());
    assert!(watched.journal.ask(1, SOMEBODY, Question::Head("lobby".into())));
    assert!(watched.journal.ask(
        2,
        SOMEBODY,
        Question::Range(HistoryRange { room: "lobby".into(), after: Some(ticket - 2), ..HistoryRange::default() })
    ));
    assert!(watched.journal.ask(
        3,
        SOMEBODY,
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
    assert_eq!(answers[0], (1, Answer::Head(numbers(1, ticket))));
    for (at, wanted) in [(1, vec![ticket - 1, ticket]), (2, vec![77])] {
        let Answer::Page(page) = &answers[at].1 else { panic!("a page") };
        assert_eq!(seqs(page), wanted);
    }
    let gauges = watched.journal.gauges();
    assert_eq!((gauges.stored, gauges.waiting_records, gauges.waiting_bytes, gauges.answered), (ticket, 0, 0, 3));
    assert_eq!(gauges.commit_times.counts.iter().sum::<u64>(), gauges.commits);
    watched.journal.append(pending([(1, entry("lobby", "alice", "last", None, 1))]));
    watched.journal.close(Duration::from_secs(20)).expect("closes");
    let head = open_kept(&folder.file()).reader().expect("a reader").head("lobby", soon()).expect("a head");
    assert_eq!(head.newest, ticket + 1, "closing commits what waits");
}

#[test]
fn the_index_lag_of_an_earlier_server_is_reported_at_the_start() {
    let (mut store, _orders, _seen) = scripted_store(false, false);
    let (_until_the_end, tending) = channel();
    store.tending = Some(tending);
    let journal = Journal::start(store, || {}).expect("starts");
    assert_eq!(journal.gauges().index_lag, LAG);
}

#[test]
fn what_comes_during_a_commit_is_the_next_group() {
    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    for ticket in 2..=300 {
        watched.journal.append(records([ticket]));
    }
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(next(&seen), 299);
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(tickets_appended(&watched.done(300)), (1..=300).map(|n| (n, n)).collect::<Vec<_>>());
    assert_eq!(watched.journal.gauges().commits, 2);
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_failure_is_reported_once_and_nothing_is_stored_after_it() {
    for order_of_failing in [Behaviour::Fail, Behaviour::Panic] {
        let panics = matches!(order_of_failing, Behaviour::Panic);
        let (store, behaviour, seen) = scripted_store(true, false);
        let watched = TestJournal::start(store);
        watched.journal.append(records([1]));
        assert_eq!(next(&seen), 1);
        watched.journal.append(records(2..=5));
        behaviour.send(order_of_failing).expect("taken");
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
    let (store, _order, _seen) = scripted_store(false, true);
    let watched = TestJournal::start(store);
    assert!(watched.journal.ask(1, SOMEBODY, Question::Head("lobby".into())));
    let done = watched.done(1);
    assert!(matches!(&done[..], [Done::Failed(StoreError::Panicked(_))]), "{done:?}");
    assert!(watched.journal.close(Duration::from_secs(20)).is_err());
}

#[test]
fn it_is_full_at_its_bounds_and_a_group_has_bounds_too() {
    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..WAITING_RECORDS_MAX as u64));
    assert!(!watched.journal.is_full());
    watched.journal.append(records([WAITING_RECORDS_MAX as u64]));
    assert!(watched.journal.is_full(), "what is being committed counts");
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(next(&seen), 4_096);
    assert!(!watched.journal.is_full());
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(next(&seen), WAITING_RECORDS_MAX - 1 - 4_096);
    behaviour.send(Behaviour::Store).expect("taken");
    watched.done(WAITING_RECORDS_MAX);
    // Now by bytes: each waits for the one before.
    let long = "x".repeat(16 * 1024);
    let count = WAITING_BYTES_MAX / long.len();
    watched.journal.append(pending((0..count as u64).map(|ticket| (ticket, entry("lobby", "alice", &long, None, 1)))));
    assert!(watched.journal.is_full());
    let mut left = count;
    while left > 0 {
        let group = next(&seen);
        assert!(group * long.len() <= 4 * 1024 * 1024, "{group} in a group");
        left -= group;
        behaviour.send(Behaviour::Store).expect("taken");
    }
    watched.done(count);
    assert!(!watched.journal.is_full());
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn questions_are_bounded_and_unfetched_answers_stop_answering() {
    let (store, _order, _seen) = scripted_store(false, false);
    let watched = TestJournal::start(store);
    let mut asked = 0;
    let deadline = soon();
    // Answering stops when nobody fetches, so that the queue fills.
    while watched.journal.ask(asked, SOMEBODY, Question::Head("lobby".into())) {
        asked += 1;
        assert!(asked < 100_000 && Instant::now() < deadline, "no bound");
    }
    assert!(asked >= WAITING_QUESTIONS_MAX as u64);
    let answered = watched.done(asked as usize);
    for (ticket, done) in (0_u64..).zip(&answered) {
        assert!(matches!(done, Done::Answered { ticket: found, .. } if *found == ticket), "{done:?}");
    }
    assert!(watched.journal.ask(asked, SOMEBODY, Question::Head("lobby".into())), "there is room again");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

fn a_search() -> Question {
    Question::Search(Search { room: "lobby".into(), query: "words".into(), before: None, limit: None })
}

#[test]
fn heads_and_pages_are_answered_while_searches_take_their_time() {
    let (mut store, _orders, _seen) = scripted_store(false, false);
    let ((begun, has_begun), (end, held)) = (channel(), channel());
    store.searching = Some(Arc::new(Mutex::new((begun, held))));
    let watched = TestJournal::start(store);
    assert!(watched.journal.ask(0, SOMEBODY, a_search()));
    has_begun.recv_timeout(Duration::from_secs(20)).expect("a search begins");
    // The requester's queue fills, and what does not fit is answered so at once.
    let count = WAITING_SEARCHES_OF_REQUESTER_MAX as u64;
    for ticket in 1..=count {
        assert!(watched.journal.ask(ticket, SOMEBODY, a_search()));
    }
    assert_eq!(watched.journal.gauges().waiting_questions, count);
    assert!(watched.journal.ask(count + 1, SOMEBODY, a_search()));
    let done = watched.done(1);
    assert!(
        matches!(&done[..], [Done::Answered { ticket, answer: Err(StoreError::TooSlow) }] if *ticket == count + 1),
        "{done:?}"
    );
    // All the while rooms can be entered and read, and others search.
    assert!(watched.journal.ask(5_000, SOMEBODY, Question::Head("lobby".into())));
    let range = Question::Range(HistoryRange { room: "lobby".into(), ..HistoryRange::default() });
    assert!(watched.journal.ask(5_001, SOMEBODY, range));
    let done = watched.done(2);
    for (done, wanted) in done.iter().zip([5_000, 5_001]) {
        assert!(matches!(done, Done::Answered { ticket, answer: Ok(_) } if *ticket == wanted), "{done:?}");
    }
    assert!(watched.journal.ask(6_000, Requester { subnet: 1, number: 2 }, a_search()));
    assert!(watched.journal.ask(7_000, Requester { subnet: 2, number: 3 }, a_search()));
    drop(end);
    let done = watched.done(count as usize + 3);
    assert!(done.iter().all(|done| matches!(done, Done::Answered { answer: Ok(_), .. })), "each gets its turn");
    let behaviour: Vec<u64> = done.iter().map(ticket_answered).collect();
    let place = |ticket: u64| behaviour.iter().position(|answered| *answered == ticket).expect("answered");
    // The one that was being answered, and one of the first requester's at most.
    assert!(place(7_000) <= 2 && place(6_000) <= 3, "{behaviour:?}");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

fn ticket_answered(done: &Done) -> u64 {
    let Done::Answered { ticket, .. } = done else { panic!("an answer, not {done:?}") };
    *ticket
}

/// Searches of one subnet never end by themselves; each turn of one is a step that the test counts.
#[test]
fn a_search_waits_one_turn_per_neighbour_and_one_per_subnet() {
    let (mut store, _orders, _seen) = scripted_store(false, false);
    let turns = Arc::new(Mutex::new(Vec::new()));
    store.turns = Some(Arc::clone(&turns));
    let watched = TestJournal::start(store);
    // Each takes so many turns; the first of all holds the thread until everything is asked.
    let long = |ticket: u64, turns: u64| {
        Question::Search(Search { room: ticket.to_string(), query: turns.to_string(), before: None, limit: None })
    };
    let crowd = 63;
    let held = turns.lock().expect("no panic");
    for ticket in 0..crowd {
        assert!(watched.journal.ask(ticket, Requester { subnet: 1, number: ticket }, long(ticket, 50)));
    }
    assert!(watched.journal.ask(100, Requester { subnet: 1, number: 100 }, long(100, 3)));
    assert!(watched.journal.ask(200, Requester { subnet: 2, number: 200 }, long(200, 3)));
    drop(held);
    let done = watched.done(crowd as usize + 2);
    assert!(done.iter().all(|done| matches!(done, Done::Answered { answer: Ok(_), .. })));
    let turns = turns.lock().expect("no panic");
    let before = |ticket: u64, number: usize| {
        let places = turns.iter().enumerate().filter(|(_, turn)| **turn == ticket);
        places.map(|(place, _)| place).nth(number).expect("as many turns")
    };
    assert!(before(200, 2) <= 6, "another subnet has every second turn: {}", before(200, 2));
    assert!(before(100, 0) <= crowd as usize + 4, "{}", before(100, 0));
    assert!(before(100, 2) <= 3 * (crowd as usize + 1) + 4, "{}", before(100, 2));
    let behaviour: Vec<u64> = done.iter().map(ticket_answered).collect();
    assert_eq!(behaviour[..2], [200, 100], "answers of others before theirs: none");
}

#[test]
fn failing_maintenance_is_reported_once_and_counted_each_time() {
    let (mut store, _orders, _seen) = scripted_store(false, false);
    // Taken from the end: it fails twice, goes well, and fails once more.
    store.maintenance_failures = vec![1, 2];
    let watched = TestJournal::start(store);
    let done = watched.done(2);
    for done in &done {
        assert!(matches!(done, Done::MaintenanceFailed(StoreError::Full)), "{done:?}");
    }
    assert_eq!((done.len(), watched.journal.gauges().maintenance_failures), (2, 3));
    watched.journal.append(records([1]));
    assert_eq!(tickets_appended(&watched.done(1)), [(1, 1)], "it goes on");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
}

#[test]
fn a_journal_that_is_dropped_commits_what_waits() {
    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..=3));
    drop(watched.journal);
    behaviour.send(Behaviour::Store).expect("taken");
    assert_eq!(next(&seen), 2);
    behaviour.send(Behaviour::Store).expect("taken");
}

#[test]
fn closing_commits_what_waits_and_gives_up_in_time() {
    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    watched.journal.append(records(2..=3));
    behaviour.send(Behaviour::Store).expect("taken");
    behaviour.send(Behaviour::Store).expect("taken");
    watched.journal.close(Duration::from_secs(20)).expect("closes");
    assert_eq!(seen.try_iter().sum::<usize>(), 2);

    let (store, behaviour, seen) = scripted_store(true, false);
    let watched = TestJournal::start(store);
    watched.journal.append(records([1]));
    assert_eq!(next(&seen), 1);
    assert!(watched.journal.close(Duration::from_millis(10)).is_err(), "the commit does not end");
    behaviour.send(Behaviour::Store).expect("taken");
}
