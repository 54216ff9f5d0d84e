//! One connection: client, server, and what passes between them.

mod ends;
mod protected;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Registry, Token};
use socket2::Socket;

use crate::frame::{Direction, FrameId};
use crate::hook::Hooks;
use crate::line::{Ask, DIRECTION_BYTES_MAX, Decider, Decision, End, Line, LineOutput};
use crate::observation::Observation;
use crate::per_direction::PerDirection;
use crate::recording::{Addresses, Side};
use crate::relay::interceptor::Interceptor;
use crate::relay::observer::ObserveOutcome;
use crate::relay::peer::{Peer, ReadOutcome};
use crate::relay::pipe::{Input, Pipe};
use crate::relay::sinks::Sinks;
use crate::rules::RuleSet;
use protected::{OPENING_READ_BYTES, Sniffing};

/// Reads of one direction before other connections have their turn. Where frames are looked for,
/// one read may hold thousands.
const READS_PER_TURN: usize = 4;
const READS_PER_TURN_OF_FRAMES: usize = 1;
/// Outputs of the line before other connections have their turn: each may be a write of one byte.
const OUTPUTS_PER_TURN: usize = 1_024;
/// Wait for a server to accept the connection of a client that has ended its side.
const CONNECT_WAIT_US: u64 = 5_000_000;
/// Wait for a side to take the bytes that precede a reset.
const RESET_WAIT_US: u64 = 10_000_000;

/// Parts of the loop that a connection uses in its turn.
pub(crate) struct Turn<'a> {
    pub(crate) now_us: u64,
    /// Shared by all connections.
    pub(crate) buffer: &'a mut [u8],
    /// Plaintext of one read on a secure link; shared too.
    pub(crate) plaintext: &'a mut Vec<u8>,
    pub(crate) sinks: &'a mut Sinks,
    pub(crate) hooks: &'a mut Hooks,
    pub(crate) registry: &'a Registry,
}

/// Result of a turn: what the loop is to do with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Wait for an event, or for [`Connection::due_us`].
    Waiting,
    /// There is more to do at once.
    MoreToDo,
    /// It is over.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server has not answered yet, and is given up at this time: the client has left.
    Connecting { until_us: Option<u64> },
    /// Bytes pass.
    Open,
    /// Both sides are reset once what was written before has left, or at this time.
    Resetting { until_us: u64 },
    /// Nothing is left to do.
    Closed(End),
}

/// A client, and the way to the server opened for it.
pub(crate) struct Connection {
    number: u64,
    client_address: SocketAddr,
    target: SocketAddr,
    client: Peer,
    server: Peer,
    pipes: PerDirection<Pipe>,
    /// Finds frames and applies rules; absent where nobody asks for frames.
    line: Option<Box<Line>>,
    /// The client's first bytes have not told yet whether its link ends here.
    sniffing: Option<Box<Sniffing>>,
    /// The line has more outputs than one turn carries out; nothing is read before they are.
    has_outputs: bool,
    state: State,
    was_opened: bool,
    /// Time at which a reset is forwarded although what precedes it was not taken: the other side
    /// has read nothing for [`RESET_WAIT_US`].
    reset_due_us: Option<u64>,
}

/// Tokens of the two sides.
pub(crate) type Tokens = (Token, Token);

