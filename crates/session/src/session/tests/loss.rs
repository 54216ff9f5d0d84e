use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::LinkState;
use alloc::collections::BTreeMap;
use proptest::prelude::*;

fn texts_sent(line: &mut Line) -> Vec<(String, glassline_wire::message_id::MessageId)> {
    let requests = line.take_requests();
    requests
        .into_iter()
        .filter_map(|request| if let Ask::Send(send) = request.content { Some((send.text, send.id)) } else { None })
        .collect()
}

#[test]
fn nothing_listening_at_first_ends_at_once_with_a_next_step() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.handle(Input::ConnectFailed("nothing listens there; start a server"));
    assert!(matches!(line.ending, Some(Ending::CannotConnect(text)) if text.ends_with("start a server")));
    let mut line = Line::new(DialectChoice::Auto, None);
    line.pass_ms(10_000);
    assert!(matches!(line.ending, Some(Ending::CannotConnect(text)) if text.contains("check the address")));
}

#[test]
fn a_reconnect_reclaims_the_name_and_resends_with_the_same_id() {
    let mut line = Line::event();
    for text in ["one", "two"] {
        line.say(text);
    }
    let requests = line.take_requests();
    line.hear(&acknowledgement(&requests[0], 5));
    line.take_updates();
    line.close();
    assert!(matches!(line.session.status(0).link, LinkState::Waiting { .. }));
    line.say("three");
    line.wait_for_try();
    assert_eq!(line.connects, 2);
    line.connect();
    let hello = line.take_hello();
    assert_eq!((hello.name.as_str(), hello.token.as_deref()), ("alice", Some("secret")));
    assert_eq!(hello.rooms, Some(vec!["lobby".to_owned()]));
    assert_eq!(hello.since.expect("since")["lobby"], 5);
    line.hear(&WELCOME.replace("\"seq\":4", "\"seq\":6"));
    let again = line.take_requests();
    assert_eq!(again[0], requests[1], "the same request, id and all");
    assert_eq!(again.len(), 2);
    // The lost link had carried it: it comes with the replay, and once more as the answer to the
    // second copy.
    line.take_updates();
    let answer = acknowledgement(&again[0], 6);
    line.hear(&answer);
    line.hear(&answer);
    line.hear(&acknowledgement(&again[1], 7));
    assert_eq!(line.take_texts(), ["+two", "+three"]);
}

fn after_of(request: &Request) -> Option<u64> {
    let Ask::Send(send) = &request.content else { panic!("a send, not {request:?}") };
    send.after
}

