//! Operator tokens that nobody else may read (O1), in both dialects.

use super::*;

#[test]
fn nothing_of_the_form_of_a_token_is_sent() {
    let token = "glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8";
    let commands = || {
        [
            Command::Say(token.into()),
            Command::Action(format!("says {token}")),
            Command::Direct { to: "bob".into(), text: token.into() },
            Command::Rename(token.into()),
            Command::Away(Some(token.into())),
            Command::Operate(format!("motd {token}")),
            Command::Join(token.into()),
        ]
    };
    let mut client = TestClient::event();
    for command in commands() {
        assert!(matches!(client.command(command.clone()), Err(CommandError::Token)), "{command:?}");
    }
    assert_eq!(client.take_requests(), []);
    client.command(Command::Operate(format!("op {token}"))).expect("taken");
    assert_eq!(client.take_requests().len(), 1);
    let mut client = TestClient::tutorial();
    client.receive_bytes(&super::frames(&["*", "welcome"]));
    for command in [Command::Say(token.into()), Command::ServerLine(format!("/msg bob {token}"))] {
        assert!(matches!(client.command(command.clone()), Err(CommandError::Token)), "{command:?}");
    }
    assert!(client.sent.is_empty());
    client.command(Command::ServerLine(format!("/op {token}"))).expect("taken");
}
