use super::*;
use crate::{LinkState, SlashExecutor};

#[test]
fn a_message_counts_once_the_server_has_acknowledged_it() {
    let mut client = TestClient::event();
    assert_eq!(client.session.status(0).people, Some(3));
    client.take_updates();
    client.say("hi");
    assert_eq!((client.session.status(0).unsent, client.take_texts()), (1, vec![]));
    let request = client.take_requests().remove(0);
    client.receive(&acknowledgement(&request, 5));
    assert_eq!((client.session.status(0).unsent, client.take_texts()), (0, vec!["+hi".to_owned()]));
    client.receive(r#"{"type":"message","room":"lobby","seq":6,"from":"bob","text":"hello"}"#);
    assert_eq!(client.take_texts(), ["hello"]);
}

#[test]
fn messages_given_before_the_welcome_are_sent_after_it() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.say("early");
    client.connect();
    client.take_hello();
    assert!(client.sent.is_empty());
    client.receive(WELCOME);
    let request = client.take_requests().remove(0);
    assert!(matches!(request.content, Ask::Send(send) if send.text == "early"));
}

#[test]
fn every_message_has_its_own_id_and_a_ref() {
    let mut client = TestClient::event();
    for _ in 0..100 {
        client.say("again");
    }
    let requests = client.take_requests();
    let ids: alloc::collections::BTreeSet<_> = requests.iter().map(|request| request.reference.clone()).collect();
    assert_eq!((requests.len(), ids.len()), (100, 100));
}

