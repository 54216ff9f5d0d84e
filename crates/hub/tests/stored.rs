//! With a history: nobody is sent what is not stored, and who comes back is sent what it missed, in
//! one order.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{
    Awaits, CommandOutcome, ConnectInfo, Hub, LoginOutcome, MemberId, NameHolder, Now, PendingQuestion, Reply, Rules,
};
use glassline_testkit::frame::payloads;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Message};
use glassline_wire::history::{Answer, Head, NotAppended, Page, PendingRecord, Question, ReadError, Record};
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Hello, HistoryRange, Send};
use glassline_wire::timestamp::Timestamp;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };
const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const TOKEN: &str = "000000000000000000000000000000aa";

fn hub(replay: usize, replay_tutorial: usize) -> Hub {
    Hub::new(Rules { durable: true, replay, replay_tutorial, ..Rules::default() })
}

fn hello(name: &str) -> Hello {
    Hello { name: name.into(), ..Hello::default() }
}

fn enter(hub: &mut Hub, connection: usize, hello: &Hello) -> MemberId {
    let login =
        ConnectInfo { connection, token: connection as u128 + 1, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW };
    match hub.enter_event(hello, None, NameHolder::Unasked, login).expect("enters") {
        LoginOutcome::As(id) => id,
        other => panic!("{other:?}"),
    }
}

fn say(hub: &mut Hub, id: MemberId, number: u64, text: &str) {
    let send = Send {
        room: "lobby".into(),
        text: text.into(),
        id: MessageId(number.into()),
        after: None,
        action: false,
        sealed: None,
    };
    hub.say(id, &send, Some(number.to_string()), NOW).expect("taken");
}

/// Everything there is to write to a member now.
fn written(hub: &mut Hub, id: MemberId) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        hub.skip_lost(id);
        let gathered = hub.gather(id).slices().concat();
        let drained = hub.advance(id, gathered.len());
        bytes.extend_from_slice(&gathered);
        if drained {
            return bytes;
        }
    }
}

fn envelopes(hub: &mut Hub, id: MemberId) -> Vec<Envelope<Event>> {
    payloads(&written(hub, id)).iter().map(|payload| Envelope::<Event>::from_json(payload).expect("an event")).collect()
}

fn events(hub: &mut Hub, id: MemberId) -> Vec<Event> {
    envelopes(hub, id).into_iter().map(|envelope| envelope.content).collect()
}

/// Returns the events that a member is sent, in short: `7 hi` for message 7, `gap 1-2`, `ack 7`
/// with a ref.
fn received(hub: &mut Hub, id: MemberId) -> Vec<String> {
    let short = |Envelope { content, reference }| match content {
        Event::Message(Message { seq, text, .. }) => {
            Some(format!("{}{} {text}", if reference.is_some() { "ack " } else { "" }, seq.unwrap_or(0)))
        }
        Event::History(history) => {
            let texts: Vec<String> = history.messages.into_iter().map(|message| message.text).collect();
            Some(format!("history {}", texts.join(" ")))
        }
        Event::Gap(gap) => Some(format!("gap {}-{}", gap.from, gap.to)),
        Event::Error(refusal) => Some(format!("{:?}", refusal.code)),
        Event::Notice(notice) => Some(notice.text),
        _ => None,
    };
    envelopes(hub, id).into_iter().filter_map(short).collect()
}

fn stored(seq: u64, text: &str) -> Message {
    Message {
        room: "lobby".into(),
        seq: Some(seq),
        at: Some(NOW.at),
        from: "eve".into(),
        text: text.into(),
        action: false,
        id: None,
        sealed: None,
    }
}

#[track_caller]
fn asked(hub: &mut Hub) -> (u64, HistoryRange) {
    match hub.next_question() {
        Some(PendingQuestion { ticket, question: Question::Range(range), .. }) => (ticket, range),
        other => panic!("{other:?}"),
    }
}

fn head(newest: u64) -> Answer {
    Answer::Head(Head { oldest: 1, newest, newest_is_sealed: (newest > 0).then_some(false) })
}