#[test]
fn a_message_says_what_was_known_when_it_was_first_sent() {
    let mut line = Line::event();
    line.say("one");
    let one = line.take_requests().remove(0);
    assert_eq!(after_of(&one), Some(4), "as `welcome` said");
    line.hear(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"hi"}"#);
    line.hear(r#"{"type":"gap","room":"lobby","from":6,"to":9}"#);
    line.say("two");
    assert_eq!(after_of(&line.take_requests()[0]), Some(9));
    line.close();
    line.say("three");
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(&WELCOME.replace("\"seq\":4", "\"seq\":30"));
    let again: Vec<_> = line.take_requests().iter().map(after_of).collect();
    assert_eq!(again, [Some(4), Some(9), Some(30)], "what is first sent now is behind all that `welcome` names");
    // A server that begins anew has given no higher number than it says.
    line.close();
    line.say("four");
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(&WELCOME.replace("\"seq\":4", "\"seq\":2"));
    let again: Vec<_> = line.take_requests().iter().map(after_of).collect();
    assert_eq!(again, [Some(4), Some(9), Some(30), Some(2)]);
}

#[test]
fn what_is_too_late_is_told_and_not_sent_again() {
    let mut line = Line::event();
    line.say("one");
    line.take_requests();
    line.close();
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    let again = line.take_requests().remove(0);
    line.take_updates();
    let reference = again.reference.as_deref().expect("a ref");
    line.hear(&format!(r#"{{"type":"error","code":"too_late","text":"look with /history","ref":"{reference}"}}"#));
    let updates = line.take_updates();
    assert!(matches!(&updates[..], [Update::Rejected { text: Some(text), .. }] if text == "one"), "{updates:?}");
    line.close();
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    assert!(line.take_requests().is_empty());
    assert_eq!(line.session.status(0).unsent, 0);
}

#[test]
fn a_room_is_not_left_before_what_was_said_in_it_has_gone_out() {
    let mut line = Line::event();
    line.close();
    let mut said = 0;
    while line.command(Command::Say("x".repeat(16_000))).is_ok() {
        said += 1;
    }
    line.takes_writes = false;
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    let leave = || Command::LeaveRoom(Some("lobby".into()));
    let declined = line.command(leave());
    assert!(
        matches!(&declined, Err(CommandError::StillSaying { room, unsent: 1.. }) if room == "lobby"),
        "{declined:?}"
    );
    line.takes_writes = true;
    line.handle(Input::Written);
    assert_eq!(line.command(leave()), Ok(()));
    let requests = line.take_requests();
    let (last, before) = requests.split_last().expect("requests");
    assert!(matches!(last.content, Ask::Leave(_)));
    assert_eq!(before.iter().filter(|request| matches!(request.content, Ask::Send(_))).count(), said);
}

#[test]
fn an_operator_is_told_that_the_role_went_with_the_connection() {
    let mut line = Line::event();
    let mut notice_after_loss = |act: Option<&str>| {
        if let Some(act) = act {
            line.hear(act);
        }
        line.close();
        line.wait_for_try();
        line.connect();
        line.take_updates();
        line.hear(WELCOME);
        let mut notices = line.take_updates().into_iter().filter_map(|update| match update {
            Update::Notice(text) => Some(text),
            _ => None,
        });
        notices.find(|text| text.starts_with("connected again")).expect("a word")
    };
    let op =
        |reference: &str| format!(r#"{{"type":"act","at":"2026-11-23T10:00:00.000Z","by":"x","act":"op"{reference}}}"#);
    let told = notice_after_loss(Some(&op(r#","ref":"glassline-operators""#)));
    assert_eq!(told, "connected again as alice; you are no operator any more: /op TOKEN makes you one");
    assert_eq!(notice_after_loss(None), "connected again as alice", "once is enough");
    assert_eq!(notice_after_loss(Some(&op(""))), "connected again as alice", "it was somebody else");
}

#[test]
fn a_slow_welcome_of_a_known_event_server_is_no_tutorial() {
    let mut line = Line::event();
    line.say("x");
    line.close();
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.pass_ms(9_999);
    assert_eq!(line.connects, 2);
    line.wait_for_try();
    assert_eq!(line.connects, 3);
    line.connect();
    line.take_hello();
}

#[test]
fn a_program_gives_up_after_a_minute_and_a_person_never() {
    for (gives_up_after_ms, gives_up) in [(Some(60_000), true), (None, false)] {
        let mut line = Line::new(DialectChoice::Auto, gives_up_after_ms);
        line.connect();
        line.hear(WELCOME);
        line.close();
        let lost_ms = line.now_ms;
        while line.ending.is_none() && line.now_ms < 3_600_000 {
            line.pass_ms(100);
            if line.session.status(0).link == LinkState::Connecting {
                line.handle(Input::ConnectFailed("nothing listens there"));
            }
        }
        assert_eq!(matches!(line.ending, Some(Ending::ServerWentAway(_))), gives_up);
        if gives_up {
            assert_eq!(line.now_ms - lost_ms, 60_000);
        }
        assert!(line.connects > 5);
    }
}

#[test]
fn a_server_that_accepts_and_closes_is_retried_slowly_then_lost() {
    let mut line = Line::tutorial();
    line.pass_ms(20_000);
    line.take_updates();
    while line.ending.is_none() {
        if line.session.status(0).link == LinkState::Connecting {
            line.connect();
        }
        line.close();
        line.pass_ms(50);
        assert!(line.now_ms < 600_000, "never gives up");
    }
    assert!(matches!(line.ending, Some(Ending::ServerWentAway(_))));
    assert_eq!(line.notices().matches("is lost").count(), 1);
    assert!(line.connects < 1_200, "{}", line.connects);
}

#[test]
fn a_server_that_welcomes_and_closes_is_given_up_too() {
    let mut line = Line::event();
    while line.ending.is_none() {
        assert!(line.now_ms < 600_000, "never gives up");
        line.hear_bytes(b"rubbish, no header");
        if line.ending.is_none() {
            line.pass_ms(1);
        }
        while line.ending.is_none() && matches!(line.session.status(0).link, LinkState::Waiting { .. }) {
            line.pass_ms(100);
        }
        if line.ending.is_none() {
            line.connect();
            line.hear(WELCOME);
        }
    }
    assert!(matches!(line.ending, Some(Ending::ServerWentAway(_))) && line.now_ms >= 59_000, "{}", line.now_ms);
    assert!(line.notices().matches("is lost").count() > 2, "each loss is told");
}

#[test]
fn a_link_that_stood_is_retried_soon_after_a_slow_connect() {
    let mut line = Line::new(DialectChoice::Event, None);
    line.connect();
    line.hear(WELCOME);
    for round in 0..20 {
        line.close();
        for _ in 0..12 {
            line.wait_for_try();
            line.handle(Input::ConnectFailed("nothing listens there"));
        }
        line.wait_for_try();
        line.connect();
        line.hear(WELCOME);
        line.pass_ms(10_000);
        let lost_ms = line.now_ms;
        line.close();
        line.wait_for_try();
        assert!(line.now_ms - lost_ms <= 500, "round {round}: {} ms", line.now_ms - lost_ms);
        line.connect();
        line.hear(WELCOME);
    }
}

#[test]
fn the_tutorial_dialect_says_that_the_last_words_may_be_lost() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["bob", "hi"]));
    line.take_updates();
    line.close();
    assert!(line.notices().contains("may not have arrived"));
    line.say("later");
    line.wait_for_try();
    line.connect();
    assert_eq!(line.take_frames(), [b"alice".to_vec(), b"later".to_vec()]);
}

#[test]
fn leaving_works_in_every_phase() {
    // Connecting, greeting, waiting: nothing to wait for.
    let mut connecting = Line::new(DialectChoice::Auto, None);
    let mut greeting = Line::new(DialectChoice::Auto, None);
    greeting.connect();
    let mut waiting = Line::event();
    waiting.close();
    for line in [&mut connecting, &mut greeting, &mut waiting] {
        line.command(Command::Leave).expect("taken");
        assert_eq!(line.ending, Some(Ending::Left));
    }
    let mut lost = Line::event();
    lost.say("x");
    lost.close();
    lost.command(Command::Leave).expect("taken");
    assert_eq!(lost.ending, None);
    lost.pass_ms(2_000);
    assert_eq!(lost.ending, Some(Ending::Left));
    assert!(lost.notices().contains("not sent") || lost.connects > 1);
}

#[test]
fn words_that_came_to_nothing_are_given_back() {
    for (said, more) in [(20, ""), (21, "and 1 more\n"), (50, "and 30 more\n")] {
        let mut line = Line::event();
        line.command(Command::Direct { to: "bob".into(), text: "psst".into() }).expect("taken");
        for number in 1..said {
            line.say(&format!("m{number}"));
        }
        line.close();
        line.take_updates();
        line.command(Command::Leave).expect("taken");
        while line.ending.is_none() {
            line.pass_ms(100);
        }
        let notices = line.notices();
        let first = format!("{said} of your messages were not sent\nnot sent, to bob: psst\nnot sent: m1\n");
        assert!(notices.starts_with(&first) && notices.ends_with(&format!("not sent: m19\n{more}")), "{notices}");
    }
}

#[test]
fn finishing_on_a_lost_link_waits_only_for_unsent_messages() {
    let mut line = Line::event();
    line.close();
    line.command(Command::Finish).expect("taken");
    assert_eq!(line.ending, Some(Ending::Left));
    let mut line = Line::event();
    line.say("x");
    line.close();
    line.command(Command::Finish).expect("taken");
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    assert_eq!(texts_sent(&mut line).len(), 1);
}

#[test]
fn an_empty_input_still_connects() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.command(Command::Finish).expect("taken");
    assert_eq!(line.ending, None);
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    assert!(matches!(line.take_requests().remove(0).content, Ask::Bye {}));
}

#[test]
fn a_name_still_held_by_the_dead_connection_is_asked_for_again() {
    let mut line = Line::event();
    line.close();
    line.wait_for_try();
    line.connect();
    line.hear(r#"{"type":"error","code":"name_taken","text":"somebody has it"}"#);
    assert_eq!(line.ending, None);
    line.wait_for_try();
    assert_eq!(line.connects, 3);
}

#[test]
fn many_rooms_do_not_make_a_hello_that_no_server_takes() {
    let mut line = Line::event();
    for number in 0..300 {
        line.hear(&format!(r#"{{"type":"joined","room":"room-{number:060}","names":["alice"],"count":1}}"#));
    }
    line.close();
    line.wait_for_try();
    line.connect();
    assert!(line.sent.len() <= 10 + 10 + 4_096);
    let rooms = line.take_hello().rooms.expect("rooms").len();
    line.hear(WELCOME);
    let joins = line.take_requests().into_iter().filter(|request| matches!(request.content, Ask::Join(_))).count();
    assert!(rooms > 20 && rooms < 64 && joins == 63, "{rooms} rooms, {joins} joins");
}

#[test]
fn a_hello_names_as_many_rooms_as_fit() {
    for letters in [1, 40, 200] {
        let mut line = Line::event();
        for number in 0..60 {
            let room = format!("{}{number}", r#"\""#.repeat(letters));
            line.hear(&format!(r#"{{"type":"joined","room":"{room}","names":["alice"],"count":1}}"#));
            line.hear(&format!(r#"{{"type":"message","room":"{room}","seq":1,"from":"bob","text":"x"}}"#));
        }
        line.close();
        line.wait_for_try();
        line.connect();
        let hello = line.take_hello();
        let json = |hello| Request::from(Ask::Hello(hello)).to_json().len();
        assert!(json(hello.clone()) <= 4_096);
        let mut longer = hello;
        let (rooms, since) = (longer.rooms.as_mut().expect("rooms"), longer.since.as_mut().expect("since"));
        assert!(rooms.len() == since.len() && rooms.iter().all(|room| since.contains_key(room)));
        let next = line.session.rooms.names().get(rooms.len()).cloned();
        let Some(next) = next else { continue };
        since.insert(next.clone(), 0);
        rooms.push(next);
        assert!(json(longer) > 4_096 - 2, "one more would fit");
    }
}

#[test]
fn the_user_is_back_in_a_room_that_is_joined_again() {
    for moves_on in [false, true] {
        let mut line = Line::event();
        line.command(Command::Join("den".into())).expect("taken");
        line.hear(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
        line.close();
        line.wait_for_try();
        line.connect();
        line.hear(WELCOME);
        assert_eq!(line.session.status(0).room.as_deref(), Some("lobby"));
        if moves_on {
            line.command(Command::Join("lobby".into())).expect("taken");
        }
        line.hear(r#"{"type":"joined","room":"trap","names":["alice"],"count":1}"#);
        line.hear(r#"{"type":"joined","room":"den","names":["alice"],"count":1}"#);
        let room = if moves_on { "lobby" } else { "den" };
        assert_eq!(line.session.status(0).room.as_deref(), Some(room));
    }
}

/// A server of the event dialect with nothing but a log: what was taken stays taken, whatever
/// happens to the link.
#[derive(Default)]
struct Log {
    taken: Vec<(String, glassline_wire::message_id::MessageId)>,
    /// Answers not yet sent on the link of now, as places in the log.
    answers: Vec<usize>,
}

impl Log {
    fn take(&mut self, sent: Vec<(String, glassline_wire::message_id::MessageId)>) {
        for (text, id) in sent {
            let at = self.taken.iter().position(|(_, known)| *known == id);
            let at = at.unwrap_or_else(|| {
                self.taken.push((text, id));
                self.taken.len() - 1
            });
            self.answers.push(at);
        }
    }

    fn message(&self, at: usize) -> String {
        let (text, id) = &self.taken[at];
        let seq = at + 1;
        format!(r#"{{"type":"message","room":"lobby","seq":{seq},"from":"alice","text":"{text}","id":"{id}"}}"#)
    }
}

proptest! {
    #[test]
    fn with_any_link_faults_each_message_is_sent_once_in_order(
        steps in proptest::collection::vec(0_u8..8, 1..120),
    ) {
        let mut line = Line::new(DialectChoice::Event, None);
        let mut log = Log::default();
        let mut said = 0;
        let mut ids: BTreeMap<String, glassline_wire::message_id::MessageId> = BTreeMap::new();
        // After the steps the link stays whole, so everything must come to rest.
        for step in steps.into_iter().chain([9; 60]) {
            match (step, line.session.status(0).link) {
                (0..=2, _) => {
                    line.say(&format!("m{said}"));
                    said += 1;
                }
                // The link breaks; what the server was about to answer is lost with it.
                (3, LinkState::Online) => {
                    line.close();
                    log.answers.clear();
                }
                // What was on its way to the server is lost, too.
                (4, LinkState::Online) => {
                    line.sent.clear();
                    line.close();
                    log.answers.clear();
                }
                (_, LinkState::Waiting { .. }) => line.wait_for_try(),
                (_, LinkState::Connecting) => {
                    line.connect();
                    let since = line.take_hello().since.and_then(|since| since.get("lobby").copied()).unwrap_or(0);
                    let newest = log.taken.len();
                    line.hear(&WELCOME.replace("\"seq\":4", &format!("\"seq\":{newest}")));
                    for at in usize::try_from(since).expect("small")..newest {
                        line.hear(&log.message(at));
                    }
                }
                (5, _) => log.take(texts_sent(&mut line)),
                _ => {
                    log.take(texts_sent(&mut line));
                    for at in core::mem::take(&mut log.answers) {
                        line.hear(&log.message(at));
                    }
                }
            }
            for (text, id) in &log.taken {
                prop_assert_eq!(ids.entry(text.clone()).or_insert(*id), id, "one id for {}", text);
            }
        }
        let texts: Vec<String> = (0..said).map(|number| format!("m{number}")).collect();
        let taken: Vec<String> = log.taken.iter().map(|(text, _)| text.clone()).collect();
        prop_assert_eq!(&taken, &texts);
        let shown: Vec<String> = texts.iter().map(|text| format!("+{text}")).collect();
        prop_assert_eq!(line.take_texts(), shown);
        prop_assert_eq!(line.session.status(0).unsent, 0);
    }
}
