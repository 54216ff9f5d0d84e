//! The session's side of a connection in the event dialect (E).

use std::collections::BTreeSet;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{AuditKind, Event, Limits, Presence, Rejection, Welcome};
use glassline_wire::frame::put_frame;
use glassline_wire::request::{Ask, AwayText, Request, RoomName};

use super::credible::{NAME_BYTES_MAX, is_credible};
use super::last_rename::LastRename;
use super::lifecycle::Silence;
use super::update::Update;
use super::{CAUSE_SHOWN_CHARS, FRAME_BYTES_MAX, Link, Phase, Role, Session, WINDOW_BYTES, brief, shortened};
use crate::ending::Ending;
use glassline_wire::event::ErrorCode;

/// With nothing heard for this long, the client asks for a sign of life.
const QUIET_MS: u64 = 30_000;
/// With nothing heard for this long, the link is lost.
const DEAD_MS: u64 = 75_000;

/// Shortest interval of requests for names where crowds come and go.
const COUNT_EVERY_MS: u64 = 30_000;

/// Longest text that any server is taken to take: a message of it must fit what may wait.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// `ref` of the session's own `ping`; its answer is nobody else's business.
const ALIVE_REF: &str = "glassline-alive";
/// `ref` of the session's own `members`, asked for the names and the count.
const WHO_REF: &str = "glassline-who";
/// `ref` of the session's own `away` after a reconnect.
const AWAY_AGAIN_REF: &str = "glassline-away";
/// `ref` of the session's own `bye`.
const BYE_REF: &str = "glassline-bye";

/// State of one connection.
#[derive(Debug)]
pub(super) struct EventLink {
    heard_ms: u64,
    pinged: bool,
    /// When names were last asked for because the server had told only how many.
    counted_ms: Option<u64>,
    /// Rooms of which they are to be asked for again.
    uncounted: BTreeSet<String>,
    /// The server's `ping` waits for its answer until there is room for it.
    owes_pong: bool,
}

impl EventLink {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { heard_ms: now_ms, pinged: false, counted_ms: None, uncounted: BTreeSet::new(), owes_pong: false }
    }

    fn heard(&mut self, now_ms: u64) {
        (self.heard_ms, self.pinged) = (now_ms, false);
    }

    /// When the names that crowds did not have are to be asked for, if any are.
    fn count_due_ms(&self) -> Option<u64> {
        let due_ms = self.counted_ms.map_or(0, |counted_ms| counted_ms + COUNT_EVERY_MS);
        (!self.uncounted.is_empty()).then_some(due_ms)
    }

    pub(super) fn next_deadline_ms(&self) -> u64 {
        let silence_ms = self.heard_ms + if self.pinged { DEAD_MS } else { QUIET_MS };
        self.count_due_ms().map_or(silence_ms, |due_ms| due_ms.min(silence_ms))
    }
}

/// Returns a server's limits within credible bounds: with a limit of its own making it could have
/// nothing sent, or everything kept.
fn sane(limits: Limits) -> Limits {
    Limits {
        text_bytes: limits.text_bytes.clamp(1, TEXT_BYTES_MAX),
        event_bytes: limits.event_bytes.clamp(1, FRAME_BYTES_MAX),
        ..limits
    }
}

impl Session {
    pub(super) fn say_bye(&mut self) {
        // With a `ref`, so that the answer can be told from a server that stops.
        let reference = self.bye_ref.clone().unwrap_or_else(|| BYE_REF.to_owned());
        self.put_request(&Request::new(Ask::Bye {}, Some(reference)));
    }

    pub(super) fn put_request(&mut self, request: &Request) {
        put_frame(&mut self.out, &request.to_json());
    }

    /// Answers the server's `ping` once there is room: one that asks and does not read is not owed an answer to each.
    pub(super) fn pay_pong(&mut self) {
        if self.out.len() < WINDOW_BYTES
            && let Some(Link::Event(link)) = &mut self.link
            && std::mem::take(&mut link.owes_pong)
        {
            self.put_request(&Request::from(Ask::Pong {}));
        }
    }

    /// Writes what waits in the outbox, as far as the window allows.
    pub(super) fn send_events(&mut self) {
        while self.out.len() < WINDOW_BYTES
            && let Some(request) = self.outbox.next_to_send(|room| self.roster.newest_named(room))
        {
            put_frame(&mut self.out, &request.to_json());
        }
    }