fn page(from: u64, to: u64, more: bool) -> Answer {
    let messages = (from..=to).map(|seq| stored(seq, &format!("m{seq}"))).collect();
    Answer::Page(Page { messages, more })
}

#[test]
fn nobody_is_sent_a_message_before_it_is_stored() {
    let mut hub = hub(0, 0);
    let (alice, bob) = (enter(&mut hub, 0, &hello("alice")), enter(&mut hub, 1, &hello("bob")));
    let tutorial = hub
        .enter_tutorial(
            b"tom",
            ConnectInfo { connection: 2, token: 9, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW },
        )
        .expect("enters");
    for id in [alice, bob, tutorial] {
        written(&mut hub, id);
    }
    let send = Send {
        room: "lobby".into(),
        text: "one".into(),
        id: MessageId(1),
        after: Some(40),
        action: false,
        sealed: None,
    };
    hub.say(alice, &send, Some("1".into()), NOW).expect("taken");
    hub.say_text(tutorial, "two", false, NOW).expect("taken");
    let pending = hub.take_pending_records();
    let drafted: Vec<_> = pending
        .iter()
        .map(|pending| match &pending.record {
            Record::Message(new) => (new.message.text.as_str(), new.author != 0, new.after),
            Record::Audit(act) => panic!("{act:?}"),
        })
        .collect();
    assert_eq!(drafted, [("one", true, Some(40)), ("two", false, None)]);
    for id in [alice, bob, tutorial] {
        assert_eq!(written(&mut hub, id), b"", "nothing is stored yet");
    }
    assert_eq!((hub.awaits(0), hub.awaits(1), hub.unstored()), (Awaits::Appends, Awaits::Nothing, 2));
    commit(&mut hub, &pending[0], 41);
    commit(&mut hub, &pending[1], 42);
    assert_eq!(received(&mut hub, alice), ["ack 41 one", "42 two"]);
    assert_eq!(received(&mut hub, bob), ["41 one", "42 two"]);
    let output = payloads(&written(&mut hub, tutorial));
    assert_eq!(output, [&b"alice"[..], b"one"], "its own is stepped over");
    assert_eq!((hub.take_settled(), hub.take_settled(), hub.take_settled()), (Some(0), Some(2), None));
}

#[test]
fn what_is_not_stored_is_refused_to_its_sender_alone() {
    let mut hub = hub(0, 0);
    let (alice, bob) = (enter(&mut hub, 0, &hello("alice")), enter(&mut hub, 1, &hello("bob")));
    written(&mut hub, alice);
    written(&mut hub, bob);
    for number in 1..=4 {
        say(&mut hub, alice, number, "hi");
    }
    let tickets: Vec<u64> = hub.take_pending_records().iter().map(|pending| pending.ticket).collect();
    hub.settle(tickets[0], NotAppended::NotStored("the disk is full".into()));
    hub.settle(tickets[1], NotAppended::IdReused);
    hub.settle(tickets[2], NotAppended::Again(Box::new(stored(7, "hi"))));
    hub.settle(tickets[3], NotAppended::TooLate);
    assert_eq!(received(&mut hub, alice), ["NotStored", "IdReused", "ack 7 hi", "TooLate"]);
    assert_eq!(received(&mut hub, bob), [""; 0]);
    assert_eq!(hub.awaits(0), Awaits::Nothing);
}

#[test]
fn a_report_that_is_not_the_next_is_refused() {
    let mut hub = hub(0, 0);
    let alice = enter(&mut hub, 0, &hello("alice"));
    written(&mut hub, alice);
    assert_eq!(hub.pending_record_bytes(), 0);
    for number in 1..=2 {
        say(&mut hub, alice, number, "hi");
    }
    assert!(hub.pending_record_bytes() > 4);
    let pending = hub.take_pending_records();
    assert_eq!(hub.pending_record_bytes(), 0);
    assert!(!commit(&mut hub, &pending[1], 2), "the first is missing");
    assert_eq!((hub.unstored(), received(&mut hub, alice).len()), (2, 0));
    assert!(commit(&mut hub, &pending[0], 1) && commit(&mut hub, &pending[1], 2));
    let unknown = PendingRecord { ticket: pending[1].ticket + 1, ..pending[1].clone() };
    assert!(!commit(&mut hub, &unknown, 3), "nobody handed it over");
    assert_eq!(received(&mut hub, alice).len(), 2);
}

