//! Output for a program beyond that for a person.

use super::*;

#[test]
fn a_program_sees_every_event_and_above_all_every_answer() {
    let repeats = [
        r#"{"type":"renamed","from":"alice","to":"al"}"#,
        r#"{"type":"renamed","from":"alice","to":"al","ref":"n"}"#,
        r#"{"type":"renamed","from":"bob","to":"rob"}"#,
        r#"{"type":"renamed","from":"bob","to":"rob"}"#,
        r#"{"type":"joined","room":"lobby","names":["al"],"count":1}"#,
    ];
    let mut client = TestClient::event().for_program();
    let mut person = TestClient::event();
    person.take_updates();
    for event in repeats {
        client.receive(event);
        person.receive(event);
    }
    assert_eq!(client.take_json(), repeats);
    assert_eq!(person.take_json(), [repeats[0], repeats[2]], "a person is notified once");
}

#[test]
fn what_is_under_way_when_the_link_is_lost_is_answered() {
    let mut client = TestClient::event().for_program();
    for request in [
        r#"{"type":"rooms","ref":"done"}"#,
        r#"{"type":"whois","name":"bob","ref":"w"}"#,
        r#"{"type":"send","room":"lobby","text":"x","id":"00000000000000000000000000000001","ref":"s"}"#,
        r#"{"type":"join","room":"den"}"#,
        r#"{"type":"ping","ref":"p"}"#,
    ] {
        client.ask(request).expect("taken");
    }
    client.receive(r#"{"type":"rooms","rooms":[],"count":0,"ref":"done"}"#);
    client.take_updates();
    client.close();
    let answers: Vec<Envelope<Event>> =
        client.take_json().iter().map(|json| Envelope::<Event>::from_json(json.as_bytes()).expect("reads")).collect();
    let [whois, ping] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((whois.reference.as_deref(), ping.reference.as_deref()), (Some("w"), Some("p")));
    let busy = glassline_wire::event::ErrorCode::Busy;
    assert!(matches!(&whois.content, Event::Error(rejection) if rejection.code == busy), "{whois:?}");
    assert!(matches!(&ping.content, Event::Error(_)), "{ping:?}");
    // Nothing is answered twice, and nothing that a new link answers.
    client.wait_for_connect();
    client.connect();
    client.receive(WELCOME);
    client.take_updates();
    client.close();
    assert_eq!(client.take_json(), [""; 0]);
}

#[test]
fn the_memory_of_pending_requests_is_bounded() {
    let mut client = TestClient::event().for_program();
    for number in 0..1_000 {
        client.ask(&format!(r#"{{"type":"ping","ref":"{number}"}}"#)).expect("taken");
    }
    client.close();
    let answers = client.take_json();
    assert!(answers.len() == 256 && answers[255].contains("\"999\""), "{}", answers.len());
}

#[test]
fn a_goodbye_is_answered_where_the_server_has_no_word_for_it() {
    let bye = r#"{"type":"bye","text":"the link is closed","ref":"b"}"#;
    let mut tutorial = TestClient::tutorial().for_program();
    tutorial.ask(r#"{"type":"bye","ref":"b"}"#).expect("taken");
    tutorial.pass_ms(500);
    assert!(tutorial.half_closed);
    tutorial.close();
    assert_eq!((tutorial.take_json(), tutorial.ending), (vec![bye.to_owned()], Some(Ending::Left)));
    let mut silent = TestClient::event().for_program();
    silent.ask(r#"{"type":"bye","ref":"b"}"#).expect("taken");
    silent.pass_ms(2_000);
    assert_eq!((silent.take_json(), silent.ending), (vec![bye.to_owned()], Some(Ending::Left)));
    let mut answered = TestClient::event().for_program();
    answered.ask(r#"{"type":"bye","ref":"b"}"#).expect("taken");
    answered.receive(r#"{"type":"bye","text":"goodbye","ref":"b"}"#);
    assert_eq!(answered.take_json(), [r#"{"type":"bye","text":"goodbye","ref":"b"}"#]);
}

#[test]
fn an_oversized_request_is_declined_before_it_ends_the_link() {
    let mut client = TestClient::event().for_program();
    let name = "x".repeat(102_400);
    for request in [
        format!(r#"{{"type":"whois","name":"{name}"}}"#),
        format!(r#"{{"type":"direct","to":"{name}","text":"x","id":"00000000000000000000000000000001"}}"#),
    ] {
        assert!(matches!(client.ask(&request), Err(CommandError::RequestTooLong { .. })));
    }
    assert!(client.sent.is_empty());
    let fits = 102_400 - r#"{"type":"whois","name":"","ref":"r"}"#.len();
    let request = format!(r#"{{"type":"whois","name":"{}","ref":"r"}}"#, "x".repeat(fits));
    client.ask(&request).expect("taken");
    assert_eq!(client.take_frames()[0].len(), 102_400);
}
