//! Messages of the screen: which lines are shown, in which order, and what is unread in other
//! rooms.

use std::collections::VecDeque;

use glassline_session::Update;
use glassline_wire::event::{Event, Presence};
use glassline_wire::limits::LISTED_ROOMS_MAX;
use glassline_wire::request::LOBBY;
use glassline_wire::timestamp::Timestamp;
use jiff::civil::Date;

use super::idle::IdleTracker;
use super::unread::{Unread, UnreadCount};
use crate::display_settings::DisplaySettings;
use crate::format::attention::{self, Attention};
use crate::format::catch_up::CatchUp;
use crate::format::clock::format_date;
use crate::format::messages::Formatter;
use crate::format::presence_digest::{PresenceChange, PresenceDigest};
use crate::format::safe::name;
use crate::format::{LineKind, Span, StyledLine, TextRole};

/// Recent speakers kept for completion.
const SPEAKERS_MAX: usize = 100;

/// Effect of an update: lines to show, and the bell.
#[derive(Debug)]
pub(super) struct PaneUpdate {
    pub(super) lines: Vec<StyledLine>,
    pub(super) rings: bool,
}

#[derive(Debug)]
pub(super) struct MessagePane {
    formatter: Formatter,
    settings: DisplaySettings,
    presence_digest: PresenceDigest,
    unread: Unread,
    idle: IdleTracker,
    catch_up: CatchUp,
    /// The room on the screen.
    room: Option<String>,
    /// The day of the last line shown with its time.
    day: Date,
    /// `true` if only stored messages are shown with their time.
    is_day_of_earlier: bool,
    /// Formatted minute of the last line, as many lines share one.
    minute: Option<Minute>,
    /// Mentions in the room on the screen since the user's last activity.
    mentions: usize,
    /// Speakers, the latest first.
    speakers: VecDeque<String>,
    /// The rooms that the server listed last.
    listed_rooms: Vec<String>,
}

impl MessagePane {
    pub(super) fn new(formatter: Formatter, settings: DisplaySettings) -> Self {
        let now = formatter.clock().now();
        let mut idle = IdleTracker::default();
        idle.is_here(0, now);
        Self {
            day: formatter.clock().date(now),
            formatter,
            settings,
            presence_digest: PresenceDigest::default(),
            unread: Unread::default(),
            idle,
            catch_up: CatchUp::default(),
            is_day_of_earlier: false,
            room: Some(LOBBY.to_owned()),
            minute: None,
            mentions: 0,
            speakers: VecDeque::new(),
            listed_rooms: Vec::new(),
        }
    }

    /// Sets the number of colours that the screen can distinguish.
    pub(super) fn with_colours(mut self, distinct: usize) -> Self {
        self.formatter.use_colours(distinct);
        self
    }

    /// Processes an update that passed [the filter](DisplaySettings::filter).
    pub(super) fn receive(&mut self, update: Update, now_ms: u64) -> PaneUpdate {
        let mut shown = Vec::new();
        self.formatter.note_names(&update);
        // The author has joined before: gathered lines about the author are shown first.
        let mut earlier =
            self.note_speaker(&update).map(|who| self.presence_digest.take_about(&who)).unwrap_or_default();
        if let Update::Received(Event::Renamed(renamed)) = &update {
            // The previous owner of the new name has left before.
            earlier.extend(self.presence_digest.take_about(&renamed.to));
        }
        let (earlier_too, lines) = self.lines(&update, now_ms);
        for line in earlier.into_iter().chain(earlier_too) {
            self.show(line, Attention::Nobody, now_ms, &mut shown);
        }
        let attention = attention::of(&update, self.formatter.me(), &lines);
        for line in lines {
            self.show(line, attention, now_ms, &mut shown);
        }
        self.formatter.follow(&update);
        self.catch_up.follow(&update);
        let rings = self.settings.rings(attention) && self.catch_up.may_ring(&update);
        self.keep_rooms(update, &mut shown);
        PaneUpdate { lines: shown, rings }
    }