#[test]
fn a_message_outlives_its_sender_and_keeps_its_room_open() {
    let mut hub = hub(0, 0);
    let alice = enter(&mut hub, 0, &hello("alice"));
    assert!(!hub.knows_rooms(0, ["den"]));
    let Some(PendingQuestion { ticket, question: Question::Head(room), .. }) = hub.next_question() else {
        panic!("asks for it")
    };
    assert_eq!((room.as_str(), hub.awaits(0)), ("den", Awaits::Answer));
    hub.answer(ticket, Ok(head(5)));
    assert!(hub.knows_rooms(0, ["den"]));
    assert!(matches!(hub.join(alice, "den", NOW), Ok(Reply::Joined { is_new: true, .. })));
    let send =
        Send { room: "den".into(), text: "last".into(), id: MessageId(1), after: None, action: false, sealed: None };
    hub.say(alice, &send, None, NOW).expect("taken");
    hub.depart(alice, NOW);
    let bob = enter(&mut hub, 0, &Hello { rooms: Some(vec!["den".into()]), ..hello("bob") });
    let welcome = events(&mut hub, bob);
    assert!(matches!(&welcome[0], Event::Welcome(welcome) if welcome.rooms[0].seq == 5), "{welcome:?}");
    commit_next(&mut hub, 6);
    assert_eq!(received(&mut hub, bob), ["6 last"]);
    assert_eq!(hub.awaits(0), Awaits::Nothing, "the sender's place is another's now");
    hub.depart(bob, NOW);
    assert!(hub.knows_rooms(3, ["den"]), "a room just closed needs no look");
    let carol = enter(&mut hub, 3, &Hello { rooms: Some(vec!["den".into()]), ..hello("carol") });
    let welcome = events(&mut hub, carol);
    assert!(matches!(&welcome[0], Event::Welcome(welcome) if welcome.rooms[0].seq == 6), "{welcome:?}");
}

#[test]
fn rooms_can_be_opened_together_however_many_came_before() {
    let mut hub = hub(0, 0);
    let answer_all = |hub: &mut Hub| {
        while let Some(PendingQuestion { ticket, question: Question::Head(_), .. }) = hub.next_question() {
            hub.answer(ticket, Ok(head(0)));
        }
    };
    for number in 0..1_100 {
        let room = format!("z{number:04}");
        assert!(!hub.knows_rooms(0, [room.as_str()]));
        answer_all(&mut hub);
        assert!(hub.knows_rooms(0, [room.as_str()]));
    }
    let rooms: Vec<String> = (0..16).map(|number| format!("a{number:02}")).collect();
    assert!(!hub.knows_rooms(0, rooms.iter().map(String::as_str)));
    answer_all(&mut hub);
    assert!(hub.knows_rooms(0, rooms.iter().map(String::as_str)), "all of them are known at once");
}

#[test]
fn a_late_answer_does_not_undo_newer_messages() {
    let mut hub = hub(50, 0);
    let (alice, bob) = (enter(&mut hub, 0, &hello("alice")), enter(&mut hub, 1, &hello("bob")));
    assert!(!hub.knows_rooms(0, ["den"]) && !hub.knows_rooms(1, ["den"]));
    let tickets: Vec<u64> = std::iter::from_fn(|| hub.next_question()).map(|question| question.ticket).collect();
    hub.answer(tickets[0], Ok(head(0)));
    hub.join(alice, "den", NOW).expect("joins");
    let send =
        Send { room: "den".into(), text: "hi".into(), id: MessageId(1), after: None, action: false, sealed: None };
    hub.say(alice, &send, None, NOW).expect("taken");
    commit_next(&mut hub, 1);
    hub.leave(alice, "den", NOW).expect("leaves");
    hub.answer(tickets[1], Ok(head(0)));
    hub.join(bob, "den", NOW).expect("joins");
    hub.replay_context(bob, "den");
    let (_, range) = asked(&mut hub);
    assert_eq!(range.before, Some(2), "its context is what was said since");
}

