//! One connection over a bad network: bytes are delayed, sliced, held up and throttled; ends notice a break when they do.

use std::collections::VecDeque;

use glassline_server::Pipe;

use glassline_testkit::Rng;

/// Bytes under way in one direction before the writer has to wait.
const WINDOW_BYTES: usize = 32 * 1024;
/// Bytes that wait at the server before the network holds the rest back.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;
/// Time until a reset arrives after a write to a dead connection.
const RESET_MS: u64 = 100;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConnectionEvent {
    Bytes(Vec<u8>),
    Written,
    Closed,
}

#[derive(Debug, Default)]
struct Direction {
    under_way: VecDeque<(u64, Vec<u8>)>,
    bytes: usize,
    next_pull_ms: u64,
    stalled_until_ms: u64,
    bytes_per_s: u64,
}

impl Direction {
    fn may_pull(&self, now_ms: u64) -> bool {
        self.pull_ms(true).is_some_and(|at_ms| at_ms <= now_ms)
    }

    fn put(&mut self, bytes: Vec<u8>, now_ms: u64, latency_ms: u64) {
        let earliest_ms = self.under_way.back().map_or(0, |(at_ms, _)| *at_ms);
        self.next_pull_ms = now_ms + bytes.len() as u64 * 1_000 / self.bytes_per_s;
        self.bytes += bytes.len();
        self.under_way.push_back(((now_ms + latency_ms).max(earliest_ms), bytes));
    }

    fn arrive(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        self.arrival_ms().filter(|at_ms| *at_ms <= now_ms)?;
        let (_, bytes) = self.under_way.pop_front()?;
        self.bytes -= bytes.len();
        Some(bytes)
    }

    fn arrival_ms(&self) -> Option<u64> {
        self.under_way.front().map(|(at_ms, _)| (*at_ms).max(self.stalled_until_ms))
    }

    fn pull_ms(&self, has_more: bool) -> Option<u64> {
        (has_more && self.bytes < WINDOW_BYTES).then(|| self.next_pull_ms.max(self.stalled_until_ms))
    }
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what became of each end, each bit of it on its own")]
pub(crate) struct Connection {
    pub(crate) pipe: Pipe,
    pub(crate) owner: usize,
    up: Direction,
    down: Direction,
    outgoing: VecDeque<Vec<u8>>,
    latency_max_ms: u64,
    slice_bytes_max: u64,
    /// The client writes nothing more.
    client_ended: bool,
    /// The client is gone.
    client_gone: bool,
    server_gone: bool,
    /// No bytes pass.
    pub(crate) broken: bool,
    /// Its server has crashed: bytes sent to it are lost.
    pub(crate) is_orphaned: bool,
    client_notices_ms: Option<u64>,
    server_notices_ms: Option<u64>,
}

impl Connection {
    pub(crate) fn new(pipe: Pipe, owner: usize, latency_max_ms: u64, slice_bytes_max: u64) -> Self {
        let direction = || Direction { bytes_per_s: 1_000_000, ..Direction::default() };
        Self {
            pipe,
            owner,
            up: direction(),
            down: direction(),
            outgoing: VecDeque::new(),
            latency_max_ms,
            slice_bytes_max,
            client_ended: false,
            client_gone: false,
            server_gone: false,
            broken: false,
            is_orphaned: false,
            client_notices_ms: None,
            server_notices_ms: None,
        }
    }

    /// Returns whether both ends have gone, and nothing is left to happen.
    pub(crate) fn is_over(&self) -> bool {
        self.client_gone && self.server_gone
    }

    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        self.outgoing.push_back(bytes);
    }

    pub(crate) fn end(&mut self) {
        self.client_ended = true;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.client_ended
    }

    pub(crate) fn close(&mut self) {
        (self.client_ended, self.client_gone) = (true, true);
    }

    /// Nothing passes from now on; the ends notice when they do, or not before they look.
    pub(crate) fn sever(&mut self, client_notices_ms: Option<u64>, server_notices_ms: Option<u64>) {
        self.broken = true;
        (self.client_notices_ms, self.server_notices_ms) = (client_notices_ms, server_notices_ms);
    }

    /// Nothing passes for a while, one way or both.
    pub(crate) fn stall(&mut self, up: bool, down: bool, until_ms: u64) {
        for (stalls, direction) in [(up, &mut self.up), (down, &mut self.down)] {
            if stalls {
                direction.stalled_until_ms = until_ms;
            }
        }
    }

    /// So much passes towards the client from now on.
    pub(crate) fn throttle(&mut self, bytes_per_s: u64) {
        self.down.bytes_per_s = bytes_per_s;
    }

    /// The network is good from now on. What broke stays broken.
    pub(crate) fn heal(&mut self) {
        for direction in [&mut self.up, &mut self.down] {
            (direction.stalled_until_ms, direction.next_pull_ms, direction.bytes_per_s) = (0, 0, 10_000_000);
        }
        self.latency_max_ms = self.latency_max_ms.min(20);
        self.slice_bytes_max = self.slice_bytes_max.max(200);
    }

