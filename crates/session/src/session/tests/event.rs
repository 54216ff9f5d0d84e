use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::{LinkState, SlashCommands};
use proptest::prelude::*;

#[test]
fn a_message_is_said_once_the_server_has_acknowledged_it() {
    let mut line = Line::event();
    assert_eq!(line.session.status(0).people, Some(3));
    line.take_updates();
    line.say("hi");
    assert_eq!((line.session.status(0).unsent, line.take_texts()), (1, vec![]));
    let request = line.take_requests().remove(0);
    line.hear(&acknowledgement(&request, 5));
    assert_eq!((line.session.status(0).unsent, line.take_texts()), (0, vec!["+hi".to_owned()]));
    line.hear(r#"{"type":"message","room":"lobby","seq":6,"from":"bob","text":"hello"}"#);
    assert_eq!(line.take_texts(), ["hello"]);
}

#[test]
fn what_is_said_before_the_welcome_goes_out_behind_it() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.say("early");
    line.connect();
    line.take_hello();
    assert!(line.sent.is_empty());
    line.hear(WELCOME);
    let request = line.take_requests().remove(0);
    assert!(matches!(request.content, Ask::Send(send) if send.text == "early"));
}

#[test]
fn every_message_has_its_own_id_and_a_ref() {
    let mut line = Line::event();
    for _ in 0..100 {
        line.say("again");
    }
    let requests = line.take_requests();
    let ids: alloc::collections::BTreeSet<_> = requests.iter().map(|request| request.reference.clone()).collect();
    assert_eq!((requests.len(), ids.len()), (100, 100));
}