/// The first record that was handed over is stored under this number.
fn commit_next(hub: &mut Hub, seq: u64) {
    let pending = hub.take_pending_records();
    assert!(commit(hub, pending.first().expect("a record"), seq));
}

fn commit(hub: &mut Hub, pending: &PendingRecord, seq: u64) -> bool {
    hub.committed(pending.record.clone().committed(pending.ticket, seq))
}

#[test]
fn who_comes_back_is_sent_what_it_missed_before_what_is_new() {
    let mut hub = hub(50, 0);
    hub.resume_lobby(500);
    let since = BTreeMap::from([("lobby".to_string(), 90)]);
    let bob = enter(&mut hub, 0, &Hello { since: Some(since), token: Some(TOKEN.into()), ..hello("bob") });
    let alice = enter(&mut hub, 1, &hello("alice"));
    say(&mut hub, alice, 1, "new");
    commit_next(&mut hub, 501);
    let (first, range) = asked(&mut hub);
    assert_eq!((range.after, range.before), (Some(90), Some(501)));
    assert_eq!(received(&mut hub, bob), [""; 0], "what is new waits");
    hub.answer(first, Ok(page(101, 300, true)));
    let (second, range) =
        std::iter::from_fn(|| Some(asked(&mut hub))).find(|(_, range)| range.after.is_some()).expect("asks on");
    assert_eq!(range.after, Some(300));
    assert_eq!(received(&mut hub, bob)[..2], ["gap 91-100", "101 m101"]);
    hub.answer(second, Ok(page(301, 500, false)));
    let rest = received(&mut hub, bob);
    assert_eq!((rest.len(), rest[0].as_str(), rest[200].as_str()), (201, "301 m301", "501 new"));
}

#[test]
fn a_history_that_cannot_be_read_is_a_gap_and_not_a_silence() {
    let mut hub = hub(50, 0);
    hub.resume_lobby(9);
    let since = BTreeMap::from([("lobby".to_string(), 3)]);
    let bob = enter(&mut hub, 0, &Hello { since: Some(since), ..hello("bob") });
    let (ticket, _) = asked(&mut hub);
    hub.answer(ticket, Err(ReadError::Unreadable("broken".into())));
    assert_eq!(received(&mut hub, bob), ["gap 4-9"]);
}

#[test]
fn newcomers_are_sent_context_and_tutorial_pairs_show_the_time() {
    let mut hub = hub(2, 2);
    hub.resume_lobby(9);
    let bob = enter(&mut hub, 0, &hello("bob"));
    let (ticket, range) = asked(&mut hub);
    assert_eq!((range.before, range.limit, range.after), (Some(10), Some(2), None));
    hub.answer(ticket, Ok(page(8, 9, true)));
    assert_eq!(received(&mut hub, bob), ["history m8 m9"]);
    let tom = hub
        .enter_tutorial(
            b"tom",
            ConnectInfo { connection: 2, token: 9, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW },
        )
        .expect("enters");
    let (ticket, _) = asked(&mut hub);
    hub.answer(ticket, Ok(page(8, 9, true)));
    let output: Vec<String> =
        payloads(&written(&mut hub, tom)).iter().map(|payload| String::from_utf8_lossy(payload).into_owned()).collect();
    assert_eq!(output[2..], ["eve", "[2023-11-14 22:13 UTC] m8", "eve", "[2023-11-14 22:13 UTC] m9"]);
}

