use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;

use super::*;
use crate::{LinkState, SlashCommands};

#[test]
fn without_welcome_in_a_second_the_tutorial_dialect_is_used() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.say("early");
    line.connect();
    line.take_hello();
    line.pass_ms(999);
    assert_eq!(line.connects, 1);
    line.pass_ms(1);
    assert_eq!(line.connects, 2);
    assert!(line.notices().contains("tutorial dialect"));
    line.connect();
    assert_eq!(line.take_frames(), [b"alice".to_vec(), b"early".to_vec()]);
    assert_eq!(line.take_texts(), ["?early"]);
}

#[test]
fn a_close_and_rubbish_are_answers_too() {
    for answer in [None, Some("HTTP/1.1 400 Bad Request"), Some("5         hello")] {
        let mut line = Line::new(DialectChoice::Auto, None);
        line.connect();
        match answer {
            None => line.close(),
            Some(rubbish) => line.hear_bytes(rubbish.as_bytes()),
        }
        assert_eq!((line.connects, &line.ending), (2, &None), "{answer:?}");
        line.connect();
        assert_eq!(line.take_frames(), [b"alice"]);
    }
}

#[test]
fn the_event_dialect_alone_is_refused_by_a_tutorial_server() {
    let mut line = Line::new(DialectChoice::Event, None);
    line.connect();
    line.pass_ms(3_000);
    assert!(matches!(line.ending, Some(Ending::Rejected(text)) if text.contains("--dialect tutorial")));
}

#[test]
fn what_is_no_chat_server_is_said_to_be_none() {
    let mut line = Line::tutorial();
    line.hear_bytes(b"HTTP/1.1 400 Bad Request\r\n");
    assert!(matches!(&line.ending, Some(Ending::Rejected(text)) if text.contains("no chat server")));
    assert_eq!(line.notices(), "", "it never spoke like one, so nobody is told that it is one");
}

#[test]
fn pairs_are_messages_and_the_servers_own_are_notices() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["bob", "hi", "*", "cyd joined"]));
    let updates = line.take_updates();
    let [Update::Notice(_), Update::Received(Event::Message(message)), Update::Received(Event::Notice(notice))] =
        &updates[..]
    else {
        panic!("{updates:?}")
    };
    assert_eq!((message.from.as_str(), message.text.as_str(), message.seq), ("bob", "hi", None));
    assert_eq!(notice.text, "cyd joined");
}

#[test]
fn a_name_with_a_number_is_taken_from_the_first_words() {
    for (words, name) in [
        ("alice is taken; you are alice-2; /nick changes it", "alice-2"),
        ("alice looks like аlice, who is here; you are alice-3; /nick changes it", "alice-3"),
        ("you are bob", "alice"),
        ("here: bob; you are two words; /nick changes it", "alice"),
    ] {
        let mut line = Line::tutorial();
        line.hear_bytes(&frames(&["*", words]));
        assert_eq!(
            line.notices().lines().next(),
            Some(&*format!("connected to here:1234 as {name}, in the tutorial dialect"))
        );
        // Later it may be anybody's joke in a message of the day.
        line.hear_bytes(&frames(&["*", "hi; you are eve; /nick changes it"]));
        assert_eq!(line.session.status(0).name, name);
    }
}

#[test]
fn slashes_go_to_a_server_that_speaks_and_are_escaped_for_it() {
    let mut line = Line::tutorial();
    assert_eq!(line.session.slash_commands(), SlashCommands::Undecided);
    line.say("/x");
    assert!(line.sent.is_empty(), "it is not known yet whether the server would take it for a command");
    line.hear_bytes(&frames(&["*", "welcome"]));
    assert_eq!(line.session.slash_commands(), SlashCommands::Server);
    assert_eq!(line.take_frames(), [b"//x"]);
    line.command(Command::ServerLine("/names".into())).expect("taken");
    assert_eq!(line.take_frames(), [b"/names"]);
    line.command(Command::Action("waves".into())).expect("taken");
    assert_eq!(line.take_frames(), [b"/me waves"]);
}

#[test]
fn a_member_called_like_a_server_is_no_server() {
    let mut later = Line::tutorial();
    later.hear_bytes(&frames(&["bob", "hi", "*", "/help lists my commands"]));
    let mut late = Line::tutorial();
    late.pass_ms(3_000);
    late.hear_bytes(&frames(&["*", "/help lists my commands", "*", "really"]));
    for line in [&mut later, &mut late] {
        assert_eq!(line.session.slash_commands(), SlashCommands::Nobody);
        assert_eq!(line.command(Command::ServerLine("/msg bob secret".into())), Err(CommandError::NotConnected));
        assert!(line.sent.is_empty());
    }
    let mut slow = Line::tutorial();
    slow.pass_ms(2_999);
    slow.hear_bytes(&frames(&["*", "nobody else is here yet", "bob", "hi"]));
    assert_eq!(slow.session.slash_commands(), SlashCommands::Server);
}

