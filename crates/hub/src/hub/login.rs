//! Login and departure of members.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Gap, Limits, Rejection, RoomState, Welcome};
use glassline_wire::request::{Hello, LOBBY};

use crate::Now;
use crate::dialect::Dialect;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::log_event::LogEvent;
use crate::member::{Arrival, ConnectInfo, Member};
use crate::name::{Name, NameError};
use crate::names::{GrantedName, SuffixReason};
use crate::send_queue::SendQueue;

/// Most names in the greeting of a tutorial client.
const GREETING_NAMES_MAX: usize = 20;

/// Result of a `hello`.
#[derive(Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The client is logged in, as this member.
    As(MemberId),
    /// Its token is that of this member, whose connection may be dead: probe it, then call again.
    NameHolder(MemberId),
    /// The history is asked about the rooms it names: call again once the connection has settled.
    Awaits,
}

/// State of the member whose name and token are claimed (E2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameHolder {
    /// Unknown.
    Unasked,
    /// It was probed and did not answer.
    Dead(MemberId),
    /// It is alive and keeps its name.
    Alive,
}

impl Hub {
    /// Logs a tutorial client in under the name its first frame holds (T3, T8, T10).
    ///
    /// # Errors
    /// The name breaks the rules or looks like one in use.
    pub fn enter_tutorial(&mut self, name: &[u8], login: ConnectInfo) -> Result<MemberId, Rejection> {
        if self.rules.pure {
            return self.enter_pure(name, login);
        }
        let wished = Name::parse(name)?;
        self.moderation.check_name(&wished, login.address, login.now.at)?;
        let granted = self.free_name(wished.clone(), login)?;
        let id = self.make_member(Dialect::Tutorial, &granted, login, self.arrival_now());
        self.send_name_reason(id, name, &wished, &granted);
        self.greet(id);
        self.send_moderation_state(id, login.now);
        self.enter_room(id, self.rooms.lobby(), true, login.now);
        if self.rules.durable {
            self.queue_replay(id, self.rooms.lobby(), None);
        }
        Ok(id)
    }

    /// Sends the members present to a client about to log in: the first line that it reads.
    fn greet(&mut self, id: MemberId) {
        let others = match self.names_in_words(self.rooms.lobby(), id, GREETING_NAMES_MAX) {
            None => "nobody else is here yet".to_string(),
            Some(names) => format!("here: {names}"),
        };
        self.send(id, Event::notice(format!("{others}; /help lists commands")));
    }

    /// Logs a client in exactly as the tutorial does: any name, taken or not (T9). Only its length
    /// is held to the limit (T7).
    fn enter_pure(&mut self, name: &[u8], login: ConnectInfo) -> Result<MemberId, Rejection> {
        let shown = String::from_utf8_lossy(name).into_owned();
        if name.len() > glassline_wire::limits::NAME_BYTES_MAX {
            return Err(NameError::TooLong { chars: shown.chars().count(), bytes: name.len() }.into());
        }
        let send_queue = SendQueue::new(Dialect::Tutorial, &self.queued_bytes);
        let member = Member::new(shown.into_boxed_str(), Arrival::Announced, login, send_queue);
        let id = self.members.insert(member.with_name_bytes(name));
        self.enter_room(id, self.rooms.lobby(), false, login.now);
        Ok(id)
    }

