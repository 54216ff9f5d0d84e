//! The ledger must find each kind of fault: transcripts with one planted.

use super::*;

/// Author 0 and author 3 send to the lobby, author 1 to the den.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(Script::new(1));
    for author in [0, 3, 1, 8] {
        for _ in 0..4 {
            ledger.say(author);
        }
    }
    ledger
}

fn message(ledger: &Ledger, author: usize, count: u32, seq: u64) -> Message {
    let script = ledger.script();
    Message {
        room: ROOMS[script.authors()[author].room].to_owned(),
        seq,
        at: 20_260_102_030_405_000 + seq,
        from: script.authors()[author].name.clone(),
        text: script.text(author, count),
        action: script.is_action(author, count),
        id: script.authors()[author].has_ids.then(|| script.id(author, count)),
        reference: None,
    }
}

/// Reads back a room's messages, each (author, count), as the numbers from 1 on.
fn read_back(ledger: &mut Ledger, said: &[(usize, u32)]) -> Result<(), Fault> {
    for (&(author, count), seq) in said.iter().zip(1..) {
        let message = message(ledger, author, count, seq);
        ledger.read_back("checker", &message)?;
    }
    Ok(())
}

fn observe(ledger: &mut Ledger, author: usize, count: u32, seq: u64) -> Result<(), Fault> {
    let message = message(ledger, author, count, seq);
    ledger.observe("bob", &message)
}

#[test]
fn a_good_run_has_no_fault() {
    let mut ledger = ledger();
    observe(&mut ledger, 0, 0, 1).unwrap();
    ledger.acknowledge(0, 0);
    ledger.acknowledge(0, 0);
    observe(&mut ledger, 3, 0, 2).unwrap();
    let due = ledger.due();
    // One was stored that nobody saw.
    read_back(&mut ledger, &[(0, 0), (3, 0), (3, 1)]).unwrap();
    ledger.end_of_room(0, &due).unwrap();
    // Again from the start, and an old one that comes to somebody late.
    read_back(&mut ledger, &[(0, 0), (3, 0), (3, 1)]).unwrap();
    observe(&mut ledger, 3, 1, 3).unwrap();
    assert_eq!((ledger.acknowledged(), ledger.stored(), ledger.newest_stored(0)), (1, 3, 3));
}

#[test]
fn what_was_acknowledged_and_is_not_stored_is_lost() {
    let mut ledger = ledger();
    observe(&mut ledger, 0, 0, 1).unwrap();
    observe(&mut ledger, 0, 1, 2).unwrap();
    ledger.acknowledge(0, 1);
    let due = ledger.due();
    read_back(&mut ledger, &[(0, 0)]).unwrap();
    let fault = ledger.end_of_room(0, &due).unwrap_err();
    assert!(matches!(fault, Fault::Lost { seq: 2, newest: 1, acknowledged: true, .. }), "{fault}");
    assert!(
        fault.to_string().contains("#1 of author0 number 2 in lobby, seen by bob, acknowledged to its sender"),
        "{fault}"
    );
}

#[test]
fn what_was_seen_and_is_not_stored_is_lost() {
    let mut ledger = ledger();
    observe(&mut ledger, 1, 0, 1).unwrap();
    let due = ledger.due();
    let fault = ledger.end_of_room(1, &due).unwrap_err();
    assert!(matches!(fault, Fault::Lost { seq: 1, newest: 0, acknowledged: false, .. }), "{fault}");
}

#[test]
fn what_a_tutorial_member_saw_must_be_stored() {
    let mut ledger = ledger();
    let shown = |ledger: &Ledger, count| {
        let text = ledger.script().text(3, count);
        if ledger.script().is_action(3, count) { format!("* {text}") } else { text }
    };
    let (first, second) = (shown(&ledger, 0), shown(&ledger, 1));
    ledger.observe_pair("tutorial", "author3", &first).unwrap();
    let due = ledger.due();
    ledger.observe_pair("tutorial", "author3", &second).unwrap();
    let fault = ledger.end_of_rooms(&due).unwrap_err();
    assert!(matches!(fault, Fault::LostUnnumbered { .. }), "{fault}");
    read_back(&mut ledger, &[(3, 0)]).unwrap();
    // The second was seen later than what is due.
    ledger.end_of_rooms(&due).unwrap();
    let due = ledger.due();
    assert!(ledger.end_of_rooms(&due).is_err());
    assert!(matches!(ledger.observe_pair("tutorial", "author3", "#0 invented"), Err(Fault::Phantom { .. })));
}

