//! Sessions against a hub of their own.

use std::net::Ipv4Addr;

use glassline_hub::{Hub, Now, Rules};
use glassline_testkit::frame::frame;
use glassline_wire::history::{Answer, Head};
use glassline_wire::timestamp::Timestamp;

use crate::admission::FloodLimit;
use crate::links::Links;
use crate::protocol::event::EventSession;
use crate::protocol::tests::NoSocket;
use crate::protocol::tutorial::TutorialSession;
use crate::protocol::{Pause, SessionContext, Step};

fn at(monotonic_ms: u64) -> Now {
    Now { monotonic_ms, at: Timestamp::from_unix_ms(monotonic_ms) }
}

/// Returns how long bob, who came in as `hello` at 0 s, has been idle at 60 s, having sent one
/// more payload at 50 s.
fn idle_s(take: &mut dyn FnMut(&mut &[u8], &mut SessionContext<'_>) -> Step, hello: &[u8], payload: &[u8]) -> u64 {
    let mut hub = Hub::new(Rules::default());
    let (mut member, mut output) = (None, Vec::new());
    for (seconds, payload) in [(0, hello), (50, payload)] {
        let mut context = SessionContext {
            hub: &mut hub,
            now: at(seconds * 1_000),
            connection: 0,
            address: Ipv4Addr::LOCALHOST.into(),
            carrier: &NoSocket,
            member: &mut member,
            flood: None,
            pre_login_output: &mut output,
            pure: false,
            links: &Links::default(),
            web: None,
            may_register: true,
        };
        assert_eq!(take(&mut &frame(payload)[..], &mut context), Step::Continue);
    }
    hub.whois("bob", at(60_000)).expect("bob is here").idle_s
}

#[test]
fn user_requests_end_idleness_and_automatic_ones_do_not() {
    let hello = br#"{"type":"hello","name":"bob"}"#;
    for (request, expected_s) in [
        (r#"{"type":"ping"}"#, 60),
        (r#"{"type":"pong"}"#, 60),
        ("no event", 60),
        (r#"{"type":"send","room":"lobby","text":"hi","id":"00000000000000000000000000000007"}"#, 10),
        (r#"{"type":"direct","to":"bob","text":"hi","id":"00000000000000000000000000000007"}"#, 10),
        (r#"{"type":"join","room":"den"}"#, 10),
        (r#"{"type":"leave","room":"lobby"}"#, 10),
        (r#"{"type":"rename","name":"Bob"}"#, 10),
        (r#"{"type":"members","room":"lobby"}"#, 60),
        (r#"{"type":"whois","name":"bob"}"#, 10),
        (r#"{"type":"rooms"}"#, 10),
        (r#"{"type":"away"}"#, 10),
    ] {
        let mut session = EventSession::new();
        let mut take = |input: &mut &[u8], context: &mut SessionContext<'_>| session.take(input, context);
        assert_eq!(idle_s(&mut take, hello, request.as_bytes()), expected_s, "{request}");
    }
    for (text, expected_s) in [("hi", 10), ("/names", 10), ("//x", 10)] {
        let mut session = TutorialSession::new();
        let mut take = |input: &mut &[u8], context: &mut SessionContext<'_>| session.take(input, context);
        assert_eq!(idle_s(&mut take, b"bob", text.as_bytes()), expected_s, "{text}");
    }
}

/// Returns the number of these payloads that are taken at one instant, from somebody whose
/// messages are stored at once.
fn taken_at_once(take: &mut dyn FnMut(&mut &[u8], &mut SessionContext<'_>) -> Step, payloads: &[String]) -> usize {
    let mut hub = Hub::new(Rules { durable: true, replay: 0, ..Rules::default() });
    let (mut member, mut output) = (None, Vec::new());
    let mut flood = FloodLimit::PerSecond(5).full(Ipv4Addr::LOCALHOST.into(), 0).expect("limited");
    let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload.as_bytes())).collect();
    let mut input = &stream[..];
    for _ in 0..1_000 {
        let mut context = SessionContext {
            hub: &mut hub,
            now: at(0),
            connection: 0,
            address: Ipv4Addr::LOCALHOST.into(),
            carrier: &NoSocket,
            member: &mut member,
            flood: Some(&mut flood),
            pre_login_output: &mut output,
            pure: false,
            links: &Links::default(),
            web: None,
            may_register: true,
        };
        match take(&mut input, &mut context) {
            Step::Pause(Pause::History) => {}
            Step::Pause(Pause::Flood { .. }) => break,
            other => panic!("{other:?}"),
        }
        for pending in hub.take_pending_records() {
            let ticket = pending.ticket;
            assert!(hub.committed(pending.record.committed(ticket, ticket + 1)));
        }
        while let Some(question) = hub.next_question() {
            hub.answer(question.ticket, Ok(Answer::Head(Head::default())));
        }
    }
    let mut bytes = stream.len() - input.len();
    let is_taken = |payload: &&String| {
        let frame_bytes = frame(payload.as_bytes()).len();
        let is_taken = frame_bytes <= bytes;
        bytes = bytes.saturating_sub(frame_bytes);
        is_taken
    };
    payloads.iter().take_while(is_taken).count()
}

#[test]
fn input_held_for_the_history_counts_against_the_flood_limit() {
    let send = r#"{"type":"send","room":"lobby","text":"hi","id":"00000000000000000000000000000007"}"#;
    let rooms = r#"{"type":"rooms"}"#;
    let join = |number: u32| format!(r#"{{"type":"join","room":"den{number}"}}"#);
    // Twenty may come at once; the one that goes below nothing, `hello` among them, is the last
    // that is taken.
    for turns in [[send, send], [rooms, rooms], [send, rooms]] {
        let asked = (0..60).map(|number| turns[number % 2].to_string());
        event_takes_twenty_one(asked);
    }
    event_takes_twenty_one((0..60).map(join));
    for turns in [["hi", "hi"], ["hi", "/names"]] {
        tutorial_takes_twenty_one((0..60).map(|number| turns[number % 2].to_string()));
    }
    tutorial_takes_twenty_one((0..60).map(|number| format!("/join den{number}")));
}

fn event_takes_twenty_one(payloads: impl Iterator<Item = String>) {
    let hello = r#"{"type":"hello","name":"bob"}"#.to_string();
    let payloads: Vec<String> = std::iter::once(hello).chain(payloads).collect();
    let mut session = EventSession::new();
    let taken = taken_at_once(&mut |input, context| session.take(input, context), &payloads);
    assert_eq!(taken, 21, "{:?}", &payloads[1..4]);
}

fn tutorial_takes_twenty_one(payloads: impl Iterator<Item = String>) {
    let payloads: Vec<String> = std::iter::once("bob".to_string()).chain(payloads).collect();
    let mut session = TutorialSession::new();
    let taken = taken_at_once(&mut |input, context| session.take(input, context), &payloads);
    assert_eq!(taken, 21, "{:?}", &payloads[1..4]);
}
