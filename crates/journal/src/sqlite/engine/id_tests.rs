//! Ids from one end to the other: the window as the engine fills it, loads it and answers from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use glassline_testkit::for_each_seed;
use glassline_wire::event::Message;
use glassline_wire::history::{CommitOutcome, NewMessage, NotAppended, Record};
use glassline_wire::message_id::MessageId;
use glassline_wire::timestamp::Timestamp;

use super::Engine;
use super::tests::{Folder, batch, newest, record};
use crate::sqlite::id_window::IdWindow;
use crate::sqlite::retention::{Clock, CountedRow, Keep, Retention, remove};
use crate::sqlite::rowid::rowid;
use crate::store::{Store, StoreError};

/// A message of these tests.
#[derive(Debug, Clone)]
struct Said {
    room: &'static str,
    from: String,
    author: u64,
    id: Option<u128>,
    after: Option<u64>,
    at_ms: u64,
}

impl Said {
    fn by(from: &str, author: u64, id: u128) -> Self {
        Self { room: "lobby", from: from.to_string(), author, id: Some(id), after: None, at_ms: 7 }
    }

    fn after(self, after: u64) -> Self {
        Self { after: Some(after), ..self }
    }

    fn record(&self) -> Record {
        let message = Message {
            room: self.room.to_string(),
            seq: None,
            at: Some(Timestamp::from_unix_ms(self.at_ms)),
            from: self.from.clone(),
            text: "hi".to_string(),
            action: false,
            id: self.id.map(MessageId),
            sealed: None,
        };
        Record::Message(NewMessage { message, author: self.author, after: self.after, subnet: 1 })
    }
}

/// Number of an acknowledged message, or the refusal.
fn answer(engine: &mut Engine, said: &Said) -> Result<(u64, &'static str), CommitOutcome> {
    let mut outcomes = engine.append(&[said.record()]).expect("answers");
    match outcomes.pop().expect("one outcome") {
        CommitOutcome::Stored { seq } => Ok((seq, "stored")),
        CommitOutcome::NotAppended(NotAppended::Again(stored)) => Ok((stored.seq.expect("a number"), "again")),
        refused @ CommitOutcome::NotAppended(_) => Err(refused),
    }
}

/// An engine with a window of so many messages.
fn engine(folder: &Folder, messages_max: usize) -> Engine {
    let mut engine = folder.engine();
    engine.ids = IdWindow::new(messages_max);
    // No machine crashes here, and waiting for the disk takes most of the time.
    engine.connection().pragma_update(None, "synchronous", "OFF").expect("sets");
    engine
}

fn tend_to_the_end(engine: &mut Engine) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while engine.maintain(Duration::from_millis(50)).expect("tends") {
        assert!(Instant::now() < deadline, "tending does not end");
    }
}

#[test]
fn what_left_the_window_is_not_guessed() {
    let folder = Folder::new();
    let mut engine = engine(&folder, 10);
    let said = |number: u128| Said::by("alice", 1, number);
    for number in 1..=30 {
        assert_eq!(answer(&mut engine, &said(number).after(u64::MAX)), Ok((number as u64, "stored")));
    }
    for reopened in [false, true] {
        if reopened {
            drop(engine);
            engine = self::engine(&folder, 10);
        }
        assert_eq!(answer(&mut engine, &said(21).after(0)), Ok((21, "again")), "known, whatever the client knew");
        assert_eq!(answer(&mut engine, &said(20).after(19)), Err(CommitOutcome::NotAppended(NotAppended::TooLate)));
        assert_eq!(answer(&mut engine, &said(1).after(0)), Err(CommitOutcome::NotAppended(NotAppended::TooLate)));
        assert_eq!(engine.find_duplicates(&[said(1).after(0).record()]).expect("reads"), [Some(NotAppended::TooLate)]);
    }
    // Each message after 20 is in the window, and this is none of them.
    assert_eq!(answer(&mut engine, &said(40).after(20)), Ok((31, "stored")));
    assert_eq!(
        answer(&mut engine, &said(41).after(20)),
        Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
        "and now it is 21"
    );
    // A client that does not state what it knew sends a new message, as far as the server can
    // determine.
    assert_eq!(answer(&mut engine, &said(1)), Ok((32, "stored")));
    assert_eq!(newest(&engine), 32);
}

