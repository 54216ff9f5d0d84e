//! Heads and bodies of HTTP on a connection, up to the WebSocket that they begin.

use super::http::{self, Body, Request, Response};
use super::{Carrier, Found, Splitter};
use crate::frame::{Dialect, Direction, FrameKind, RawReason};
use crate::websocket::WebSocketReader;

/// Requests that may wait for a response; a client that sends more is not followed.
const REQUESTS_MAX: usize = 64;
/// Body whose end is not looked for.
const ENDLESS: u64 = u64::MAX;

impl Splitter {
    /// Reads both directions as HTTP.
    pub(super) fn begin_http(&mut self) -> Dialect {
        for direction in Direction::BOTH {
            self.streams[direction].carrier = Carrier::Http { body_bytes: 0 };
        }
        Dialect::Http
    }

    /// Finds a head or a part of a body.
    pub(super) fn find_http(&mut self, direction: Direction, bytes: &[u8]) -> Found {
        if let Carrier::Http { body_bytes } = &mut self.streams[direction].carrier
            && *body_bytes > 0
        {
            let length = usize::try_from(*body_bytes).map_or(bytes.len(), |left| left.min(bytes.len()));
            if *body_bytes != ENDLESS {
                *body_bytes -= length as u64;
            }
            return Found::Whole(FrameKind::Raw(RawReason::Opaque), length);
        }
        let length = match direction {
            Direction::ToServer => match http::request(bytes) {
                http::Found::Incomplete => return Found::Incomplete,
                http::Found::Malformed => None,
                http::Found::Whole((request, body), length) => self.requested(request, body).then_some(length),
            },
            Direction::ToClient => match http::response(bytes) {
                http::Found::Incomplete => return Found::Incomplete,
                http::Found::Malformed => None,
                http::Found::Whole(response, length) => {
                    self.answered(response);
                    Some(length)
                }
            },
        };
        if let Some(length) = length {
            return Found::Whole(FrameKind::Http, length);
        }
        self.expect_body(direction, Body::Endless);
        Found::Whole(FrameKind::Raw(RawReason::Opaque), bytes.len())
    }

    /// Notes a request. Behind one that asks for a WebSocket nothing but its frames can come. Returns
    /// false if too many have no response.
    fn requested(&mut self, request: Request, body: Body) -> bool {
        if self.requests.len() >= REQUESTS_MAX {
            return false;
        }
        self.requests.push_back(request);
        if request == Request::Upgrade {
            // Another dialect follows.
            self.dialect = None;
            self.begin_websocket(Direction::ToServer);
        } else {
            self.expect_body(Direction::ToServer, body);
        }
        true
    }

    /// Notes a response. Where a server refuses a WebSocket, further requests may follow.
    fn answered(&mut self, response: Response) {
        if response.is_interim() {
            return;
        }
        let request = self.requests.pop_front().unwrap_or(Request::Other);
        if response.opens_websocket(request) {
            return self.begin_websocket(Direction::ToClient);
        }
        self.expect_body(Direction::ToClient, response.body(request));
        let is_unused = !self.streams[Direction::ToServer].has_begun && !self.is_within_message(Direction::ToServer);
        if request == Request::Upgrade && is_unused {
            self.dialect = Some(Dialect::Http);
            self.expect_body(Direction::ToServer, Body::Bytes(0));
        }
    }

    fn begin_websocket(&mut self, direction: Direction) {
        let stream = &mut self.streams[direction];
        stream.carrier = Carrier::WebSocket(Box::new(WebSocketReader::new(direction)));
        stream.has_begun = false;
    }

    fn expect_body(&mut self, direction: Direction, body: Body) {
        let body_bytes = match body {
            Body::Bytes(bytes) => bytes,
            Body::Endless => ENDLESS,
        };
        self.streams[direction].carrier = Carrier::Http { body_bytes };
    }
}
