//! Connections of HTTP, which are neither members nor on their way to a name, and those of them that
//! become a WebSocket (W).

use std::net::IpAddr;

use glassline_hub::subnet;
use tracing::debug;

use crate::close_reason::CloseReason;
use crate::connection_key::ConnectionKey;
use crate::net::connection::HttpRank;
use crate::net::reactor::Reactor;
use crate::net::timers::Kind;
use crate::net::transport::Socket;
use crate::protocol::{HttpTimeout, Protocol};
use crate::web::{Response, WebSocketLayer};

impl<S: Socket> Reactor<S> {
    /// Counts a connection whose protocol has turned out to be HTTP apart from the others, and sets
    /// the deadline of its present request.
    pub(super) fn note_http(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get(key) else { return };
        let Protocol::Http(session) = connection.protocol() else { return };
        let (peer, due_ms) = (connection.peer(), session.due_ms());
        if self.admission.leave_for_http(peer, key, self.now.monotonic_ms) {
            self.timers.cancel(key, Kind::Greeting);
            self.make_room_for_http(peer.ip(), key);
        }
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
        // A connection whose first request this is has not been counted as HTTP yet.
        let is_counted = !self.admission.http().contains(subnet(peer.ip()), key);
        if !is_counted && !self.make_room(peer.ip()) {
            let text = "too many connections come from your address; close some of them";
            let response = Response::rejection("503 Service Unavailable", text);
            self.refuse_or_drain(key, CloseReason::TooManyFromAddress, "", &response.to_bytes(false));
            return;
        }
        self.admission.return_from_http(peer, key);
        self.timers.cancel(key, Kind::Request);
        self.timers.set(key, Kind::Greeting, self.now.monotonic_ms + self.config.limits.greeting_timeout_ms);
        if let Some(connection) = self.connections.get_mut(key) {
            debug!(%peer, "WebSocket opened");
            connection.transport_mut().start_websocket(WebSocketLayer::new(response), first_bytes);
        }
    }

    /// Closes connections of HTTP for a new one of `address`: of its subnet, where that has as many as
    /// it may, then of the subnet with the most.
    fn make_room_for_http(&mut self, address: IpAddr, newest: ConnectionKey) {
        while self.admission.has_too_many_http(address, &self.config.limits) {
            if !self.evict_http(subnet(address), newest) {
                break;
            }
        }
        while self.admission.http().len() > self.config.limits.http_max {
            let largest = self.admission.http().subnets().next();
            if !largest.is_some_and(|subnet| self.evict_http(subnet, newest)) {
                break;
            }
        }
    }

    /// Closes the connection of HTTP of a subnet that has the lowest rank, the oldest of equals. False
    /// where there is none but `newest`.
    fn evict_http(&mut self, subnet: IpAddr, newest: ConnectionKey) -> bool {
        let others = self.admission.http().of(subnet).filter(|key| *key != newest);
        let ranked = others.filter_map(|key| Some((self.connections.get(key)?.http_rank(), key)));
        let victim = ranked.min_by_key(|&(rank, key)| (rank, u32::MAX - self.connections.age(key)));
        if let Some((rank, key)) = victim {
            // An idle one has been served, or has left.
            let reason = if rank == HttpRank::Idle { CloseReason::HttpDone } else { CloseReason::CrowdedOut };
            self.close(key, reason);
        }
        victim.is_some()
    }
}