#[test]
fn rooms_share_the_window_and_messages_without_ids_count() {
    let folder = Folder::new();
    let mut engine = engine(&folder, 4);
    let den = |number: u128| Said { room: "den", ..Said::by("alice", 1, number) };
    assert_eq!(answer(&mut engine, &den(1).after(0)), Ok((1, "stored")));
    assert_eq!(answer(&mut engine, &den(2).after(1)), Ok((2, "stored")));
    engine.append(&[record(None, "a"), record(None, "b"), record(None, "c")]).expect("stores");
    assert_eq!(
        answer(&mut engine, &den(1).after(0)),
        Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
        "the lobby took its place"
    );
    assert_eq!(answer(&mut engine, &den(2).after(0)), Ok((2, "again")));
    engine.append(&[record(None, "d")]).expect("stores");
    assert_eq!(
        answer(&mut engine, &den(3).after(1)),
        Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
        "it may be number 2"
    );
    assert_eq!(answer(&mut engine, &den(3).after(2)), Ok((3, "stored")));
    // In a room of tutorial members no number is too late that the window still has.
    assert_eq!(answer(&mut engine, &Said::by("bob", 2, 9).after(1)), Ok((5, "stored")));
}

/// Instructions of `SQLite`'s machine that an append takes.
fn work(engine: &mut Engine, said: &Said) -> u64 {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    engine.db.connection_mut().progress_handler(1, Some(count)).expect("counts");
    engine.append(&[said.record()]).expect("answers");
    engine.db.connection_mut().progress_handler(0, None::<fn() -> bool>).expect("ends counting");
    steps.load(Ordering::Relaxed)
}

#[test]
fn one_id_of_many_senders_costs_no_more_than_an_own_one() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    // Compiles the statements, and opens the rooms.
    engine.append(&batch(1, 5, "hi")).expect("stores");
    let own = work(&mut engine, &Said::by("zoe", 9, 1_000));
    let repeat = {
        answer(&mut engine, &Said::by("zoe", 9, 1_001)).expect("stored");
        work(&mut engine, &Said::by("zoe", 9, 1_001))
    };
    let mallory = |number: u64| Said::by(&format!("mallory{number}"), 100 + number, 7_777);
    let crowd: Vec<Record> = (0..3_000).map(|number| mallory(number).record()).collect();
    engine.append(&crowd).expect("stores");
    let rooms: Vec<Record> =
        (0..300).map(|_| Said { room: "den", ..mallory(0) }.record()).chain([mallory(1).record()]).collect();
    engine.append(&rooms).expect("answers");
    for (what, said, bound) in [
        ("another sender", mallory(5_000), own),
        ("the same sender", mallory(2_000), repeat),
        ("the same sender under another name", Said { author: 2_100, ..mallory(9_000) }, repeat),
        ("the same name with another token", Said { author: 77, ..mallory(1_000) }, repeat),
        ("with a number that is known", mallory(6_000).after(3), own),
    ] {
        let steps = work(&mut engine, &said);
        assert!(steps <= bound + bound / 8, "{what}: {steps} steps, {bound} where nobody else used the id");
    }
    // Honest people beside it are stored and acknowledged.
    assert!(matches!(answer(&mut engine, &Said::by("alice", 1, 7_777)), Ok((_, "stored"))));
    assert!(matches!(answer(&mut engine, &Said::by("alice", 1, 7_777)), Ok((_, "again"))));
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let folder = Folder::new();
    let mut engine = engine(&folder, 100);
    for round in 0..40_u64 {
        let said = (0..50).map(|number| Said::by(&format!("m{round}-{number}"), 1 + round * 50 + number, 7).record());
        engine.append(&said.collect::<Vec<_>>()).expect("stores");
        engine.append(&batch(u128::from(round) + 100, 1, "hi")).expect("stores");
    }
    let [messages, keys, rooms] = engine.ids.sizes();
    assert!(messages <= 100 && keys <= 200 && rooms <= 100, "{messages} messages, {keys} keys, {rooms} rooms");
}

