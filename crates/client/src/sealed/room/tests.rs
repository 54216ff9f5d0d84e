use std::time::Duration;

use glassline_secure::seal::EpochKey;

use super::super::made_up;
use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).expect("a passphrase")
}

fn begun(previous: Option<&EpochRecord>, text: &str) -> (EpochRecord, EpochKey) {
    let identity = Identity::from_seed(&[1; 32]);
    EpochRecord::begin("den", previous, &passphrase(text), &identity, &mut SystemRandom).expect("begins")
}

fn unknown() -> Room {
    Room::unknown("den").expect("random numbers")
}

/// Derives as the thread does.
fn derive(room: &mut Room, purpose: Purpose) -> DerivationOutcome {
    let passphrase = room.passphrase().expect("it was entered").clone();
    let result = match purpose {
        Purpose::Join(record) => match EpochKey::derive(&passphrase, &record) {
            Ok(key) => Ok((record, key)),
            Err(error) => Err((Some(record), error)),
        },
        Purpose::Begin(previous) => Ok(begun(previous.as_ref(), passphrase.expose())),
    };
    room.take_key(result)
}

/// Enters a passphrase and derives all that follows at once; returns the numbers and the outcomes.
fn enter(room: &mut Room, text: &str) -> Vec<(u64, DerivationOutcome)> {
    let mut outcomes = Vec::new();
    let mut next = room.take_passphrase(&passphrase(text));
    while let Some(purpose) = next {
        let number = match &purpose {
            Purpose::Join(record) => record.number(),
            Purpose::Begin(previous) => previous.as_ref().map_or(1, |record| record.number() + 1),
        };
        outcomes.push((number, derive(room, purpose)));
        next = room.next_to_join(Instant::now()).map(|(_, purpose)| purpose);
    }
    outcomes
}

#[test]
fn a_made_up_record_blocks_neither_key_nor_passphrase() {
    let (first, key) = begun(None, "ours");
    for far in [2, 3, 1 << 16, 1 << 32] {
        // A member with the key writes on.
        let mut writer = unknown();
        assert!(matches!(enter(&mut writer, "ours")[..], [(1, DerivationOutcome::Accepted(_))]));
        let own = writer.keys.current().expect("a key").clone();
        writer.note_record(&made_up::record(far), || false);
        assert_eq!(writer.keys.current(), Some(&own), "{far}");
        let identity = Identity::from_seed(&[1; 32]);
        let mut seal = || writer.seal(&identity, MessageId(1), "a", Kind::Text, "hi", &mut SystemRandom);
        assert!(seal().is_ok(), "{far}");

        // One who has accepted the key before the start gets it back.
        let mut remembered = Room::remembered(first.clone()).expect("random numbers");
        remembered.note_record(&made_up::record(far), || false);
        let outcomes = enter(&mut remembered, "ours");
        assert!(matches!(outcomes[0], (1, DerivationOutcome::Accepted(_))), "{far}: {outcomes:?}");
        assert_eq!(remembered.keys.current(), Some(&first));

        // And one who is new joins it by its next message.
        let mut new = unknown();
        new.note_record(&made_up::record(far), || false);
        assert!(matches!(enter(&mut new, "ours")[..], [(_, DerivationOutcome::Rejected(..))]), "{far}");
        new.note_record(&first, || false);
        assert!(new.next_to_join(Instant::now()).is_none(), "not so soon");
        let later = Instant::now() + Duration::from_secs(10);
        let (_, purpose) = new.next_to_join(later).expect("it is time");
        assert!(matches!(derive(&mut new, purpose), DerivationOutcome::Accepted(_)), "{far}");
        assert_eq!(new.keys.current(), Some(&first));
    }
    drop(key);
}