#[test]
fn a_refused_message_comes_back_with_its_text_and_waits_no_more() {
    let mut client = TestClient::event();
    client.say("spam");
    let reference = client.take_requests().remove(0).reference.expect("a ref");
    client.take_updates();
    client.receive(&format!(r#"{{"type":"error","code":"rate","text":"slower","ref":"{reference}"}}"#));
    let updates = client.take_updates();
    assert!(matches!(&updates[..], [Update::Rejected { text: Some(text), .. }] if text == "spam"), "{updates:?}");
    assert_eq!(client.session.status(0).unsent, 0);
}

#[test]
fn whoever_is_thrown_out_does_not_come_back_by_itself() {
    for code in ["kicked", "banned"] {
        let mut client = TestClient::event();
        client.say("but");
        client.take_requests();
        client
            .receive(&format!(r#"{{"type":"error","code":"{code}","text":"teacher closed your connection: enough"}}"#));
        client.receive(r#"{"type":"bye","text":"teacher closed your connection: enough"}"#);
        client.close();
        assert!(
            matches!(&client.ending, Some(Ending::Rejected(text)) if text.contains("enough")),
            "{:?}",
            client.ending
        );
        assert!(client.notices().contains("not acknowledged: but"), "what was said last is given back");
        let mut client = TestClient::event();
        client
            .receive(&format!(r#"{{"type":"error","code":"{code}","text":"not that name","ref":"glassline-asked"}}"#));
        assert_eq!(client.ending, None, "an answer is no throwing out");
    }
}

#[test]
fn an_error_before_the_welcome_refuses() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.connect();
    client.receive(r#"{"type":"error","code":"bad_name","text":"no such names here"}"#);
    assert!(matches!(client.ending, Some(Ending::Rejected(text)) if text.contains("no such names here")));
}

#[test]
fn pings_are_answered_and_a_silent_server_is_pinged_then_lost() {
    let mut client = TestClient::event();
    client.receive(r#"{"type":"ping"}"#);
    assert!(matches!(client.take_requests().remove(0).content, Ask::Pong {}));
    client.pass_ms(29_999);
    assert!(client.sent.is_empty());
    client.pass_ms(1);
    let ping = client.take_requests().remove(0);
    assert!(matches!(ping.content, Ask::Ping {}));
    client.take_updates();
    client.receive(&format!(r#"{{"type":"pong","ref":"{}"}}"#, ping.reference.expect("a ref")));
    assert_eq!(client.take_updates(), [], "the answer to the session's own question is nobody's business");
    client.receive(r#"{"type":"error","code":"rate","text":"slower","ref":"glassline-alive"}"#);
    assert_eq!(client.take_updates(), [], "nor is a refusal of it");
    client.pass_ms(74_999);
    assert_eq!((client.connects, client.session.status(0).link), (1, LinkState::Online));
    client.pass_ms(1_000);
    assert_eq!(client.connects, 2);
}

#[test]
fn finishing_waits_for_the_last_acknowledgement_then_says_bye() {
    let mut client = TestClient::event();
    client.say("last");
    let request = client.take_requests().remove(0);
    client.command(Command::Finish).expect("taken");
    client.receive(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"x"}"#);
    assert!(client.sent.is_empty() && client.ending.is_none());
    client.receive(&acknowledgement(&request, 6));
    assert!(matches!(client.take_requests().remove(0).content, Ask::Bye {}));
    assert_eq!(client.command(Command::Say("more".into())), Err(CommandError::Leaving));
    client.receive(r#"{"type":"bye","text":"bye"}"#);
    assert_eq!(client.ending, Some(Ending::Left));
}

#[test]
fn a_server_that_does_not_say_bye_is_left_after_two_seconds() {
    let mut client = TestClient::event();
    client.command(Command::Leave).expect("taken");
    client.pass_ms(1_999);
    assert_eq!(client.ending, None);
    client.pass_ms(1);
    assert_eq!(client.ending, Some(Ending::Left));
}

#[test]
fn leaving_at_once_takes_two_seconds_and_reports_what_is_unsent() {
    let mut client = TestClient::event();
    client.say("x");
    client.command(Command::Leave).expect("taken");
    client.take_requests();
    client.take_updates();
    client.pass_ms(1_500);
    assert_eq!(client.notices(), "1 of your messages was not acknowledged\nnot acknowledged: x\n");
    assert!(matches!(client.take_requests().remove(0).content, Ask::Bye {}));
    client.pass_ms(499);
    assert_eq!(client.ending, None);
    client.pass_ms(1);
    assert_eq!(client.ending, Some(Ending::Left));
}

/// The user leaves a room.
fn leave(client: &mut TestClient, room: &str) {
    client.command(Command::LeaveRoom(Some(room.into()))).expect("taken");
    let reference = client.take_requests().remove(0).reference.expect("a ref");
    client.take_updates();
    client.receive(&format!(r#"{{"type":"left","room":"{room}","names":["alice"],"count":1,"ref":"{reference}"}}"#));
}

#[test]
fn rooms_are_entered_left_and_gone_to() {
    let mut client = TestClient::event();
    client.session.config.follows_people = true;
    client.command(Command::Join("den".into())).expect("taken");
    let request = client.take_requests().remove(0);
    let reference = request.reference.expect("a ref");
    assert_eq!(client.session.status(0).room.as_deref(), Some("lobby"));
    assert!(!client.session.takes_commands(), "what a pipe says next is meant for the den");
    client.receive(&format!(r#"{{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"{reference}"}}"#));
    assert_eq!(client.session.status(0).room.as_deref(), Some("den"));
    assert!(client.session.takes_commands());
    let count = client.take_requests().remove(0);
    assert!(client.take_updates().contains(&Update::CurrentRoom(Some("den".into()))));
    let reference = count.reference.expect("a ref");
    client.receive(&format!(
        r#"{{"type":"members","room":"den","names":["alice","bob"],"count":2,"ref":"{reference}"}}"#
    ));
    assert_eq!((client.session.status(0).people, client.take_updates()), (Some(2), vec![]));
    client.say("here");
    assert!(matches!(client.take_requests().remove(0).content, Ask::Send(send) if send.room == "den"));
    client.command(Command::Join("lobby".into())).expect("taken");
    assert_eq!((client.session.status(0).room.as_deref(), client.sent.len()), (Some("lobby"), 0));
    assert_eq!(client.command(Command::LeaveRoom(Some("attic".into()))), Err(CommandError::NotInRoom("attic".into())));
    client.receive(r#"{"type":"left","room":"lobby","names":["bob"],"count":1}"#);
    assert_eq!(client.session.status(0).people, Some(2));
    leave(&mut client, "lobby");
    assert!(client.take_updates().contains(&Update::CurrentRoom(Some("den".into()))));
    client.receive(r#"{"type":"left","room":"den","names":["alice"],"count":1}"#);
    assert!(client.take_updates().is_empty(), "a connection of that name went, not this one");
    client.receive(r#"{"type":"left","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert!(client.take_updates().is_empty(), "nor is what nobody asked for an answer");
    leave(&mut client, "den");
    assert!(client.take_updates().contains(&Update::CurrentRoom(None)));
    assert_eq!(client.command(Command::Say("anybody?".into())), Err(CommandError::NoCurrentRoom));
}

#[test]
fn a_view_that_shows_members_gets_their_names() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.session.config.follows_people = true;
    client.connect();
    client.take_hello();
    client.receive(WELCOME);
    let asked = client.take_requests().remove(0);
    assert!(matches!(&asked.content, Ask::Members(room) if room.room == "lobby"), "{asked:?}");
    client.take_updates();
    let reference = asked.reference.expect("a ref");
    client.receive(&format!(
        r#"{{"type":"members","room":"lobby","names":["alice","bob"],"count":2,"ref":"{reference}"}}"#
    ));
    client.receive(r#"{"type":"renamed","from":"bob","to":"rob"}"#);
    client.receive(r#"{"type":"joined","room":"lobby","names":["cyd"],"count":1}"#);
    assert_eq!(client.session.status(0).others, ["cyd", "rob"]);
    assert_eq!(client.take_updates().len(), 2, "the answer itself is nobody's business");
    client.receive(r#"{"type":"joined","room":"lobby","names":["dan"],"count":30}"#);
    client.receive(r#"{"type":"joined","room":"lobby","names":["eve"],"count":30}"#);
    assert_eq!(client.take_requests().len(), 1, "a crowd is asked about once in a while");
    client.close();
    assert_eq!((client.session.status(0).people, client.session.status(0).others), (None, vec![]), "nobody knows now");
}

#[test]
fn away_is_sent_again_after_a_reconnect_until_the_user_is_back() {
    let mut client = TestClient::event();
    client.command(Command::Away(Some("lunch".into()))).expect("taken");
    let asked = client.take_requests().remove(0);
    assert!(matches!(asked.content, Ask::Away(away) if away.text.as_deref() == Some("lunch")));
    assert_eq!(client.session.status(0).away, None, "the server may refuse it");
    client.receive(r#"{"type":"away","name":"alice","text":"lunch","ref":"glassline-asked"}"#);
    assert_eq!(client.session.status(0).away.as_deref(), Some("lunch"));
    client.reconnect();
    client.take_hello();
    client.receive(WELCOME);
    let again = client.take_requests().remove(0);
    client.take_updates();
    let reference = again.reference.expect("a ref");
    assert!(matches!(again.content, Ask::Away(away) if away.text.as_deref() == Some("lunch")));
    client.receive(&format!(r#"{{"type":"away","name":"alice","text":"lunch","ref":"{reference}"}}"#));
    assert!(client.take_updates().is_empty(), "the user knows");
    client.command(Command::Back).expect("taken");
    assert!(matches!(client.take_requests().remove(0).content, Ask::Away(away) if away.text.is_none()));
    client.receive(r#"{"type":"away","name":"alice","ref":"glassline-asked"}"#);
    assert_eq!(client.session.status(0).away, None);
}

#[test]
fn what_is_not_acknowledged_for_a_while_is_shown_as_such() {
    let mut client = TestClient::event();
    client.say("slow");
    let now_ms = client.now_ms;
    assert!(client.session.status(now_ms).late.is_empty());
    let late_ms = client.session.status(now_ms).next_late_ms.expect("a moment to look again");
    assert_eq!(client.session.status(late_ms).late, ["slow"]);
    assert_eq!(client.session.status(late_ms).next_late_ms, None);
}

#[test]
fn a_room_is_known_by_every_spelling_of_its_name() {
    let mut client = TestClient::event();
    client.command(Command::Join("den".into())).expect("taken");
    client.take_requests();
    client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    for spelling in ["lobby", "#Den", "LOBBY", "den"] {
        client.command(Command::Join(spelling.into())).expect("taken");
        let room = spelling.trim_start_matches('#').to_lowercase();
        assert_eq!(client.session.status(0).room, Some(room), "{spelling}");
    }
    client.command(Command::Join("lobby".into())).expect("taken");
    client.command(Command::Join("ｄｅｎ".into())).expect("taken");
    assert_eq!(client.session.status(0).room.as_deref(), Some("den"));
    client.command(Command::LeaveRoom(Some("#DEN".into()))).expect("taken");
    assert!(
        client.take_requests().iter().any(|request| matches!(&request.content, Ask::Leave(room) if room.room == "den"))
    );
}

#[test]
fn somebody_elses_message_with_the_same_id_acknowledges_nothing() {
    let mut client = TestClient::event();
    client.say("mine");
    let id = client.take_requests().remove(0).reference.expect("a ref");
    client.receive(&format!(r#"{{"type":"message","room":"lobby","seq":1,"from":"eve","text":"forged","id":"{id}"}}"#));
    assert_eq!(client.session.status(0).unsent, 1);
    client.receive(&format!(
        r#"{{"type":"message","room":"lobby","seq":2,"from":"alice","text":"mine","id":"{id}","ref":"{id}"}}"#
    ));
    assert_eq!(client.session.status(0).unsent, 0);
}

#[test]
fn the_outbox_is_bounded_and_the_window_holds_the_rest_back() {
    let mut client = TestClient::event();
    client.takes_writes = false;
    for _ in 0..1_024 {
        client.say("y");
    }
    assert_eq!(client.command(Command::Say("z".into())), Err(CommandError::Full(1_024)));
    assert!(!client.session.takes_commands() && !client.session.has_capacity());
    assert!(client.sent.len() < 1_000, "two writes at a time, not {} bytes", client.sent.len());
    client.takes_writes = true;
    for _ in 0..10 {
        client.handle(Input::Written);
    }
    assert_eq!(client.take_requests().len(), 1_024);
    let long = "x".repeat(16_385);
    assert_eq!(client.command(Command::Say(long)), Err(CommandError::TooLong { bytes: 16_385, bytes_max: 16_384 }));
    assert_eq!(client.command(Command::Say(String::new())), Err(CommandError::Empty));
}

#[test]
fn unknown_events_are_reported_and_ignored() {
    let mut client = TestClient::event();
    client.take_updates();
    client.receive(r#"{"type":"hologram"}"#);
    client.receive(r#"{"type":"message","room":"lobby","from":"bob","text":"on"}"#);
    let updates = client.take_updates();
    assert!(matches!(&updates[..], [Update::Notice(_), Update::Received(_)]), "{updates:?}");
    assert_eq!(client.session.slash_executor(), SlashExecutor::Client);
}

#[test]
fn a_program_may_not_say_hello_and_its_bye_finishes() {
    let mut client = TestClient::event();
    for json in [r#"{"type":"hello","name":"x"}"#, r#"{"type":"pong"}"#] {
        let request = Request::from_json(json.as_bytes()).expect("reads");
        assert_eq!(client.command(Command::Request(request)), Err(CommandError::NotForUsers));
    }
    let bye = Request::from_json(br#"{"type":"bye"}"#).expect("reads");
    client.command(Command::Request(bye)).expect("taken");
    assert!(matches!(client.take_requests().remove(0).content, Ask::Bye {}));
}

#[test]
fn a_name_without_end_is_cut_where_it_is_shown() {
    let mut client = TestClient::new(DialectChoice::Event, None);
    client.connect();
    client.receive(&WELCOME.replace("alice", &"x".repeat(256)));
    let notices = client.notices();
    assert!(notices.contains("xxx…") && notices.len() < 250, "{} bytes", notices.len());
}

#[test]
fn invalid_names_refuse_the_server_or_make_an_event_unknown() {
    let endless = "x".repeat(257);
    for name in ["alice", "lobby"] {
        let mut client = TestClient::new(DialectChoice::Event, None);
        client.connect();
        client.receive(&WELCOME.replace(name, &endless));
        assert!(
            matches!(&client.ending, Some(Ending::Rejected(text)) if text.contains("more than 256 bytes")),
            "{name}"
        );
    }
    let mut client = TestClient::event();
    client.take_updates();
    client.receive(&format!(r#"{{"type":"joined","room":"lobby","names":["{endless}"],"count":1}}"#));
    client.receive(&format!(r#"{{"type":"{}"}}"#, "x".repeat(90_000)));
    let updates = client.take_updates();
    assert!(matches!(&updates[..], [Update::Notice(_), Update::Notice(_)]), "{} updates", updates.len());
    for update in updates {
        assert!(matches!(&update, Update::Notice(text) if text.contains("not understand") && text.len() < 300));
    }
    assert_eq!(client.session.status(0).people, Some(3));
}

#[test]
fn limits_of_a_servers_making_do_not_stop_the_user() {
    for limit in ["0", "18446744073709551615"] {
        let mut client = TestClient::new(DialectChoice::Event, None);
        client.connect();
        client.receive(&WELCOME.replace("16384", limit).replace("102400", limit));
        assert!(client.session.has_capacity() && client.session.takes_commands(), "{limit}");
        client.say("x");
    }
}

#[test]
fn nobody_but_the_user_moves_the_user() {
    let mut client = TestClient::event();
    client.session.config.follows_people = true;
    client.take_updates();
    for reference in ["", r#","ref":"glassline-move""#, r#","ref":"x""#] {
        client.receive(&format!(r#"{{"type":"joined","room":"trap","names":["alice"],"count":1{reference}}}"#));
        client.receive(&format!(r#"{{"type":"left","room":"lobby","names":["alice"],"count":1{reference}}}"#));
        let status = client.session.status(0);
        assert_eq!((status.room.as_deref(), status.rooms), (Some("lobby"), vec!["lobby".into()]));
        let left = client.take_requests();
        assert!(matches!(&left[..], [Request { content: Ask::Leave(room), .. }] if room.room == "trap"), "{left:?}");
    }
    assert!(!client.take_updates().iter().any(|update| matches!(update, Update::CurrentRoom(_))));
    client.take_requests();
    // The answers to two requests at once are both answers, whatever else was asked and refused in
    // between.
    for room in ["den", "attic"] {
        client.command(Command::Whois("nobody".into())).expect("taken");
        client.command(Command::Join(room.into())).expect("taken");
    }
    client.receive(r#"{"type":"error","code":"unknown_name","text":"nobody","ref":"glassline-asked"}"#);
    for room in ["den", "attic"] {
        assert!(client.session.is_changing_room());
        client.receive(&format!(
            r#"{{"type":"joined","room":"{room}","names":["alice"],"count":1,"ref":"glassline-move"}}"#
        ));
        assert_eq!(client.session.status(0).room.as_deref(), Some(room));
    }
    assert!(!client.session.is_changing_room());
    client.command(Command::Join("closed".into())).expect("taken");
    client.receive(r#"{"type":"error","code":"too_many_rooms","text":"no","ref":"glassline-move"}"#);
    client.receive(r#"{"type":"joined","room":"closed","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert_eq!(client.session.status(0).room.as_deref(), Some("attic"), "that was refused");
}

#[test]
fn a_program_is_where_the_server_says_that_it_is() {
    let mut client = TestClient::event().for_program();
    client.ask(r#"{"type":"join","room":"den","ref":"j"}"#).expect("taken");
    client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"j"}"#);
    assert_eq!(client.session.status(0).room.as_deref(), Some("den"));
    client.ask(r#"{"type":"leave","room":"den","ref":"l"}"#).expect("taken");
    client.receive(r#"{"type":"left","room":"den","names":["alice"],"count":1,"ref":"l"}"#);
    assert_eq!(client.session.status(0).rooms, ["lobby"]);
}

#[test]
fn a_server_that_pings_and_does_not_read_gets_one_answer() {
    let mut client = TestClient::event();
    client.session.config.follows_people = true;
    client.takes_writes = false;
    for number in 0..20_000 {
        client.receive(r#"{"type":"ping"}"#);
        client.receive(&format!(r#"{{"type":"joined","room":"r{number}","names":["alice"],"count":1}}"#));
    }
    assert!(
        client.session.connection.unsent_bytes() < 65 * 1024,
        "{} bytes wait",
        client.session.connection.unsent_bytes()
    );
    client.takes_writes = true;
    client.take_requests();
    for _ in 0..4 {
        client.handle(Input::Written);
    }
    let pongs = client.take_requests().iter().filter(|request| matches!(request.content, Ask::Pong {})).count();
    assert!(pongs > 1 && pongs < 10_000, "{pongs}");
    assert!(client.session.connection.unsent_bytes() == 0);
    client.receive(r#"{"type":"ping"}"#);
    assert!(matches!(client.take_requests()[..], [Request { content: Ask::Pong {}, .. }]), "and no more than one");
}

#[test]
fn a_repeated_rename_is_shown_if_it_may_be_another_person() {
    let renamed = r#"{"type":"renamed","from":"bob","to":"rob"}"#;
    let others = [
        r#"{"type":"joined","room":"lobby","names":["bob"],"count":1}"#,
        r#"{"type":"left","room":"lobby","names":["rob"],"count":1}"#,
        r#"{"type":"message","room":"lobby","from":"bob","text":"x"}"#,
        r#"{"type":"direct","from":"rob","to":"alice","text":"x"}"#,
    ];
    let times_reported = |client: &mut TestClient| client.take_json().iter().filter(|json| *json == renamed).count();
    for other in others {
        let mut client = TestClient::event();
        for event in [renamed, renamed, other, renamed, renamed] {
            client.receive(event);
        }
        assert_eq!(times_reported(&mut client), 2, "{other}");
    }
    let mut client = TestClient::event();
    for _ in 0..2 {
        client.receive(renamed);
        client.pass_ms(1_999);
        client.receive(renamed);
        client.pass_ms(1);
    }
    assert_eq!(times_reported(&mut client), 2);
}