#[test]
fn a_batch_that_fails_leaves_its_ids_unknown() {
    let folder = Folder::new();
    let mut engine = engine(&folder, 50);
    engine.append(&batch(1, 60, "hi")).expect("stores");
    let pages: u64 = engine.connection().pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    engine.connection().pragma_update(None, "max_page_count", pages + 1).expect("sets");
    let refused = engine.append(&batch(61, 100, &"x".repeat(1_000)));
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    // What the window had before it has still.
    let again = engine.find_duplicates(&batch(11, 50, "hi")).expect("reads");
    assert!(again.iter().all(|outcome| matches!(outcome, Some(NotAppended::Again(_)))), "{again:?}");
    engine.connection().pragma_update(None, "max_page_count", 1_000_000).expect("sets");
    assert_eq!(engine.append(&batch(61, 1, "hi")).expect("stores"), [CommitOutcome::Stored { seq: 61 }]);
}

#[test]
fn removed_and_damaged_messages_are_not_stored_again() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 500, "hi")).expect("stores");
    engine.retention = Retention::new(Keep { days: Some(1), bytes: None }, Clock::start());
    tend_to_the_end(&mut engine);
    assert_eq!(engine.messages(), 0);
    engine.retention = Retention::new(Keep::default(), Clock::start());
    let said = |number: u128| Said::by("alice", 1, number);
    assert_eq!(answer(&mut engine, &said(3)), Err(CommitOutcome::NotAppended(NotAppended::TooLate)));
    drop(engine);
    let mut engine = folder.engine();
    assert_eq!(
        answer(&mut engine, &said(3).after(2)),
        Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
        "its number is gone"
    );
    assert_eq!(answer(&mut engine, &said(600).after(500)), Ok((501, "stored")));
    for number in 601..=610 {
        assert!(answer(&mut engine, &said(number).after(500)).is_ok());
    }
    drop(engine);
    // A row whose sender is unknown: what is before it counts as unknown.
    for spoil in ["sender = CAST(x'ff' AS TEXT)", "id = x'00'"] {
        let engine = folder.engine();
        let changed =
            engine.connection().execute(&format!("UPDATE message SET {spoil} WHERE place = ?1"), [rowid(1, 505)]);
        assert_eq!(changed.expect("writes"), 1);
        drop(engine);
        let mut engine = folder.engine();
        assert_eq!(answer(&mut engine, &said(606).after(0)), Ok((507, "again")), "{spoil}");
        assert_eq!(
            answer(&mut engine, &said(602).after(502)),
            Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
            "{spoil}"
        );
        assert_eq!(
            answer(&mut engine, &said(604).after(504)),
            Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
            "{spoil}: the row itself"
        );
    }
    let mut engine = folder.engine();
    assert_eq!(answer(&mut engine, &said(700).after(505)), Ok((512, "stored")), "each behind it is known");
}