#[test]
fn a_late_answer_for_a_departed_member_is_dropped() {
    let mut hub = hub(2, 0);
    hub.resume_lobby(9);
    let bob = enter(&mut hub, 0, &hello("bob"));
    written(&mut hub, bob);
    let (ticket, _) = asked(&mut hub);
    hub.leave(bob, "lobby", NOW).expect("leaves");
    hub.answer(ticket, Ok(page(8, 9, true)));
    assert_eq!(received(&mut hub, bob), [""; 0]);
    hub.send(bob, Event::notice("still here"));
    assert_eq!(received(&mut hub, bob), ["still here"]);
    let gone = enter(&mut hub, 1, &hello("gone"));
    hub.depart(gone, NOW);
    assert_eq!(hub.next_question(), None, "nobody waits for it");
    let alice = enter(&mut hub, 1, &hello("alice"));
    let (ticket, _) = asked(&mut hub);
    hub.depart(alice, NOW);
    let carol = enter(&mut hub, 1, &hello("carol"));
    written(&mut hub, carol);
    hub.answer(ticket, Ok(page(1, 2, true)));
    assert_eq!(received(&mut hub, carol), [""; 0], "the answer was another's");
}

#[test]
fn history_is_for_members_of_the_room_and_ends_with_it() {
    let mut hub = hub(0, 0);
    hub.resume_lobby(9);
    let bob = enter(&mut hub, 0, &hello("bob"));
    let ask = |hub: &mut Hub, range: HistoryRange| hub.read_history(bob, &range, Some("r".into()));
    let lobby = || HistoryRange { room: "lobby".into(), ..HistoryRange::default() };
    for (range, code) in [
        (HistoryRange { room: "den".into(), ..HistoryRange::default() }, ErrorCode::UnknownRoom),
        (HistoryRange { limit: Some(0), ..lobby() }, ErrorCode::BadField),
        (HistoryRange { limit: Some(201), ..lobby() }, ErrorCode::BadField),
        (HistoryRange { around: Some(1), after: Some(1), ..lobby() }, ErrorCode::BadField),
    ] {
        assert_eq!(ask(&mut hub, range).expect_err("refused").code, code);
    }
    ask(&mut hub, lobby()).expect("asks");
    let (ticket, range) = asked(&mut hub);
    assert_eq!((range.before, hub.awaits(0)), (Some(10), Awaits::Answer));
    hub.answer(ticket, Ok(page(1, 9, false)));
    assert_eq!((hub.awaits(0), hub.take_settled()), (Awaits::Nothing, Some(0)));
    let output = envelopes(&mut hub, bob);
    assert!(
        matches!(output.last(), Some(Envelope { content: Event::History(_), reference: Some(r) }) if r == "r"),
        "{output:?}"
    );
}

#[test]
fn a_tutorial_member_reads_back_too() {
    let mut hub = hub(0, 0);
    hub.resume_lobby(9);
    let tom = hub
        .enter_tutorial(
            b"tom",
            ConnectInfo { connection: 2, token: 9, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW },
        )
        .expect("enters");
    written(&mut hub, tom);
    assert_eq!(hub.execute(tom, "/history 3", NOW), CommandOutcome::Continue);
    let (ticket, range) = asked(&mut hub);
    assert_eq!(range.limit, Some(3));
    hub.answer(ticket, Ok(page(9, 9, true)));
    assert_eq!(payloads(&written(&mut hub, tom)), [&b"eve"[..], b"[2023-11-14 22:13 UTC] m9"]);
    assert_eq!(hub.execute(tom, "/join den", NOW), CommandOutcome::Awaits);
}

#[test]
fn an_outcome_is_not_for_the_next_connection_of_a_client() {
    let mut hub = hub(0, 0);
    let shown = Hello { token: Some(TOKEN.into()), ..hello("bob") };
    let first = enter(&mut hub, 0, &shown);
    let login = |connection| ConnectInfo { connection, token: 7, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW };
    let claim = |hub: &mut Hub, connection, holder| hub.enter_event(&shown, None, holder, login(connection));
    assert_eq!(claim(&mut hub, 1, NameHolder::Unasked), Ok(LoginOutcome::NameHolder(first)));
    // While the first is probed, it departs, another client takes its name, and the client comes on
    // another connection.
    hub.depart(first, NOW);
    enter(&mut hub, 2, &hello("eve"));
    let second = enter(&mut hub, 3, &shown);
    assert_ne!(first, second);
    assert_eq!(claim(&mut hub, 1, NameHolder::Dead(first)), Ok(LoginOutcome::NameHolder(second)), "it was not asked");
    assert_eq!((hub.name(second), hub.connection(second)), ("bob", Some(3)));
    assert!(matches!(claim(&mut hub, 1, NameHolder::Dead(second)), Ok(LoginOutcome::As(_))));
    assert_eq!(hub.len(), 2);
}