#[test]
fn the_status_names_the_room_that_the_server_says_and_else_none() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["*", "nobody else is here yet"]));
    let room = |line: &Line| {
        let status = line.session.status(0);
        assert_eq!(status.is_room_told, status.room.is_some());
        status.room
    };
    line.hear_bytes(&frames(&["*", "you are in hell; here: eve"]));
    assert_eq!(room(&line).as_deref(), Some("lobby"), "nobody asked");
    line.command(Command::ServerLine("/join den".into())).expect("taken");
    assert_eq!(room(&line), None, "on the way");
    line.hear_bytes(&frames(&[
        "eve",
        "you are in hell; here: eve",
        "*",
        "eve joined",
        "*",
        "eve is away: you are in x; y",
    ]));
    assert_eq!(room(&line), None, "only the server's own sentence counts");
    line.hear_bytes(&frames(&["*", "you are in den; nobody else is here"]));
    assert_eq!(room(&line).as_deref(), Some("den"));
    line.command(Command::ServerLine("/join  den".into())).expect("taken");
    line.hear_bytes(&frames(&["*", "you are there already"]));
    assert_eq!(room(&line).as_deref(), Some("den"));
    for asked in ["/join attic", "/leave"] {
        line.command(Command::ServerLine(asked.into())).expect("taken");
    }
    line.hear_bytes(&frames(&["*", "you are in attic; nobody else is here", "*", "you are in lobby; here: bob"]));
    assert_eq!(room(&line).as_deref(), Some("lobby"));
    line.command(Command::ServerLine("/join *".into())).expect("taken");
    line.hear_bytes(&frames(&["*", "dies ist kein Raum"]));
    assert_eq!(room(&line), None, "what these words mean is not known");
    line.take_updates();
    line.say("still said");
    assert_eq!(line.take_texts(), ["?still said"]);
    line.command(Command::ServerLine("/names".into())).expect("taken");
    line.command(Command::ServerLine("/join den".into())).expect("taken");
    line.hear_bytes(&frames(&["*", "you are in den; nobody else is here"]));
    assert_eq!(room(&line).as_deref(), Some("den"));
    for asked in ["/names x", "/leave now"] {
        line.command(Command::ServerLine(asked.into())).expect("taken");
    }
    line.hear_bytes(&frames(&["*", "usage: /names: lists who is in this room"]));
    assert_eq!(room(&line), None, "that answers another command");
    line.hear_bytes(&frames(&["*", "usage: /leave: goes back to the lobby"]));
    assert_eq!(room(&line).as_deref(), Some("den"));
    line.command(Command::ServerLine("/join attic".into())).expect("taken");
    line.close();
    line.wait_for_try();
    line.connect();
    assert_eq!(room(&line).as_deref(), Some("lobby"), "another connection begins there");
}

#[test]
fn no_name_of_a_pair_is_endless() {
    let mut line = Line::tutorial();
    line.take_updates();
    line.hear_bytes(&frames(&[&format!("x{}", "二".repeat(9_000)), "hi"]));
    let updates = line.take_updates();
    let Some(Update::Received(Event::Message(message))) = updates.last() else { panic!("a message") };
    assert_eq!((message.from.len(), message.text.as_str()), (256, "hi"));
}

#[test]
fn a_server_without_words_gets_slashes_as_they_are() {
    let mut line = Line::tutorial();
    line.say("/x");
    line.pass_ms(499);
    assert!(line.sent.is_empty());
    line.pass_ms(1);
    assert_eq!(line.take_frames(), [b"/x"]);
    assert_eq!(line.session.slash_commands(), SlashCommands::Nobody);
    assert_eq!(line.command(Command::ServerLine("/names".into())), Err(CommandError::NotConnected));
    assert_eq!(line.command(Command::Action("waves".into())), Err(CommandError::NotInTutorial("/me")));
    assert!(line.command(Command::Rename("al".into())).is_err());
}

