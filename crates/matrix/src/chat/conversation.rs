//! A member, a server, and the line between them as pieces that the attacker may change.

use std::cell::RefCell;
use std::rc::Rc;

use glassline_tap::{Direction, PerDirection};
use glassline_wire::layer::LayerStack;
use glassline_wire::message_id::MessageId;
use glassline_wire::opening::EVENT_OPENING;
use serde_json::{Value, json};

use super::{End, ROOM, Server};
use crate::seal::{Body, Posted, Received, Voice};

/// Turns of delivery after which two ends that go on answering each other are left alone.
const TURNS_MAX: usize = 200;
/// Microseconds between two pieces, for the report of times.
const PIECE_US: u64 = 10_000;

/// Piece of a stream as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) direction: Direction,
    pub(crate) at_us: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Change of one byte of a stream on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) direction: Direction,
    pub(crate) at: usize,
    pub(crate) mask: u8,
}

/// Member that connects.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) token: Option<String>,
    pub(crate) voice: Box<dyn Voice>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) client: End,
    pub(crate) server: End,
    member: Member,
    chat: Rc<RefCell<Server>>,
    has_sent_hello: bool,
    /// Name under which the server has let the connection in.
    logged_in: Option<String>,
    is_welcome: bool,
    received: Vec<Received>,
    recording: Vec<Passed>,
    offsets: PerDirection<usize>,
    change: Option<Change>,
    now_us: u64,
    /// Ids are counted from here, as random as those of a client.
    first_id: u128,
    said: u128,
}

impl Conversation {
    pub(crate) fn new(client: LayerStack, server: LayerStack, member: Member, chat: Rc<RefCell<Server>>) -> Self {
        let first_id = chat.borrow_mut().first_id();
        Self {
            client: End::client(client),
            server: End::server(server),
            member,
            chat,
            has_sent_hello: false,
            logged_in: None,
            is_welcome: false,
            received: Vec::new(),
            recording: Vec::new(),
            offsets: PerDirection::default(),
            change: None,
            now_us: 0,
            first_id,
            said: 0,
        }
    }

    /// Changes this byte when it passes.
    pub(crate) fn set_change(&mut self, change: Change) {
        self.change = Some(change);
    }

    /// Passes pieces in both directions, and lets both ends act, until nothing moves.
    pub(crate) fn pump(&mut self) {
        for _ in 0..TURNS_MAX {
            self.act();
            let (up, down) = (self.take(Direction::ToServer), self.take(Direction::ToClient));
            if up.is_empty() && down.is_empty() {
                return;
            }
            self.put(Direction::ToServer, &up);
            self.put(Direction::ToClient, &down);
        }
    }

    /// Lets both ends read what has arrived.
    pub(crate) fn act(&mut self) {
        if self.client.is_open() && !self.has_sent_hello {
            self.has_sent_hello = true;
            self.client.send(EVENT_OPENING);
            let mut hello = json!({"type": "hello", "name": self.member.name, "rooms": [ROOM]});
            if let Some(token) = &self.member.token {
                hello["token"] = json!(token);
            }
            self.client.send_json(&hello);
        }
        while let Some(request) = self.server.next_frame() {
            self.serve(&request);
        }
        while let Some(event) = self.client.next_frame() {
            self.receive(&event);
        }
    }