#[test]
fn a_new_key_follows_no_far_number() {
    for (far, next) in [(1 << 32, 1), (1 << 16, 1), ((1 << 16) - 1, 1 << 16)] {
        let mut room = unknown();
        room.note_record(&made_up::record(far), || false);
        assert!(matches!(enter(&mut room, "ours")[..], [(_, DerivationOutcome::Rejected(..))]));
        let begun = enter(&mut room, "ours");
        let numbers: Vec<u64> = begun.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [next], "{far}");
    }
    // Whoever has a key follows it, or what others may have begun after it.
    let (first, _) = begun(None, "ours");
    let mut room = Room::remembered(first).expect("random numbers");
    room.note_record(&made_up::record(1 << 32), || false);
    enter(&mut room, "ours");
    assert!(
        matches!(room.take_passphrase(&passphrase("new")), Some(Purpose::Begin(Some(record))) if record.number() == 1)
    );
}

#[test]
fn a_passphrase_opens_the_newest_of_several_keys() {
    let (first, _) = begun(None, "ours");
    let (second, _) = begun(Some(&first), "ours");
    let mut room = unknown();
    for record in [&first, &made_up::record(9), &second] {
        room.note_record(record, || false);
    }
    let outcomes = enter(&mut room, "ours");
    assert_eq!(room.keys.current(), Some(&second), "{outcomes:?}");
    let Some((9, DerivationOutcome::Rejected(newest, Some(current)))) = outcomes.last() else {
        panic!("the made-up one is told: {outcomes:?}")
    };
    assert_eq!((newest.record.number(), *current), (9, second.key_id()));
    // The same passphrase again begins a new key after all of them.
    assert!(
        matches!(room.take_passphrase(&passphrase("ours")), Some(Purpose::Begin(Some(record))) if record.number() == 9)
    );
}

#[test]
fn derivations_that_messages_cause_are_rare() {
    let mut room = unknown();
    enter(&mut room, "ours");
    let mut now = Instant::now();
    let mut derivations = 0;
    for number in 2..2_000 {
        room.note_record(&made_up::record(number), || false);
        now += Duration::from_secs(1);
        while let Some((_, Purpose::Join(record))) = room.next_to_join(now) {
            derivations += 1;
            let key = record.key_id();
            let error = OpenError::WrongKey { epoch: record.number(), key };
            assert!(room.next_to_join(now).is_none(), "one at a time");
            room.take_key(Err((Some(record), error)));
        }
    }
    assert!((5..15).contains(&derivations), "{derivations}");
    assert!(room.due_at().is_some_and(|at| at > now), "it is asked again");
}

#[test]
fn who_gives_way_in_a_fork_joins_the_other_key() {
    let (theirs, _) = begun(None, "ours");
    let mut room = unknown();
    enter(&mut room, "ours");
    let own = room.keys.current().expect("a key").clone();
    room.note_record(&theirs, || false);
    assert!(room.next_to_join(Instant::now() + Duration::from_mins(1)).is_none(), "it contradicts the own one");
    let mut room = room.unsealed().expect("random numbers");
    assert!(!room.is_sealed() && room.current().is_none());
    let outcomes = enter(&mut room, "ours");
    assert!(matches!(&outcomes[..], [(1, DerivationOutcome::Accepted(record))] if *record == theirs), "{outcomes:?}");
    assert_ne!(own, theirs);
}

#[test]
fn without_the_key_nothing_is_sealed_and_readable_is_marked() {
    let mut room = Room::remembered(begun(None, "ours").0).expect("random numbers");
    assert!(room.is_sealed() && room.is_settled() && room.lacks_passphrase());
    let identity = Identity::from_seed(&[1; 32]);
    let refused = room.seal(&identity, MessageId(1), "a", Kind::Text, "secret", &mut SystemRandom);
    assert!(refused.expect_err("no key").contains("/seal"));
    let message = Message {
        room: "den".into(),
        seq: Some(1),
        at: None,
        from: "eve".into(),
        text: "hi".into(),
        action: false,
        id: None,
        sealed: None,
    };
    assert!(room.readable(message.clone(), Arrival::InTurn).text.starts_with("[not sealed"));
    assert_eq!(room.readable(message, Arrival::Own).text, "hi");
}
