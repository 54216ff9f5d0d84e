//! Sealed messages on their way through the hub (S7).

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{
    CommandOutcome, ConnectInfo, Hub, LoginOutcome, MemberId, NameHolder, Now, OperatorToken, Reply, Rules,
};
use glassline_testkit::frame::payloads;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Message};
use glassline_wire::history::{Answer, Entry, EntryContent, Head, NewMessage, NotAppended, Record};
use glassline_wire::limits::{SEALED_BEGINNING_BYTES, SEALED_BYTES_MAX};
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Hello, Send};
use glassline_wire::sealed::SEALED_TEXT;
use glassline_wire::timestamp::Timestamp;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };

fn login(connection: usize) -> ConnectInfo {
    ConnectInfo {
        connection,
        token: connection as u128 + 1,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        link: LinkFacts::PLAINTEXT,
        now: NOW,
    }
}

fn enter(hub: &mut Hub, connection: usize, name: &str) -> MemberId {
    let rooms = Some(vec!["lobby".to_string(), "den".to_string()]);
    let hello = Hello { name: name.into(), rooms, ..Hello::default() };
    match hub.enter_event(&hello, None, NameHolder::Unasked, login(connection)).expect("enters") {
        LoginOutcome::As(id) => id,
        other => panic!("{other:?}"),
    }
}

/// A hub with a history, in which the newest message of "den" is sealed, readable or missing, and
/// two members in that room.
fn reopened(newest_is_sealed: Option<bool>) -> (Hub, MemberId, MemberId) {
    let mut hub = Hub::new(Rules { durable: true, ..Rules::default() });
    assert!(!hub.knows_rooms(0, ["den"]));
    let question = hub.next_question().expect("a question about the room");
    let newest = u64::from(newest_is_sealed.is_some());
    hub.answer(question.ticket, Ok(Answer::Head(Head { oldest: 1, newest, newest_is_sealed })));
    let (alice, bob) = (enter(&mut hub, 0, "alice"), enter(&mut hub, 1, "bob"));
    (hub, alice, bob)
}

fn send(room: &str, id: u128, text: &str, sealed: Option<&str>) -> Send {
    Send {
        room: room.into(),
        text: text.into(),
        id: MessageId(id),
        after: None,
        action: false,
        sealed: sealed.map(str::to_string),
    }
}

fn say(hub: &mut Hub, member: MemberId, send: &Send) -> Result<(), ErrorCode> {
    let reply = hub.say(member, send, None, NOW).map_err(|refused| refused.code)?;
    hub.reply(member, Ok(reply), None);
    Ok(())
}

fn written(hub: &mut Hub, id: MemberId) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let gathered = hub.gather(id).slices().concat();
        let is_drained = hub.advance(id, gathered.len());
        bytes.extend_from_slice(&gathered);
        if is_drained {
            return bytes;
        }
    }
}

fn messages(hub: &mut Hub, id: MemberId) -> Vec<Message> {
    let events = payloads(&written(hub, id));
    let events = events.iter().map(|payload| Envelope::<Event>::from_json(payload).expect("an event").content);
    events.filter_map(|event| if let Event::Message(message) = event { Some(message) } else { None }).collect()
}

#[test]
fn a_sealed_message_is_relayed_with_a_fixed_text() {
    let mut hub = Hub::new(Rules::default());
    let (alice, bob) = (enter(&mut hub, 0, "alice"), enter(&mut hub, 1, "bob"));
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("relayed");
    let received = messages(&mut hub, bob);
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].text.as_str(), received[0].sealed.as_deref()), (SEALED_TEXT, Some("AQ")));

    // The same again is acknowledged and not sent again; another ciphertext is another message.
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("acknowledged");
    assert_eq!(say(&mut hub, alice, &send("den", 1, "", Some("AB"))), Err(ErrorCode::IdReused));
    assert_eq!(messages(&mut hub, bob), []);
}

#[test]
fn a_malformed_sealed_message_is_refused() {
    let mut hub = Hub::new(Rules::default());
    let alice = enter(&mut hub, 0, "alice");
    let long = "A".repeat(SEALED_BYTES_MAX + 1);
    for (text, sealed, code) in [
        ("readable", "AQ", ErrorCode::BadField),
        ("", "", ErrorCode::BadField),
        ("", "AQ==", ErrorCode::BadField),
        ("", "A\u{1b}[2J", ErrorCode::BadField),
        ("", long.as_str(), ErrorCode::TooLong),
    ] {
        assert_eq!(say(&mut hub, alice, &send("den", 1, text, Some(sealed))), Err(code), "{text} {sealed}");
    }
    let action = Send { action: true, ..send("den", 1, "", Some("AQ")) };
    assert_eq!(say(&mut hub, alice, &action), Err(ErrorCode::BadField));
    say(&mut hub, alice, &send("den", 1, "", Some(&long[1..]))).expect("the longest");
}

