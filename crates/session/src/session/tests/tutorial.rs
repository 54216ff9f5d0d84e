use super::*;
use crate::{LinkState, SlashExecutor};

#[test]
fn without_welcome_in_a_second_the_tutorial_dialect_is_used() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.say("early");
    client.connect();
    client.take_hello();
    client.pass_ms(999);
    assert_eq!(client.connects, 1);
    client.pass_ms(1);
    assert_eq!(client.connects, 2);
    assert!(client.notices().contains("tutorial dialect"));
    client.connect();
    assert_eq!(client.take_frames(), [b"alice".to_vec(), b"early".to_vec()]);
    assert_eq!(client.take_texts(), ["?early"]);
}

#[test]
fn a_close_and_rubbish_are_answers_too() {
    for answer in [None, Some("HTTP/1.1 400 Bad Request"), Some("5         hello")] {
        let mut client = TestClient::new(DialectChoice::Auto, None);
        client.connect();
        match answer {
            None => client.close(),
            Some(rubbish) => client.receive_bytes(rubbish.as_bytes()),
        }
        assert_eq!((client.connects, &client.ending), (2, &None), "{answer:?}");
        client.connect();
        assert_eq!(client.take_frames(), [b"alice"]);
    }
}

#[test]
fn the_event_dialect_alone_is_refused_by_a_tutorial_server() {
    let mut client = TestClient::new(DialectChoice::Event, None);
    client.connect();
    client.pass_ms(3_000);
    assert!(matches!(client.ending, Some(Ending::Rejected(text)) if text.contains("--dialect tutorial")));
}

#[test]
fn a_server_of_another_kind_is_named_as_such() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(b"HTTP/1.1 400 Bad Request\r\n");
    assert!(matches!(&client.ending, Some(Ending::Rejected(text)) if text.contains("no chat server")));
    assert_eq!(client.notices(), "", "it never answered as one, so no notice claims that it is one");
}

#[test]
fn pairs_are_messages_and_the_servers_own_are_notices() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["bob", "hi", "*", "cyd joined"]));
    let updates = client.take_updates();
    let [Update::Notice(_), Update::Received(Event::Message(message)), Update::Received(Event::Notice(notice))] =
        &updates[..]
    else {
        panic!("{updates:?}")
    };
    assert_eq!((message.from.as_str(), message.text.as_str(), message.seq), ("bob", "hi", None));
    assert_eq!(notice.text, "cyd joined");
}

#[test]
fn a_name_with_a_number_is_taken_from_the_first_notice() {
    for (words, name) in [
        ("alice is taken; you are alice-2; /nick changes it", "alice-2"),
        ("alice looks like аlice, who is here; you are alice-3; /nick changes it", "alice-3"),
        ("you are bob", "alice"),
        ("here: bob; you are two words; /nick changes it", "alice"),
    ] {
        let mut client = TestClient::tutorial();
        client.receive_bytes(&frames(&["*", words]));
        assert_eq!(
            client.notices().lines().next(),
            Some(&*format!("connected to here:1234 as {name}, in the tutorial dialect"))
        );
        // Later it may be anybody's joke in a message of the day.
        client.receive_bytes(&frames(&["*", "hi; you are eve; /nick changes it"]));
        assert_eq!(client.session.status(0).name, name);
    }
}

#[test]
fn slashes_go_to_a_server_with_notices_and_are_escaped_for_it() {
    let mut client = TestClient::tutorial();
    assert_eq!(client.session.slash_executor(), SlashExecutor::Undecided);
    client.say("/x");
    assert!(client.sent.is_empty(), "it is not known yet whether the server would take it for a command");
    client.receive_bytes(&frames(&["*", "welcome"]));
    assert_eq!(client.session.slash_executor(), SlashExecutor::Server);
    assert_eq!(client.take_frames(), [b"//x"]);
    client.command(Command::ServerLine("/names".into())).expect("taken");
    assert_eq!(client.take_frames(), [b"/names"]);
    client.command(Command::Action("waves".into())).expect("taken");
    assert_eq!(client.take_frames(), [b"/me waves"]);
}

