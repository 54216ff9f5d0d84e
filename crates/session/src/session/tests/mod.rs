//! A session under virtual time, with the server's bytes fed by hand.

mod bytes;
mod event;
mod history;
mod loss;
mod people;
mod program;
mod rejoin;
mod sealed;
mod token_check;
mod tutorial;

use glassline_testkit::frame::{frame, payloads};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::request::{Ask, Request};

use super::{Config, Session};
use crate::prelude::*;
use crate::{Command, CommandError, DialectChoice, Ending, Entropy, Input, Output, Update};

/// Counts in large steps, so that ids differ and delays are spread.
struct Counting(u64);

impl Entropy for Counting {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0
    }
}

/// A session and all its outputs.
struct TestClient {
    session: Session,
    now_ms: u64,
    connects: usize,
    connected: bool,
    half_closed: bool,
    /// Bytes sent on the present connection and not examined yet.
    sent: Vec<u8>,
    updates: Vec<Envelope<Update>>,
    ending: Option<Ending>,
    /// The operating system takes what is sent.
    takes_writes: bool,
}

impl TestClient {
    fn new(dialect: DialectChoice, gives_up_after_ms: Option<u64>) -> Self {
        let config = Config {
            address: "here:1234".into(),
            name: "alice".into(),
            dialect,
            gives_up_after_ms,
            follows_people: false,
            context_messages_max: usize::MAX,
        };
        let mut client = Self {
            session: Session::new(config, Box::new(Counting(0)), 0),
            now_ms: 0,
            connects: 0,
            connected: false,
            half_closed: false,
            sent: Vec::new(),
            updates: Vec::new(),
            ending: None,
            takes_writes: true,
        };
        client.drain();
        client
    }

    /// Up in the event dialect.
    fn event() -> Self {
        let mut client = Self::new(DialectChoice::Auto, Some(60_000));
        client.connect();
        client.take_hello();
        client.receive(WELCOME);
        client
    }

    /// The same, driven by a program.
    fn for_program(mut self) -> Self {
        self.session = self.session.for_program();
        self.take_updates();
        self
    }

