use super::*;
use crate::LinkState;
use alloc::collections::BTreeMap;
use proptest::prelude::*;

fn texts_sent(client: &mut TestClient) -> Vec<(String, glassline_wire::message_id::MessageId)> {
    let requests = client.take_requests();
    requests
        .into_iter()
        .filter_map(|request| if let Ask::Send(send) = request.content { Some((send.text, send.id)) } else { None })
        .collect()
}

#[test]
fn nothing_listening_at_first_ends_at_once_with_a_next_step() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.handle(Input::ConnectFailed("nothing listens there; start a server"));
    assert!(matches!(client.ending, Some(Ending::CannotConnect(text)) if text.ends_with("start a server")));
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.pass_ms(10_000);
    assert!(matches!(client.ending, Some(Ending::CannotConnect(text)) if text.contains("check the address")));
}

#[test]
fn a_refused_link_ends_at_first_and_on_a_reconnect() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.say("early");
    client.handle(Input::LinkRefused("another key"));
    assert_eq!(client.ending, Some(Ending::LinkRefused("another key".to_owned())));
    assert_eq!(client.ending.as_ref().map(Ending::exit_code), Some(4));
    assert!(client.sent.is_empty() && client.notices().contains("not acknowledged: early"), "{}", client.notices());
    let mut client = TestClient::event();
    client.close();
    client.wait_for_connect();
    client.sent.clear();
    client.handle(Input::LinkRefused("another key"));
    assert!(matches!(client.ending, Some(Ending::LinkRefused(_))) && client.sent.is_empty());
    client.pass_ms(600_000);
    assert_eq!(client.connects, 2, "no third attempt");
}

#[test]
fn a_reconnect_reclaims_the_name_and_resends_with_the_same_id() {
    let mut client = TestClient::event();
    for text in ["one", "two"] {
        client.say(text);
    }
    let requests = client.take_requests();
    client.receive(&acknowledgement(&requests[0], 5));
    client.take_updates();
    client.close();
    assert!(matches!(client.session.status(0).link, LinkState::Waiting { .. }));
    client.say("three");
    client.wait_for_connect();
    assert_eq!(client.connects, 2);
    client.connect();
    let hello = client.take_hello();
    assert_eq!((hello.name.as_str(), hello.token.as_deref()), ("alice", Some("secret")));
    assert_eq!(hello.rooms, Some(vec!["lobby".to_owned()]));
    assert_eq!(hello.since.expect("since")["lobby"], 5);
    client.receive(&WELCOME.replace("\"seq\":4", "\"seq\":6"));
    let again = client.take_requests();
    assert_eq!(again[0], requests[1], "the same request, id and all");
    assert_eq!(again.len(), 2);
    // The lost link had carried it: it comes with the replay, and once more as the answer to the
    // second copy.
    client.take_updates();
    let answer = acknowledgement(&again[0], 6);
    client.receive(&answer);
    client.receive(&answer);
    client.receive(&acknowledgement(&again[1], 7));
    assert_eq!(client.take_texts(), ["+two", "+three"]);
}

fn after_of(request: &Request) -> Option<u64> {
    let Ask::Send(send) = &request.content else { panic!("a send, not {request:?}") };
    send.after
}

