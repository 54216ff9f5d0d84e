//! Session in the event dialect (E).

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{AuditEntry, AuditKind, Bye, ErrorCode, Event, Presence, Rejection, Renamed, Welcome};
use glassline_wire::request::{Ask, AwayText, Request, RoomName};
use glassline_wire::spelling;

use super::{Session, brief, shortened};
use crate::connection::{EventLink, Phase, Silence};
use crate::ending::Ending;
use crate::identity::Role;
use crate::limits::{self, NAME_BYTES_MAX, has_short_names};
use crate::prelude::*;
use crate::queries::RoomChange;
use crate::update::Update;

/// Characters of a cause that contains text of the server.
const CAUSE_SHOWN_CHARS: usize = 200;
/// Rooms of one `welcome` that are left again: as many as a client may be in (E3).
const UNASKED_LEFT_MAX: usize = 16;
/// `ref` of the session's own `ping`; its answer is not shown.
const ALIVE_REF: &str = "glassline-alive";
/// `ref` of the session's own `ping` after the `join`s of a reconnect: requests are answered in
/// order, so its answer means that those are answered.
const REJOINED_REF: &str = "glassline-rejoined";
/// `ref` of the session's own `members`, asked for the names and the count.
const WHO_REF: &str = "glassline-who";
/// `ref` of the session's own `away` after a reconnect.
const AWAY_AGAIN_REF: &str = "glassline-away";
const BYE_REF: &str = "glassline-bye";

impl Session {
    pub(super) fn send_bye(&mut self) {
        // With a `ref`, which distinguishes the answer from the `bye` of a server that stops.
        let reference = self.bye_ref.clone().unwrap_or_else(|| BYE_REF.to_owned());
        self.put_request(&Request::new(Ask::Bye {}, Some(reference)));
    }

    /// Answers the server's `ping` once there is room: one that asks and does not read does not get
    /// an answer to each.
    pub(super) fn send_pong(&mut self) {
        if self.connection.has_window() && self.connection.event_mut().is_some_and(EventLink::take_pong) {
            self.put_request(&Request::from(Ask::Pong {}));
        }
    }

    /// Writes what waits in the outbox, as far as the window allows.
    pub(super) fn send_events(&mut self) {
        if self.connection.event_mut().is_some_and(|link| link.is_rejoining()) {
            return;
        }
        while self.connection.has_window() {
            self.close_next();
            let Some(request) = self.delivery.next_to_send(|room| self.rooms.newest_named(room)) else { return };
            self.connection.put_frame(&request.to_json());
        }
    }

    /// Sends a `ping` to a silent server, closes it in the end, and asks for the names that
    /// crowds did not have.
    pub(super) fn keep_event_time(&mut self, now_ms: u64) {
        match self.connection.event_mut().and_then(|link| link.take_silence(now_ms)) {
            Some(Silence::Dead) => return self.link_lost("not a word for 75 s", now_ms),
            Some(Silence::Ping) => {
                self.put_request(&Request::new(Ask::Ping {}, Some(ALIVE_REF.to_owned())));
            }
            None => {}
        }
        let has_window = self.connection.has_window();
        let uncounted = self.connection.event_mut().map(|link| link.take_uncounted(has_window, now_ms));
        for room in uncounted.into_iter().flatten() {
            if self.rooms.contains(&room) {
                self.ask_who_is_in(&room);
            }
        }
    }

    pub(super) fn receive_event_frame(&mut self, payload: &[u8], now_ms: u64) {
        if let Some(link) = self.connection.event_mut() {
            link.note_received(now_ms);
        }
        let is_greeting = matches!(self.connection.phase(), Phase::Greeting { .. });
        let Envelope { content: event, reference } = match Envelope::<Event>::from_json(payload) {
            Ok(envelope) => envelope,
            Err(error) if is_greeting => {
                self.no_welcome(&shortened(&error.to_string(), CAUSE_SHOWN_CHARS), false, now_ms);
                return;
            }
            Err(error) => {
                self.not_understood(&error.to_string());
                return;
            }
        };
        if !has_short_names(&event) {
            self.name_too_long(is_greeting, &event);
        } else if is_greeting {
            self.receive_greeting(event, now_ms);
        } else {
            if let Some(program) = &mut self.program {
                program.note_event(&event, reference.as_deref());
            }
            self.receive_event(event, reference, now_ms);
        }
    }