#[test]
fn leaving_is_a_half_close_behind_everything_said() {
    let mut line = Line::tutorial();
    line.takes_writes = false;
    for text in ["one", "two", "three"] {
        line.say(text);
    }
    line.command(Command::Finish).expect("taken");
    assert!(!line.half_closed, "something is still to be written");
    line.pass_ms(600_000);
    assert_eq!(line.ending, None, "the server may take its time to read");
    line.takes_writes = true;
    for _ in 0..3 {
        line.handle(Input::Written);
    }
    assert!(line.half_closed);
    assert_eq!(line.take_frames(), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    line.take_updates();
    line.hear_bytes(&frames(&["bob", "bye"]));
    assert_eq!(line.take_texts(), ["bye"]);
    line.close();
    assert_eq!(line.ending, Some(Ending::Left));
}

#[test]
fn a_server_that_keeps_its_side_open_is_left_after_two_seconds() {
    let mut line = Line::tutorial();
    line.command(Command::Leave).expect("taken");
    assert!(line.half_closed && line.session.status(0).link == LinkState::Leaving);
    line.pass_ms(2_000);
    assert_eq!(line.ending, Some(Ending::Left));
}

#[test]
fn a_close_before_everything_is_written_is_no_leave() {
    let mut line = Line::tutorial();
    line.takes_writes = false;
    line.say("lost");
    line.command(Command::Finish).expect("taken");
    line.close();
    assert!(matches!(line.ending, Some(Ending::ServerWentAway(_))), "{:?}", line.ending);
}

#[test]
fn a_name_refused_in_words_and_a_close_ends_with_the_words() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["*", "that name is not possible"]));
    line.close();
    assert!(matches!(line.ending, Some(Ending::Rejected(text)) if text.contains("not possible")));
}

#[test]
fn a_name_refused_after_the_end_of_input_is_still_refused() {
    let mut line = Line::tutorial();
    line.say("hi");
    line.command(Command::Finish).expect("taken");
    line.pass_ms(50);
    assert!(!line.half_closed, "its answer would look like a refusal");
    line.hear_bytes(&frames(&["*", "that name is not possible"]));
    line.pass_ms(50);
    line.close();
    assert!(matches!(line.ending, Some(Ending::Rejected(text)) if text.contains("not possible")));
}

#[test]
fn the_end_of_the_input_leaves_soon_whatever_the_server_says() {
    let greetings: [(&[&str], u64); 3] = [(&["*", "alice is here"], 100), (&["bob", "hi"], 0), (&[], 500)];
    for (words, ms) in greetings {
        let mut line = Line::tutorial();
        line.command(Command::Finish).expect("taken");
        line.hear_bytes(&frames(words));
        if ms > 0 {
            line.pass_ms(ms - 1);
            assert!(!line.half_closed, "{words:?}");
            line.pass_ms(1);
        }
        assert!(line.half_closed, "{words:?}");
        line.close();
        assert_eq!(line.ending, Some(Ending::Left), "{words:?}");
    }
}

#[test]
fn a_close_before_the_held_goodbye_is_a_leave_if_all_is_written() {
    let mut line = Line::tutorial();
    line.say("hi");
    line.command(Command::Finish).expect("taken");
    line.close();
    assert_eq!(line.ending, Some(Ending::Left));
}

#[test]
fn a_connection_stands_once_something_was_heard() {
    let mut line = Line::tutorial();
    line.pass_ms(499);
    assert_eq!((line.notices().as_str(), line.session.status(0).link), ("", LinkState::Unanswered));
    line.pass_ms(1);
    let silent = "nothing has answered yet at here:1234; what you say is sent as alice, in the tutorial dialect\n";
    assert_eq!(line.notices(), silent);
    line.say("hi");
    line.pass_ms(60_000);
    assert_eq!((line.notices().as_str(), line.session.status(0).link), ("", LinkState::Unanswered));
    line.hear_bytes(&frames(&["*", "bob joined"]));
    assert_eq!(line.notices(), "connected to here:1234 as alice, in the tutorial dialect\n");
    line.hear_bytes(&frames(&["*", "cyd joined"]));
    assert_eq!((line.notices().as_str(), line.session.status(0).link), ("", LinkState::Online));
}

#[test]
fn whoever_leaves_a_silent_address_is_told_that_it_was_silent() {
    for is_silent in [true, false] {
        let mut line = Line::tutorial();
        line.say("hi");
        if !is_silent {
            line.hear_bytes(&frames(&["bob", "hello"]));
        }
        line.command(Command::Leave).expect("taken");
        line.pass_ms(500);
        line.close();
        assert_eq!(line.ending, Some(Ending::Left));
        assert_eq!(line.notices().contains("nothing has ever answered at here:1234"), is_silent);
    }
}

#[test]
fn what_answers_is_named_on_either_connection() {
    for (first, second) in
        [(&b"SSH-2.0-x\r\n"[..], Some(&b"SSH-2.0-x\r\n"[..])), (b"SSH-2.0-x\r\n", None), (b"", Some(b"SSH-2.0-x\r\n"))]
    {
        let mut line = Line::new(DialectChoice::Auto, None);
        line.connect();
        line.hear_bytes(first);
        line.pass_ms(1_000);
        line.connect();
        match second {
            Some(second) => line.hear_bytes(second),
            None => line.pass_ms(500),
        }
        let Some(Ending::Rejected(text)) = &line.ending else { panic!("{:?}", line.ending) };
        assert!(text.contains("is no chat server but an SSH server"), "{text}");
    }
}