#[test]
fn a_member_called_like_a_server_is_no_server() {
    let mut later = TestClient::tutorial();
    later.receive_bytes(&frames(&["bob", "hi", "*", "/help lists my commands"]));
    let mut late = TestClient::tutorial();
    late.pass_ms(3_000);
    late.receive_bytes(&frames(&["*", "/help lists my commands", "*", "really"]));
    for client in [&mut later, &mut late] {
        assert_eq!(client.session.slash_executor(), SlashExecutor::Nobody);
        assert_eq!(client.command(Command::ServerLine("/msg bob secret".into())), Err(CommandError::NotConnected));
        assert!(client.sent.is_empty());
    }
    let mut slow = TestClient::tutorial();
    slow.pass_ms(2_999);
    slow.receive_bytes(&frames(&["*", "nobody else is here yet", "bob", "hi"]));
    assert_eq!(slow.session.slash_executor(), SlashExecutor::Server);
}

#[test]
fn the_status_names_the_room_that_the_server_says_and_else_none() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["*", "nobody else is here yet"]));
    let room = |client: &TestClient| {
        let status = client.session.status(0);
        assert_eq!(status.is_room_known, status.room.is_some());
        status.room
    };
    client.receive_bytes(&frames(&["*", "you are in hell; here: eve"]));
    assert_eq!(room(&client).as_deref(), Some("lobby"), "nobody asked");
    client.command(Command::ServerLine("/join den".into())).expect("taken");
    assert_eq!(room(&client), None, "on the way");
    client.receive_bytes(&frames(&[
        "eve",
        "you are in hell; here: eve",
        "*",
        "eve joined",
        "*",
        "eve is away: you are in x; y",
    ]));
    assert_eq!(room(&client), None, "only the server's own sentence counts");
    client.receive_bytes(&frames(&["*", "you are in den; nobody else is here"]));
    assert_eq!(room(&client).as_deref(), Some("den"));
    client.command(Command::ServerLine("/join  den".into())).expect("taken");
    client.receive_bytes(&frames(&["*", "you are there already"]));
    assert_eq!(room(&client).as_deref(), Some("den"));
    for asked in ["/join attic", "/leave"] {
        client.command(Command::ServerLine(asked.into())).expect("taken");
    }
    client.receive_bytes(&frames(&["*", "you are in attic; nobody else is here", "*", "you are in lobby; here: bob"]));
    assert_eq!(room(&client).as_deref(), Some("lobby"));
    client.command(Command::ServerLine("/join *".into())).expect("taken");
    client.receive_bytes(&frames(&["*", "dies ist kein Raum"]));
    assert_eq!(room(&client), None, "what these words mean is not known");
    client.take_updates();
    client.say("still said");
    assert_eq!(client.take_texts(), ["?still said"]);
    client.command(Command::ServerLine("/names".into())).expect("taken");
    client.command(Command::ServerLine("/join den".into())).expect("taken");
    client.receive_bytes(&frames(&["*", "you are in den; nobody else is here"]));
    assert_eq!(room(&client).as_deref(), Some("den"));
    for asked in ["/names x", "/leave now"] {
        client.command(Command::ServerLine(asked.into())).expect("taken");
    }
    client.receive_bytes(&frames(&["*", "usage: /names: lists who is in this room"]));
    assert_eq!(room(&client), None, "that answers another command");
    client.receive_bytes(&frames(&["*", "usage: /leave: goes back to the lobby"]));
    assert_eq!(room(&client).as_deref(), Some("den"));
    client.command(Command::ServerLine("/join attic".into())).expect("taken");
    client.reconnect();
    assert_eq!(room(&client).as_deref(), Some("lobby"), "another connection begins there");
}

