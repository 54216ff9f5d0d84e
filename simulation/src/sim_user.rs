//! A simulated user of the real client session: connects, sends, changes rooms; its oracle records
//! what it is shown.

use glassline_session::Entropy;
use glassline_session::{Command, Config, DialectChoice, HistorySelection, LinkState, Session, Status};

use crate::oracle::Oracle;
use crate::plan::Plan;
use glassline_testkit::Rng;

/// Rooms beside the lobby.
const ROOMS: [&str; 2] = ["den", "attic"];
const NAMES: [&str; 4] = ["ada", "ben", "cleo", "dan"];

pub(crate) struct SimUser {
    pub(crate) session: Session,
    pub(crate) oracle: Oracle,
    pub(crate) old_oracles: Vec<Oracle>,
    pub(crate) connection: Option<u64>,
    /// Time at which the connection attempt will succeed or fail.
    pub(crate) connects_at_ms: Option<u64>,
    /// Nothing was written on the connection yet.
    pub(crate) is_first_write: bool,
    pub(crate) acts_at_ms: u64,
    /// Time at which the program, which has ended, starts again.
    pub(crate) starts_at_ms: Option<u64>,
    pub(crate) has_sent_final_texts: bool,
    /// The current connection was welcomed after the phase with faults.
    pub(crate) is_welcomed_in_quiet: bool,
    name: &'static str,
    rng: Rng,
    texts: u64,
    started_ms: u64,
}

impl SimUser {
    pub(crate) fn new(index: usize, mut rng: Rng, now_ms: u64) -> Self {
        let name = NAMES[index % NAMES.len()];
        Self {
            session: start(name, &mut rng),
            oracle: Oracle::default(),
            old_oracles: Vec::new(),
            connection: None,
            connects_at_ms: None,
            is_first_write: true,
            acts_at_ms: now_ms + 500,
            starts_at_ms: None,
            has_sent_final_texts: false,
            is_welcomed_in_quiet: false,
            name,
            rng,
            texts: 0,
            started_ms: now_ms,
        }
    }

    /// Restarts the program, which keeps nothing.
    pub(crate) fn start_again(&mut self, now_ms: u64) {
        self.session = start(self.name, &mut self.rng);
        self.old_oracles.push(std::mem::take(&mut self.oracle));
        (self.connection, self.connects_at_ms, self.starts_at_ms) = (None, None, None);
        self.is_first_write = true;
        self.started_ms = now_ms;
    }

    /// The session's clock: it counts from the program's start.
    pub(crate) fn session_ms(&self, now_ms: u64) -> u64 {
        now_ms - self.started_ms
    }

    pub(crate) fn due_ms(&self) -> Option<u64> {
        if self.starts_at_ms.is_some() {
            return self.starts_at_ms;
        }
        let deadline = self.session.next_deadline_ms().map(|deadline_ms| deadline_ms + self.started_ms);
        [deadline, self.connects_at_ms, Some(self.acts_at_ms)].into_iter().flatten().min()
    }

    pub(crate) fn act(&mut self, plan: &Plan, now_ms: u64) {
        let status = self.session.status(self.session_ms(now_ms));
        let room = if status.rooms.is_empty() { None } else { Some(self.rng.index(status.rooms.len())) };
        let drawn = self.rng.between(0, 99);
        match room {
            Some(room) if drawn < 70 || !(plan.rooms || plan.renames || plan.reads_back) => {
                self.say_in(&status.rooms[room], plan, now_ms);
            }
            _ if plan.rooms && drawn < 85 => self.change_room(&status, now_ms),
            _ if plan.renames && drawn < 88 => {
                let name = format!("{}{}", self.name, self.rng.between(1, 3));
                self.command(Command::Rename(name), now_ms);
            }
            _ if plan.reads_back => {
                let asks = [
                    Command::History(HistorySelection::Latest(5)),
                    Command::History(HistorySelection::Around(3)),
                    Command::Older,
                    Command::Search("a".to_owned()),
                    Command::Members(None),
                ];
                let at = self.rng.index(asks.len());
                self.command(asks[at].clone(), now_ms);
            }
            _ => {}
        }
    }

    fn change_room(&mut self, status: &Status, now_ms: u64) {
        let room = self.rng.pick(&ROOMS).to_owned();
        if status.rooms.contains(&room) && self.rng.per_mille(600) {
            self.command(Command::LeaveRoom(Some(room)), now_ms);
        } else {
            self.command(Command::Join(room), now_ms);
        }
    }

    pub(crate) fn say_in(&mut self, room: &str, plan: &Plan, now_ms: u64) {
        self.texts += 1;
        let text = unique_text(self.name, self.texts, plan, &mut self.rng);
        let room = room.to_owned();
        if self.command(Command::SayIn { room, text: text.clone() }, now_ms) {
            self.oracle.said(&text);
        }
    }

    /// Sends a message to each room, once the link is up and earlier ones are acknowledged.
    pub(crate) fn send_final_texts(&mut self, plan: &Plan, now_ms: u64) {
        let status = self.session.status(self.session_ms(now_ms));
        if self.has_sent_final_texts || status.link != LinkState::Online || status.unsent > 0 {
            return;
        }
        self.has_sent_final_texts = true;
        for room in status.rooms {
            self.say_in(&room, plan, now_ms);
        }
    }

    /// Returns whether it is connected, and all its messages are through.
    pub(crate) fn is_settled(&self, now_ms: u64) -> bool {
        let status = self.session.status(self.session_ms(now_ms));
        self.has_sent_final_texts && status.link == LinkState::Online && status.unsent == 0
    }

    fn command(&mut self, command: Command, now_ms: u64) -> bool {
        let now_ms = self.session_ms(now_ms);
        self.session.command(command, now_ms).is_ok()
    }
}

/// Randomness of a session, which the seed decides.
struct SessionEntropy(Rng);

impl Entropy for SessionEntropy {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A text of this length at most that holds its author and number.
pub(crate) fn unique_text(name: &str, number: u64, plan: &Plan, rng: &mut Rng) -> String {
    let filler = rng.between(0, plan.text_bytes_max) as usize;
    format!("{name} says {number}{}", " and on".repeat(filler / 7))
}

fn start(name: &str, rng: &mut Rng) -> Session {
    let config = Config {
        address: "simulated".to_owned(),
        name: name.to_owned(),
        dialect: DialectChoice::Event,
        gives_up_after_ms: None,
        follows_people: rng.per_mille(300),
        context_messages_max: usize::MAX,
    };
    Session::new(config, Box::new(SessionEntropy(rng.fork())), 0)
}