#[test]
fn a_message_with_two_numbers_is_doubled() {
    let mut stored_twice = ledger();
    let fault = read_back(&mut stored_twice, &[(0, 0), (0, 1), (0, 0)]).unwrap_err();
    assert!(matches!(fault, Fault::Doubled { first: 1, second: 3, .. }), "{fault}");
    // The answer to a repeat, with another number than the others saw.
    let mut answered = ledger();
    observe(&mut answered, 0, 0, 1).unwrap();
    let fault = observe(&mut answered, 0, 0, 2).unwrap_err();
    assert!(matches!(fault, Fault::Doubled { first: 1, second: 2, .. }), "{fault}");
}

#[test]
fn a_number_left_out_is_a_hole() {
    let mut ledger = ledger();
    read_back(&mut ledger, &[(0, 0)]).unwrap();
    let third = message(&ledger, 0, 1, 3);
    let fault = ledger.read_back("checker", &third).unwrap_err();
    assert!(matches!(fault, Fault::Hole { seq: 3, last: 1, .. }), "{fault}");
}

#[test]
fn a_message_that_nobody_sent_is_a_phantom() {
    let mut ledger = ledger();
    let good = message(&ledger, 0, 0, 1);
    let not_said_yet = message(&ledger, 0, 4, 1);
    let phantoms = [
        not_said_yet,
        Message { text: "#0 something else".to_owned(), ..good.clone() },
        Message { text: "no count".to_owned(), ..good.clone() },
        Message { from: "mallory".to_owned(), ..good.clone() },
        Message { id: None, ..good.clone() },
        Message { id: Some("0".repeat(32)), ..good.clone() },
        Message { room: "attic".to_owned(), ..good.clone() },
        Message { action: !good.action, ..good.clone() },
    ];
    for phantom in phantoms {
        assert!(matches!(ledger.observe("bob", &phantom), Err(Fault::Phantom { .. })), "{phantom:?}");
    }
    ledger.observe("bob", &good).unwrap();
}

#[test]
fn two_messages_in_one_place_are_a_change() {
    let mut ahead = ledger();
    observe(&mut ahead, 0, 0, 1).unwrap();
    assert!(matches!(observe(&mut ahead, 3, 0, 1), Err(Fault::Changed { seq: 1, .. })));
    let mut stored = ledger();
    read_back(&mut stored, &[(0, 0)]).unwrap();
    assert!(matches!(observe(&mut stored, 3, 0, 1), Err(Fault::Changed { seq: 1, .. })));
    let mut time = ledger();
    observe(&mut time, 0, 0, 1).unwrap();
    let later = Message { at: 20_260_102_030_405_999, ..message(&time, 0, 0, 1) };
    assert!(matches!(time.observe("bob", &later), Err(Fault::Changed { .. })));
}

#[test]
fn an_author_is_stored_in_its_order() {
    let mut skipped = ledger();
    assert!(matches!(read_back(&mut skipped, &[(0, 1)]), Err(Fault::Reordered { .. })));
    // The tutorial's author may lose some, but not swap them.
    let mut tutorial = ledger();
    read_back(&mut tutorial, &[(8, 0), (8, 2)]).unwrap();
    let swapped = message(&tutorial, 8, 1, 3);
    assert!(matches!(tutorial.read_back("checker", &swapped), Err(Fault::Reordered { .. })));
}

#[test]
fn a_run_ends_with_everything_stored() {
    let mut ledger = Ledger::new(Script::new(1));
    ledger.say(0);
    ledger.say(8);
    assert!(ledger.end_of_run().is_err());
    read_back(&mut ledger, &[(0, 0)]).unwrap();
    ledger.end_of_run().unwrap();
}