    /// Up in the tutorial dialect.
    fn tutorial() -> Self {
        let mut client = Self::new(DialectChoice::Tutorial, Some(60_000));
        client.connect();
        assert_eq!(client.take_frames(), [b"alice"]);
        client
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(self.ending.is_none(), "nothing comes after the end, but {output:?}");
            match output {
                Output::Connect => {
                    assert!(!self.connected, "one connection at a time");
                    self.connects += 1;
                    self.sent.clear();
                    self.half_closed = false;
                }
                Output::Send(bytes) => {
                    assert!(self.connected && !self.half_closed && !bytes.is_empty());
                    self.sent.extend(bytes);
                    if self.takes_writes {
                        self.session.handle(Input::Written, self.now_ms);
                    }
                }
                Output::HalfClose => self.half_closed = true,
                Output::Disconnect => self.connected = false,
                Output::Show(update) => self.updates.push(update),
                Output::Ended(ending) => self.ending = Some(ending),
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.session.handle(input, self.now_ms);
        self.drain();
    }

    fn connect(&mut self) {
        self.connected = true;
        self.handle(Input::Connected);
    }

    fn close(&mut self) {
        self.handle(Input::Closed("it closed the connection"));
    }

    /// Loses the link and gets another one.
    fn reconnect(&mut self) {
        self.close();
        self.wait_for_connect();
        self.connect();
    }

    fn command(&mut self, command: Command) -> Result<(), CommandError> {
        let done = self.session.command(command, self.now_ms);
        self.drain();
        done
    }

    /// Enters a room at the user's request; `fields` are further ones of the answer.
    fn join(&mut self, room: &str, fields: &str) {
        self.command(Command::Join(room.into())).expect("taken");
        self.receive(&format!(
            r#"{{"type":"joined","room":{room:?},"names":["alice"],"count":1{fields},"ref":"glassline-move"}}"#
        ));
    }

    fn say(&mut self, text: &str) {
        self.command(Command::Say(text.into())).expect("taken");
    }

    /// The server sends one frame.
    fn receive(&mut self, payload: &str) {
        self.receive_bytes(&frames(&[payload]));
    }

    fn receive_bytes(&mut self, bytes: &[u8]) {
        self.handle(Input::Bytes(bytes));
    }

    /// Lets time pass, deadline by deadline.
    fn pass_ms(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        let mut deadlines = 0;
        while let Some(deadline_ms) = self.session.next_deadline_ms()
            && deadline_ms <= end_ms
        {
            deadlines += 1;
            assert!(deadlines < 10_000, "a deadline that never passes: {deadline_ms} at {}", self.now_ms);
            self.now_ms = self.now_ms.max(deadline_ms);
            self.handle(Input::Tick);
        }
        self.now_ms = end_ms;
        self.handle(Input::Tick);
    }

    /// Lets time pass until the session tries to connect again.
    fn wait_for_connect(&mut self) {
        let before = self.connects;
        while self.connects == before {
            let deadline_ms = self.session.next_deadline_ms().expect("a try is due");
            self.now_ms = self.now_ms.max(deadline_ms);
            self.handle(Input::Tick);
        }
    }

    fn take_frames(&mut self) -> Vec<Vec<u8>> {
        payloads(&core::mem::take(&mut self.sent))
    }

    fn take_requests(&mut self) -> Vec<Request> {
        let payloads = self.take_frames();
        payloads.iter().map(|payload| Request::from_json(payload).expect("a request")).collect()
    }

    fn take_hello(&mut self) -> glassline_wire::request::Hello {
        assert!(self.sent.starts_with(EVENT_OPENING));
        self.sent.drain(..EVENT_OPENING.len());
        match self.take_requests().remove(0).content {
            Ask::Hello(hello) => hello,
            other => panic!("hello, not {other:?}"),
        }
    }

    fn take_updates(&mut self) -> Vec<Update> {
        core::mem::take(&mut self.updates).into_iter().map(|update| update.content).collect()
    }

    /// The texts of messages received and sent so far.
    fn take_texts(&mut self) -> Vec<String> {
        let shown = self.take_updates().into_iter();
        shown
            .filter_map(|update| match update {
                Update::Received(Event::Message(message)) => Some(message.text),
                Update::Sent { event: Event::Message(message), acknowledged } => {
                    Some(format!("{}{}", if acknowledged { "+" } else { "?" }, message.text))
                }
                _ => None,
            })
            .collect()
    }

    /// Takes the lines shown to a program, as JSON.
    fn take_json(&mut self) -> Vec<String> {
        let shown = core::mem::take(&mut self.updates).into_iter();
        let events = shown.filter_map(|Envelope { content: update, reference }| match update {
            Update::Received(event) | Update::Sent { event, .. } => Some(Envelope::new(event, reference)),
            Update::Rejected { rejection, .. } => Some(Envelope::new(Event::Error(rejection), reference)),
            Update::HistoryPage { .. } | Update::Notice(_) | Update::CurrentRoom(_) => None,
        });
        events.map(|event| String::from_utf8(event.to_json()).expect("UTF-8")).collect()
    }

    /// A request of a program.
    fn ask(&mut self, json: &str) -> Result<(), CommandError> {
        self.command(Command::Request(Request::from_json(json.as_bytes()).expect(json)))
    }

    fn notices(&mut self) -> String {
        let shown = self.take_updates().into_iter();
        shown.filter_map(|update| if let Update::Notice(text) = update { Some(text + "\n") } else { None }).collect()
    }
}

const WELCOME: &str = concat!(
    r#"{"type":"welcome","name":"alice","token":"secret","server":"test/1","#,
    r#""limits":{"name_chars":32,"name_bytes":64,"text_bytes":16384,"event_bytes":102400},"#,
    r#""rooms":[{"room":"lobby","seq":4,"count":3}]}"#
);

fn frames(payloads: &[&str]) -> Vec<u8> {
    payloads.iter().flat_map(frame).collect()
}

/// The server's `message` for a `send`.
fn acknowledgement(request: &Request, seq: u64) -> String {
    let Ask::Send(send) = &request.content else { panic!("a send, not {request:?}") };
    format!(
        r#"{{"type":"message","room":"lobby","seq":{seq},"from":"alice","text":"{}","id":"{}"}}"#,
        send.text, send.id
    )
}