    /// Returns the gathered lines that an update ends, and the lines of the update itself.
    fn lines(&mut self, update: &Update, now_ms: u64) -> (Vec<StyledLine>, Vec<StyledLine>) {
        let (presence, direction) = match update {
            Update::Received(Event::Joined(presence)) => (presence, PresenceChange::Join),
            Update::Received(Event::Left(presence)) => (presence, PresenceChange::Leave),
            // Mostly about the link: what came over it is shown before its loss.
            Update::Notice(_) => return (self.presence_digest.take_all(), self.formatter.lines(update)),
            _ => return (Vec::new(), self.formatter.lines(update)),
        };
        if direction == PresenceChange::Leave && self.formatter.is_only_me(presence) {
            return (Vec::new(), self.formatter.lines(update));
        }
        // The mark of the room shows the user's own join.
        let others = self.without_me(presence);
        let crowded_out = (others.count > 0).then(|| self.presence_digest.note(&others, direction, now_ms));
        (crowded_out.into_iter().flatten().collect(), Vec::new())
    }

    fn keep_rooms(&mut self, update: Update, shown: &mut Vec<StyledLine>) {
        match update {
            Update::CurrentRoom(room) => self.go_to(room, shown),
            Update::Received(Event::Rooms(rooms)) => {
                let rooms = rooms.rooms.into_iter().take(LISTED_ROOMS_MAX);
                self.listed_rooms = rooms.map(|listed| listed.room).collect();
            }
            Update::Received(Event::Left(presence)) if self.formatter.is_only_me(&presence) => {
                let found = self.unread.take(&presence.room);
                if found.messages > 0 {
                    let notice = format!("not read: {} in {}", found.messages, name(&presence.room));
                    shown.extend(self.dated(StyledLine::notice(&notice)));
                }
            }
            _ => {}
        }
    }

    pub(super) fn notices(&mut self, lines: &[String]) -> Vec<StyledLine> {
        lines.iter().flat_map(|line| self.dated(StyledLine::notice(line))).collect()
    }

    /// Takes the lines that have become due by themselves.
    pub(super) fn take_due(&mut self, now_ms: u64) -> Vec<StyledLine> {
        let mut shown = Vec::new();
        for line in self.presence_digest.take_due(now_ms) {
            self.show(line, Attention::Nobody, now_ms, &mut shown);
        }
        shown
    }