    fn not_understood(&mut self, why: &str) {
        let why = shortened(why, CAUSE_SHOWN_CHARS);
        self.notice(format!("the server said something that this version does not understand: {why}"));
    }

    fn name_too_long(&mut self, is_greeting: bool, event: &Event) {
        match event {
            Event::Welcome(_) if is_greeting => self.end(Ending::Rejected(format!(
                "{} welcomes with a name of more than {NAME_BYTES_MAX} bytes, which no name has; check the address",
                self.config.address
            ))),
            _ if is_greeting => {}
            _ => self.not_understood(&format!("a name of more than {NAME_BYTES_MAX} bytes")),
        }
    }

    fn receive_greeting(&mut self, event: Event, now_ms: u64) {
        match event {
            Event::Welcome(welcome) => self.receive_welcome(welcome, now_ms),
            // The name may still be held by the connection that died; that passes.
            Event::Error(rejection)
                if self.identity.token().is_some()
                    && matches!(rejection.code, ErrorCode::NameTaken | ErrorCode::Busy | ErrorCode::Rate) =>
            {
                self.link_lost(&rejection.text, now_ms);
            }
            Event::Error(rejection) => {
                self.end(Ending::Rejected(format!("{} refused: {}", self.config.address, rejection.text)));
            }
            Event::Bye(bye) => self.no_welcome(&bye.text, false, now_ms),
            _ => {}
        }
    }

    fn receive_welcome(&mut self, mut welcome: Welcome, now_ms: u64) {
        let unasked = self.take_unasked(&mut welcome);
        let again = self.identity.token().is_some();
        let wanted = self.rooms.names();
        // The role was the connection's (O1).
        let role = self.identity.welcome(&welcome.name, &welcome.token);
        self.limits = limits::bounded(welcome.limits);
        let before = self.current_room();
        let restarted = self.rooms.welcome(&welcome);
        if before.as_deref().is_some_and(|room| !self.rooms.contains(room) && self.seal.is_sealed(room)) {
            // What the user is writing is meant for a sealed room only.
            self.rooms.leave_current();
        }
        if again {
            let rejoined: Vec<_> =
                wanted.into_iter().filter(|room| !welcome.rooms.iter().any(|state| state.room == *room)).collect();
            if !rejoined.is_empty() {
                for room in rejoined {
                    self.put_request(&Request::from(Ask::Join(RoomName { room })));
                }
                self.put_request(&Request::new(Ask::Ping {}, Some(REJOINED_REF.to_owned())));
                self.set_rejoining(true);
            }
        } else {
            self.rooms.cancel_return();
        }
        self.connection.welcome(now_ms);
        self.notice(if again && role == Role::Operator {
            format!(
                "connected again as {}; you are no operator any more: /op TOKEN makes you one",
                brief(self.identity.name())
            )
        } else if again {
            format!("connected again as {}", brief(self.identity.name()))
        } else {
            format!("connected to {} as {}", self.config.address, brief(self.identity.name()))
        });
        if !restarted.is_empty() {
            let rooms: Vec<String> = restarted.iter().map(|room| brief(room)).collect();
            self.notice(format!(
                "the server counts the messages of {} anew: it keeps no history, has lost it, or is another one; what was said \
                 meanwhile may be missing, /history shows what it has",
                rooms.join(", ")
            ));
        }
        let rooms: Vec<String> = welcome.rooms.iter().map(|state| state.room.clone()).collect();
        let states = welcome.rooms.iter();
        let notice: Vec<String> =
            states.filter_map(|state| self.seal.entered(&state.room, state.sealed.as_deref())).collect();
        self.show(Update::Received(Event::Welcome(welcome)));
        for text in notice {
            self.notice(text);
        }
        self.report_room_change(before.as_deref());
        for room in rooms {
            self.ask_who_is_in(&room);
        }
        self.refuse_unasked(&unasked);
        if let Some(text) = self.identity.away().map(str::to_owned) {
            let ask = Ask::Away(AwayText { text: Some(text) });
            self.put_request(&Request::new(ask, Some(AWAY_AGAIN_REF.to_owned())));
        }
    }