#[test]
fn no_name_of_a_pair_is_endless() {
    let mut client = TestClient::tutorial();
    client.take_updates();
    client.receive_bytes(&frames(&[&format!("x{}", "二".repeat(9_000)), "hi"]));
    let updates = client.take_updates();
    let Some(Update::Received(Event::Message(message))) = updates.last() else { panic!("a message") };
    assert_eq!((message.from.len(), message.text.as_str()), (256, "hi"));
}

#[test]
fn a_server_without_words_gets_slashes_as_they_are() {
    let mut client = TestClient::tutorial();
    client.say("/x");
    client.pass_ms(499);
    assert!(client.sent.is_empty());
    client.pass_ms(1);
    assert_eq!(client.take_frames(), [b"/x"]);
    assert_eq!(client.session.slash_executor(), SlashExecutor::Nobody);
    assert_eq!(client.command(Command::ServerLine("/names".into())), Err(CommandError::NotConnected));
    assert_eq!(client.command(Command::Action("waves".into())), Err(CommandError::NotInTutorial("/me")));
    assert!(client.command(Command::Rename("al".into())).is_err());
}

#[test]
fn leaving_is_a_half_close_behind_everything_sent() {
    let mut client = TestClient::tutorial();
    client.takes_writes = false;
    for text in ["one", "two", "three"] {
        client.say(text);
    }
    client.command(Command::Finish).expect("taken");
    assert!(!client.half_closed, "something is still to be written");
    client.pass_ms(600_000);
    assert_eq!(client.ending, None, "the server may take its time to read");
    client.takes_writes = true;
    for _ in 0..3 {
        client.handle(Input::Written);
    }
    assert!(client.half_closed);
    assert_eq!(client.take_frames(), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    client.take_updates();
    client.receive_bytes(&frames(&["bob", "bye"]));
    assert_eq!(client.take_texts(), ["bye"]);
    client.close();
    assert_eq!(client.ending, Some(Ending::Left));
}

#[test]
fn a_server_that_keeps_its_side_open_is_left_after_two_seconds() {
    let mut client = TestClient::tutorial();
    client.command(Command::Leave).expect("taken");
    assert!(client.half_closed && client.session.status(0).link == LinkState::Leaving);
    client.pass_ms(2_000);
    assert_eq!(client.ending, Some(Ending::Left));
}

#[test]
fn a_close_before_everything_is_written_is_no_leave() {
    let mut client = TestClient::tutorial();
    client.takes_writes = false;
    client.say("lost");
    client.command(Command::Finish).expect("taken");
    client.close();
    assert!(matches!(client.ending, Some(Ending::ServerWentAway(_))), "{:?}", client.ending);
}

#[test]
fn a_name_refused_by_notice_and_close_ends_with_the_notice() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["*", "that name is not possible"]));
    client.close();
    assert!(matches!(client.ending, Some(Ending::Rejected(text)) if text.contains("not possible")));
}

#[test]
fn a_name_refused_after_the_end_of_input_is_still_refused() {
    let mut client = TestClient::tutorial();
    client.say("hi");
    client.command(Command::Finish).expect("taken");
    client.pass_ms(50);
    assert!(!client.half_closed, "its answer would look like a refusal");
    client.receive_bytes(&frames(&["*", "that name is not possible"]));
    client.pass_ms(50);
    client.close();
    assert!(matches!(client.ending, Some(Ending::Rejected(text)) if text.contains("not possible")));
}

#[test]
fn the_end_of_the_input_leaves_soon_whatever_the_server_says() {
    let greetings: [(&[&str], u64); 3] = [(&["*", "alice is here"], 100), (&["bob", "hi"], 0), (&[], 500)];
    for (words, ms) in greetings {
        let mut client = TestClient::tutorial();
        client.command(Command::Finish).expect("taken");
        client.receive_bytes(&frames(words));
        if ms > 0 {
            client.pass_ms(ms - 1);
            assert!(!client.half_closed, "{words:?}");
            client.pass_ms(1);
        }
        assert!(client.half_closed, "{words:?}");
        client.close();
        assert_eq!(client.ending, Some(Ending::Left), "{words:?}");
    }
}