    /// Logs an event client in (E2). With the token of a member that is still here, the answer is
    /// first that member: once its state is known, call again with that.
    ///
    /// # Errors
    /// The name or a room breaks the rules.
    pub fn enter_event(
        &mut self,
        hello: &Hello,
        reference: Option<&str>,
        holder: NameHolder,
        mut login: ConnectInfo,
    ) -> Result<LoginOutcome, Rejection> {
        let (wished, rooms) = self.check_hello(hello, login)?;
        if !self.knows_rooms(login.connection, rooms.iter().map(String::as_str)) {
            return Ok(LoginOutcome::Awaits);
        }
        if let Some(token) = hello.token.as_deref().and_then(token_shown) {
            // The same client, with any connection and name: its ids are the same person's.
            login.token = token;
        }
        let mut quiet_rooms = Vec::new();
        let mut arrival = self.arrival_now();
        if holder != NameHolder::Alive
            && let Some(held_by) = self.holder_of_token(&wished, hello.token.as_deref())
        {
            // A later holder of this name was not probed.
            if holder != NameHolder::Dead(held_by) {
                return Ok(LoginOutcome::NameHolder(held_by));
            }
            let is_same_name = self.name(held_by) == wished.as_str();
            if is_same_name || arrival == Arrival::Announced {
                quiet_rooms = self.room_states(held_by);
                arrival = self.members.get(held_by).map_or(arrival, Member::arrival);
                self.depart_quietly(held_by, &rooms, login.now);
            } else {
                // In a freeze a change of case is a change of name.
                self.depart(held_by, login.now);
            }
        }
        let granted = self.free_name(wished.clone(), login)?;
        let id = self.make_member(Dialect::Event, &granted, login, arrival);
        let rejections = self.enter_rooms(id, &rooms, &quiet_rooms, login.now);
        self.welcome(id, granted.name.as_str(), login.token, reference);
        self.send_name_reason(id, hello.name.as_bytes(), &wished, &granted);
        self.send_moderation_state(id, login.now);
        for rejection in rejections {
            self.send(id, Envelope::new(Event::Error(rejection), reference.map(str::to_string)));
        }
        if self.rules.durable {
            self.queue_replays(id, hello.since.as_ref());
        } else {
            self.send_gaps(id, hello.since.as_ref());
        }
        Ok(LoginOutcome::As(id))
    }

    /// The name and the rooms that a `hello` asks for, if it may have them.
    fn check_hello(&self, hello: &Hello, login: ConnectInfo) -> Result<(Name, Vec<String>), Rejection> {
        if self.rules.pure {
            let text = "this server supports the tutorial dialect only; use that one";
            return Err(Rejection::new(ErrorCode::OutOfOrder, text));
        }
        let wished = Name::parse(hello.name.as_bytes())?;
        self.moderation.check_name(&wished, login.address, login.now.at)?;
        let rooms = hello.rooms.clone().unwrap_or_else(|| Vec::from([LOBBY.to_string()]));
        if rooms.len() > self.rules.rooms_per_member_max {
            let text = format!("at most {} rooms at once; leave some out", self.rules.rooms_per_member_max);
            return Err(Rejection::new(ErrorCode::TooManyRooms, text));
        }
        for room in &rooms {
            crate::name::room_name(room)?;
        }
        Ok((wished, rooms))
    }

    /// Adds a new member to its rooms, without an announcement in the quiet ones, which the same
    /// client was in just before. Returns why it is not in some: their names were checked before,
    /// so what is left is one room too many, or a history that cannot be read.
    fn enter_rooms(&mut self, id: MemberId, rooms: &[String], quiet_rooms: &[RoomState], now: Now) -> Vec<Rejection> {
        let mut rejections = Vec::new();
        for room in rooms {
            match self.admit(id, room) {
                Ok(room_id) => {
                    let name = self.rooms.name(room_id);
                    let announced = !quiet_rooms.iter().any(|state| state.room == name);
                    self.enter_room(id, room_id, announced, now);
                }
                Err(refused) => rejections.push(refused),
            }
        }
        rejections
    }

    fn welcome(&mut self, id: MemberId, name: &str, token: u128, reference: Option<&str>) {
        let welcome = Welcome {
            name: name.to_string(),
            token: format!("{token:032x}"),
            server: self.rules.server.clone(),
            limits: Limits::default(),
            rooms: self.room_states(id),
        };
        self.send(id, Envelope::new(Event::Welcome(welcome), reference.map(str::to_string)));
    }