    fn ask_who_is_in(&mut self, room: &str) {
        // A server that does not read gets no further requests.
        if self.config.follows_people && self.connection.has_window() {
            let ask = Ask::Members(RoomName { room: room.to_owned() });
            self.put_request(&Request::new(ask, Some(WHO_REF.to_owned())));
        }
    }

    /// Notes a crowd with names missing: it is not known which of them were counted before, so the
    /// room is to be counted.
    fn note_crowd(&mut self, presence: &Presence) {
        if self.config.follows_people
            && presence.names.len() < presence.count
            && self.rooms.contains(&presence.room)
            && let Some(link) = self.connection.event_mut()
        {
            link.note_uncounted(&presence.room);
        }
    }

    fn receive_event(&mut self, event: Event, reference: Option<String>, now_ms: u64) {
        match event {
            Event::Message(message) => self.receive_message(message, reference),
            Event::History(history) => self.receive_history(history, reference),
            Event::Direct(direct) => self.receive_direct(direct, reference),
            Event::Joined(presence) => self.receive_joined(presence, reference),
            Event::Left(presence) => self.receive_left(presence, reference),
            Event::Renamed(renamed) => self.receive_renamed(renamed, reference, now_ms),
            Event::Members(ref members) => {
                self.rooms.set_members(members);
                if reference.as_deref() != Some(WHO_REF) {
                    self.show_answer(Update::Received(event), reference);
                }
            }
            Event::Gap(gap) => self.receive_gap(&gap),
            Event::Error(rejection)
                if reference.is_none() && matches!(rejection.code, ErrorCode::Kicked | ErrorCode::Banned) =>
            {
                self.on_kicked(rejection);
            }
            Event::Error(rejection) => self.refused(rejection, reference),
            Event::Away(_) if reference.as_deref() == Some(AWAY_AGAIN_REF) => {}
            Event::Away(ref away) => {
                if away.name == self.identity.name() {
                    self.identity.set_away(away.text.as_deref());
                }
                self.show_answer(Update::Received(event), reference);
            }
            Event::Ping {} => {
                if let Some(link) = self.connection.event_mut() {
                    link.note_ping();
                }
                self.send_pong();
            }
            Event::Pong {} if reference.as_deref() == Some(ALIVE_REF) => {}
            Event::Pong {} if reference.as_deref() == Some(REJOINED_REF) => self.set_rejoining(false),
            Event::Bye(bye) => self.receive_bye(bye, reference),
            Event::Act(act) => self.receive_act(act, reference),
            Event::Welcome(_) | Event::Whois(_) | Event::Rooms(_) | Event::Notice(_) | Event::Pong {} => {
                self.show_answer(Update::Received(event), reference);
            }
        }
    }

    fn receive_left(&mut self, mut presence: Presence, reference: Option<String>) {
        self.note_activity(&presence);
        let is_own =
            self.take_room_change(reference.as_deref()).is_some() || self.is_answer_to_program(reference.as_deref());
        let before = self.current_room();
        if is_own {
            self.report_gaps_in(&presence.room);
            self.rooms.leave(&presence.room);
        } else {
            self.rooms.remove_people(&presence, self.identity.name());
            self.note_crowd(&presence);
            // The user did not ask to leave: the one that left is the previous connection (T11).
            if self.program.is_none() {
                let named = presence.names.len();
                presence.names.retain(|name| name != self.identity.name());
                presence.count = presence.count.saturating_sub(named - presence.names.len());
                if presence.count == 0 {
                    return;
                }
            }
        }
        self.show_answer(Update::Received(Event::Left(presence)), reference);
        self.report_room_change(before.as_deref());
    }

