//! Messages and records that somebody made or changed: each is refused for the right cause.

use proptest::prelude::*;

use super::super::encoding::Writer;
use super::super::{Content, Seal, SealError};
use super::*;

const ID: MessageId = MessageId(7);

fn bytes_of(envelope: &Envelope) -> Vec<u8> {
    let (associated, sealed) = envelope.split();
    [associated, sealed].concat()
}

/// Opens bytes as the server would deliver them.
fn open(room: &mut SealedRoom, bytes: Vec<u8>) -> Result<Opened, OpenError> {
    Envelope::from_bytes(bytes).and_then(|envelope| room.open(&envelope, Placed::InTurn { id: Some(ID), seq: Some(1) }))
}

#[test]
fn a_member_opens_what_another_sealed() {
    let (mut sender, mut receiver) = (den(), den());
    for (kind, text) in [
        (Kind::Text, "hello"),
        (Kind::Action, "waves"),
        (Kind::Edit { target: MessageId(7), revision: 1 }, "hallo"),
        (Kind::Deletion { target: MessageId(7), revision: 2 }, ""),
    ] {
        let field = sender.seal(&alice(), ID, "alice", kind, text, &mut SystemRandom).unwrap();
        let opened = deliver(&mut receiver, &Envelope::from_field(&field).unwrap(), 1).unwrap();
        let expected = Content { sender: alice().public(), name: "alice".to_owned(), kind, text: text.to_owned() };
        assert_eq!(opened.content, expected);
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let honest = bytes_of(&sealed(&mut den(), 7, "hello"));
    let mut receiver = den();
    assert!(open(&mut receiver, honest.clone()).is_ok());
    let record_ends = 1 + 4 + EPOCHS.first.0.as_bytes().len();
    for at in 0..honest.len() {
        let mut changed = honest.clone();
        changed[at] ^= 1;
        let error = open(&mut receiver, changed).expect_err(&format!("byte {at}"));
        let is_right = match at {
            0 | 5 => matches!(error, OpenError::Version(0)),
            // Length of the record, length of the room in it.
            1..5 | 6..10 => matches!(error, OpenError::Malformed(_)),
            10..13 => matches!(error, OpenError::OtherRoom(_) | OpenError::Malformed(_)),
            _ if at < record_ends => matches!(error, OpenError::RecordSignature(_) | OpenError::Malformed(_)),
            _ if at < record_ends + 16 => error == OpenError::OtherMessage,
            // Counter 1 and a last message 0 become impossible.
            _ if at < honest.len() - 40 => matches!(error, OpenError::Forged | OpenError::Malformed(_)),
            _ => error == OpenError::Forged,
        };
        assert!(is_right, "byte {at}: {error:?}");
    }
}

#[test]
fn every_cut_is_refused() {
    let honest = bytes_of(&sealed(&mut den(), 7, "hello"));
    let mut receiver = den();
    for length in 0..honest.len() {
        let error = open(&mut receiver, honest[..length].to_vec()).expect_err(&format!("{length} bytes"));
        assert!(matches!(error, OpenError::Malformed(_) | OpenError::Forged), "{length} bytes: {error:?}");
    }
    assert_eq!(open(&mut receiver, [honest.as_slice(), b"x"].concat()), Err(OpenError::Forged));
}

#[test]
fn a_message_from_another_room_is_refused() {
    let moved = sealed(&mut room_of(&[&EPOCHS.elsewhere]), 7, "hello");
    assert_eq!(deliver(&mut den(), &moved, 1), Err(OpenError::OtherRoom("attic".to_owned())));
}

#[test]
fn a_message_under_another_id_is_refused() {
    let envelope = sealed(&mut den(), 8, "hello");
    let placed = Placed::InTurn { id: Some(ID), seq: Some(1) };
    assert_eq!(den().open(&envelope, placed), Err(OpenError::OtherMessage));
}

#[test]
fn a_ciphertext_behind_another_header_is_forged() {
    let mut sender = den();
    let (one, other) = (sealed(&mut sender, 7, "yes"), sealed(&mut sender, 7, "no"));
    let spliced = [one.split().0, other.split().1].concat();
    assert_eq!(open(&mut den(), spliced), Err(OpenError::Forged));
}

#[test]
fn a_ciphertext_of_another_epoch_is_forged() {
    let old = sealed(&mut den(), 7, "hello");
    let new = sealed(&mut room_of(&[&EPOCHS.first, &EPOCHS.second]), 7, "hello");
    let mut receiver = room_of(&[&EPOCHS.first, &EPOCHS.second]);
    for (header, body) in [(&old, &new), (&new, &old)] {
        let spliced = [header.split().0, body.split().1].concat();
        assert_eq!(open(&mut receiver, spliced), Err(OpenError::Forged));
    }
}

/// A member knows the key and can seal anything, but not sign for another.
#[test]
fn a_member_cannot_speak_for_another() {
    let (record, key) = &EPOCHS.first;
    let stolen = sealed(&mut den(), 7, "yes");
    let (associated, body) = stolen.split();
    let plaintext = key.clone().open(record.key_id(), associated, body).unwrap();

    // Bob puts Alice's key in front of his own signature.
    let mut content = Content::sign("alice", Kind::Text, "no", &bob(), associated).unwrap();
    content[..32].copy_from_slice(&alice().public());
    let forged = key.clone().seal(associated, &content, &mut SystemRandom).unwrap();
    assert_eq!(open(&mut den(), [associated, &forged].concat()), Err(OpenError::Signature));

    // Bob puts what Alice has signed behind another header.
    let other = sealed(&mut den(), 7, "whatever");
    let moved = key.clone().seal(other.split().0, &plaintext, &mut SystemRandom).unwrap();
    assert_eq!(open(&mut den(), [other.split().0, &moved].concat()), Err(OpenError::Signature));

    // A signature under a key of small order fits any message, for those who do not refuse it.
    let mut weak = content.clone();
    weak[..32].copy_from_slice(&[0; 32]);
    let forged = key.clone().seal(associated, &weak, &mut SystemRandom).unwrap();
    assert_eq!(open(&mut den(), [associated, &forged].concat()), Err(OpenError::Signature));
}

#[test]
fn without_the_key_a_message_says_which_is_missing() {
    let mut outsider = SealedRoom::new("den", None, &mut SystemRandom).unwrap();
    let envelope = sealed(&mut den(), 7, "hello");
    let expected = OpenError::UnknownEpoch { epoch: 1, key: EPOCHS.first.0.key_id() };
    assert_eq!(deliver(&mut outsider, &envelope, 1), Err(expected.clone()));
    assert!(expected.to_string().contains("/seal"), "{expected}");
    let nothing = outsider.seal(&alice(), ID, "alice", Kind::Text, "hello", &mut SystemRandom);
    assert_eq!(nothing, Err(SealError::NoKey));
}

#[test]
fn a_wrong_passphrase_is_told_from_a_forged_record() {
    let record = &EPOCHS.first.0;
    let wrong = EpochKey::derive(&Passphrase::new("wrong").unwrap(), record);
    assert_eq!(wrong.unwrap_err(), OpenError::WrongKey { epoch: 1, key: record.key_id() });

    // Somebody who has seen the record signs a copy with a MAC of their own.
    let mac_at = record.as_bytes().len() - 96;
    let body = [&record.as_bytes()[..mac_at - 32], &bob().public()].concat();
    let signed = Writer::default().fixed(b"glassline/sealed/1/record").field(&body).fixed(&[9; 32]).bytes();
    let forged = [body.as_slice(), &[9; 32], &bob().sign(&signed)].concat();
    let forged = EpochRecord::read(&forged).unwrap();
    assert_eq!(EpochKey::derive(&passphrase(), &forged).unwrap_err(), OpenError::RecordForged(1));
    assert_eq!(den().accept(&forged, EPOCHS.first.1.clone()), Err(OpenError::RecordForged(1)));
}

#[test]
fn a_changed_record_is_refused_before_a_key_is_derived() {
    const SALT_AT: usize = 16;
    let mut changed = EPOCHS.first.0.as_bytes().to_vec();
    changed[SALT_AT] ^= 1;
    let changed = EpochRecord::parse(&changed).unwrap();
    assert_ne!(changed.salt(), EPOCHS.first.0.salt());
    // With this salt the key would be another one.
    assert_eq!(EpochKey::derive(&passphrase(), &changed).unwrap_err(), OpenError::RecordSignature(1));
}

#[test]
fn every_flipped_byte_of_a_record_is_refused() {
    let record = EPOCHS.second.0.as_bytes();
    for at in 0..record.len() {
        let mut changed = record.to_vec();
        changed[at] ^= 1;
        let error = EpochRecord::read(&changed).expect_err(&format!("byte {at}"));
        let is_right = matches!(error, OpenError::RecordSignature(_) | OpenError::Malformed(_) | OpenError::Version(0));
        assert!(is_right, "byte {at}: {error:?}");
        assert!(EpochRecord::read(&record[..at]).is_err(), "{at} bytes");
    }
}

#[test]
fn epochs_only_go_forward() {
    let (first, second) = (&EPOCHS.first, &EPOCHS.second);
    let mut room = room_of(&[first, second]);
    assert_eq!(room.current(), Some(&second.0));
    room.accept(&first.0, first.1.clone()).unwrap();
    assert_eq!(room.current(), Some(&second.0));

    // Also after a restart, with the passphrase of the old epoch alone.
    let mut restarted = SealedRoom::new("den", room.newest(), &mut SystemRandom).unwrap();
    restarted.accept(&first.0, first.1.clone()).unwrap();
    assert_eq!(restarted.current(), None);
    let sealed = restarted.seal(&alice(), ID, "alice", Kind::Text, "hello", &mut SystemRandom);
    assert_eq!(sealed, Err(SealError::NoKey));
    restarted.accept(&second.0, second.1.clone()).unwrap();
    assert_eq!(restarted.current(), Some(&second.0));
}

#[test]
fn a_second_record_of_one_number_is_a_fork() {
    let mut random = replayable("fork");
    let (rival, rival_key) = EpochRecord::begin("den", None, &passphrase(), &bob(), &mut random).unwrap();
    assert_eq!(den().accept(&rival, rival_key.clone()), Err(OpenError::Fork(1)));

    // Its successor does not follow ours, and ours not the rival.
    let (next, next_key) = EpochRecord::begin("den", Some(&rival), &passphrase(), &bob(), &mut random).unwrap();
    assert_eq!(den().accept(&next, next_key.clone()), Err(OpenError::Fork(2)));
    let mut later = room_of(&[&(next, next_key)]);
    assert_eq!(later.accept(&EPOCHS.first.0, EPOCHS.first.1.clone()), Err(OpenError::Fork(1)));

    let mut theirs = room_of(&[&(rival, rival_key)]);
    assert_eq!(deliver(&mut theirs, &sealed(&mut den(), 7, "hello"), 1), Err(OpenError::Fork(1)));
}

#[test]
fn a_message_of_a_replaced_epoch_is_marked() {
    let old = sealed(&mut den(), 7, "hello");
    let mut room = room_of(&[&EPOCHS.first, &EPOCHS.second]);
    assert!(!deliver(&mut room, &old, 1).unwrap().facts.is_current_epoch);
    let mut sender = room_of(&[&EPOCHS.first, &EPOCHS.second]);
    assert!(deliver(&mut room, &sealed(&mut sender, 8, "hello"), 2).unwrap().facts.is_current_epoch);
}

#[test]
fn the_longest_message_fits_the_field() {
    use glassline_wire::limits::{NAME_BYTES_MAX, SEALED_BYTES_MAX, TEXT_BYTES_MAX};
    let long_room = "r".repeat(super::super::epoch::ROOM_BYTES_MAX);
    let mut random = SystemRandom;
    let epoch = EpochRecord::begin(&long_room, None, &passphrase(), &alice(), &mut random).unwrap();
    let mut room = room_of(&[&epoch]);
    let (name, text) = ("n".repeat(NAME_BYTES_MAX), "t".repeat(TEXT_BYTES_MAX));
    let field = room.seal(&alice(), ID, &name, Kind::Text, &text, &mut random).unwrap();
    assert!(field.len() <= SEALED_BYTES_MAX, "{} bytes", field.len());
    assert_eq!(deliver(&mut room, &Envelope::from_field(&field).unwrap(), 1).unwrap().content.text, text);

    let longer = room.seal(&alice(), ID, &name, Kind::Text, &format!("{text}t"), &mut random);
    assert_eq!(longer, Err(SealError::TooLong(TEXT_BYTES_MAX + 1, TEXT_BYTES_MAX)));
    let long_field = "A".repeat(SEALED_BYTES_MAX + 1);
    let expected = OpenError::TooLong(long_field.len(), SEALED_BYTES_MAX);
    assert_eq!(Envelope::from_field(&long_field), Err(expected));
}

#[test]
fn a_field_has_one_form_only() {
    let field = den().seal(&alice(), ID, "alice", Kind::Text, "hello", &mut SystemRandom).unwrap();
    assert!(Envelope::from_field(&field).is_ok());
    for other in [format!("{field}="), format!("{field}\n"), format!(" {field}"), field.replace('A', "-")] {
        assert!(matches!(Envelope::from_field(&other), Err(OpenError::Malformed(_))), "{other}");
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let (record, key) = &EPOCHS.first;
    let room = den();
    let shown = format!("{:?} {key:?} {room:?} {:?}", passphrase(), Replayable { seed: "x", calls: 0 });
    assert!(!shown.contains("horse"), "{shown}");
    assert!(shown.contains(&record.key_id().to_string()));
    assert!(format!("{key:?}").len() < 64, "{key:?}");
}

#[test]
fn a_passphrase_is_the_same_from_keyboard_and_file() {
    let of = |text: &str| Passphrase::new(text).unwrap().expose().to_owned();
    assert_eq!(of("caf\u{e9}"), of(" cafe\u{301}\n"));
    assert_eq!(Passphrase::new(" \n").unwrap_err(), super::super::PassphraseError::Empty);
    let (one, other) = (Passphrase::generate(&mut SystemRandom), Passphrase::generate(&mut SystemRandom));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.expose().split('-').count(), 6);
    assert_ne!(one.expose(), other.expose());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_text_survives(name in "\\PC{1,16}", text in "(?s).{0,200}", id: u128) {
        let field = den().seal(&bob(), MessageId(id), &name, Kind::Text, &text, &mut SystemRandom).unwrap();
        let opened = deliver(&mut den(), &Envelope::from_field(&field).unwrap(), 1).unwrap();
        prop_assert_eq!((opened.content.name, opened.content.text), (name, text));
    }

    #[test]
    fn arbitrary_bytes_open_nothing(bytes: Vec<u8>, field: String) {
        prop_assert!(open(&mut den(), bytes.clone()).is_err());
        prop_assert!(EpochRecord::read(&bytes).is_err());
        prop_assert!(Envelope::from_field(&field).is_err());
    }

    #[test]
    fn a_changed_message_is_refused(at: prop::sample::Index, byte: u8) {
        let honest = bytes_of(&sealed(&mut den(), 7, "hello"));
        let at = at.index(honest.len());
        let mut changed = honest.clone();
        changed[at] = byte;
        prop_assert_eq!(open(&mut den(), changed).is_ok(), byte == honest[at]);
    }
}

#[test]
fn no_record_leaps_over_the_numbers() {
    let far = |number: u64| {
        let mut bytes = EPOCHS.first.0.as_bytes().to_vec();
        bytes[8..16].copy_from_slice(&number.to_be_bytes());
        bytes[32..64].fill(9);
        // Its signature does not hold, which nobody asks of the one before.
        EpochRecord::parse(&bytes).unwrap()
    };
    let next =
        |number: u64| EpochRecord::begin("den", Some(&far(number - 1)), &passphrase(), &bob(), &mut replayable("far"));
    let step = 1 << 16;
    let (record, key) = next(2 + step).unwrap();
    let mut sender = room_of(&[&(record.clone(), key.clone())]);
    let message = sealed(&mut sender, 7, "hello");
    let error = OpenError::FarEpoch { epoch: 2 + step, newest: 1 };
    let mut room = den();
    assert_eq!(deliver(&mut room, &message, 1), Err(error.clone()));
    assert_eq!(room.accept(&record, key), Err(error));
    assert!(!room.may_follow(&far(1 + step)) && room.may_follow(&far(step)));
    let (record, key) = next(1 + step).unwrap();
    room.accept(&record, key).unwrap();
    assert_eq!(next((1 << 32) + 1).unwrap_err(), SealError::NoEpochLeft);
}