#[test]
fn a_message_states_what_was_known_when_first_sent() {
    let mut client = TestClient::event();
    client.say("one");
    let one = client.take_requests().remove(0);
    assert_eq!(after_of(&one), Some(4), "as `welcome` said");
    client.receive(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"hi"}"#);
    client.receive(r#"{"type":"gap","room":"lobby","from":6,"to":9}"#);
    client.say("two");
    assert_eq!(after_of(&client.take_requests()[0]), Some(9));
    client.close();
    client.say("three");
    client.wait_for_connect();
    client.connect();
    client.take_hello();
    client.receive(&WELCOME.replace("\"seq\":4", "\"seq\":30"));
    let again: Vec<_> = client.take_requests().iter().map(after_of).collect();
    assert_eq!(again, [Some(4), Some(9), Some(30)], "what is first sent now is behind all that `welcome` names");
    // A server that begins anew has given no higher number than it states.
    client.close();
    client.say("four");
    client.wait_for_connect();
    client.connect();
    client.take_hello();
    client.receive(&WELCOME.replace("\"seq\":4", "\"seq\":2"));
    let again: Vec<_> = client.take_requests().iter().map(after_of).collect();
    assert_eq!(again, [Some(4), Some(9), Some(30), Some(2)]);
}

#[test]
fn a_too_late_message_is_reported_and_not_sent_again() {
    let mut client = TestClient::event();
    client.say("one");
    client.take_requests();
    client.reconnect();
    client.take_hello();
    client.receive(WELCOME);
    let again = client.take_requests().remove(0);
    client.take_updates();
    let reference = again.reference.as_deref().expect("a ref");
    client.receive(&format!(r#"{{"type":"error","code":"too_late","text":"look with /history","ref":"{reference}"}}"#));
    let updates = client.take_updates();
    assert!(matches!(&updates[..], [Update::Rejected { text: Some(text), .. }] if text == "one"), "{updates:?}");
    client.reconnect();
    client.take_hello();
    client.receive(WELCOME);
    assert!(client.take_requests().is_empty());
    assert_eq!(client.session.status(0).unsent, 0);
}

#[test]
fn a_room_is_not_left_before_what_was_said_in_it_has_gone_out() {
    let mut client = TestClient::event();
    client.close();
    let mut said = 0;
    while client.command(Command::Say("x".repeat(16_000))).is_ok() {
        said += 1;
    }
    client.takes_writes = false;
    client.wait_for_connect();
    client.connect();
    client.take_hello();
    client.receive(WELCOME);
    let leave = || Command::LeaveRoom(Some("lobby".into()));
    let rejected = client.command(leave());
    assert!(
        matches!(&rejected, Err(CommandError::UnsentMessages { room, unsent: 1.. }) if room == "lobby"),
        "{rejected:?}"
    );
    client.takes_writes = true;
    client.handle(Input::Written);
    assert_eq!(client.command(leave()), Ok(()));
    let requests = client.take_requests();
    let (last, before) = requests.split_last().expect("requests");
    assert!(matches!(last.content, Ask::Leave(_)));
    assert_eq!(before.iter().filter(|request| matches!(request.content, Ask::Send(_))).count(), said);
}

#[test]
fn an_operator_learns_that_the_role_ended_with_the_connection() {
    let mut client = TestClient::event();
    let mut notice_after_loss = |act: Option<&str>| {
        if let Some(act) = act {
            client.receive(act);
        }
        client.reconnect();
        client.take_updates();
        client.receive(WELCOME);
        let mut notices = client.take_updates().into_iter().filter_map(|update| match update {
            Update::Notice(text) => Some(text),
            _ => None,
        });
        notices.find(|text| text.starts_with("connected again")).expect("a word")
    };
    let op =
        |reference: &str| format!(r#"{{"type":"act","at":"2026-11-23T10:00:00.000Z","by":"x","act":"op"{reference}}}"#);
    let notice = notice_after_loss(Some(&op(r#","ref":"glassline-operators""#)));
    assert_eq!(notice, "connected again as alice; you are no operator any more: /op TOKEN makes you one");
    assert_eq!(notice_after_loss(None), "connected again as alice", "once is enough");
    assert_eq!(notice_after_loss(Some(&op(""))), "connected again as alice", "it was somebody else");
}

#[test]
fn a_slow_welcome_of_a_known_event_server_is_no_tutorial() {
    let mut client = TestClient::event();
    client.say("x");
    client.reconnect();
    client.take_hello();
    client.pass_ms(9_999);
    assert_eq!(client.connects, 2);
    client.wait_for_connect();
    assert_eq!(client.connects, 3);
    client.connect();
    client.take_hello();
}

#[test]
fn a_program_gives_up_after_a_minute_and_a_person_never() {
    for (gives_up_after_ms, gives_up) in [(Some(60_000), true), (None, false)] {
        let mut client = TestClient::new(DialectChoice::Auto, gives_up_after_ms);
        client.connect();
        client.receive(WELCOME);
        client.close();
        let lost_ms = client.now_ms;
        while client.ending.is_none() && client.now_ms < 3_600_000 {
            client.pass_ms(100);
            if client.session.status(0).link == LinkState::Connecting {
                client.handle(Input::ConnectFailed("nothing listens there"));
            }
        }
        assert_eq!(matches!(client.ending, Some(Ending::ServerWentAway(_))), gives_up);
        if gives_up {
            assert_eq!(client.now_ms - lost_ms, 60_000);
        }
        assert!(client.connects > 5);
    }
}

#[test]
fn a_server_that_accepts_and_closes_is_retried_slowly_then_lost() {
    let mut client = TestClient::tutorial();
    client.pass_ms(20_000);
    client.take_updates();
    while client.ending.is_none() {
        if client.session.status(0).link == LinkState::Connecting {
            client.connect();
        }
        client.close();
        client.pass_ms(50);
        assert!(client.now_ms < 600_000, "never gives up");
    }
    assert!(matches!(client.ending, Some(Ending::ServerWentAway(_))));
    assert_eq!(client.notices().matches("is lost").count(), 1);
    assert!(client.connects < 1_200, "{}", client.connects);
}

#[test]
fn a_server_that_welcomes_and_closes_is_given_up_too() {
    let mut client = TestClient::event();
    while client.ending.is_none() {
        assert!(client.now_ms < 600_000, "never gives up");
        client.receive_bytes(b"rubbish, no header");
        if client.ending.is_none() {
            client.pass_ms(1);
        }
        while client.ending.is_none() && matches!(client.session.status(0).link, LinkState::Waiting { .. }) {
            client.pass_ms(100);
        }
        if client.ending.is_none() {
            client.connect();
            client.receive(WELCOME);
        }
    }
    assert!(matches!(client.ending, Some(Ending::ServerWentAway(_))) && client.now_ms >= 59_000, "{}", client.now_ms);
    assert!(client.notices().matches("is lost").count() > 2, "each loss is reported");
}

#[test]
fn a_link_that_stood_is_retried_soon_after_a_slow_connect() {
    let mut client = TestClient::new(DialectChoice::Event, None);
    client.connect();
    client.receive(WELCOME);
    for round in 0..20 {
        client.close();
        for _ in 0..12 {
            client.wait_for_connect();
            client.handle(Input::ConnectFailed("nothing listens there"));
        }
        client.wait_for_connect();
        client.connect();
        client.receive(WELCOME);
        client.pass_ms(10_000);
        let lost_ms = client.now_ms;
        client.close();
        client.wait_for_connect();
        assert!(client.now_ms - lost_ms <= 500, "round {round}: {} ms", client.now_ms - lost_ms);
        client.connect();
        client.receive(WELCOME);
    }
}

#[test]
fn the_tutorial_dialect_says_that_the_last_words_may_be_lost() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["bob", "hi"]));
    client.take_updates();
    client.close();
    assert!(client.notices().contains("may not have arrived"));
    client.say("later");
    client.wait_for_connect();
    client.connect();
    assert_eq!(client.take_frames(), [b"alice".to_vec(), b"later".to_vec()]);
}

#[test]
fn leaving_works_in_every_phase() {
    // Connecting, greeting, waiting: nothing to wait for.
    let mut connecting = TestClient::new(DialectChoice::Auto, None);
    let mut greeting = TestClient::new(DialectChoice::Auto, None);
    greeting.connect();
    let mut waiting = TestClient::event();
    waiting.close();
    for client in [&mut connecting, &mut greeting, &mut waiting] {
        client.command(Command::Leave).expect("taken");
        assert_eq!(client.ending, Some(Ending::Left));
    }
    let mut lost = TestClient::event();
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
        let mut client = TestClient::event();
        client.command(Command::Direct { to: "bob".into(), text: "psst".into() }).expect("taken");
        for number in 1..said {
            client.say(&format!("m{number}"));
        }
        client.close();
        client.take_updates();
        client.command(Command::Leave).expect("taken");
        while client.ending.is_none() {
            client.pass_ms(100);
        }
        let notices = client.notices();
        let first = format!("{said} of your messages were not sent\nnot sent, to bob: psst\nnot sent: m1\n");
        assert!(notices.starts_with(&first) && notices.ends_with(&format!("not sent: m19\n{more}")), "{notices}");
    }
}

#[test]
fn finishing_on_a_lost_link_waits_only_for_unsent_messages() {
    let mut client = TestClient::event();
    client.close();
    client.command(Command::Finish).expect("taken");
    assert_eq!(client.ending, Some(Ending::Left));
    let mut client = TestClient::event();
    client.say("x");
    client.close();
    client.command(Command::Finish).expect("taken");
    client.wait_for_connect();
    client.connect();
    client.take_hello();
    client.receive(WELCOME);
    assert_eq!(texts_sent(&mut client).len(), 1);
}

#[test]
fn an_empty_input_still_connects() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.command(Command::Finish).expect("taken");
    assert_eq!(client.ending, None);
    client.connect();
    client.take_hello();
    client.receive(WELCOME);
    assert!(matches!(client.take_requests().remove(0).content, Ask::Bye {}));
}

#[test]
fn a_name_still_held_by_the_dead_connection_is_asked_for_again() {
    let mut client = TestClient::event();
    client.reconnect();
    client.receive(r#"{"type":"error","code":"name_taken","text":"somebody has it"}"#);
    assert_eq!(client.ending, None);
    client.wait_for_connect();
    assert_eq!(client.connects, 3);
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
        let mut client = TestClient::new(DialectChoice::Event, None);
        let mut log = Log::default();
        let mut said = 0;
        let mut ids: BTreeMap<String, glassline_wire::message_id::MessageId> = BTreeMap::new();
        // After the steps the link stays whole, so everything must come to rest.
        for step in steps.into_iter().chain([9; 60]) {
            match (step, client.session.status(0).link) {
                (0..=2, _) => {
                    client.say(&format!("m{said}"));
                    said += 1;
                }
                // The link breaks; what the server was about to answer is lost with it.
                (3, LinkState::Online) => {
                    client.close();
                    log.answers.clear();
                }
                // What was on its way to the server is lost, too.
                (4, LinkState::Online) => {
                    client.sent.clear();
                    client.close();
                    log.answers.clear();
                }
                (_, LinkState::Waiting { .. }) => client.wait_for_connect(),
                (_, LinkState::Connecting) => {
                    client.connect();
                    let since = client.take_hello().since.and_then(|since| since.get("lobby").copied()).unwrap_or(0);
                    let newest = log.taken.len();
                    client.receive(&WELCOME.replace("\"seq\":4", &format!("\"seq\":{newest}")));
                    for at in usize::try_from(since).expect("small")..newest {
                        client.receive(&log.message(at));
                    }
                }
                (5, _) => log.take(texts_sent(&mut client)),
                _ => {
                    log.take(texts_sent(&mut client));
                    for at in core::mem::take(&mut log.answers) {
                        client.receive(&log.message(at));
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
        prop_assert_eq!(client.take_texts(), shown);
        prop_assert_eq!(client.session.status(0).unsent, 0);
    }
}

#[test]
fn a_handshake_that_stalls_is_told_as_one() {
    for (reaches, words) in [(false, "no answer within 10 s; check the address"), (true, "has accepted the connection")]
    {
        let mut client = TestClient::new(DialectChoice::Auto, None);
        if reaches {
            client.handle(Input::Reached);
        }
        client.pass_ms(10_000);
        let Some(Ending::CannotConnect(text)) = &client.ending else { panic!("{:?}", client.ending) };
        assert!(text.contains(words) && text.contains("check the address") != reaches, "{text}");
    }
}