#[test]
fn the_lobby_is_never_sealed() {
    let mut hub = Hub::new(Rules::default());
    let alice = enter(&mut hub, 0, "alice");
    assert_eq!(say(&mut hub, alice, &send("lobby", 1, "", Some("AQ"))), Err(ErrorCode::NotSealed));
}

#[test]
fn what_is_readable_is_refused_in_a_sealed_room() {
    let mut hub = Hub::new(Rules::default());
    let (alice, bob) = (enter(&mut hub, 0, "alice"), enter(&mut hub, 1, "bob"));
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("the first in the room");
    assert_eq!(say(&mut hub, bob, &send("den", 1, "hi", None)), Err(ErrorCode::RoomSealed));
    say(&mut hub, bob, &send("den", 2, "", Some("AQ"))).expect("sealed");
    say(&mut hub, bob, &send("lobby", 3, "hi", None)).expect("another room");
}

#[test]
fn a_room_in_use_is_sealed_by_whoever_is_alone() {
    let mut hub = Hub::new(Rules::default());
    let (alice, bob) = (enter(&mut hub, 0, "alice"), enter(&mut hub, 1, "bob"));
    say(&mut hub, alice, &send("den", 1, "hi", None)).expect("readable");
    assert_eq!(say(&mut hub, bob, &send("den", 1, "", Some("AQ"))), Err(ErrorCode::NotSealed));
    hub.leave(alice, "den", NOW).expect("leaves");
    say(&mut hub, bob, &send("den", 2, "", Some("AQ"))).expect("alone");
    say(&mut hub, bob, &send("den", 3, "hi", None)).expect("alone still");
}

#[test]
fn a_room_that_the_history_knows_as_sealed_stays_sealed() {
    let (mut hub, alice, bob) = reopened(Some(true));
    assert_eq!(say(&mut hub, bob, &send("den", 1, "hi", None)), Err(ErrorCode::RoomSealed));
    let late = hub.enter_tutorial(b"late", login(2)).expect("enters");
    assert!(matches!(hub.execute(late, "/join den", NOW), CommandOutcome::Continue));
    let report = String::from_utf8(written(&mut hub, late)).expect("text");
    assert!(report.contains("neither read nor send"), "{report}");
    assert_eq!(hub.say_text(late, "hi", false, NOW).expect_err("not sealed").code, ErrorCode::RoomSealed);

    // Nor does it forget when everybody has left.
    hub.depart(late, NOW);
    for member in [alice, bob] {
        hub.leave(member, "den", NOW).expect("leaves");
    }
    for member in [alice, bob] {
        hub.join(member, "den", NOW).expect("enters");
    }
    assert_eq!(say(&mut hub, bob, &send("den", 1, "hi", None)), Err(ErrorCode::RoomSealed));
    say(&mut hub, bob, &send("den", 2, "", Some("AQ"))).expect("sealed");
}

#[test]
fn a_room_that_the_history_knows_as_readable_stays_readable() {
    let (mut hub, alice, _) = reopened(Some(false));
    assert_eq!(say(&mut hub, alice, &send("den", 1, "", Some("AQ"))), Err(ErrorCode::NotSealed));
    say(&mut hub, alice, &send("den", 2, "hi", None)).expect("readable");
    // Without a stored message the first one decides.
    let (mut hub, alice, _) = reopened(None);
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("sealed");
}

#[test]
fn an_operator_seals_a_room_in_use() {
    let operator_token = OperatorToken::parse("sixteen bytes or more");
    let mut hub = Hub::new(Rules { operator_token: Some(operator_token.expect("a token")), ..Rules::default() });
    let (alice, bob) = (enter(&mut hub, 0, "alice"), enter(&mut hub, 1, "bob"));
    say(&mut hub, alice, &send("den", 1, "hi", None)).expect("readable");
    hub.operate(bob, "op sixteen bytes or more", None, NOW).expect("an operator");
    say(&mut hub, bob, &send("den", 2, "", Some("AQ"))).expect("sealed by an operator");
    assert_eq!(say(&mut hub, bob, &send("den", 3, "hi", None)), Err(ErrorCode::RoomSealed));
}

#[test]
fn tutorial_members_are_told_that_they_cannot_read() {
    let mut hub = Hub::new(Rules::default());
    let alice = enter(&mut hub, 0, "alice");
    let early = hub.enter_tutorial(b"early", login(1)).expect("enters");
    assert!(matches!(hub.execute(early, "/join den", NOW), CommandOutcome::Continue));
    written(&mut hub, early);
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("sealed");
    let report = String::from_utf8(written(&mut hub, early)).expect("text");
    assert!(report.contains("neither read nor send") && report.contains(SEALED_TEXT), "{report}");
    assert!(!report.contains("AQ"), "{report}");
    let refused = hub.say_text(early, "hi", false, NOW).expect_err("not sealed");
    assert_eq!(refused.code, ErrorCode::RoomSealed);

    let late = hub.enter_tutorial(b"late", login(2)).expect("enters");
    written(&mut hub, late);
    assert!(matches!(hub.execute(late, "/join den", NOW), CommandOutcome::Continue));
    let report = String::from_utf8(written(&mut hub, late)).expect("text");
    assert!(report.contains("neither read nor send"), "{report}");
}

