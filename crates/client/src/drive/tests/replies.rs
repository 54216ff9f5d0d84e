//! `/reply` without a terminal: typed lines, and lines of a program.

use super::*;

impl Peer {
    /// A direct message that the client has shown.
    fn write_to(&mut self, from: &str) {
        self.say(&format!(r#"{{"type":"direct","from":"{from}","to":"bot","text":"x"}}"#));
        self.say(r#"{"type":"ping"}"#);
        assert!(matches!(self.request().content, Ask::Pong {}));
    }

    fn expect_direct(&mut self, to: &str, text: &str) {
        let Ask::Direct(direct) = self.request().content else { panic!("a direct message") };
        assert_eq!((direct.to.as_str(), direct.text.as_str()), (to, text));
        let id = direct.id;
        self.say(&format!(r#"{{"type":"direct","from":"bot","to":"{to}","text":"{text}","id":"{id}","ref":"{id}"}}"#));
    }
}

#[test]
fn a_typed_reply_is_asked_about_when_another_wrote() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Typist, DialectChoice::Event, address);
    let (mut server, _) = Peer::event(&listener);
    server.write_to("bob");
    client.type_in("/reply one\n");
    server.expect_direct("bob", "one");
    server.write_to("mallory");
    client.type_in("/reply two\n/reply two\n/reply three\n");
    server.expect_direct("bob", "two");
    server.expect_direct("mallory", "three");
    server.say(r#"{"type":"left","room":"lobby","names":["mallory"],"count":1}"#);
    server.write_to("carl");
    client.type_in("hi\n/reply four\n");
    assert_eq!(server.acknowledge(1), "hi");
    server.expect_direct("carl", "four");
    client.end_input();
    server.take_bye();
    let (_, _, err) = client.ending();
    assert_eq!(err.matches("this goes to bob, but mallory has written").count(), 1, "{err}");
}

#[test]
fn a_reply_in_a_pipe_answers_whoever_wrote_before_it() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Pipe, DialectChoice::Event, address);
    let (mut server, _) = Peer::event(&listener);
    for who in ["bob", "mallory"] {
        server.write_to(who);
        client.type_in("/reply yes\n");
        server.expect_direct(who, "yes");
    }
    server.say(r#"{"type":"left","room":"lobby","names":["mallory"],"count":1}"#);
    server.write_to("me-not");
    server.say(r#"{"type":"left","room":"lobby","names":["me-not"],"count":1}"#);
    server.say(r#"{"type":"ping"}"#);
    assert!(matches!(server.request().content, Ask::Pong {}));
    client.type_in("/reply secret\n");
    client.end_input();
    server.take_bye();
    let (ending, _, err) = client.ending();
    assert!(err.contains("not sent: me-not left since") && !err.contains("secret"), "{err}");
    assert_eq!(ending.exit_code(), 1);
}