    /// Asks a silent server for a sign of life, and gives it up in the end.
    pub(super) fn keep_alive(&mut self, now_ms: u64) {
        let Some(Link::Event(link)) = &mut self.link else { return };
        let silent_ms = now_ms.saturating_sub(link.heard_ms);
        if silent_ms >= DEAD_MS {
            self.link_lost("not a word for 75 s", now_ms);
        } else if silent_ms >= QUIET_MS && !link.pinged {
            link.pinged = true;
            self.put_request(&Request::new(Ask::Ping {}, Some(ALIVE_REF.to_owned())));
        }
    }

    pub(super) fn heard_event(&mut self, payload: &[u8], now_ms: u64) {
        if let Some(Link::Event(link)) = &mut self.link {
            link.heard(now_ms);
        }
        let Envelope { content: event, reference } = match Envelope::<Event>::from_json(payload) {
            Ok(envelope) => envelope,
            Err(error) if matches!(self.phase, Phase::Greeting { .. }) => {
                self.no_welcome(&shortened(&error.to_string(), CAUSE_SHOWN_CHARS), Silence::No, now_ms);
                return;
            }
            Err(error) => {
                self.not_understood(&error.to_string());
                return;
            }
        };
        if !is_credible(&event) {
            self.not_credible(&event);
            return;
        }
        if matches!(self.phase, Phase::Greeting { .. }) {
            self.heard_in_greeting(event, now_ms);
        } else {
            if let Some(program) = &mut self.program {
                program.hears(&event, reference.as_deref());
            }
            self.heard_in_session(event, reference, now_ms);
        }
    }

    fn not_understood(&mut self, why: &str) {
        let why = shortened(why, CAUSE_SHOWN_CHARS);
        self.notice(format!("the server said something that this version does not understand: {why}"));
    }

    fn not_credible(&mut self, event: &Event) {
        match (self.phase, event) {
            (Phase::Greeting { .. }, Event::Welcome(_)) => self.end(Ending::Refused(format!(
                "{} welcomes with a name of more than {NAME_BYTES_MAX} bytes, which no name has; check the address",
                self.config.address
            ))),
            (Phase::Greeting { .. }, _) => {}
            _ => self.not_understood(&format!("a name of more than {NAME_BYTES_MAX} bytes")),
        }
    }

    fn heard_in_greeting(&mut self, event: Event, now_ms: u64) {
        match event {
            Event::Welcome(welcome) => self.welcomed(welcome, now_ms),
            // The name may still be held by the connection that died; that passes.
            Event::Error(rejection)
                if self.token.is_some()
                    && matches!(rejection.code, ErrorCode::NameTaken | ErrorCode::Busy | ErrorCode::Rate) =>
            {
                self.link_lost(&rejection.text, now_ms);
            }
            Event::Error(rejection) => {
                self.end(Ending::Refused(format!("{} refused: {}", self.config.address, rejection.text)));
            }
            Event::Bye(bye) => self.no_welcome(&bye.text, Silence::No, now_ms),
            _ => {}
        }
    }

    fn welcomed(&mut self, welcome: Welcome, now_ms: u64) {
        let again = self.token.is_some();
        self.dialect_settled = true;
        let wanted = self.roster.names();
        self.goes_by(&welcome.name);
        self.token = Some(welcome.token.clone());
        self.limits = sane(welcome.limits);
        let before = self.current_room();
        let anew = self.roster.welcome(&welcome);
        if again {
            self.going_back = before.clone().filter(|room| !self.roster.contains(room));
            for room in wanted.into_iter().filter(|room| !welcome.rooms.iter().any(|state| state.room == *room)) {
                self.put_request(&Request::from(Ask::Join(RoomName { room })));
            }
        }
        self.is_up(now_ms);
        // The role was the connection's (O1).
        let role = std::mem::replace(&mut self.role, Role::Member);
        self.notice(if again && role == Role::Operator {
            format!("connected again as {}; you are no operator any more: /op TOKEN makes you one", brief(&self.name))
        } else if again {
            format!("connected again as {}", brief(&self.name))
        } else {
            format!("connected to {} as {}", self.config.address, brief(&self.name))
        });
        if !anew.is_empty() {
            let rooms: Vec<String> = anew.iter().map(|room| brief(room)).collect();
            self.notice(format!(
                "the server counts the messages of {} anew: it keeps no history, has lost it, or is another one; what was said \
                 meanwhile may be missing, /history shows what it has",
                rooms.join(", ")
            ));
        }
        let rooms: Vec<String> = welcome.rooms.iter().map(|state| state.room.clone()).collect();
        self.show(Update::Heard(Event::Welcome(welcome)));
        self.tell_of_move(before.as_deref());
        for room in rooms {
            self.ask_who_is_in(&room);
        }
        if let Some(text) = self.away.clone() {
            let ask = Ask::Away(AwayText { text: Some(text) });
            self.put_request(&Request::new(ask, Some(AWAY_AGAIN_REF.to_owned())));
        }
    }

