//! Rooms that a reconnect enters again.

use super::sealed::DenIsSealed;
use super::*;

#[test]
fn many_rooms_do_not_make_a_hello_that_no_server_takes() {
    let mut client = TestClient::event();
    for number in 0..300 {
        client.join(&format!("room-{number:060}"), "");
    }
    client.reconnect();
    assert!(client.sent.len() <= 10 + 10 + 4_096);
    let rooms = client.take_hello().rooms.expect("rooms").len();
    client.receive(WELCOME);
    let joins = client.take_requests().into_iter().filter(|request| matches!(request.content, Ask::Join(_))).count();
    assert!(rooms > 20 && rooms < 64 && joins == 63, "{rooms} rooms, {joins} joins");
}

#[test]
fn a_hello_names_as_many_rooms_as_fit() {
    for letters in [1, 40, 200] {
        let mut client = TestClient::event();
        for number in 0..60 {
            let room = format!("{}{number}", r#"\""#.repeat(letters));
            client.session.rooms.enter(&room.replace('\\', ""));
            client.receive(&format!(r#"{{"type":"message","room":"{room}","seq":1,"from":"bob","text":"x"}}"#));
        }
        client.reconnect();
        let hello = client.take_hello();
        let json = |hello| Request::from(Ask::Hello(hello)).to_json().len();
        assert!(json(hello.clone()) <= 4_096);
        let mut longer = hello;
        let (rooms, since) = (longer.rooms.as_mut().expect("rooms"), longer.since.as_mut().expect("since"));
        assert!(rooms.len() == since.len() && rooms.iter().all(|room| since.contains_key(room)));
        let next = client.session.rooms.names().get(rooms.len()).cloned();
        let Some(next) = next else { continue };
        since.insert(next.clone(), 0);
        rooms.push(next);
        assert!(json(longer) > 4_096 - 2, "one more would fit");
    }
}

#[test]
fn the_user_is_back_in_a_room_that_is_joined_again() {
    for moves_on in [false, true] {
        let mut client = TestClient::event();
        client.command(Command::Join("den".into())).expect("taken");
        client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
        client.reconnect();
        client.receive(WELCOME);
        assert_eq!(client.session.status(0).room.as_deref(), Some("lobby"));
        if moves_on {
            client.command(Command::Join("lobby".into())).expect("taken");
        }
        client.receive(r#"{"type":"joined","room":"trap","names":["alice"],"count":1}"#);
        client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1}"#);
        let room = if moves_on { "lobby" } else { "den" };
        assert_eq!(client.session.status(0).room.as_deref(), Some(room));
    }
}

#[test]
fn words_for_a_sealed_room_do_not_reach_another() {
    let mut client = TestClient::event();
    client.session = client.session.with_seal(Box::new(DenIsSealed::by_the_user()));
    client.command(Command::Join("den".into())).expect("taken");
    client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    client.reconnect();
    client.receive(WELCOME);
    assert!(matches!(client.command(Command::Say("secret".into())), Err(CommandError::NoCurrentRoom)));
    client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1}"#);
    assert!(matches!(client.command(Command::Say("secret".into())), Err(CommandError::ServerCannotSeal)));
    client.command(Command::Join("lobby".into())).expect("taken");
    client.command(Command::Say("no secret".into())).expect("the user has chosen the lobby");
}

#[test]
fn messages_wait_for_the_number_of_a_room_joined_again() {
    for refused in [false, true] {
        let mut client = TestClient::event();
        client.command(Command::Join("den".into())).expect("taken");
        client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"seq":3,"ref":"glassline-move"}"#);
        client.close();
        client.command(Command::Say("said offline".into())).expect("taken");
        client.wait_for_connect();
        client.connect();
        client.take_hello();
        client.receive(WELCOME);
        let sends = |client: &mut TestClient| {
            let requests = client.take_requests().into_iter();
            requests
                .filter_map(|request| match request.content {
                    Ask::Send(send) => Some((send.room, send.after)),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(sends(&mut client), [], "its number is not known yet");
        if refused {
            client.receive(r#"{"type":"error","code":"busy","text":"the history of den cannot be read; try again"}"#);
        } else {
            client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"seq":5}"#);
        }
        assert_eq!(sends(&mut client), [], "other rooms may follow");
        client.receive(r#"{"type":"pong","ref":"glassline-rejoined"}"#);
        assert_eq!(sends(&mut client), [("den".to_owned(), (!refused).then_some(5))]);
    }
}