#[test]
fn a_refused_message_comes_back_with_its_text_and_waits_no_more() {
    let mut line = Line::event();
    line.say("spam");
    let reference = line.take_requests().remove(0).reference.expect("a ref");
    line.take_updates();
    line.hear(&format!(r#"{{"type":"error","code":"rate","text":"slower","ref":"{reference}"}}"#));
    let updates = line.take_updates();
    assert!(matches!(&updates[..], [Update::Rejected { text: Some(text), .. }] if text == "spam"), "{updates:?}");
    assert_eq!(line.session.status(0).unsent, 0);
}

#[test]
fn whoever_is_thrown_out_does_not_come_back_by_itself() {
    for code in ["kicked", "banned"] {
        let mut line = Line::event();
        line.say("but");
        line.take_requests();
        line.hear(&format!(r#"{{"type":"error","code":"{code}","text":"teacher closed your connection: enough"}}"#));
        line.hear(r#"{"type":"bye","text":"teacher closed your connection: enough"}"#);
        line.close();
        assert!(matches!(&line.ending, Some(Ending::Rejected(text)) if text.contains("enough")), "{:?}", line.ending);
        assert!(line.notices().contains("not acknowledged: but"), "what was said last is given back");
        let mut line = Line::event();
        line.hear(&format!(r#"{{"type":"error","code":"{code}","text":"not that name","ref":"glassline-asked"}}"#));
        assert_eq!(line.ending, None, "an answer is no throwing out");
    }
}

#[test]
fn an_error_before_the_welcome_refuses() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.connect();
    line.hear(r#"{"type":"error","code":"bad_name","text":"no such names here"}"#);
    assert!(matches!(line.ending, Some(Ending::Rejected(text)) if text.contains("no such names here")));
}

#[test]
fn pings_are_answered_and_a_silent_server_is_pinged_then_lost() {
    let mut line = Line::event();
    line.hear(r#"{"type":"ping"}"#);
    assert!(matches!(line.take_requests().remove(0).content, Ask::Pong {}));
    line.pass_ms(29_999);
    assert!(line.sent.is_empty());
    line.pass_ms(1);
    let ping = line.take_requests().remove(0);
    assert!(matches!(ping.content, Ask::Ping {}));
    line.take_updates();
    line.hear(&format!(r#"{{"type":"pong","ref":"{}"}}"#, ping.reference.expect("a ref")));
    assert_eq!(line.take_updates(), [], "the answer to the session's own question is nobody's business");
    line.hear(r#"{"type":"error","code":"rate","text":"slower","ref":"glassline-alive"}"#);
    assert_eq!(line.take_updates(), [], "nor is a refusal of it");
    line.pass_ms(74_999);
    assert_eq!((line.connects, line.session.status(0).link), (1, LinkState::Online));
    line.pass_ms(1_000);
    assert_eq!(line.connects, 2);
}

#[test]
fn finishing_waits_for_the_last_acknowledgement_then_says_bye() {
    let mut line = Line::event();
    line.say("last");
    let request = line.take_requests().remove(0);
    line.command(Command::Finish).expect("taken");
    line.hear(r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"x"}"#);
    assert!(line.sent.is_empty() && line.ending.is_none());
    line.hear(&acknowledgement(&request, 6));
    assert!(matches!(line.take_requests().remove(0).content, Ask::Bye {}));
    assert_eq!(line.command(Command::Say("more".into())), Err(CommandError::Leaving));
    line.hear(r#"{"type":"bye","text":"bye"}"#);
    assert_eq!(line.ending, Some(Ending::Left));
}

#[test]
fn a_server_that_does_not_say_bye_is_left_after_two_seconds() {
    let mut line = Line::event();
    line.command(Command::Leave).expect("taken");
    line.pass_ms(1_999);
    assert_eq!(line.ending, None);
    line.pass_ms(1);
    assert_eq!(line.ending, Some(Ending::Left));
}

#[test]
fn leaving_at_once_takes_two_seconds_and_reports_what_is_unsent() {
    let mut line = Line::event();
    line.say("x");
    line.command(Command::Leave).expect("taken");
    line.take_requests();
    line.take_updates();
    line.pass_ms(1_500);
    assert_eq!(line.notices(), "1 of your messages was not acknowledged\nnot acknowledged: x\n");
    assert!(matches!(line.take_requests().remove(0).content, Ask::Bye {}));
    line.pass_ms(499);
    assert_eq!(line.ending, None);
    line.pass_ms(1);
    assert_eq!(line.ending, Some(Ending::Left));
}

/// The user leaves a room.
fn leave(line: &mut Line, room: &str) {
    line.command(Command::LeaveRoom(Some(room.into()))).expect("taken");
    let reference = line.take_requests().remove(0).reference.expect("a ref");
    line.take_updates();
    line.hear(&format!(r#"{{"type":"left","room":"{room}","names":["alice"],"count":1,"ref":"{reference}"}}"#));
}

#[test]
fn rooms_are_entered_left_and_gone_to() {
    let mut line = Line::event();
    line.session.config.follows_people = true;
    line.command(Command::Join("den".into())).expect("taken");
    let request = line.take_requests().remove(0);
    let reference = request.reference.expect("a ref");
    assert_eq!(line.session.status(0).room.as_deref(), Some("lobby"));
    assert!(!line.session.takes_commands(), "what a pipe says next is meant for the den");
    line.hear(&format!(r#"{{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"{reference}"}}"#));
    assert_eq!(line.session.status(0).room.as_deref(), Some("den"));
    assert!(line.session.takes_commands());
    let count = line.take_requests().remove(0);
    assert!(line.take_updates().contains(&Update::CurrentRoom(Some("den".into()))));
    let reference = count.reference.expect("a ref");
    line.hear(&format!(r#"{{"type":"members","room":"den","names":["alice","bob"],"count":2,"ref":"{reference}"}}"#));
    assert_eq!((line.session.status(0).people, line.take_updates()), (Some(2), vec![]));
    line.say("here");
    assert!(matches!(line.take_requests().remove(0).content, Ask::Send(send) if send.room == "den"));
    line.command(Command::Join("lobby".into())).expect("taken");
    assert_eq!((line.session.status(0).room.as_deref(), line.sent.len()), (Some("lobby"), 0));
    assert_eq!(line.command(Command::LeaveRoom(Some("attic".into()))), Err(CommandError::NotInRoom("attic".into())));
    line.hear(r#"{"type":"left","room":"lobby","names":["bob"],"count":1}"#);
    assert_eq!(line.session.status(0).people, Some(2));
    leave(&mut line, "lobby");
    assert!(line.take_updates().contains(&Update::CurrentRoom(Some("den".into()))));
    line.hear(r#"{"type":"left","room":"den","names":["alice"],"count":1}"#);
    assert!(line.take_updates().is_empty(), "a connection of that name went, not this one");
    line.hear(r#"{"type":"left","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert!(line.take_updates().is_empty(), "nor is what nobody asked for an answer");
    leave(&mut line, "den");
    assert!(line.take_updates().contains(&Update::CurrentRoom(None)));
    assert_eq!(line.command(Command::Say("anybody?".into())), Err(CommandError::NowhereToTalk));
}

#[test]
fn whoever_wants_to_see_people_is_told_their_names() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.session.config.follows_people = true;
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    let asked = line.take_requests().remove(0);
    assert!(matches!(&asked.content, Ask::Members(room) if room.room == "lobby"), "{asked:?}");
    line.take_updates();
    let reference = asked.reference.expect("a ref");
    line.hear(&format!(r#"{{"type":"members","room":"lobby","names":["alice","bob"],"count":2,"ref":"{reference}"}}"#));
    line.hear(r#"{"type":"renamed","from":"bob","to":"rob"}"#);
    line.hear(r#"{"type":"joined","room":"lobby","names":["cyd"],"count":1}"#);
    assert_eq!(line.session.status(0).others, ["cyd", "rob"]);
    assert_eq!(line.take_updates().len(), 2, "the answer itself is nobody's business");
    line.hear(r#"{"type":"joined","room":"lobby","names":["dan"],"count":30}"#);
    line.hear(r#"{"type":"joined","room":"lobby","names":["eve"],"count":30}"#);
    assert_eq!(line.take_requests().len(), 1, "a crowd is asked about once in a while");
    line.close();
    assert_eq!((line.session.status(0).people, line.session.status(0).others), (None, vec![]), "nobody knows now");
}

#[test]
fn away_is_sent_again_after_a_reconnect_until_the_user_is_back() {
    let mut line = Line::event();
    line.command(Command::Away(Some("lunch".into()))).expect("taken");
    let asked = line.take_requests().remove(0);
    assert!(matches!(asked.content, Ask::Away(away) if away.text.as_deref() == Some("lunch")));
    assert_eq!(line.session.status(0).away, None, "the server may refuse it");
    line.hear(r#"{"type":"away","name":"alice","text":"lunch","ref":"glassline-asked"}"#);
    assert_eq!(line.session.status(0).away.as_deref(), Some("lunch"));
    line.close();
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    let again = line.take_requests().remove(0);
    line.take_updates();
    let reference = again.reference.expect("a ref");
    assert!(matches!(again.content, Ask::Away(away) if away.text.as_deref() == Some("lunch")));
    line.hear(&format!(r#"{{"type":"away","name":"alice","text":"lunch","ref":"{reference}"}}"#));
    assert!(line.take_updates().is_empty(), "the user knows");
    line.command(Command::Back).expect("taken");
    assert!(matches!(line.take_requests().remove(0).content, Ask::Away(away) if away.text.is_none()));
    line.hear(r#"{"type":"away","name":"alice","ref":"glassline-asked"}"#);
    assert_eq!(line.session.status(0).away, None);
}

#[test]
fn what_is_not_acknowledged_for_a_while_is_shown_as_such() {
    let mut line = Line::event();
    line.say("slow");
    let now_ms = line.now_ms;
    assert!(line.session.status(now_ms).late.is_empty());
    let late_ms = line.session.status(now_ms).next_late_ms.expect("a moment to look again");
    assert_eq!(line.session.status(late_ms).late, ["slow"]);
    assert_eq!(line.session.status(late_ms).next_late_ms, None);
}

#[test]
fn a_room_is_known_by_every_spelling_of_its_name() {
    let mut line = Line::event();
    line.command(Command::Join("den".into())).expect("taken");
    line.take_requests();
    line.hear(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    for spelling in ["lobby", "#Den", "LOBBY", "den"] {
        line.command(Command::Join(spelling.into())).expect("taken");
        let room = spelling.trim_start_matches('#').to_lowercase();
        assert_eq!(line.session.status(0).room, Some(room), "{spelling}");
    }
    line.command(Command::Join("ｄｅｎ".into())).expect("taken");
    line.command(Command::Join("lobby".into())).expect("taken");
    line.hear(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert_eq!(line.session.status(0).room.as_deref(), Some("den"), "the server knows more spellings");
    line.command(Command::LeaveRoom(Some("#DEN".into()))).expect("taken");
    assert!(
        line.take_requests().iter().any(|request| matches!(&request.content, Ask::Leave(room) if room.room == "den"))
    );
}

#[test]
fn somebody_elses_message_with_the_same_id_acknowledges_nothing() {
    let mut line = Line::event();
    line.say("mine");
    let id = line.take_requests().remove(0).reference.expect("a ref");
    line.hear(&format!(r#"{{"type":"message","room":"lobby","seq":1,"from":"eve","text":"forged","id":"{id}"}}"#));
    assert_eq!(line.session.status(0).unsent, 1);
    line.hear(&format!(
        r#"{{"type":"message","room":"lobby","seq":2,"from":"alice","text":"mine","id":"{id}","ref":"{id}"}}"#
    ));
    assert_eq!(line.session.status(0).unsent, 0);
}

#[test]
fn the_outbox_is_bounded_and_the_window_holds_the_rest_back() {
    let mut line = Line::event();
    line.takes_writes = false;
    for _ in 0..1_024 {
        line.say("y");
    }
    assert_eq!(line.command(Command::Say("z".into())), Err(CommandError::Full(1_024)));
    assert!(!line.session.takes_commands() && !line.session.has_capacity());
    assert!(line.sent.len() < 1_000, "two writes at a time, not {} bytes", line.sent.len());
    line.takes_writes = true;
    for _ in 0..10 {
        line.handle(Input::Written);
    }
    assert_eq!(line.take_requests().len(), 1_024);
    let long = "x".repeat(16_385);
    assert_eq!(line.command(Command::Say(long)), Err(CommandError::TooLong { bytes: 16_385, bytes_max: 16_384 }));
    assert_eq!(line.command(Command::Say(String::new())), Err(CommandError::Empty));
}

#[test]
fn what_this_version_does_not_know_is_told_and_passed_over() {
    let mut line = Line::event();
    line.take_updates();
    line.hear(r#"{"type":"hologram"}"#);
    line.hear(r#"{"type":"message","room":"lobby","from":"bob","text":"on"}"#);
    let updates = line.take_updates();
    assert!(matches!(&updates[..], [Update::Notice(_), Update::Received(_)]), "{updates:?}");
    assert_eq!(line.session.slash_commands(), SlashCommands::Client);
}

#[test]
fn a_program_may_not_say_hello_and_its_bye_finishes() {
    let mut line = Line::event();
    for json in [r#"{"type":"hello","name":"x"}"#, r#"{"type":"pong"}"#] {
        let request = Request::from_json(json.as_bytes()).expect("reads");
        assert_eq!(line.command(Command::Request(request)), Err(CommandError::NotForUsers));
    }
    let bye = Request::from_json(br#"{"type":"bye"}"#).expect("reads");
    line.command(Command::Request(bye)).expect("taken");
    assert!(matches!(line.take_requests().remove(0).content, Ask::Bye {}));
}

#[test]
fn a_name_without_end_is_cut_where_it_is_shown() {
    let mut line = Line::new(DialectChoice::Event, None);
    line.connect();
    line.hear(&WELCOME.replace("alice", &"x".repeat(256)));
    let notices = line.notices();
    assert!(notices.contains("xxx…") && notices.len() < 250, "{} bytes", notices.len());
}

#[test]
fn invalid_names_refuse_the_server_or_make_an_event_unknown() {
    let endless = "x".repeat(257);
    for name in ["alice", "lobby"] {
        let mut line = Line::new(DialectChoice::Event, None);
        line.connect();
        line.hear(&WELCOME.replace(name, &endless));
        assert!(matches!(&line.ending, Some(Ending::Rejected(text)) if text.contains("more than 256 bytes")), "{name}");
    }
    let mut line = Line::event();
    line.take_updates();
    line.hear(&format!(r#"{{"type":"joined","room":"lobby","names":["{endless}"],"count":1}}"#));
    line.hear(&format!(r#"{{"type":"{}"}}"#, "x".repeat(90_000)));
    let updates = line.take_updates();
    assert!(matches!(&updates[..], [Update::Notice(_), Update::Notice(_)]), "{} updates", updates.len());
    for update in updates {
        assert!(matches!(&update, Update::Notice(text) if text.contains("not understand") && text.len() < 300));
    }
    assert_eq!(line.session.status(0).people, Some(3));
}

#[test]
fn limits_of_a_servers_making_do_not_stop_the_user() {
    for limit in ["0", "18446744073709551615"] {
        let mut line = Line::new(DialectChoice::Event, None);
        line.connect();
        line.hear(&WELCOME.replace("16384", limit).replace("102400", limit));
        assert!(line.session.has_capacity() && line.session.takes_commands(), "{limit}");
        line.say("x");
    }
}

#[test]
fn nobody_but_the_user_moves_the_user() {
    let mut line = Line::event();
    line.session.config.follows_people = true;
    line.take_updates();
    for reference in ["", r#","ref":"glassline-move""#, r#","ref":"x""#] {
        line.hear(&format!(r#"{{"type":"joined","room":"trap","names":["alice"],"count":1{reference}}}"#));
        line.hear(&format!(r#"{{"type":"left","room":"lobby","names":["alice"],"count":1{reference}}}"#));
        let status = line.session.status(0);
        assert_eq!((status.room.as_deref(), status.rooms), (Some("lobby"), vec!["lobby".into(), "trap".into()]));
    }
    assert!(!line.take_updates().iter().any(|update| matches!(update, Update::CurrentRoom(_))));
    line.take_requests();
    // The answers to two requests at once are both answers, whatever else was asked and refused in
    // between.
    for room in ["den", "attic"] {
        line.command(Command::Whois("nobody".into())).expect("taken");
        line.command(Command::Join(room.into())).expect("taken");
    }
    line.hear(r#"{"type":"error","code":"unknown_name","text":"nobody","ref":"glassline-asked"}"#);
    for room in ["den", "attic"] {
        assert!(line.session.is_changing_room());
        line.hear(&format!(
            r#"{{"type":"joined","room":"{room}","names":["alice"],"count":1,"ref":"glassline-move"}}"#
        ));
        assert_eq!(line.session.status(0).room.as_deref(), Some(room));
    }
    assert!(!line.session.is_changing_room());
    line.command(Command::Join("closed".into())).expect("taken");
    line.hear(r#"{"type":"error","code":"too_many_rooms","text":"no","ref":"glassline-move"}"#);
    line.hear(r#"{"type":"joined","room":"closed","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert_eq!(line.session.status(0).room.as_deref(), Some("attic"), "that was refused");
}

#[test]
fn a_program_is_where_the_server_says_that_it_is() {
    let mut line = Line::event().for_program();
    line.ask(r#"{"type":"join","room":"den","ref":"j"}"#).expect("taken");
    line.hear(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"j"}"#);
    assert_eq!(line.session.status(0).room.as_deref(), Some("den"));
    line.ask(r#"{"type":"leave","room":"den","ref":"l"}"#).expect("taken");
    line.hear(r#"{"type":"left","room":"den","names":["alice"],"count":1,"ref":"l"}"#);
    assert_eq!(line.session.status(0).rooms, ["lobby"]);
}

#[test]
fn a_server_that_asks_and_does_not_read_is_owed_one_answer() {
    let mut line = Line::event();
    line.session.config.follows_people = true;
    line.takes_writes = false;
    for number in 0..20_000 {
        line.hear(r#"{"type":"ping"}"#);
        line.hear(&format!(r#"{{"type":"joined","room":"r{number}","names":["alice"],"count":1}}"#));
    }
    assert!(
        line.session.connection.unsent_bytes() < 65 * 1024,
        "{} bytes wait",
        line.session.connection.unsent_bytes()
    );
    line.takes_writes = true;
    line.take_requests();
    for _ in 0..4 {
        line.handle(Input::Written);
    }
    let pongs = line.take_requests().iter().filter(|request| matches!(request.content, Ask::Pong {})).count();
    assert!(pongs > 1 && pongs < 10_000, "{pongs}");
    assert!(line.session.connection.unsent_bytes() == 0);
    line.hear(r#"{"type":"ping"}"#);
    assert!(matches!(line.take_requests()[..], [Request { content: Ask::Pong {}, .. }]), "and no more than one");
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
    let told = |line: &mut Line| line.take_json().iter().filter(|json| *json == renamed).count();
    for other in others {
        let mut line = Line::event();
        for event in [renamed, renamed, other, renamed, renamed] {
            line.hear(event);
        }
        assert_eq!(told(&mut line), 2, "{other}");
    }
    let mut line = Line::event();
    for _ in 0..2 {
        line.hear(renamed);
        line.pass_ms(1_999);
        line.hear(renamed);
        line.pass_ms(1);
    }
    assert_eq!(told(&mut line), 2);
}

proptest! {
    #[test]
    fn any_slicing_of_the_servers_bytes_gives_the_same_updates(
        cuts in proptest::collection::vec(0_usize..1_200, 0..30),
        tutorial in any::<bool>(),
    ) {
        let bytes = if tutorial {
            frames(&["bob", "hi", "*", "cyd joined", "", "", "二", "🙂\n"])
        } else {
            frames(&[
                WELCOME,
                r#"{"type":"joined","room":"lobby","names":["bob"],"count":1}"#,
                r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"二 🙂"}"#,
                r#"{"type":"hologram"}"#,
                r#"{"type":"gap","room":"lobby","from":6,"to":9}"#,
                r#"{"type":"notice","text":"x"}"#,
                r#"{"type":"bye","text":"the server stops"}"#,
            ])
        };
        let choice = if tutorial { DialectChoice::Tutorial } else { DialectChoice::Event };
        let mut whole = Line::new(choice, None);
        whole.connect();
        whole.hear_bytes(&bytes);
        let mut sliced = Line::new(choice, None);
        sliced.connect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            sliced.hear_bytes(&bytes[pair[0]..pair[1]]);
        }
        prop_assert!(whole.updates.len() >= 4);
        prop_assert_eq!(whole.updates, sliced.updates);
    }

    #[test]
    fn no_bytes_of_a_server_make_a_session_panic(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
        tutorial in any::<bool>(),
    ) {
        let mut line = if tutorial { Line::tutorial() } else { Line::event() };
        for chunk in chunks {
            line.hear_bytes(&chunk);
            line.pass_ms(10);
        }
    }
}