    /// Asks for the names in a room, if anybody wants to see them.
    fn ask_who_is_in(&mut self, room: &str) {
        // One that does not read is not asked more and more.
        if self.config.follows_people && self.out.len() < WINDOW_BYTES {
            let ask = Ask::Members(RoomName { room: room.to_owned() });
            self.put_request(&Request::new(ask, Some(WHO_REF.to_owned())));
        }
    }

    /// Some of a crowd had no names: whether they were counted before nobody can tell, so their room is to be counted.
    fn note_crowd(&mut self, presence: &Presence) {
        if self.config.follows_people
            && presence.names.len() < presence.count
            && self.roster.contains(&presence.room)
            && let Some(Link::Event(link)) = &mut self.link
        {
            link.uncounted.insert(presence.room.clone());
        }
    }

    /// Asks for the names that crowds did not have, where it is time.
    pub(super) fn count_crowds(&mut self, now_ms: u64) {
        let Some(Link::Event(link)) = &mut self.link else { return };
        if link.count_due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return;
        }
        link.counted_ms = Some(now_ms);
        // One that does not read is not asked more and more; later it is.
        if self.out.len() >= WINDOW_BYTES {
            return;
        }
        for room in std::mem::take(&mut link.uncounted) {
            if self.roster.contains(&room) {
                self.ask_who_is_in(&room);
            }
        }
    }

    fn heard_in_session(&mut self, event: Event, reference: Option<String>, now_ms: u64) {
        match event {
            Event::Message(message) => self.heard_message(message, reference),
            Event::History(history) => self.heard_history(history, reference),
            Event::Direct(ref direct) => {
                self.heard_of(&direct.from);
                let is_own = reference.is_some() || direct.from == self.name;
                let id = direct.id.filter(|_| is_own);
                self.heard_direct(event, reference, id);
            }
            Event::Joined(ref presence) => {
                presence.names.iter().for_each(|name| self.heard_of(name));
                let is_news = self.program.is_some() || reference.is_some() || !self.is_own_arrival_again(presence);
                let before = self.current_room();
                self.heard_joined(presence, reference.as_deref());
                if is_news {
                    self.show_answer(Update::Heard(event), reference);
                }
                self.tell_of_move(before.as_deref());
            }
            Event::Left(presence) => {
                presence.names.iter().for_each(|name| self.heard_of(name));
                self.heard_left(presence, reference);
            }
            Event::Renamed(ref renamed) => {
                if renamed.from == self.name {
                    self.goes_by(&renamed.to);
                }
                self.roster.renamed(&renamed.from, &renamed.to);
                // A server tells each room that the two share, and the one who asked once more.
                let is_again = self.last_rename.as_ref().is_some_and(|last| last.is_again(renamed, now_ms));
                if self.program.is_some() || !is_again {
                    self.last_rename = Some(LastRename::new(renamed, now_ms));
                    self.show_answer(Update::Heard(event), reference);
                }
            }
            Event::Members(ref members) => {
                self.roster.listed(members);
                if reference.as_deref() != Some(WHO_REF) {
                    self.show_answer(Update::Heard(event), reference);
                }
            }
            Event::Gap(gap) => self.heard_gap(&gap),
            Event::Error(rejection)
                if reference.is_none() && matches!(rejection.code, ErrorCode::Kicked | ErrorCode::Banned) =>
            {
                self.thrown_out(rejection);
            }
            Event::Error(rejection) => self.refused(rejection, reference),
            Event::Away(_) if reference.as_deref() == Some(AWAY_AGAIN_REF) => {}
            Event::Away(ref away) => {
                if away.name == self.name {
                    self.away.clone_from(&away.text);
                }
                self.show_answer(Update::Heard(event), reference);
            }
            Event::Ping(_) => {
                if let Some(Link::Event(link)) = &mut self.link {
                    link.owes_pong = true;
                }
                self.pay_pong();
            }
            Event::Pong(_) if reference.as_deref() == Some(ALIVE_REF) => {}
            Event::Bye(_) => {
                // A person needs no words for the answer to its own goodbye.
                if self.program.is_some() || reference.is_none() {
                    self.show_answer(Update::Heard(event), reference);
                }
                if matches!(self.phase, Phase::Leaving { .. }) {
                    self.end(Ending::Left);
                }
            }
            Event::Act(ref act) => {
                // Only the asker's copy has a `ref`.
                if act.act == AuditKind::Op && reference.is_some() {
                    self.role = Role::Operator;
                }
                self.show_answer(Update::Heard(event), reference);
            }
            Event::Welcome(_) | Event::Whois(_) | Event::Rooms(_) | Event::Notice(_) | Event::Pong(_) => {
                self.show_answer(Update::Heard(event), reference);
            }
        }
    }

    /// Whoever comes, goes or speaks may be another person of that name: what it does is not told by somebody else's news.
    pub(super) fn heard_of(&mut self, name: &str) {
        if self.last_rename.as_ref().is_some_and(|last| last.is_about(name)) {
            self.last_rename = None;
        }
    }

    fn heard_left(&mut self, mut presence: Presence, reference: Option<String>) {
        let is_own = self.heard_answer(reference.as_deref());
        let before = self.current_room();
        if is_own {
            self.tell_of_missed_in(&presence.room);
            self.roster.went_out_of(&presence.room);
        } else {
            self.roster.went(&presence, &self.name);
            self.note_crowd(&presence);
            // Nobody leaves unasked: what went is the connection that this one came after (T11).
            if self.program.is_none() {
                let named = presence.names.len();
                presence.names.retain(|name| *name != self.name);
                presence.count = presence.count.saturating_sub(named - presence.names.len());
                if presence.count == 0 {
                    return;
                }
            }
        }
        self.show_answer(Update::Heard(Event::Left(presence)), reference);
        self.tell_of_move(before.as_deref());
    }

    fn heard_joined(&mut self, presence: &Presence, reference: Option<&str>) {
        let is_asked = self.heard_answer(reference);
        let is_own = is_asked || presence.names.contains(&self.name);
        if !is_own || self.roster.contains(&presence.room) {
            self.roster.came(presence, &self.name);
            self.note_crowd(presence);
            // The user asked for a room by another spelling of its name.
            if is_asked && self.program.is_none() {
                self.roster.go_to(&presence.room);
            }
        } else {
            self.roster.entered(&presence.room);
            // Nobody but the user moves the user: what it says next may be meant for the room it is in.
            let is_back = self.going_back.take_if(|room| *room == presence.room).is_some();
            if is_asked || is_back || self.program.is_some() {
                self.roster.go_to(&presence.room);
            }
            self.ask_who_is_in(&presence.room);
            if let (Some(seq), Some(numbers)) = (presence.seq, self.roster.numbers_mut(&presence.room)) {
                // A reconnect goes on from there, also if nothing is said until then.
                numbers.begin(seq);
                if numbers.newest() < Some(seq) {
                    self.ask_newest_in(&presence.room);
                }
            }
        }
    }

    /// Returns whether a room tells the client that it has come itself, which `welcome` has said
    /// already.
    fn is_own_arrival_again(&self, presence: &Presence) -> bool {
        let names_it_alone = presence.count == 1 && presence.names.first() == Some(&self.name);
        names_it_alone && self.roster.contains(&presence.room)
    }

    fn refused(&mut self, rejection: Rejection, reference: Option<String>) {
        let is_about_own_question = self.heard_no_history(reference.as_deref());
        if is_about_own_question || matches!(reference.as_deref(), Some(WHO_REF | AWAY_AGAIN_REF | ALIVE_REF)) {
            return;
        }
        self.heard_answer(reference.as_deref());
        let text = reference.as_deref().and_then(|reference| self.outbox.refuse(reference));
        self.show_answer(Update::Refused { rejection, text }, reference);
        self.tell_of_missed();
    }
}