    fn receive_joined(&mut self, presence: Presence, reference: Option<String>) {
        self.note_activity(&presence);
        let is_shown = self.program.is_some() || reference.is_some() || !self.is_own_arrival_again(&presence);
        let before = self.current_room();
        let change = self.take_room_change(reference.as_deref());
        if let Some(RoomChange::Join(asked)) = &change
            && spelling::room(asked) != spelling::room(&presence.room)
        {
            return self.refuse_room(asked, &presence.room);
        }
        let is_asked = change.is_some() || self.is_answer_to_program(reference.as_deref());
        let is_own = is_asked || presence.names.iter().any(|name| name == self.identity.name());
        if is_own && !is_asked && self.program.is_none() && !self.rooms.expects(&presence.room) {
            return self.refuse_unasked(&[presence.room]);
        }
        // Only the answer to the one who joined has the number (E3), and tells of the sealing.
        let is_answer = is_own && presence.seq.is_some();
        let notice = if is_answer { self.seal.entered(&presence.room, presence.sealed.as_deref()) } else { None };
        if is_own && !self.rooms.contains(&presence.room) {
            self.enter_room(&presence, is_asked);
        } else {
            self.rooms.add_people(&presence, self.identity.name());
            self.note_crowd(&presence);
            // The user asked for a room by another spelling of its name.
            if is_asked && self.program.is_none() {
                self.rooms.go_to(&presence.room);
            }
        }
        if is_shown {
            self.show_answer(Update::Received(Event::Joined(presence)), reference);
        }
        self.report_room_change(before.as_deref());
        if let Some(text) = notice {
            self.notice(text);
        }
    }

    /// Leaves a room again that the server has put the user into in place of the one asked for.
    fn refuse_room(&mut self, asked: &str, answered: &str) {
        let (asked, given) = (spelling::room(asked), spelling::room(answered));
        let mut pairs = asked.chars().zip(given.chars().map(Some).chain(core::iter::repeat(None)));
        let differing = pairs.find(|&(asked, given)| Some(asked) != given);
        let look_alike = match differing {
            Some((asked, Some(given))) => {
                format!("; it has U+{:04X} where you wrote U+{:04X}", u32::from(given), u32::from(asked))
            }
            _ => String::new(),
        };
        self.notice(format!(
            "you asked for {} and the server answered with the room {}, which is another one even if it looks alike\
             {look_alike}. You stay where you are; what you write goes there",
            brief(&asked),
            brief(answered)
        ));
        if !self.rooms.contains(answered) {
            self.put_request(&Request::from(Ask::Leave(RoomName { room: answered.to_owned() })));
        }
    }

    /// Takes the rooms out of a `welcome` that the client has not asked for (E2). A program sees them.
    fn take_unasked(&self, welcome: &mut Welcome) -> Vec<String> {
        if self.program.is_some() {
            return Vec::new();
        }
        let rooms = core::mem::take(&mut welcome.rooms);
        let (expected, unasked): (Vec<_>, Vec<_>) =
            rooms.into_iter().partition(|state| self.rooms.expects(&state.room));
        welcome.rooms = expected;
        unasked.into_iter().map(|state| state.room).collect()
    }

    /// Leaves rooms again that the server has put the user into, and says so: one that looks like
    /// another would be taken for it, and be sent what is meant for that.
    fn refuse_unasked(&mut self, rooms: &[String]) {
        let Some(first) = rooms.first() else { return };
        let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let unusual = first.chars().find(|&c| !is_usual(c));
        let unusual = unusual.map_or_else(String::new, |c| format!(", whose name has U+{:04X}", u32::from(c)));
        let others = match rooms.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        self.notice(format!(
            "the server has put you into the room {}{unusual}{others}, which you did not ask for: it is another one even if \
             it looks like yours. You leave it again; nothing that you write goes there",
            brief(first)
        ));
        for room in rooms.iter().take(UNASKED_LEFT_MAX) {
            // A server that does not read gets no further requests.
            if self.connection.has_window() {
                self.put_request(&Request::from(Ask::Leave(RoomName { room: room.clone() })));
            }
        }
    }