    pub(crate) fn due_ms(&self, now_ms: u64) -> Option<u64> {
        let notices = [self.client_notices_ms, self.server_notices_ms];
        if self.broken {
            return notices
                .into_iter()
                .flatten()
                .min()
                .or_else(|| self.has_undeliverable().then_some(now_ms + RESET_MS));
        }
        let up = if self.takes_more() { self.up.arrival_ms() } else { Some(now_ms + 5) };
        let has_end = (self.client_ended && !self.server_gone && self.up.under_way.is_empty())
            || (self.pipe.is_finished() && !self.client_gone && self.down.under_way.is_empty());
        let pulls = [
            self.up.pull_ms(!self.outgoing.is_empty()),
            self.down.pull_ms(self.pipe.untaken_bytes() > 0),
            self.down.arrival_ms(),
            up,
            has_end.then_some(now_ms + 1),
        ];
        pulls.into_iter().chain(notices).flatten().min()
    }

    /// Returns whether the server's side takes more: a closed one swallows it.
    fn takes_more(&self) -> bool {
        self.pipe.unread_bytes() < RECEIVE_BUFFER_BYTES || self.pipe.is_closed()
    }

    /// Handles a write to a dead connection, which will be reported.
    fn has_undeliverable(&self) -> bool {
        (!self.client_gone && !self.outgoing.is_empty()) || (!self.server_gone && self.pipe.untaken_bytes() > 0)
    }

    /// Does everything that is due. Returns the events of the client's side, in order.
    pub(crate) fn step(&mut self, now_ms: u64, is_fault_free: bool, rng: &mut Rng) -> Vec<ConnectionEvent> {
        let mut events = Vec::new();
        self.notice(now_ms, is_fault_free, &mut events);
        if self.broken {
            return events;
        }
        while self.up.may_pull(now_ms) && !self.outgoing.is_empty() {
            let latency_ms = rng.between(0, self.latency_max_ms);
            let most = rng.between(1, self.slice_bytes_max) as usize;
            if let Some(first) = self.outgoing.front_mut() {
                let rest = first.split_off(most.min(first.len()));
                let slice = std::mem::replace(first, rest);
                if first.is_empty() {
                    self.outgoing.pop_front();
                    events.push(ConnectionEvent::Written);
                }
                self.up.put(slice, now_ms, latency_ms);
            }
        }
        while self.down.may_pull(now_ms) && self.pipe.untaken_bytes() > 0 {
            let latency_ms = rng.between(0, self.latency_max_ms);
            let slice = self.pipe.take(rng.between(1, self.slice_bytes_max) as usize);
            self.down.put(slice, now_ms, latency_ms);
        }
        while self.takes_more()
            && let Some(bytes) = self.up.arrive(now_ms)
        {
            self.pipe.send(&bytes);
        }
        while let Some(bytes) = self.down.arrive(now_ms) {
            if self.client_gone {
                // It has no reader.
                self.receive_reset_at_server();
                return events;
            }
            events.push(ConnectionEvent::Bytes(bytes));
        }
        self.pass_ends(&mut events);
        events
    }

    fn pass_ends(&mut self, events: &mut Vec<ConnectionEvent>) {
        if self.client_ended && !self.server_gone && self.outgoing.is_empty() && self.up.under_way.is_empty() {
            self.server_gone = true;
            self.pipe.end();
        }
        let is_drained = self.pipe.untaken_bytes() == 0 && self.down.under_way.is_empty();
        if self.pipe.is_finished() && is_drained && !self.client_gone {
            self.client_gone = true;
            events.push(ConnectionEvent::Closed);
        }
        if self.pipe.is_closed() {
            self.server_gone = true;
        }
    }

    fn notice(&mut self, now_ms: u64, is_fault_free: bool, events: &mut Vec<ConnectionEvent>) {
        if self.broken && is_fault_free && self.has_undeliverable() {
            // On a working network, the writer learns that the peer is gone.
            if !self.client_gone && !self.outgoing.is_empty() {
                self.client_notices_ms.get_or_insert(now_ms);
            }
            if !self.server_gone && self.pipe.untaken_bytes() > 0 {
                self.server_notices_ms.get_or_insert(now_ms);
            }
        }
        if self.client_notices_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() && !self.client_gone {
            self.client_gone = true;
            events.push(ConnectionEvent::Closed);
        }
        if self.server_notices_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() {
            self.receive_reset_at_server();
        }
        if self.broken && self.pipe.is_closed() {
            self.server_gone = true;
        }
    }

    fn receive_reset_at_server(&mut self) {
        self.broken = true;
        self.server_gone = true;
        self.pipe.reset();
    }
}
