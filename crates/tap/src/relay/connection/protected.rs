//! Connections whose secure link ends at the tap: which one it is, and what passes its layers.

use std::sync::Arc;

use glassline_wire::layer::LayerError;
use glassline_wire::opening::{Sniffed, sniff};

use super::{Connection, Turn, departure};
use crate::frame::Direction;
use crate::line::End;
use crate::observation::Observation;
use crate::recording::Side;
use crate::relay::interceptor::Interceptor;
use crate::relay::pipe::Input;

/// Bytes of the reads that find the opening; together with those before they fit the buffer.
pub(super) const OPENING_READ_BYTES: usize = 4 * 1024;

/// Opening of a client of which nothing is known yet. The bytes are passed on once it is decided.
pub(super) struct Sniffing {
    interceptor: Arc<Interceptor>,
    /// Fewer than the longest opening has.
    first_bytes: Vec<u8>,
}

impl Sniffing {
    pub(super) fn new(interceptor: Arc<Interceptor>) -> Self {
        Self { interceptor, first_bytes: Vec::new() }
    }
}

impl Connection {
    /// Looks at the first bytes of the client, which are in the turn's buffer.
    pub(super) fn sniff(&mut self, length: usize, turn: &mut Turn<'_>) {
        let Some(sniffing) = &mut self.sniffing else { return };
        sniffing.first_bytes.extend_from_slice(&turn.buffer[..length]);
        let intercepted = match sniff(&sniffing.first_bytes) {
            Sniffed::NeedsMore => return,
            Sniffed::Is(opening) => sniffing.interceptor.intercept(opening),
            Sniffed::Unknown => None,
        };
        if let Some(intercepted) = intercepted {
            let (connection, at_us, link) = (self.number, turn.now_us, intercepted.link);
            turn.sinks.observe(Observation::Intercepted { connection, at_us, link });
            self.client.protect(intercepted.client);
            self.server.protect(intercepted.server);
        }
        self.pass_opening(turn);
    }

    /// Passes on what was kept until the opening was known.
    pub(super) fn pass_opening(&mut self, turn: &mut Turn<'_>) {
        let Some(sniffing) = self.sniffing.take() else { return };
        let first_bytes = sniffing.first_bytes;
        turn.buffer[..first_bytes.len()].copy_from_slice(&first_bytes);
        if !first_bytes.is_empty() {
            self.received(Direction::ToServer, first_bytes.len(), turn);
        }
    }

    /// Returns whether the tap has taken part in a secure link.
    pub(super) fn is_protected(&self) -> bool {
        self.client.is_protected()
    }

    /// Takes bytes of the turn's buffer that arrived on a secure link. Its secrets are known before
    /// they are recorded.
    pub(super) fn received_protected(&mut self, direction: Direction, length: usize, turn: &mut Turn<'_>) {
        turn.plaintext.clear();
        let (source, _, _) = self.parts(direction);
        let opened = source.open(&turn.buffer[..length], turn.plaintext);
        let arrival = (Side::of_arrival(direction), direction);
        turn.sinks.data(self.number, arrival, &turn.buffer[..length], turn.now_us, None);
        if let Some(line) = &mut self.line {
            line.receive(direction, turn.plaintext, turn.now_us);
            self.forward_outputs(turn);
        } else {
            let (_, sink, pipe) = self.parts(direction);
            pipe.send(sink, turn.plaintext, None);
        }
        if let Err(error) = opened {
            self.fail_link(direction, &error, turn);
        }
        self.flush_links(turn);
    }

    /// Ends both directions: the link with the sender of this one has failed. What it sent before
    /// passes; nothing reaches it any more but what its layers have put out.
    fn fail_link(&mut self, direction: Direction, error: &LayerError, turn: &mut Turn<'_>) {
        let sender = match direction {
            Direction::ToServer => "client",
            Direction::ToClient => "server",
        };
        let text = format!("the secure link between the tap and the {sender} has failed: {error}");
        turn.sinks.problem(Some(self.number), turn.now_us, text);
        self.pipes[direction.opposite()].discard_waiting();
        for direction in Direction::BOTH {
            self.cut_off(direction, turn);
        }
    }

    /// Says that a client has left without a reason before its link was established.
    pub(super) fn note_unestablished(&mut self, direction: Direction, turn: &mut Turn<'_>) {
        if direction == Direction::ToServer
            && self.client.is_handshaking()
            && self.pipes[Direction::ToClient].input() == Input::Open
        {
            let text = "the client left before its secure link was established; a client that knows the server's key \
                        refuses that of the tap";
            turn.sinks.problem(Some(self.number), turn.now_us, text.into());
        }
    }

    /// Ends a direction without an announcement, behind what is held.
    fn cut_off(&mut self, direction: Direction, turn: &mut Turn<'_>) {
        let (connection, at_us, end) = (self.number, turn.now_us, End::Truncated);
        let pipe = &mut self.pipes[direction];
        if pipe.input() == Input::Open {
            pipe.end_input(end);
            turn.sinks.observe(Observation::Ended { connection, at_us, direction, end, by_tap: true });
        }
        match &mut self.line {
            Some(line) => line.end(direction, end, at_us),
            None => self.pipes[direction].end_output(end),
        }
    }

    /// Writes the output of the layers, as far as the sockets take it.
    pub(super) fn flush_links(&mut self, turn: &mut Turn<'_>) {
        for direction in Direction::BOTH {
            self.flush_link(direction, turn);
        }
    }

    /// Writes the output of the layers at the receiver of this direction. Returns whether nothing of
    /// it is left.
    pub(super) fn flush_link(&mut self, direction: Direction, turn: &mut Turn<'_>) -> bool {
        let (connection, departure) = (self.number, (departure(direction), direction));
        let (_, sink, _) = self.parts(direction);
        sink.flush(|bytes, comment| turn.sinks.data(connection, departure, bytes, turn.now_us, comment))
    }

    /// Encrypts and writes what waits, until the sockets take no more. Returns whether there was any:
    /// the layers take less at once than may wait, and no event says that they have room again.
    pub(super) fn write_waiting_protected(&mut self, turn: &mut Turn<'_>) -> bool {
        let mut has_moved_any = false;
        loop {
            self.flush_links(turn);
            let mut has_moved = false;
            for direction in Direction::BOTH {
                let (_, sink, pipe) = self.parts(direction);
                let mut comments = Vec::new();
                pipe.write_waiting(sink, |bytes, comment| {
                    has_moved |= !bytes.is_empty();
                    comments.extend(comment.map(str::to_owned));
                });
                for comment in comments {
                    sink.note_comment(&comment);
                }
            }
            if !has_moved {
                return has_moved_any;
            }
            has_moved_any = true;
        }
    }
}
