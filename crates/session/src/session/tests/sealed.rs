//! Sealed rooms (S7): nothing readable is sent there, whenever it was written.

use glassline_wire::event::{ErrorCode, Message};

use super::*;
use crate::room_seal::{Arrival, Draft, RoomSeal};

/// Has the room "den" sealed, without its key.
#[derive(Debug)]
pub(super) struct DenIsSealed {
    by_others: bool,
    /// Others have sealed it, and the server has told so.
    is_told: bool,
}

impl DenIsSealed {
    pub(super) fn by_the_user() -> Self {
        Self { by_others: false, is_told: false }
    }

    fn by_others() -> Self {
        Self { by_others: true, is_told: false }
    }
}

impl RoomSeal for DenIsSealed {
    fn is_sealed(&self, room: &str) -> bool {
        room == "den" && !self.by_others
    }

    fn is_sealed_by_others(&self, room: &str) -> bool {
        room == "den" && self.is_told
    }

    fn entered(&mut self, room: &str, sealed: Option<&str>) -> Option<String> {
        if room == "den" {
            self.is_told = sealed.is_some();
        }
        None
    }

    fn seal(&mut self, _: Draft<'_>) -> Result<String, String> {
        Err("there is no key".to_owned())
    }

    fn open(&mut self, message: Message, _: Arrival) -> Option<Message> {
        Some(message)
    }
}

const ENTERED: &str = r#"{"type":"joined","room":"den","names":["alice"],"count":1,"seq":3,"ref":"glassline-move"}"#;

fn in_the_den(seal: DenIsSealed) -> TestClient {
    let mut client = TestClient::event();
    client.session = client.session.with_seal(Box::new(seal));
    client.command(Command::Join("den".into())).expect("taken");
    client.receive(ENTERED);
    client.take_requests();
    client.take_updates();
    client
}

fn sent_texts(client: &mut TestClient) -> Vec<String> {
    let requests = client.take_requests().into_iter();
    requests.filter_map(|request| if let Ask::Send(send) = request.content { Some(send.text) } else { None }).collect()
}

