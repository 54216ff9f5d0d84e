//! Connections of HTTP, which are not on their way to a name, and those of them that become a
//! WebSocket (W).

use tracing::debug;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;
use crate::protocol::{HttpTimeout, Protocol};
use crate::web::{Response, WebSocketLayer};

impl<S: Socket> Reactor<S> {
    /// Sets the deadline of the present request of a connection whose protocol has turned out to be
    /// HTTP, in place of that for a name.
    pub(super) fn note_http(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get(key) else { return };
        let Protocol::Http(session) = connection.protocol() else { return };
        let due_ms = session.due_ms();
        self.timers.cancel(key, Kind::Greeting);
        self.timers.set(key, Kind::Request, due_ms);
    }

    /// Ends a connection of HTTP whose time is over: without a request, or in the middle of one.
    pub(super) fn end_http_in_time(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get(key) else { return };
        let Protocol::Http(session) = connection.protocol() else { return };
        match session.time_out(connection.output_bytes(), self.now.monotonic_ms) {
            HttpTimeout::Continue { until_ms } => self.timers.set(key, Kind::Request, until_ms),
            HttpTimeout::End(step) => self.apply(key, step, &[]),
        }
    }

    /// Puts a WebSocket on a connection of HTTP, which waits for a name from now on.
    pub(super) fn start_websocket(&mut self, key: ConnectionKey, response: Vec<u8>, first_bytes: Vec<u8>) {
        let Some(peer) = self.connections.get(key).map(super::Connection::peer) else { return };
        if self.admission.has_members_max(peer.ip(), &self.config.limits) {
            let text = "too many connections come from your address; close some of them";
            let response = Response::rejection("503 Service Unavailable", text);
            self.refuse_or_drain(key, CloseReason::TooManyFromAddress, "", &response.to_bytes(false));
            return;
        }
        self.timers.cancel(key, Kind::Request);
        self.timers.set(key, Kind::Greeting, self.now.monotonic_ms + self.config.limits.greeting_timeout_ms);
        if let Some(connection) = self.connections.get_mut(key) {
            debug!(%peer, "WebSocket opened");
            connection.transport_mut().start_websocket(WebSocketLayer::new(response), first_bytes);
        }
    }
}
