//! Stored and missed messages: shown once, in order, or reported as missing.

use super::*;
use crate::{HistoryQuery, HistorySelection, LinkState};
use glassline_wire::event::{Gap, History, Message};
use glassline_wire::message_id::MessageId;
use proptest::prelude::*;

fn message(room: &str, seq: u64) -> String {
    format!(r#"{{"type":"message","room":"{room}","seq":{seq},"from":"bob","text":"{seq}"}}"#)
}

fn history(room: &str, seqs: core::ops::RangeInclusive<u64>, reference: Option<&str>) -> String {
    let messages: Vec<Message> = seqs
        .map(|seq| match Event::from_json(message(room, seq).as_bytes()) {
            Ok(Event::Message(message)) => message,
            other => panic!("a message, not {other:?}"),
        })
        .collect();
    let history = Event::History(History { room: room.into(), messages, more: false });
    String::from_utf8(Envelope::new(history, reference.map(str::to_owned)).to_json()).expect("UTF-8")
}

fn welcome(seq: u64) -> String {
    WELCOME.replace("\"seq\":4", &format!("\"seq\":{seq}"))
}

/// The link is lost and a new one is open; returns the `since` of its `hello`.
fn come_back(client: &mut TestClient) -> alloc::collections::BTreeMap<String, u64> {
    client.reconnect();
    client.take_hello().since.expect("since")
}

/// Returns the numbers shown to a person: messages, those of context, and gaps.
fn shown(client: &mut TestClient) -> Vec<String> {
    let numbers = |messages: &[Message]| {
        let seqs = messages.iter().map(|message| message.seq.unwrap_or(0).to_string());
        seqs.collect::<Vec<_>>().join(",")
    };
    let updates = client.take_updates().into_iter();
    updates
        .filter_map(|update| match update {
            Update::Received(Event::Message(message)) => Some(message.seq?.to_string()),
            Update::Sent { event: Event::Message(message), .. } => Some(format!("+{}", message.seq?)),
            Update::Received(Event::History(history)) => Some(format!("earlier {}", numbers(&history.messages))),
            Update::HistoryPage { history, .. } => Some(format!("page {}", numbers(&history.messages))),
            Update::Received(Event::Gap(Gap { from, to, .. })) => Some(format!("gap {from}-{to}")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_link_lost_during_the_replay_loses_no_missed_message() {
    let mut client = TestClient::event();
    client.receive(&message("lobby", 5));
    for (since, next) in [(5, 6), (6, 7), (7, 8)] {
        assert_eq!(come_back(&mut client)["lobby"], since);
        client.receive(&welcome(9));
        client.receive(&message("lobby", next));
    }
    assert_eq!(come_back(&mut client)["lobby"], 8);
    client.receive(&welcome(9));
    client.receive(&message("lobby", 9));
    assert_eq!(shown(&mut client), ["5", "6", "7", "8", "9"]);
    assert_eq!(come_back(&mut client)["lobby"], 9);
}

#[test]
fn an_own_message_is_shown_once_acknowledged_despite_gaps() {
    let mut client = TestClient::event();
    client.say("mine");
    let request = client.take_requests().remove(0);
    come_back(&mut client);
    client.receive(&welcome(300));
    client.take_updates();
    for seq in (6..300).step_by(2) {
        client.receive(&message("lobby", seq));
    }
    assert_eq!(shown(&mut client).len(), 147);
    client.receive(&acknowledgement(&request, 5));
    let shown = shown(&mut client);
    assert_eq!(shown.iter().filter(|what| *what == "+5").count(), 1, "{shown:?}");
}

#[test]
fn gaps_of_a_room_are_shown_before_it_is_left_despite_doubt() {
    let mut client = TestClient::event();
    client.say("mine");
    let request = client.take_requests().remove(0);
    come_back(&mut client);
    client.receive(&welcome(6));
    client.receive(r#"{"type":"gap","room":"lobby","from":5,"to":6}"#);
    assert!(shown(&mut client).is_empty(), "one of them may be the user's own");
    client.command(Command::LeaveRoom(Some("lobby".into()))).expect("taken");
    client.receive(r#"{"type":"left","room":"lobby","names":["alice"],"count":1,"ref":"glassline-move"}"#);
    assert_eq!(shown(&mut client), ["gap 5-6"]);
    client.receive(&acknowledgement(&request, 5));
    assert_eq!(shown(&mut client), ["+5"]);
}

#[test]
fn numbers_that_restart_are_reported_and_followed_from_there() {
    let mut client = TestClient::event();
    client.receive(&message("lobby", 5));
    come_back(&mut client);
    client.take_updates();
    client.receive(&welcome(2));
    let notices = client.notices();
    assert_eq!(notices.matches("counts the messages of lobby anew").count(), 1, "{notices}");
    for seq in [3, 4, 5] {
        client.receive(&message("lobby", seq));
    }
    assert_eq!(shown(&mut client), ["3", "4", "5"]);
    assert_eq!(come_back(&mut client)["lobby"], 5);
    client.receive(&welcome(5));
    assert!(!client.notices().contains("anew"));
}

#[test]
fn a_room_begins_with_its_context_and_goes_on_from_there() {
    let mut client = TestClient::event();
    client.session.config.context_messages_max = 3;
    client.receive(&history("lobby", 1..=4, None));
    assert_eq!(shown(&mut client), ["earlier 2,3,4"], "as much as the screen has room for");
    client.command(Command::Older).expect("taken");
    let older = client.take_requests().remove(0);
    assert!(matches!(&older.content, Ask::History(range) if range.before == Some(2)), "{older:?}");
    client.command(Command::Join("den".into())).expect("taken");
    client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"seq":8,"ref":"glassline-move"}"#);
    client.receive(&history("den", 7..=8, None));
    client.receive(&message("den", 9));
    assert_eq!(shown(&mut client), ["earlier 7,8", "9"]);
    assert_eq!(come_back(&mut client)["den"], 9);
}

#[test]
fn a_room_silent_since_it_was_joined_is_resumed_too() {
    for (said, since) in [(r#","seq":8"#, Some(8)), (r#","seq":0"#, Some(0)), ("", None)] {
        for is_program in [false, true] {
            let mut client = if is_program { TestClient::event().for_program() } else { TestClient::event() };
            client.join("den", said);
            assert_eq!(come_back(&mut client).get("den").copied(), since, "{said}");
        }
    }
}

#[test]
fn a_room_joined_again_shows_missed_messages_as_news() {
    for (context, expected) in [
        (Some(history("den", 1..=5, None)), vec!["3", "4", "5", "6"]),
        (Some(history("den", 4..=5, None)), vec!["gap 3-3", "4", "5", "6"]),
        (None, vec!["gap 3-5", "6"]),
    ] {
        let mut client = TestClient::event();
        client.join("den", "");
        client.receive(&message("den", 1));
        client.receive(&message("den", 2));
        come_back(&mut client);
        client.receive(&welcome(4));
        assert!(
            client
                .take_requests()
                .iter()
                .any(|request| matches!(&request.content, Ask::Join(room) if room.room == "den"))
        );
        client.take_updates();
        client.receive(r#"{"type":"joined","room":"den","names":["alice"],"count":1,"seq":5}"#);
        if let Some(context) = context {
            client.receive(&context);
        }
        let asked =
            client.take_requests().into_iter().find(|request| request.reference.as_deref() == Some("glassline-newest"));
        assert!(
            matches!(&asked, Some(Request { content: Ask::History(range), .. }) if range.room == "den"),
            "{asked:?}"
        );
        client.receive(&history("den", 5..=5, Some("glassline-newest")));
        let lines = shown(&mut client);
        assert_eq!(lines, expected[..expected.len() - 1], "before anything else is said");
        client.receive(&message("den", 6));
        assert_eq!(shown(&mut client), ["6"]);
    }
}

#[test]
fn a_page_is_asked_for_and_the_next_ones_begin_where_it_began() {
    let mut client = TestClient::event();
    let ask = |client: &mut TestClient, command: Command| {
        client.command(command).expect("taken");
        let request = client.take_requests().remove(0);
        (request.reference.expect("a ref"), request.content)
    };
    let (reference, first) = ask(&mut client, Command::History(HistorySelection::Latest(3)));
    assert!(matches!(first, Ask::History(range) if range.limit == Some(3) && range.before.is_none()));
    client.take_updates();
    assert!(!client.session.takes_commands(), "what a pipe asks next may go on from the answer");
    client.receive(&history("lobby", 2..=4, Some(&reference)));
    assert!(client.session.takes_commands());
    let updates = client.take_updates();
    assert!(
        matches!(&updates[..], [Update::HistoryPage { asked: HistoryQuery::Latest, history, newest: Some(_), .. }] if history.messages.len() == 3)
    );
    let (_, older) = ask(&mut client, Command::Older);
    assert!(matches!(older, Ask::History(range) if range.limit == Some(3) && range.before == Some(2)));
    let (reference, around) = ask(&mut client, Command::History(HistorySelection::Around(3)));
    assert!(matches!(around, Ask::History(range) if range.around == Some(3) && range.limit == Some(20)));
    client.receive(&format!(r#"{{"type":"error","code":"busy","text":"later","ref":"{reference}"}}"#));
    assert!(matches!(client.take_updates()[..], [Update::Rejected { text: None, .. }]));
    let (reference, search) = ask(&mut client, Command::Search("tea".into()));
    assert!(matches!(search, Ask::Search(search) if search.query == "tea" && search.before.is_none()));
    client.receive(&history("lobby", 4..=4, Some(&reference)));
    let (_, older) = ask(&mut client, Command::Older);
    assert!(matches!(older, Ask::Search(search) if search.query == "tea" && search.before == Some(4)));
    // Requests to a server that answers nothing are bounded; a new link begins anew.
    let asked = (0..100).filter(|_| client.command(Command::Older).is_ok()).count();
    assert!(asked < 10 && client.command(Command::Older) == Err(CommandError::AnswerPending), "{asked}");
    client.pass_ms(5_000);
    assert!(client.session.takes_commands());
    come_back(&mut client);
    client.receive(&welcome(4));
    client.command(Command::Older).expect("taken");
}

#[test]
fn what_could_not_be_stored_is_given_back() {
    let mut client = TestClient::event();
    client.say("too much");
    let reference = client.take_requests().remove(0).reference.expect("a ref");
    client.take_updates();
    client.receive(&format!(r#"{{"type":"error","code":"not_stored","text":"the disk is full","ref":"{reference}"}}"#));
    assert!(matches!(&client.take_updates()[..], [Update::Rejected { text: Some(text), .. }] if text == "too much"));
    assert_eq!(client.session.status(0).unsent, 0);
}

#[test]
fn a_program_knows_its_own_by_the_ref_also_among_what_it_missed() {
    let mut client = TestClient::event().for_program();
    let id = "00000000000000000000000000000001";
    client.ask(&format!(r#"{{"type":"send","room":"lobby","text":"x","id":"{id}","ref":"r"}}"#)).expect("taken");
    come_back(&mut client);
    // The name was taken meanwhile, so the messages under it come from a client of another name.
    client.receive(&welcome(5).replace("alice", "alice-2"));
    client.take_updates();
    let stored = format!(r#"{{"type":"message","room":"lobby","seq":5,"from":"alice","text":"x","id":"{id}"}}"#);
    client.receive(&stored);
    client.receive(&stored.replace("\"}", "\",\"ref\":\"r\"}"));
    assert_eq!(client.take_json(), [stored.replace("\"}", "\",\"ref\":\"r\"}")]);
    let context = history("lobby", 1..=4, None);
    client.receive(&context);
    assert_eq!(client.take_json(), [context], "as it is");
}

/// A server with a history, whose words wait in a queue until the link carries them.
struct Server {
    /// Author, text and id of each message; the number is the place, from 1.
    log: Vec<(String, String, Option<MessageId>)>,
    /// Numbers up to this one are no longer stored.
    forgotten: usize,
    name: &'static str,
    down: alloc::collections::VecDeque<String>,
}

impl Server {
    fn event(&self, seq: usize, reference: Option<String>) -> String {
        let (from, text, id) = self.log[seq - 1].clone();
        let (room, seq) = ("lobby".to_owned(), Some(seq as u64));
        let message = Message { room, seq, at: None, from, text, action: false, id, sealed: None };
        String::from_utf8(Envelope::new(Event::Message(message), reference).to_json()).expect("UTF-8")
    }

    fn say(&mut self, from: &str, text: &str, id: Option<MessageId>, reference: Option<String>) {
        self.log.push((from.to_owned(), text.to_owned(), id));
        self.down.push_back(self.event(self.log.len(), reference));
    }

    fn take(&mut self, requests: Vec<Request>) {
        for Request { content: ask, reference } in requests {
            let Ask::Send(send) = ask else { continue };
            let known = self.log.iter().skip(self.forgotten).position(|(_, _, id)| *id == Some(send.id));
            match known {
                Some(at) => self.down.push_back(self.event(self.forgotten + at + 1, reference)),
                None => self.say(self.name, &send.text, Some(send.id), reference),
            }
        }
    }

    fn greet(&mut self, since: usize) {
        self.down.clear();
        let newest = self.log.len();
        self.down.push_back(welcome(newest as u64).replace("alice", self.name));
        if since < self.forgotten {
            self.down.push_back(format!(
                r#"{{"type":"gap","room":"lobby","from":{},"to":{}}}"#,
                since + 1,
                self.forgotten
            ));
        }
        for seq in since.max(self.forgotten)..newest {
            self.down.push_back(self.event(seq + 1, None));
        }
    }
}

proptest! {
    #[test]
    fn at_any_cut_each_message_is_shown_once_in_order_or_as_a_gap(
        steps in proptest::collection::vec(0_u8..20, 1..200),
        is_program in any::<bool>(),
    ) {
        let mut client = TestClient::new(DialectChoice::Event, None);
        client.connect();
        client.take_hello();
        client.receive(WELCOME);
        client = if is_program { client.for_program() } else { client };
        let earlier = || ("bob".to_owned(), "earlier".to_owned(), None);
        let mut server =
            Server { log: vec![earlier(); 4], forgotten: 0, name: "alice", down: alloc::collections::VecDeque::new() };
        let mut said = 0;
        // After the steps the link stays whole, so everything must come to rest.
        for step in steps.into_iter().chain([10; 800]) {
            match (step, client.session.status(0).link) {
                (0..=2, _) if client.connected => server.say("bob", "x", None, None),
                (0..=2, _) => server.log.push(("bob".to_owned(), "x".to_owned(), None)),
                (3..=5, _) => {
                    said += 1;
                    client.say(&format!("m{said}"));
                }
                // The link breaks, and with it what was on its way down; sometimes also what was on
                // its way up.
                (6 | 7, LinkState::Online | LinkState::Connecting) if client.connected => {
                    if step == 7 && client.session.status(0).link == LinkState::Online {
                        server.take(client.take_requests());
                    }
                    client.sent.clear();
                    client.close();
                    server.down.clear();
                }
                (8, LinkState::Waiting { .. }) => server.name = if server.name == "alice" { "alice-2" } else { "alice" },
                // Nothing is forgotten so soon that its sender is still in doubt about it, or that
                // it is on its way once more.
                (9, _) if client.session.status(0).unsent > 0 || !client.sent.is_empty() => {}
                (9, _) => server.forgotten = server.forgotten.max(server.log.len() * 2 / 3),
                (_, LinkState::Waiting { .. }) => client.wait_for_connect(),
                (_, LinkState::Connecting) if !client.connected => {
                    client.connect();
                    let since = client.take_hello().since.expect("since")["lobby"];
                    server.greet(usize::try_from(since).expect("small"));
                }
                (_, link) => {
                    if link == LinkState::Online && step % 2 == 0 {
                        server.take(client.take_requests());
                    }
                    if let Some(event) = server.down.pop_front() {
                        client.receive(&event);
                    }
                }
            }
        }
        prop_assert_eq!((client.session.status(0).unsent, server.down.len()), (0, 0));
        let mut last = 4;
        let mut accounted = vec![0; server.log.len() + 1];
        for Envelope { content: update, reference } in core::mem::take(&mut client.updates) {
            match update {
                Update::Received(Event::Message(message)) | Update::Sent { event: Event::Message(message), .. } => {
                    let seq = message.seq.expect("a number");
                    prop_assert!(seq > last, "{} behind {}", seq, last);
                    last = seq;
                    accounted[usize::try_from(seq).expect("small")] += 1;
                    let is_own = message.from != "bob";
                    prop_assert!(!is_program || is_own == reference.is_some(), "{:?}", message);
                }
                Update::Received(Event::Gap(gap)) => (gap.from..=gap.to)
                    .for_each(|seq| accounted[usize::try_from(seq).expect("small")] += 1),
                _ => {}
            }
        }
        for (seq, times) in accounted.iter().enumerate().skip(5) {
            prop_assert_eq!(*times, 1, "number {} of {}", seq, server.log.len());
        }
    }
}