    /// Takes a piece that an end has written, as the attacker does, and records it.
    pub(crate) fn take(&mut self, direction: Direction) -> Vec<u8> {
        let end = match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        };
        let bytes = end.take_output();
        if !bytes.is_empty() {
            self.now_us += PIECE_US;
            self.recording.push(Passed { direction, at_us: self.now_us, bytes: bytes.clone() });
        }
        bytes
    }

    /// Gives bytes to the receiver of this direction.
    pub(crate) fn put(&mut self, direction: Direction, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let offset = &mut self.offsets[direction];
        let mut bytes = bytes.to_vec();
        if let Some(change) = self.change.filter(|change| change.direction == direction)
            && let Some(byte) = change.at.checked_sub(*offset).and_then(|at| bytes.get_mut(at))
        {
            *byte ^= change.mask;
        }
        *offset += bytes.len();
        match direction {
            Direction::ToServer => self.server.receive(&bytes),
            Direction::ToClient => self.client.receive(&bytes),
        }
    }

    /// The member says something; the pieces wait to be taken.
    pub(crate) fn member_says(&mut self, text: &str) {
        let id = self.next_id();
        let body = self.member.voice.say(&id, text);
        let mut request = json!({"type": "send", "room": ROOM, "id": id});
        if let Some(sealed) = body.sealed {
            request["sealed"] = json!(sealed);
        }
        request["text"] = json!(body.text);
        self.client.send_json(&request);
    }

    /// Another member says something, and the server passes it on to this connection.
    pub(crate) fn listener_says(&mut self, name: &str, text: &str) {
        let id = self.next_id();
        let posted = self.chat.borrow_mut().listener_says(name, &id, text);
        if let Some(posted) = posted.filter(|_| self.logged_in.is_some()) {
            self.server.send_json(&event_of(&posted));
        }
    }

    fn next_id(&mut self) -> String {
        self.said += 1;
        MessageId(self.first_id + self.said).to_string()
    }

    /// Announces the end of both sides, passes everything, and ends the line.
    pub(crate) fn close(&mut self) {
        self.client.close();
        self.server.close();
        self.pump();
        self.client.end_of_input();
        self.server.end_of_input();
        self.log_out();
    }

    /// The server notices that the connection is gone.
    pub(crate) fn log_out(&self) {
        if let Some(name) = &self.logged_in {
            self.chat.borrow_mut().log_out(name);
        }
    }

    fn serve(&mut self, request: &Value) {
        let text_of = |field: &str| request[field].as_str();
        match (text_of("type"), &self.logged_in) {
            (Some("hello"), None) => {
                let (name, peer) = (text_of("name").unwrap_or_default(), self.server.facts().peer);
                let account = self.chat.borrow_mut().log_in(name, text_of("token"), peer);
                match account {
                    Some(account) => {
                        self.logged_in = Some(name.to_owned());
                        let limits =
                            json!({"name_chars": 30, "name_bytes": 120, "text_bytes": 20_000, "event_bytes": 102_400});
                        let rooms = json!([{"room": ROOM, "seq": 0, "count": 2}]);
                        let welcome = json!({"type": "welcome", "name": name, "token": account.token,
                            "server": "lab/1", "limits": limits, "rooms": rooms});
                        self.server.send_json(&welcome);
                    }
                    None => self.server.send_json(&json!({"type": "error", "code": "name_taken", "text": "taken"})),
                }
            }
            (Some("send"), Some(name)) => {
                let body = Body {
                    text: text_of("text").unwrap_or_default().to_owned(),
                    sealed: text_of("sealed").map(str::to_owned),
                };
                let posted = self.chat.borrow_mut().post(name, text_of("id").unwrap_or_default(), body);
                self.server.send_json(&event_of(&posted));
            }
            _ => self.server.fail("a request is unknown or out of turn".to_owned()),
        }
    }

    fn receive(&mut self, event: &Value) {
        match event["type"].as_str() {
            Some("welcome") => {
                self.is_welcome = true;
                self.member.token = event["token"].as_str().map(str::to_owned);
            }
            Some("message") => {
                let Some(posted) = posted_of(event) else { return };
                if posted.from == self.member.name {
                    self.member.voice.echo(&posted);
                } else {
                    let received = self.member.voice.receive(&posted);
                    self.received.push(received);
                }
            }
            Some("error") => self.client.fail("the server refuses the login".to_owned()),
            _ => {}
        }
    }

    /// Everything that passed, as it was written.
    pub(crate) fn recording(&self) -> &[Passed] {
        &self.recording
    }

    /// Everything that the connected member heard.
    pub(crate) fn received(&self) -> &[Received] {
        &self.received
    }

    /// True when both ends have done everything up to the welcome.
    pub(crate) fn is_established(&self) -> bool {
        self.logged_in.is_some() && self.is_welcome && self.client.is_open() && self.server.is_open()
    }

    /// True when the server has let the member in, as the member knows.
    pub(crate) fn is_welcome(&self) -> bool {
        self.is_welcome
    }

    /// Name under which the server has let the connection in.
    pub(crate) fn logged_in(&self) -> Option<&str> {
        self.logged_in.as_deref()
    }

    /// The member's token, once it has one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.member.token.as_deref()
    }

    /// First error of either side.
    pub(crate) fn error(&self) -> Option<String> {
        let server = self.server.error().map(|error| format!("the server: {error}"));
        server.or_else(|| self.client.error().map(|error| format!("the client: {error}")))
    }
}

/// Returns the event that delivers a message.
fn event_of(posted: &Posted) -> Value {
    let mut event = json!({"type": "message", "room": posted.room, "seq": posted.number, "from": posted.from,
        "text": posted.body.text, "id": posted.id});
    if let Some(sealed) = &posted.body.sealed {
        event["sealed"] = json!(sealed);
    }
    event
}

fn posted_of(event: &Value) -> Option<Posted> {
    let text_of = |field: &str| event[field].as_str().map(str::to_owned);
    let body = Body { text: text_of("text")?, sealed: text_of("sealed") };
    Some(Posted {
        number: event["seq"].as_u64()?,
        room: text_of("room")?,
        id: text_of("id").unwrap_or_default(),
        from: text_of("from")?,
        body,
    })
}