#[test]
fn what_waits_for_a_link_is_not_sent_to_a_room_sealed_meanwhile() {
    let mut client = in_the_den(DenIsSealed::by_others());
    client.say("written before");
    assert_eq!(sent_texts(&mut client), ["written before"], "the room is readable");
    client.receive(r#"{"type":"message","room":"den","seq":4,"from":"alice","text":"written before"}"#);
    client.close();
    client.say("a secret");
    client.wait_for_connect();
    client.connect();
    client.take_hello();
    client.receive(&WELCOME.replace(
        r#"{"room":"lobby","seq":4,"count":3}"#,
        r#"{"room":"lobby","seq":4,"count":3},{"room":"den","seq":9,"count":2,"sealed":"AQ"}"#,
    ));
    let sent = String::from_utf8(core::mem::take(&mut client.sent)).expect("JSON");
    assert!(!sent.contains("secret"), "{sent}");
    let rejected = client.take_updates().into_iter().find_map(|update| match update {
        Update::Rejected { rejection, text } => Some((rejection.code, text)),
        _ => None,
    });
    assert_eq!(rejected, Some((ErrorCode::RoomSealed, Some("a secret".to_owned()))));
}

#[test]
fn who_is_alone_in_a_sealed_room_sends_nothing_readable() {
    let mut client = in_the_den(DenIsSealed { by_others: true, is_told: true });
    client.receive(&ENTERED.replace(r#""seq":3"#, r#""seq":3,"sealed":"AQ""#).replace("glassline-move", "x"));
    client.receive(r#"{"type":"members","room":"den","names":["alice"],"count":1}"#);
    assert!(client.command(Command::Say("a secret".into())).is_err());
    assert_eq!(sent_texts(&mut client), [""; 0]);
}

#[test]
fn a_room_that_looks_alike_is_not_the_one_asked_for() {
    let mut client = TestClient::event();
    client.command(Command::Join("#Den".into())).expect("taken");
    client.take_requests();
    client.take_updates();
    client.receive(&ENTERED.replace("den", "d\u{435}n"));
    let status = client.session.status(0);
    assert_eq!((status.room.as_deref(), status.rooms.len()), (Some("lobby"), 1));
    let notices = client.notices();
    assert!(notices.contains("U+0435 where you wrote U+0065"), "{notices}");
    let left = client.take_requests();
    assert!(matches!(&left[0].content, Ask::Leave(room) if room.room == "d\u{435}n"), "{left:?}");
    client.say("hi");
    assert!(matches!(&client.take_requests()[0].content, Ask::Send(send) if send.room == "lobby"));

    // A room that the user is in already is not left for that.
    client.command(Command::Join("den".into())).expect("taken");
    client.receive(&ENTERED.replace("den", "lobby"));
    assert_eq!(client.session.status(0).rooms, ["lobby"]);
    client.command(Command::Join("den".into())).expect("taken");
    client.receive(ENTERED);
    assert_eq!(client.session.status(0).room.as_deref(), Some("den"));
}

#[test]
fn a_welcome_into_a_look_alike_is_refused() {
    let look_alike = r#"{"room":"d\u0435n","seq":4,"count":3}"#;
    let lobby = r#"{"room":"lobby","seq":4,"count":3}"#;
    let with_look_alike = WELCOME.replace(lobby, &format!("{look_alike},{lobby}"));
    let without_den = WELCOME.replace(lobby, look_alike);

    // At the first time the client asks for the lobby.
    let mut client = TestClient::new(DialectChoice::Auto, Some(60_000));
    client.connect();
    client.take_hello();
    client.receive(&with_look_alike);
    assert_left_again(&mut client, &["lobby"]);
    client.say("hi");
    assert!(matches!(&client.take_requests()[0].content, Ask::Send(send) if send.room == "lobby"));

    // Later it asks for its rooms.
    for seal in [DenIsSealed::by_the_user(), DenIsSealed::by_others()] {
        let mut client = in_the_den(seal);
        client.close();
        client.wait_for_connect();
        client.connect();
        client.take_hello();
        client.receive(&without_den);
        assert_left_again(&mut client, &[]);
        assert_eq!(client.session.status(0).room, None);
        assert!(client.command(Command::Say("for the den".into())).is_err());
        // The answer to the join that follows is checked as well.
        client.receive(&ENTERED.replace("den", r"d\u0435n").replace(r#","ref":"glassline-move""#, ""));
        assert_left_again(&mut client, &[]);
        client.receive(&ENTERED.replace(r#","ref":"glassline-move""#, ""));
        assert_eq!(client.session.status(0).room.as_deref(), Some("den"));
    }
}

#[track_caller]
fn assert_left_again(client: &mut TestClient, rooms: &[&str]) {
    assert_eq!(client.session.status(0).rooms, rooms);
    let notices = client.notices();
    assert!(notices.contains("d\u{435}n, whose name has U+0435, which you did not ask for"), "{notices}");
    let left = client
        .take_requests()
        .into_iter()
        .any(|request| matches!(request.content, Ask::Leave(room) if room.room == "d\u{435}n"));
    assert!(left, "it is left again");
}

#[test]
fn the_tutorial_dialect_carries_nothing_into_a_sealed_room() {
    let mut client = TestClient::tutorial();
    client.session = client.session.with_seal(Box::new(DenIsSealed::by_the_user()));
    client.receive_bytes(&frames(&["*", "you are alice; /help lists commands"]));
    assert_eq!(client.session.check_sealing(), Err(CommandError::NoSealInTutorial));
    client.say("hi");
    client.command(Command::ServerLine("/join den".into())).expect("sent");
    assert_eq!(client.take_frames(), [b"hi".as_slice(), b"/join den"]);
    let refused = |client: &mut TestClient| {
        for command in [Command::Say("secret".into()), Command::ServerLine("/me has a secret".into())] {
            let error = client.command(command).expect_err("nothing is sent");
            assert_eq!((&error, error.code()), (&CommandError::NoSealInTutorial, ErrorCode::RoomSealed));
        }
        assert_eq!(client.take_frames(), [b""; 0]);
    };
    // The server may have moved the user already.
    refused(&mut client);
    client.receive_bytes(&frames(&["*", "you are in den; nobody else is here"]));
    refused(&mut client);
    client.command(Command::ServerLine("/join den".into())).expect("sent");
    client.take_frames();
    client.receive_bytes(&frames(&["*", "you are in d\u{435}n; nobody else is here"]));
    refused(&mut client);
    client.command(Command::ServerLine("/leave".into())).expect("sent");
    assert_eq!(client.take_frames(), [b"/leave"]);
    refused(&mut client);
    client.receive_bytes(&frames(&["*", "you are in lobby; nobody else is here"]));
    client.say("hi");
    assert_eq!(client.take_frames(), [b"hi"]);
}