    fn queue_replays(&mut self, id: MemberId, since: Option<&BTreeMap<String, u64>>) {
        let rooms: Vec<_> = self.members.get(id).into_iter().flat_map(Member::rooms).collect();
        for room_id in rooms {
            let (name, newest) = self.rooms.get(room_id).map_or(("", 0), |room| (room.name(), room.seq()));
            let seen = since.and_then(|since| since.get(name)).copied();
            if let Some(seen) = seen.filter(|seen| *seen > newest) {
                self.log_events.push_back(LogEvent::ClientAheadOfHistory { room: name.to_string(), seen, newest });
            }
            self.queue_replay(id, room_id, seen);
        }
    }

    /// Without a history, everything since the client was last here is a gap (E7).
    fn send_gaps(&mut self, id: MemberId, since: Option<&BTreeMap<String, u64>>) {
        for state in self.room_states(id) {
            if let Some(&seen) = since.and_then(|since| since.get(&state.room))
                && seen < state.seq
            {
                self.send(id, Event::Gap(Gap { room: state.room, from: seen + 1, to: state.seq }));
            }
        }
    }

    fn holder_of_token(&self, name: &Name, token: Option<&str>) -> Option<MemberId> {
        let token = token_shown(token?)?;
        let holder = self.names.find(name.as_str())?;
        self.members.get(holder).filter(|member| member.dialect() == Dialect::Event && member.token() == token)?;
        Some(holder)
    }

    fn free_name(&mut self, wished: Name, login: ConnectInfo) -> Result<GrantedName, Rejection> {
        let moderation = &self.moderation;
        self.names.free_name(wished, |looks| moderation.is_banned(looks, login.address, login.now.at))
    }

    /// Sends a new member the reason why its name differs from the one it requested.
    fn send_name_reason(&mut self, id: MemberId, sent: &[u8], wished: &Name, granted: &GrantedName) {
        let (wished, name) = (wished.as_str(), granted.name.as_str());
        let because = match &granted.suffix_reason {
            Some(SuffixReason::Taken) => format!("{wished} is taken"),
            Some(SuffixReason::LooksLike(other)) => format!("{wished} looks like {other}, who is here"),
            None if wished.as_bytes() != sent => "names have neither spaces nor variant letters".to_string(),
            None => return,
        };
        self.send(id, Event::notice(format!("{because}; you are {name}; /nick changes it")));
    }

    fn make_member(
        &mut self,
        dialect: Dialect,
        granted: &GrantedName,
        login: ConnectInfo,
        arrival: Arrival,
    ) -> MemberId {
        let send_queue = SendQueue::new(dialect, &self.queued_bytes);
        let id = self.members.insert(Member::new(granted.name.clone().into_boxed(), arrival, login, send_queue));
        self.names.claim(granted.name.as_str(), &granted.looks, id);
        id
    }

    /// Takes a member out of the hub: its name is free, its departure announced once (T6).
    pub fn depart(&mut self, id: MemberId, now: Now) {
        self.depart_quietly(id, &[], now);
    }

    /// As [`Hub::depart`], but not announced in rooms that the same client re-enters.
    fn depart_quietly(&mut self, id: MemberId, quiet_rooms: &[String], now: Now) {
        let Some(member) = self.members.get_mut(id) else { return };
        member.send_queue_mut().discard(&self.rooms);
        let rooms: Vec<_> = member.rooms().collect();
        let quiet_rooms: Vec<_> = quiet_rooms.iter().filter_map(|room| crate::name::room_name(room).ok()).collect();
        for room_id in rooms {
            let announced = !quiet_rooms.iter().any(|quiet| quiet == self.rooms.name(room_id));
            self.exit_room(id, room_id, announced, now);
        }
        let Some(member) = self.members.remove(id) else { return };
        if !self.rules.pure {
            self.names.release(member.name());
        }
        self.forget(member.connection());
    }
}

/// A token as `welcome` writes it: 32 hexadecimal digits, not all of them zero.
fn token_shown(text: &str) -> Option<u128> {
    let is_whole = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|&token| is_whole && token != 0)
}
