//! Ends of a connection: which side sees which end, and when.

use std::sync::Arc;

use super::{Connection, RESET_WAIT_US, State, Turn, departure};
use crate::frame::Direction;
use crate::line::End;
use crate::observation::Observation;
use crate::relay::peer::Peer;
use crate::relay::pipe::{Input, Output};

impl Connection {
    /// Handles resets that no read finds: of a side that has ended its direction before, or that
    /// is not read because the other side does not keep up.
    pub(super) fn note_resets(&mut self, turn: &mut Turn<'_>) {
        for direction in Direction::BOTH {
            let (source, _, pipe) = self.parts(direction);
            if !source.is_reset() {
                continue;
            }
            let input = pipe.input();
            let is_overdue = turn.now_us >= *self.reset_due_us.get_or_insert(turn.now_us + RESET_WAIT_US);
            if input == Input::Ended(End::Finished) || (input == Input::Open && is_overdue) {
                self.note_end(direction, End::Reset, turn);
            }
            let (_, sink, pipe) = self.parts(direction);
            if is_overdue {
                pipe.discard_waiting();
                sink.discard_output();
            }
            // The sink has seen the FIN, or nothing before the reset is waited for any more.
            if is_overdue || (pipe.input() == Input::Ended(End::Reset) && pipe.output() == Output::Ended) {
                pipe.end_output(End::Reset);
            }
        }
    }

    /// Shows the sinks their ends, once they have taken everything before.
    pub(super) fn end_outputs(&mut self, turn: &mut Turn<'_>) {
        for direction in Direction::BOTH {
            let (_, sink, pipe) = self.parts(direction);
            let Some(end) = pipe.due_end() else { continue };
            if end == End::Finished {
                sink.announce_end();
            }
            if !self.flush_link(direction, turn) && end != End::Reset {
                continue;
            }
            let (_, sink, pipe) = self.parts(direction);
            pipe.end();
            match end {
                End::Finished | End::Truncated => sink.finish(),
                End::Reset => self.begin_reset(turn),
            }
            turn.sinks.ended(self.number, (departure(direction), direction), end, turn.now_us);
        }
        let is_over = self.pipes.both().into_iter().all(|pipe| pipe.output() == Output::Ended);
        if is_over && self.state == State::Open {
            self.state = State::Closed(End::Finished);
        }
    }

    fn begin_reset(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::Open {
            self.state = State::Resetting { until_us: self.reset_due_us.unwrap_or(turn.now_us + RESET_WAIT_US) };
            for peer in [&mut self.client, &mut self.server] {
                peer.await_drained(turn.registry);
            }
        }
    }

    /// Writes what layers have put out before the reset, and then asks again when it has left.
    pub(super) fn flush_before_reset(&mut self, turn: &mut Turn<'_>) {
        for direction in Direction::BOTH {
            let (_, sink, _) = self.parts(direction);
            if sink.has_output() && self.flush_link(direction, turn) {
                let (_, sink, _) = self.parts(direction);
                sink.await_drained(turn.registry);
            }
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        let is_drained = |peer: &Peer| peer.is_reset() || (peer.is_writable() && !peer.has_output());
        is_drained(&self.client) && is_drained(&self.server)
    }

    /// Forwards what is held, and ends both sides: the tap is going away.
    pub(crate) fn stop(&mut self, turn: &mut Turn<'_>) {
        if self.state != State::Open {
            return;
        }
        // Whatever waits for its time or for a decision passes now.
        self.set_rules(&Arc::default(), turn.now_us);
        self.has_outputs = true;
        while self.has_outputs {
            self.forward_outputs(turn);
        }
        let (connection, at_us, end) = (self.number, turn.now_us, End::Finished);
        for direction in Direction::BOTH {
            let (_, sink, _) = self.parts(direction);
            sink.announce_end();
            self.flush_link(direction, turn);
            let (_, sink, pipe) = self.parts(direction);
            let (is_open, is_ended) = (pipe.input() == Input::Open, pipe.output() == Output::Ended);
            if is_ended {
                continue;
            }
            sink.finish();
            if is_open {
                turn.sinks.observe(Observation::Ended { connection, at_us, direction, end, by_tap: true });
            }
            turn.sinks.ended(connection, (departure(direction), direction), end, at_us);
        }
        self.state = State::Closed(End::Finished);
    }

    /// Closes both sockets.
    pub(crate) fn close(self, turn: &mut Turn<'_>) {
        let (connection, at_us) = (self.number, turn.now_us);
        let was_opened = self.was_opened;
        if self.state != State::Closed(End::Finished) {
            self.client.reset();
            self.server.reset();
        }
        if was_opened {
            turn.sinks.closed(connection, at_us);
        }
    }
}