#[test]
fn a_close_before_the_held_goodbye_is_a_leave_if_all_is_written() {
    let mut client = TestClient::tutorial();
    client.say("hi");
    client.command(Command::Finish).expect("taken");
    client.close();
    assert_eq!(client.ending, Some(Ending::Left));
}

#[test]
fn a_connection_is_established_once_bytes_arrived() {
    let mut client = TestClient::tutorial();
    client.pass_ms(499);
    assert_eq!((client.notices().as_str(), client.session.status(0).link), ("", LinkState::Unanswered));
    client.pass_ms(1);
    let silent = "nothing has answered yet at here:1234; what you say is sent as alice, in the tutorial dialect\n";
    assert_eq!(client.notices(), silent);
    client.say("hi");
    client.pass_ms(60_000);
    assert_eq!((client.notices().as_str(), client.session.status(0).link), ("", LinkState::Unanswered));
    client.receive_bytes(&frames(&["*", "bob joined"]));
    assert_eq!(client.notices(), "connected to here:1234 as alice, in the tutorial dialect\n");
    client.receive_bytes(&frames(&["*", "cyd joined"]));
    assert_eq!((client.notices().as_str(), client.session.status(0).link), ("", LinkState::Online));
}

#[test]
fn leaving_a_silent_address_reports_that_it_was_silent() {
    for is_silent in [true, false] {
        let mut client = TestClient::tutorial();
        client.say("hi");
        if !is_silent {
            client.receive_bytes(&frames(&["bob", "hello"]));
        }
        client.command(Command::Leave).expect("taken");
        client.pass_ms(500);
        client.close();
        assert_eq!(client.ending, Some(Ending::Left));
        assert_eq!(client.notices().contains("nothing has ever answered at here:1234"), is_silent);
    }
}

#[test]
fn what_answers_is_named_on_either_connection() {
    for (first, second) in
        [(&b"SSH-2.0-x\r\n"[..], Some(&b"SSH-2.0-x\r\n"[..])), (b"SSH-2.0-x\r\n", None), (b"", Some(b"SSH-2.0-x\r\n"))]
    {
        let mut client = TestClient::new(DialectChoice::Auto, None);
        client.connect();
        client.receive_bytes(first);
        client.pass_ms(1_000);
        client.connect();
        match second {
            Some(second) => client.receive_bytes(second),
            None => client.pass_ms(500),
        }
        let Some(Ending::Rejected(text)) = &client.ending else { panic!("{:?}", client.ending) };
        assert!(text.contains("is no chat server but an SSH server"), "{text}");
    }
}

#[test]
fn what_closes_both_connections_at_once_is_no_chat_server() {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.connect();
    client.close();
    client.connect();
    client.close();
    assert!(
        matches!(&client.ending, Some(Ending::Rejected(text)) if text.contains("without a word")),
        "{:?}",
        client.ending
    );
}

/// After a second without an answer, on the connection of the tutorial dialect.
fn stalled() -> TestClient {
    let mut client = TestClient::new(DialectChoice::Auto, None);
    client.connect();
    client.take_hello();
    client.pass_ms(1_000);
    client.connect();
    assert_eq!(client.take_frames(), [b"alice"]);
    client
}

#[test]
fn a_server_that_was_late_is_spoken_to_in_events_after_all() {
    let mut client = stalled();
    client.pass_ms(4_300);
    client.receive_bytes(&frames(&["*", "nobody else is here yet"]));
    assert_eq!(client.connects, 3);
    client.connect();
    client.say("hi");
    client.take_hello();
    client.receive(WELCOME);
    assert!(client.notices().contains("connected to here:1234 as alice\n"));
    assert!(matches!(&client.take_requests()[..], [Request { content: Ask::Send(send), .. }] if send.text == "hi"));
    assert_eq!(client.session.slash_executor(), SlashExecutor::Client);
}