#[test]
fn a_message_removed_amid_a_room_is_too_late() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    let said = |number: u128| Said::by("alice", 1, number);
    for number in 1..=20 {
        answer(&mut engine, &said(number)).expect("stored");
    }
    let transaction = engine.db.connection_mut().transaction().expect("begins");
    let gone = [9, 12].map(|seq| CountedRow { rowid: rowid(1, seq), origin: 0, bytes: 0 });
    assert_eq!(remove(&transaction, 1, &gone).expect("removes").rows, 2);
    transaction.commit().expect("commits");
    for reopened in [false, true] {
        if reopened {
            drop(engine);
            engine = folder.engine();
        }
        for number in [9, 12] {
            assert_eq!(
                answer(&mut engine, &said(number).after(number as u64 - 1)),
                Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
                "{number}"
            );
        }
        for number in [1, 8, 10, 11, 13, 20] {
            assert_eq!(answer(&mut engine, &said(number).after(0)), Ok((number as u64, "again")), "kept are known");
        }
    }
    assert_eq!(
        answer(&mut engine, &said(30).after(11)),
        Err(CommitOutcome::NotAppended(NotAppended::TooLate)),
        "it may have been number 12"
    );
    assert_eq!(answer(&mut engine, &said(30).after(12)), Ok((21, "stored")), "each behind it is known");
}

#[test]
fn loading_reads_no_more_than_the_window() {
    let folder = Folder::new();
    let mut engine = folder.engine();
    engine.append(&batch(1, 5_000, "hi")).expect("stores");
    drop(engine);
    let mut engine = self::engine(&folder, 100);
    let mut steps = 0;
    while engine.ids.load_step(engine.db.connection()) {
        steps += 1;
        assert!(steps < 100, "loading does not end");
    }
    assert_eq!(engine.ids.sizes(), [100, 200, 1], "of 5,000 messages");
    // What was not loaded by steps is loaded before anything is stored.
    let mut engine = {
        drop(engine);
        folder.engine()
    };
    assert!(engine.ids.load_step(engine.db.connection()), "a step");
    assert!(!engine.ids.is_loaded(), "there is more");
    let said = Said::by("alice", 1, 1);
    assert_eq!(answer(&mut engine, &said.after(0)), Ok((1, "again")));
}

/// The rules of E4, over everything that was ever sent.
#[derive(Default)]
struct Model {
    said: Vec<(Said, u64)>,
    messages_max: usize,
}

impl Model {
    fn append(&mut self, said: &Said) -> Result<(u64, &'static str), CommitOutcome> {
        let newest = self.said.iter().filter(|(other, _)| other.room == said.room).count() as u64;
        let known = &self.said[self.said.len().saturating_sub(self.messages_max)..];
        let in_room = || known.iter().filter(|(other, _)| other.room == said.room);
        let same_id = || in_room().filter(|(other, _)| other.id == said.id && said.id.is_some());
        let by_token = same_id().find(|(other, _)| other.author == said.author && said.author != 0);
        if let Some((_, seq)) =
            by_token.or_else(|| same_id().find(|(other, _)| other.from.to_lowercase() == said.from.to_lowercase()))
        {
            return Ok((*seq, "again"));
        }
        let edge = in_room().map(|(_, seq)| seq - 1).min().unwrap_or(newest);
        if said.id.is_some() && said.after.is_some_and(|after| after < edge) {
            return Err(CommitOutcome::NotAppended(NotAppended::TooLate));
        }
        self.said.push((said.clone(), newest + 1));
        Ok((newest + 1, "stored"))
    }
}

#[test]
fn the_engine_does_what_the_rules_say() {
    for_each_seed(0..40, |mut rng| {
        let folder = Folder::new();
        let messages_max = 1 + rng.below(20) as usize;
        let mut model = Model { messages_max, ..Model::default() };
        let mut engine = engine(&folder, messages_max);
        for step in 1..200 {
            if rng.below(12) == 0 {
                drop(engine);
                engine = self::engine(&folder, messages_max);
            }
            let author = rng.below(3);
            let said = Said {
                room: ["lobby", "den", "attic"][rng.below(3) as usize],
                from: ["alice", "ALICE", "bob", "carol"][rng.below(4) as usize].to_string(),
                author,
                id: (rng.below(5) > 0).then(|| u128::from(rng.below(15))),
                after: (rng.below(3) > 0).then(|| rng.below(60)),
                at_ms: step,
            };
            let wanted = model.append(&said);
            assert_eq!(answer(&mut engine, &said), wanted, "step {step} {said:?}");
        }
    });
}