    /// When [`MessagePane::take_due`] has something to give.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.presence_digest.next_due_ms()
    }

    pub(super) fn user_is_here(&mut self, now_ms: u64) {
        self.idle.is_here(now_ms, self.formatter.clock().now());
        self.mentions = 0;
    }

    /// Notes that the window lost the focus, or that the user is away.
    pub(super) fn user_has_gone(&mut self) {
        self.idle.has_gone(self.formatter.clock().now());
    }

    /// Returns the counts of messages that wait in the other of these rooms.
    pub(super) fn waiting(&self, rooms: &[String]) -> Vec<UnreadCount> {
        self.unread.waiting(rooms)
    }

    pub(super) fn mentions(&self) -> usize {
        self.mentions
    }

    pub(super) fn room(&self) -> Option<&str> {
        self.room.as_deref()
    }

    pub(super) fn formatter(&self) -> &Formatter {
        &self.formatter
    }

    pub(super) fn settings(&mut self) -> &mut DisplaySettings {
        &mut self.settings
    }

    /// Updates what is known of people, ignored ones included.
    pub(super) fn follow_people(&mut self, update: &Update) {
        self.formatter.follow_people(update);
    }

    pub(super) fn speakers(&self) -> impl Iterator<Item = &str> {
        self.speakers.iter().map(String::as_str)
    }

    pub(super) fn listed_rooms(&self) -> &[String] {
        &self.listed_rooms
    }

    /// Returns the last lines of a session: pending joins and leaves, and counts of unread
    /// messages.
    pub(super) fn leave(&mut self, rooms: &[String]) -> Vec<StyledLine> {
        let mut shown = Vec::new();
        for line in self.presence_digest.take_all() {
            if line.room == self.room {
                shown.extend(self.dated(without_room(line)));
            }
        }
        let counts: Vec<String> = self
            .waiting(rooms)
            .iter()
            .map(|waiting| match waiting.mentions {
                0 => format!("{} in {}", waiting.messages, name(&waiting.room)),
                mentions => format!("{} in {} ({mentions} for you)", waiting.messages, name(&waiting.room)),
            })
            .collect();
        if !counts.is_empty() {
            shown.extend(self.dated(StyledLine::notice(&format!("not read: {}", counts.join(", ")))));
        }
        shown
    }

    /// Returns the author of an update. The author of a message becomes the latest speaker.
    fn note_speaker(&mut self, update: &Update) -> Option<String> {
        let (Update::Received(event) | Update::Sent { event, .. }) = update else { return None };
        let who = match event {
            Event::Message(message) => &message.from,
            Event::Direct(direct) => &direct.from,
            Event::Renamed(renamed) => return Some(renamed.from.clone()),
            _ => return None,
        };
        if who != self.formatter.me() && self.speakers.front() != Some(who) {
            self.speakers.retain(|speaker| speaker != who);
            self.speakers.truncate(SPEAKERS_MAX - 1);
            self.speakers.push_front(who.clone());
        }
        Some(who.clone())
    }

    fn without_me(&self, presence: &Presence) -> Presence {
        let mut others = presence.clone();
        others.names.retain(|name| name != self.formatter.me());
        let own = presence.names.len() - others.names.len();
        // A server may count less than it names.
        others.count = others.count.saturating_sub(own);
        others
    }

    /// Shows a line, or stores it as unread if it belongs to another room.
    fn show(&mut self, line: StyledLine, attention: Attention, now_ms: u64, shown: &mut Vec<StyledLine>) {
        let elsewhere = line.room.clone().filter(|room| self.room.as_ref() != Some(room));
        if let Some(room) = elsewhere {
            // It is shown later, with the time of now.
            let line = StyledLine { at: Some(line.at.unwrap_or_else(|| self.formatter.clock().now())), ..line };
            for mut overflowing in self.unread.keep(&room, line, attention) {
                overflowing.head.insert(0, Span::new(TextRole::Faint, format!("[{}] ", name(&room))));
                shown.extend(self.dated(without_room(overflowing)));
            }
            return;
        }
        if attention >= Attention::Everybody {
            if let Some(since) = self.idle.mark_due(now_ms) {
                shown.push(StyledLine::mark(&format!("new since {}", self.formatter.clock().time(since))));
            }
            if attention == Attention::ForMe && self.idle.is_likely(now_ms) {
                self.mentions += 1;
            }
        }
        shown.extend(self.dated(without_room(line)));
    }

    /// Switches the room on the screen: a mark, and its unread lines.
    fn go_to(&mut self, room: Option<String>, shown: &mut Vec<StyledLine>) {
        let left = std::mem::replace(&mut self.room, room);
        self.mentions = 0;
        // The notice of the move becomes the mark.
        let words = shown.pop().unwrap_or_default();
        let Some(room) = self.room.clone() else {
            shown.push(words);
            return;
        };
        if left.as_ref() == Some(&room) {
            return;
        }
        let found = self.unread.take(&room);
        shown.push(StyledLine::mark(&match (found.messages, found.mentions) {
            (0, _) => name(&room).into_owned(),
            (messages, 0) => format!("{}: {messages} new", name(&room)),
            (messages, mentions) => format!("{}: {messages} new, {mentions} for you", name(&room)),
        }));
        for line in found.lines {
            shown.extend(self.dated(without_room(line)));
        }
    }

    /// Returns the line with its time, after a mark if a new day begins.
    fn dated(&mut self, mut line: StyledLine) -> Vec<StyledLine> {
        if matches!(line.kind, LineKind::Mark | LineKind::Dated) {
            return vec![line];
        }
        if !self.settings.timestamps && line.kind == LineKind::Now {
            if std::mem::take(&mut self.is_day_of_earlier) {
                self.day = self.formatter.clock().date(self.formatter.clock().now());
            }
            return vec![line];
        }
        self.is_day_of_earlier = !self.settings.timestamps;
        let at = line.at.unwrap_or_else(|| self.formatter.clock().now());
        let minute = self.minute_of(at);
        line.head.insert(0, Span::new(TextRole::Faint, minute.time));
        if minute.day == self.day {
            return vec![line];
        }
        self.day = minute.day;
        vec![StyledLine::mark(&format_date(minute.day)), line]
    }

    fn minute_of(&mut self, at: Timestamp) -> Minute {
        let number = at.unix_ms / 60_000;
        let known = self.minute.take().filter(|minute| minute.number == number);
        let clock = self.formatter.clock();
        let minute =
            known.unwrap_or_else(|| Minute { number, time: format!("{} ", clock.time(at)), day: clock.date(at) });
        self.minute.insert(minute).clone()
    }
}

#[derive(Debug, Clone)]
struct Minute {
    /// Since 1970.
    number: u64,
    time: String,
    day: Date,
}

fn without_room(line: StyledLine) -> StyledLine {
    StyledLine { room: None, ..line }
}

#[cfg(test)]
mod tests;
