//! A client of the event dialect.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::frame;
use super::wire::{End, Wire};

/// An id that no other message has.
pub(crate) fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A `send` to the lobby.
pub(crate) fn send_request(text: &str) -> Value {
    json!({"type": "send", "room": "lobby", "text": text, "id": fresh_id()})
}

/// Arrivals and departures come at any time; a ping, when nothing was sent for long.
fn is_aside(event: &Value) -> bool {
    matches!(event["type"].as_str(), Some("joined" | "left" | "ping"))
}

pub(crate) struct EventClient {
    wire: Wire,
    inbox: VecDeque<Value>,
    barriers: usize,
}

impl EventClient {
    /// A connection that has sent nothing yet.
    pub(crate) fn over(wire: Wire) -> Self {
        Self { wire, inbox: VecDeque::new(), barriers: 0 }
    }

    /// A connection that has opened the dialect and sent no `hello` yet.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut client = Self::over(Wire::connect(address));
        client.send_bytes("GLASSLINE2");
        client
    }

    /// A member: the server has welcomed it.
    #[track_caller]
    pub(crate) fn join(address: SocketAddr, name: &str) -> Self {
        Self::join_over(Wire::connect(address), name)
    }

    #[track_caller]
    pub(crate) fn join_over(wire: Wire, name: &str) -> Self {
        let mut client = Self::over(wire);
        client.send_bytes("GLASSLINE2");
        client.send(&json!({"type": "hello", "name": name}));
        let welcome = client.expect("welcome");
        assert_eq!(welcome["name"], name);
        client
    }

    /// As [`EventClient::join`], with this `hello`; the `welcome` comes too.
    #[track_caller]
    pub(crate) fn greet(address: SocketAddr, hello: &Value) -> (Self, Value) {
        let mut client = Self::connect(address);
        client.send(hello);
        let welcome = client.expect("welcome");
        (client, welcome)
    }

    #[track_caller]
    pub(crate) fn send(&mut self, request: &Value) {
        self.wire.send(frame(request.to_string()));
    }

    /// Sends a frame whose payload need not be JSON.
    #[track_caller]
    pub(crate) fn send_payload(&mut self, payload: impl AsRef<[u8]>) {
        self.wire.send(frame(payload));
    }

    #[track_caller]
    pub(crate) fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.send(bytes);
    }

    #[track_caller]
    pub(crate) fn say(&mut self, text: &str) {
        self.send(&send_request(text));
    }

    #[track_caller]
    fn receive(&mut self) -> Result<Value, End> {
        let payload = self.wire.payload()?;
        Ok(serde_json::from_slice(&payload).expect("an event is JSON"))
    }

    #[track_caller]
    pub(crate) fn event(&mut self) -> Value {
        self.inbox.pop_front().unwrap_or_else(|| self.receive().expect("another event"))
    }

    /// The next event, which must be of type `kind`; arrivals, departures and pings are skipped
    /// unless `kind` names them.
    #[track_caller]
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event();
            if event["type"] == kind {
                return event;
            }
            assert!(is_aside(&event), "expected {kind}, got {event}");
            if event["type"] == "ping" {
                // The server may be gone, and a test that only listens is no dead member.
                let _ = self.wire.try_send(frame(r#"{"type":"pong"}"#));
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect_error(&mut self, code: &str) -> Value {
        let error = self.expect("error");
        assert_eq!(error["code"], code, "{error}");
        error
    }

    #[track_caller]
    pub(crate) fn expect_message(&mut self, from: &str, text: &str) -> Value {
        let message = self.expect("message");
        assert_eq!((&message["from"], &message["text"]), (&json!(from), &json!(text)));
        message
    }

    /// Waits until everything sent before is dealt with; returns all that came until then.
    #[track_caller]
    pub(crate) fn barrier(&mut self) -> Vec<Value> {
        self.barriers += 1;
        let reference = format!("barrier{}", self.barriers);
        self.send(&json!({"type": "ping", "ref": reference}));
        let mut before = Vec::new();
        loop {
            let event = self.event();
            if event["type"] == "pong" && event["ref"] == reference.as_str() {
                return before;
            }
            before.push(event);
        }
    }

    /// Everything until the server closes, which it must do in order.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) -> Vec<Value> {
        let mut rest = Vec::from(std::mem::take(&mut self.inbox));
        loop {
            match self.receive() {
                Ok(event) => rest.push(event),
                Err(end) => {
                    assert_eq!(end, End::Closed, "after {rest:?}");
                    return rest;
                }
            }
        }
    }

    pub(crate) fn into_wire(self) -> Wire {
        self.wire
    }
}