    fn enter_room(&mut self, presence: &Presence, is_asked: bool) {
        self.rooms.enter(&presence.room);
        // Only the user changes the current room: the next message may be meant for it.
        if is_asked || self.rooms.is_return(&presence.room) || self.program.is_some() {
            self.rooms.go_to(&presence.room);
        }
        self.ask_who_is_in(&presence.room);
        if let (Some(seq), Some(tracker)) = (presence.seq, self.rooms.tracker_mut(&presence.room)) {
            // A reconnect continues from there, also if no message arrives until then.
            tracker.begin(seq);
            if tracker.newest() < Some(seq) {
                self.ask_newest_in(&presence.room);
            }
        }
    }

    fn note_activity(&mut self, presence: &Presence) {
        presence.names.iter().for_each(|name| self.recent_rename.note_activity(name));
    }

    fn receive_renamed(&mut self, renamed: Renamed, reference: Option<String>, now_ms: u64) {
        if renamed.from == self.identity.name() {
            self.identity.rename(&renamed.to);
        }
        self.rooms.rename(&renamed.from, &renamed.to);
        // A server reports it to each room that the two share, and again to the requester.
        if self.recent_rename.is_new(&renamed, now_ms) || self.program.is_some() {
            self.show_answer(Update::Received(Event::Renamed(renamed)), reference);
        }
    }

    fn receive_bye(&mut self, bye: Bye, reference: Option<String>) {
        // The answer to the user's own goodbye is not shown.
        if self.program.is_some() || reference.is_none() {
            self.show_answer(Update::Received(Event::Bye(bye)), reference);
        }
        if matches!(self.connection.phase(), Phase::Leaving { .. }) {
            self.end(Ending::Left);
        }
    }

    fn receive_act(&mut self, act: AuditEntry, reference: Option<String>) {
        // Only the asker's copy has a `ref`.
        if act.act == AuditKind::Op && reference.is_some() {
            self.identity.become_operator();
        }
        self.show_answer(Update::Received(Event::Act(act)), reference);
    }

    /// Records whether the server still has to answer the `join`s of a reconnect.
    fn set_rejoining(&mut self, is_rejoining: bool) {
        if let Some(link) = self.connection.event_mut() {
            link.set_rejoining(is_rejoining);
        }
    }

    /// Returns whether a room announces the client itself, which `welcome` has done already.
    fn is_own_arrival_again(&self, presence: &Presence) -> bool {
        let names_it_alone =
            presence.count == 1 && presence.names.first().is_some_and(|name| name == self.identity.name());
        names_it_alone && self.rooms.contains(&presence.room)
    }

    fn refused(&mut self, rejection: Rejection, reference: Option<String>) {
        let is_about_own_question = self.history_refused(reference.as_deref());
        if reference.as_deref() == Some(REJOINED_REF) {
            self.set_rejoining(false);
        }
        if is_about_own_question
            || matches!(reference.as_deref(), Some(WHO_REF | AWAY_AGAIN_REF | ALIVE_REF | REJOINED_REF))
        {
            return;
        }
        self.take_room_change(reference.as_deref());
        let refused = reference.as_deref().and_then(|reference| self.delivery.refuse(reference));
        let room = refused.as_ref().and_then(|refused| refused.room.as_deref());
        let notice = room.and_then(|room| self.seal.refused(room, &rejection));
        let text = refused.map(|refused| refused.text);
        // A program waits for the answer to its `ref`.
        if notice.is_none() || self.program.is_some() {
            self.show_answer(Update::Rejected { rejection, text }, reference);
        }
        if let Some(text) = notice {
            self.notice(text);
        }
        self.report_settled_gaps();
    }
}
