//! Operator tokens that nobody else may read (O1), in both dialects.

use alloc::format;

use super::*;

#[test]
fn nothing_of_the_form_of_a_token_is_sent() {
    let token = "glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8";
    let told = || {
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
    let mut line = Line::event();
    for command in told() {
        assert!(matches!(line.command(command.clone()), Err(CommandError::Token)), "{command:?}");
    }
    assert_eq!(line.take_requests(), []);
    line.command(Command::Operate(format!("op {token}"))).expect("taken");
    assert_eq!(line.take_requests().len(), 1);
    let mut line = Line::tutorial();
    line.hear_bytes(&super::frames(&["*", "welcome"]));
    for command in [Command::Say(token.into()), Command::ServerLine(format!("/msg bob {token}"))] {
        assert!(matches!(line.command(command.clone()), Err(CommandError::Token)), "{command:?}");
    }
    assert!(line.sent.is_empty());
    line.command(Command::ServerLine(format!("/op {token}"))).expect("taken");
}