/// Opens a room whose newest number is known, and lets a member in.
fn join(hub: &mut Hub, id: MemberId, room: &str, newest_seq: u64) {
    if !hub.knows_rooms(hub.connection(id).expect("here"), [room]) {
        let Some(PendingQuestion { ticket, question: Question::Head(_), .. }) = hub.next_question() else {
            panic!("asks for it")
        };
        hub.answer(ticket, Ok(head(newest_seq)));
    }
    assert!(matches!(hub.join(id, room, NOW), Ok(Reply::Joined { is_new: true, .. })));
    hub.send(id, Event::notice(format!("joined {room}")));
    hub.replay_context(id, room);
}

#[test]
fn each_rooms_past_comes_where_it_was_joined() {
    let mut hub = hub(2, 0);
    let bob = enter(&mut hub, 0, &hello("bob"));
    written(&mut hub, bob);
    join(&mut hub, bob, "a", 5);
    let (of_a, _) = asked(&mut hub);
    join(&mut hub, bob, "b", 5);
    assert_eq!(received(&mut hub, bob), ["joined a"]);
    hub.answer(of_a, Ok(page(4, 5, true)));
    assert_eq!(received(&mut hub, bob), ["history m4 m5", "joined b"]);
    let (of_b, _) = asked(&mut hub);
    assert!(hub.is_replaying(bob));
    hub.answer(of_b, Ok(page(1, 2, true)));
    assert_eq!(received(&mut hub, bob), ["history m1 m2"]);
    assert!(!hub.is_replaying(bob));
}

#[test]
fn a_page_of_a_room_that_was_left_is_not_sent_as_anothers() {
    let mut hub = hub(2, 0);
    let bob = enter(&mut hub, 0, &Hello { rooms: Some(Vec::new()), ..hello("bob") });
    join(&mut hub, bob, "a", 5);
    let (of_a, _) = asked(&mut hub);
    hub.leave(bob, "a", NOW).expect("leaves");
    join(&mut hub, bob, "b", 9);
    hub.answer(of_a, Ok(page(4, 5, true)));
    let (of_b, range) = asked(&mut hub);
    assert_eq!(range.room, "b");
    hub.answer(of_b, Ok(page(8, 9, true)));
    assert_eq!(received(&mut hub, bob), ["joined a", "joined b", "history m8 m9"]);
}

#[test]
fn a_slow_read_is_repeated_and_is_no_gap() {
    let mut hub = hub(50, 0);
    hub.resume_lobby(9);
    let since = BTreeMap::from([("lobby".to_string(), 7)]);
    let bob = enter(&mut hub, 0, &Hello { since: Some(since), ..hello("bob") });
    let (ticket, _) = asked(&mut hub);
    hub.answer(ticket, Err(ReadError::TooSlow("later".into())));
    assert_eq!(received(&mut hub, bob), [""; 0]);
    let (ticket, _) = asked(&mut hub);
    hub.answer(ticket, Ok(page(8, 9, false)));
    assert_eq!(received(&mut hub, bob), ["8 m8", "9 m9"]);
}

#[test]
fn a_ping_is_sent_before_the_replay_is_over() {
    let mut hub = hub(50, 0);
    hub.resume_lobby(9);
    let bob = enter(&mut hub, 0, &hello("bob"));
    written(&mut hub, bob);
    hub.send_at_once(bob, Event::Ping {});
    assert!(matches!(events(&mut hub, bob)[..], [Event::Ping {}]));
}