impl Connection {
    /// Connects an accepted client to the server.
    pub(crate) fn open(
        number: u64,
        (client, client_address): (TcpStream, SocketAddr),
        (server, target): (Socket, SocketAddr),
        (client_token, server_token): Tokens,
        (line, interceptor): (Option<Box<Line>>, Option<Arc<Interceptor>>),
        registry: &Registry,
    ) -> io::Result<Self> {
        let client = Peer::accepted(client, registry, client_token)?;
        let server = match Peer::connecting(server, target, registry, server_token) {
            Ok(server) => server,
            Err(error) => {
                client.reset();
                return Err(error);
            }
        };
        Ok(Self {
            number,
            client_address,
            target,
            client,
            server,
            pipes: PerDirection::new(Pipe::new(), Pipe::new()),
            line,
            sniffing: interceptor.map(|interceptor| Box::new(Sniffing::new(interceptor))),
            has_outputs: false,
            state: State::Connecting { until_us: None },
            was_opened: false,
            reset_due_us: None,
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Applies these rules from now on, if the frames of this connection are known.
    pub(crate) fn set_rules(&mut self, rules: &Arc<RuleSet>, now_us: u64) {
        if let Some(line) = &mut self.line {
            line.set_rules(Arc::clone(rules), now_us);
        }
    }

    /// Decides about a frame that waits.
    pub(crate) fn answer(&mut self, frame: FrameId, decision: Decision, now_us: u64) {
        if let Some(line) = &mut self.line {
            // It may have passed without an answer.
            let _ = line.answer(frame.direction, frame.number, decision, now_us);
        }
    }

    pub(crate) fn note_ready(&mut self, side: Side, event: &Event) {
        match side {
            Side::Client => self.client.note_ready(event),
            Side::Server => self.server.note_ready(event),
        }
    }

    /// Returns when to call [`Self::pass`] although no event came.
    pub(crate) fn due_us(&self) -> Option<u64> {
        match self.state {
            State::Resetting { until_us } => return Some(until_us),
            State::Connecting { until_us } => return until_us,
            State::Open | State::Closed(_) => {}
        }
        let line_due_us = self.line.as_ref().and_then(|line| line.due_us());
        [line_due_us, self.reset_due_us].into_iter().flatten().min()
    }

    /// Passes on what can be passed now.
    pub(crate) fn pass(&mut self, turn: &mut Turn<'_>) -> Progress {
        if let State::Connecting { until_us } = self.state {
            self.check_connected(until_us, turn);
        }
        let mut has_moved = false;
        if self.state == State::Open {
            self.write_waiting(turn);
            for direction in Direction::BOTH {
                self.read(direction, turn);
            }
            self.forward_outputs(turn);
            has_moved = self.is_protected() && self.write_waiting_protected(turn);
            self.note_resets(turn);
            self.end_outputs(turn);
        }
        if let State::Resetting { .. } = self.state {
            self.flush_before_reset(turn);
        }
        if let State::Resetting { until_us } = self.state
            && (turn.now_us >= until_us || self.is_drained())
        {
            self.state = State::Closed(End::Reset);
        }
        match self.state {
            State::Closed(_) => Progress::Closed,
            State::Open
                if has_moved
                    || self.has_outputs
                    || Direction::BOTH.into_iter().any(|direction| self.can_read(direction)) =>
            {
                Progress::MoreToDo
            }
            State::Connecting { .. } | State::Open | State::Resetting { .. } => Progress::Waiting,
        }
    }

    fn check_connected(&mut self, until_us: Option<u64>, turn: &mut Turn<'_>) {
        let has_answer = self.server.is_writable() || self.server.is_reset();
        match has_answer.then(|| self.server.is_connected()) {
            Some(Ok(true)) => return self.opened(turn),
            Some(Err(error)) => return self.give_up(unreachable_text(self.target, &error), turn),
            Some(Ok(false)) | None => {}
        }
        // A client that has only ended its side may still want an answer.
        if self.client.is_ended() {
            let until_us = until_us.unwrap_or(turn.now_us + CONNECT_WAIT_US);
            self.state = State::Connecting { until_us: Some(until_us) };
            if turn.now_us >= until_us || self.client.is_reset() {
                self.give_up(
                    format!("the client left before the server {} accepted the connection", self.target),
                    turn,
                );
            }
        }
    }

    /// Closes a connection whose server was not reached.
    fn give_up(&mut self, text: String, turn: &mut Turn<'_>) {
        turn.sinks.problem(Some(self.number), turn.now_us, text);
        self.state = State::Closed(End::Reset);
    }

    fn opened(&mut self, turn: &mut Turn<'_>) {
        self.state = State::Open;
        self.was_opened = true;
        self.client.keep_alive();
        self.server.keep_alive();
        // A side that is gone already has no address any more; then the one it has on this machine
        // is unknown, and the tap's own stands for it.
        let listen = self.client.local_address().unwrap_or(self.client_address);
        let local = self.server.local_address().unwrap_or(self.target);
        let addresses = Addresses { client: self.client_address, listen, local, server: self.target };
        turn.sinks.opened(self.number, &addresses, turn.now_us);
    }

    /// Returns whether a read may find something, and what it finds may be held.
    fn can_read(&self, direction: Direction) -> bool {
        let (source, sink) = match direction {
            Direction::ToServer => (&self.client, &self.server),
            Direction::ToClient => (&self.server, &self.client),
        };
        let (pipe, back) = (&self.pipes[direction], &self.pipes[direction.opposite()]);
        let held = self.line.as_ref().map_or(0, |line| line.held_bytes(direction));
        let is_open = pipe.input() == Input::Open && !sink.is_reset();
        // A rule may answer each frame with one to its sender, who may not read.
        let has_room = held < DIRECTION_BYTES_MAX && back.waiting_bytes() < DIRECTION_BYTES_MAX;
        is_open && source.is_readable() && pipe.is_empty() && has_room && !self.has_outputs
    }

    fn parts(&mut self, direction: Direction) -> (&mut Peer, &mut Peer, &mut Pipe) {
        let pipe = &mut self.pipes[direction];
        match direction {
            Direction::ToServer => (&mut self.client, &mut self.server, pipe),
            Direction::ToClient => (&mut self.server, &mut self.client, pipe),
        }
    }

    fn read(&mut self, direction: Direction, turn: &mut Turn<'_>) {
        let reads = if self.line.is_some() { READS_PER_TURN_OF_FRAMES } else { READS_PER_TURN };
        for _ in 0..reads {
            if !self.can_read(direction) {
                return;
            }
            let is_sniffed = self.sniffing.is_some() && direction == Direction::ToServer;
            let bytes_max = if is_sniffed { OPENING_READ_BYTES } else { turn.buffer.len() };
            let (source, _, _) = self.parts(direction);
            match source.read(&mut turn.buffer[..bytes_max]) {
                ReadOutcome::Nothing => return,
                ReadOutcome::Bytes(length) if is_sniffed => self.sniff(length, turn),
                ReadOutcome::Bytes(length) => self.received(direction, length, turn),
                ReadOutcome::Ended(end) => {
                    if is_sniffed {
                        self.pass_opening(turn);
                    }
                    self.end_input(direction, end, turn);
                    return;
                }
            }
        }
    }

    /// Takes the bytes of the turn's buffer.
    fn received(&mut self, direction: Direction, length: usize, turn: &mut Turn<'_>) {
        // As long as something passes, a reset that follows it waits.
        self.reset_due_us = None;
        if self.is_protected() {
            return self.received_protected(direction, length, turn);
        }
        let bytes = &turn.buffer[..length];
        if let Some(line) = &mut self.line {
            let arrival = (Side::of_arrival(direction), direction);
            turn.sinks.data(self.number, arrival, bytes, turn.now_us, None);
            line.receive(direction, bytes, turn.now_us);
            self.forward_outputs(turn);
        } else {
            let (_, sink, pipe) = self.parts(direction);
            let written = pipe.send(sink, bytes, None);
            turn.sinks.relayed(self.number, direction, bytes, written, turn.now_us);
        }
    }

    /// Passes the end of a sender on, behind what is held.
    fn end_input(&mut self, direction: Direction, end: End, turn: &mut Turn<'_>) {
        self.note_end(direction, end, turn);
        self.note_unestablished(direction, turn);
        match &mut self.line {
            Some(line) => line.end(direction, end, turn.now_us),
            None => self.parts(direction).2.end_output(end),
        }
    }

    /// Notes how a sender has ended.
    fn note_end(&mut self, direction: Direction, end: End, turn: &mut Turn<'_>) {
        let (connection, at_us) = (self.number, turn.now_us);
        let (_, _, pipe) = self.parts(direction);
        pipe.end_input(end);
        turn.sinks.observe(Observation::Ended { connection, at_us, direction, end, by_tap: false });
        turn.sinks.ended(connection, (Side::of_arrival(direction), direction), end, at_us);
    }

    /// Carries out what the line puts out, as far as one turn goes.
    fn forward_outputs(&mut self, turn: &mut Turn<'_>) {
        let (connection, at_us) = (self.number, turn.now_us);
        self.has_outputs = true;
        for _ in 0..OUTPUTS_PER_TURN {
            let Some(output) = self.next_output(at_us) else {
                self.has_outputs = false;
                return;
            };
            match output {
                LineOutput::Arrived(frame, meaning) => turn.sinks.observe(Observation::Arrived(frame, meaning)),
                LineOutput::Applied(applied) => turn.sinks.observe(Observation::Applied(applied)),
                LineOutput::Ask(ask) => self.ask(ask, turn),
                LineOutput::Forward { direction, bytes, comment } => {
                    self.forward(direction, &bytes, comment.as_deref(), turn);
                }
                LineOutput::End(direction, end) => {
                    let (_, _, pipe) = self.parts(direction);
                    if pipe.input() == Input::Open {
                        turn.sinks.observe(Observation::Ended { connection, at_us, direction, end, by_tap: true });
                    }
                    pipe.end_output(end);
                }
            }
        }
    }

    /// Returns the next output of the line, which makes no more of what arrives while much waits for
    /// a sink.
    fn next_output(&mut self, now_us: u64) -> Option<LineOutput> {
        let line = self.line.as_mut()?;
        for direction in Direction::BOTH {
            line.note_unsent(direction, self.pipes[direction].waiting_bytes());
        }
        line.next(now_us)
    }

    /// Forwards bytes by themselves, since they may be one slice of many, and records what the sink
    /// takes of them.
    fn forward(&mut self, direction: Direction, bytes: &[u8], comment: Option<&str>, turn: &mut Turn<'_>) {
        let connection = self.number;
        let (_, sink, pipe) = self.parts(direction);
        if bytes.is_empty() && !pipe.is_empty() {
            return pipe.wait(bytes, comment);
        }
        let written = pipe.send(sink, bytes, comment);
        if sink.is_protected() && !bytes.is_empty() {
            if let Some(comment) = comment.filter(|_| written > 0) {
                sink.note_comment(comment);
            }
            self.flush_link(direction, turn);
            return;
        }
        if written > 0 || bytes.is_empty() {
            let departure = (departure(direction), direction);
            turn.sinks.data(connection, departure, &bytes[..written], turn.now_us, comment);
        }
    }

    /// Writes what the sinks did not take before.
    fn write_waiting(&mut self, turn: &mut Turn<'_>) {
        if self.is_protected() {
            self.write_waiting_protected(turn);
            return;
        }
        let connection = self.number;
        for direction in Direction::BOTH {
            let (_, sink, pipe) = self.parts(direction);
            pipe.write_waiting(sink, |bytes, comment| {
                turn.sinks.data(connection, (departure(direction), direction), bytes, turn.now_us, comment);
            });
        }
    }

    /// Asks the decider of a frame.
    fn ask(&mut self, mut ask: Box<Ask>, turn: &mut Turn<'_>) {
        let (direction, number) = (ask.frame.direction, ask.frame.number);
        let Decider::Hook(command) = &ask.decider else {
            if turn.sinks.ask(ask) == ObserveOutcome::Omitted
                && let Some(line) = &mut self.line
            {
                line.pass_unasked(direction, number, turn.now_us);
            }
            return;
        };
        let command = command.clone();
        let consequences = turn.hooks.ask(&command, &mut ask, turn.now_us);
        if let Some(line) = &mut self.line {
            if consequences.is_unasked {
                line.pass_hook(direction, number, turn.now_us);
            } else {
                line.wait_until(direction, number, ask.deadline_us, turn.now_us);
            }
        }
        for (frame, decision) in consequences.decisions {
            self.answer(frame, decision, turn.now_us);
        }
        for problem in consequences.problems {
            turn.sinks.problem(None, turn.now_us, problem);
        }
    }
}

/// Returns the side on which bytes of this direction leave the tap.
fn departure(direction: Direction) -> Side {
    Side::of_arrival(direction.opposite())
}

fn unreachable_text(target: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens on {target}: start the server, or name its address with --to")
        }
        _ => format!("the server {target} cannot be reached: {error}; check the address given with --to"),
    }
}