#[test]
fn what_closes_both_connections_at_once_is_no_chat_server() {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.connect();
    line.close();
    line.connect();
    line.close();
    assert!(
        matches!(&line.ending, Some(Ending::Rejected(text)) if text.contains("without a word")),
        "{:?}",
        line.ending
    );
}

/// After a second without an answer, on the connection of the tutorial dialect.
fn stalled() -> Line {
    let mut line = Line::new(DialectChoice::Auto, None);
    line.connect();
    line.take_hello();
    line.pass_ms(1_000);
    line.connect();
    assert_eq!(line.take_frames(), [b"alice"]);
    line
}

#[test]
fn a_server_that_was_late_is_spoken_to_in_events_after_all() {
    let mut line = stalled();
    line.pass_ms(4_300);
    line.hear_bytes(&frames(&["*", "nobody else is here yet"]));
    assert_eq!(line.connects, 3);
    line.connect();
    line.say("hi");
    line.take_hello();
    line.hear(WELCOME);
    assert!(line.notices().contains("connected to here:1234 as alice\n"));
    assert!(matches!(&line.take_requests()[..], [Request { content: Ask::Send(send), .. }] if send.text == "hi"));
    assert_eq!(line.session.slash_commands(), SlashCommands::Client);
}

#[test]
fn what_was_said_to_a_late_server_goes_out_once() {
    let mut line = stalled();
    line.takes_writes = false;
    for text in ["one", "two", "more"] {
        line.say(text);
    }
    line.hear_bytes(&frames(&["*", "nobody else is here yet"]));
    line.say("three");
    assert!(line.connects == 2 && !line.half_closed, "more is still to be written");
    line.takes_writes = true;
    for _ in 0..2 {
        line.handle(Input::Written);
    }
    assert!(line.half_closed);
    assert_eq!(line.take_frames(), [b"one".to_vec(), b"two".to_vec(), b"more".to_vec()]);
    line.hear_bytes(&frames(&["bob", "hello"]));
    assert!(line.take_texts().contains(&"hello".to_owned()), "it is heard until the end");
    line.close();
    assert_eq!((line.connects, &line.ending), (3, &None));
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    assert!(matches!(&line.take_requests()[..], [Request { content: Ask::Send(send), .. }] if send.text == "three"));
}

#[test]
fn a_late_server_of_the_tutorial_is_tried_once_more_at_most() {
    let mut line = stalled();
    line.hear_bytes(&frames(&["*", "hello"]));
    line.connect();
    line.take_hello();
    line.pass_ms(3_000);
    assert_eq!(line.connects, 4);
    line.connect();
    assert_eq!(line.take_frames(), [b"alice"]);
    line.hear_bytes(&frames(&["*", "hello"]));
    assert_eq!(line.connects, 4);
    assert_eq!(line.session.slash_commands(), SlashCommands::Server);
    let mut original = stalled();
    original.hear_bytes(&frames(&["bob", "hi", "*", "hi"]));
    assert_eq!(original.connects, 2, "bob is no server");
}

#[test]
fn a_link_lost_before_any_answer_begins_with_events_again() {
    let mut line = stalled();
    line.close();
    line.wait_for_try();
    line.connect();
    line.take_hello();
    line.hear(WELCOME);
    assert_eq!(line.session.status(0).link, LinkState::Online);
}

#[test]
fn help_is_the_clients_own_and_then_the_servers() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["*", "alice is here"]));
    line.take_updates();
    line.command(Command::Help("own".into())).expect("taken");
    assert_eq!((line.notices().as_str(), line.take_frames()), ("own\n", vec![b"/help".to_vec()]));
}

#[test]
fn leaving_at_once_does_not_wait_for_a_server_not_reading() {
    let mut line = Line::tutorial();
    line.takes_writes = false;
    for text in ["one", "two", "three"] {
        line.say(text);
    }
    line.command(Command::Leave).expect("taken");
    line.take_updates();
    line.pass_ms(2_000);
    assert_eq!(line.ending, Some(Ending::Left));
    assert!(line.notices().contains("may not have arrived"));
}

#[test]
fn a_pair_for_the_user_alone_is_a_direct_message() {
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["bob→you", "hi"]));
    assert!(matches!(&line.take_updates()[..], [_, Update::Received(Event::Message(_))]), "no server said so");
    let mut line = Line::tutorial();
    line.hear_bytes(&frames(&["*", "nobody else is here yet", "bob→you", "hi"]));
    let updates = line.take_updates();
    let Some(Update::Received(Event::Direct(direct))) = updates.last() else { panic!("{updates:?}") };
    assert_eq!((direct.from.as_str(), direct.text.as_str()), ("bob", "hi"));
    line.command(Command::Direct { to: "bob".into(), text: "yes".into() }).expect("taken");
    assert_eq!(line.take_frames(), [b"/msg bob yes"]);
}