#[test]
fn messages_passed_while_the_past_is_read_come_from_the_history() {
    let mut hub = Hub::new(Rules { durable: true, replay: 0, log_bytes_max: 70_000, ..Rules::default() });
    hub.resume_lobby(9);
    let since = BTreeMap::from([("lobby".to_string(), 7)]);
    let bob = enter(&mut hub, 0, &Hello { since: Some(since), ..hello("bob") });
    let alice = enter(&mut hub, 1, &hello("alice"));
    let (first, _) = asked(&mut hub);
    for seq in 10..=40 {
        say(&mut hub, alice, seq, &format!("m{seq} {}", "x".repeat(8_000)));
        commit_next(&mut hub, seq);
        written(&mut hub, alice);
    }
    hub.skip_lost(bob);
    hub.answer(first, Ok(page(8, 9, false)));
    let mut output = received(&mut hub, bob);
    let (second, range) = asked(&mut hub);
    assert_eq!((range.after, range.before), (Some(9), Some(41)));
    hub.answer(second, Ok(page(10, 40, false)));
    output.extend(received(&mut hub, bob));
    let numbers: Vec<u64> =
        output.iter().map(|line| line.split(' ').next().expect("a number").parse().expect("a message")).collect();
    assert_eq!(numbers, (8..=40).collect::<Vec<_>>(), "each once, in order, and no gap");
    assert!(!hub.is_replaying(bob));
}

#[test]
fn messages_passed_before_an_awaited_past_are_reported_once() {
    let mut hub = Hub::new(Rules { durable: true, replay: 2, log_bytes_max: 70_000, ..Rules::default() });
    let (bob, alice) = (enter(&mut hub, 0, &hello("bob")), enter(&mut hub, 1, &hello("alice")));
    for id in [bob, alice] {
        written(&mut hub, id);
    }
    let say_next = |hub: &mut Hub, seqs: std::ops::RangeInclusive<u64>| {
        for seq in seqs {
            say(hub, alice, seq, &format!("m{seq} {}", "x".repeat(8_000)));
            commit_next(hub, seq);
            written(hub, alice);
        }
    };
    say_next(&mut hub, 1..=5);
    // Bob has read none of it when he goes to another room, whose past is not there yet.
    join(&mut hub, bob, "den", 5);
    say_next(&mut hub, 6..=30);
    // A write carries what it carries; bob gets a gap for the rest in its place.
    let output: Vec<String> =
        received(&mut hub, bob).iter().map(|line| line.split(" x").next().expect("a start").to_string()).collect();
    assert!(output[0].starts_with("gap 1-"), "{output:?}");
    let distinct: std::collections::BTreeSet<&String> = output.iter().collect();
    assert_eq!(distinct.len(), output.len(), "nothing comes twice: {output:?}");
}

#[test]
fn messages_passed_in_a_room_joined_meanwhile_follow_the_join() {
    let mut hub = Hub::new(Rules { durable: true, replay: 0, log_bytes_max: 70_000, ..Rules::default() });
    hub.resume_lobby(9);
    let alice = enter(&mut hub, 1, &hello("alice"));
    join(&mut hub, alice, "den", 0);
    let since = BTreeMap::from([("lobby".to_string(), 7)]);
    let bob = enter(&mut hub, 0, &Hello { since: Some(since), ..hello("bob") });
    let (of_lobby, _) = asked(&mut hub);
    // He goes on to another room, where so much is sent that its log's tail passes him before he is
    // sent anything.
    join(&mut hub, bob, "den", 0);
    for seq in 1..=40 {
        let text = format!("d{seq} {}", "x".repeat(8_000));
        let send =
            Send { room: "den".into(), text, id: MessageId(seq.into()), after: None, action: false, sealed: None };
        hub.say(alice, &send, None, NOW).expect("taken");
        commit_next(&mut hub, seq);
        written(&mut hub, alice);
    }
    hub.answer(of_lobby, Ok(page(8, 9, false)));
    assert_eq!(received(&mut hub, bob), ["8 m8", "9 m9", "joined den"]);
    let (of_den, range) = asked(&mut hub);
    assert_eq!((range.room.as_str(), range.after, range.before), ("den", Some(0), Some(41)));
    hub.answer(of_den, Ok(page(1, 40, false)));
    assert_eq!(received(&mut hub, bob).len(), 40);
    assert!(!hub.is_replaying(bob));
}
