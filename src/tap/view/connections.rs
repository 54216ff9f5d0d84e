//! The connections that the view knows: who, since when, how and by whom closed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use glassline_tap::{Dialect, Direction, End, Frame, Observation, PerDirection};

use crate::tap::columns::{Clock, end_text, safe};

/// Connections that are kept; beyond, the oldest that are closed go first.
const CONNECTIONS_MAX: usize = 20_000;

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connection {
    client: SocketAddr,
    opened_us: u64,
    closed_us: Option<u64>,
    /// The end that came first: direction, how, and whether the tap made it.
    first_end: Option<(Direction, End, bool)>,
    dialect: Dialect,
    name: Option<String>,
    frames: u64,
    bytes: u64,
    /// Number and time of the last two frames of each direction, the later one first.
    last: PerDirection<[(u64, u64); 2]>,
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Connections {
    known: BTreeMap<u64, Connection>,
    open: usize,
}

impl Connections {
    /// Takes an observation in.
    pub(super) fn observe(&mut self, observation: &Observation) {
        match observation {
            Observation::Opened { connection, at_us, client } => self.open(*connection, *at_us, *client),
            Observation::Arrived(frame, meaning) => {
                let Some(connection) = self.known.get_mut(&frame.connection) else { return };
                connection.dialect = frame.dialect;
                connection.frames += 1;
                connection.bytes += frame.bytes.len() as u64;
                let [latest, before] = &mut connection.last[frame.direction];
                if latest.0 != frame.number {
                    *before = *latest;
                }
                *latest = (frame.number, frame.at_us);
                if frame.direction == Direction::ToServer && connection.name != meaning.speaker {
                    connection.name = meaning.speaker.clone().or(connection.name.take());
                }
            }
            Observation::Ended { connection, direction, end, by_tap, .. } => {
                let Some(connection) = self.known.get_mut(connection) else { return };
                connection.first_end.get_or_insert((*direction, *end, *by_tap));
            }
            Observation::Closed { connection, at_us } => {
                let Some(connection) = self.known.get_mut(connection) else { return };
                if connection.closed_us.replace(*at_us).is_none() {
                    self.open -= 1;
                }
            }
            Observation::Intercepted { .. }
            | Observation::Asked(_)
            | Observation::Applied(_)
            | Observation::Problem { .. }
            | Observation::Omitted { .. } => {}
        }
    }

    fn open(&mut self, number: u64, at_us: u64, client: SocketAddr) {
        if self.known.len() >= CONNECTIONS_MAX {
            let closed = self.known.iter().find(|(_, known)| known.closed_us.is_some()).map(|(number, _)| *number);
            if let Some(goes) = closed.or_else(|| self.known.keys().next().copied())
                && let Some(gone) = self.known.remove(&goes)
                && gone.closed_us.is_none()
            {
                self.open -= 1;
            }
        }
        let connection = Connection {
            client,
            opened_us: at_us,
            closed_us: None,
            first_end: None,
            dialect: Dialect::Unknown,
            name: None,
            frames: 0,
            bytes: 0,
            last: PerDirection::default(),
        };
        self.open += 1;
        self.known.insert(number, connection);
    }

    /// Returns when this connection opened, in microseconds since 1970, if it is known.
    pub(super) fn opened_us(&self, number: u64) -> Option<u64> {
        self.known.get(&number).map(|connection| connection.opened_us)
    }

    /// Returns whether this connection is known to be closed.
    pub(super) fn is_closed(&self, number: u64) -> bool {
        self.known.get(&number).is_some_and(|connection| connection.closed_us.is_some())
    }

    /// Returns how many are open.
    pub(super) fn open_count(&self) -> usize {
        self.open
    }

    /// Returns when bytes before this frame last went in its direction, in microseconds; as far as
    /// it is known.
    pub(super) fn heard_before(&self, frame: &Frame) -> Option<u64> {
        let connection = self.known.get(&frame.connection)?;
        let last = &connection.last[frame.direction];
        let before = last.iter().find(|(number, _)| *number > 0 && *number < frame.number);
        before.map(|(_, at_us)| *at_us)
    }

    /// Returns the newest, open ones first, with their numbers.
    pub(super) fn newest(&self, count: usize) -> Vec<(u64, &Connection)> {
        let of = |is_open: bool| {
            let all = self.known.iter().rev().map(|(number, connection)| (*number, connection));
            all.filter(move |(_, connection)| connection.closed_us.is_none() == is_open)
        };
        of(true).chain(of(false)).take(count).collect()
    }
}

impl Connection {
    /// Returns it as one line that is safe to show.
    pub(super) fn line(&self, number: u64, clock: &Clock) -> String {
        let name = safe(self.name.as_deref().unwrap_or("-"));
        let opened = clock.time(self.opened_us);
        let state = match (self.closed_us, self.first_end) {
            (None, None) => "open".to_owned(),
            (None, Some((direction, end, by_tap))) => format!("half closed: {}", end_text(direction, end, by_tap)),
            (Some(at_us), None) => format!("closed {}", clock.time(at_us)),
            (Some(at_us), Some((direction, end, by_tap))) => {
                format!("closed {}: {}", clock.time(at_us), end_text(direction, end, by_tap))
            }
        };
        let Self { client, frames, bytes, .. } = self;
        format!("{number:>3} {client}  {name}  since {opened}  {state}  {frames} frames, {bytes} bytes")
    }

    /// Returns whether it is open in both directions.
    pub(super) fn is_open(&self) -> bool {
        self.closed_us.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::generator::Generator;

    fn opened(connection: u64) -> Observation {
        Observation::Opened { connection, at_us: connection, client: SocketAddr::from(([127, 0, 0, 1], 5)) }
    }

    #[test]
    fn a_connection_says_who_closed_it_first_and_how() {
        let mut generator = Generator::new(1);
        let mut connections = Connections::default();
        connections.observe(&generator.opened());
        connections.observe(&generator.sent("hi"));
        let line = |connections: &Connections| connections.newest(1)[0].1.line(1, &Clock::system());
        assert!(line(&connections).contains("127.0.0.1:50000  alice  since"), "{}", line(&connections));
        assert!(line(&connections).ends_with("open  1 frames, 62 bytes"), "{}", line(&connections));
        for (direction, end) in [(Direction::ToClient, End::Reset), (Direction::ToServer, End::Finished)] {
            connections.observe(&Observation::Ended { connection: 1, at_us: 5, direction, end, by_tap: false });
        }
        assert!(line(&connections).contains("half closed: server reset"), "{}", line(&connections));
        connections.observe(&Observation::Closed { connection: 1, at_us: 6 });
        assert!(line(&connections).contains("server reset the connection (RST)"), "{}", line(&connections));
        assert_eq!(connections.open_count(), 0);
    }

    #[test]
    fn closed_connections_go_before_open_ones() {
        let mut connections = Connections::default();
        for number in 1..=CONNECTIONS_MAX as u64 {
            connections.observe(&opened(number));
        }
        connections.observe(&Observation::Closed { connection: 7, at_us: 0 });
        connections.observe(&opened(CONNECTIONS_MAX as u64 + 1));
        assert_eq!((connections.known.len(), connections.open_count()), (CONNECTIONS_MAX, CONNECTIONS_MAX));
        assert!(connections.known.contains_key(&1) && !connections.known.contains_key(&7));
        assert_eq!(connections.newest(1)[0].0, CONNECTIONS_MAX as u64 + 1);
    }
}