#[test]
fn messages_to_a_late_server_are_sent_once() {
    let mut client = stalled();
    client.takes_writes = false;
    for text in ["one", "two", "more"] {
        client.say(text);
    }
    client.receive_bytes(&frames(&["*", "nobody else is here yet"]));
    client.say("three");
    assert!(client.connects == 2 && !client.half_closed, "more is still to be written");
    client.takes_writes = true;
    for _ in 0..2 {
        client.handle(Input::Written);
    }
    assert!(client.half_closed);
    assert_eq!(client.take_frames(), [b"one".to_vec(), b"two".to_vec(), b"more".to_vec()]);
    client.receive_bytes(&frames(&["bob", "hello"]));
    assert!(client.take_texts().contains(&"hello".to_owned()), "its messages arrive until the end");
    client.close();
    assert_eq!((client.connects, &client.ending), (3, &None));
    client.connect();
    client.take_hello();
    client.receive(WELCOME);
    assert!(matches!(&client.take_requests()[..], [Request { content: Ask::Send(send), .. }] if send.text == "three"));
}

#[test]
fn a_late_server_of_the_tutorial_is_tried_once_more_at_most() {
    let mut client = stalled();
    client.receive_bytes(&frames(&["*", "hello"]));
    client.connect();
    client.take_hello();
    client.pass_ms(3_000);
    assert_eq!(client.connects, 4);
    client.connect();
    assert_eq!(client.take_frames(), [b"alice"]);
    client.receive_bytes(&frames(&["*", "hello"]));
    assert_eq!(client.connects, 4);
    assert_eq!(client.session.slash_executor(), SlashExecutor::Server);
    let mut original = stalled();
    original.receive_bytes(&frames(&["bob", "hi", "*", "hi"]));
    assert_eq!(original.connects, 2, "bob is no server");
}

#[test]
fn a_link_lost_before_any_answer_begins_with_events_again() {
    let mut client = stalled();
    client.reconnect();
    client.take_hello();
    client.receive(WELCOME);
    assert_eq!(client.session.status(0).link, LinkState::Online);
}

#[test]
fn help_is_the_clients_own_and_then_the_servers() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["*", "alice is here"]));
    client.take_updates();
    client.command(Command::Help("own".into())).expect("taken");
    assert_eq!((client.notices().as_str(), client.take_frames()), ("own\n", vec![b"/help".to_vec()]));
}

#[test]
fn leaving_at_once_does_not_wait_for_a_server_not_reading() {
    let mut client = TestClient::tutorial();
    client.takes_writes = false;
    for text in ["one", "two", "three"] {
        client.say(text);
    }
    client.command(Command::Leave).expect("taken");
    client.take_updates();
    client.pass_ms(2_000);
    assert_eq!(client.ending, Some(Ending::Left));
    assert!(client.notices().contains("may not have arrived"));
}

#[test]
fn a_pair_for_the_user_alone_is_a_direct_message() {
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["bob→you", "hi"]));
    assert!(matches!(&client.take_updates()[..], [_, Update::Received(Event::Message(_))]), "no server said so");
    let mut client = TestClient::tutorial();
    client.receive_bytes(&frames(&["*", "nobody else is here yet", "bob→you", "hi"]));
    let updates = client.take_updates();
    let Some(Update::Received(Event::Direct(direct))) = updates.last() else { panic!("{updates:?}") };
    assert_eq!((direct.from.as_str(), direct.text.as_str()), ("bob", "hi"));
    client.command(Command::Direct { to: "bob".into(), text: "yes".into() }).expect("taken");
    assert_eq!(client.take_frames(), [b"/msg bob yes"]);
}