/// The queued records come back as stored, in their order, from this number on.
fn store(hub: &mut Hub, from_seq: u64) {
    for (record, seq) in hub.take_pending_records().into_iter().zip(from_seq..) {
        let Record::Message(NewMessage { mut message, .. }) = record.record else { panic!("no message") };
        message.seq = Some(seq);
        let content = EntryContent::Message(message);
        assert!(hub.committed(Entry { ticket: Some(record.ticket), content }));
    }
}

#[test]
fn a_queued_sealed_message_closes_the_room_for_readable_ones() {
    let (mut hub, alice, bob) = reopened(None);
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("the first in the room");
    let refused = hub.say(bob, &send("den", 2, "hi", None), None, NOW).expect_err("it would follow a sealed one");
    assert_eq!(refused.code, ErrorCode::RoomSealed);
    assert!(refused.text.contains("is being sealed"), "{}", refused.text);
    say(&mut hub, bob, &send("den", 3, "", Some("AQ"))).expect("sealed");
    hub.leave(bob, "den", NOW).expect("leaves");
    let Reply::Joined { presence, .. } = hub.join(bob, "den", NOW).expect("enters") else { panic!("no answer") };
    assert_eq!(presence.sealed.as_deref(), Some(""), "whoever enters is told before the message is stored");

    store(&mut hub, 1);
    let forms: Vec<bool> = messages(&mut hub, bob).iter().map(|message| message.sealed.is_some()).collect();
    assert_eq!(forms, [true, true]);
    assert_eq!(say(&mut hub, bob, &send("den", 4, "hi", None)), Err(ErrorCode::RoomSealed));
}

#[test]
fn a_queued_readable_message_keeps_the_room_open() {
    let (mut hub, alice, bob) = reopened(None);
    say(&mut hub, bob, &send("den", 1, "hi", None)).expect("the first in the room");
    assert_eq!(say(&mut hub, alice, &send("den", 2, "", Some("AQ"))), Err(ErrorCode::NotSealed));
    store(&mut hub, 1);
    assert_eq!(say(&mut hub, alice, &send("den", 2, "", Some("AQ"))), Err(ErrorCode::NotSealed));
}

#[test]
fn a_sealed_message_that_is_not_stored_seals_nothing() {
    let (mut hub, alice, bob) = reopened(None);
    say(&mut hub, alice, &send("den", 1, "", Some("AQ"))).expect("the first in the room");
    let ticket = hub.take_pending_records()[0].ticket;
    assert!(hub.settle(ticket, NotAppended::NotStored("the disk is full".into())));
    say(&mut hub, bob, &send("den", 2, "hi", None)).expect("readable");
}

#[test]
fn who_enters_gets_the_beginning_of_the_newest_sealed_text() {
    let mut hub = Hub::new(Rules::default());
    let alice = enter(&mut hub, 0, "alice");
    let reported = |hub: &mut Hub, connection: usize, name: &str| {
        let entered = enter(hub, connection, name);
        let events = payloads(&written(hub, entered));
        let welcome = events.iter().find_map(|payload| match Envelope::<Event>::from_json(payload) {
            Ok(Envelope { content: Event::Welcome(welcome), .. }) => Some(welcome),
            _ => None,
        });
        let rooms = welcome.expect("a welcome").rooms;
        rooms.into_iter().map(|state| (state.room, state.sealed)).collect::<Vec<_>>()
    };
    let rooms =
        |sealed: Option<&str>| vec![("lobby".to_string(), None), ("den".to_string(), sealed.map(str::to_string))];
    assert_eq!(reported(&mut hub, 1, "bob"), rooms(None));
    say(&mut hub, alice, &send("lobby", 1, "hi", None)).expect("readable");
    assert_eq!(reported(&mut hub, 2, "carol"), rooms(None));

    let hub = &mut Hub::new(Rules::default());
    let alice = enter(hub, 0, "alice");
    say(hub, alice, &send("den", 1, "", Some("AQ"))).expect("sealed");
    assert_eq!(reported(hub, 1, "bob"), rooms(Some("AQ")), "a short one whole");
    let long = "B".repeat(SEALED_BEGINNING_BYTES + 1);
    say(hub, alice, &send("den", 2, "", Some(&long))).expect("sealed");
    assert_eq!(reported(hub, 2, "carol"), rooms(Some(&long[1..])));

    let (mut hub, ..) = reopened(Some(true));
    assert_eq!(reported(&mut hub, 2, "carol"), rooms(Some("")), "it is not in memory");
    let (mut hub, ..) = reopened(Some(false));
    assert_eq!(reported(&mut hub, 2, "carol"), rooms(None));
}
